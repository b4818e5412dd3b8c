"""The whole story, by the people who play it: PIGMA, a mayor without login, the board, a referent, a user."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import look, wait_for

LINK = re.compile(r"https?://\S+")
CODE = re.compile(r"\b(\d{6})\b")
CANDIDATES = ("Arcachon", "Libourne", "Biscarrosse", "Saint-Junien", "Biarritz", "Marmande", "Lacanau", "Langon",
              "Royan", "Saintes", "Bressuire", "Parthenay", "Dax", "Bergerac", "Rochefort")  # fmt: skip


@pytest.fixture
def commune(api):
    """A commune of the sandbox that has no file yet, so that the story can be played again."""
    files = api("super_referent", "dinamis_application_list", limit=1000)["results"]
    taken = " ".join(f"{f['territory_name']} {f['organization_title']}" for f in files).lower()
    for name in CANDIDATES:
        if name.lower() not in taken:
            return name
    pytest.fail("every commune of the story has a file already: run `make clean demo`")


def submit(page, transition):
    page.click(f"form:has(input[name=transition][value={transition}]) button[type=submit]")
    page.wait_for_load_state()


def open_file(page, demo, commune):
    """PIGMA finds the entity, completes the legal representative and asks for the signature."""
    page.goto(f"{demo['ckan_url']}/dinamis")
    look(page, "01-home")
    page.goto(f"{demo['ckan_url']}/dinamis/moderation")
    look(page, "02-moderation")
    page.goto(f"{demo['ckan_url']}/dinamis/moderation/applications/new")
    page.fill("#q", commune)
    page.click("form[role=search]:has(#q) button[type=submit]")
    page.click(".list-group a:has-text('COMMUNE')")
    look(page, "03-new-file")
    page.select_option("#field-category", "local_authority")
    page.fill("#field-territory_name", commune)
    page.fill("#field-representative-given_name", "Alix")
    page.fill("#field-representative-family_name", "Exemple")
    page.fill("#field-representative-function", "Maire")
    page.fill("#field-representative-email", f"maire.{commune.lower()}@demo.example")
    page.click("form:has(#field-siren) button[type=submit]")
    page.wait_for_selector(".dinamis-stepper")
    look(page, "04-draft")
    submit(page, "request_signature")
    return page.url


def sign(page, mails, commune):
    """The mayor reads the mail, the avenant, ticks and signs; a second visit says that it is signed."""
    mail = mails(f"maire.{commune.lower()}@demo.example", "/dinamis/sign/")
    link = LINK.search(mail["text"]).group(0)
    page.goto(link)
    look(page, "05-sign")
    pdf = page.request.get(page.locator("a[href$='/amendment.pdf']").first.evaluate("a => a.href"))
    assert pdf.body().startswith(b"%PDF")
    page.click("form:has(.form-check) button[type=submit]")
    assert page.locator(".alert-danger").count()
    for box in page.locator(".form-check-input").all():
        box.check()
    page.click("form:has(.form-check) button[type=submit]")
    page.wait_for_selector("#code")
    look(page, "05b-code")
    # The code follows the link in the same box: each run signs for another commune.
    code = CODE.search(mails(f"maire.{commune.lower()}@demo.example", "code :")["text"]).group(1)
    page.fill("#code", code)
    page.click("form:has(#code) button[type=submit]")
    page.wait_for_selector("a[href$='/signed_amendment.pdf']")
    look(page, "06-signed")
    page.goto(link)
    assert page.locator(".form-check-input").count() == 0


def decide(people, demo, organization):
    """The board reads the dossier with its own login; its decision comes back by the contract."""
    board = people.login("executive_board")
    board.goto(f"{demo['ckan_url']}/dinamis/board")
    look(board, "07-board")
    board.locator(".list-group a").filter(has_text=organization).click()
    board.wait_for_load_state()
    look(board, "08-dossier")
    assert board.locator(".list-group-item").count() == 2
    dinamis = people.visitor()
    dinamis.goto(demo["sandbox_url"])
    assert "ceci n'est pas DINAMIS" in dinamis.content()
    row = dinamis.locator("a").filter(has_text=organization)
    wait_for(lambda: dinamis.goto(f"{demo['sandbox_url']}/board") and row.count())
    row.click()
    look(dinamis, "09-sandbox-board")
    dinamis.click("button:has-text('Accepter')")


def test_a_partner_becomes_a_member_and_its_user_finds_a_scene(people, demo, api, mails, commune):
    pigma = people.login("super_referent")
    file_url = open_file(pigma, demo, commune)
    organization = pigma.locator("#content h1").inner_text().strip()
    sign(people.visitor(), mails, commune)

    pigma.goto(file_url)
    submit(pigma, "start_review")
    pigma.fill("#note", "Vérification d'essai.")
    submit(pigma, "confirm_eligibility")
    look(pigma, "10-submitted")
    decide(people, demo, organization)
    wait_for(lambda: pigma.goto(file_url) and pigma.locator(".dinamis-stepper .done").count() == 4)
    look(pigma, "11-accepted")

    visitor = people.visitor()
    visitor.goto(f"{demo['ckan_url']}/dinamis?member={commune}")
    found = visitor.locator("#content a").filter(has_text=organization)
    assert found.count() == 1
    found.click()
    look(visitor, "12-public-tab")
    assert f"maire.{commune.lower()}@demo.example" not in visitor.content()

    email = f"usager.{commune.lower()}@demo.example"
    pigma.goto(f"{demo['ckan_url']}/dinamis/accounts/new")
    look(pigma, "13-new-account")
    pigma.fill("#field-organization", organization)
    pigma.fill("#field-given_name", "Lou")
    pigma.fill("#field-family_name", f"de {commune}")
    pigma.fill("#field-email", email)
    pigma.click("form:has(#field-email) button[type=submit]")
    pigma.wait_for_load_state()
    look(pigma, "14-account")

    person = people.visitor()
    person.goto(LINK.search(mails(email, "/dinamis/join/")["text"]).group(0))
    look(person, "14b-join")
    person.check("#charter")
    person.fill("#field-password", "mot-de-passe-essai-1")
    person.click("form:has(#field-password) button[type=submit]")
    person.wait_for_load_state()
    assert person.url.endswith("/dinamis/me")
    name = api("super_referent", "dinamis_account_list", q=email)["results"][0]
    assert name["state"] in ("validated", "active")
    wait_for(lambda: api("super_referent", "dinamis_account_list", q=email)["results"][0]["state"] == "active")
    mails(email, "/dinamis/me")

    find_a_scene(people, demo, api, email)
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/journal?verify=1")
    assert pigma.locator(".alert-success").count() == 1
    look(pigma, "18-journal")


def find_a_scene(people, demo, api, email):
    """The new user logs in, asks for a place, narrows by date and cloud, and opens a scene."""
    user = people.enter(email, "mot-de-passe-essai-1")
    user.goto(f"{demo['ckan_url']}/dinamis/me")
    assert user.locator(".text-bg-success").count() == 1
    look(user, "15-me")
    user.goto(f"{demo['ckan_url']}/dinamis")
    user.fill("#place", "Bordeaux")
    user.click("form:has(#place) button[type=submit]")
    user.wait_for_load_state()
    assert user.url.endswith("/dinamis/coverage/commune/33063")
    assert user.locator(".dinamis-cover-years a").count() > 5
    look(user, "16-coverage")
    user.click("a[href*='/dinamis/images?place=']")
    user.wait_for_load_state()
    look(user, "16-explorer")
    rows = user.locator("a[href*='/dinamis/images/']:not([href*='?'])")
    explorer = f"{demo['ckan_url']}/dinamis/images?place=33063"
    user.goto(explorer)
    everything = rows.count()
    assert everything
    user.goto(f"{explorer}&from=2021-01-01&to=2022-12-31&cloud=10")
    assert 0 < rows.count() <= everything
    rows.first.click()
    user.wait_for_load_state()
    assert "/dinamis/images/" in user.url
    look(user, "17-scene")


def test_a_referent_proposes_and_pigma_validates(people, demo, api):
    referent = people.login("referent")
    number = api("super_referent", "dinamis_account_list", limit=1)["count"]
    email = f"propose.{number}@demo.example"
    referent.goto(f"{demo['ckan_url']}/organization/commune-de-begles/dinamis")
    look(referent, "20-referent-tab")
    referent.click("a[href*='/dinamis/accounts/new']")
    referent.fill("#field-given_name", "Noa")
    referent.fill("#field-family_name", "Exemple")
    referent.fill("#field-email", email)
    referent.click("form:has(#field-email) button[type=submit]")
    referent.wait_for_load_state()
    assert email in referent.content()
    assert referent.goto(f"{demo['ckan_url']}/dinamis/moderation/accounts").status == 403

    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/accounts?state=requested&q={email}")
    look(pigma, "21-accounts")
    pigma.click("form:has(input[name=transition][value=validate]) button[type=submit]")
    pigma.wait_for_selector("tr [role=status]")  # decided in the row, without leaving the page
    assert pigma.url.endswith(email)
    wait_for(lambda: api("super_referent", "dinamis_account_list", q=email)["results"][0]["state"] == "active")


def test_dinamis_down_at_the_moment_of_delivery(people, demo, api, outage):
    outage("gateway", "503")
    number = api("super_referent", "dinamis_account_list", limit=1)["count"]
    email = f"panne.{number}@demo.example"
    made = api("super_referent", "dinamis_account_create", organization_id="commune-de-begles", email=email,
               given_name="Noa", family_name="Panne")  # fmt: skip
    assert made["state"] == "validated"
    tried = wait_for(lambda: api("super_referent", "dinamis_account_show", id=made["id"])["delivery_error"])
    assert tried == "HTTP 503"
    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/deliveries")
    look(pigma, "22-deliveries")
    outage("gateway", "ok")
    wait_for(lambda: api("super_referent", "dinamis_account_show", id=made["id"])["state"] == "active")


def test_a_person_asks_and_pigma_refuses_several_at_once(people, demo, api, mails):
    number = api("super_referent", "dinamis_account_list", limit=1)["count"]
    emails = [f"demande.{number}.{n}@demo.example" for n in range(2)]
    for email in emails:
        person = people.visitor()
        person.goto(f"{demo['ckan_url']}/user/register")
        look(person, "30-request")
        person.fill("#field-organization", "Commune de Bègles")
        person.fill("#field-given_name", "Noa")
        person.fill("#field-family_name", f"Exemple {number}")
        person.fill("#field-email", email)
        person.click("form:has(#field-email) button[type=submit]")
        look(person, "31-request-sent")
        person.goto(LINK.search(mails(email, "/dinamis/accounts/request/")["text"]).group(0))
        look(person, "32-request-confirm")
        person.click("#content form button[type=submit]")
        person.wait_for_selector(".alert-success")
    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/accounts?state=requested&q=demande.{number}")
    for _turn in emails:
        pigma.keyboard.press("j")
        pigma.keyboard.press("x")
    assert pigma.locator("input[name=ids]:checked").count() == 2
    look(pigma, "33-chosen")
    pigma.click("button[form=bulk][value=refuse]")
    look(pigma, "34-confirm")
    pigma.check("#ready-1")
    pigma.click("form:has(#reason) button[type=submit]")
    pigma.wait_for_selector(".alert-success")
    look(pigma, "35-results")
    for email in emails:
        assert api("super_referent", "dinamis_account_list", q=email)["results"][0]["state"] == "refused"
        mails(email, "n'a pas été acceptée")


def test_suspended_while_a_page_is_open(people, demo, api, mails):
    number = api("super_referent", "dinamis_account_list", limit=1)["count"]
    email = f"session.{number}@demo.example"
    account = api("super_referent", "dinamis_account_create", organization_id="commune-de-begles", email=email,
                  given_name="Noa", family_name="Ouverte")  # fmt: skip
    person = people.visitor()
    person.goto(LINK.search(mails(email, "/dinamis/join/")["text"]).group(0))
    person.check("#charter")
    person.fill("#field-password", "mot-de-passe-essai-1")
    person.click("form:has(#field-password) button[type=submit]")
    person.wait_for_selector(".account.authed")
    look(person, "36-me")
    api("super_referent", "dinamis_account_transition", id=account["id"], transition="suspend", reason="Essai.")
    person.goto(f"{demo['ckan_url']}/dinamis/me")
    assert "/user/login" in person.url
    look(person, "37-login")
    pigma = people.login("super_referent")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/accounts/{account['id']}")
    look(pigma, "38-account")
    pigma.goto(f"{demo['ckan_url']}/dinamis/moderation/accounts/import")
    look(pigma, "39-import")
