"""Filters in CQL2: what they find, what they refuse, and that nothing of them is ever read as SQL."""

from __future__ import annotations

from typing import Any

import cql2
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.dinamis_relais.imagery import cql, queryables, search

from .conftest import item

QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def ids(engine: Any, filter_: Any, language: str | None = None) -> list[str]:
    body = {"filter": filter_, "filter-lang": language, "limit": 1000, "sortby": "+id"}
    found = search.run(engine, search.parse(body, queryables.stored(engine)))
    return [key[1][-1] for key in found.keys]


@pytest.fixture
def five(load: Any) -> None:
    """One to five, a year apart; five knows no cloud cover and covers a week."""
    scenes = [
        item(
            number, datetime=f"{2019 + number}-07-01T10:00:00Z", platform=f"SPOT {6 + number % 2}", gsd=1.5 * number,
            **{"eo:cloud_cover": 10.0 * number, "view:incidence_angle": 20 - number,
               "title": f"L'été n°{number} 50%_\\",
               "instruments": ["naomi"] if number < 4 else ["naomi", "other"], "flag": number == 2,
               "created": f"2024-01-0{number}T00:00:00+02:00", "mixed": number if number < 3 else "three"},
        )
        for number in range(1, 6)
    ]  # fmt: skip
    del scenes[4]["properties"]["eo:cloud_cover"], scenes[4]["properties"]["created"]
    scenes[4]["properties"].update(
        {"datetime": None, "start_datetime": "2024-07-01T10:00:00Z", "end_datetime": "2024-07-08T10:00:00Z"}
    )
    scenes[3]["geometry"] = {"type": "Point", "coordinates": [40.0, -10.0]}
    load(scenes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eo:cloud_cover <= 20", "12"),
        ("eo:cloud_cover <> 20", "134"),
        ("NOT (eo:cloud_cover <= 20)", "34"),
        ("eo:cloud_cover IS NULL", "5"),
        ("properties.eo:cloud_cover IS NOT NULL", "1234"),
        ("eo:cloud_cover BETWEEN 15 AND 30", "23"),
        ("eo:cloud_cover NOT BETWEEN 15 AND 30", "14"),
        ("20 >= eo:cloud_cover", "12"),
        ("gsd = 1.5 OR gsd = 3 AND eo:cloud_cover = 99", "1"),
        ("(gsd = 1.5 OR gsd = 3) AND eo:cloud_cover = 20", "2"),
        ("platform = 'SPOT 7'", "135"),
        ("platform = 'spot-7'", "135"),
        ("platform IN ('spot-6', 'none')", "24"),
        ("platform LIKE 'SPOT%'", "12345"),
        ("platform LIKE 'spot%'", ""),
        ("CASEI(platform) LIKE CASEI('spot%')", "12345"),
        ("collection = 'spot' AND id LIKE '%00_'", "12345"),
        ("id NOT LIKE '%2'", "1345"),
        ("CASEI(id) IN (CASEI('spot6_00003'))", "3"),
        ("CASEI(title) = casei('L''ÉTÉ N°1 50%_\\')", "1"),
        (r"title LIKE 'L''été n°_ 50\%\_\\'", "12345"),
        (r"title LIKE '%50\_%'", ""),
        ("view:incidence_angle > 16", "123"),
        ("flag", "2"),
        ("flag = true", "2"),
        ("NOT flag", "1345"),
        ("mixed = 2", "2"),
        ("mixed = 'three'", "345"),
        ("mixed > 1", "2"),
        ("datetime > TIMESTAMP('2022-07-01T10:00:00Z')", "45"),
        ("datetime >= '2022-07-01T12:00:00+02:00'", "345"),
        ("datetime < DATE('2021-01-01')", "1"),
        ("T_AFTER(datetime, TIMESTAMP('2022-07-01T10:00:00Z'))", "45"),
        ("T_BEFORE(datetime, DATE('2021-01-01'))", "1"),
        ("T_DURING(datetime, INTERVAL('2021-01-01T00:00:00Z', '2022-12-31T00:00:00Z'))", "23"),
        ("T_INTERSECTS(datetime, INTERVAL('2024-07-03T00:00:00Z', '..'))", "5"),
        ("T_INTERSECTS(INTERVAL(start_datetime, end_datetime), INTERVAL('..', '2021-07-01T10:00:00Z'))", "12"),
        ("T_EQUALS(datetime, TIMESTAMP('2020-07-01T10:00:00Z'))", "1"),
        ("T_CONTAINS(datetime, INTERVAL('2024-07-02T00:00:00Z', '2024-07-03T00:00:00Z'))", "5"),
        ("T_STARTEDBY(datetime, TIMESTAMP('2024-07-01T10:00:00Z'))", "5"),
        ("T_DISJOINT(datetime, INTERVAL('2020-01-01', '2024-01-01'))", "5"),
        ("created > TIMESTAMP('2024-01-02T22:00:00Z')", "4"),
        ("S_INTERSECTS(geometry, POINT(40 -10))", "4"),
        ("S_INTERSECTS(geometry, BBOX(-1, 44, 1, 46))", "1235"),
        ("S_WITHIN(geometry, POLYGON((-2 44, 1 44, 1 46, -2 46, -2 44)))", "1235"),
        ("S_CONTAINS(geometry, POINT(-0.5 45))", "1235"),
        ("S_DISJOINT(geometry, BBOX(-1, 44, 1, 46))", "4"),
        ("S_INTERSECTS(POINT(40 -10), geometry)", "4"),
        ("A_CONTAINS(instruments, ('other'))", "45"),
        ("A_EQUALS(instruments, ('naomi'))", "123"),
        ("A_OVERLAPS(instruments, ('x', 'other'))", "45"),
        ("A_CONTAINEDBY(instruments, ('naomi', 'other', 'x'))", "12345"),
        ("start_datetime = end_datetime", "1234"),
        ("true", "12345"),
        ("id = ''", ""),
    ],
)
def test_what_a_filter_finds(engine: Any, five: None, text: str, expected: str) -> None:
    assert "".join(ids(engine, text)) == expected
    as_json = cql2.parse_text(text).to_json()
    assert "".join(ids(engine, as_json)) == expected
    assert "".join(ids(engine, orjson.dumps(as_json).decode(), "cql2-json")) == expected


def test_the_bounds_of_between_may_stand_in_a_list(engine: Any, five: None) -> None:
    assert ids(engine, {"op": "between", "args": [{"property": "eo:cloud_cover"}, [15, 30]]}) == ["2", "3"]


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ("eo:cloud_cover <= 10 AND", "line 1, column 25"),
        ("eo:cloud_cover == 10", "column 17, it cannot be understood from '= 10' on"),
        ("colour = 'red'", "Unknown property 'colour'"),
        ("eo:cloud_cover = 'ten'", "cannot be compared"),
        ("platform < 5", "'platform' (text) and a number cannot be compared"),
        ("datetime > 'yesterday'", "is no date"),
        ("datetime > TIMESTAMP('2020-13-01T00:00:00Z')", "is no date"),
        ("gsd LIKE 'a'", "LIKE compares a text"),
        ("id LIKE 'a\\'", "ends with"),
        ("id IN ()", "line 1"),
        ("gsd + 1 = 2", "Expected a property or a value"),
        ("buffer(geometry, 1) = 2", "Expected a property or a value"),
        ("S_INTERSECTS(id, POINT(0 0))", "is no geometry"),
        ("S_BEYOND(geometry, POINT(0 0))", "Unknown operator 's_beyond'"),
        ("T_AFTER(gsd, TIMESTAMP('2020-01-01T00:00:00Z'))", "is no time"),
        ("A_CONTAINS(id, ('x'))", "A list is compared with a list"),
        ("gsd", "is neither true nor false"),
        ("geometry = 1", "cannot be compared"),
        ("", "line 1, column 1"),
        ("gsd = 1e999", "too large"),
        ("(" * 60 + "gsd = 1" + ")" * 60, "too deep"),
        ("NOT " * 2000 + "gsd = 1", "too deep"),
        ("gsd = " + "-" * 2000 + "1", "too deep"),
        (" OR ".join(["gsd = 1"] * 1500), "too deep"),
        (5, "Give it as a text"),
        ([], "Give it as a text"),
        ({"op": "and", "args": []}, "joins nothing"),
        ({"op": "=", "args": [{"property": "gsd"}]}, "takes 2 arguments"),
        ({"op": "=", "args": [{"property": ["gsd"]}, 1]}, "Unknown property"),
        ({"op": "=", "args": [{"property": "gsd"}, None]}, "at .args[1]"),
        ({"op": "=", "args": [{"property": "id"}, "\x00"]}, "NUL"),
        ({"op": "=", "args": [{"property": "id"}, "\ud800"]}, "half a pair"),
        ({"op": "in", "args": [{"property": "id"}, []]}, "at least one value"),
        ({"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": 3}]}, "GeoJSON"),
        ({"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": ["a"]}]}, "BBOX"),
        ({"op": "=", "args": [{"property": "gsd"}, 10**400]}, "too large"),
        ({"args": []}, "Expected a condition"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(engine: Any, five: None, filter_: Any, said: str) -> None:
    with pytest.raises(search.SearchError) as error:
        search.parse({"filter": filter_}, queryables.stored(engine))
    assert error.value.field == "filter"
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": "gsd = 1", "filter-lang": "ecql"}, "filter-lang"),
        ({"filter": {"op": "not", "args": [True]}, "filter-lang": "cql2-text"}, "filter"),
        ({"filter": "gsd = 1", "filter-lang": "cql2-json"}, "filter"),
        ({"filter": "gsd = 1", "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/2154"}, "filter-crs"),
    ],
)
def test_languages_and_reference_systems(body: dict[str, Any], field: str) -> None:
    with pytest.raises(search.SearchError) as error:
        search.parse(body)
    assert error.value.field == field
    search.parse({"filter": "gsd = 1", "filter-crs": cql.CRS84})


@QUIET
@given(text=st.text(max_size=40))
def test_a_text_is_only_ever_compared(engine: Any, five: None, text: str) -> None:
    """Whatever stands in a literal, it is a value: no error of SQL's, and the store is as before."""
    quoted = "'" + text.replace("'", "''") + "'"
    for filter_ in (
        {"op": "=", "args": [{"property": "title"}, text]}, {"op": "like", "args": [{"property": "id"}, text]},
        f"id = {quoted}", {"op": "=", "args": [{"property": text}, 1]}, text,
    ):  # fmt: skip
        try:
            found = ids(engine, filter_)
        except search.SearchError:
            continue
        assert len(found) <= 5
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM scene")).scalar() == 5


NUMBERS = st.integers(-5, 60).map(float)
PROPERTIES = st.sampled_from(["eo:cloud_cover", "gsd"])
LEAVES = st.one_of(
    st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), PROPERTIES, NUMBERS).map(
        lambda one: {"op": one[0], "args": [{"property": one[1]}, one[2]]}
    ),
    st.tuples(NUMBERS, NUMBERS).map(
        lambda one: {"op": "between", "args": [{"property": "view:incidence_angle"}, *one]}
    ),
    st.lists(st.sampled_from(["SPOT6_00001", "SPOT6_00003", "x'y"]), min_size=1).map(
        lambda one: {"op": "in", "args": [{"property": "id"}, one]}
    ),
    PROPERTIES.map(lambda one: {"op": "isNull", "args": [{"property": one}]}),
)  # fmt: skip
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: {"op": "not", "args": [one]}),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)).map(
            lambda one: {"op": one[0], "args": one[1]}
        ),
    ),
    max_leaves=8,
)


def holds(node: dict[str, Any], values: dict[str, Any]) -> bool | None:
    """The filter by the words of the standard, with the three values of SQL."""
    op, args = node["op"], node["args"]
    if op == "not":
        found = holds(args[0], values)
        return None if found is None else not found
    if op in ("and", "or"):
        each = [holds(one, values) for one in args]
        decisive = op == "or"
        return decisive if decisive in each else None if None in each else not decisive
    value = values.get(args[0]["property"])
    if op == "isNull" or value is None:
        return value is None if op == "isNull" else None
    if op in ("between", "in"):
        return value in args[1] if op == "in" else args[1] <= value <= args[2]
    return {
        "=": value == args[1], "<>": value != args[1], "<": value < args[1], "<=": value <= args[1],
        ">": value > args[1], ">=": value >= args[1],
    }[op]  # fmt: skip


@QUIET
@given(filter_=FILTERS)
def test_text_and_json_mean_the_same_and_what_they_say(engine: Any, five: None, filter_: dict[str, Any]) -> None:
    values = {
        str(number): {
            "eo:cloud_cover": 10.0 * number if number < 5 else None, "gsd": 1.5 * number,
            "view:incidence_angle": 20 - number, "id": f"SPOT6_0000{number}",
        }
        for number in range(1, 6)
    }  # fmt: skip
    expected = [number for number, one in values.items() if holds(filter_, one)]
    assert ids(engine, filter_) == expected
    assert ids(engine, cql2.parse_json(orjson.dumps(filter_).decode()).to_text()) == expected
