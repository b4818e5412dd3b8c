"""End dates act by themselves."""

from __future__ import annotations

import datetime as dt

import pytest
from ckan import model
from ckan.cli.cli import ckan as ckan_command

from ckanext.dinamis_relais.accounts import effects, is_open
from ckanext.dinamis_relais.accounts.ending import expire_due
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import enter

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

DAY = dt.timedelta(days=1)


def row_of(account):
    model.Session.expire_all()
    return model.Session.get(Account, account["id"])


def ending(people, days, **more):
    account = enter(people, **more)
    row_of(account).ends_on = utcnow().date() + days * DAY
    model.Session.commit()
    return account


def test_an_account_ends_after_its_last_day_not_on_it(member):
    over, last_day = ending(member, -1), ending(member, 0, email="autre@begles.example")
    assert expire_due() == 1
    assert (row_of(over).state, row_of(last_day).state) == ("expired", "validated")
    assert not is_open(over["user_id"], member.organization["id"])
    assert expire_due() == 0
    assert model.Session.query(Mail).filter_by(name="account_expired").count() == 1
    assert enter(member)["state"] == "validated"  # the person comes back: a new account, the same login


def test_one_that_cannot_end_holds_up_no_other(member, monkeypatch):
    broken, other = ending(member, -2), ending(member, -1, email="autre@begles.example")
    apply = effects.apply

    def sometimes(account, *args, **kwargs):
        if account.id == broken["id"]:
            raise RuntimeError("broken row")
        return apply(account, *args, **kwargs)

    monkeypatch.setattr(effects, "apply", sometimes)
    assert expire_due() == 1
    assert (row_of(broken).state, row_of(other).state) == ("validated", "expired")


def test_the_command(member, cli):
    ending(member, -1)
    answer = cli.invoke(ckan_command, ["dinamis", "accounts", "expire"])
    assert answer.exit_code == 0, answer.output
    assert "1 accounts expired" in answer.output
