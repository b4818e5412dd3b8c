"""A use case from its form to the public, then every page that no other story opens: axe-core, and a narrow screen."""

from __future__ import annotations

import time
from typing import Any

from .conftest import look, narrow


def visit(page: Any, demo: dict[str, Any], *paths: str) -> None:
    for path in paths:
        answer = page.goto(f"{demo['ckan_url']}{path}")
        assert answer.status == 200, path
        name = "60-" + path.strip("/").replace("/", "-").replace("?", "-")[:60]
        look(page, name)
        narrow(page, name)


def test_a_use_case_from_its_form_to_the_public(people, demo, tmp_path):
    title = f"Haies {int(time.time())}"
    user, pigma = people.login("member"), people.login("super_referent")
    user.goto(f"{demo['ckan_url']}/dinamis/use-cases/new")
    look(user, "50-use-case-new")
    narrow(user, "50-use-case-new")
    user.fill("#title", title)
    user.fill("#summary", "Les haies de la commune, comptées sur une image.")
    user.check("#theme-forest")
    user.select_option("#territory_kind", "commune")
    user.fill("#territory", "Bègles")
    user.fill("#result", "# Résultat\n\n12 km de haies.")
    user.fill("#contact_office", "Service SIG")
    user.click("button[value=propose]")
    user.wait_for_selector(".badge:has-text('Proposé à PIGMA')")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/use-cases")
    look(pigma, "51-use-cases-queue")
    narrow(pigma, "51-use-cases-queue")
    row = pigma.locator("li", has=pigma.get_by_role("link", name=title))
    row.get_by_role("button", name="Publier").click()
    visitor = people.visitor()
    visitor.goto(f"{demo['ckan_url']}/dinamis/use-cases?theme=forest")
    look(visitor, "52-use-cases")
    visitor.get_by_role("link", name=title).click()
    look(visitor, "53-use-case")
    visitor.goto(visitor.url.replace("/dinamis/use-cases/", "/imagery-use-case/"))
    look(visitor, "54-use-case-dataset")
    narrow(visitor, "54-use-case-dataset")


def test_the_other_pages(people, demo, api):
    event = api("super_referent", "dinamis_news_list", kind="event")["results"][0]
    question = api("super_referent", "dinamis_question_list")["results"][0]
    request = api("super_referent", "dinamis_request_list")["results"][0]
    visit(people.visitor(), demo, "/dinamis/guides", "/dinamis/guides/foret", "/dinamis/news", "/dinamis/verify")
    user = people.login("member")
    visit(user, demo, f"/dinamis/news/{event['id']}", "/dinamis/me/basket", "/dinamis/requests/new",
          "/dinamis/questions/new", f"/dinamis/questions/{question['id']}")  # fmt: skip
    pigma = people.login("super_referent")
    visit(pigma, demo, f"/dinamis/requests/{request['id']}", "/dinamis/moderation/requests",
          "/dinamis/moderation/questions", "/dinamis/moderation/partners", "/dinamis/moderation/health",
          "/dinamis/guides/new", "/dinamis/news/new")  # fmt: skip


def test_every_page_of_the_moderation_menu_fits_a_telephone(people, demo):
    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation")
    hrefs = pigma.eval_on_selector_all("aside nav a", "links => links.map(link => link.href)")
    assert len(hrefs) > 8
    for href in dict.fromkeys(hrefs):
        assert pigma.goto(href).status == 200, href
        narrow(pigma, href)


def test_the_report_is_there_without_waiting(people, demo, tmp_path):
    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/reports")
    link = pigma.locator("#reports td a", has_text="PDF").last
    link.wait_for()
    pdf = pigma.request.get(f"{demo['ckan_url']}{link.get_attribute('href')}")
    (tmp_path / "bilan.pdf").write_bytes(pdf.body())
    visitor = people.visitor()
    visitor.goto(f"{demo['ckan_url']}/dinamis/verify")
    visitor.set_input_files("#file", str(tmp_path / "bilan.pdf"))
    visitor.get_by_role("button", name="Vérifier").click()
    told = visitor.locator("[role=status]").inner_text()
    assert told.startswith("Oui.")
    assert "Bilan\u00a0:" in told
    assert "cachet électronique" in told
    look(visitor, "61-verify-report")
