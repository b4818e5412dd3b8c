"""A hundred real communes of Nouvelle-Aquitaine become partner organisations, with their real SIREN."""

from __future__ import annotations

import json

import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.membership.model import Application


@pytest.mark.usefixtures("with_plugins")
def test_a_hundred_real_communes(people, samples, entity_service):
    communes = json.loads((samples / "sirene" / "nouvelle_aquitaine_communes.json").read_text())["communes"]
    chosen = communes[:: len(communes) // 100][:100]
    for commune in chosen:
        entity_service.known[commune["siren"]] = {
            "siren": commune["siren"],
            "nom_complet": f"COMMUNE DE {commune['nom'].upper()}",
            "nature_juridique": "7210",
            "siege": {"commune": commune["code"], "libelle_commune": commune["nom"].upper()},
        }
        file = call_action(
            "dinamis_application_create", people.context("super_referent"),
            organization_title=f"Commune de {commune['nom']}", siren=commune["siren"], category="local_authority",
            territory_kind="commune", territory_code=commune["code"], territory_name=commune["nom"],
        )  # fmt: skip
        assert (file["siren"], file["presumption"]["level"]) == (commune["siren"], "presumed")
        assert file["entity_checked_at"]
    assert model.Session.query(Application).count() == len(chosen) == 100
    names = [f["organization_name"] for f in call_action(
        "dinamis_application_list", people.context("super_referent"), limit=200)["results"]]  # fmt: skip
    assert len(set(names)) == 100
    shown = call_action("organization_show", id=names[0])
    assert shown["dinamis_siren"] in {commune["siren"] for commune in chosen}
    assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]
