"""The CKAN user behind an account: what is given, what is taken, what is not ours to touch."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import accounts
from ckanext.dinamis_relais.authority.model import RoleGrant
from tests.accounts.helpers import enter, move, open_account

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


def places(people, user_id):
    """Capacities that a user holds in the organisation."""
    model.Session.expire_all()
    found = model.Session.query(model.Member).filter_by(
        table_id=user_id, group_id=people.organization["id"], state="active"
    )
    return [place.capacity for place in found]


def running_grants(user_id):
    return model.Session.query(RoleGrant).filter_by(user_id=user_id, role="referent", revoked_at=None).count()


@pytest.mark.parametrize("capacity", ["editor", "admin"])
def test_who_publishes_in_the_catalogue_goes_on_publishing(member, capacity):
    """An account, its suspension and its return change nothing of a place that CKAN's people gave."""
    person = member.outsider
    admin = {"user": member.sysadmin["name"], "ignore_auth": True}
    place = {"id": member.organization["id"], "object": person["id"], "object_type": "user", "capacity": capacity}
    call_action("member_create", admin, **place)
    account = enter(member, email=person["email"])
    open_account(account, person["name"])
    assert places(member, person["id"]) == [capacity]
    assert accounts.is_open(person["id"], member.organization["id"])
    move(member, account, "suspend", reason="Essai.")
    assert places(member, person["id"]) == [capacity]
    assert not accounts.is_open(person["id"], member.organization["id"])
    move(member, account, "resume")
    assert places(member, person["id"]) == [capacity]
    assert accounts.is_open(person["id"], member.organization["id"])


def test_a_referent_is_one_while_the_account_runs(member):
    data = {"organization_id": member.organization["id"], "email": "ref@begles.example", "given_name": "Ré",
            "family_name": "Férent", "role": "referent"}  # fmt: skip
    account = call_action("dinamis_account_create", member.context("super_referent"), **data)
    assert running_grants(account["user_id"]) == 1
    move(member, account, "suspend", reason="Essai.")
    assert running_grants(account["user_id"]) == 0
    move(member, account, "resume")
    assert running_grants(account["user_id"]) == 1


def test_a_member_has_one_place_however_often_it_is_taken(member):
    account = enter(member)
    for _turn in range(2):
        move(member, account, "suspend", reason="Essai.")
        assert places(member, account["user_id"]) == []
        move(member, account, "resume")
        assert places(member, account["user_id"]) == ["member"]


def test_a_deleted_user_is_not_let_in_again(member):
    account = enter(member)
    move(member, account, "suspend", reason="Essai.")
    admin = {"user": member.sysadmin["name"], "ignore_auth": True}
    call_action("user_delete", admin, id=account["user_id"])
    with pytest.raises(tk.ValidationError) as raised:
        move(member, account, "resume")
    assert list(raised.value.error_dict) == ["user_id"]
    again = call_action("dinamis_account_show", member.context("super_referent"), id=account["id"])
    assert again["state"] == "suspended"
    move(member, account, "close", reason="Essai.")
    assert enter(member)["user_id"] != account["user_id"]


def test_pigma_sees_whose_login_would_be_used_and_a_referent_does_not(member):
    """CKAN lets anybody give themselves any address; and a referent must not learn which addresses have a login."""
    asked = enter(member, "referent", email=member.outsider["email"])
    assert asked["login"] is None
    shown = {
        role: call_action("dinamis_account_show", member.context(role), id=asked["id"])["login"]
        for role in ("super_referent", "referent")
    }
    assert shown == {"super_referent": member.outsider["name"], "referent": None}


def test_names_are_told_apart(member):
    first, second = enter(member), enter(member, email="autre.lou@begles.example")
    names = [model.User.get(account["user_id"]).name for account in (first, second)]
    assert names == ["lou-exemple", "lou-exemple-2"]
