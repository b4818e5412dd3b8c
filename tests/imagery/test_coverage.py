"""The action that says which scenes cover a territory: years, holes, what is kept, what goes wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan.lib.redis import connect_to_redis
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.imagery import chores, covering, kept_coverage, store, territories
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable

from .conftest import item
from .geo import Geo

pytestmark = [
    pytest.mark.usefixtures("with_plugins"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
]

#: A made-up commune, a square of 0.1 degrees.
WEST, SOUTH = -0.6, 44.7
SQUARE = [[WEST, SOUTH], [WEST + 0.1, SOUTH], [WEST + 0.1, SOUTH + 0.1], [WEST, SOUTH + 0.1], [WEST, SOUTH]]


def feature(code: str, name: str, ring: Any = None) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]} if ring else None
    return {"type": "Feature", "properties": {"code": code, "nom": name}, "geometry": geometry}


@pytest.fixture
def square(geo: Geo) -> Geo:
    """API Géo draws the commune 33999 as the square; nothing of its coverage is kept."""
    for key in connect_to_redis().scan_iter("dinamis:coverage:*:commune:33999:*"):
        connect_to_redis().delete(key)
    geo.said["/communes"] = {"type": "FeatureCollection", "features": [feature("33999", "Carré", SQUARE)]}
    return geo


def scene(number: int, west: float, east: float, when: str, cloud: float | None = 5.0, north: float = 1.0) -> Any:
    """A scene over a part of the square: from ``west`` to ``east`` and from its south to ``north``, 0 to 1."""
    made = item(number, datetime=f"{when}T10:40:00Z")
    made["id"] = f"S{number}"
    made["properties"]["platform"] = "spot-6"
    made["properties"]["eo:cloud_cover"] = cloud
    if cloud is None:
        del made["properties"]["eo:cloud_cover"]
    w, e, n = WEST + west / 10, WEST + east / 10, SOUTH + north / 10
    made["geometry"]["coordinates"] = [[[w, SOUTH], [e, SOUTH], [e, n], [w, n], [w, SOUTH]]]
    return made


def asked(**data: Any) -> dict[str, Any]:
    return call_action("dinamis_scene_coverage", **{"kind": "commune", "code": "33999", **data})


def test_each_year_has_its_share_its_fewest_scenes_and_its_holes(engine: Any, load: Any, square: Geo) -> None:
    load([
        scene(1, 0, 0.6, "2020-05-01"), scene(2, 0.5, 1, "2020-06-01", 15.0), scene(3, 0.2, 0.7, "2020-09-01", None),
        scene(4, 0, 1, "2022-07-01", None, north=0.75),
    ])  # fmt: skip
    found = asked()
    assert found["territory"]["label"] == "Carré (33999)"
    assert found["territory"]["area_km2"] == pytest.approx(87.9, abs=0.5)
    first, none, last = found["years"]
    assert (first["year"], first["share"], first["count"], first["holes"]["features"]) == (2020, 1.0, 3, [])
    assert [(one["id"], one["share"]) for one in first["scenes"]] == [("S1", 0.6), ("S2", 0.5)]
    assert (first["latest"]["id"], first["best"]["id"], first["latest"]["cloud"]) == ("S3", "S1", None)
    assert first["cloud"] == pytest.approx((5 * 0.6 + 15 * 0.5) / 1.1, abs=0.1)
    assert (none["year"], none["share"], none["scenes"], none["best"]) == (2021, 0.0, [], None)
    assert none["holes"]["features"][0]["properties"]["area_km2"] == pytest.approx(found["territory"]["area_km2"], 1e-3)
    assert last["share"] == pytest.approx(0.75, abs=1e-3) and last["cloud"] is None
    (hole,) = last["holes"]["features"]
    assert hole["properties"]["direction"] == "n"
    assert last["hole_km2"] == pytest.approx(found["territory"]["area_km2"] / 4, rel=1e-2)
    assert min(point[1] for point in hole["geometry"]["coordinates"][0]) == pytest.approx(SOUTH + 0.075, abs=1e-5)


def test_years_may_be_chosen_and_nonsense_is_refused(engine: Any, load: Any, square: Geo) -> None:
    load([scene(1, 0, 1, "2020-05-01"), scene(2, 0, 1, "2022-05-01")])
    assert [one["year"] for one in asked(years=["2022", 2020])["years"]] == [2020, 2022]
    assert [one["year"] for one in asked(years="2022")["years"]] == [2022]
    for wrong in ([], "x", ["2022", "2022-2023"], list(range(1900, 1940)), [0]):
        if wrong:
            with pytest.raises(tk.ValidationError, match="list of at most"):
                asked(years=wrong)
    with pytest.raises(tk.ValidationError, match="commune, EPCI"):
        asked(kind="canton")
    for code in ("3399", "33999999", "../x", "33998"):
        with pytest.raises(tk.ObjectNotFound):
            asked(code=code)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The years that were computed, in their order; empty it to begin anew."""
    years: list[int] = []
    answer = covering._answer

    def noted(engine: Any, territory: Any, place: Any, year: int, around: Any) -> dict[str, Any]:
        years.append(year)
        return answer(engine, territory, place, year, around)

    monkeypatch.setattr(covering, "_answer", noted)
    return years


def test_a_year_is_kept_until_a_harvest_changes_a_scene_of_it(
    engine: Any, load: Any, square: Geo, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held() -> list[Any]:
        return [scene(1, 0, 0.5, "2020-05-01"), scene(2, 0, 0.5, "2021-05-01")]

    load(held())
    before = asked()
    assert computed == [2021, 2020]
    computed.clear()
    with monkeypatch.context() as patch:
        patch.setattr(covering, "_look", lambda *_: pytest.fail("the scenes were looked at"))
        assert asked() == before
        load(held())
        assert asked() == before, "a harvest that changes nothing changes no answer"
    load([*held(), scene(9, 20, 21, "2020-05-01")])
    assert (asked(), computed) == (before, []), "a scene elsewhere"
    load([*held(), scene(3, 0.5, 1, "2020-06-01")])
    assert ([one["share"] for one in asked()["years"]], computed) == ([pytest.approx(1), pytest.approx(0.5)], [2020])
    load([*held(), scene(3, 0.5, 0.7, "2020-06-01")])
    assert (asked()["years"][0]["share"], computed) == (pytest.approx(0.7), [2020, 2020]), "as many, one of them other"
    computed.clear()
    store.clear(engine, "source")
    assert (asked(years=[2020])["years"][0]["share"], computed) == (0, [2020])


def test_a_year_that_the_catalogue_grows_by_is_computed_alone(
    engine: Any, load: Any, square: Geo, computed: list[int]
) -> None:
    load([scene(1, 0, 1, "2020-05-01")])
    asked()
    computed.clear()
    load([scene(1, 0, 1, "2020-05-01"), scene(2, 0, 1, "2023-05-01")])
    assert [one["share"] for one in asked()["years"]] == [pytest.approx(1), 0, 0, pytest.approx(1)]
    assert computed == [2023, 2022, 2021]


def test_an_outline_that_moved_is_compared_anew(engine: Any, load: Any, square: Geo, computed: list[int]) -> None:
    load([scene(1, 0, 1, "2020-05-01")])
    asked()
    square.forget()
    half = [[WEST, SOUTH], [WEST + 0.2, SOUTH], [WEST + 0.2, SOUTH + 0.1], [WEST, SOUTH + 0.1], [WEST, SOUTH]]
    square.said["/communes"] = {"type": "FeatureCollection", "features": [feature("33999", "Carré", half)]}
    assert (asked()["years"][0]["share"], computed) == (pytest.approx(0.5), [2020, 2020])


def test_years_are_given_in_short_but_for_the_one_that_is_shown(
    engine: Any, load: Any, square: Geo, computed: list[int]
) -> None:
    load([scene(1, 0, 1, "2020-05-01"), scene(2, 5, 6, "2021-05-01")])
    full = asked()["years"]
    for whole, shown in (("newest", [2020]), ("none", []), ("2021", [2021]), (2020, [2020]), ("1999", [])):
        years = asked(whole=whole)["years"]
        assert [one["year"] for one in years if "scenes" in one] == shown
        assert [one for one in years if "scenes" in one] == [one for one in full if one["year"] in shown]
        short = [(one["share"], one["count"], one["scene_count"], one["hole_count"]) for one in years]
        assert short == [(1.0, 1, 1, 0), (0.0, 0, 0, 1)]
    computed.clear()
    for key in connect_to_redis().scan_iter("dinamis:coverage:*:commune:33999:*:whole"):
        connect_to_redis().delete(key)
    assert (asked(whole="newest")["years"][0], computed) == (full[0], [2020]), "Redis lost what it had of it"
    for wrong in ("some", "-1", "²", ["2020"]):
        with pytest.raises(tk.ValidationError, match="newest"):
            asked(whole=wrong)


def test_years_that_there_was_no_time_for_are_put_off_the_newest_first(
    engine: Any, load: Any, square: Geo, monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(1, 0, 1, "2020-05-01"), scene(2, 0, 1, "2021-05-01")])
    # The end of the time, then one look at the clock before each year but the first: the second comes too late.
    clock = iter([0.0, 99.0])
    with monkeypatch.context() as patch:
        patch.setattr(covering, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        assert [one["share"] for one in asked()["years"]] == [None, pytest.approx(1)]
    assert [one["share"] for one in asked()["years"]] == [pytest.approx(1)] * 2


def test_of_very_many_scenes_the_clearest_are_compared(
    engine: Any, load: Any, square: Geo, monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(1, 0, 1, "2020-05-01", 90.0), scene(2, 0, 0.5, "2020-06-01", 1.0), scene(3, 0, 1, "2020-07-01", None)])
    monkeypatch.setattr(covering, "MOST", 1)
    (year,) = asked()["years"]
    assert not year["compared"] and [one["id"] for one in year["scenes"]] == ["S2"]


def test_a_database_that_takes_too_long_is_said(
    engine: Any, load: Any, square: Geo, monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(1, 0, 1, "2020-05-01")])
    in_time = covering.in_time
    monkeypatch.setattr(covering, "in_time", lambda bind, _query: in_time(bind, sa.text("SELECT pg_sleep(9)"), 0.05))
    with pytest.raises(tk.ValidationError, match="fewer years"):
        asked()


def test_a_service_that_is_down_is_said_and_an_older_outline_serves(engine: Any, load: Any, square: Geo) -> None:
    load([scene(1, 0, 1, "2020-05-01")])
    square.down = True
    with pytest.raises(tk.ValidationError, match="API Géo"):
        asked()
    square.forget()
    square.down = False
    asked()
    square.down = True
    square.forget("*:fresh")
    assert asked()["territory"]["name"] == "Carré"


def test_a_departement_is_the_union_of_its_communes(geo: Geo) -> None:
    """API Géo itself draws communes and EPCI only; it answers a list without outlines for the others."""
    east = [[x + 0.1, y] for x, y in SQUARE]
    geo.said["/departements"] = [{"code": "40", "nom": "Landes"}]
    geo.said["/departements/40/communes"] = {
        "type": "FeatureCollection",
        "features": [feature("40001", "Ouest", SQUARE), feature("40002", "Est", east), feature("40003", "Vide")],
    }
    found = territories.read("departement", "40")
    assert found and found.name == "Landes" and found.outline
    assert found.km2 == pytest.approx(175.7, abs=1)
    assert len(found.outline["coordinates"][0]) <= 7, "the side between the two is gone"


def test_a_region_whose_departements_take_too_long_is_gone_on_with(geo: Geo, monkeypatch: pytest.MonkeyPatch) -> None:
    geo.said["/regions"] = [{"code": "75", "nom": "Nouvelle-Aquitaine"}]
    clock = iter([0.0, 0.0, 99.0])
    with monkeypatch.context() as patch, pytest.raises(PlaceUnavailable):
        patch.setattr(territories, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        territories.read("region", "75")
    geo.asked.clear()
    found = territories.read("region", "75")
    assert found and found.km2 > 80_000
    assert sum("/departements?code" in path for path in geo.asked) == 11, "the first was kept"


@pytest.mark.parametrize(
    ("text", "first", "alone"),
    [
        ("begles", "Bègles (33039)", True),
        ("33039", "Bègles (33039)", True),
        ("Gironde (33)", "Gironde (33)", True),
        ("75", "Nouvelle-Aquitaine (75)", True),
        ("243300316", "Bordeaux Métropole (243300316)", True),
        ("Bordeaux", "Bordeaux (33063)", False),
    ],
)
def test_a_territory_is_found_by_name_code_or_label(geo: Geo, text: str, first: str, alone: bool) -> None:
    found = territories.search(text)
    assert found[0].label == first and (len(found) == 1) is alone
    assert territories.search("Nulleparville") == []


@pytest.fixture
def renewal(ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A worker that has just begun, and finds each change at once; no département is the relay's."""
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.departments", [])
    for key in connect_to_redis().scan_iter(f"{kept_coverage._prefix()}*"):
        connect_to_redis().delete(key)
    monkeypatch.setattr(chores, "_renewal", chores._Renewal())
    monkeypatch.setattr(chores, "EVERY", 0.0)
    return chores._renewal


def worked(most: int = 20) -> int:
    """The turns of a worker until it finds nothing more to do."""
    for turn in range(most):
        if not chores.renew_coverage():
            return turn
    raise AssertionError("it goes on for ever")


def test_the_worker_makes_ready_what_people_looked_at(
    engine: Any, load: Any, square: Geo, renewal: Any, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(1, 0, 0.5, "2020-05-01"), scene(2, 0, 0.5, "2021-05-01")])
    assert worked() == 0, "nobody asked yet"
    asked()
    computed.clear()
    square.down = True
    load([scene(1, 0, 0.5, "2020-05-01"), scene(2, 0, 0.5, "2021-05-01"), scene(3, 0.5, 1, "2021-06-01")])
    assert (worked(), computed) == (1, [2021])
    monkeypatch.setattr(covering, "_look", lambda *_: pytest.fail("somebody had to wait"))
    assert [one["share"] for one in asked()["years"]] == [pytest.approx(0.5), pytest.approx(1)]
    assert (worked(), computed) == (0, [2021])


def test_the_worker_goes_on_where_its_turn_ended_and_waits_for_a_listing(
    engine: Any, load: Any, square: Geo, renewal: Any, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(n, 0, 0.5, f"{2015 + n}-05-01") for n in range(1, 5)])
    asked()
    computed.clear()
    monkeypatch.setattr(chores, "SLICE", 1e-9)
    run = sa.text("UPDATE harvest_run SET state = :state")
    load([scene(n, 0, 0.6, f"{2015 + n}-05-01") for n in range(1, 5)])
    with engine.begin() as connection:
        connection.execute(run, {"state": "running"})
    assert worked() == 0
    with engine.begin() as connection:
        connection.execute(run, {"state": "complete"})
    assert (worked(), computed) == (4, [2019, 2018, 2017, 2016])


def test_what_is_expected_is_ready_before_anybody_asks(
    engine: Any, load: Any, square: Geo, renewal: Any, computed: list[int], ckan_config: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The relay's départements and the members' territories, their outlines too."""
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.departments", ["40"])
    east = [[x + 0.1, y] for x, y in SQUARE]
    square.said["/departements"] = [{"code": "40", "nom": "Landes"}]
    square.said["/departements/40/communes"] = {
        "type": "FeatureCollection", "features": [feature("40001", "Ouest", SQUARE), feature("40002", "Est", east)],
    }  # fmt: skip
    monkeypatch.setattr(chores, "_of_members", lambda: [("commune", "33999"), ("commune", "33998")])
    load([scene(1, 0, 0.5, "2020-05-01"), scene(2, 0, 0.5, "2021-05-01")])
    assert worked() == 3, "two territories, and one that nobody knows"
    assert computed == [2021, 2020] * 2
    square.down = True
    monkeypatch.setattr(covering, "_computed", lambda *given: {} if not given[3] else pytest.fail("somebody waited"))
    assert [one["share"] for one in asked()["years"]] == [pytest.approx(0.5)] * 2
    landes = call_action("dinamis_scene_coverage", kind="departement", code="40")
    assert [one["share"] for one in landes["years"]] == [pytest.approx(0.25)] * 2


def test_the_worker_asks_for_an_outline_again_after_some_minutes_when_nobody_answers(
    engine: Any, load: Any, square: Geo, renewal: Any, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load([scene(1, 0, 0.5, "2020-05-01")])
    asked()
    computed.clear()
    load([scene(1, 0, 0.6, "2020-05-01")])
    square.down = True
    monkeypatch.setattr(chores, "_of_members", lambda: [("epci", "243300316"), ("commune", "33063")])
    assert (worked(), computed) == (2, [2020]), "one answer is waited for, and what is remembered goes on"
    assert renewal.due > chores.time.monotonic() + 200
    square.down = False
    square.forget(":fresh")
    square.forget("/outline/*:fresh")
    renewal.due = 0.0
    assert (worked(), computed) == (3, [2020] * 2), "what was done already is only looked at"


def test_the_members_whose_territories_are_made_ready_are_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [
        {"territory_kind": kind, "territory_code": code}
        for kind, code in (("commune", "33039"), ("", ""), ("epci", "243300316"), ("departement", "33"))
    ]

    def listed(_context: Any, asked: dict[str, Any]) -> dict[str, Any]:
        start = asked["offset"]
        return {"count": len(members), "results": members[start : start + asked["limit"]]}

    monkeypatch.setattr(chores, "MEMBERS", 3)
    monkeypatch.setattr(chores.tk, "get_action", {"dinamis_member_list": listed}.__getitem__)
    assert chores._of_members() == [("commune", "33039"), ("epci", "243300316"), ("departement", "33")]


def test_what_nobody_looks_at_any_more_goes_though_the_worker_renews_it(
    engine: Any, load: Any, square: Geo, renewal: Any
) -> None:
    redis = connect_to_redis()

    def left() -> list[int]:
        return [redis.ttl(key) for key in redis.scan_iter("dinamis:coverage:*:commune:33999:*")]

    load([scene(1, 0, 0.5, "2020-05-01")])
    asked()
    for key in redis.scan_iter("dinamis:coverage:*:commune:33999:*"):
        redis.expire(key, 100)
    load([scene(1, 0, 0.6, "2020-05-01"), scene(2, 0, 0.5, "2021-05-01")])
    assert worked() == 1
    assert len(left()) == 2 and max(left()) <= 100
    asked()
    assert min(left()) > kept_coverage.KEEP - 100
