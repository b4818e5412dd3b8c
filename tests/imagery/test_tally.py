"""The numbers that are kept are those that counting gives, whatever came, changed and went."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.dinamis_relais.imagery import model, search, store, tally
from ckanext.dinamis_relais.imagery.loading import Run
from ckanext.dinamis_relais.imagery.model import scenes
from ckanext.dinamis_relais.imagery.source import Page, Request

from .conftest import item

SATELLITES = ("spot-6", "SPOT-7", "PHR1A", None)


def counted(engine: Any) -> dict[Any, int]:
    """By counting."""
    kinds = (scenes.c.collection, *tally.KIND)
    query = sa.select(*kinds, sa.func.count()).group_by(*kinds)
    with engine.connect() as connection:
        return {tuple(row[:4]): row[4] for row in connection.execute(query)}


def kept(engine: Any) -> dict[Any, int]:
    """What is kept."""
    table = model.tally
    kinds = (table.c.collection, table.c.year, table.c.platform, table.c.cloud)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*kinds, sa.func.sum(table.c.count)).group_by(*kinds)).all()
    return {tuple(row[:4]): row[4] for row in rows if row[4]}


def listed(engine: Any, numbers: dict[int, tuple[float | None, str | None]], finish: bool) -> None:
    """A listing of some scenes with their clouds and satellites, in pages of three."""
    items = [item(n * 60, **{"eo:cloud_cover": cloud, "platform": name}) for n, (cloud, name) in numbers.items()]
    store.save_collection(engine, "source", "http://s", {"id": "spot"}, {})
    run = store.open_run(engine, "source", "spot", Request("http://s"), fresh=True)
    assert run
    for start in range(0, len(items), 3):
        store.save_page(engine, run, Page("http://s", items[start : start + 3], None, None))
    if finish:
        store.finish(engine, run, 1)


SCENES = st.dictionaries(
    st.integers(0, 40), st.tuples(st.none() | st.floats(0, 100) | st.sampled_from([5, 10, 20, 50]),
                                  st.sampled_from(SATELLITES)), max_size=12,
)  # fmt: skip


@given(st.lists(st.tuples(SCENES, st.booleans()), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_listings(engine: Any, listings: list[Any]) -> None:
    store.clear(engine, "source")
    for numbers, finish in listings:
        listed(engine, numbers, finish)
        assert kept(engine) == counted(engine)
        for body in (
            {}, {"collections": ["spot"]}, {"collections": ["other"]}, {"query": {"platform": {"eq": "SPOT 7"}}},
            {"query": {"eo:cloud_cover": {"lte": 20}, "platform": {"eq": "spot-6"}}, "collections": ["spot", "x"]},
        ):  # fmt: skip
            asked = search.parse(body)
            assert asked.tallied
            plain = search.Search(asked.clauses)
            assert search.beside(engine, asked).years == search.beside(engine, plain).years
            assert search.beside(engine, asked).platforms == search.beside(engine, plain).platforms
            assert search.matched(engine, asked) == search.matched(engine, plain)
            assert search.run(engine, asked).matched == search.matched(engine, plain)
    with engine.connect() as connection:
        query = sa.select(scenes.c.platform).where(scenes.c.platform.isnot(None)).distinct()
        assert search.beside(engine, search.parse({})).platforms == sorted(connection.execute(query).scalars())
    store.clear(engine, "source")
    assert (kept(engine), counted(engine)) == ({}, {})


@pytest.mark.parametrize(
    "body",
    [
        {"bbox": [-1, 44, 1, 46]},
        {"ids": ["SPOT6_00001"]},
        {"filter": "eo:cloud_cover < 10"},
        {"query": {"eo:cloud_cover": {"lte": 12}}},
        {"query": {"eo:cloud_cover": {"lt": 10}}},
        {"query": {"eo:cloud_cover": {"lte": 10, "gte": 2}}},
        {"query": {"platform": {"neq": "spot-6"}}},
        {"query": {"gsd": {"lte": 6}}},
    ],
)
def test_what_is_not_kept_is_counted(engine: Any, load: Callable[..., None], body: dict[str, Any]) -> None:
    load([item(n, gsd=1.5) for n in range(8)])
    asked = search.parse(body)
    assert asked.tallied is None
    assert search.matched(engine, asked) == search.run(engine, asked).matched


def test_a_period_is_not_counted_by_years(engine: Any, load: Callable[..., None]) -> None:
    load([item(n) for n in range(40)])
    asked = search.parse({"datetime": "2015-01-01T00:00:00Z/2015-01-20T00:00:00Z"})
    assert search.beside(engine, asked).years == [(2015, 40)]
    assert 0 < search.matched(engine, asked) < 40


def test_sums_made_at_once_count_nothing_twice(engine: Any) -> None:
    listed(engine, dict.fromkeys(range(40), (3.0, "spot-6")), False)
    before = kept(engine)

    def work(number: int) -> None:
        for _round in range(10):
            with engine.begin() as connection:
                tally.add(connection, {("spot", (2020, "spot-6", 5)): 1})
                if number % 2:
                    tally.sum_up(connection)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = ("spot", 2020, "spot-6", 5)
    assert kept(engine) == {**before, key: before.get(key, 0) + 60}


def test_a_page_of_a_fresh_run_that_was_there_before_counts_once(engine: Any) -> None:
    run = store.open_run(engine, "source", "spot", Request("http://s"))
    assert isinstance(run, Run)
    assert run.fresh
    for _round in range(2):
        store.save_page(engine, run, Page("http://s", [item(1), item(2)], None, None))
    assert (kept(engine), sum(counted(engine).values())) == (counted(engine), 2)


def test_the_room_of_lines_that_were_summed_up_is_given_back_when_nobody_writes(engine: Any) -> None:
    def size() -> int:
        with engine.connect() as connection:
            return connection.execute(sa.text("SELECT pg_relation_size('scene_tally')")).scalar_one()

    def lines(connection: Any, count: int) -> None:
        tally.add(connection, {("spot", (2020, "spot-6", cloud)): 1 for cloud in range(count)})

    with engine.begin() as connection:
        lines(connection, 20_000)
        connection.execute(sa.text("DELETE FROM scene_tally WHERE cloud > 9"))
    large, before = size(), kept(engine)
    assert large > tally.LARGE
    with engine.begin() as writing:
        lines(writing, 10)
        tally.shrink(engine)
        assert size() == large, "it waits for no harvest"
    tally.shrink(engine)
    assert size() < large / 20
    assert kept(engine) == {key: 2 * count if key[0] == "spot" else count for key, count in before.items()}


def test_a_large_listing_is_compared_by_hashes_and_the_planner_is_free_again_after(
    engine: Any, load: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    missing, note = store._missing, store._forget

    def loops(connection: Any) -> None:
        said.append(connection.execute(sa.text("SHOW enable_nestloop")).scalar_one())

    monkeypatch.setattr(store, "_missing", lambda connection, run: (loops(connection), missing(connection, run))[1])
    monkeypatch.setattr(store, "_forget", lambda connection, run: (loops(connection), note(connection, run))[1])
    load([item(n) for n in range(5)])
    load([item(n) for n in range(4)])
    monkeypatch.setattr(store, "COMPARED", 3)
    load([item(n) for n in range(3)])
    assert said == ["on", "on", "on", "off", "on"]
