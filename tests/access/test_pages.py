"""The pages of linking, licences, basket and files, as people go through them, with CSRF on."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import requests
from ckan import model

from ckanext.dinamis_relais.access.model import Download
from ckanext.dinamis_relais.use_cases.rules import THEMES
from tests.portal.pages import browser, words  # noqa: F401  # a fixture

from .conftest import accept, act, link

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    # What is said is looked at in English, the language of the code; the French is looked at by tests of its own.
    pytest.mark.ckan_config("ckan.locale_default", "en"),
]


@pytest.fixture
def at(person, browser):  # noqa: F811
    """The member's browser, and the first scene's page."""
    scene = person.items[0]
    person.browser, person.page = browser, f"/dinamis/images/{scene['collection']}/{scene['id']}"
    person.scene = {"collection": scene["collection"], "id": scene["id"]}
    return person


def test_scene_page_says_the_one_next_step(at):
    assert "log in" in words(at.browser.soup("anonymous", at.page)).lower()
    assert "you need an active DINAMIS account" in words(at.browser.soup("outsider", at.page))
    assert "link your DINAMIS login" in words(at.browser.soup("member", at.page))
    link(at)
    assert "accept the licence" in words(at.browser.soup("member", at.page))
    accept(at)
    page = at.browser.soup("member", at.page)
    assert page.select("a[href*='/assets/']")
    assert page.select("button[formaction$='/qgis']")


def test_a_file_leads_to_a_link_signed_that_moment(at):
    link(at)
    accept(at)
    key = next(iter(at.items[0]["assets"]))
    answer = at.browser.get("member", f"{at.page}/assets/{key}")
    assert answer.status_code == 302
    assert "no-store" in answer.headers["Cache-Control"]
    assert requests.get(answer.headers["Location"], timeout=10).status_code == 200
    assert at.browser.get("member", f"{at.page}/assets/none").status_code == 404


def test_a_file_without_the_right_says_why(at):
    key = next(iter(at.items[0]["assets"]))
    assert "/user/login" in at.browser.get("anonymous", f"{at.page}/assets/{key}").headers["Location"]
    answer = at.browser.get("member", f"{at.page}/assets/{key}")
    assert answer.status_code == 409
    assert "Link your DINAMIS login" in answer.body


def test_linking_on_the_page(at):
    empty = at.browser.soup("member", "/dinamis/me/identity")
    assert empty.select_one("form[action$='/start']")
    at.browser.post("member", "/dinamis/me/identity/start")
    page = at.browser.soup("member", "/dinamis/me/identity")
    waiting = page.select_one("form[data-dinamis-wait]")
    code = page.select_one(".display-5").get_text(strip=True)
    assert waiting and code in page.select_one("a[target=_blank]")["href"]
    at.service.approve(code)
    assert at.browser.post("member", "/dinamis/me/identity/finish").status_code == 302
    assert "Linked as jeanne" in words(at.browser.soup("member", "/dinamis/me/identity"))
    at.browser.post("member", "/dinamis/me/identity/unlink")
    assert act(at.name, "dinamis_identity_link_show") == {"state": "none"}


def test_wrong_keys_keep_the_first_and_never_show_the_second(at):
    answer = at.browser.post("member", "/dinamis/me/identity/keys", {"access_key": "abc", "secret_key": "s3cret-word"})
    assert answer.status_code == 422
    assert "does not know this pair" in answer.body
    assert 'value="abc"' in answer.body
    assert "s3cret-word" not in answer.body


def test_licence_is_read_by_all_and_accepted_by_its_reader(at):
    path = act(at.name, "dinamis_licence_list")["results"][0]["url"]
    assert "Model text" in words(at.browser.soup("anonymous", path))
    at.browser.post("member", path)
    assert not act(at.name, "dinamis_licence_list")["results"][0]["accepted"]
    version = act(at.name, "dinamis_licence_list")["results"][0]["version"]
    answer = at.browser.post("member", path, {"accept": "1", "version": version, "next": "//evil.example/"})
    assert urlsplit(answer.headers["Location"]).path.endswith(path)
    assert "evil" not in answer.headers["Location"]
    assert act(at.name, "dinamis_licence_list")["results"][0]["accepted"]


@pytest.mark.parametrize("form", ["wget", "aria2", "links", "gdal", "qgis"])
def test_basket_becomes_what_a_tool_takes(at, form):
    link(at)
    accept(at)
    assert "empty" in words(at.browser.soup("member", "/dinamis/me/basket"))
    at.browser.post("member", "/dinamis/me/basket/add", at.scene)
    assert at.browser.soup("member", "/dinamis/me/basket").select(f"button[formaction$='/{form}']")
    answer = at.browser.post("member", f"/dinamis/me/downloads/{form}", {"role": "multispectral"})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "Signature=" in answer.body
    assert at.browser.soup("member", "/dinamis/me/downloads").select("td code")


def test_what_for_is_asked_and_proposed_again(at):
    def proposed():
        page = at.browser.soup("member", at.page)
        links = [a["href"] for a in page.select("a[data-dinamis-file]")]
        assert links
        chosen = page.select_one("select[name=theme] option[selected]")
        theme = chosen["value"] if chosen else ""
        assert all(link.endswith(f"?theme={theme}") if theme else "?" not in link for link in links)
        return theme

    link(at)
    accept(at)
    assert proposed() == ""
    select = at.browser.soup("member", at.page).select_one("select[name=theme]")
    assert [one["value"] for one in select.select("option")] == ["", *THEMES]
    assert at.browser.soup("member", at.page).select_one(f"form#{select['form']} button")
    answer = at.browser.post("member", "/dinamis/me/downloads/links", {**at.scene, "role": "multispectral",
                                                                       "theme": "forest"})  # fmt: skip
    assert answer.status_code == 200
    assert proposed() == "forest"
    key = next(key for key in at.items[1]["assets"])
    other = f"/dinamis/images/{at.items[1]['collection']}/{at.items[1]['id']}/assets/{key}"
    assert at.browser.get("member", f"{other}?theme=coast").status_code == 302
    assert proposed() == "coast"
    assert "Coast" in words(at.browser.soup("member", "/dinamis/me/downloads"))
    at.browser.post("member", "/dinamis/me/basket/add", at.scene)
    assert at.browser.soup("member", "/dinamis/me/basket").select_one("option[value=coast]").has_attr("selected")


def test_a_theme_that_there_is_not_is_said(at):
    link(at)
    accept(at)
    key = next(iter(at.items[0]["assets"]))
    answer = at.browser.get("member", f"{at.page}/assets/{key}?theme=nonsense")
    assert answer.status_code == 409
    assert "theme: use one of planning, forest" in answer.body
    assert at.browser.post("member", "/dinamis/me/downloads/wget", {**at.scene, "theme": "x"}).status_code == 302
    assert at.service.signed() == 0


def test_python_script_needs_no_link_and_holds_none(at):
    answer = at.browser.post("member", "/dinamis/me/downloads/python", at.scene)
    assert "teledetection.sign_urls" in answer.body
    assert "Signature=" not in answer.body
    assert at.service.signed() == 0


def test_list_without_the_right_goes_back_with_the_reason(at):
    at.browser.post("member", "/dinamis/me/basket/add", at.scene)
    answer = at.browser.post("member", "/dinamis/me/downloads/wget")
    assert answer.status_code == 302
    assert urlsplit(answer.headers["Location"]).path.endswith("/dinamis/me/basket")
    assert at.browser.post("member", "/dinamis/me/downloads/floppy").status_code == 404


def test_visitors_are_sent_to_the_login(at):
    for path in ("/dinamis/me/identity", "/dinamis/me/basket", "/dinamis/me/downloads"):
        assert "/user/login" in at.browser.get("anonymous", path).headers["Location"]


def test_a_script_asks_like_the_service_with_a_ckan_token(at):
    link(at)
    accept(at)
    answer = at.browser.ask("post", "member", "/api/action/dinamis_asset_sign", json={"urls": at.hrefs[:2]})
    assert set(json.loads(answer.body)["result"]["hrefs"]) == set(at.hrefs[:2])


def test_my_account_shows_login_basket_and_downloads(at):
    page = words(at.browser.soup("member", "/dinamis/me"))
    assert "To download, link your DINAMIS login once" in page
    link(at)
    assert "(jeanne)" in words(at.browser.soup("member", "/dinamis/me"))


def handed_out():
    model.Session.rollback()  # what a page wrote is seen by a transaction that begins after it
    return [(one.asset_key, one.theme) for one in model.Session.query(Download).filter(Download.signed_at.is_not(None))]


def preview_of(at, key):
    return at.browser.post("member", f"{at.page}/assets/{key}/preview", {"theme": "forest"})


def test_an_image_is_seen_by_a_link_that_counts_as_a_download(at):
    link(at)
    accept(at)
    page = at.browser.soup("member", at.page)
    form = page.select_one("#dinamis-preview form[data-signed]")
    key, asset = next(iter(at.items[0]["assets"].items()))
    assert form["action"].endswith(f"/assets/{key}/preview")
    assert form["data-href"] == asset["href"]
    assert json.loads(form["data-bands"]) == {"red": 1, "green": 2, "blue": 3}
    assert "counts as downloading" in words(page)
    answer = preview_of(at, key)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    href = json.loads(answer.body)["href"]
    part = requests.get(href, headers={"Range": "bytes=0-15"}, timeout=10)
    assert (part.status_code, part.headers["Access-Control-Allow-Origin"]) == (206, "*")
    assert len(part.content) == 16
    assert handed_out() == [(key, "forest")]
    # The same link serves to download it: one file, handed out once.
    assert at.browser.get("member", f"{at.page}/assets/{key}").headers["Location"] == href
    assert handed_out() == [(key, "forest")]
    assert preview_of(at, "none").status_code == 404


def test_an_image_is_not_seen_by_who_may_not_download(at):
    key = next(iter(at.items[0]["assets"]))
    for role in ("anonymous", "outsider", "member"):
        page = at.browser.soup(role, at.page)
        assert not page.select("#dinamis-preview")
        assert "can be seen here once you may download it" in words(page)
    answer = preview_of(at, key)
    assert answer.status_code == 409
    assert "Link your DINAMIS login" in json.loads(answer.body)["problem"]
    assert handed_out() == []


@pytest.mark.ckan_config("ckanext.dinamis_relais.image_preview", False)
def test_an_operator_switches_it_off(at):
    link(at)
    accept(at)
    page = at.browser.soup("member", at.page)
    assert page.select("a[data-dinamis-file]")
    assert not page.select("#dinamis-preview")
    assert preview_of(at, next(iter(at.items[0]["assets"]))).status_code == 404


def test_an_open_file_is_seen_once_its_licence_is_accepted(at, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.signing.hosts", ["signed.example"])
    assert not at.browser.soup("anonymous", at.page).select("#dinamis-preview")
    accept(at)
    page = at.browser.soup("member", at.page)
    assert page.select("#dinamis-preview form:not([data-signed])")
    assert "Nothing is counted" in words(page)
