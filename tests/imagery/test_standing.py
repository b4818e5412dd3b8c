"""A line that is stored as it stands gives the same scene as the usual way; what is doubtful goes the usual way."""

from __future__ import annotations

import json
import random
from typing import Any

import orjson
import pytest

from ckanext.dinamis_relais.imagery import standing
from ckanext.dinamis_relais.imagery.normalise import Normalised, Scene, normalise_many
from ckanext.dinamis_relais.sandbox import scenes

from .conftest import item

LINKS = [{"rel": "self", "href": "https://s.example/1"}, {"rel": "license", "href": "../licence", "title": "Licence"}]


def whole(**members: Any) -> dict[str, Any]:
    """An item to which nothing must be added."""
    made = {**item(1), "stac_version": "1.1.0", "stac_extensions": [], "bbox": [-0.89, 44.6, -0.29, 45.1]}
    asset = {"href": "https://s.example/1.tif", "roles": ["data"], "title": "Une scène, l’été"}
    return {**made, "assets": {"MS": asset}, "links": LINKS, **members}


def line(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"


def both(text: bytes) -> tuple[Normalised, Normalised]:
    """Made of a line as it stands, and the usual way."""
    found = standing.read(text)
    assert found is not None
    name = found["collection"]
    return normalise_many([(found, name)])[0], normalise_many([(orjson.loads(text), name)])[0]


def columns(scene: Scene) -> Any:
    return scene._replace(item=b""), json.loads(scene.item)


@pytest.mark.parametrize(
    "value",
    [
        whole(),
        {**{key: value for key, value in whole().items() if key != "links"}, "links": []},
        {"links": LINKS, **{key: value for key, value in whole().items() if key != "links"}},
        whole(foreign={"a": [1, None, "é"]}),
        whole(geometry={"type": "Point", "coordinates": [-0.5, 44.8, 12.0]}),
        whole(properties={"datetime": None, "start_datetime": "2020-01-01T00:00:00Z",
                          "end_datetime": "2020-02-01T00:00:00+01:00", "gsd": 6}),
    ],
)  # fmt: skip
def test_the_same_scene_either_way(value: dict[str, Any]) -> None:
    stands, usual = both(line(value))
    assert stands.scene and usual.scene
    assert (stands.problems, usual.problems) == ([], [])
    assert columns(stands.scene) == columns(usual.scene)
    body, links = stands.scene.item.rsplit(b',"links":', 1)
    assert (json.loads(body + b"}"), json.loads(links[:-1])) == (
        {key: one for key, one in json.loads(usual.scene.item).items() if key != "links"},
        json.loads(usual.scene.item)["links"],
    )


@pytest.mark.parametrize(
    "text",
    [
        b"<html>", b"", b"[]", line(item(1)), line(whole(id="")), line(whole(id=7)), line(whole(type="Collection")),
        line(whole(collection=None)), line(whole(bbox=[1, 2])), line(whole(bbox=None)), line(whole(geometry=None)),
        line(whole(properties={"title": "without a date"})),
        line(whole(properties={"datetime": "2020-01-01T00:00:00Z", "proj:epsg": 2154})),
        line(whole(properties={"datetime": "2020-01-01T00:00:00Z", "eo:cloud_cover": None})),
        line(whole(assets={"MS": {"href": "./1.tif"}})), line(whole(assets={"MS": {"title": "no address"}})),
        line(whole(assets={"MS": {"href": "https://s.example/1.tif", "proj:epsg": 2154}})),
        line({key: one for key, one in whole().items() if key != "stac_extensions"}),
        line(whole(links=[{"rel": "license"}])), line(whole(links=None)), line(whole(title='a "quoted" word')),
        line(whole(nested={"links": LINKS})),
        line(whole()).replace("é".encode(), b"\xe9"), line(whole()).replace(b"44.6", b"NaN"),
        line(whole()).replace(b'"data"', b'"da\\u0000ta"'), line(whole())[:-3],
    ],
)  # fmt: skip
def test_what_is_doubtful_goes_the_usual_way(text: bytes) -> None:
    assert standing.read(text) is None


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"properties": {"datetime": "2020-01-01T00:00:00"}}, "properties.datetime"),
        ({"properties": {"datetime": "yesterday"}}, "properties.datetime"),
        ({"properties": {"datetime": "2020-01-01T00:00:00Z", "eo:cloud_cover": 120}}, "properties.eo:cloud_cover"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": [500, 44]}}, "geometry"),
    ],
)  # fmt: skip
def test_what_is_found_only_later_is_told_and_repaired_as_usual(members: dict[str, Any], field: str) -> None:
    stands, usual = both(line(whole(**members)))
    assert stands == usual
    assert [problem.field for problem in stands.problems] == [field]


def test_any_line_gives_what_it_gives_the_usual_way() -> None:
    """Lines of the sandbox with some bytes changed: none is taken that is no JSON, and none comes out otherwise."""
    chance = random.Random(7)  # repeatable, nothing to guess
    lines = [line(one) for one in scenes.items(40, "http://127.0.0.1:1/objects")]
    letters = b'{}[]",:\\ 0123456789.eE+-tfnulasr\t\x00\x7f\xc3\xa9'
    stood = 0
    for number in range(6000):
        text = bytearray(lines[number % len(lines)])
        for _change in range(chance.randrange(3)):
            at = chance.randrange(len(text) - 1)
            if chance.random() < 0.5:
                text[at] = chance.choice(letters)
            else:
                del text[at : at + chance.randrange(1, 4)]
        if standing.read(bytes(text)) is None:
            continue
        stood += 1
        stands, usual = both(bytes(text))
        assert stands.problems == usual.problems
        assert (stands.scene is None) == (usual.scene is None)
        if stands.scene and usual.scene:
            assert columns(stands.scene) == columns(usual.scene)
    assert stood > 2000
