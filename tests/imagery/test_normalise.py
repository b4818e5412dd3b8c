"""Items of every version and of every crookedness."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ckanext.dinamis_relais.imagery.describe import natural_colours
from ckanext.dinamis_relais.imagery.normalise import fingerprint, normalise, platform_of

from .conftest import item


def stored(raw: dict[str, Any]) -> dict[str, Any]:
    scene = normalise(raw, "spot", "http://source.example/items").scene
    assert scene
    return json.loads(scene.item)


def only_problem(raw: Any) -> Any:
    result = normalise(raw, "spot")
    assert result.scene is None
    return next(problem for problem in result.problems if problem.fatal)


@pytest.mark.parametrize("version", ["0.9.0", "1.0.0-beta.2", "1.0.0", "1.1.0"])
def test_every_version_becomes_1_1(version: str) -> None:
    raw = {**item(), "stac_version": version, "stac_extensions": []}
    raw["properties"]["proj:epsg"] = 2154
    found = stored(raw)
    assert found["stac_version"] == "1.1.0"
    assert found["properties"]["proj:code"] == "EPSG:2154"
    assert "proj:epsg" not in found["properties"]


def test_missing_bbox_is_computed_and_the_source_is_left_as_it_is() -> None:
    raw = item(1)
    before = json.dumps(raw)
    assert stored(raw)["bbox"] == pytest.approx([-0.89, 44.6, -0.29, 45.1])
    assert json.dumps(raw) == before


def test_unknown_cloud_stays_unknown() -> None:
    raw = item()
    del raw["properties"]["eo:cloud_cover"]
    result = normalise(raw, "spot")
    assert result.scene and result.scene.cloud is None
    assert "eo:cloud_cover" not in json.loads(result.scene.item)["properties"]


@pytest.mark.parametrize("value", [-1, 101, "10", True])
def test_impossible_cloud_is_unknown_and_noted(value: Any) -> None:
    result = normalise(item(**{"eo:cloud_cover": value}), "spot")
    assert result.scene and result.scene.cloud is None
    assert [problem.field for problem in result.problems] == ["properties.eo:cloud_cover"]
    assert not result.problems[0].fatal


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (None, "no geometry"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[[0, None], [1, 1], [1, 0], [0, None]]]}, "GeoJSON"),
        ({"type": "Polygon", "coordinates": [[[4e5, 6e6], [5e5, 6e6], [5e5, 7e6], [4e5, 6e6]]]}, "degrees"),
        ("POINT(0 0)", "no geometry"),
    ],
)
def test_unusable_geometry_is_reported_with_item_field_problem_and_remedy(geometry: Any, said: str) -> None:
    problem = only_problem({**item(7), "geometry": geometry})
    assert (problem.item_id, problem.field) == ("SPOT6_00007", "geometry")
    assert said in problem.problem
    assert problem.remedy
    assert "SPOT6_00007" in str(problem)


def test_self_crossing_footprint_is_repaired_with_a_note() -> None:
    ring = [[0, 45], [1, 46], [1, 45], [0, 46], [0, 45]]
    result = normalise({**item(), "geometry": {"type": "Polygon", "coordinates": [ring]}}, "spot")
    assert result.scene
    assert json.loads(result.scene.item)["geometry"]["type"] == "MultiPolygon"
    assert [(problem.field, problem.fatal) for problem in result.problems] == [("geometry", False)]


@pytest.mark.parametrize("raw", [None, [], "text", {"type": "FeatureCollection", "id": "a"}])
def test_what_is_no_item_is_reported(raw: Any) -> None:
    assert only_problem(raw).field == "type"


def test_item_without_id_is_reported() -> None:
    raw = item()
    del raw["id"]
    assert only_problem(raw).field == "id"


def test_item_without_date_is_reported_and_a_period_will_do() -> None:
    raw = item(datetime=None)
    assert only_problem(raw).field == "properties.datetime"
    raw["properties"] |= {"start_datetime": "2020-01-01T00:00:00Z", "end_datetime": "2020-01-31T00:00:00Z"}
    scene = normalise(raw, "spot").scene
    assert scene and (scene.moment.day, scene.end.day) == (1, 31)


def test_date_without_zone_is_utc_with_a_note() -> None:
    result = normalise(item(datetime="2020-05-06T10:00:00.123456789"), "spot")
    assert result.scene and result.scene.moment.isoformat() == "2020-05-06T10:00:00.123456+00:00"
    assert result.problems[0].field == "properties.datetime"


def test_date_with_another_zone_is_converted() -> None:
    scene = normalise(item(datetime="2020-05-06T12:00:00+02:00"), "spot").scene
    assert scene and scene.moment.hour == 10


def test_links_of_the_source_tree_go_and_its_address_stays() -> None:
    raw = item()
    raw["links"] = [
        {"rel": "self", "href": "http://source.example/a/item.json"},
        {"rel": "root", "href": "../catalog.json"},
        {"rel": "license", "href": "licence.html"},
    ]
    raw["assets"] = {"MS": {"href": "./ms.tif"}, "bad": {"title": "no href"}}
    found = stored(raw)
    assert [(link["rel"], link["href"]) for link in found["links"]] == [
        ("license", "http://source.example/a/licence.html"),
        ("via", "http://source.example/a/item.json"),
    ]
    assert found["assets"] == {"MS": {"href": "http://source.example/a/ms.tif"}}
    assert list(found)[-1] == "links"


def test_nul_characters_and_giants_are_reported() -> None:
    assert "NUL" in only_problem(item(title="a\x00b")).problem
    assert "bytes" in only_problem(item(title="a" * 2_100_000)).problem


@pytest.mark.parametrize(
    ("raw", "platform"),
    [
        ({"id": "x", "properties": {"platform": "SPOT-7"}}, "spot-7"),
        ({"id": "UKSA_SPOT155_DS_SPOT6_2018", "properties": {}}, "spot-6"),
        ({"id": "DS_PHR1B_2020", "properties": {}}, "pleiades-1b"),
        ({"id": "x", "properties": {"platform": "sentinel-2a"}}, "sentinel-2a"),
        ({"id": "S2A_2020", "properties": {}}, None),
    ],
)
def test_platform_is_read_and_never_invented(raw: dict[str, Any], platform: str | None) -> None:
    assert platform_of(raw) == platform


def test_fingerprint_knows_content_from_tree() -> None:
    raw = item()
    same = {**raw, "links": [{"rel": "self", "href": "http://elsewhere"}]}
    assert fingerprint(raw) == fingerprint(same)
    assert fingerprint(raw) != fingerprint(item(**{"eo:cloud_cover": 2.0}))


@pytest.mark.parametrize(
    ("asset", "bands"),
    [
        ({"eo:bands": [{"common_name": name} for name in ("red", "green", "blue", "nir")]},
         {"red": 1, "green": 2, "blue": 3}),
        # STAC 1.1, in the order of the satellite's own names.
        ({"bands": [{"eo:common_name": "blue"}, {"eo:common_name": "green"}, {"eo:common_name": "red"}]},
         {"red": 3, "green": 2, "blue": 1}),
        ({"eo:bands": [{"name": "P", "common_name": "pan"}]}, {}),
        ({"bands": [{"name": "B0"}, "B1", {"eo:common_name": "red"}]}, {"red": 3}),
        ({"bands": "none"}, {}),
        ({}, {}),
    ],
)  # fmt: skip
def test_which_bands_are_natural_colours(asset: dict[str, Any], bands: dict[str, int]) -> None:
    assert natural_colours(asset) == bands
