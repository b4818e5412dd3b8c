"""The synthetic catalogue: valid, labelled, always the same, and shaped like the real one."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter

import pystac
import pytest
import shapely
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from ckanext.dinamis_relais.sandbox import scenes

BASE = "http://127.0.0.1:18202/objects"
#: As the facts of the catalogue give it.
ID = re.compile(r"SPOT[67]_MS_\d{15}_SPOT[67]_P_\d{15}(_\d+)?")
BORDEAUX, LIMOGES, PAU = (-0.58, 44.84), (1.26, 45.83), (-0.37, 43.30)


@pytest.fixture(scope="module")
def stock() -> list[dict]:
    return list(scenes.items(2000, BASE))


def test_ids_follow_the_pattern_and_are_unique(stock):
    ids = [item["id"] for item in stock]
    assert len(set(ids)) == len(ids) == 2000
    assert all(ID.fullmatch(one) for one in ids)


def test_id_says_the_satellite_and_the_moment(stock):
    for item in stock:
        number, stamp = re.match(r"SPOT([67])_MS_(\d{15})", item["id"]).groups()
        moment = dt.datetime.fromisoformat(item["properties"]["datetime"].replace("Z", "+00:00"))
        assert item["properties"]["platform"] == f"spot-{number}"
        assert stamp == f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 100000}"
        assert dt.time(10, 30) <= moment.time() < dt.time(11)
        assert number == "6" or dt.date(2014, 6, 30) < moment.date() < dt.date(2023, 3, 1)


def test_same_seed_same_scenes_another_seed_others(stock):
    assert list(scenes.items(2000, BASE)) == stock
    assert {i["id"] for i in scenes.items(50, BASE, seed=2)}.isdisjoint(i["id"] for i in stock[:50])


def test_few_are_the_beginning_of_many_and_spread_over_the_years(stock):
    few = list(scenes.items(100, BASE))
    assert few == stock[:100]
    assert len({item["properties"]["datetime"][:4] for item in few}) == 10


def test_core_schemas_accept_items_and_collections(stock):
    # The core schemas come with pystac: nothing is fetched.
    validator = JsonSchemaSTACValidator()
    for item in stock[:40]:
        pystac.Item.from_dict(item)
        validator.validate_core(item, pystac.STACObjectType.ITEM, "1.1.0")
    for collection in scenes.collections(BASE):
        pystac.Collection.from_dict(collection)
        validator.validate_core(collection, pystac.STACObjectType.COLLECTION, "1.1.0")
    broken = {**stock[0], "bbox": None}
    with pytest.raises(pystac.errors.STACValidationError):
        validator.validate_core(broken, pystac.STACObjectType.ITEM, "1.1.0")


def test_each_says_it_is_synthetic(stock):
    assert all(item["properties"]["dinamis_relais:synthetic"] is True for item in stock)
    for collection in scenes.collections(BASE):
        assert "synthétique" in collection["title"]
        assert "synthétique" in collection["description"]


def test_collections_assets_and_addresses(stock):
    keys = {"dinamis-openspot-6-7": {"MS"}, "spot-6-7-drs": {"src_xs", "src_pan"}}
    shares = Counter(item["collection"] for item in stock)
    assert 0.6 < shares["dinamis-openspot-6-7"] / len(stock) < 0.8
    for item in stock:
        assert set(item["assets"]) == keys[item["collection"]]
        for asset in item["assets"].values():
            assert asset["href"].startswith(f"{BASE}/sandbox/{item['collection']}/{item['id']}/{item['id']}")
            assert asset["href"].endswith(".tif")
            assert asset["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
            assert asset["roles"] == ["data"]
    assert {int(i["properties"]["datetime"][:4]) for i in stock if i["collection"] == "spot-6-7-drs"} == set(
        range(2017, 2024)
    )


def test_cloud_cover_is_sometimes_unknown_and_never_beyond(stock):
    known = [c for item in stock if (c := item["properties"].get("eo:cloud_cover")) is not None]
    assert 0.85 < len(known) / len(stock) < 0.97
    assert all(0 <= cloud <= 100 for cloud in known)


def test_footprints_are_valid_slanted_and_about_sixty_kilometres(stock):
    for item in stock:
        shape = shapely.from_geojson(json.dumps(item["geometry"]))
        assert shape.is_valid and shape.exterior.is_ccw
        assert tuple(item["bbox"]) == shape.bounds
        assert shape.area < 0.9 * shapely.box(*shape.bounds).area
        assert 0.5 < shape.bounds[3] - shape.bounds[1] < 0.7
        assert shape.contains(shapely.Point(scenes.place(item["id"])))


@pytest.mark.parametrize("town", [BORDEAUX, LIMOGES, PAU])
def test_a_town_is_seen_in_most_years(stock, town):
    shapes = shapely.from_geojson([json.dumps(item["geometry"]) for item in stock])
    seen = shapely.contains_xy(shapes, *town)
    years = {item["properties"]["datetime"][:4] for item, here in zip(stock, seen, strict=True) if here}
    assert len(years) >= 8


def test_some_years_of_a_tile_were_never_acquired(stock):
    cells = {(scenes.place(item["id"]), item["properties"]["datetime"][:4]) for item in stock}
    assert 0.85 < len(cells) / (scenes.TILES * len(scenes.YEARS)) < 0.97


def test_place_of_an_unknown_id_is_unknown():
    assert scenes.place("SPOT7_MS_201805050926429_SPOT7_P_201805050926429_1") is None
    assert scenes.place("../../etc/passwd") is None


def test_written_files_hold_one_object_a_line(tmp_path):
    scenes.write(tmp_path / "new", 30, BASE + "/", seed=3)
    lines = (tmp_path / "new" / "items.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(scenes.items(30, BASE, seed=3))
    written = (tmp_path / "new" / "collections.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in written] == ["dinamis-openspot-6-7", "spot-6-7-drs"]
