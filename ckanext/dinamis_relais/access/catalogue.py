"""Which scene a file's address belongs to: only files of the catalogue are signed, so that each is accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery import model as scene_model


@dataclass(frozen=True)
class File:
    """One file of a scene.

    :ivar bytes: its size as the source tells it, None when it does not
    :ivar year: of the scene, UTC
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


def _files(item: dict[str, Any]) -> list[File]:
    found = []
    for key, asset in (item.get("assets") or {}).items():
        size = asset.get("file:size")
        known = int(size) if isinstance(size, (int, float)) and size > 0 else None
        properties = item["properties"]
        taken = str(properties.get("datetime") or properties.get("start_datetime") or "")
        found.append(File(str(asset["href"]), item["collection"], item["id"], key, known,
                          str(asset.get("type") or ""), taken))  # fmt: skip
    return found


def _items(condition: Any) -> list[dict[str, Any]]:
    table = scene_model.scenes
    query = sa.select(sa.cast(table.c.item, sa.Text), table.c.collection, table.c.id).where(condition)
    with scene_model.engine().connect() as connection:
        rows = connection.execute(query.order_by(*scene_model.KEYSET)).all()
    return [{**orjson.loads(text), "collection": collection, "id": item_id} for text, collection, item_id in rows]


def of_urls(urls: Sequence[str]) -> dict[str, File]:
    """The files of the catalogue among these addresses.

    A store names the scene in the file's path (facts 4.1): the scenes are found by those names, then the address is
    compared with the assets' own.
    """
    names = {unquote(part) for url in urls for part in urlsplit(url).path.split("/") if part}
    table, wanted = scene_model.scenes, set(urls)
    collections = sa.select(scene_model.collections.c.id)
    items = _items(sa.and_(table.c.collection.in_(collections), table.c.id.in_(sorted(names))))
    return {file.url: file for item in items for file in _files(item) if file.url in wanted}


def of_scenes(scenes: Sequence[tuple[str, str]]) -> list[File]:
    """All files of scenes, the newest scene first.

    :param scenes: (collection, item id)
    """
    if not scenes:
        return []
    table = scene_model.scenes
    items = _items(sa.tuple_(table.c.collection, table.c.id).in_(list(scenes)))
    return [file for item in items for file in _files(item)]


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
