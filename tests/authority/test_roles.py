"""Granting roles, and the one predicate that reads them."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.authority import Role, can, holders, roles_of
from ckanext.dinamis_relais.authority.model import RoleGrant
from ckanext.dinamis_relais.authority.rules import check_grant


def user(people, role):
    return model.User.get(people.users[role]["id"])


@pytest.mark.usefixtures("with_plugins")
class TestRoles:
    def test_a_global_role_holds_for_every_organization(self, people):
        assert can(user(people, "super_referent"), "application.review", people.organization["id"])
        assert can(user(people, "super_referent"), "application.review", "another-organization")

    def test_a_referent_holds_nothing_elsewhere(self, people):
        referent = user(people, "referent")
        assert can(referent, "account.propose", people.organization["id"])
        assert not can(referent, "account.propose", "another-organization")

    def test_the_board_alone_decides(self, people):
        assert can(user(people, "executive_board"), "application.decide")
        for role in ("sysadmin", "super_referent", "referent", "member", "outsider"):
            assert not can(user(people, role), "application.decide", people.organization["id"])

    def test_a_revoked_grant_is_no_role(self, people):
        listed = call_action("dinamis_role_list", people.context("sysadmin"), q="super_referent")
        call_action("dinamis_role_revoke", people.context("sysadmin"), id=listed["results"][0]["id"])
        assert Role.SUPER_REFERENT not in roles_of(user(people, "super_referent"))

    def test_an_expired_grant_is_no_role(self, people):
        grant = model.Session.query(RoleGrant).filter_by(role="super_referent").one()
        grant.expires_at = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=1)
        model.Session.commit()
        assert not holders(Role.SUPER_REFERENT)
        assert Role.SUPER_REFERENT not in roles_of(user(people, "super_referent"))

    def test_a_deleted_user_has_no_role(self, people):
        person = user(people, "super_referent")
        person.state = "deleted"
        model.Session.commit()
        assert roles_of(person) == {Role.ANONYMOUS}

    def test_granting_twice_makes_one_grant(self, people):
        call_action("dinamis_role_grant", people.context("sysadmin"), user=people.outsider["id"], role="super_referent")
        call_action("dinamis_role_grant", people.context("sysadmin"), user=people.outsider["id"], role="super_referent")
        assert model.Session.query(RoleGrant).filter_by(user_id=people.outsider["id"]).count() == 1

    def test_only_a_sysadmin_grants(self, people):
        for role in ("super_referent", "executive_board", "referent", "member", "outsider", "anonymous"):
            with pytest.raises(tk.NotAuthorized):
                call_action(
                    "dinamis_role_grant", people.context(role), user=people.outsider["id"], role="super_referent"
                )

    def test_a_misspelt_verb_is_an_error(self, people):
        with pytest.raises(KeyError):
            can(user(people, "sysadmin"), "application.revue")


@pytest.mark.parametrize(
    "role, organization_id, field",
    [
        ("king", None, "role"),
        ("sysadmin", None, "role"),
        ("super_referent", "x", "organization_id"),
        ("referent", None, "organization_id"),
    ],
)
def test_a_wrong_grant_names_its_field(role, organization_id, field):
    assert list(check_grant(role, organization_id)) == [field]


def test_a_right_grant_has_no_problem():
    assert check_grant("referent", "x") == check_grant("executive_board", None) == {}
