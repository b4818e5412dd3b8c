"""``ckan dinamis scenes sync``, ``rebuild`` and ``export``, as an operator types them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import exporting, model, search, store
from ckanext.dinamis_relais.imagery.files import opened
from ckanext.dinamis_relais.imagery.outside import Outside
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.sync import A_FILE, sync_collection

from .conftest import Server, item
from .test_harvester import harvest_db, harvest_source, series, two_years
from .test_store import Heard

__all__ = ["harvest_db", "harvest_source"]


def run(cli: Any, *words: str) -> Any:
    from ckan.cli.cli import ckan

    return cli.invoke(ckan, ["dinamis", "scenes", *words])


def stored(engine: Any) -> dict[str, Any]:
    with engine.connect() as connection:
        return {row.id: row.item for row in connection.execute(sa.select(model.scenes.c.id, model.scenes.c.item))}


@pytest.mark.usefixtures("with_request_context", "harvest_db")
@pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"])
class TestSync:
    def test_without_a_source_it_says_what_to_do(self, cli: Any) -> None:
        done = run(cli, "sync")
        assert done.exit_code == 1
        assert "/harvest" in done.output

    def test_a_source_is_harvested_and_read_anew(
        self, cli: Any, server: Server, engine: Any, harvest_source: Any
    ) -> None:
        server.items["spot"] = two_years()
        harvest_source()
        done = run(cli, "sync", "spot")
        assert done.exit_code == 0, done.output
        assert (len(stored(engine)), len(series())) == (8, 2)
        # What the store holds was spoilt; the source's own scenes have not changed.
        with engine.begin() as connection:
            connection.execute(sa.update(model.scenes).values(platform="spoilt"))
        assert run(cli, "sync").exit_code == 0
        spoilt = sa.select(sa.func.count()).where(model.scenes.c.platform == "spoilt").select_from(model.scenes)
        with engine.connect() as connection:
            assert connection.execute(spoilt).scalar_one() == 8
        done = run(cli, "rebuild", "spot")
        assert done.exit_code == 0, done.output
        assert "8 scenes are read anew" in done.output
        with engine.connect() as connection:
            assert connection.execute(spoilt).scalar_one() == 0

    def test_errors_are_told_and_end_with_one(self, cli: Any, server: Server, engine: Any, harvest_source: Any) -> None:
        server.items["spot"] = [item(1), {**item(2), "geometry": None}]
        harvest_source()
        done = run(cli, "sync", "spot")
        assert done.exit_code == 1
        assert len(stored(engine)) == 1

    def test_status_goes_by_source(self, cli: Any, server: Server, engine: Any, harvest_source: Any) -> None:
        server.items["spot"] = [item(1), {**item(2), "geometry": None}]
        source = harvest_source()
        run(cli, "sync", "spot")
        done = run(cli, "status")
        assert done.exit_code == 0, done.output
        assert f"Source {source['title']} ({source['name']}, {source['url']})" in done.output
        assert "spot: 1 scenes" in done.output
        assert "2 listed, 1 new" in done.output
        assert "not taken: SPOT6_00002, geometry" in done.output

    def test_an_unknown_source_is_named(self, cli: Any) -> None:
        done = run(cli, "sync", "nulle-part")
        assert done.exit_code == 1


@pytest.mark.parametrize("name", ["scenes.ndjson", "scenes.ndjson.gz", "scenes.parquet"])
def test_what_is_exported_comes_back_as_it_was(cli: Any, engine: Any, load: Any, tmp_path: Path, name: str) -> None:
    load([item(number) for number in range(12)])
    load([{**item(50), "collection": "other"}], collection="other", title="Autre série")
    before = stored(engine)
    path = tmp_path / name
    done = run(cli, "export", str(path))
    assert done.exit_code == 0, done.output
    assert "15 collections and scenes" in done.output  # two and thirteen
    store.clear(engine, "source")
    assert stored(engine) == {}
    heard = Heard()
    with opened(f"file:///{name}", tmp_path, Outside([])) as source:
        sync_collection(engine, source, "again", A_FILE, Settings(), heard)
    again = stored(engine)
    if name.endswith(".parquet"):  # its times are instants, whose fraction of a second is written out
        for one in again.values():
            one["properties"]["datetime"] = one["properties"]["datetime"].replace(".000000Z", "Z")
    assert heard.problems == []
    assert again == before
    titles = {row["id"]: row["body"]["title"] for row in search.all_collections(engine)}
    assert titles == {"spot": "Série spot", "other": "Autre série"}


def test_an_export_may_be_narrowed(cli: Any, engine: Any, load: Any, tmp_path: Path) -> None:
    load([item(1, datetime="2019-07-01T10:00:00Z"), item(2, datetime="2021-07-01T10:00:00Z")])
    path = tmp_path / "few.ndjson.gz"
    assert run(cli, "export", str(path), "--datetime", "2021-01-01T00:00:00Z/..", "--collection", "spot").exit_code == 0
    found = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [one["id"] for one in found] == ["spot", "SPOT6_00002"]
    nothing = exporting.lines(engine, search.parse({"bbox": [100, 10, 101, 11]}))
    assert list(nothing) == []
    columns = tmp_path / "none.parquet"
    assert "No scene" in run(cli, "export", str(columns), "--bbox", "100,10,101,11").output
    assert not columns.exists()
    done = run(cli, "export", str(path), "--bbox", "un,deux")
    assert done.exit_code == 2
    assert "bbox" in done.output


@pytest.mark.parametrize("name", ["scenes.ndjson.gz", "scenes.parquet"])
def test_an_export_that_breaks_off_leaves_what_was_there(
    engine: Any, load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    load([item(number) for number in range(3)])
    path = tmp_path / name
    path.write_bytes(b"as before")
    whole = exporting._items

    def cut_off(*words: Any) -> Any:
        yield next(whole(*words))
        raise OSError("no space left on the disk")

    monkeypatch.setattr(exporting, "_items", cut_off)
    with pytest.raises(OSError, match="no space"):
        exporting.to_file(engine, search.parse({}), path)
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"as before"
