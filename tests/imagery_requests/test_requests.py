"""A request from the area to its image: rights, rules, archive, quotas, DINAMIS and back, pages, the person's data."""

from __future__ import annotations

import datetime as dt
import json

import ckan.plugins.toolkit as tk
import pytest
import requests
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.imagery_requests import privacy, quotas, rules
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest, RequestStep
from ckanext.dinamis_relais.sandbox import contract
from ckanext.dinamis_relais.sandbox import requests as board
from tests.accounts.helpers import context_of
from tests.conftest import ROLES
from tests.imagery_requests.files import SQUARE
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

PAST = {"starts_on": "2015-01-01", "ends_on": "2015-12-31"}


def wish(**more):
    plain = {"area": SQUARE, "purpose": "Suivi des îlots de chaleur.", "title": "Bègles sud", "cloud": 20}
    return {**plain, **PAST, **more}


def ask(people, by="member", **more):
    return call_action("dinamis_request_create", context_of(people.users[by]["name"]), **wish(**more))


def step(people, request, name, by="super_referent", **more):
    context = context_of(people.users[by]["name"])
    return call_action("dinamis_request_transition", context, id=request["id"], transition=name, **more)


def row_of(request):
    model.Session.rollback()
    return model.Session.get(ImageryRequest, request["id"], populate_existing=True)


def round_trip(request):
    row = row_of(request)
    row.next_poll_at = utcnow() - dt.timedelta(seconds=1) if row.next_poll_at else None
    model.Session.commit()
    deliver_once()


def test_the_archive_is_looked_at_before_and_may_answer(asker):
    context = context_of(asker.member["name"])
    found = call_action("dinamis_request_preview", context, **wish())
    archive = found["archive"]
    assert (archive["available"], archive["count"], archive["complete"]) == (True, 3, True)
    assert archive["share"] == pytest.approx(1)
    assert archive["share_fitting"] == pytest.approx(1)
    assert [one["fits"] for one in archive["scenes"]] == [True, False, False]
    assert found["area_km2"] == pytest.approx(52.9, abs=0.5)
    finer = call_action("dinamis_request_preview", context, **wish(product="pléiades"))["archive"]
    assert (finer["share_fitting"], finer["count"]) == (0, 3)
    elsewhere = call_action("dinamis_request_preview", context, **wish(starts_on="2013-01-01", ends_on="2013-03-01"))
    assert (elsewhere["archive"]["count"], len(elsewhere["archive"]["recent"])) == (0, 3)
    done = ask(asker, by_archive=True, scenes=["spot/SPOT6_00001"])
    assert (done["state"], done["by_archive"], done["waiting_side"]) == ("completed", True, None)
    assert [one["code"] for one in done["steps"]] == ["received", "completed"]
    assert [one["id"] for one in done["answer_scenes"]] == ["SPOT6_00001"]
    assert model.Session.query(Mail).filter_by(object_type="request").count() == 0
    with pytest.raises(tk.ValidationError):
        ask(asker, by_archive=True, scenes=["spot/none"])


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [((0, 0), None, None), ((0, 14), None, "emergency"), ((0, 15), None, None), ((-40, -20), None, None),
     ((-3, -3), None, "window"), ((30, 43), None, "window"), ((30, 44), None, None), ((30, 20), None, "order"),
     ((0, 9999), None, "years")],
)  # fmt: skip
def test_no_emergency_and_no_precise_day(start, end, kind):
    today = dt.date(2026, 11, 24)
    first, last = (today + dt.timedelta(days=days) for days in start)
    found = rules.period_problem(first, last, today, rules.Period(15, 15))
    expected = "window" if start == (0, 0) else kind
    assert (found[1] if found else None) == expected


def test_what_is_wrong_is_said_by_field_and_only_members_ask(asker):
    day = (utcnow() + dt.timedelta(days=3)).date().isoformat()
    with pytest.raises(tk.ValidationError) as raised:
        ask(asker, starts_on=day, ends_on=day, area={"type": "Point", "coordinates": [0, 45]})
    assert set(raised.value.error_dict) == {"ends_on", "area"}
    for role in ("outsider", "referent", "super_referent"):
        with pytest.raises(tk.ValidationError) as raised:
            ask(asker, role)
        assert set(raised.value.error_dict) == {"organization_id"}
    for field, value in (("cloud", "101"), ("product", "Landsat"), ("starts_on", "hier"), ("purpose", " ")):
        with pytest.raises(tk.ValidationError) as raised:
            ask(asker, **{field: value})
        assert field in raised.value.error_dict


def test_every_state_by_every_transition_and_role(asker):
    request = ask(asker)
    for state in rules.MACHINE.states:
        for name in rules.MACHINE.transitions:
            for role in ("super_referent", "member", "referent", "outsider"):
                row = row_of(request)
                row.state = state
                model.Session.commit()
                possible = next((r for r in rules.MACHINE.allowed(state) if r.name == name), None)
                own = possible is not None and possible.verb == "request.create"
                right = role == ("member" if own else "super_referent")
                try:
                    found = step(asker, request, name, role, reason="Motif", answer="Voici")
                except tk.NotAuthorized:
                    assert possible is None or not right, (state, name, role)
                except tk.ValidationError as error:
                    assert possible is None, (state, name, role, error.error_dict)
                else:
                    assert possible is not None
                    assert right
                    assert found["state"] == possible.target
    assert call_action("dinamis_journal_verify", asker.context("super_referent"))["valid"]


def test_a_no_has_its_reason_and_a_decision_on_what_is_past_does_nothing(asker):
    request = ask(asker)
    with pytest.raises(tk.ValidationError) as raised:
        step(asker, request, "reject")
    assert "reason" in raised.value.error_dict
    step(asker, request, "hold")
    with pytest.raises(tk.ValidationError) as raised:
        step(asker, request, "reject", reason="Non", seen="2001-01-01T00:00:00Z")
    assert "seen" in raised.value.error_dict
    done = step(asker, request, "reject", reason="L'archive suffit.", reason_code="archive")
    assert (done["steps"][-1]["reason"], done["steps"][-1]["reason_code"]) == ("L'archive suffit.", "archive")
    [mail] = model.Session.query(Mail).filter_by(name="request_rejected")
    assert mail.recipient == asker.member["email"]
    assert "L'archive suffit." in mail.body
    assert "contester" in mail.body


def test_to_dinamis_and_back(asker, dinamis):
    request = ask(asker)
    deliver_once()
    with pytest.raises(KeyError):
        board.read(dinamis.state, request["id"])
    step(asker, request, "accept")
    deliver_once()
    body = board.read(dinamis.state, request["id"])["body"]
    contract.check("Request", body)
    text = json.dumps(body, ensure_ascii=False)
    for secret in (asker.member["fullname"], asker.member["name"], asker.member["email"], asker.member["id"]):
        assert secret not in text
    page = f"{dinamis.url}/board-requests/{request['id']}"
    assert "Bègles sud" in requests.get(page, timeout=20).text
    for code in ("scheduled", "processing"):
        assert requests.post(f"{page}/status", data={"code": code}, timeout=20).status_code == 200
    assert requests.post(f"{page}/status", data={"code": "failed"}, timeout=20).status_code == 422
    round_trip(request)
    row = row_of(request)
    assert (row.state, row.version, row.delivered_version) == ("processing", 1, 1)
    assert row.reference == board.read(dinamis.state, request["id"])["reference"]
    requests.post(f"{page}/status", data={"code": "completed", "reason": "Livrée."}, timeout=20)
    round_trip(request)
    round_trip(request)
    shown = call_action("dinamis_request_show", context_of(asker.member["name"]), id=request["id"])
    assert [s["code"] for s in shown["steps"]] == ["received", "accepted", "scheduled", "processing", "completed"]
    assert row_of(request).next_poll_at is None
    assert model.Session.query(Mail).filter_by(name="request_completed").count() == 1


def test_withdrawn_dinamis_is_told_and_erased_nothing_of_the_person_stays(asker, dinamis):
    request = ask(asker, purpose="Pour Lou Exemple")
    step(asker, request, "accept")
    deliver_once()
    assert call_action("dinamis_personal_data_export", context_of(asker.member["name"]))["imagery_requests"][0][
        "purpose"] == "Pour Lou Exemple"  # fmt: skip
    step(asker, request, "withdraw", "member")
    deliver_once()
    assert board.read(dinamis.state, request["id"])["status"] == "user_cancelled"
    assert privacy.erase_of(asker.member["id"], "system") == 1
    model.Session.commit()
    deliver_once()
    row = row_of(request)
    assert (row.user_id, row.area, row.purpose, row.title) == (None, None, "", "")
    assert row.area_km2 > 50
    there = json.dumps(board.read(dinamis.state, request["id"]), ensure_ascii=False)
    assert "Lou" not in there
    own = model.Session.query(RequestStep).filter_by(side="person")
    assert {step.actor_id for step in own} == {None}
    assert call_action("dinamis_request_show", asker.context("super_referent"), id=request["id"])["asker"] is None


def test_quotas_count_and_give_back(asker, ckan_config, monkeypatch, tmp_path):
    path = tmp_path / "quotas.yaml"
    path.write_text("- {scope: organization, period: year, km2: 60, product: SPOT}\n")
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.request_quotas", str(path))
    assert ask(asker, by_archive=True)["quotas"][0]["left"] == 60
    request = ask(asker)
    with pytest.raises(tk.ValidationError) as raised:
        ask(asker)
    assert "quota" in raised.value.error_dict["area"][0]
    left = call_action("dinamis_request_preview", context_of(asker.member["name"]), **wish())["quotas"][0]["left"]
    assert left == pytest.approx(60 - request["area_km2"])
    assert ask(asker, product="Pléiades")["state"] == "received"
    step(asker, request, "withdraw", "member")
    assert ask(asker)["state"] == "received"


@pytest.mark.parametrize("entries", ["x", [{}], [{"scope": "relay", "period": "day", "km2": 1}],
    [{"scope": "relay", "period": "year", "km2": -1}],
    [{"scope": "relay", "period": "year", "km2": 1, "starts": "x"}]])  # fmt: skip
def test_a_quota_that_cannot_be_read_is_named(entries):
    with pytest.raises(ValueError, match="quota"):
        quotas.parse(entries)


def test_a_quarter_is_that_of_the_calendar():
    start, end = quotas.period("quarter", dt.datetime(2026, 11, 24, 23, tzinfo=dt.timezone.utc))
    assert (start.date().isoformat(), end.date().isoformat()) == ("2026-10-01", "2027-01-01")


def test_the_pages_open_for_their_people(asker, browser):
    request = ask(asker)
    pigma = {"sysadmin", "super_referent"}
    for path, allowed in (
        (f"/dinamis/requests/{request['id']}", pigma | {"member", "referent"}),
        (f"/dinamis/requests/{request['id']}/area.geojson", pigma | {"member", "referent"}),
        ("/dinamis/moderation/requests", pigma),
        ("/dinamis/requests/new", set(ROLES) - {"anonymous"}),
        ("/dinamis/requests", set(ROLES) - {"anonymous"}),
        ("/dinamis/requests?of=organization", set(ROLES) - {"anonymous"}),
    ):
        for role in ROLES:
            status = browser.get(role, path).status_code
            assert status == (200 if role in allowed else 302 if role == "anonymous" else 403), (path, role)
    form = {**wish(), "area": json.dumps(SQUARE)}
    shown = browser.post("member", "/dinamis/requests/new", form)
    assert shown.status_code == 200
    assert "spot/SPOT6_00001" in shown.body
    before = model.Session.query(ImageryRequest).count()
    assert browser.post("member", "/dinamis/requests/new", {**form, "purpose": ""}).status_code == 422
    assert model.Session.query(ImageryRequest).count() == before
    assert browser.post("member", "/dinamis/requests", form).status_code == 302
    assert model.Session.query(ImageryRequest).count() == before + 1
    done = browser.post("super_referent", f"/dinamis/requests/{request['id']}/transition",
                        {"transition": "answer", "answer": "Voici", "from": "queue"})  # fmt: skip
    assert done.status_code == 302
    assert row_of(request).state == "completed"
    assert "Voici" in browser.get("member", f"/dinamis/requests/{request['id']}").body


def test_another_place_of_the_name_is_one_click_away_without_a_script(asker, browser, geo_service):
    form = {**PAST, "purpose": "Suivi des haies.", "place": "la", "place_kind": "commune"}
    shown = BeautifulSoup(browser.post("member", "/dinamis/requests/new", form).body, "html.parser")
    other = shown.select_one("button[name=place]")
    chosen = {one["name"]: one.get("value", "") for one in other.find_parent("form").select("input[type=hidden]")}
    again = browser.post("member", "/dinamis/requests/new", {**chosen, "place": other["value"]})
    assert again.status_code == 200
    lead = words(BeautifulSoup(again.body, "html.parser").select_one("#content .lead"))
    assert lead.startswith(words(other))
    assert words(shown.select_one("#content .lead")).startswith("La Rochelle (17300)")
    assert "Suivi des haies." in again.body
