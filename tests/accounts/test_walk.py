"""The machine of accounts, walked: every state × transition × role, with real rows and real rights."""

from __future__ import annotations

from itertools import product

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from tests.accounts.helpers import enter, move
from tests.conftest import ROLES
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

MODERATORS = {"sysadmin", "super_referent"}


def put(account, state):
    """The row in a state, its last day passed so that it may expire."""
    row = model.Session.get(Account, account["id"])
    row.state, row.suspended_with_membership, row.ends_on = state, False, utcnow().date().replace(year=2020, day=1)
    model.Session.commit()


def outcome(people, account, name, role):
    try:
        return move(people, account, name, role, reason="Essai.")["state"]
    except tk.NotAuthorized:
        return "not authorized"
    except tk.ValidationError as error:
        model.Session.rollback()
        return next(iter(error.error_dict))


def expected(state, name, role):
    if role not in MODERATORS:
        return "not authorized"
    return next((row.target for row in MACHINE.allowed(state) if row.name == name), "transition")


def test_every_state_transition_and_role(member):
    account = enter(member)
    for state, name, role in product(MACHINE.states, MACHINE.transitions, ROLES):
        put(account, state)
        assert outcome(member, account, name, role) == expected(state, name, role), (state, name, role)


def test_each_row_leaves_its_line_and_its_message(member):
    account = enter(member)
    for row in MACHINE:
        put(account, row.source)
        mails = model.Session.query(Mail).filter_by(object_id=account["id"])
        before, version = mails.count(), model.Session.get(Account, account["id"]).version
        move(member, account, row.name, reason="Motif tel quel.")
        last = journalled().filter_by(event=row.event, object_id=account["id"]).order_by(JournalLine.id.desc()).first()
        assert (last.data["state_from"], last.data["state_to"]) == (row.source, row.target)
        assert mails.count() == before + 1, row
        mail = mails.order_by(Mail.created_at.desc()).first()
        assert mail.name == row.mail
        assert not row.reason or "Motif tel quel." in mail.body, row
        told = row.name not in ("refuse", "activate")  # these two are nothing that DINAMIS does not know already
        assert model.Session.get(Account, account["id"]).version == version + told, row


def test_a_transition_that_is_no_word_and_an_account_that_does_not_exist(member):
    account = enter(member)
    for transition in (["suspend"], {"a": 1}, "", None, "approve"):
        with pytest.raises(tk.ValidationError) as raised:
            move(member, account, transition, reason="x")
        assert "transition" in raised.value.error_dict
    for id_ in ({"a": 1}, ["x"], "none", 7):
        with pytest.raises((tk.ObjectNotFound, tk.ValidationError)):
            move(member, {"id": id_}, "suspend", reason="x")


WRONG = (
    ("given_name", "\n"), ("given_name", "a" * 61), ("family_name", "\x00"), ("purpose", "a" * 2001),
    ("role", "admin"), ("ends_on", "demain"), ("ends_on", "2020-01-01"), ("organization_id", "nowhere"),
    ("email", "loué@begles.fr"), ("email", ["a@b.fr"]),
)  # fmt: skip


def test_a_wrong_field_is_named_alone(member):
    for field, value in WRONG:
        data = {"organization_id": member.organization["id"], "email": "a@begles.example", "given_name": "A",
                "family_name": "B", field: value}  # fmt: skip
        with pytest.raises(tk.ValidationError) as raised:
            tk.get_action("dinamis_account_create")(member.context("super_referent"), data)
        assert list(raised.value.error_dict) == [field], (field, value)


def test_what_lacks_is_asked_for_field_by_field(member):
    with pytest.raises(tk.ValidationError) as raised:
        tk.get_action("dinamis_account_create")(member.context("super_referent"), {"given_name": " "})
    asked = raised.value.error_dict
    assert set(asked) == {"organization_id", "email", "given_name", "family_name"}
    assert all(len(sentences) == 1 for sentences in asked.values())


def test_line_ends_never_reach_the_header_of_a_mail(member):
    enter(member, given_name="Lou\r\nBcc: autre@ailleurs.example")
    mail = model.Session.query(Mail).filter_by(name="account_invitation").one()
    assert mail.recipient_name == "Lou Bcc: autre@ailleurs.example Exemple"


def test_the_underscore_of_an_address_is_no_wildcard(member):
    enter(member, email="a_b@begles.example")
    enter(member, email="axb@begles.example")
    found = tk.get_action("dinamis_account_list")(member.context("super_referent"), {"q": "a_b"})
    assert [account["email"] for account in found["results"]] == ["a_b@begles.example"]
