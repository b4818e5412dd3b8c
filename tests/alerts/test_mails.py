"""New images by mail: asked for by one click, at most one a day, nothing twice, nothing lost, stopped by one click."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.alerts import arrivals, chores, privacy, rules, telling, watching
from ckanext.dinamis_relais.alerts.model import Watch
from ckanext.dinamis_relais.gateway import mailer, secrets
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import enter, forget
from tests.imagery.conftest import item
from tests.journalled import journalled
from tests.membership.helpers import file_in
from tests.portal.pages import words

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "people", "entity_service", "clean_redis"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
]
BEGLES = {"kind": "commune", "code": "33039"}
#: Far from every scene of ``item``.
FAR = {"kind": "area", "code": "3.0,43.0,3.1,43.1"}


def watch(people: Any, role: str = "member", **place: str) -> dict[str, Any]:
    return call_action("dinamis_watch_create", people.context(role), **(place or BEGLES))


def mails(name: str = "new_images") -> list[Mail]:
    model.Session.expire_all()
    return model.Session.query(Mail).filter_by(name=name).order_by(Mail.created_at).all()


def tell(days: int = 1) -> int:
    """The worker's round of the day that comes so many days after the present one."""
    return telling.tell_some(watching.today() + dt.timedelta(days=days))


def put(engine: Any, number: int) -> None:
    """A scene as another harvest would write it, in a transaction of its own."""
    with engine.begin() as connection:
        connection.execute(sa.text(_COPY), {"id": f"SPOT6_{number:05d}"})


_COPY = """INSERT INTO scene (collection, id, datetime, end_datetime, source_id, hash, geom, item)
SELECT collection, :id, datetime, end_datetime, source_id, hash, geom,
    jsonb_set(item::jsonb, '{id}', to_jsonb(CAST(:id AS text)))::json
FROM scene WHERE id = 'SPOT6_00001'"""


def test_only_what_came_after_is_told_once_and_with_all_places_in_one_mail(
    people: Any, engine: Any, load: Any, geo: str
) -> None:
    load([item(number) for number in range(1, 4)])
    watch(people)
    watch(people, kind="departement", code="33")
    watch(people, **FAR)
    assert (tell(), mails()) == (1, []), "what was there is not told"
    load([item(number) for number in range(1, 6)])
    assert tell(2) == 1
    (mail,) = mails()
    assert mail.recipient == people.member["email"]
    assert mail.subject == "Nouvelles images de vos territoires"
    assert "Bègles (33039) : 2 nouvelles images" in mail.body and "Gironde (33) : 2 nouvelles images" in mail.body
    assert mail.body.count("SPOT 6") == 4 and "http://test.ckan.net/dinamis/coverage/commune/33039" in mail.body
    assert "Partie de la carte" not in mail.body
    assert (tell(2), tell(3), len(mails())) == (0, 1, 1)


def test_a_changed_scene_is_no_new_one_and_a_day_has_one_mail(people: Any, engine: Any, load: Any, geo: str) -> None:
    load([item(1)])
    watch(people)
    load([item(1, constellation="changed"), item(2)])
    tell()
    (mail,) = mails()
    assert mail.subject == "Nouvelles images : Bègles (33039)"
    assert "une nouvelle image" in mail.body and mail.body.count("SPOT 6") == 1
    put(engine, 3)
    assert (tell(), len(mails())) == (0, 1), "the day's mail has left"
    tell(2)
    assert len(mails()) == 2


def test_many_are_counted_and_the_last_taken_are_named(people: Any, engine: Any, load: Any, geo: str) -> None:
    load([item(1)])
    watch(people)
    load([item(number) for number in range(1, 25)])
    tell()
    (mail,) = mails()
    assert "23 nouvelles images" in mail.body and "et 15 de plus" in mail.body
    assert mail.body.count("SPOT 6") == rules.NAMED and "25 janvier 2015" in mail.body


def test_a_transaction_that_commits_late_is_neither_lost_nor_told_twice(
    people: Any, engine: Any, load: Any, geo: str
) -> None:
    """The order of commits is not that of ``updated``, nor that of the transactions' numbers."""
    load([item(1)])
    late = engine.connect()
    late.execute(sa.text("SELECT txid_current()"))  # begins before the subscription
    watch(people)
    put(engine, 2)
    tell(1)
    assert len(mails()) == 1 and "une nouvelle image" in mails()[0].body
    late.execute(sa.text(_COPY), {"id": "SPOT6_00003"})
    put(engine, 4)
    tell(2)
    assert "une nouvelle image" in mails()[1].body, "the late one is not there yet"
    late.commit()
    late.close()
    tell(3)
    assert len(mails()) == 3 and "une nouvelle image" in mails()[2].body
    tell(4)
    assert len(mails()) == 3


def test_killed_before_its_commit_a_look_is_looked_again(
    people: Any, engine: Any, load: Any, geo: str, monkeypatch: Any
) -> None:
    load([item(1)])
    watch(people)
    put(engine, 2)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(telling, "_lines", killed)
        tell()
    model.Session.rollback()
    assert mails() == []
    tell()
    assert len(mails()) == 1


def test_two_workers_write_one_mail(people: Any, engine: Any, load: Any, geo: str, app: Any) -> None:
    load([item(1)])
    watch(people)
    put(engine, 2)
    day = watching.today() + dt.timedelta(days=1)
    both = threading.Barrier(2)

    def work() -> None:
        with app.flask_app.test_request_context():
            both.wait(10)
            telling.tell_some(day)
            model.Session.remove()

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(work) for _ in range(2)]:
            one.result(30)
    assert len(mails()) == 1


@pytest.mark.parametrize("state", ["suspended", "closed", "expired"])
def test_a_suspended_or_closed_account_gets_none_and_no_flood_afterwards(
    people: Any, engine: Any, load: Any, geo: str, state: str
) -> None:
    load([item(1)])
    watch(people)
    file_in(people, "accepted")
    row = model.Session.get(Account, enter(people)["id"])
    row.user_id, row.state = people.member["id"], state
    model.Session.commit()
    put(engine, 2)
    assert (tell(), mails()) == (1, [])
    model.Session.get(Account, row.id).state = "active"
    model.Session.commit()
    tell(2)
    assert mails() == []
    put(engine, 3)
    tell(3)
    assert "une nouvelle image" in mails()[0].body


def test_a_deleted_login_gets_none(people: Any, engine: Any, load: Any, geo: str) -> None:
    load([item(1)])
    watch(people)
    model.User.get(people.member["id"]).state = "deleted"
    model.Session.commit()
    put(engine, 2)
    assert (tell(), mails()) == (1, [])


def test_the_store_was_restored_elsewhere_nothing_is_told_and_nothing_breaks(
    people: Any, engine: Any, load: Any, geo: str
) -> None:
    load([item(1)])
    watch(people)
    model.Session.query(Watch).update({"cursor": "99999999999:99999999999:"})
    model.Session.commit()
    put(engine, 2)
    assert (tell(), mails()) == (1, [])
    put(engine, 3)
    tell(2)
    assert len(mails()) == 1


def test_the_worker_waits_for_the_hour(people: Any, engine: Any, load: Any, geo: str, monkeypatch: Any) -> None:
    load([item(1)])
    watch(people)
    put(engine, 2)
    monkeypatch.setattr(chores, "_last", [-chores.EVERY])
    assert (chores.tell_new_images(), mails()) == (0, []), "it was asked for today: tomorrow at the earliest"
    model.Session.query(Watch).update({"looked_on": watching.today() - dt.timedelta(days=1)})
    model.Session.commit()
    assert chores.tell_new_images() == 0, "looks again after a while"
    monkeypatch.setattr(chores, "_last", [-chores.EVERY])
    assert (chores.tell_new_images(), len(mails())) == (1, 1)


def test_without_the_scene_store_the_worker_goes_on_and_tells_later(
    people: Any, engine: Any, load: Any, geo: str, monkeypatch: Any, ckan_config: Any
) -> None:
    load([item(1)])
    watch(people)
    put(engine, 2)
    model.Session.query(Watch).update({"looked_on": watching.today() - dt.timedelta(days=1)})
    model.Session.commit()
    with monkeypatch.context() as patched:
        patched.setitem(ckan_config, "ckanext.dinamis_relais.scenes_url", "postgresql://nobody@127.0.0.1:1/none")
        patched.setattr(chores, "_last", [-chores.EVERY])
        assert (chores.tell_new_images(), mails()) == (0, [])
    monkeypatch.setattr(chores, "_last", [-chores.EVERY])
    assert (chores.tell_new_images(), len(mails())) == (1, 1)


def test_the_same_place_twice_is_one_and_there_is_a_limit(people: Any, engine: Any, geo: str, monkeypatch: Any) -> None:
    first = watch(people)
    assert watch(people)["id"] == first["id"]
    assert first["page"] == "/dinamis/coverage/commune/33039" and first["email"] == people.member["email"]
    assert watch(people, "referent")["id"] != first["id"]
    assert [line.event for line in journalled().filter_by(object_type="watch")] == ["watch.started"] * 2
    monkeypatch.setattr(rules, "MOST", 1)
    with pytest.raises(tk.ValidationError) as raised:
        watch(people, **FAR)
    assert "1" in str(raised.value.error_dict["code"])


@pytest.mark.parametrize(
    "kind, code",
    [("commune", "99999"), ("commune", "x"), ("planet", "1"), ("area", "1,2"), ("area", "5,5,1,1"), ("", "33039")],
)
def test_what_is_no_place_is_refused(people: Any, engine: Any, geo: str, kind: str, code: str) -> None:
    with pytest.raises(tk.ValidationError):
        watch(people, kind=kind, code=code)
    assert model.Session.query(Watch).count() == 0


def test_nobody_stops_anothers(people: Any, engine: Any, geo: str) -> None:
    made = watch(people)
    for role in ("referent", "super_referent", "sysadmin"):
        with pytest.raises(tk.ObjectNotFound):
            call_action("dinamis_watch_delete", people.context(role), id=made["id"])
    call_action("dinamis_watch_delete", people.context("member"), id=made["id"])
    assert call_action("dinamis_watch_list", people.context("member"))["count"] == 0


def link_of(mail: Mail) -> str:
    """The path of the link that stops."""
    assert mail.secrets
    return str(secrets.decrypt(mail.secrets)["link"]).removeprefix("http://test.ckan.net")


def test_the_link_of_a_mail_stops_all_without_a_login_and_not_by_opening_it(
    people: Any, engine: Any, load: Any, geo: str, app: Any
) -> None:
    load([item(1)])
    watch(people)
    watch(people, "referent")
    put(engine, 2)
    tell()
    mail = next(one for one in mails() if one.recipient == people.member["email"])
    path = link_of(mail)
    forget()
    page = app.get(path)
    assert "Bègles (33039)" in page.body and "no-store" in page.headers["Cache-Control"]
    assert model.Session.query(Watch).count() == 2
    # As a mail program posts it (RFC 8058): without our page, our cookie or our token.
    app.flask_app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = app.post(path, data={"List-Unsubscribe": "One-Click"})
        again = app.post(path, data={"List-Unsubscribe": "One-Click"})
    finally:
        app.flask_app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == again.status_code == 200 and "C'est fait" in answer.body
    left = [one.user_id for one in model.Session.query(Watch)]
    assert left == [people.referent["id"]]
    assert "plus rien à arrêter" in app.get(path).body
    assert journalled().filter_by(event="watch.stopped").count() == 1


@pytest.mark.parametrize("token", ["x", "gAAAAA", "é", "other"])
def test_another_token_stops_nothing(people: Any, engine: Any, geo: str, app: Any, token: str) -> None:
    watch(people)
    if token == "other":
        token = secrets.encrypt({"link": people.member["id"]}).decode()
    forget()
    assert app.get(f"/dinamis/alerts/stop/{token}", status=404)
    assert app.post(f"/dinamis/alerts/stop/{token}", status=404)
    assert model.Session.query(Watch).count() == 1


def test_mail_programs_get_their_button_and_other_mails_none(
    people: Any, engine: Any, load: Any, geo: str, monkeypatch: Any
) -> None:
    load([item(1)])
    watch(people)
    put(engine, 2)
    tell()
    (mail,) = mails()
    assert mailer.LINK in mail.body, "the thread holds no link"
    prepared = mailer.prepare(mail)
    assert prepared["stop"] and prepared["stop"] in prepared["body"]
    mail.name = "account_invitation"
    assert mailer.prepare(mail)["stop"] is None
    model.Session.rollback()


def test_the_buttons_of_the_pages(people: Any, engine: Any, load: Any, geo: str, browser: Any) -> None:
    load([item(1)])
    path = "/dinamis/coverage/commune/33039"
    visitor = browser.soup("anonymous", path)
    assert visitor.select_one("a[href*='user/login'][href*='coverage']")
    assert not visitor.select("form[action$='/dinamis/alerts']")
    form = browser.soup("member", path).select_one("form[action$='/dinamis/alerts']")
    fields = {one["name"]: one.get("value", "") for one in form.select("input")}
    assert fields.pop("_csrf_token") is not None and fields == BEGLES
    answer = browser.post("member", "/dinamis/alerts", fields)
    assert answer.status_code == 302 and answer.headers["Location"].endswith(path)
    page = browser.soup("member", path)
    if tk.check_ckan_version(min_version="2.12"):  # 2.11 shows no such message to who comes with a token
        assert people.member["email"] in words(page) and "au plus un message par jour" in words(page)
    assert "Vous êtes averti par courriel" in words(page) and not page.select("form[action$='/dinamis/alerts']")
    mine = browser.soup("member", "/dinamis/me")
    stop = mine.select_one("#alerts ~ ul form")
    assert "Bègles (33039)" in words(mine) and stop
    browser.post("member", stop["action"])
    assert model.Session.query(Watch).count() == 0
    assert "Vous n'êtes averti pour aucun lieu" in words(browser.soup("member", "/dinamis/me"))


def test_the_explorer_offers_its_place_or_its_part_of_the_map(
    people: Any, engine: Any, load: Any, geo: str, browser: Any
) -> None:
    load([item(1)])
    assert not browser.soup("member", "/dinamis/images").select("form[action$='/dinamis/alerts']")
    for query, expected in (
        ("?place=33039", ("commune", "33039")),
        ("?bbox=-0.600001,44.7,-0.5,44.9", ("area", "-0.6,44.7,-0.5,44.9")),
        ("?area=-0.9_44.6_-0.1_44.6_-0.5_45.0", ("area", "-0.9_44.6_-0.1_44.6_-0.5_45.0")),
    ):
        form = browser.soup("member", f"/dinamis/images{query}").select_one("form[action$='/dinamis/alerts']")
        fields = {one["name"]: one["value"] for one in form.select("input[name=kind], input[name=code]")}
        assert (fields["kind"], fields["code"]) == expected
        browser.post("member", "/dinamis/alerts", fields)
        page = browser.soup("member", f"/dinamis/images{query}")
        assert "Vous êtes averti par courriel" in words(page), query
    put(engine, 2)
    tell()
    (mail,) = mails()
    assert "Partie de la carte autour de" in mail.body
    assert "La zone de votre fichier, autour de" in mail.body
    assert "/dinamis/images?bbox=-0.6%2C44.7%2C-0.5%2C44.9" in mail.body.replace(",", "%2C")


def test_it_is_among_the_persons_data_and_erased_with_them(people: Any, engine: Any, load: Any, geo: str) -> None:
    load([item(1)])
    watch(people)
    watch(people, "referent")
    put(engine, 2)
    tell()
    found = call_action("dinamis_personal_data_export", people.context("member"))
    assert [one["name"] for one in found["watched"]] == ["Bègles (33039)"]
    assert [one["subject"] for one in found["watched_mails"]] == ["Nouvelles images : Bègles (33039)"]
    assert privacy.erase_of(people.member["id"], "system") == 1
    model.Session.commit()
    left = privacy.export([people.member["id"]])
    assert left["watched"] == [] and not any(one["to"] or one["text"] for one in left["watched_mails"])
    assert privacy.export([people.referent["id"]])["watched"], "another person's stay"


def test_a_look_sees_one_moment(engine: Any, load: Any) -> None:
    load([item(1)])
    with arrivals.look(engine) as first:
        cursor = first.snapshot
    world = {"type": "Polygon", "coordinates": [[[-10, 40], [10, 40], [10, 50], [-10, 50], [-10, 40]]]}
    with arrivals.look(engine) as second:
        put(engine, 2)
        assert second.since(cursor, world, 5).count == 0
        later = second.snapshot
    with arrivals.look(engine) as third:
        assert third.since(later, world, 5).count == 1
