"""Searches: every member, keyset paging, bad input."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from ckanext.dinamis_relais.imagery import looking, search, series, tiles

from .conftest import item


def found(engine: Any, **body: Any) -> list[str]:
    return [orjson.loads(text)["id"] for text in search.run(engine, search.parse(body)).items]


@pytest.fixture
def three(load: Any) -> None:
    unknown = item(3, datetime="2021-07-01T10:00:00Z", platform="spot-7")
    del unknown["properties"]["eo:cloud_cover"]
    far = item(4, datetime="2022-07-01T10:00:00Z", **{"eo:cloud_cover": 60.0})
    far["geometry"] = {"type": "Point", "coordinates": [40.0, -10.0]}
    load([item(1, datetime="2020-07-01T10:00:00Z", **{"eo:cloud_cover": 5.0}), unknown, far])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["SPOT6_00004", "SPOT6_00003", "SPOT6_00001"]),
        ({"bbox": [-0.6, 44.7, -0.5, 44.8]}, ["SPOT6_00003", "SPOT6_00001"]),
        ({"bbox": "-0.6,44.7,-0.5,44.8"}, ["SPOT6_00003", "SPOT6_00001"]),
        ({"bbox": [-0.6, 44.7, 0, -0.5, 44.8, 100]}, ["SPOT6_00003", "SPOT6_00001"]),
        ({"bbox": [30, -20, -170, 20]}, ["SPOT6_00004"]),
        ({"intersects": {"type": "Point", "coordinates": [40.0, -10.0]}}, ["SPOT6_00004"]),
        ({"datetime": "2021-01-01T00:00:00Z/2021-12-31T00:00:00Z"}, ["SPOT6_00003"]),
        ({"datetime": "2021-07-01T12:00:00+02:00"}, ["SPOT6_00003"]),
        ({"datetime": "../2020-12-31T00:00:00Z"}, ["SPOT6_00001"]),
        ({"datetime": "2022-01-01T00:00:00Z/.."}, ["SPOT6_00004"]),
        ({"query": {"eo:cloud_cover": {"lte": 10}}}, ["SPOT6_00001"]),
        ({"query": {"platform": {"eq": "spot-7"}}}, ["SPOT6_00003"]),
        ({"ids": ["SPOT6_00001", "SPOT6_00004"]}, ["SPOT6_00004", "SPOT6_00001"]),
        ({"ids": ["SPOT6_00001"], "datetime": "2022-01-01T00:00:00Z/2022-12-31T00:00:00Z"}, []),
        ({"collections": ["other"]}, []),
        ({"sortby": [{"field": "properties.datetime", "direction": "desc"}], "limit": 1}, ["SPOT6_00004"]),
    ],
)
def test_members(engine: Any, three: None, body: dict[str, Any], expected: list[str]) -> None:
    assert found(engine, **body) == expected


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"bbox": [1, 5, 2, 4]}, "bbox"),
        ({"bbox": "a,b,c,d"}, "bbox"),
        ({"bbox": [0, 0, 1, 1], "intersects": {"type": "Point", "coordinates": [0, 0]}}, "bbox"),
        ({"intersects": {"type": "Nothing"}}, "intersects"),
        ({"intersects": "Bordeaux"}, "intersects"),
        ({"datetime": "hier"}, "datetime"),
        ({"datetime": "../.."}, "datetime"),
        ({"datetime": "2022-01-01T00:00:00Z/2021-01-01T00:00:00Z"}, "datetime"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"token": "%%%"}, "token"),
        ({"token": "bm9uc2Vuc2U"}, "token"),
        ({"query": {"gsd; DROP TABLE scene": {"lte": 1}}}, "query"),
        ({"query": {"eo:cloud_cover": {"like": 1}}}, "query"),
        ({"query": {"eo:cloud_cover": {"lte": "1"}}}, "query"),
        ({"sortby": "+nothing"}, "sortby"),
        ({"sortby": [{"field": "datetime", "direction": "up"}]}, "sortby"),
        ({"sortby": "geometry"}, "sortby"),
        ({"collections": 5}, "collections"),
    ],
)
def test_bad_searches_name_the_member(body: dict[str, Any], member: str) -> None:
    with pytest.raises(search.SearchError) as error:
        search.parse(body)
    assert error.value.field == member
    assert str(error.value)


def test_keyset_pages_give_each_scene_once_also_at_equal_times(engine: Any, load: Any) -> None:
    same = [item(number, datetime="2020-01-01T10:00:00Z") for number in range(7)]
    load([*same, *(item(number) for number in range(100, 120))])
    load([item(number, datetime="2020-01-01T10:00:00Z") for number in range(7)], "zweite")
    seen: list[tuple[str, str]] = []
    token, pages = None, 0
    while pages < 20:
        page = search.run(engine, search.parse({"limit": 4, "token": token}))
        assert page.matched == 34
        seen += page.keys
        pages, token = pages + 1, page.token
        if token is None:
            break
    assert (len(seen), len(set(seen)), pages) == (34, 34, 9)


@pytest.mark.parametrize("looked_at", [1, 7, 40, looking.FIRST])
@pytest.mark.parametrize("limit", [4, 25])
@pytest.mark.parametrize(
    "area",
    [
        {"intersects": {"type": "Point", "coordinates": [0.005, 44.8]}},
        {"bbox": [0.0049, 44.79, 0.0051, 44.81], "datetime": "2014-01-01T00:00:00Z/..", "collections": ["spot"]},
    ],
)
def test_pages_of_an_area_are_the_same_wherever_they_are_looked_for_first(
    engine: Any, load: Any, monkeypatch: pytest.MonkeyPatch, looked_at: int, limit: int, area: dict[str, Any]
) -> None:
    monkeypatch.setattr(looking, "FIRST", looked_at)
    # Every third at one time; those from 31 to 90 lie over the area.
    dated = [item(number, **({} if number % 3 else {"datetime": "2015-02-01T10:40:00Z"})) for number in range(120)]
    load(dated)
    there = [one for one in dated if 31 <= int(one["id"][-5:]) <= 90]
    by_id = sorted(there, key=lambda one: one["id"])
    wanted = [one["id"] for one in sorted(by_id, key=lambda one: one["properties"]["datetime"], reverse=True)]
    body = {**area, "limit": limit}
    pages = [search.run(engine, search.parse(body))]
    while pages[-1].token:
        pages.append(search.run(engine, search.parse({**body, "token": pages[-1].token})))
    assert [key[1] for one in pages for key in one.keys] == wanted
    assert {one.matched for one in pages} == {len(wanted)}
    for page, before in zip(pages[1:], pages, strict=False):
        assert search.run(engine, search.parse({**body, "token": page.before})).keys == before.keys


def test_an_area_under_more_scenes_than_can_be_counted_is_not_counted(
    engine: Any, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load([item(number) for number in range(30)])
    area = {"bbox": [-180, -90, 180, 90], "limit": 10}
    assert search.run(engine, search.parse(area)).matched == 30
    monkeypatch.setattr(looking, "FIRST", 20)
    monkeypatch.setattr(looking, "all_", lambda _connection: 1e6)
    with monkeypatch.context() as counting:
        counting.setattr(search, "_allow", lambda _connection, time: time == search.PAGE_WITHIN or pytest.fail("begun"))
        assert search.run(engine, search.parse(area)).matched is None
    assert search.run(engine, search.parse(area), exact=True).matched == 30


def test_how_many_scenes_there_are_is_told_without_a_look_at_them(engine: Any, load: Any) -> None:
    load([item(number) for number in range(300)])
    with engine.connect() as connection:
        assert 30 < looking.all_(connection) < 30_000


def test_a_scene_loaded_meanwhile_shifts_no_page(engine: Any, load: Any) -> None:
    load([item(number, datetime=f"2020-01-{number:02d}T10:00:00Z") for number in range(1, 11)])
    first = search.run(engine, search.parse({"limit": 5}))
    load([item(number, datetime=f"2020-01-{number:02d}T10:00:00Z") for number in range(1, 16)])
    second = search.run(engine, search.parse({"limit": 5, "token": first.token}))
    assert [key[1] for key in second.keys] == [f"SPOT6_{number:05d}" for number in range(5, 0, -1)]


def test_years_ignore_the_period(engine: Any, three: None) -> None:
    checked = search.parse({"datetime": "2021-01-01T00:00:00Z/2021-12-31T00:00:00Z"})
    assert search.beside(engine, checked).years == [(2020, 1), (2021, 1), (2022, 1)]


def test_series_count_what_is_held(engine: Any, three: None) -> None:
    first, second, third = series.of_collection(engine, "spot")
    assert [one.year for one in (first, second, third)] == [2020, 2021, 2022]
    assert (first.cloud, second.cloud, second.platforms) == (5.0, None, ["spot-7"])
    wanted = series.dataset_of(second, {"title": "SPOT"}, "http://source", "http://site")
    assert wanted["title"] == "SPOT – 2021"
    assert wanted["cloud_mean"] == ""
    assert "1 scène acquise par SPOT 7, le 1er juillet 2021." in wanted["notes"]
    assert "connue pour aucune" in wanted["notes"]


def test_tiles_hold_footprints_and_below_zoom_7_a_grid(engine: Any, three: None) -> None:
    everything = search.parse({})
    near = tiles.tile(engine, everything, 8, 127, 92)
    assert b"SPOT6_00001" in near and b"SPOT6_00004" not in near
    grid = tiles.tile(engine, everything, 4, 7, 5)
    assert b"count" in grid and b"SPOT6" not in grid
    assert tiles.tile(engine, everything, 8, 0, 0) == b""
