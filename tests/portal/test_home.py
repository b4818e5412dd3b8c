"""The first page: anyone finds images, learns how to join, and whether their organisation is a member."""

from __future__ import annotations

import pytest
from ckan.tests.helpers import call_action
from redis import Redis

from ckanext.dinamis_relais.portal import figures
from tests.conftest import ROLES
from tests.membership.helpers import file_in
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


@pytest.fixture
def member(people):
    """The organisation's membership."""
    file_in(people, "accepted")
    return call_action("dinamis_membership_show", people.context("sysadmin"), organization_id=people.organization["id"])


def test_everyone_sees_it_with_one_title_and_the_search_for_a_place(browser):
    for role in ROLES:
        soup = browser.soup(role, "/dinamis")
        assert len(soup.select("h1")) == 1
        form = soup.select_one("form:has(#place)")
        assert (form["action"], form["method"]) == ("/dinamis/images", "get")
        assert len(soup.select(".dinamis-steps > li a.btn")) == 3


def entries(browser, role):
    found = {a.get("href") for a in browser.soup(role, "/dinamis").select(".masthead a")}
    return found & {"/dinamis/moderation", "/dinamis/board"}


def test_the_navigation_shows_what_the_role_may_open(browser, people):
    moderation, board = {"/dinamis/moderation"}, {"/dinamis/board"}
    wanted = {role: set() for role in ROLES}
    wanted |= {"sysadmin": moderation, "super_referent": moderation, "executive_board": board}
    assert {role: entries(browser, role) for role in ROLES} == wanted
    context = people.context("sysadmin")
    call_action("dinamis_role_grant", context, user=people.super_referent["id"], role="executive_board")
    assert entries(browser, "super_referent") == moderation | board


def test_a_member_is_found_by_name_or_siren(browser, member):
    for query in ("gles", "BÈGLES", "213300395", "213 300 395"):
        link = browser.soup("anonymous", f"/dinamis?member={query}").select_one("[role=status] a")
        assert words(link) == "Commune de Bègles"
        assert link["href"] == f"/organization/{member['organization_name']}/dinamis"


def test_who_is_no_member_learns_whom_to_write_to(browser, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.contact_email", "relais@pigma.example")
    answer = browser.soup("anonymous", "/dinamis?member=Nulleparville").select_one("[role=status]")
    assert "Nulleparville" in words(answer)
    assert answer.select_one("a")["href"] == "mailto:relais@pigma.example"
    for query in ("%00", "%25", "'", "<script>", "é" * 3000):
        assert not browser.soup("anonymous", f"/dinamis?member={query}").select("[role=status] script")


def test_a_suspended_member_is_no_member_for_anyone(browser, people, member):
    pigma = people.context("super_referent")
    call_action("dinamis_membership_transition", pigma, id=member["id"], transition="suspend", reason="Essai.")
    for role in ("anonymous", "super_referent"):
        soup = browser.soup(role, "/dinamis?member=gles")
        assert not soup.select("[role=status] .badge")
        assert words(soup.select_one(".dinamis-figures li strong")) == "0"


def test_the_figures_are_real_and_kept_for_a_minute(browser, people, monkeypatch):
    assert figures.figures()["members"] == 0
    file_in(people, "accepted")
    assert figures.figures()["members"] == 0
    # Without Redis the page is only slower: everything is counted each time.
    monkeypatch.setattr(figures, "connect_to_redis", lambda: Redis(port=9))
    found = figures.figures()
    assert (found["members"], found["departments"]) == (1, 1)


def test_a_scene_store_that_is_down_takes_its_figure_away_and_nothing_else(browser, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.scenes_url", "postgresql://x:x@127.0.0.1:9/none")
    soup = browser.soup("anonymous", "/dinamis")
    assert len(soup.select(".dinamis-figures li")) == 4
    assert not soup.select(".dinamis-figures a[href='/dinamis/images']")
