"""Scenes out of the store into a file that this and other catalogues read: NDJSON, one STAC object a line, or
stac-geoparquet.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import scenes
from ckanext.dinamis_relais.imagery.search import Search, all_collections

#: Rows that the server hands over at once: what bounds the memory.
PORTION = 1000


class NothingError(Exception):
    """There is no scene to write."""


def lines(engine: Any, search: Search) -> Iterator[bytes]:
    """The collections that a search touches, then its scenes as they are stored, ordered by collection and id.

    A harvest source of the kind *file* takes them as they are.

    :param search: which scenes; its page does not matter
    """
    for collection in _collections(engine, search):
        yield orjson.dumps(collection) + b"\n"
    for item in _items(engine, search):
        # As stored, it may have been written over several lines.
        yield (item.encode() if "\n" not in item else orjson.dumps(orjson.loads(item))) + b"\n"


def to_file(engine: Any, search: Search, path: Path) -> int:
    """The same into a file: zipped when its name ends in ``.gz``, stac-geoparquet when in ``.parquet``.

    The file gets its name when it is whole: an export that is broken off leaves what was there before.

    :returns: how many collections and scenes
    :raises NothingError: no scene for stac-geoparquet, whose columns are those of its scenes
    :raises ImportError: stac-geoparquet needs the libraries of the extra ``parquet``
    """
    with _whole(path) as part:
        if path.suffix in (".parquet", ".geoparquet"):
            return _to_parquet(engine, search, part)
        count = 0
        with gzip.open(part, "wb") if path.suffix == ".gz" else part.open("wb") as out:
            for line in lines(engine, search):
                out.write(line)
                count += 1
    return count


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _to_parquet(engine: Any, search: Search, path: Path) -> int:
    from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

    described = {one["id"]: one for one in _collections(engine, search)}
    if not described:
        raise NothingError("no scene")
    count = 0

    def items() -> Iterator[dict[str, Any]]:
        nonlocal count
        for item in _items(engine, search):
            count += 1
            yield orjson.loads(item)

    # One schema for all: the scenes pass by way of the disk, so that their number does not matter to the memory.
    with tempfile.TemporaryDirectory(prefix="dinamis-export-") as folder:
        table = parse_stac_items_to_arrow(items(), chunk_size=PORTION, schema="ChunksToDisk", tmpdir=folder)
        to_parquet(table, path, collections=described)
    return count + len(described)


def _collections(engine: Any, search: Search) -> list[dict[str, Any]]:
    within = sa.select(scenes.c.collection).where(search.where()).distinct()
    with engine.connect() as connection:
        touched = set(connection.execute(within).scalars())
    return [{**row["body"], "type": "Collection", "id": row["id"]}
            for row in all_collections(engine) if row["id"] in touched]  # fmt: skip


def _items(engine: Any, search: Search) -> Iterator[str]:
    """JSON texts, as they are stored."""
    query = sa.select(sa.cast(scenes.c.item, sa.Text)).where(search.where())
    with engine.connect().execution_options(stream_results=True, max_row_buffer=PORTION) as connection:
        yield from connection.execute(query.order_by(scenes.c.collection, scenes.c.id)).scalars()
