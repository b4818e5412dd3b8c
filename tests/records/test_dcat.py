"""Series in DCAT-AP: complete by SHACL, and the pages that ckanext-dcat adds something to work for series too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ckan.tests import factories
from pyshacl import validate
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, RDF

from ckanext.dinamis_relais.access.licences import MODEL
from ckanext.dinamis_relais.records.dcat import DCAT

SHAPES = Path(__file__).with_name("shapes.ttl")
FORMATS = {"ttl": "turtle", "xml": "xml", "jsonld": "json-ld"}


def graph(app: Any, series: dict[str, Any], form: str = "ttl") -> Graph:
    found = Graph()
    found.parse(data=app.get(f"/dataset/{series['name']}.{form}").get_data(), format=FORMATS[form])
    return found


@pytest.mark.parametrize("form", FORMATS)
def test_a_series_satisfies_the_shapes_in_every_form(app: Any, catalogue: Any, form: str) -> None:
    holds, _, report = validate(graph(app, catalogue(), form), shacl_graph=str(SHAPES))
    assert holds, report


def test_the_shapes_see_what_is_missing(app: Any, catalogue: Any) -> None:
    made = graph(app, catalogue())
    made.remove((None, DCAT.endpointURL, None))
    made.remove((None, DCTERMS.license, None))
    holds, _, report = validate(made, shacl_graph=str(SHAPES))
    assert not holds and "endpointURL" in report and "license" in report


def test_the_scenes_are_served_by_the_stac_api(app: Any, catalogue: Any) -> None:
    series = catalogue()
    made = graph(app, series)
    service = URIRef("http://test.ckan.net/dinamis/stac")
    dataset = URIRef(f"http://test.ckan.net/dataset/{series['id']}")
    assert (service, DCAT.servesDataset, dataset) in made
    (distribution,) = made.subjects(DCAT.accessService, service)
    assert (distribution, DCAT.accessURL, URIRef("http://test.ckan.net/dinamis/stac/collections/spot/items")) in made


def test_it_has_the_identifier_of_its_record_in_iso(app: Any, catalogue: Any) -> None:
    series = catalogue()
    (subject,) = graph(app, series).subjects(RDF.type, DCAT.Dataset)
    assert f">{subject}<" in app.get(f"/dinamis/iso/{series['name']}.xml").body


def test_the_operators_licence_is_that_of_each_distribution(
    app: Any, catalogue: Any, ckan_config: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    file = tmp_path / "licences.yaml"
    text = MODEL.read_text(encoding="utf-8").replace("model: true", "model: false")
    file.write_text(text.replace('url: ""', 'url: "https://licence.example/spot"'), encoding="utf-8")
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.image_licences", str(file))
    made = graph(app, catalogue())
    assert set(made.objects(None, DCTERMS.license)) == {URIRef("https://licence.example/spot")}
    assert any(str(one).startswith("©") for one in made.objects() if isinstance(one, Literal))
    holds, _, report = validate(made, shacl_graph=str(SHAPES))
    assert holds, report


def test_another_dataset_is_left_as_ckanext_dcat_makes_it(app: Any, catalogue: Any) -> None:
    series = catalogue()
    made = graph(app, factories.Dataset(owner_org=series["owner_org"]))
    assert not list(made.subjects(RDF.type, DCAT.DataService))


def test_the_whole_catalogue_holds_the_series(app: Any, catalogue: Any) -> None:
    series = catalogue()
    made = Graph()
    made.parse(data=app.get("/catalog.ttl").get_data(), format="turtle")
    assert (URIRef(f"http://test.ckan.net/dataset/{series['id']}"), RDF.type, DCAT.Dataset) in made


@pytest.mark.parametrize("path", ["/imagery-series/{name}", "/dataset/{name}", "/dataset/{id}"])
def test_its_page_works_and_holds_structured_data(app: Any, catalogue: Any, path: str) -> None:
    series = catalogue()
    page = BeautifulSoup(app.get(path.format(**series)).body, "html.parser")
    assert page.find("h1").get_text(strip=True) == series["title"]  # type: ignore[union-attr]
    script = page.find("script", type="application/ld+json")
    assert series["title"] in json.dumps(json.loads(script.string), ensure_ascii=False)  # type: ignore[union-attr,arg-type]
