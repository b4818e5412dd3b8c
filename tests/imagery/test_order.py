"""Pages in any order, forwards and backwards: each scene once, and what fields give of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from ckanext.dinamis_relais.imagery import fields, queryables, search, stac

from .conftest import item

NAMES = ("datetime", "eo:cloud_cover", "platform", "id", "collection", "view:incidence_angle", "title", "flag", "gsd")
SORTS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("asc", "desc"))), max_size=4).map(
    lambda keys: [{"field": name, "direction": direction} for name, direction in keys]
)


@pytest.fixture
def many(load: Any) -> list[tuple[str, str]]:
    """Thirty scenes with the same few values, and many unknown ones, in two collections."""
    scenes = []
    for number in range(15):
        scene = item(
            number, datetime=f"2020-01-0{1 + number % 3}T10:00:00Z", platform=("spot-6", "spot-7")[number % 2],
            title=f"t{number % 4}", flag=number % 3 == 0, **{"eo:cloud_cover": number % 4 * 10.5},
        )  # fmt: skip
        if number % 5 == 0:
            del scene["properties"]["eo:cloud_cover"], scene["properties"]["title"], scene["properties"]["flag"]
        if number % 4 == 0:
            scene["properties"]["view:incidence_angle"] = 0.1 * number
        scenes.append(scene)
    load(orjson.loads(orjson.dumps(scenes)))
    load([{**scene, "collection": "other"} for scene in scenes], "other")
    return [(name, scene["id"]) for name in ("other", "spot") for scene in scenes]


def pages(engine: Any, body: dict[str, Any], known: Any) -> tuple[list[Any], list[Any]]:
    """All pages by the links to the next, then all by the links to the one before."""
    onward: list[Any] = []
    page = search.run(engine, search.parse(body, known))
    assert page.before is None
    while True:
        onward.append(page)
        assert len(onward) < 100
        if page.token is None:
            break
        page = search.run(engine, search.parse({**body, "token": page.token}, known))
    back = [page]
    while page.before is not None:
        page = search.run(engine, search.parse({**body, "token": page.before}, known))
        back.insert(0, page)
        assert len(back) < 100
    return onward, back


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sortby=SORTS, limit=st.integers(1, 12))
def test_a_walk_through_all_pages_finds_each_scene_once(
    engine: Any, many: list[tuple[str, str]], sortby: list[dict[str, str]], limit: int
) -> None:
    known = queryables.stored(engine)
    whole = search.run(engine, search.parse({"sortby": sortby, "limit": 1000}, known)).keys
    assert sorted(whole) == sorted(many)
    onward, back = pages(engine, {"sortby": sortby, "limit": limit}, known)
    assert [key for page in onward for key in page.keys] == whole
    assert [page.keys for page in back] == [page.keys for page in onward]
    assert {page.matched for page in onward + back} == {30}


@pytest.mark.parametrize(
    ("sortby", "first", "last"),
    [
        ("+eo:cloud_cover", 0.0, None),
        ("-properties.eo:cloud_cover", 31.5, None),
        (" eo:cloud_cover", 0.0, None),
        ([{"field": "eo:cloud_cover", "direction": "desc"}, {"field": "eo:cloud_cover"}], 31.5, None),
    ],
)
def test_the_unknown_comes_last_in_both_directions(
    engine: Any, many: Any, sortby: Any, first: float, last: float | None
) -> None:
    found = search.run(engine, search.parse({"sortby": sortby, "limit": 100}, queryables.stored(engine)))
    values = [orjson.loads(one)["properties"].get("eo:cloud_cover") for one in found.items]
    assert (values[0], values[-1]) == (first, last)
    known = [one for one in values if one is not None]
    assert known == sorted(known, reverse=first > 0)
    assert values[len(known) :] == [None] * 6


def test_a_token_of_another_order_is_refused(engine: Any, many: Any) -> None:
    token = search.run(engine, search.parse({"limit": 2})).token
    with pytest.raises(search.SearchError) as error:
        search.parse({"limit": 2, "token": token, "sortby": "+id"})
    assert error.value.field == "token"


def test_a_scene_that_goes_shifts_no_page_back_either(engine: Any, many: Any) -> None:
    first = search.run(engine, search.parse({"limit": 5, "sortby": "+id"}))
    second = search.run(engine, search.parse({"limit": 5, "sortby": "+id", "token": first.token}))
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM scene WHERE id = :id"), {"id": second.keys[0][1]})
    again = search.run(engine, search.parse({"limit": 5, "sortby": "+id", "token": second.before}))
    assert again.keys[:4] == first.keys[:4]
    assert again.before is None
    assert again.token is not None


def test_too_many_are_not_counted_unless_it_must_be(engine: Any, many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "COUNT_UP_TO", 20)
    world = {"bbox": [-180, -90, 180, 90]}
    first = search.run(engine, search.parse({**world, "limit": 5}))
    assert first.matched is None
    assert search.run(engine, search.parse({**world, "limit": 5, "token": first.token})).matched is None
    assert search.run(engine, search.parse({**world, "limit": 5}), exact=True).matched == 30
    assert search.run(engine, search.parse({**world, "limit": 50})).matched == 30
    assert search.run(engine, search.parse({"limit": 5})).matched == 30


def test_a_search_that_takes_too_long_is_refused(engine: Any, many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = search.Search({"filter": sa.text("pg_sleep(5) IS NOT NULL")}, limit=1)
    monkeypatch.setattr(search, "PAGE_WITHIN", 50)
    with pytest.raises(search.SearchError, match="takes too long"):
        search.run(engine, slow)
    with pytest.raises(OperationalError):
        search.run(sa.create_engine("postgresql://nobody@127.0.0.1:9/none"), search.parse({}))


@pytest.mark.parametrize(
    ("asked", "given_"),
    [
        ("id,properties.datetime", {"type", "stac_version", "id", "collection", "properties.datetime"}),
        ("datetime", {"type", "stac_version", "id", "collection", "properties.datetime"}),
        ("properties,-properties.datetime", {"type", "stac_version", "id", "collection", "properties.eo:cloud_cover"}),
        (
            {"include": ["properties.datetime"], "exclude": ["properties"]},
            {"type", "stac_version", "id", "collection", "properties.datetime"},
        ),
        ({"include": ["bbox"], "exclude": ["bbox"]}, {"type", "stac_version", "id", "collection", "bbox"}),
        (
            {"exclude": ["assets", "links", "geometry", "properties.datetime"]},
            {"type", "stac_version", "id", "collection", "bbox", "stac_extensions", "properties.eo:cloud_cover"},
        ),
        (
            "-assets",
            {"type", "stac_version", "id", "collection", "bbox", "geometry", "links", "properties.datetime"},
        ),
        (
            {},
            {"type", "stac_version", "id", "collection", "bbox", "geometry", "links", "assets", "properties.datetime"},
        ),
        ({"include": [], "exclude": ["properties", "bbox", "geometry", "links", "assets", "stac_version"]},
         {"type", "stac_version", "id", "collection"}),
        ("nothing.at.all", {"type", "stac_version", "id", "collection"}),
    ],
)  # fmt: skip
def test_fields(engine: Any, load: Any, asked: Any, given_: set[str]) -> None:
    load([item(1)])
    found = search.run(engine, search.parse({}))
    text = stac.item_collection(stac.Site("http://site", "Site"), found, [], fields.parse(asked))
    feature = orjson.loads(text)["features"][0]
    names = {name for name in feature if name != "properties"}
    assert names | {f"properties.{name}" for name in feature.get("properties", {})} == given_
    if "links" in given_:
        assert feature["links"][0] == {
            "rel": "self", "href": "http://site/dinamis/stac/collections/spot/items/SPOT6_00001",
            "type": "application/geo+json",
        }  # fmt: skip


@pytest.mark.parametrize("asked", [5, {"include": "id"}, {"exclude": [1]}, ["id"]])
def test_fields_that_are_none(asked: Any) -> None:
    with pytest.raises(search.SearchError) as error:
        search.parse({"fields": asked})
    assert error.value.field == "fields"
