"""The configuration of a source, and the explorer's filters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ckanext.dinamis_relais.imagery import filters, settings


def test_nothing_means_everything() -> None:
    assert settings.parse("") == settings.parse(None) == settings.Settings()


def test_every_key_is_read() -> None:
    given = {
        "collections": ["a"], "bbox": [-1.8, 42.7, 2.7, 47.2], "datetime": "2017-01-01T00:00:00Z/..",
        "asset_roles": {"multispectral": ["MS2"]}, "page_size": 500, "headers": {"access-key": "k"},
        "max_vanished": 0.5,
    }  # fmt: skip
    found = settings.parse(json.dumps(given))
    assert (found.collections, found.page_size, found.max_vanished) == (["a"], 500, 0.5)
    assert found.asset_roles["multispectral"] == ["MS2"]
    assert found.asset_roles["thumbnail"] == settings.ASSET_ROLES["thumbnail"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "no valid JSON"),
        ("[]", "no JSON object"),
        ({"colections": []}, "Unknown key: colections"),
        ({"collections": "a"}, "collections: give a list"),
        ({"bbox": [5, 1, 2, 3]}, "bbox: give"),
        ({"bbox": [0, 0, 400, 1]}, "bbox: give"),
        ({"datetime": "2017"}, "datetime: '2017'"),
        ({"datetime": "../.."}, "datetime: give"),
        ({"asset_roles": {"red": ["r"]}}, "unknown role 'red'"),
        ({"page_size": 0}, "page_size: give"),
        ({"page_size": True}, "page_size: give"),
        ({"headers": {"a": "b\r\nc"}}, "headers: the value of 'a'"),
        ({"max_vanished": 2}, "max_vanished: give"),
    ],
)
def test_what_is_wrong_is_named(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings.parse(given if isinstance(given, str) else json.dumps(given))


def test_filters_go_to_the_address_and_back() -> None:
    args = {"place": "Bègles", "from": "2020-01-01", "to": "2020-12-31", "cloud": "10", "platform": "spot-6"}
    found, wrong = filters.read(args)
    assert (wrong, found.year, found.params()) == ([], 2020, args)
    assert found.active == ["place", "cloud", "platform", "period"]
    assert found.without("period").params() == {"place": "Bègles", "cloud": "10", "platform": "spot-6"}


def test_filters_become_a_search() -> None:
    found, _ = filters.read({"from": "2020-01-01", "cloud": "10", "collection": "spot", "bbox": "-1,44,0,45"})
    assert found.body(None) == {
        "bbox": [-1.0, 44.0, 0.0, 45.0], "datetime": "2020-01-01T00:00:00Z/..",
        "query": {"eo:cloud_cover": {"lte": 10.0}}, "collections": ["spot"],
    }  # fmt: skip
    assert "intersects" in found.body({"type": "Point", "coordinates": [0, 45]})


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ({"from": "yesterday"}, ["start"]),
        ({"to": "2020-13-01"}, ["end"]),
        ({"cloud": "nan"}, ["cloud"]),
        ({"bbox": "1,2,3"}, ["bbox"]),
        ({"bbox": "nan,nan,nan,nan"}, ["bbox"]),
    ],
)
def test_a_filter_that_makes_no_sense_is_left_out_and_named(args: dict[str, str], wrong: list[str]) -> None:
    found, named = filters.read(args)
    assert (named, found.params()) == (wrong, {})


def test_a_period_the_wrong_way_round_is_turned() -> None:
    found, _ = filters.read({"from": "2021-01-01", "to": "2020-01-01"})
    assert (found.start, found.end) == ("2020-01-01", "2021-01-01")
