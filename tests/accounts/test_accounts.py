"""Accounts through the action API: entered, validated, delivered, active; and what must never happen."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais import accounts
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.gateway import mailer, secrets
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import PERSON, enter, move
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


class TestEntry:
    def test_entered_by_pigma_it_is_validated_and_the_person_invited(self, member):
        account = enter(member)
        assert account["state"] == "validated"
        user = model.User.get(account["user_id"])
        assert (user.email, user.fullname, user.state) == ("lou.exemple+sig@begles.example", "Lou Exemple", "active")
        assert member.organization["id"] in user.get_group_ids("organization")
        mail = model.Session.query(Mail).filter_by(name="account_invitation").one()
        token = secrets.decrypt(mail.secrets)["link"].partition("/dinamis/join/")[2]
        assert len(token) >= 43
        assert token not in mail.body

    def test_entered_by_a_referent_it_waits_and_no_user_is_made(self, member):
        account = enter(member, "referent")
        assert account["state"] == "requested"
        assert account["user_id"] is None
        assert not model.Session.query(model.User).filter_by(email="lou.exemple+sig@begles.example").count()

    def test_an_organization_that_is_no_member_has_no_account(self, people):
        with pytest.raises(tk.ValidationError) as raised:
            enter(people)
        assert "organization_id" in raised.value.error_dict

    def test_the_same_person_twice_is_told(self, member):
        enter(member)
        with pytest.raises(tk.ValidationError) as raised:
            enter(member, email=PERSON["email"].upper())
        assert "email" in raised.value.error_dict

    @pytest.mark.parametrize("email", ["lou", "lou@", "lou@begles", "a b@begles.fr", "<lou@begles.fr>"])
    def test_a_wrong_address_names_its_field(self, member, email):
        with pytest.raises(tk.ValidationError) as raised:
            enter(member, email=email)
        assert list(raised.value.error_dict) == ["email"]

    def test_an_address_that_has_a_login_gives_it_no_place(self, member):
        """CKAN lets anybody give themselves any address: only the mailed link proves that it is theirs."""
        account = enter(member, email=member.outsider["email"])
        assert (account["state"], account["user_id"]) == ("validated", None)
        assert member.organization["id"] not in model.User.get(member.outsider["id"]).get_group_ids("organization")
        assert model.Session.query(Mail).filter_by(name="account_join", recipient=account["email"]).count() == 1

    def test_all_or_nothing(self, member, monkeypatch):
        """When the invitation cannot be written, there is no user, no account, no journal line."""
        users, lines = model.Session.query(model.User).count(), journalled().count()

        def broken(*_args, **_kwargs):
            raise RuntimeError("template")

        monkeypatch.setattr(mailer, "write", broken)
        with pytest.raises(RuntimeError):
            enter(member)
        assert model.Session.query(model.User).count() == users
        assert model.Session.query(Account).count() == 0
        assert journalled().count() == lines


class TestLife:
    def test_delivered_and_confirmed_it_is_active(self, member, gateway_service):
        account = enter(member)
        deliver_once()
        assert model.Session.get(Account, account["id"]).state == "active"
        assert gateway_service.bodies[f"/gateway/v1/accounts/{account['id']}"]["email"] == account["email"]

    def test_dinamis_down_at_the_moment_of_delivery(self, member, gateway_service):
        gateway_service.status = 503
        account = enter(member)
        deliver_once()
        row = model.Session.get(Account, account["id"])
        assert (row.state, row.attempts) == ("validated", 1)
        gateway_service.status = 200
        row.next_attempt_at = row.created_at
        model.Session.commit()
        deliver_once()
        assert model.Session.get(Account, account["id"]).state == "active"

    def test_a_wrong_token_stops_the_target_until_a_person_looks(self, member, gateway_service):
        gateway_service.status = 401
        account = enter(member)
        deliver_once()
        calls = len(gateway_service.calls)
        deliver_once()
        assert len(gateway_service.calls) == calls or all("accounts" not in c for c in gateway_service.calls[calls:])
        stopped = call_action("dinamis_delivery_list", member.context("super_referent"))["stopped"]
        assert "account" in {target["target"] for target in stopped}
        gateway_service.status = 200
        call_action("dinamis_delivery_retry", member.context("super_referent"), target="account", id=account["id"])
        deliver_once()
        assert model.Session.get(Account, account["id"]).state == "active"

    def test_suspension_takes_tokens_and_place_at_once(self, member):
        account = enter(member)
        user = model.User.get(account["user_id"])
        call_action("api_token_create", {"user": user.name, "ignore_auth": True}, user=user.name, name="t")
        move(member, account, "suspend", reason="Essai.")
        assert model.Session.query(model.ApiToken).filter_by(user_id=user.id).count() == 0
        assert member.organization["id"] not in user.get_group_ids("organization")
        move(member, account, "resume")
        model.Session.expunge_all()  # CKAN keeps a user's groups on the object
        assert member.organization["id"] in model.User.get(user.id).get_group_ids("organization")

    def test_accounts_follow_the_membership_and_only_those(self, member):
        alone = enter(member)
        followed = enter(member, email="autre@begles.example", given_name="Autre")
        move(member, alone, "suspend", reason="Pour une autre cause.")
        row = call_action(
            "dinamis_membership_show", member.context("super_referent"), organization_id=member.organization["id"]
        )
        pigma = member.context("super_referent")
        call_action(
            "dinamis_membership_transition", pigma, id=row["id"], transition="suspend", reason="Convention échue."
        )
        assert {model.Session.get(Account, a["id"]).state for a in (alone, followed)} == {"suspended"}
        call_action("dinamis_membership_transition", pigma, id=row["id"], transition="resume")
        assert model.Session.get(Account, alone["id"]).state == "suspended"
        assert model.Session.get(Account, followed["id"]).state == "validated"

    def test_refusal_needs_a_reason_and_says_it(self, member):
        account = enter(member, "referent")
        with pytest.raises(tk.ValidationError) as raised:
            move(member, account, "refuse")
        assert "reason" in raised.value.error_dict
        move(member, account, "refuse", reason="Hors de la structure.")
        assert "Hors de la structure." in model.Session.query(Mail).filter_by(name="account_refused").one().body

    def test_only_pigma_moderates(self, member):
        account = enter(member, "referent")
        for role in ("referent", "member", "outsider", "executive_board", "anonymous"):
            with pytest.raises(tk.NotAuthorized):
                move(member, account, "validate", role=role)

    def test_the_whole_machine_refuses_what_it_does_not_list(self, member):
        account = enter(member, "referent")
        row = model.Session.get(Account, account["id"])
        for state in MACHINE.states:
            for name in set(MACHINE.transitions) - {t.name for t in MACHINE.allowed(state)}:
                row.state = state
                model.Session.commit()
                with pytest.raises(tk.ValidationError) as raised:
                    move(member, account, name, reason="x")
                assert state in raised.value.error_dict["transition"][0]

    def test_a_request_under_review_has_no_user_whose_password_could_be_reset(self, member, app):
        enter(member, "referent")
        app.post("/user/reset", data={"user": "lou.exemple+sig@begles.example"})
        assert not model.Session.query(model.User).filter_by(email="lou.exemple+sig@begles.example").count()
        assert not model.Session.query(Mail).filter_by(recipient="lou.exemple+sig@begles.example").count()


def test_functions_named_for_other_rooms():
    offered = ["active_organizations", "is_open", "resume_for_membership", "states_of", "suspend_for_membership"]
    assert accounts.__all__ == offered
