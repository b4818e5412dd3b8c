"""Recherche d'entreprises: canned bodies by the real contract."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft4Validator
from stdnum.fr import siren, siret

from ckanext.dinamis_relais.sandbox import entities

URL = "/recherche-entreprises/search"


@pytest.fixture(autouse=True)
def without_haste(request, monkeypatch):
    """Tests ask faster than a person may."""
    if "throttle" not in request.node.name:
        monkeypatch.setattr(entities, "PER_SECOND", 10**6)


def ask(client, **query):
    return client.get(URL, query_string=query)


def names(client, **query):
    return [one["nom_complet"] for one in ask(client, **query).json["results"]]


def test_begles_by_siren_siret_and_name(client):
    (found,) = ask(client, q="213300395").json["results"]
    assert (found["siren"], found["nature_juridique"]) == ("213300395", "7210")
    assert found["siege"]["commune"] == "33039"
    assert names(client, q=found["siege"]["siret"]) == [found["nom_complet"]]
    assert names(client, q="begles")[0] == found["nom_complet"]
    assert names(client, q="BÈGLES")[0] == found["nom_complet"]


@pytest.mark.parametrize("query", ["213300396", "00000000000000", "zzzzzz"])
def test_unknown_is_200_without_a_result(client, query):
    answer = ask(client, q=query)
    assert answer.status_code == 200
    assert (answer.json["results"], answer.json["total_results"], answer.json["total_pages"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "Veuillez indiquer au moins un paramètre de recherche."),
        ({"q": "ab"}, "3 caractères minimum pour les termes de la requête (ou utilisez au moins un filtre)"),
        ({"q": "begles", "per_page": "26"}, "`per_page` entre `1` et `25`"),
        ({"q": "begles", "per_page": "x"}, "`per_page` entre `1` et `25`"),
        ({"q": "begles", "page": "0"}, "`page` entre `1` et `1000`"),
        ({"q": "begles", "include": "siege"}, "`minimal=True`"),
        ({"q": "begles", "minimal": "true", "include": "siege,nobody"}, "Au moins un champ à inclure est non valide."),
        ({"q": "begles", "page": "1000", "per_page": "25"}, "restreint à 10 000"),
    ],
)
def test_faults_are_400_with_the_words_of_the_real_service(client, query, words):
    answer = ask(client, **query)
    assert (answer.status_code, set(answer.json)) == (400, {"erreur"})
    assert words in answer.json["erreur"]


def test_minimal_and_include_choose_the_parts(client):
    def parts(**query):
        return set(ask(client, q="213300395", **query).json["results"][0]) & set(entities.PARTS)

    assert parts() == set(entities.PARTS) - {"score"}
    assert parts(minimal="true") == set()
    assert parts(minimal="true", include="siege,complements") == {"siege", "complements"}


def test_filters_narrow_a_text_and_are_ignored_beside_a_siren(client):
    assert names(client, q="commune", departement="33", nature_juridique="7210")
    assert "COMMUNE DE PAU" not in names(client, departement="33", per_page="25")
    assert names(client, nature_juridique="7230") == ["REGION NOUVELLE-AQUITAINE"]
    assert names(client, q="213300395", departement="16") == names(client, q="213300395")


def test_pages_hold_each_body_once(client):
    size, seen = 25, []
    first = ask(client, nature_juridique="7210,7220,7346", per_page=size).json
    for page in range(1, first["total_pages"] + 1):
        seen += [
            r["siren"] for r in ask(client, nature_juridique="7210,7220,7346", per_page=size, page=page).json["results"]
        ]
    assert len(seen) == len(set(seen)) == first["total_results"] > size


def test_throttle_by_address_with_retry_after(client):
    answers = [ask(client, q="213300395") for _ in range(9)]
    assert [a.status_code for a in answers] == [200] * 7 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_throttle_counts_seconds_and_addresses():
    throttle = entities.Throttle()
    assert [throttle.refuses("a", 0.1 * n) for n in range(8)] == [False] * 7 + [True]
    assert not throttle.refuses("b", 0.8)
    assert not throttle.refuses("a", 1.05)
    assert throttle.refuses("a", 1.06)


def test_every_number_passes_its_check_and_says_what_is_made_up():
    bodies = entities.data()["bodies"]
    assert len({b["siren"] for b in bodies}) == len(bodies) >= 60
    for body in bodies:
        assert siren.is_valid(body["siren"])
        assert siret.is_valid(body["siret"])
        assert body["siret"].startswith(body["siren"])
        assert {"siret", "adresse"} <= set(body["synthetique"])
        assert ("(synthétique)" in body["nom"]) is ("siren" in body["synthetique"])


def test_kinds_of_bodies():
    kinds = {b["nature_juridique"] for b in entities.data()["bodies"]}
    assert {"7210", "7220", "7230", "7343", "7344", "7346", "7348", "9220", "5710", "7383"} == kinds
    assert sum(b["nature_juridique"] == "7220" for b in entities.data()["bodies"]) == 12
    towns = {c["nom"] for c in entities.data()["communes"]}
    assert {
        "Bordeaux", "Bègles", "Angoulême", "La Rochelle", "Tulle", "Guéret", "Périgueux", "Mont-de-Marsan", "Agen",
        "Pau", "Niort", "Poitiers", "Limoges",
    } <= towns  # fmt: skip


def test_answers_pass_the_real_contract(client, samples):
    contract = yaml.safe_load((samples / "sirene" / "recherche-entreprises-openapi.yml").read_text(encoding="utf-8"))
    schema = nullable({**contract["components"]["schemas"]["payload"], "components": contract["components"]})
    answer = ask(client, q="213300395", minimal="true", include="siege,complements").json
    assert [fault.message for fault in Draft4Validator(schema).iter_errors(answer)] == []


def nullable(node):
    """OpenAPI 3.0's ``nullable`` in the words of JSON Schema; examples are no schema."""
    if isinstance(node, list):
        return [nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: nullable(value) for key, value in node.items() if key not in ("example", "nullable")}
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found
