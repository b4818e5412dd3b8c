"""API Géo: canned territories by the real contract, with real outlines."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry import shape

from ckanext.dinamis_relais.sandbox.entities import data

COMMUNE = {"nom", "code", "codeDepartement", "siren", "codeEpci", "codeRegion", "codesPostaux", "population"}


def ask(client, path, **query):
    answer = client.get(f"/geo/{path}", query_string=query)
    assert answer.status_code == 200
    return answer.json


def names(client, path="communes", **query):
    return [one["nom"] for one in ask(client, path, **query)]


def test_begles_with_the_fields_given_by_default(client):
    found = ask(client, "communes/33039")
    assert set(found) == COMMUNE
    assert (found["nom"], found["siren"], found["codeEpci"]) == ("Bègles", "213300395", "243300316")
    assert found["codesPostaux"] == ["33130"]


def test_fields_that_are_asked_and_no_others(client):
    assert set(ask(client, "communes/33039", fields="population")) == {"nom", "code", "population"}
    found = ask(client, "communes/33039", fields="nom,code,contour,centre,surface,bbox")
    assert set(found) == {"nom", "code", "contour", "centre", "surface", "bbox"}
    assert found["centre"]["type"] == "Point"
    assert 900 < found["surface"] < 1100


def test_name_without_accents_the_exact_one_first(client):
    assert names(client, nom="begles") == ["Bègles"]
    assert ask(client, "communes", nom="Bègles")[0]["_score"] == 1
    assert names(client, nom="la", boost="population")[0] == "La Rochelle"
    assert names(client, nom="saint junien") == ["Saint-Junien"]
    assert names(client, nom="zzz") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"codePostal": "33130"}, ["Bègles"]),
        ({"code": "33039"}, ["Bègles"]),
        ({"siren": "213300395"}, ["Bègles"]),
        ({"codeDepartement": "64"}, ["Pau", "Bayonne", "Biarritz"]),
        ({"codeEpci": "200067106"}, ["Bayonne", "Biarritz"]),
        ({"codeEpci": "200067106", "limit": 1}, ["Bayonne"]),
        ({"codeRegion": "76"}, []),
        ({"lat": 44.808, "lon": -0.549}, ["Bègles"]),
        ({"lat": 44.838, "lon": -0.579}, ["Bordeaux"]),
        ({"lat": 48.85, "lon": 2.35}, []),
    ],
)
def test_communes_by_what_they_are_and_where(client, query, found):
    assert names(client, **query) == found


def test_every_commune_is_found_at_its_own_centre(client):
    for commune in data()["communes"]:
        longitude, latitude = commune["centre"]
        assert names(client, lat=latitude, lon=longitude) == [commune["nom"]]


@pytest.mark.parametrize(("kind", "count"), [("communes", 37), ("epcis", 31), ("departements", 12), ("regions", 1)])
def test_outlines_are_valid_and_in_the_region(client, kind, count):
    answer = ask(client, kind, format="geojson", geometry="contour", codeRegion="75")
    assert answer["type"] == "FeatureCollection"
    assert len(answer["features"]) == count
    for feature in answer["features"]:
        outline = shape(feature["geometry"])
        assert outline.is_valid
        assert outline.area > 0
        assert shapely.box(-2, 42.7, 2.7, 47.3).contains(outline)
        assert not {"contour", "centre", "bbox"} & set(feature["properties"])


@pytest.mark.parametrize("kind", ["communes", "epcis", "departements", "regions"])
def test_geojson_gives_the_geometry_that_is_asked(client, kind):
    code = {"communes": "33039", "epcis": "243300316", "departements": "33", "regions": "75"}[kind]
    kinds = {}
    for wanted in ("centre", "contour", "bbox", "nobody"):
        feature = ask(client, f"{kind}/{code}", format="geojson", geometry=wanted)
        assert feature["type"] == "Feature"
        assert feature["properties"]["code"] == code
        kinds[wanted] = feature["geometry"]["type"]
    assert kinds["centre"] == kinds["nobody"] == "Point"
    assert kinds["bbox"] == "Polygon"
    assert kinds["contour"].endswith("Polygon")


def test_what_belongs_to_what(client):
    assert set(names(client, "epcis/243300316/communes")) == {"Bordeaux", "Bègles", "Mérignac", "Pessac", "Talence"}
    assert set(names(client, "departements/64/communes")) == {"Pau", "Bayonne", "Biarritz"}
    assert len(names(client, "regions/75/departements")) == 12
    assert names(client, "epcis", codeDepartement="87") == ["CU Limoges Métropole", "CC Porte Océane du Limousin"]
    assert names(client, "departements", nom="gironde") == ["Gironde"]


@pytest.mark.parametrize(
    "path",
    ["communes/99999", "epcis/1", "departements/75", "regions/76", "regions/75/communes", "epcis/1/communes"],
)
def test_unknown_is_404(client, path):
    assert client.get(f"/geo/{path}").status_code == 404


def test_a_page_of_another_site_may_ask(client):
    assert client.get("/geo/communes/33039").headers["Access-Control-Allow-Origin"] == "*"
