"""The machines of files and of memberships, walked: every state × transition × role, with real rows and real rights."""

from __future__ import annotations

from itertools import product

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.authority import VERBS
from ckanext.dinamis_relais.membership.machines import APPLICATION, MEMBERSHIP
from ckanext.dinamis_relais.membership.model import Application
from tests.conftest import ROLES

from .helpers import file_in
from .members import again, member

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

READERS = {"sysadmin", "super_referent", "executive_board", "referent"}
#: What a role of the fixtures is in the table of verbs.
VERB_ROLE = {role: role if role != "outsider" else "user" for role in ROLES}


def holds(role: str, verb: str) -> bool:
    return VERB_ROLE[role] in {r.value for r in VERBS[verb]}


def put(row, state):
    """The row in a state; a file on which changes are asked came from the examination."""
    row = again(row)
    if row.state == state:
        return
    row.state = state
    if isinstance(row, Application):
        row.returns_to = "under_review" if state == "changes_requested" else None
    model.Session.commit()


def outcome(people, action, row, name, role):
    try:
        return call_action(action, people.context(role), id=row.id, transition=name, reason="Essai.")["state"]
    except tk.NotAuthorized:
        return "not authorized"
    except tk.ValidationError as error:
        model.Session.rollback()
        return next(iter(error.error_dict))


def expected(machine, state, name, role, may_call):
    """What the table says: who may not call learns nothing, then the row, then its verb."""
    row = next((row for row in machine.allowed(state) if row.name == name), None)
    if not may_call:
        return "not authorized"
    if row is None:
        return "transition"
    if not holds(role, row.verb):
        return "not authorized"
    if row.guard == "paper":  # only the action that checks a paper can give one
        return "file"
    return "under_review" if row.target == "@returns_to" else row.target


def test_every_state_transition_and_role_of_a_file(people):
    file = model.Session.get(Application, file_in(people, "draft")["id"])
    for state, name, role in product(APPLICATION.states, APPLICATION.transitions, ROLES):
        put(file, state)
        found = outcome(people, "dinamis_application_transition", file, name, role)
        assert found == expected(APPLICATION, state, name, role, role in READERS), (state, name, role)


def test_every_state_transition_and_role_of_a_membership(people):
    row = member(people)
    for state, name, role in product(MEMBERSHIP.states, MEMBERSHIP.transitions, ROLES):
        put(row, state)
        found = outcome(people, "dinamis_membership_transition", row, name, role)
        wanted = expected(MEMBERSHIP, state, name, role, holds(role, "membership.manage"))
        assert found == wanted, (state, name, role)


def test_what_follows_by_itself_is_nobodys_button(people):
    row = member(people)
    shown = call_action("dinamis_membership_show", people.context("super_referent"), id=row.id)
    assert [t["name"] for t in shown["transitions"]] == ["suspend", "end"]
    for verb in ("application.register", "membership.lapse"):
        assert VERBS[verb] == ()
