"""Guides by the real actions and pages: read by all, written by PIGMA, versions kept."""

from __future__ import annotations

import threading

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.guides.shipped import all_shipped
from ckanext.dinamis_relais.journal.model import JournalLine
from tests.conftest import ROLES
from tests.journalled import journalled
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins")

TEXT = {"title": "Ma question", "body": "# Réponse\n\nOui.", "theme": "access"}


def changed(people, **more):
    data = {"id": "ndvi", "title": "NDVI changé", "body": "Autre texte.", "theme": "tools", **more}
    return call_action("dinamis_guide_update", people.context("super_referent"), **data)


def test_everybody_reads_the_shipped_guides_and_finds_them_without_accents(browser, people):
    for role in ROLES:
        soup = browser.soup(role, "/dinamis/guides")
        assert len(soup.select("h1")) == 1
        assert len(soup.select(".card h3 a")) == len(all_shipped())
        assert bool(soup.select("a[href='/dinamis/guides/new']")) == (role in ("sysadmin", "super_referent"))
    found = [words(a) for a in browser.soup("anonymous", "/dinamis/guides?q=FORET").select(".card h3 a")]
    assert "Forêt" in found
    assert len(found) < len(all_shipped())
    soup = browser.soup("anonymous", "/dinamis/guides/bandes")
    assert len(soup.select("h1")) == 1
    assert soup.select_one("a[href='/dinamis/questions/new?about=/dinamis/guides/bandes']")
    assert not soup.select(".alert")
    # An English reader is told that the text is in French; the fixtures' context keeps the first request's language.
    assert len(browser.soup("anonymous", "/en/dinamis/guides/bandes").select(".alert")) == 1
    assert browser.get("anonymous", "/dinamis/guides/none").status_code == 404
    assert browser.get("anonymous", "/dinamis/guides?q=zzzz").status_code == 200


def test_a_change_is_a_version_and_version_0_is_the_shipped_text(people):
    pigma = people.context("super_referent")
    first = changed(people, seen=0)
    assert (first["version"], first["title"]) == (1, "NDVI changé")
    with pytest.raises(tk.ValidationError, match="entre-temps"):
        changed(people, seen=0)
    changed(people, body="Encore.", seen=1)
    known = call_action("dinamis_guide_versions", pigma, id="ndvi")["results"]
    assert [(one["number"], one["in_force"]) for one in known] == [(2, True), (1, False), (0, False)]
    assert known[2]["body"] == all_shipped()["ndvi"].body
    back = call_action("dinamis_guide_restore", pigma, id="ndvi", number=0)
    assert back["body"] == all_shipped()["ndvi"].body
    assert changed(people)["version"] == 3
    with pytest.raises(tk.ValidationError, match="0, 1, 2, 3"):
        call_action("dinamis_guide_restore", pigma, id="ndvi", number=9)
    lines = [line.event for line in journalled().order_by(JournalLine.id)]
    assert lines[-4:] == ["guide.changed", "guide.changed", "guide.restored", "guide.changed"]


def test_two_who_change_it_at_once_make_two_versions(people):
    context = {"user": people.super_referent["name"]}

    def write(number):
        tk.get_action("dinamis_guide_update")(dict(context), {"id": "ndvi", **TEXT, "body": f"Texte {number}."})
        model.Session.remove()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    known = call_action("dinamis_guide_versions", people.context("super_referent"), id="ndvi")["results"]
    assert [one["number"] for one in known] == [4, 3, 2, 1, 0]


def test_a_draft_is_pigmas_until_it_is_published(browser, people):
    pigma = people.context("super_referent")
    made = call_action("dinamis_guide_create", pigma, **TEXT, kind="faq")
    assert (made["name"], made["state"]) == ("ma-question", "draft")
    assert call_action("dinamis_guide_create", pigma, **TEXT)["name"] == "ma-question-2"
    path = "/dinamis/guides/ma-question"
    assert {role: browser.get(role, path).status_code for role in ROLES} == dict.fromkeys(ROLES, 404) | {
        "sysadmin": 200, "super_referent": 200}  # fmt: skip
    assert call_action("dinamis_guide_list", people.context("member"), kind="faq")["count"] == 0
    assert browser.post("super_referent", f"{path}/transition", {"transition": "publish"}).status_code == 302
    assert browser.get("anonymous", path).status_code == 200
    with pytest.raises(tk.ValidationError, match="unpublish"):
        call_action("dinamis_guide_transition", pigma, id="ma-question", transition="publish")
    call_action("dinamis_guide_transition", pigma, id="ndvi", transition="unpublish")
    assert browser.get("anonymous", "/dinamis/guides/ndvi").status_code == 404


def test_the_editor_previews_saves_and_keeps_what_is_wrong(browser, people):
    path = "/dinamis/guides/ndvi/edit"
    assert browser.get("member", path).status_code == 403
    sent = {**TEXT, "body": "<script>alert(1)</script>\n\n# Titre", "seen": "0"}
    shown = browser.post("super_referent", path, {**sent, "preview": "1"})
    assert "<script>alert(1)" not in shown.body
    assert "&lt;script&gt;alert(1)" in shown.body
    wrong = browser.post("super_referent", path, {**sent, "title": "", "theme": "none"})
    assert wrong.status_code == 200
    assert wrong.body.count("invalid-feedback") == 2
    assert call_action("dinamis_guide_show", people.context("member"), id="ndvi")["version"] == 0
    assert browser.post("super_referent", path, sent).headers["Location"].endswith("/dinamis/guides/ndvi")
    soup = browser.soup("super_referent", "/dinamis/guides/ndvi/versions?number=0")
    assert "B3" in words(soup.select_one(".dinamis-guide"))
    assert browser.post("super_referent", "/dinamis/guides/ndvi/restore", {"number": "0"}).status_code == 302
    assert call_action("dinamis_guide_show", people.context("member"), id="ndvi")["version"] == 0
    made = browser.post("super_referent", "/dinamis/guides/new", {**TEXT, "kind": "guide"})
    assert made.headers["Location"].endswith("/dinamis/guides/ma-question")


def test_a_question_about_a_guide_knows_its_title(people):
    asked = call_action("dinamis_question_create", people.context("member"), title="Et le NDVI ?", text="Comment ?",
                        about="/dinamis/guides/ndvi")  # fmt: skip
    assert (asked["about"]["kind"], asked["about"]["title"]) == (
        "guide",
        all_shipped()["ndvi"].title.replace("\u00a0", " "),
    )
