"""Scenes in: ``python -m bench.harvest <ini> [scenes] [scenes of the API]`` prints JSON rows.

Synthetic scenes of the sandbox, in one NDJSON file, into the searchable store: against ``pypgstac load`` of the same
file, against the bare COPY of the prepared rows with their indexes, and, from a stac-fastapi-pgstac source on
loopback, against its bare paging by pystac-client. Each load is a process of its own and its whole life counts.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.__main__ import STACK, USUAL, row
from bench.peers import Pgstac
from stack.base import database_url

OF_API = 20_000
FOLDER = STACK / "bench-scenes"
SOURCE = "bench-harvest"
ASSETS = "http://127.0.0.1:1/objects"
PAGING = """
import sys, time, pystac_client
begin, count = time.perf_counter(), 0
client = pystac_client.Client.open(sys.argv[1])
for name in [one.id for one in client.get_collections()]:
    for page in client.search(collections=[name], limit=1000).pages_as_dicts():
        count += len(page["features"])
print(time.perf_counter() - begin, count)
"""


def process(*words: str | Path, env: dict[str, str] | None = None) -> tuple[float, str]:
    """Seconds of a process from its start to its end, and what it printed.

    :raises RuntimeError: it failed
    """
    begin = time.perf_counter()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False,  # noqa: S603  # our own
                          env={**os.environ, **(env or {})}, cwd=STACK.parent)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{words[0]} {words[1]}: {done.stderr[-2000:]}")
    return time.perf_counter() - begin, done.stdout


def store() -> Any:
    """The scene store of the measures."""
    from ckanext.dinamis_relais.imagery import model

    return model.engine_for(database_url("scenes_bench"))


def forget() -> None:
    """An empty store."""
    from ckanext.dinamis_relais.imagery import model

    names = ", ".join(table.name for table in model.metadata.sorted_tables)
    with store().begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names}"))


def load(source: str) -> None:
    """What a measured process does: one whole sync, by the rules of the harvester; prints what it wrote.

    :param source: a file, or the address of a STAC API
    """
    from ckanext.dinamis_relais.imagery import files, sync
    from ckanext.dinamis_relais.imagery.outside import Outside
    from ckanext.dinamis_relais.imagery.settings import Settings
    from ckanext.dinamis_relais.imagery.source import StacSource

    engine, report = store(), sync.Report()
    if source.startswith("http"):
        settings, reader = Settings(page_size=1000), StacSource(source, Outside(["127.0.0.1"]))
        for collection in reader.collections():
            sync.sync_collection(engine, reader, SOURCE, collection, settings, report)
    else:
        path = Path(source)
        stat = path.stat()
        one = files.FileSource(f"file:///{path.name}", path, f"{stat.st_size}-{stat.st_mtime_ns}",
                               path.with_name("collections.ndjson"))  # fmt: skip
        sync.sync_collection(engine, one, SOURCE, sync.A_FILE, Settings(), report)
    runs = "SELECT sum(created), sum(changed), sum(unchanged), sum(vanished) FROM harvest_run WHERE state = 'complete'"
    with engine.connect() as connection:
        made = [int(value or 0) for value in connection.execute(sa.text(runs)).one()]
    print(json.dumps({"run": made, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def made(scenes: int, folder: Path) -> None:
    """Synthetic scenes of the sandbox, and their collections, as files of a folder."""
    process(sys.executable, "-m", "ckanext.dinamis_relais.sandbox", "scenes", "--count", str(scenes), "--asset-base",
            ASSETS, "--out", folder)  # fmt: skip


def anew(source: str | Path, scenes: int) -> tuple[float, dict[str, Any]]:
    """The same as :func:`ours`, into an empty store.

    :raises RuntimeError: not all came
    """
    forget()
    seconds, said = ours(source)
    if said["run"][0] != scenes:
        raise RuntimeError(f"{scenes} were expected, {said['run']} came")
    return seconds, said


def ours(source: str | Path) -> tuple[float, dict[str, Any]]:
    """Seconds of one sync of ours, and what it says."""
    seconds, said = process(sys.executable, "-m", "bench.harvest", "load", str(source))
    return seconds, json.loads(said.splitlines()[-1])


def written(since: int) -> int:
    """Rows of scenes that transactions from a number on have written."""
    with store().connect() as connection:
        query = sa.text("SELECT count(*) FROM scene WHERE xmin::text::bigint >= :since")
        return connection.execute(query, {"since": since}).scalar_one()


def now() -> int:
    """The number of a transaction that begins now."""
    with store().begin() as connection:
        return connection.execute(sa.text("SELECT pg_current_xact_id()::text::bigint % 4294967296")).scalar_one()


def bare_copy(folder: Path) -> float:
    """Seconds of COPY of the prepared rows into a table with the store's indexes: the limit."""
    rows = folder / "rows.copy"
    raw = store().raw_connection()
    try:
        cursor: Any = raw.cursor()
        with rows.open("wb") as file:
            cursor.copy_expert("COPY scene TO STDOUT", file)
        cursor.execute("DROP TABLE IF EXISTS bench_scene; CREATE TABLE bench_scene (LIKE scene INCLUDING ALL)")
        raw.commit()
        begin = time.perf_counter()
        with rows.open("rb") as file:
            cursor.copy_expert("COPY bench_scene FROM STDIN", file, size=1 << 20)
        raw.commit()
        taken = time.perf_counter() - begin
        cursor.execute("DROP TABLE bench_scene")
        raw.commit()
    finally:
        raw.close()
        rows.unlink(missing_ok=True)
    return taken


def changed_file(whole: Path, share: float) -> tuple[Path, int]:
    """The same file, with the cloud cover of some scenes changed.

    :returns: the file, and how many
    """
    chance, count, found = random.Random(1), 0, whole.with_name("changed.ndjson")  # noqa: S311  # repeatable
    with whole.open(encoding="utf-8") as lines, found.open("w", encoding="utf-8") as out:
        for line in lines:
            if chance.random() >= share:
                out.write(line)
                continue
            item, count = json.loads(line), count + 1
            item["properties"]["eo:cloud_cover"] = 99.5
            out.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n")
    return found, count


def from_file(scenes: int, pgstac: Pgstac) -> list[dict[str, Any]]:
    """First and second sync of a file, against pypgstac and the bare COPY.

    The first in turn with pypgstac, several times; the best of each counts.
    """
    folder = FOLDER / str(scenes)
    made(scenes, folder)
    whole, text = folder / "items.ndjson", f"{scenes:,} scenes from NDJSON"
    # A short one is disturbed more by what else the machine does for a moment.
    turns = 4 if scenes <= USUAL else 2
    rounds = [(anew(whole, scenes), pgstac.load(folder)) for _turn in range(turns)]
    first, theirs = min(one[0] for one, _load in rounds), min(load for _one, load in rounds)
    said, limit = rounds[-1][0][1], bare_copy(folder)
    mark = now()
    again, _ = ours(whole)
    untouched = written(mark)
    other, count = changed_file(whole, 0.01)
    mark = now()
    part, _ = ours(other)
    rewritten = written(mark)
    small = FOLDER / "tenth"
    small.mkdir(exist_ok=True)
    (small / "collections.ndjson").write_bytes((folder / "collections.ndjson").read_bytes())
    with whole.open("rb") as lines, (small / "items.ndjson").open("wb") as out:
        out.writelines(next(lines) for _ in range(scenes // 10))
    _, tenth = anew(small / "items.ndjson", scenes // 10)
    anew(whole, scenes)  # what is searched next
    return [
        row(f"first sync of {text} against pypgstac load", first, theirs, 1 / 1.5),
        row("the same against the bare COPY of its rows with the indexes", first, limit, 1 / 0.5),
        row(f"second sync, nothing changed ({untouched} rows written), against the first", again, first, 0.4),
        row(f"second sync, 1 % changed ({count} scenes, {rewritten} rows written), against the first", part, first,
            0.4),
        row(f"peak memory of the sync (MB as seconds), against that of {scenes // 10:,} scenes", said["peak_mb"],
            tenth["peak_mb"], 1.2),
        row("the same against 300 MB", said["peak_mb"], 300, 1.0),
    ]  # fmt: skip


def from_api(scenes: int, pgstac: Pgstac) -> list[dict[str, Any]]:
    """The first sync of a STAC API against its bare paging, in turn, twice; the better of each counts."""
    folder = FOLDER / "api"
    made(scenes, folder)
    pgstac.load(folder)
    times: tuple[list[float], list[float]] = ([], [])
    with pgstac.served() as url:
        for _round in range(2):
            seconds, count = process(sys.executable, "-c", PAGING, url)[1].split()
            if int(count) != scenes:
                raise RuntimeError(f"{scenes} scenes were loaded, {count} were paged")
            times[0].append(anew(url, scenes)[0])
            times[1].append(float(seconds))
    return [row(f"first sync of {scenes:,} scenes from stac-fastapi-pgstac, against its bare paging by pystac-client",
                min(times[0]), min(times[1]), 1 / 0.9)]  # fmt: skip


def main(scenes: int = USUAL, of_api: int = OF_API) -> None:
    """Fill, measure, print."""
    pgstac = Pgstac()
    rows = [*from_api(of_api, pgstac), *from_file(scenes, pgstac)]
    print(json.dumps(rows))


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(sys.argv[2])
    else:
        main(*map(int, sys.argv[2:4]))
