"""A question becomes an entry of the FAQ or a guide, in one step."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from ckan import model

from ckanext.dinamis_relais.questions.guide_views import draft, makes_guides
from tests.conftest import ROLES
from tests.questions.helpers import ask, write

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")


def answered(people):
    user = model.User.get(people.member["id"])
    user.fullname = "Lou Exemple"
    model.Session.commit()
    question = ask(people, title="Lou demande une date", text="Bonjour, *Lou Exemple*.\n# Quand ?")
    return write(people, question, "super_referent", "Bonjour Lou,\n\nle <b>12 juillet</b>.")


def test_the_draft_names_nobody_and_shows_each_character_as_it_was_typed(people):
    found = draft(answered(people))
    assert "Lou" not in str(found)
    assert "Exemple" not in str(found)
    assert found["title"] == "… demande une date"
    assert found["body"] == "> Bonjour, \\*…\\*.\n> \\# Quand ?\n\nBonjour …,\n\nle \\<b\\>12 juillet\\</b\\>."
    assert found["kind"] == "faq"


def test_the_button_is_there_where_the_site_has_guides_and_only_for_pigma(browser, people):
    question = answered(people)
    path = f"/dinamis/questions/{question['id']}"
    for role in ("super_referent", "member"):
        shown = bool(browser.soup(role, path).select(f"a[href='{path}/guide']"))
        assert shown == (makes_guides() and role == "super_referent")
    statuses = {role: browser.get(role, f"{path}/guide").status_code for role in ROLES}
    opened = 200 if makes_guides() else 404
    wanted = {role: opened if role in ("sysadmin", "super_referent") else 403 for role in ROLES}
    # The person may follow their question, and makes no guide of it.
    assert statuses == wanted | {"anonymous": 302}


def test_the_form_is_prefilled_and_makes_the_entry(browser, people):
    question = answered(people)
    path = f"/dinamis/questions/{question['id']}/guide"
    if not makes_guides():
        assert browser.post("super_referent", path, draft(question)).status_code == 404
        return
    soup = browser.soup("super_referent", path)
    assert soup.select_one("textarea").text.strip() == draft(question)["body"].strip()
    empty = browser.post("super_referent", path, {**draft(question), "title": ""})
    assert empty.status_code == 200
    assert BeautifulSoup(empty.body, "html.parser").select_one("textarea").text.strip()
    theme = soup.select_one("[name=theme]")
    chosen = theme.select_one("option[value]:not([value=''])")["value"] if theme.name == "select" else theme["value"]
    made = browser.post(
        "super_referent", path, {**draft(question), "title": "De quand date une image ?", "theme": chosen}
    )
    assert made.status_code == 302
    assert browser.get("super_referent", made.headers["Location"]).status_code == 200
