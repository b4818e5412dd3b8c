"""Files as sources, through ckanext-harvest and on their own: taken, skipped, resumed, broken, hostile."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import files, model, reading, store, sync, tally
from ckanext.dinamis_relais.imagery.files import FileSource, local_path, opened
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.sync import A_FILE, sync_collection

from .conftest import LOOPBACK, Server, item
from .test_store import Heard, ids, last_run


def written(path: Path, items: list[Any]) -> Path:
    text = "".join(json.dumps(one) + "\n" for one in items).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def take(engine: Any, path: Path, **settings: Any) -> tuple[Any, Heard]:
    heard = Heard()
    with opened(f"file:///{path.name}", path.parent, Outside([])) as source:
        return sync_collection(engine, source, "source", A_FILE, Settings(**settings), heard), heard


@pytest.mark.parametrize("name", ["scenes.ndjson", "scenes.ndjson.gz"])
def test_a_file_is_taken_and_taken_again(engine: Any, tmp_path: Path, name: str) -> None:
    described = {"type": "Collection", "id": "spot", "title": "SPOT 6/7"}
    path = written(tmp_path / name, [described, *(item(n) for n in range(30)), {**item(40), "collection": "other"}])
    _, heard = take(engine, path)
    assert (heard.total("created"), heard.problems, len(ids(engine))) == (31, [], 31)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(model.collections.c.id, model.collections.c.body)).all()
    assert {row.id: row.body["title"] for row in rows} == {"spot": "SPOT 6/7", "other": "other"}
    _, heard = take(engine, path)
    assert (heard.total("created"), heard.total("changed"), heard.total("unchanged")) == (0, 0, 31)
    written(path, [described, *(item(n, gsd=1.5 if n == 3 else 6.0) if n == 3 else item(n) for n in range(29))])
    outcome, heard = take(engine, path, max_vanished=0.5)
    assert (heard.total("created"), heard.total("changed"), heard.total("unchanged")) == (0, 1, 28)
    assert (outcome.vanished, len(ids(engine))) == (2, 29)


def test_a_file_that_broke_off_is_gone_on_with(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BATCH", 10)
    path = written(tmp_path / "scenes.ndjson", [item(n) for n in range(35)])
    commit = store.commit

    def kill(connection: Any, run: Any, work: Any, made: Any) -> Any:
        if work.page.lines[0][0] > 20:
            raise KeyboardInterrupt
        return commit(connection, run, work, made)

    monkeypatch.setattr(store, "commit", kill)
    with pytest.raises(KeyboardInterrupt):
        take(engine, path)
    assert (len(ids(engine)), last_run(engine).state) == (20, "interrupted")
    monkeypatch.setattr(store, "commit", commit)
    _, heard = take(engine, path)
    assert (heard.total("created"), len(ids(engine)), last_run(engine).listed) == (15, 35, 35)


def test_pages_of_which_little_changed_are_written_together(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH", 30)
    path = written(tmp_path / "scenes.ndjson", [item(n) for n in range(400)])
    take(engine, path)
    written(path, [item(n, gsd=1.5) if n in (7, 333, 390) else item(n) for n in range(399)])
    commit, seen = store.commit, list[int]()

    def noted(connection: Any, run: Any, work: Any, made: Any) -> Any:
        seen.append(work.pages)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return commit(connection, run, work, made)

    monkeypatch.setattr(store, "commit", noted)
    with pytest.raises(KeyboardInterrupt):
        take(engine, path)
    assert (seen, last_run(engine).listed, last_run(engine).pages) == ([10, 4], 300, 10)
    monkeypatch.setattr(store, "commit", commit)
    outcome, heard = take(engine, path)
    assert (heard.total("listed"), heard.total("changed"), heard.total("unchanged")) == (99, 2, 97)
    assert (outcome.vanished, len(ids(engine)), last_run(engine).pages) == (1, 399, 14)
    with engine.connect() as connection:
        changed = sa.select(model.scenes.c.id).where(model.scenes.c.gsd == 1.5)
        assert set(connection.execute(changed).scalars()) == {"SPOT6_00007", "SPOT6_00333", "SPOT6_00390"}


def test_behind_a_page_that_cannot_be_loaded_no_other_is(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH", 10)
    path = written(tmp_path / "scenes.ndjson", [item(n) for n in range(75)])
    commit, made, seen = store.commit, reading.make, list[int]()
    waiting = threading.Event()

    def noted(todo: Any) -> Any:
        if todo.lines[0][0] > 30:
            waiting.set()
        return made(todo)

    def broken(connection: Any, run: Any, work: Any, rows: Any) -> Any:
        seen.append(work.page.lines[0][0])
        if len(seen) == 3:
            assert waiting.wait(20)  # the next one is made, and waits behind this one
            raise OSError("No space left on device.")
        return commit(connection, run, work, rows)

    monkeypatch.setattr(store, "commit", broken)
    monkeypatch.setattr(sync, "make", noted)
    with pytest.raises(OSError, match="No space left"):
        take(engine, path)
    assert (seen, len(ids(engine))) == ([1, 11, 21], 20)
    assert (last_run(engine).state, last_run(engine).message) == ("interrupted", "No space left on device.")


def test_scenes_that_come_again_on_the_next_page_count_once(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH", 10)
    again = [item(8), item(9, gsd=1.5)]
    path = written(tmp_path / "scenes.ndjson", [*(item(n) for n in range(10)), *again])
    _, heard = take(engine, path)
    assert [heard.total(name) for name in ("created", "unchanged", "changed", "repeated")] == [10, 1, 1, 2]
    assert [problem.problem for problem in heard.problems] == ["It is listed twice, differently."]
    with engine.connect() as connection:
        assert tally.total(connection, tally.Asked()) == 10


def test_geoparquet_comes_back_as_it_was(engine: Any, tmp_path: Path) -> None:
    from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

    made = [
        {**item(n), "stac_version": "1.1.0", "stac_extensions": [], "bbox": [-0.9, 44.6, 0.5, 45.1]} for n in (1, 2, 3)
    ]
    made[1]["properties"]["gsd"] = 6.0
    path = tmp_path / "scenes.parquet"
    to_parquet(parse_stac_items_to_arrow(made), path)
    _, heard = take(engine, path)
    assert (heard.total("created"), [str(one) for one in heard.problems if one.fatal]) == (3, [])
    with engine.connect() as connection:
        rows = dict(connection.execute(sa.select(model.scenes.c.id, model.scenes.c.item)).all())
    assert "gsd" not in rows["SPOT6_00001"]["properties"]
    assert rows["SPOT6_00002"]["properties"]["gsd"] == 6.0
    _, heard = take(engine, path)
    assert heard.total("unchanged") == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Bonjour</html>\n", "web page"),
        (b'{\n "type": "FeatureCollection",\n', "first line is no JSON"),
        (b'{"type": "FeatureCollection", "features": []}\n', "not a STAC item"),
        (b"", "no scene"),
        (json.dumps(item(1)).encode() + b"\n" + json.dumps(item(2)).encode()[:-20], "cut off"),
        (gzip.compress(json.dumps(item(1)).encode() * 500)[:-30], "cut off"),
    ],
)  # fmt: skip
def test_a_broken_file_leaves_the_store_as_it_is(engine: Any, tmp_path: Path, content: bytes, said: str) -> None:
    path = written(tmp_path / "scenes.ndjson", [item(n) for n in range(5)])
    take(engine, path)
    path.write_bytes(content)
    with pytest.raises(OutsideError, match=said):
        take(engine, path)
    assert len(ids(engine)) == 5


def test_bad_lines_are_problems_and_an_endless_line_is_not_kept(engine: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "scenes.ndjson", [item(1), {**item(2), "title": "x" * 10_000_000}, item(3)])
    with path.open("ab") as file:
        file.write(b"{broken\n" + json.dumps({**item(4), "collection": None}).encode() + b"\n")
    _, heard = take(engine, path)
    assert ids(engine) == {"SPOT6_00001", "SPOT6_00003"}
    assert [(one.field, one.fatal) for one in heard.problems] == [
        ("line 2", True), ("line 4", True), ("collection", True),
    ]  # fmt: skip


def test_a_zip_bomb_is_not_read(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "scenes.ndjson.gz"
    path.write_bytes(gzip.compress(json.dumps(item(1)).encode() + b"\n" + b"\n" * 20_000_000))
    with pytest.raises(OutsideError, match="times its size"):
        take(engine, path)


def test_only_files_of_the_folder_are_read(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    written(tmp_path / "secret.ndjson", [item(1)])
    (inside / "link.ndjson").symlink_to(tmp_path / "secret.ndjson")
    for url in (
        "file:///../secret.ndjson",
        "file:///%2e%2e/secret.ndjson",
        f"file://{tmp_path}/secret.ndjson",
        "file:///link.ndjson",
    ):
        with pytest.raises(OutsideError, match=r"outside of the folder|no such file"):
            local_path(url, inside)
    with pytest.raises(OutsideError, match="No folder"):
        local_path("file:///scenes.ndjson", None)


def test_area_period_and_collection_of_the_configuration(engine: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "scenes.ndjson", [item(1, datetime="2019-07-01T10:00:00Z"),
                                                   item(2, datetime="2021-07-01T10:00:00Z"),
                                                {**item(3), "collection": "other"}])  # fmt: skip
    take(engine, path, collections=["spot"], datetime="2020-01-01T00:00:00Z/..")
    assert ids(engine) == {"SPOT6_00002"}
    take(engine, path, bbox=[100.0, 0.0, 101.0, 1.0], max_vanished=1.0)
    assert ids(engine) == set()


def test_a_file_of_the_network(engine: Any, server: Server) -> None:
    body = gzip.compress(b"".join(json.dumps(item(n)).encode() + b"\n" for n in range(3)))
    cut = (200, {"Content-Length": str(len(body) + 9)}, body)
    server.broken = [("/scenes.ndjson.gz", cut), ("/scenes.ndjson.gz", (200, {}, body))]
    heard = Heard()
    outside = Outside(LOOPBACK, timeout=5, sleep=lambda seconds: None)
    with opened(f"{server.url}/scenes.ndjson.gz", None, outside) as source:
        assert isinstance(source, FileSource)
        sync_collection(engine, source, "source", A_FILE, Settings(), heard)
    assert heard.total("created") == 3
    with pytest.raises(OutsideError, match="private network"), opened(f"{server.url}/a.ndjson", None, Outside([])):
        pass
