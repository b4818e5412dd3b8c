"""PIGMA's pages and the sysadmin's: who opens them, what they say, what they change."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.gateway.model import DeliveryTarget, Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.overview import rollup
from tests.accounts.helpers import enter
from tests.conftest import ROLES
from tests.journalled import journalled
from tests.membership.helpers import file_in
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

PIGMA = {"sysadmin", "super_referent"}
PAGES = {
    "/dinamis/moderation": PIGMA,
    "/dinamis/moderation/deliveries": PIGMA,
    "/dinamis/moderation/journal": PIGMA,
    "/ckan-admin/dinamis-roles": {"sysadmin"},
}


def status(browser, role, path):
    answer = browser.get(role, path)
    if answer.status_code == 302:
        assert "/user/login?next=" in answer.headers["Location"]
    return answer.status_code


def test_each_page_opens_for_its_roles_only(browser, people):
    file_in(people, "submitted")
    for path, roles in PAGES.items():
        wanted = {role: 200 if role in roles else 403 for role in ROLES} | {"anonymous": 302}
        assert {role: status(browser, role, path) for role in ROLES} == wanted, path


def test_each_page_has_one_title_and_each_form_that_posts_its_token(browser, people):
    file_in(people, "submitted")
    model.Session.execute(sa.update(Mail).values(failed_at=sa.func.now()))
    model.Session.commit()
    posts = 0
    for path in PAGES:
        soup = browser.soup("sysadmin", path)
        assert len(soup.select("h1")) == 1, path
        for form in soup.select("form[method=post]"):
            posts += 1
            assert form.select("input[name=_csrf_token]"), (path, form)
        menu = soup.select("nav a[aria-current=page]")
        assert path.startswith("/ckan-admin") or [a["href"] for a in menu] == [path]
    assert posts >= 5


def test_the_dashboard_counts_what_waits_and_leads_to_it(browser, people):
    soup = browser.soup("super_referent", "/dinamis/moderation")
    assert soup.select(".alert-success")
    file_in(people, "under_review")
    soup = browser.soup("super_referent", "/dinamis/moderation")
    first = soup.select_one("a.card")
    assert words(first).endswith(" 1")
    assert first["href"] == "/dinamis/moderation/applications?state=signed,under_review"
    assert not soup.select(".alert-success")
    listed = browser.soup("super_referent", first["href"])
    assert words(listed.select_one("table tbody a")) == "Commune de Bègles"


def test_what_waits_for_too_long_is_marked_with_its_oldest(browser, people, ckan_config, monkeypatch):
    file_in(people, "under_review")
    model.Session.execute(sa.update(Application).values(state_since=sa.text("now() - interval '9 days'"), due_at=None))
    model.Session.commit()
    tile = browser.soup("super_referent", "/dinamis/moderation").select_one("a.card")
    assert "1 en retard" in words(tile)
    assert "9 jours" in words(tile)
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.late_days", 0)
    tile = browser.soup("super_referent", "/dinamis/moderation").select_one("a.card")
    assert "en retard" not in words(tile)


def test_each_chart_has_its_words_and_its_numbers_beside_it(browser, people):
    file_in(people, "accepted")
    while rollup.refresh():
        pass
    soup = browser.soup("super_referent", "/dinamis/moderation?period=3m&category=local_authority")
    images = soup.select("img.dinamis-chart")
    assert images
    for image in images:
        assert len(image["alt"]) > len(words(image.find_parent("section").h3))
        assert image.find_parent("section").select("details table tbody tr")
        drawn = browser.get("super_referent", image["src"])
        assert (drawn.status_code, drawn.headers["Content-Type"].split(";")[0]) == (200, "image/svg+xml")
        assert "<svg" in drawn.body
        assert "<script" not in drawn.body
        assert browser.get("referent", image["src"]).status_code == 403
    members = soup.select_one("#panel-members").find_parent("section")
    assert [words(cell) for cell in members.select("tbody tr")[-1].select("td")] == ["1", "0", "0", "1"]
    assert soup.select_one("select#category option[selected]")["value"] == "local_authority"
    assert not soup.select("script[src*=vega]")
    wrong = browser.soup("super_referent", "/dinamis/moderation?period=soon")
    assert wrong.select(".alert-danger")


class TestPartner:
    def url(self, people):
        return f"/organization/{people.organization['name']}/dinamis/activity"

    def test_names_for_pigma_and_the_own_referent_only(self, browser, people):
        file_in(people, "accepted")
        enter(people)
        for role in ("super_referent", "referent"):
            text = words(browser.soup(role, self.url(people)).select_one(".dinamis-timeline"))
            assert "Lou Exemple" in text
            assert (people.super_referent["fullname"] in text) is (role == "super_referent")
        for role in ("member", "outsider", "executive_board"):
            assert browser.get(role, self.url(people)).status_code == 403
        assert browser.get("anonymous", self.url(people)).status_code == 302

    def test_in_the_order_of_time_and_by_kind(self, browser, people):
        file_in(people, "accepted")
        enter(people)
        found = call_action("dinamis_timeline_show", people.context("referent"),
                            organization_id=people.organization["id"])["results"]  # fmt: skip
        assert [line["id"] for line in found] == sorted((line["id"] for line in found), reverse=True)
        assert {line["object_type"] for line in found} >= {"application", "membership", "account", "document"}
        rows = browser.soup("referent", self.url(people) + "?object_type=account").select(".dinamis-timeline strong")
        assert len(rows) == 2


class TestDeliveries:
    URL = "/dinamis/moderation/deliveries"

    def test_all_is_well_when_nothing_waits(self, browser):
        assert browser.soup("super_referent", self.URL).select_one(".alert-success")

    def test_what_failed_is_named_explained_and_leaves_again_by_hand(self, browser, people):
        file = file_in(people, "submitted")
        failed = {"failed_at": sa.func.now(), "last_error": "HTTP 422", "attempts": 1}
        model.Session.execute(sa.update(Application).values(**failed))
        model.Session.merge(DeliveryTarget(name="application", stopped_at=sa.func.now(), reason="HTTP 403"))
        model.Session.commit()
        soup = browser.soup("super_referent", self.URL + "?state=failed")
        assert "HTTP 403" in words(soup.select_one(".alert-danger"))
        row = soup.select_one("tbody tr")
        assert "HTTP 422" in words(row)
        link = row.select_one("a")
        assert (words(link), link["href"]) == ("Commune de Bègles", f"/dinamis/moderation/applications/{file['id']}")
        retry = row.select_one("form")["action"]
        assert browser.get("super_referent", retry).status_code in (404, 405)
        assert browser.post("referent", retry).status_code == 403
        assert browser.post("super_referent", retry).status_code == 302
        model.Session.expire_all()
        again = model.Session.get(Application, file["id"])
        assert (again.failed_at, again.attempts) == (None, 0)
        assert model.Session.get(DeliveryTarget, "application").stopped_at is None
        assert journalled().filter_by(event="delivery.retried").count() == 1
        assert browser.post("super_referent", self.URL + "/application/none/retry").status_code == 404

    def test_every_kind_of_delivery_is_named(self, browser, people):
        file_in(people, "accepted")
        pigma = people.context("super_referent")
        call_action("dinamis_account_create", pigma, organization_id=people.organization["id"],
                    email="lou@begles.example", given_name="Lou", family_name="Exemple")  # fmt: skip
        rows = [words(row) for row in browser.soup("super_referent", self.URL).select("tbody tr")]
        assert any("Lou Exemple · Commune de Bègles" in row for row in rows)
        assert len([row for row in rows if row.startswith("Commune de Bègles ")]) >= 2


class TestJournal:
    URL = "/dinamis/moderation/journal"

    def lines(self, browser, query=""):
        return [words(row) for row in browser.soup("super_referent", self.URL + query).select("tbody tr")]

    def test_filters_by_event_thing_person_and_organization(self, browser, people):
        file = file_in(people, "signed")
        pigma = people.super_referent["id"]
        assert all("application." in line for line in self.lines(browser, "?q=application."))
        assert len(self.lines(browser, "?q=application.signed")) == 1
        assert len(self.lines(browser, f"?object_id={file['id']}")) == 3
        assert self.lines(browser, f"?actor={pigma}")
        assert self.lines(browser, "?q=nothing") == []
        query = f"?actor={pigma}&organization_id={people.organization['id']}&q=application."
        soup = browser.soup("super_referent", self.URL + query)
        assert soup.select_one("option[selected]")["value"] == "application."
        chips = {words(chip).removesuffix(" ×"): chip["href"] for chip in soup.select("[aria-label] > li > a.btn")}
        assert chips["Commune de Bègles"] == f"{self.URL}?q=application.&actor={pigma}"
        assert people.super_referent["fullname"] in chips

    def test_people_have_names_and_others_words(self, browser, people):
        file_in(people, "signed")
        lines = " ".join(self.lines(browser))
        assert people.super_referent["fullname"] in lines
        assert people.super_referent["id"] not in lines
        assert " signatory " not in lines

    def test_the_chain_is_verified_on_demand(self, browser, people):
        assert not browser.soup("super_referent", self.URL).select(".alert-success, .alert-danger")
        assert browser.soup("super_referent", self.URL + "?verify=1").select_one(".alert-success code")
        model.Session.execute(sa.delete(JournalLine).where(JournalLine.id == 2))
        model.Session.commit()
        soup = browser.soup("super_referent", self.URL + "?verify=1")
        assert "3" in words(soup.select_one(".alert-danger"))


class TestRoles:
    URL = "/ckan-admin/dinamis-roles"

    def test_granted_by_name_and_revoked(self, browser, people):
        data = {"user": people.outsider["name"], "role": "referent", "organization_id": people.organization["name"]}
        assert browser.post("sysadmin", self.URL, data).status_code == 302
        rows = browser.soup("sysadmin", self.URL).select("tbody tr")
        row = next(row for row in rows if people.outsider["name"] in words(row))
        assert "Commune de Bègles" in words(row)
        revoke = row.select_one("details form")["action"]
        assert browser.get("sysadmin", revoke).status_code in (404, 405)
        assert browser.post("super_referent", revoke).status_code == 403
        assert browser.post("sysadmin", revoke).status_code == 302
        assert people.outsider["name"] not in words(browser.soup("sysadmin", self.URL).select_one("table"))

    def test_what_is_wrong_is_said_and_what_was_typed_is_kept(self, browser, people):
        wrong = (
            {"user": "nobody-of-this-name", "role": "super_referent"},
            {"user": people.outsider["name"], "role": "referent"},
            {"user": people.outsider["name"], "role": "sysadmin"},
            {"user": people.outsider["name"], "role": "referent", "organization_id": "no-such-organization"},
        )
        for data in wrong:
            answer = browser.post("sysadmin", self.URL, data)
            soup = BeautifulSoup(answer.body, "html.parser")
            assert soup.select(".alert-danger"), data
            assert soup.select_one("#user")["value"] == data["user"]
        listed = call_action("dinamis_role_list", people.context("sysadmin"))
        assert people.outsider["name"] not in {grant["user_name"] for grant in listed["results"]}

    def test_only_a_sysadmin_grants(self, browser, people):
        data = {"user": people.outsider["name"], "role": "super_referent"}
        for role in ("super_referent", "executive_board", "referent", "member", "outsider"):
            assert browser.post(role, self.URL, data).status_code == 403
        assert browser.post("anonymous", self.URL, data).status_code == 302
        with pytest.raises(tk.NotAuthorized):
            call_action("dinamis_role_grant", people.context("super_referent"), **data)
        assert call_action("dinamis_role_list", people.context("sysadmin"), q="super_referent")["count"] == 1
