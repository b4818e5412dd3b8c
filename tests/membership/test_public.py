"""The members as anyone may know them: who, where, since when; never a person, never a file under way."""

from __future__ import annotations

import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from tests.accounts.helpers import forget

from .helpers import FIELDS, file_in
from .members import member

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


def found(people, role="anonymous", **params):
    return call_action("dinamis_member_list", people.context(role), **params)


def test_by_name_and_by_siren_and_the_same_for_everyone(people):
    member(people)
    call_action("organization_patch", people.context("sysadmin"), id=people.organization["id"],
                dinamis_referent_office="Service SIG")  # fmt: skip
    expected = found(people)
    assert expected["count"] == 1
    row = expected["results"][0]
    assert (row["organization_title"], row["siren"], row["department"], row["office"]) == (
        "Commune de Bègles", "213300395", "33", "Service SIG",
    )  # fmt: skip
    for role in ("super_referent", "referent", "outsider"):
        assert found(people, role) == expected
    for q in ("bègles", "213 300 395", "213300395"):
        assert found(people, q=q)["count"] == 1, q
    for q in ("Pessac", "213300396", "%", "_"):
        assert found(people, q=q)["count"] == 0, q


def test_nothing_of_a_person(people):
    member(people)
    text = str(found(people))
    for word in (*FIELDS["representative"].values(), FIELDS["referent"]["email"], "lou@"):
        assert word == "Exemple" or word not in text


def test_no_file_under_way_and_no_suspension_is_told(people):
    file_in(people, "submitted")
    assert found(people, q="Bègles")["count"] == 0
    row = call_action("dinamis_application_list", people.context("super_referent"))["results"][0]
    call_action("dinamis_application_transition", people.context("executive_board"), id=row["id"], transition="accept")
    assert found(people, q="Bègles")["count"] == 1
    membership = call_action("dinamis_membership_show", people.context("super_referent"),
                             organization_id=people.organization["id"])  # fmt: skip
    call_action("dinamis_membership_transition", people.context("super_referent"), id=membership["id"],
                transition="suspend", reason="Essai.")  # fmt: skip
    assert found(people)["count"] == 0


def test_an_organization_that_was_deleted_is_no_member(people):
    member(people)
    call_action("organization_delete", people.context("sysadmin"), id=people.organization["id"])
    assert found(people)["count"] == 0


def test_the_pages(app, people):
    forget()
    assert "Aucun membre pour l" in app.get("/dinamis/members").body
    member(people)
    factories.Organization(title="Commune de Pessac")
    model.Session.commit()
    forget()
    page = app.get("/dinamis/members").body
    assert "Commune de Bègles" in page
    assert "Pessac" not in page
    assert "Oui\u00a0: Commune de Bègles est membre depuis" in app.get("/dinamis/members?q=213300395").body
    assert "Pas encore" in app.get("/dinamis/members?q=Pessac").body
    assert app.get("/dinamis/members?q=%00").status_code == 200
    table = app.get("/dinamis/members/members.csv?q=B%C3%A8gles").body
    assert [line.split(";")[:2] for line in table.split("\r\n")[1:-1]] == [["Commune de Bègles", "213300395"]]
    tab = app.get(f"/organization/{people.organization['name']}/dinamis").body
    assert "Membre de DINAMIS depuis" in tab
    assert "Territoire\u00a0:" in tab
    assert "maire@" not in tab
