"""Accounts on their way to DINAMIS, over real HTTP: what is sent, and what its answers do."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from tests.accounts.helpers import enter, move

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


def row_of(account):
    model.Session.expire_all()
    return model.Session.get(Account, account["id"])


def sent(dinamis):
    return [body for body in dinamis.bodies if "given_name" in body]


def test_what_is_sent_is_the_contract_and_no_more(member, dinamis):
    account = enter(member, function="SIG", ends_on="31/12/2099")
    deliver_once()
    row = row_of(account)
    assert sent(dinamis) == [{
        "version": 1, "state": "validated", "membership_id": row.membership_id,
        "organization_id": member.organization["id"], "email": account["email"], "given_name": "Lou",
        "family_name": "Exemple", "function": "SIG", "purpose": "", "role": "member", "ends_on": "2099-12-31",
    }]  # fmt: skip
    assert (row.state, row.reference) == ("active", "R-1")


def test_a_request_that_nobody_validated_never_leaves(member, dinamis):
    enter(member, "referent")
    deliver_once()
    assert sent(dinamis) == []


def test_an_answer_that_is_not_final_is_asked_for_again_in_its_time(member, dinamis):
    dinamis.status = "suspended"
    account = enter(member)
    deliver_once()
    row = row_of(account)
    assert (row.state, row.version) == ("validated", row.delivered_version)
    assert row.next_poll_at > utcnow()
    dinamis.status = "active"
    deliver_once()
    assert row_of(account).state == "validated"
    row_of(account).next_poll_at = utcnow() - dt.timedelta(seconds=1)
    model.Session.commit()
    deliver_once()
    row = row_of(account)
    assert (row.state, row.next_poll_at) == ("active", None)
    assert (len(sent(dinamis)), dinamis.polls) == (1, 1)


def test_a_suspension_leaves_with_a_newer_version_and_no_answer_undoes_it(member, dinamis):
    account = enter(member)
    deliver_once()
    move(member, account, "suspend", reason="Essai.")
    deliver_once()
    assert [(body["state"], body["version"]) for body in sent(dinamis)] == [("validated", 1), ("suspended", 2)]
    assert row_of(account).state == "suspended"


def test_suspended_while_dinamis_answers_it_stays_suspended(member, dinamis):
    """The answer is about the older version: it activates nothing, and the newer state leaves next."""
    account = enter(member)

    def suspended_elsewhere():
        dinamis.meanwhile = lambda: None
        with model.meta.engine.begin() as other:
            other.execute(
                sa.update(Account)
                .where(Account.id == account["id"])
                .values(state="suspended", version=Account.version + 1, next_attempt_at=utcnow())
            )

    dinamis.meanwhile = suspended_elsewhere
    deliver_once()
    assert row_of(account).state == "suspended"
    deliver_once()
    row = row_of(account)
    assert (row.state, row.delivered_version) == ("suspended", 2)
    assert sent(dinamis)[-1]["state"] == "suspended"


@pytest.mark.ckan_config("ckanext.dinamis_relais.gateway.transport", "dossier")
def test_without_http_it_waits_for_pigma(member, dinamis):
    account = enter(member)
    deliver_once()
    assert sent(dinamis) == []
    assert row_of(account).state == "validated"
    assert move(member, account, "activate")["state"] == "active"
    with pytest.raises(tk.ValidationError):
        move(member, account, "activate")
