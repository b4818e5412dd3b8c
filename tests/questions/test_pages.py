"""The pages as each person sees them, by HTTP; and forms that are not ours."""

from __future__ import annotations

import io

import pytest
from bs4 import BeautifulSoup
from ckan import model

from ckanext.dinamis_relais.questions.model import Question, QuestionMessage
from tests.conftest import ROLES
from tests.portal.pages import words
from tests.questions.helpers import PNG, ask, file, put, step, write

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")

PIGMA = {"sysadmin", "super_referent"}
HOSTILE = '<script>alert(1)</script>\n\n[x](javascript:alert(1)) https://a.fr/"onload="x &lt;b&gt;'


def statuses(browser, path):
    return {role: browser.get(role, path).status_code for role in ROLES}


def test_each_page_opens_for_its_people_only(browser, people):
    question = ask(people, files=[file("capture.png")])
    file_id = question["messages"][0]["files"][0]["id"]
    own = {role: 200 if role in PIGMA | {"member"} else 403 for role in ROLES} | {"anonymous": 302}
    assert statuses(browser, f"/dinamis/questions/{question['id']}") == own
    assert statuses(browser, f"/dinamis/questions/{question['id']}/files/{file_id}") == own
    anybody = dict.fromkeys(ROLES, 200) | {"anonymous": 302}
    assert statuses(browser, "/dinamis/questions") == anybody
    assert statuses(browser, "/dinamis/questions/new") == anybody
    pigma = {role: 200 if role in PIGMA else 403 for role in ROLES} | {"anonymous": 302}
    assert statuses(browser, "/dinamis/moderation/questions") == pigma


def test_a_visitor_is_led_to_the_login_with_a_sentence_and_back(browser, people):
    answer = browser.get("anonymous", "/dinamis/questions/new?about=/dinamis/images")
    assert "/user/login?next=" in answer.headers["Location"]
    assert "about" in answer.headers["Location"]


def test_each_page_has_one_title_and_each_form_its_token(browser, people):
    question = ask(people)
    paths = {"member": ["/dinamis/questions", "/dinamis/questions/new", f"/dinamis/questions/{question['id']}"],
             "super_referent": ["/dinamis/moderation/questions", f"/dinamis/questions/{question['id']}"]}  # fmt: skip
    forms = 0
    for role, pages in paths.items():
        for path in pages:
            soup = browser.soup(role, path)
            assert len(soup.select("h1")) == 1, path
            for form in soup.select("[role=main] form[method=post]"):
                forms += 1
                assert form.select("input[name=_csrf_token]"), path
            for field in soup.select("[role=main] input:not([type=hidden]), [role=main] textarea"):
                assert soup.select(f"label[for={field['id']}]"), (path, field)
    assert forms >= 5


def test_nothing_is_done_by_a_form_of_another_site(site, app, people):
    """A login's cookie and no token: refused, and nothing is kept."""
    from ckan.tests import factories

    user = factories.User(password="mot-de-passe-1")
    question = ask(people)
    client = site.test_client() if hasattr(site, "test_client") else app.flask_app.test_client()
    app.flask_app.config["WTF_CSRF_ENABLED"] = True
    try:
        for path in ("/dinamis/questions/new", f"/dinamis/questions/{question['id']}/reply",
                     f"/dinamis/questions/{question['id']}/transition"):  # fmt: skip
            with client.session_transaction() as session:
                session["_user_id"] = user["id"]
            # Without CKAN's outer middleware on 2.11, its error page would know no language.
            language = {"CKAN_LANG": "fr", "CKAN_LANG_IS_DEFAULT": True, "CKAN_CURRENT_URL": path}
            form = {"title": "x", "text": "x", "transition": "close"}
            answer = client.post(path, data=form, environ_overrides=language)
            assert answer.status_code == 400, path
    finally:
        app.flask_app.config["WTF_CSRF_ENABLED"] = False
    model.Session.rollback()
    assert model.Session.query(Question).count() == 1
    assert model.Session.query(QuestionMessage).count() == 1


def test_asked_answered_and_closed_by_the_forms(browser, people):
    data = {"title": "Une date", "text": HOSTILE, "about": "/dinamis/images", "about_title": "Images",
            "files": (io.BytesIO(PNG), "../été.png")}  # fmt: skip
    answer = browser.ask("post", "member", "/dinamis/questions/new", data=data, content_type="multipart/form-data")
    assert answer.status_code == 302, BeautifulSoup(answer.body, "html.parser").select(".invalid-feedback")
    row = model.Session.query(Question).one()
    path = f"/dinamis/questions/{row.id}"
    assert answer.headers["Location"].endswith(path)
    soup = browser.soup("super_referent", path)
    assert "PIGMA" in words(soup.select_one(".lead"))
    form = soup.select_one(f"form[action='{path}/reply']")
    seen = form.select_one("input[name=seen]")["value"]
    assert browser.post("super_referent", f"{path}/reply", {"text": "Oui.", "seen": seen}).status_code == 302
    again = browser.post("super_referent", f"{path}/reply", {"text": "Ma réponse gardée", "seen": seen})
    assert again.status_code == 200
    assert "Ma réponse gardée" in BeautifulSoup(again.body, "html.parser").select_one("textarea").text
    soup = browser.soup("member", path)
    assert "Oui." in words(soup.select(".dinamis-message")[1])
    assert browser.post("member", f"{path}/transition", {"transition": "close", "seen": "2"}).status_code == 302
    model.Session.rollback()
    assert model.Session.get(Question, row.id, populate_existing=True).state == "closed"


def test_no_markup_of_a_text_passes(browser, people):
    question = ask(people, title="<b>Titre</b>", text=HOSTILE, about="/dinamis/images", about_title="<i>x</i>")
    for role, path in (("member", f"/dinamis/questions/{question['id']}"), ("member", "/dinamis/questions"),
                       ("super_referent", f"/dinamis/questions/{question['id']}"),
                       ("super_referent", "/dinamis/moderation/questions?q=%3Cscript%3Ealert(1)")):  # fmt: skip
        main = browser.soup(role, path).select_one("[role=main]")
        assert not main.select("script, b, i, [onload]"), path
        assert all(a["href"].startswith(("/", "http", "mailto:")) for a in main.select("a[href]"))
    soup = browser.soup("member", f"/dinamis/questions/{question['id']}")
    [link] = soup.select(".dinamis-message a")
    assert (link["href"], link["rel"]) == ("https://a.fr/", ["nofollow", "noopener", "ugc"])
    assert "<script>alert(1)</script>" in soup.select_one(".dinamis-message").text


def test_a_file_is_saved_and_never_shown_in_place(browser, people):
    question = ask(people, files=[file('été "x"\r\n.png'), file("page.txt", b"texte")])
    for shown, media_type in zip(question["messages"][0]["files"], ("image/png", "text/plain"), strict=True):
        answer = browser.get("member", f"/dinamis/questions/{question['id']}/files/{shown['id']}")
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["Cache-Control"].startswith("private, no-store")
        assert answer.headers["Content-Type"].split(";")[0] == media_type
        assert len(answer.headers.getlist("Content-Disposition")) == 1
    other = ask(people, "outsider")
    # The file's own thread decides, whatever thread the address names.
    path = f"/dinamis/questions/{other['id']}/files/{shown['id']}"
    assert browser.get("outsider", path).status_code == 403
    assert browser.get("member", path).status_code == 404


def test_a_wrong_form_names_the_field_and_keeps_what_was_good(browser, people):
    data = {"title": "", "text": "Mon texte", "files": (io.BytesIO(b"<html>"), "page.png")}
    answer = browser.ask("post", "member", "/dinamis/questions/new", data=data, content_type="multipart/form-data")
    soup = BeautifulSoup(answer.body, "html.parser")
    assert answer.status_code == 200
    assert soup.select_one("textarea").text.strip() == "Mon texte"
    assert len(soup.select(".invalid-feedback")) == 2
    assert "page.png" in soup.select_one("#files-problem").text
    assert soup.select_one("#title")["aria-describedby"] == "title-problem"


@pytest.mark.parametrize(
    "about", ["https://ailleurs.example/", "//ailleurs.example/x", "javascript:alert(1)", "/nowhere", "/user/edit",
              "/dinamis/sign/secret", "/dinamis/join/secret", "/dinamis/../user/edit", "/api/3/action/x",
              "/dinamis\\x"],
)  # fmt: skip
def test_an_address_that_is_not_ours_is_never_shown(browser, people, about):
    soup = browser.soup("member", f"/dinamis/questions/new?about={about}&about_title=Titre")
    assert not soup.select("[role=main] .card")
    answer = browser.post("member", "/dinamis/questions/new", {"title": "x", "text": "x", "about": about})
    assert answer.status_code == 200
    assert BeautifulSoup(answer.body, "html.parser").select(".alert-danger")
    assert model.Session.query(Question).count() == 0


def test_the_queue_counts_filters_searches_and_says_who_is_waited_for(browser, people):
    first, second = ask(people, title="Ombres"), ask(people, "outsider", title="Nuages")
    write(people, second, "super_referent")
    soup = browser.soup("super_referent", "/dinamis/moderation/questions")
    assert [words(a) for a in soup.select("[role=main] a.dinamis-question")] == ["Ombres", "Nuages"]
    pills = [words(a) for a in soup.select("[role=main] .nav-pills a")]
    assert [pill[-3:] for pill in pills] == ["(2)", "(1)", "(1)"]
    menu = soup.select("nav a[aria-current=page]")
    assert [a["href"] for a in menu] == ["/dinamis/moderation/questions"]
    for query, titles in (("state=answered", ["Nuages"]), ("q=ombr", ["Ombres"]), ("late=1", []), ("q=zzz", [])):
        soup = browser.soup("super_referent", f"/dinamis/moderation/questions?{query}")
        assert [words(a) for a in soup.select("[role=main] a.dinamis-question")] == titles, query
        assert titles or soup.select("[role=main] a[href='/dinamis/moderation/questions']")
    put(first, "closed")
    assert not browser.soup("super_referent", "/dinamis/moderation/questions?state=open").select(
        "[role=main] a.dinamis-question"
    )


def test_the_dashboard_counts_what_waits(browser, people):
    ask(people)
    step(people, ask(people, "outsider"), "escalate")
    soup = browser.soup("super_referent", "/dinamis/moderation")
    for state in ("open", "escalated"):
        tile = soup.select_one(f"a[href='/dinamis/moderation/questions?state={state}']")
        assert words(tile).endswith(" 1")


def test_buttons_are_those_of_ones_rights(browser, people):
    question = ask(people)
    path = f"/dinamis/questions/{question['id']}"

    def buttons(role):
        return {field["value"] for field in browser.soup(role, path).select("input[name=transition]")}

    assert (buttons("member"), buttons("super_referent")) == ({"close"}, {"close", "escalate"})
    put(question, "closed")
    assert (buttons("member"), buttons("super_referent")) == (set(), set())
    assert browser.soup("member", path).select("textarea")
    assert not browser.soup("super_referent", path).select("textarea")
    answer = browser.post("super_referent", f"{path}/reply", {"text": "Trop tard", "seen": "1"})
    assert "Trop tard" in answer.body


def test_the_ways_to_a_question(browser, people):
    for path in ("/dinamis", "/dinamis/me"):
        assert browser.soup("member", path).select("[role=main] a[href='/dinamis/questions/new']"), path
