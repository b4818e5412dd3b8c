"""Accounts in quantity: each for itself, told row by row, resumable, repeatable."""

from __future__ import annotations

import datetime as dt
import re

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.batch import work
from ckanext.dinamis_relais.batch.model import Batch, BatchRow
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import enter, forget, move
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")

HEAD = "organisation;courriel;prénom;nom;rôle;fin\n"


def requests(people, number):
    return [enter(people, "referent", email=f"p{n}@begles.example", given_name=f"P{n}") for n in range(number)]


def many(people, transition, rows=None, **more):
    data = {"transition": transition, **more}
    if rows is not None:
        data["ids"] = [row["id"] for row in rows]
    return call_action("dinamis_account_transition_many", people.context("super_referent"), **data)


def load(people, text, **more):
    return call_action("dinamis_account_import", people.context("super_referent"), content=text, **more)


def show(people, work_, **more):
    return call_action("dinamis_batch_show", people.context("super_referent"), id=work_["id"], **more)


def states():
    model.Session.expire_all()
    return [row.state for row in model.Session.query(Account).order_by(Account.email)]


class TestTransition:
    def test_all_of_them(self, member):
        done = many(member, "validate", requests(member, 3))
        assert (done["state"], done["counts"]) == ("finished", {"done": 3})
        assert states() == ["validated"] * 3
        assert model.Session.query(Mail).filter_by(name="account_invitation").count() == 3

    def test_one_that_fails_stops_no_other_and_is_told(self, member):
        rows = requests(member, 3)
        broken = model.Session.get(Account, rows[1]["id"])
        taken = model.User.get(member.outsider["id"])
        broken.user_id, taken.state = taken.id, "deleted"  # its login was deleted: it cannot be validated
        model.Session.commit()
        done = many(member, "validate", rows)
        assert done["counts"] == {"done": 2, "failed": 1}
        (failed,) = (row for row in done["results"] if row["status"] == "failed")
        assert member.outsider["name"] in failed["message"]
        assert states() == ["validated", "requested", "validated"]

    def test_what_is_in_another_state_is_left_and_told(self, member):
        rows = requests(member, 2)
        move(member, rows[0], "refuse", reason="Inconnue.")
        done = many(member, "validate", rows)
        assert done["counts"] == {"done": 1, "unchanged": 1}

    def test_all_that_a_search_finds(self, member):
        requests(member, 3)
        enter(member, "referent", email="autre@begles.example", given_name="Autre")
        done = many(member, "refuse", q="P", state="requested", organization_id=member.organization["id"],
                    reason="Hors de la structure.")  # fmt: skip
        assert done["total"] == 4  # "p" is in every name and address
        done = many(member, "refuse", requests(member, 1), reason="Encore.")
        assert done["counts"] == {"done": 1}

    @pytest.mark.parametrize(
        ("transition", "more", "field"),
        [("refuse", {}, "reason"), ("approve", {}, "transition"), ("validate", {"ids": []}, "ids"),
         ("validate", {"ids": "x"}, "ids")],
    )  # fmt: skip
    def test_what_cannot_be(self, member, transition, more, field):
        rows = requests(member, 1)
        with pytest.raises(tk.ValidationError) as raised:
            many(member, transition, **({"rows": rows} if "ids" not in more else {**more, "state": "active"}))
        assert list(raised.value.error_dict) == [field]

    def test_a_dry_run_does_nothing_until_it_is_begun_once_by_the_same_person(self, member):
        prepared = many(member, "validate", requests(member, 2), dry_run=True)
        assert (prepared["state"], states()) == ("prepared", ["requested"] * 2)
        with pytest.raises(tk.ValidationError):
            call_action("dinamis_batch_start", member.context("sysadmin"), id=prepared["id"])
        model.Session.rollback()
        pigma = member.context("super_referent")
        assert call_action("dinamis_batch_start", dict(pigma), id=prepared["id"])["counts"] == {"done": 2}
        with pytest.raises(tk.ValidationError):
            call_action("dinamis_batch_start", dict(pigma), id=prepared["id"])

    def test_a_moderator_who_lost_the_role_meanwhile_does_nothing_more(self, member):
        prepared = many(member, "validate", requests(member, 2), wait=False)
        from ckanext.dinamis_relais.authority.model import RoleGrant

        model.Session.query(RoleGrant).filter_by(user_id=member.super_referent["id"]).update({"revoked_at": utcnow()})
        model.Session.commit()
        work.run_round()
        assert states() == ["requested"] * 2
        assert model.Session.query(BatchRow).filter_by(batch_id=prepared["id"], status="failed").count() == 2


class TestWorker:
    def test_rounds_then_finished_and_each_line_once(self, member, monkeypatch):
        monkeypatch.setattr(work, "ROUND", 2)
        begun = many(member, "validate", requests(member, 5), wait=False)
        assert (begun["state"], states()) == ("running", ["requested"] * 5)
        assert [work.run_round() for _turn in range(4)] == [2, 2, 1, 0]
        assert show(member, begun)["state"] == "finished"
        assert journalled().filter_by(event="account.validated").count() == 5

    def test_two_workers_do_not_share_a_batch_and_a_dead_ones_lease_ends(self, member, monkeypatch):
        begun = many(member, "validate", requests(member, 2), wait=False)
        assert work._lease(begun["id"]) == begun["id"]
        assert work.run_round() == 0
        model.Session.query(Batch).update({"lease_until": utcnow() - dt.timedelta(seconds=1)})
        model.Session.commit()
        assert work.run_round() == 2

    def test_killed_between_a_row_and_its_mark_it_converges(self, member):
        rows = requests(member, 2)
        begun = many(member, "validate", rows, wait=False)
        move(member, rows[0], "validate")  # what a worker had done when it was killed
        work.run_round()
        assert show(member, begun)["counts"] == {"done": 1, "unchanged": 1}
        assert model.Session.query(Mail).filter_by(name="account_invitation").count() == 2

    def test_stopped_what_is_done_stays(self, member, monkeypatch):
        monkeypatch.setattr(work, "ROUND", 1)
        begun = many(member, "validate", requests(member, 3), wait=False)
        work.run_round()
        call_action("dinamis_batch_cancel", member.context("super_referent"), id=begun["id"])
        assert work.run_round() == 0
        assert sorted(states()) == ["requested", "requested", "validated"]
        assert show(member, begun)["state"] == "cancelled"

    def test_persons_details_are_wiped_with_the_row_and_results_after_a_month(self, member):
        done = load(member, HEAD + "Commune de Bègles;a@begles.example;A;B;;\n", dry_run=False)
        assert model.Session.query(BatchRow).filter_by(batch_id=done["id"]).one().payload is None
        model.Session.query(Batch).update({"created_at": utcnow() - dt.timedelta(days=31)})
        model.Session.commit()
        assert work.wipe_old() == 1
        model.Session.commit()
        assert model.Session.query(BatchRow).count() == 0


class TestImport:
    TEXT = HEAD + (
        "Commune de Bègles;Lou@begles.example;Lou;Exemple;référente;\n"
        "213300395;noa@begles.example;Noa;Exemple;;31/12/2099\n"
        "Atlantide;a@b.example;A;B;;\n"
        "Commune de Bègles;pas une adresse;A;B;;\n"
        "Commune de Bègles;c@begles.example;;;chef;hier\n"
        "Commune de Bègles;lou@begles.example;Lou;Encore;;\n"
    )

    def test_first_what_would_be_done_then_do_it_then_nothing(self, member):
        told = load(member, self.TEXT)
        assert (told["state"], told["counts"]) == ("prepared", {"waiting": 2, "invalid": 3, "unchanged": 1})
        assert model.Session.query(Account).count() == 0
        pigma = member.context("super_referent")
        done = call_action("dinamis_batch_start", dict(pigma), id=told["id"])
        assert done["counts"] == {"done": 2, "invalid": 3, "unchanged": 1}
        rows = model.Session.query(Account).order_by(Account.email).all()
        assert [(r.email, r.role, r.state, r.origin) for r in rows] == [
            ("lou@begles.example", "referent", "validated", "import"),
            ("noa@begles.example", "member", "validated", "import"),
        ]
        assert rows[1].ends_on == dt.date(2099, 12, 31)
        again = load(member, self.TEXT, dry_run=False)
        assert again["counts"] == {"unchanged": 3, "invalid": 3}
        assert model.Session.query(Account).count() == 2

    def test_each_bad_row_names_its_line_and_why(self, member):
        bad = {re.findall(r"\d", r["subject"])[0]: r["message"] for r in load(member, self.TEXT)["results"]
               if r["status"] == "invalid"}  # fmt: skip
        assert set(bad) == {"4", "5", "6"}
        assert "Atlantide" in bad["4"]
        assert "pas une adresse" in bad["5"]
        assert all(word in bad["6"] for word in ("chef", "hier"))

    def test_the_same_person_entered_between_the_two(self, member):
        told = load(member, self.TEXT)
        enter(member, email="lou@begles.example")
        done = call_action("dinamis_batch_start", member.context("super_referent"), id=told["id"])
        assert done["counts"] == {"done": 1, "failed": 1, "invalid": 3, "unchanged": 1}

    @pytest.mark.parametrize("text", ["", "nom\nA\n", HEAD])
    def test_a_file_that_is_none(self, member, text):
        with pytest.raises(tk.ValidationError) as raised:
            load(member, text)
        assert list(raised.value.error_dict) == ["upload"]

    def test_the_pages(self, app, member):
        import io

        name = member.super_referent["name"]
        token = call_action("api_token_create", {"ignore_auth": True, "user": name}, user=name, name="t")["token"]
        headers = {"Authorization": token}
        forget()
        upload = (io.BytesIO(self.TEXT.encode("cp1252")), "agents.csv")
        page = app.post("/dinamis/moderation/accounts/import", data={"upload": upload}, headers=headers,
                        content_type="multipart/form-data")  # fmt: skip
        assert "agents.csv" in page.body
        assert "noa@begles.example" in page.body
        batch = model.Session.query(Batch).one().id
        forget()
        done = app.post(f"/dinamis/moderation/batches/{batch}/start", headers=headers)
        assert "alert-success" in done.body or "alert-warning" in done.body
        assert model.Session.query(Account).count() == 2
        forget()
        part = app.get(f"/dinamis/moderation/batches/{batch}?state=invalid", headers={**headers, "HX-Request": "true"})
        assert "<html" not in part.body
        assert "noa@begles.example" not in part.body
