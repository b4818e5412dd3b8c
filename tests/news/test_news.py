"""News and events by the real actions, pages and feeds; the last place is given once."""

from __future__ import annotations

import datetime as dt
import threading

import ckan.plugins.toolkit as tk
import icalendar
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action
from lxml import etree

from ckanext.dinamis_relais import news
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.news.rules import place_for, registration_open
from tests.conftest import ROLES
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins")

NOW = dt.datetime.now(dt.timezone.utc)
ATOM = "{http://www.w3.org/2005/Atom}"


def later(days: int) -> str:
    return (NOW + dt.timedelta(days=days)).isoformat(timespec="seconds")


def make(people, publish=True, **more):
    pigma = people.context("super_referent")
    made = call_action("dinamis_news_create", pigma, **{"title": "Nouvelle", "body": "Texte **gras**.", **more})
    if publish:
        made = call_action("dinamis_news_transition", pigma, id=made["id"], transition="publish")
    return made


def event(people, capacity=2, **more):
    return make(people, kind="event", title="Atelier", starts_at=later(10), ends_at=later(11), place="Bordeaux",
                capacity=capacity, **more)  # fmt: skip


def register(people, role, made):
    return call_action("dinamis_event_register", people.context(role), id=made["id"])


def test_when_one_may_register():
    day = dt.timedelta(days=1)
    assert registration_open(1, NOW + day, None, NOW)
    assert not registration_open(None, NOW + day, None, NOW)
    assert not registration_open(1, NOW - day, None, NOW)
    assert not registration_open(1, NOW + day, NOW - day, NOW)
    assert [place_for(taken, 2) for taken in (0, 1, 2, 3)] == ["registered", "registered", "waiting", "waiting"]


def test_a_draft_is_pigmas_and_a_wrong_event_says_what_is_missing(browser, people):
    made = make(people, publish=False)
    path = f"/dinamis/news/{made['id']}"
    assert {role: browser.get(role, path).status_code for role in ROLES} == dict.fromkeys(ROLES, 404) | {
        "sysadmin": 200, "super_referent": 200}  # fmt: skip
    for data, field in (
        ({"kind": "event"}, "starts_at"),
        ({"kind": "event", "starts_at": later(2), "ends_at": later(1)}, "ends_at"),
        ({"kind": "event", "starts_at": later(2), "registration_until": later(3)}, "registration_until"),
        ({"kind": "event", "starts_at": "demain"}, "starts_at"),
        ({"capacity": "beaucoup"}, "capacity"),
        ({"title": ""}, "title"),
    ):
        with pytest.raises(tk.ValidationError) as wrong:
            make(people, **data)
        assert set(wrong.value.error_dict) == {field}


def test_the_pages_and_forms(browser, people):
    empty = browser.soup("anonymous", "/dinamis/news")
    assert len(empty.select("h1")) == 1
    sent = {"kind": "event", "title": "Atelier", "body": "<script>x</script>", "starts_at": "2031-07-01T14:00",
            "ends_at": "", "capacity": "5", "registration_until": "", "place": "", "source": "pigma"}  # fmt: skip
    assert browser.get("member", "/dinamis/news/new").status_code == 403
    assert "&lt;script&gt;" in browser.post("super_referent", "/dinamis/news/new", {**sent, "preview": "1"}).body
    assert "invalid-feedback" in browser.post("super_referent", "/dinamis/news/new", {**sent, "starts_at": ""}).body
    path = browser.post("super_referent", "/dinamis/news/new", sent).headers["Location"]
    assert browser.soup("super_referent", f"{path}/edit").select_one("#starts_at")["value"] == "2031-07-01T14:00"
    assert browser.post("super_referent", f"{path}/transition", {"transition": "publish"}).status_code == 302
    assert browser.post("anonymous", f"{path}/register").status_code == 302  # to the login page
    assert browser.post("member", f"{path}/register").status_code == 302
    assert browser.soup("member", path).select("form[action$='/unregister']")
    rows = browser.get("super_referent", f"{path}/registrations.csv")
    assert people.member["email"] in rows.body
    assert browser.get("member", f"{path}/registrations.csv").status_code == 403
    assert people.member["email"] not in browser.get("referent", path).body
    assert people.member["email"] in browser.get("super_referent", path).body
    assert browser.post("member", f"{path}/unregister").status_code == 302


def test_the_last_place_is_given_once(people):
    made = event(people, capacity=3)
    users = [factories.User() for _ in range(8)]
    answers = []

    def come(user):
        found = tk.get_action("dinamis_event_register")({"user": user["name"]}, {"id": made["id"]})
        answers.append(found["registration"])
        model.Session.remove()

    threads = [threading.Thread(target=come, args=(user,)) for user in users]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == ["registered"] * 3 + ["waiting"] * 5


def test_a_free_place_goes_to_who_waits_for_longest_who_is_told(people):
    made = event(people, capacity=1)
    assert register(people, "member", made)["registration"] == "registered"
    assert register(people, "referent", made)["registration"] == "waiting"
    assert register(people, "outsider", made)["registration"] == "waiting"
    assert register(people, "member", made)["registration"] == "registered"  # asked twice: the same place
    call_action("dinamis_event_unregister", people.context("member"), id=made["id"])
    shown = call_action("dinamis_news_show", people.context("referent"), id=made["id"])
    assert (shown["registration"], shown["places_left"]) == ("registered", 0)
    mail = model.Session.query(Mail).filter_by(name="event_place").one()
    assert mail.recipient == people.referent["email"]
    with pytest.raises(tk.ValidationError, match="pas inscrit"):
        call_action("dinamis_event_unregister", people.context("member"), id=made["id"])
    with pytest.raises(tk.ValidationError, match="déjà inscrites"):
        call_action("dinamis_news_update", people.context("super_referent"), **{**made, "capacity": ""})
    call_action("dinamis_news_update", people.context("super_referent"), **{**made, "capacity": 2})
    assert call_action("dinamis_news_show", people.context("outsider"), id=made["id"])["registration"] == "registered"
    events = [line.event for line in journalled().order_by(JournalLine.id)]
    assert events.count("registration.moved_up") == 2


def test_closed_events_take_nobody(people):
    for made in (event(people, capacity=""), make(people), event(people, registration_until=later(-1))):
        with pytest.raises(tk.ValidationError):
            register(people, "member", made)


def test_a_persons_registrations_are_given_and_erased(people):
    made = event(people, capacity=1)
    register(people, "member", made)
    register(people, "referent", made)
    exported = call_action("dinamis_personal_data_export", people.context("member"))
    assert [one["event"] for one in exported["registrations"]] == ["Atelier"]
    assert news.erase_person(people.member["id"], "system") == 1
    model.Session.commit()
    assert news.personal_data([people.member["id"]]) == []
    listed = call_action("dinamis_event_registrations", people.context("super_referent"), id=made["id"])
    assert [(one["email"], one["state"]) for one in listed["results"]] == [(people.referent["email"], "registered")]


def test_the_feeds_hold_what_is_published(browser, people):
    made, draft = event(people), make(people, publish=False, title="Brouillon")
    make(people, title="À lire", body="<script>x</script>")
    calendar = icalendar.Calendar.from_ical(browser.get("anonymous", "/dinamis/news.ics").body)
    found = calendar.walk("VEVENT")
    assert [str(one["summary"]) for one in found] == ["Atelier"]
    assert found[0]["dtstart"].dt == dt.datetime.fromisoformat(made["starts_at"].replace("Z", "+00:00"))
    assert str(found[0]["location"]) == "Bordeaux"
    assert icalendar.Calendar.from_ical(browser.get("anonymous", f"/dinamis/news/{made['id']}.ics").body).walk("VEVENT")
    answer = browser.get("super_referent", "/dinamis/news.atom")
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    root = etree.fromstring(answer.body.encode())
    assert [one.findtext(f"{ATOM}title") for one in root.iter(f"{ATOM}entry")] == ["À lire", "Atelier"]
    assert "<script" not in answer.body
    assert draft["id"] not in answer.body
