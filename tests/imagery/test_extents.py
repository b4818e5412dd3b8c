"""What a collection holds is known without measuring each footprint, and is what measuring gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from typing import Any

import pytest
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import extents, model, search, store, tiles
from ckanext.dinamis_relais.imagery.source import Page, Request

from .conftest import item


def moment(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, 10, 40, tzinfo=dt.timezone.utc)  # type: ignore[misc]  # year, month, day


def test_measured_at_the_end_of_a_listing_and_anew_when_scenes_went(engine: Any, load: Callable[..., None]) -> None:
    load([item(n) for n in (1, 5, 9)])
    load([item(n) for n in (20, 30)], "other")
    first = {
        "spot": {
            "count": 3,
            "bbox": [-0.89, 44.6, -0.21, 45.1],
            "start": moment(2015, 1, 2),
            "end": moment(2015, 1, 10),
        },
        "other": {"count": 2, "bbox": [-0.7, 44.6, 0.0, 45.1], "start": moment(2015, 1, 21), "end": moment(2015, 2, 6)},
    }
    assert {k: {**v, "bbox": [round(one, 5) for one in v["bbox"]]} for k, v in extents.read(engine).items()} == first
    load([item(n) for n in (1, 5)])
    found = extents.read(engine)["spot"]
    assert (found["count"], round(found["bbox"][2], 5), found["end"]) == (2, -0.25, moment(2015, 1, 6))
    load([])
    assert set(extents.read(engine)) == {"other"}


def test_before_the_first_listing_ends_it_is_measured_now(engine: Any) -> None:
    store.save_collection(engine, "source", "http://s", {"id": "spot"}, {})
    assert extents.read(engine) == {}
    run = store.open_run(engine, "source", "spot", Request("http://s"))
    assert run
    store.save_page(engine, run, Page("http://s", [item(1), item(5)], None, None))
    with engine.connect() as connection:
        assert connection.execute(sa.select(model.collections.c.held)).scalar() is None
    before = extents.read(engine)
    store.finish(engine, run, 1)
    assert (before["spot"]["count"], extents.read(engine)) == (2, before)


def cells(engine: Any, body: dict[str, Any], zoom: int, column: int, row: int) -> set[tuple[str, int]]:
    """Shapes and numbers of a tile's cells, as they are written into it."""
    found: set[tuple[str, int]] = set()
    with pytest.MonkeyPatch.context() as patch:

        def noted(connection: Any, content: Any) -> bytes:
            rows = connection.execute(sa.select(sa.func.ST_AsText(content.c.shape), content.c.count)).all()
            found.update((row[0], int(row[1])) for row in rows)
            return b"some" if rows else b""

        patch.setattr(tiles, "_mvt", noted)
        tiles.tile(engine, search.parse(body), zoom, column, row)
    return found


@pytest.mark.parametrize("zoom", range(extents.ZOOM + 1))
@pytest.mark.parametrize("body", [{}, {"collections": ["spot"]}])
def test_the_grid_that_is_kept_is_the_one_that_is_counted(
    engine: Any, load: Callable[..., None], zoom: int, body: dict[str, Any]
) -> None:
    load([item(n) for n in range(0, 400, 7)])
    load([item(n) for n in range(3, 2000, 90)], "other")
    side = 2**zoom
    around = [
        (x, y) for x in range(side) for y in range(side) if zoom < 3 or abs(x - side // 2) < 4 > abs(y - side // 3)
    ]
    kept = {where: cells(engine, body, zoom, *where) for where in around}
    with engine.begin() as connection:
        connection.execute(model.grid.delete())
    assert {where: cells(engine, body, zoom, *where) for where in around} == kept
    assert sum(count for found in kept.values() for _shape, count in found) == (81 if not body else 58)


def test_a_grid_of_a_part_is_counted(engine: Any, load: Callable[..., None]) -> None:
    load([item(n) for n in range(30)])
    of_day = {"datetime": "2015-01-01T00:00:00Z/2015-01-04T00:00:00Z"}
    assert [sum(count for _shape, count in cells(engine, body, 0, 0, 0)) for body in ({}, of_day)] == [30, 3]


def test_a_collection_that_lost_its_scenes_leaves_no_cell(engine: Any, load: Callable[..., None]) -> None:
    load([item(n) for n in range(30)])
    load([item(n) for n in range(5)], "other")
    load([])
    assert sum(count for _shape, count in cells(engine, {}, 0, 0, 0)) == 5
    with engine.connect() as connection:
        held = connection.execute(sa.select(model.collections.c.held).where(model.collections.c.id == "spot"))
        assert held.scalar() is None
    store.clear(engine, "source")
    assert cells(engine, {}, 0, 0, 0) == set()


def test_two_parts_of_a_collection_may_end_at_once(engine: Any, load: Callable[..., None]) -> None:
    load([item(n) for n in range(30)])
    mine = model.collections.c.id == "spot"

    def second() -> None:
        with engine.begin() as connection:
            extents.note(connection, mine)

    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            extents.note(connection, mine)
            other = pool.submit(second)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        other.result(timeout=10)
    assert sum(count for _shape, count in cells(engine, {}, 0, 0, 0)) == 30
