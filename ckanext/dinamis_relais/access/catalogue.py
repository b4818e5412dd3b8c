"""Which scene a file's address belongs to: only files of the catalogue are signed, so that each is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ckanext.dinamis_relais.imagery import model as scene_model


class File(NamedTuple):
    """One file of a scene; a tuple, since thousands of other objects would be looked through for garbage.

    :ivar bytes: its size as the source tells it, None when it does not
    :ivar taken: when the scene was, RFC 3339, UTC
    """

    url: str
    collection: str
    item_id: str
    key: str
    bytes: int | None
    media_type: str
    taken: str

    @property
    def name(self) -> str:
        """A name for the file on a disk: the scene, the asset, the extension."""
        last = unquote(urlsplit(self.url).path).rsplit("/", 1)[-1]
        extension = last.rsplit(".", 1)[-1] if "." in last else "dat"
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in f"{self.item_id}_{self.key}.{extension}")
        return safe.lstrip(".")[:200] or "image"


def _files(condition: Any, *order: Any, urls: Set[str] | None = None) -> list[File]:
    """Files of the scenes that fulfil a condition.

    The items come as stored, and are parsed one at a time: picking the assets apart in SQL parses each item again for
    each value (five times the time, measured), and holding thousands of parsed items wakes the garbage collector.

    :param urls: only the files at these addresses
    """
    table = scene_model.scenes
    # A moment with its zone costs psycopg2 more than all the rest of a row.
    taken = sa.func.to_char(sa.func.timezone("UTC", table.c.datetime), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    query = sa.select(table.c.collection, table.c.id, taken, sa.cast(table.c.item, sa.Text)).where(condition)
    with scene_model.engine().connect() as connection:
        rows = connection.execute(query.order_by(*order)).all()
    return [
        File(asset["href"], collection, item_id, key, _size(asset.get("file:size")), asset.get("type") or "", moment)
        for collection, item_id, moment, item in rows
        for key, asset in (orjson.loads(item).get("assets") or {}).items()
        if asset.get("href") and (urls is None or asset["href"] in urls)
    ]


def _size(value: Any) -> int | None:
    """Bytes, from a number of JSON's; None when it is absent, or no size."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        size = int(value)
    except (ValueError, OverflowError):
        return None
    return size if size > 0 else None


def _one_of(column: Any, values: list[str]) -> Any:
    """SQL: a column is one of many values, sent as one array."""
    return column == sa.any_(sa.cast(values, ARRAY(sa.Text)))


def of_urls(urls: Sequence[str]) -> dict[str, File]:
    """The files of the catalogue among these addresses.

    A store names the scene in the file's path, as a folder (facts 4.1) or in the file's own name: the scenes are found
    by those names, then the address is compared with the assets' own.
    """
    with scene_model.engine().connect() as connection:
        collections = list(connection.execute(sa.select(scene_model.collections.c.id)).scalars())
    found = _named(urls, collections, lambda parts: parts[:-1])
    rest = [url for url in urls if url not in found]
    return found | _named(rest, collections, lambda parts: [parts[-1], parts[-1].rpartition(".")[0]]) if rest else found


def _named(urls: Sequence[str], collections: list[str], pick: Callable[[list[str]], list[str]]) -> dict[str, File]:
    """Files of the scenes that some parts of the addresses' paths name."""
    paths = (url.partition("?")[0].split("/")[3:] for url in urls)
    parts = {part for path in paths if path for part in pick(path)}
    names = [unquote(part) if "%" in part else part for part in parts if part and "\x00" not in part]
    table = scene_model.scenes
    found = _files(sa.and_(_one_of(table.c.collection, collections), _one_of(table.c.id, names)), urls=set(urls))
    return {file.url: file for file in found}


def of_scenes(scenes: Sequence[tuple[str, str]]) -> list[File]:
    """All files of scenes, the newest scene first.

    :param scenes: (collection, item id)
    """
    table = scene_model.scenes
    return _files(sa.tuple_(table.c.collection, table.c.id).in_(list(scenes)), *scene_model.KEYSET) if scenes else []


def scenes_of_series(collection: str, year: int | None, limit: int) -> list[tuple[str, str]]:
    """Scenes of a collection, or of one year of it (UTC), newest first.

    :param limit: at most so many
    """
    table = scene_model.scenes
    query = sa.select(table.c.collection, table.c.id).where(table.c.collection == collection)
    if year is not None:
        query = query.where(sa.func.date_part("year", table.c.datetime) == year)
    with scene_model.engine().connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query.order_by(*scene_model.KEYSET).limit(limit))]


def any_url() -> str | None:
    """The address of some file of the catalogue that may be signed, to try a key with."""
    from ckanext.dinamis_relais import config
    from ckanext.dinamis_relais.access.rules import host_allowed

    table = scene_model.scenes
    query = sa.select(sa.cast(table.c.item, sa.Text)).order_by(*scene_model.KEYSET).limit(20)
    with scene_model.engine().connect() as connection:
        items = [orjson.loads(row[0]) for row in connection.execute(query)]
    hosts = config.signing_hosts()
    hrefs = (asset["href"] for item in items for asset in (item.get("assets") or {}).values())
    return next((href for href in hrefs if host_allowed(href, hosts)), None)
