"""What a question is about: pages of this site, and what the person may read."""

from __future__ import annotations

import pytest
from ckan.tests import factories

from ckanext.dinamis_relais.questions.about import address, link, path_of, resolve
from tests.questions.helpers import ask

pytestmark = pytest.mark.usefixtures("with_plugins")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/dinamis/images", "/dinamis/images"),
        ("/fr/dinamis/images?place=B%C3%A8gles#x", "/dinamis/images"),
        ("/en/dinamis", "/dinamis"),
        ("/dinamis/images/a/%C3%A9", "/dinamis/images/a/é"),
        ("http://ailleurs.example/dinamis", None),
        ("http:/dinamis", None),
        ("//ailleurs.example/dinamis", None),
        ("/\\ailleurs.example", None),
        ("/dinamis/%2e%2e/user", None),
        ("/dinamis/%0d%0ax", None),
        ("/dinamis\n", None),
        ("dinamis", None),
        ("", None),
        ("/" + "a" * 1000, None),
    ],
)
def test_the_path_of_an_address(app, given, path):
    with app.flask_app.test_request_context():
        assert path_of(given) == path


def test_this_sites_whole_addresses_are_taken_and_those_that_only_begin_alike_are_not(
    ckan_config, with_request_context
):
    site_url = ckan_config["ckan.site_url"].rstrip("/")
    assert path_of(f"{site_url}/dinamis") == "/dinamis"
    assert path_of(f"{site_url}.ailleurs.example/dinamis") is None
    assert address("/dinamis/é") == f"{site_url}/dinamis/%C3%A9"


def test_a_root_path_is_no_part_of_it(monkeypatch, ckan_config, with_request_context):
    monkeypatch.setitem(ckan_config, "ckan.root_path", "/catalogue/{{LANG}}")
    assert path_of("/catalogue/fr/dinamis/images") == "/dinamis/images"
    assert link("/dinamis/images") == "/catalogue/dinamis/images"


def test_a_dataset_gives_its_own_title_and_one_that_is_not_ones_to_read_gives_nothing(people, migrate_db_for):
    migrate_db_for("harvest")
    owner = people.organization["id"]
    shown = factories.Dataset(owner_org=owner, title="Une série")
    found = resolve(f"/dataset/{shown['name']}", people.outsider["name"], "Autre titre")
    assert (found.kind, found.id, found.title) == ("page", shown["id"], "Une série")
    hidden = factories.Dataset(owner_org=owner, private=True)
    assert resolve(f"/dataset/{hidden['name']}", people.outsider["name"]) is None
    assert resolve(f"/dataset/{hidden['name']}", people.member["name"]) is not None
    assert resolve("/dataset/nowhere", people.member["name"]) is None


def test_a_page_is_called_as_it_calls_itself_or_by_its_path(people):
    assert resolve("/dinamis/images", "x", " Les\nimages ").title == "Les images"
    assert resolve("/dinamis/images", "x").title == "/dinamis/images"
    assert resolve("/dinamis/questions/new", "x", "a" * 500).title == "a" * 150
    question = ask(people, about="/dinamis/images", about_title="Images")
    assert question["about"] == {
        "kind": "page", "id": "/dinamis/images", "title": "Images", "url": "/dinamis/images"}  # fmt: skip
