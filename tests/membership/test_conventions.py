"""A file of existing conventions: read, told row by row, entered once; and partners asked for their signature."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership import convention_rules as rules
from ckanext.dinamis_relais.membership.model import Application, Convention
from tests.accounts.helpers import forget

HEAD = "organisation;numéro;date;SIREN;code du territoire;service;courriel du représentant\n"
TODAY = dt.date(2026, 11, 24)


class TestRow:
    def test_a_whole_row(self):
        read = rules.row({"title": "Bègles", "number": "12", "signed_on": "31/12/2019", "siren": "213 300 395",
                          "territory_kind": "Ville", "category": "Collectivité territoriale", "email": "SIG@x.fr",
                          "representative.email": "maire@x.fr", "representative.function": ""}, TODAY)  # fmt: skip
        assert read.problems == ()
        assert read.values["signed_on"] == dt.date(2019, 12, 31)
        assert (read.values["siren"], read.values["territory_kind"]) == ("213300395", "commune")
        assert (read.values["category"], read.values["email"]) == ("local_authority", "sig@x.fr")
        assert read.values["representative"] == {"email": "maire@x.fr"}

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"title": ""}, ("title", "missing", "")),
            ({"number": ""}, ("number", "missing", "")),
            ({"signed_on": "hier"}, ("signed_on", "date", "hier")),
            ({"signed_on": "2026-11-25"}, ("signed_on", "range", "2026-11-25")),
            ({"siren": "21330039"}, ("siren", "length", "21330039")),
            ({"siren": "213300396"}, ("siren", "checksum", "213300396")),
            ({"territory_kind": "canton"}, ("territory_kind", "unknown", "canton")),
            ({"email": "sig"}, ("email", "email", "sig")),
            ({"representative.email": "maire"}, ("representative.email", "email", "maire")),
        ],
    )
    def test_what_is_wrong_is_named(self, fields, problem):
        assert rules.row({"title": "A", "number": "1", **fields}, TODAY).problems == (problem,)

    def test_an_empty_cell_changes_nothing(self):
        known = {"siren": "213300395", "office": "SIG"}
        assert rules.changes(known, {"siren": "", "office": "SIG", "title": "x"}) == []
        assert rules.changes(known, {"siren": "", "office": "DSI"}) == ["office"]


def load(people, text, **more):
    return call_action("dinamis_convention_import", people.context("super_referent"), content=text, **more)


@pytest.mark.usefixtures("with_plugins", "entity_service")
class TestImport:
    def test_good_rows_go_in_and_bad_ones_are_told_with_their_line(self, people):
        text = HEAD + (
            "Commune de Bègles;1;31/12/2019;213300395;33039;SIG;\n"  # exists already, without a SIREN
            "Commune d'Agen;2;;214700015;;;\n"
            ";3;;;;;\n"
            "Commune de Pau;4;;216404450;;;\n"
            "Commune d'Agen;5;;214700015;;;\n"
            "Syndicat mixte;2;;;;;\n"
        )
        told = load(people, text)
        assert told["state"] == "prepared"
        assert model.Session.query(Convention).count() == 0
        assert [row["status"] for row in told["results"]] == ["waiting", "waiting", "invalid", "invalid", "invalid",
                                                              "invalid"]  # fmt: skip
        assert all(row["subject"].startswith("Ligne") or "Line" in row["subject"] for row in told["results"])
        assert "216404450" in told["results"][3]["message"]
        done = call_action("dinamis_batch_start", people.context("super_referent"), id=told["id"])
        assert done["counts"] == {"done": 2, "invalid": 4}
        rows = {row.number: row for row in model.Session.query(Convention)}
        assert rows["1"].organization_id == people.organization["id"]
        agen = call_action("organization_show", id=rows["2"].organization_id)
        assert (agen["title"], agen["dinamis_siren"]) == ("Commune d'Agen", "214700015")
        begles = call_action("organization_show", id=people.organization["id"])
        assert (begles["dinamis_siren"], begles["dinamis_territory_code"], begles["dinamis_referent_office"]) == (
            "213300395", "33039", "SIG",
        )  # fmt: skip
        lines = call_action("dinamis_journal_list", people.context("super_referent"), limit=100)["results"]
        assert [line["event"] for line in lines].count("convention.entered") == 2
        self.again(people, text)

    def again(self, people, text):
        """The same file changes nothing; a corrected row changes its convention alone."""
        told = load(people, text, dry_run=False)
        assert told["counts"] == {"unchanged": 2, "invalid": 4}
        told = load(people, text.replace("33039;SIG", "33039;DSI").encode("cp1252").decode("cp1252"), dry_run=False)
        assert told["counts"] == {"done": 1, "unchanged": 1, "invalid": 4}
        assert model.Session.query(Convention).filter_by(office="DSI").one().number == "1"
        assert call_action("organization_show", id=people.organization["id"])["dinamis_referent_office"] == "DSI"

    def test_two_communes_of_one_name_are_two_organizations(self, people):
        text = HEAD + "Saint-Martin;1;;213300395;;;\n"
        load(people, text, dry_run=False)
        done = load(people, HEAD + "Saint-Martin;2;;214700015;;;\n", dry_run=False)
        assert done["counts"] == {"done": 1}
        assert len({row.organization_id for row in model.Session.query(Convention)}) == 2

    def test_a_second_convention_of_an_organization_is_refused(self, people):
        load(people, HEAD + "Commune d'Agen;1;;214700015;;;\n", dry_run=False)
        told = load(people, HEAD + "Commune d'Agen;2;;214700015;;;\n", dry_run=False)
        assert told["counts"] == {"invalid": 1}


def token(user):
    made = call_action("api_token_create", {"ignore_auth": True, "user": user["name"]}, user=user["name"], name="t")
    return {"Authorization": made["token"]}


WHOLE = (
    "organisation;numéro;SIREN;catégorie;code du territoire;prénom du représentant;nom du représentant;"
    "fonction du représentant;courriel du représentant\n"
    "Commune de Bègles;1;213300395;collectivité;33039;Alix;Exemple;Maire;maire@begles.example\n"
    "Commune d'Agen;2;214700015;collectivité;47001;Max;Exemple;Maire;maire@agen.example\n"
    "Commune de Pau;3;216404459;;;;;;\n"
)


@pytest.mark.usefixtures("with_plugins", "entity_service")
class TestPartners:
    def partners(self, people, **more):
        return call_action("dinamis_partner_list", people.context("super_referent"), **more)

    def test_from_conventions_to_signatures_asked_for(self, people, entity_service):
        entity_service.known["214700015"] = {"siren": "214700015", "nature_juridique": "7210"}
        load(people, WHOLE, dry_run=False)
        factories.Organization(title="Sans convention")
        found = self.partners(people)
        assert found["states"] == {"none": 4}
        assert [row["waiting_for"] for row in found["results"]] == ["pigma"] * 3 + ["nobody"]
        told = call_action("dinamis_signature_request_many", people.context("super_referent"), state="none")
        assert {row["status"] for row in told["results"][:2]} == {"waiting"}
        assert told["counts"] == {"waiting": 2, "invalid": 2}
        assert model.Session.query(Mail).count() == 0
        done = call_action("dinamis_batch_start", people.context("super_referent"), id=told["id"])
        assert done["counts"] == {"done": 2, "invalid": 2}
        assert model.Session.query(Mail).filter_by(name="signature_requested").count() == 2
        self.asked(people)

    def asked(self, people):
        found = self.partners(people)
        assert found["states"] == {"none": 2, "awaiting_signature": 2}
        assert [row["state"] for row in found["results"]] == ["awaiting_signature"] * 2 + ["none"] * 2
        again = call_action("dinamis_signature_request_many", people.context("super_referent"), dry_run=False)
        assert again["counts"] == {"unchanged": 2, "invalid": 2}
        assert self.partners(people, q="214700015")["count"] == 1
        assert self.partners(people, q="agen", waiting_for="board")["count"] == 0
        file = model.Session.query(Application).filter_by(siren="214700015").one()
        file.due_at = file.state_since - dt.timedelta(days=1)
        model.Session.commit()
        late = self.partners(people, late=True)
        assert [row["organization_title"] for row in late["results"]] == ["Commune d'Agen"]

    def test_the_pages(self, people, app):
        load(people, WHOLE, dry_run=False)
        headers, other = token(people.super_referent), token(people.referent)
        forget()
        assert "Commune de Pau" in app.get("/dinamis/moderation/partners", headers=headers).body
        table = app.get("/dinamis/moderation/partners.csv?q=Agen", headers=headers).body
        assert table.startswith("\ufeff")
        assert [line.split(";")[1] for line in table.split("\r\n")[1:-1]] == ["214700015"]
        assert "prénom du représentant" in app.get("/dinamis/moderation/partners/import", headers=headers).body
        upload = {"upload": (io.BytesIO(WHOLE.encode("cp1252")), "a.csv")}
        page = app.post("/dinamis/moderation/partners/import", headers=headers, data=upload,
                        content_type="multipart/form-data")  # fmt: skip
        assert page.status_code == 200
        assert "Commune de Pau" in page.body
        forget()
        assert app.get("/dinamis/moderation/partners", headers=other, status=403).status_code == 403
