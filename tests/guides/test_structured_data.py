"""ckanext-dcat's description of a dataset's page: it needs the schema of the type "dataset" beside ours."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest
from ckan.tests import factories
from ckanext.dcat.helpers import structured_data

ROOT = Path(__file__).parents[2]
KEY = "scheming.dataset_schemas"


def test_the_demonstrations_types_are_those_of_the_tests():
    found = []
    for name in ("test.ini", "config/ckan.ini"):
        read = configparser.ConfigParser(interpolation=None)
        read.read(ROOT / name, encoding="utf-8")
        found.append(read["app:main"][KEY])
    assert found[0] == found[1]


@pytest.mark.usefixtures("with_plugins")
def test_a_series_and_a_plain_dataset_are_described(people, migrate_db_for, browser):
    migrate_db_for("harvest")
    owner = people.organization["id"]
    series = factories.Dataset(owner_org=owner, type="imagery-series", title="Série", collection="c", year=2023)
    plain = factories.Dataset(owner_org=owner, title="Simple", extras=[{"key": "mine", "value": "kept"}])
    assert plain["extras"] == [{"key": "mine", "value": "kept"}]
    for dataset in (series, plain):
        graph = json.loads(structured_data(dataset))["@graph"]
        assert next(one for one in graph if one["@type"] == "schema:Dataset")["schema:name"] == dataset["title"]
    assert browser.get("anonymous", f"/imagery-series/{series['name']}").status_code == 200
    assert browser.get("anonymous", f"/dataset/{plain['name']}").status_code == 200
