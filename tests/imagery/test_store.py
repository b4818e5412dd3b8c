"""What a listing does to the store: new, changed, unchanged, vanished, interrupted, resumed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import model, search, store
from ckanext.dinamis_relais.imagery.outside import OutsideError
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.source import StacSource
from ckanext.dinamis_relais.imagery.sync import Report, sync_collection

from .conftest import Server, item


class Heard(Report):
    """Keeps what a listing reports."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.saved: list[store.Saved] = []

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def page(self, run: store.Run, saved: store.Saved, matched: int | None) -> None:
        self.saved.append(saved)

    def total(self, name: str) -> int:
        return sum(getattr(saved, name) for saved in self.saved)


def harvest(engine: Any, source: StacSource, job: str | None = None, **settings: Any) -> tuple[Any, Heard]:
    heard = Heard()
    wanted = Settings(**{"page_size": 10, **settings})
    outcome = sync_collection(engine, source, "source", source.collections()[0], wanted, heard, job)
    return outcome, heard


def ids(engine: Any) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(sa.select(model.scenes.c.id)).scalars())


def last_run(engine: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.select(model.runs).order_by(model.runs.c.id.desc())).first()


def test_first_second_and_changed_listing(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(25)]
    _, heard = harvest(engine, source)
    assert (heard.total("created"), len(ids(engine))) == (25, 25)

    _, heard = harvest(engine, source)
    assert (heard.total("created"), heard.total("changed"), heard.total("unchanged")) == (0, 0, 25)

    server.items["spot"][3] = item(3, **{"eo:cloud_cover": 77.0})
    server.items["spot"].append(item(100))
    _, heard = harvest(engine, source)
    assert (heard.total("created"), heard.total("changed"), heard.total("unchanged")) == (1, 1, 24)
    assert '"eo:cloud_cover":77.0' in str(search.show(engine, "spot", "SPOT6_00003"))


def test_an_unchanged_listing_writes_no_scene(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(25)]
    harvest(engine, source)
    versions = sa.text("SELECT id, xmin::text FROM scene ORDER BY id")
    with engine.connect() as connection:
        before = connection.execute(versions).all()
    harvest(engine, source)
    with engine.connect() as connection:
        assert connection.execute(versions).all() == before


def test_bad_items_are_reported_and_the_good_ones_taken(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(1), {**item(2), "geometry": None}, "nonsense", {"type": "Feature"}, item(3)]
    _, heard = harvest(engine, source)
    assert ids(engine) == {"SPOT6_00001", "SPOT6_00003"}
    assert [problem.field for problem in heard.problems] == ["type", "id", "geometry"]
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(model.problems)).scalar_one() == 3


def test_a_scene_that_turns_bad_keeps_its_good_version(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(1)]
    harvest(engine, source)
    server.items["spot"] = [{**item(1), "geometry": None}]
    outcome, heard = harvest(engine, source, max_vanished=1.0)
    assert len(heard.problems) == 1
    assert (outcome.vanished, ids(engine)) == (0, {"SPOT6_00001"})


def test_what_vanished_goes_up_to_the_share(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(20)]
    harvest(engine, source)
    server.items["spot"] = server.items["spot"][:18]
    outcome, heard = harvest(engine, source, max_vanished=0.1)
    assert (outcome.vanished, outcome.kept, heard.notes) == (2, 0, [])

    server.items["spot"] = server.items["spot"][:3]
    outcome, heard = harvest(engine, source, max_vanished=0.1)
    assert (outcome.vanished, outcome.kept, len(ids(engine))) == (0, 15, 18)
    assert "raise max_vanished" in heard.notes[0]

    outcome, _ = harvest(engine, source, max_vanished=0.9)
    assert (outcome.vanished, len(ids(engine))) == (15, 3)


def test_an_interrupted_listing_deletes_nothing_and_is_resumed(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(40)]
    harvest(engine, source)
    server.items["spot"] = server.items["spot"][:39]
    server.broken = [("start=20", (200, {}, b"<html>maintenance</html>"))]
    with pytest.raises(OutsideError):
        harvest(engine, source, max_vanished=1.0)
    assert (last_run(engine).state, len(ids(engine))) == ("interrupted", 40)

    server.asked.clear()
    outcome, heard = harvest(engine, source, max_vanished=1.0)
    assert next(path for path in server.asked if "/items" in path).endswith("start=20")
    assert (heard.total("listed"), outcome.vanished) == (19, 1)
    assert (last_run(engine).state, last_run(engine).listed, len(ids(engine))) == ("complete", 39, 39)


def test_a_first_listing_that_was_interrupted_keeps_what_it_had_listed(
    engine: Any, server: Server, source: StacSource
) -> None:
    bad = {**item(5), "geometry": None}
    server.items["spot"] = [item(number) if number != 5 else bad for number in range(30)]
    server.broken = [("start=20", (200, {}, b"cut"))]
    with pytest.raises(OutsideError):
        harvest(engine, source)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(model.seen)).scalar_one() == 0
    outcome, heard = harvest(engine, source, max_vanished=1.0)
    assert (heard.total("listed"), outcome.vanished, len(ids(engine))) == (10, 0, 29)
    server.items["spot"] = server.items["spot"][:20]
    outcome, _ = harvest(engine, source, max_vanished=1.0)
    assert (outcome.vanished, len(ids(engine))) == (10, 19)


def test_a_forgotten_cursor_starts_again(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(30)]
    server.broken = [("start=20", (200, {}, b"cut"))]
    with pytest.raises(OutsideError):
        harvest(engine, source)
    server.broken = [("start=20", (400, {}, b'{"code": "token expired"}'))]
    _, heard = harvest(engine, source)
    assert "forgot" in heard.notes[0]
    assert len(ids(engine)) == 30


def test_another_configuration_never_resumes(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(30)]
    server.broken = [("start=20", (200, {}, b"cut"))]
    with pytest.raises(OutsideError):
        harvest(engine, source)
    server.asked.clear()
    harvest(engine, source, bbox=[-2.0, 42.0, 3.0, 48.0])
    assert "bbox=-2,42,3,48" in next(path for path in server.asked if "/items" in path)


@pytest.mark.parametrize("again", [False, True])
def test_a_listing_that_goes_round_is_stopped(engine: Any, server: Server, source: StacSource, again: bool) -> None:
    """Ever new links, two pages in turn, each with a scene that cannot be used: only the store sees it."""
    if again:
        server.items["spot"] = [item(1)]
        harvest(engine, source)
    for number in range(12):
        half: list[Any] = [item(one + number % 2 * 10) for one in range(10)]
        half.append({**item(100 + number % 2), "geometry": None})
        href = f"{server.url}/collections/spot/items?limit=10&n={number}"
        body = {"type": "FeatureCollection", "features": half, "links": [{"rel": "next", "href": href}]}
        server.broken.append(("/items", (200, {}, orjson.dumps(body))))
    with pytest.raises(OutsideError, match="listed before"):
        harvest(engine, source)
    assert len(ids(engine)) == 20


def test_two_workers_with_one_job_do_it_once(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(30)]
    outcomes: list[Any] = []

    def work() -> None:
        outcomes.append(harvest(engine, source, job="job-1")[0])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome is None for outcome in outcomes) == [False, True]
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(model.runs)).scalar_one() == 1


def test_two_sources_never_mix_under_one_collection(engine: Any, server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(1)]
    harvest(engine, source)
    described = source.collections()[0]
    with pytest.raises(store.CollectionTaken, match="already harvested"):
        sync_collection(engine, source, "another", described, Settings(), Heard())


def test_odd_characters_survive_the_copy(engine: Any, load: Any) -> None:
    odd = 'tab\tback\\slash "quote" new\nline é 日本 \\N'
    load([{**item(1, title=odd), "id": "a\\b\tc"}])
    assert ids(engine) == {"a\\b\tc"}
    assert orjson.loads(search.show(engine, "spot", "a\\b\tc") or "")["properties"]["title"] == odd


def test_upgrade_is_idempotent_and_the_tables_are_those_of_the_model(engine: Any) -> None:
    model.upgrade(engine)
    versions = Path(model.__file__).parent / "migration" / "versions"
    assert model.current_revision(engine) == max(path.stem for path in versions.glob("0*.py"))
    inspector = sa.inspect(engine)
    for table in model.metadata.sorted_tables:
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert found == {column.name: bool(column.nullable) for column in table.columns}
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes
