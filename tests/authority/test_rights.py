"""Every action × every role, against the table of rights; and the same for another organisation's things."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk
import pytest
import yaml
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_auth

from ckanext.dinamis_relais.authority import VERBS
from ckanext.dinamis_relais.rooms import collect
from tests.conftest import ROLES
from tests.membership.helpers import file_in

LETTERS = dict(zip("ASBRMO-", ROLES, strict=True))
TABLE = yaml.safe_load(Path(__file__).with_name("rights.yaml").read_text(encoding="utf-8"))

#: Parameters that name a thing of the organisation, by action; the others take ``organization_id``.
THING = {
    "application": ("update", "show", "history", "claim", "transition", "thread"),
    "account": ("show", "transition", "update", "invite", "keep", "replace"),
    "membership": ("transition",),
    "report": ("show", "file"),
}


def parameters(action: str, things: dict[str, str]) -> dict[str, str]:
    for kind, names in THING.items():
        if action in {f"dinamis_{kind}_{name}" for name in names}:
            return {"id": things[kind]}
    if action == "dinamis_document_show":
        return {"id": things["document"]}
    if action in ("dinamis_signature_upload", "dinamis_decision_record") or action.startswith("dinamis_dossier_"):
        return {"id": things["application"]}
    if action in ("dinamis_note_create", "dinamis_note_list"):
        return {"id": things["application"]}
    if action == "dinamis_document_list":
        return {"application_id": things["application"]}
    return {"organization_id": things["organization"]}


def allowed(people, action: str, things: dict[str, str]) -> set[str]:
    found = set()
    for role in ROLES:
        try:
            call_auth(action, people.context(role), **parameters(action, things))
            found.add(role)
        except tk.NotAuthorized:
            continue
    return found


def test_the_table_names_every_action_and_no_other():
    assert set(TABLE) == set(collect("actions"))
    assert set(collect("actions")) == set(collect("auth"))


def test_every_verb_of_an_action_is_in_the_table_of_verbs():
    used = {getattr(function, "verb", None) for function in collect("auth").values()}
    assert used - {None} <= set(VERBS)


@pytest.mark.usefixtures("with_plugins", "entity_service")
class TestEveryActionAndRole:
    def test_walk(self, people):
        file = file_in(people, "accepted")
        from ckan.tests.helpers import call_action

        pigma = people.context("super_referent")
        account = call_action("dinamis_account_create", pigma, organization_id=people.organization["id"],
                              email="a@begles.example", given_name="A", family_name="B")  # fmt: skip
        document = call_action("dinamis_document_list", pigma, application_id=file["id"])["results"][0]
        member = call_action("dinamis_membership_show", pigma, organization_id=people.organization["id"])
        report = call_action("dinamis_report_create", pigma, period="12m", organization_id=people.organization["id"])
        own = {"report": report["id"], "application": file["id"], "account": account["id"], "document": document["id"],
               "membership": member["id"], "organization": people.organization["id"]}  # fmt: skip
        for action, letters in TABLE.items():
            assert allowed(people, action, own) == {LETTERS[letter] for letter in letters}, action
        self.walk_elsewhere(people, own)

    def walk_elsewhere(self, people, own):
        """The same things seen by a referent and a member of another organisation: only what anyone may do."""
        other = factories.Organization()
        for role in ("referent", "member"):
            user = model.User.get(people.users[role]["id"])
            for place in model.Session.query(model.Member).filter_by(table_id=user.id):
                place.group_id = other["id"]
        from ckanext.dinamis_relais.authority.model import RoleGrant

        model.Session.query(RoleGrant).filter_by(role="referent").update({"organization_id": other["id"]})
        model.Session.commit()
        model.Session.expunge_all()
        for action, letters in TABLE.items():
            expected = {LETTERS[letter] for letter in letters}
            if "O" not in letters:
                expected -= {"referent", "member"}
            assert allowed(people, action, own) == expected, f"{action} for another organisation"
