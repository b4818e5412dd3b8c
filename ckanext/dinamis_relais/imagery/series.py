"""Series: what the catalogue lists as a dataset, one for each collection and year. Rules only, no CKAN."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import sqlalchemy as sa

from ckanext.dinamis_relais.imagery.model import scenes
from ckanext.dinamis_relais.imagery.search import box_of
from ckanext.dinamis_relais.imagery.words import french_date, french_number, platform_name

DATASET_TYPE = "imagery-series"
#: A series keeps its dataset id for good, on every site the same for the same collection and year.
_NAMESPACE = uuid.UUID("5f0a35c4-8a0e-5d0c-9d4c-6f6a3c1d2b70")


@dataclass(frozen=True)
class Series:
    """What the store holds of one collection in one year (UTC).

    :ivar bbox: west, south, east, north in degrees
    :ivar cloud: mean percent over the scenes that know it, None when none does
    :ivar gsd: finest resolution in metres, None when unknown
    """

    collection: str
    year: int
    count: int
    start: dt.datetime
    end: dt.datetime
    bbox: list[float]
    cloud: float | None
    platforms: list[str]
    gsd: float | None

    @property
    def dataset_id(self) -> str:
        """Id of its CKAN dataset."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.collection}/{self.year}"))


def of_collection(engine: Any, collection: str) -> list[Series]:
    """The series of a collection, in the order of years."""
    year = sa.cast(sa.func.date_part("year", scenes.c.datetime), sa.Integer)
    query = (
        sa.select(
            year.label("year"), sa.func.count().label("count"), sa.func.min(scenes.c.datetime).label("start"),
            sa.func.max(scenes.c.end_datetime).label("end"), sa.func.ST_Extent(scenes.c.geom).label("box"),
            sa.func.avg(scenes.c.cloud).label("cloud"), sa.func.min(scenes.c.gsd).label("gsd"),
            sa.func.array_agg(scenes.c.platform.distinct()).label("platforms"),
        ).where(scenes.c.collection == collection).group_by(year).order_by(year)
    )  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        Series(
            collection=collection, year=row.year, count=row.count, start=row.start, end=row.end,
            bbox=box_of(row.box) or [], cloud=row.cloud, gsd=row.gsd,
            platforms=sorted(name for name in row.platforms if name),
        )
        for row in rows
    ]  # fmt: skip


def dataset_of(series: Series, body: dict[str, Any], source_url: str, site: str) -> dict[str, Any]:
    """The dataset of a series: the fields that the harvest owns, none of the others.

    :param body: the STAC collection as its source gave it
    :param source_url: STAC address that was harvested
    :param site: address of this site, without a slash at the end
    """
    title = str(body.get("title") or series.collection)
    sensors = ", ".join(platform_name(name) for name in series.platforms)
    explorer = f"{site}/dinamis/images?" + urlencode(
        {"collection": series.collection, "from": f"{series.year}-01-01", "to": f"{series.year}-12-31"}
    )
    stac = f"{site}/dinamis/stac/collections/{series.collection}/items?" + urlencode(
        {"datetime": f"{series.year}-01-01T00:00:00Z/{series.year}-12-31T23:59:59Z"}, safe=":/"
    )
    return {
        "id": series.dataset_id, "type": DATASET_TYPE, "title": f"{title} – {series.year}",
        "notes": _notes(series, body, sensors), "collection": series.collection, "year": series.year,
        "scene_count": series.count, "sensors": sensors, "temporal_start": series.start.date().isoformat(),
        "temporal_end": series.end.date().isoformat(),
        "cloud_mean": "" if series.cloud is None else f"{series.cloud:.1f}",
        "resolution": "" if series.gsd is None else f"{series.gsd:g}", "spatial": _polygon(series.bbox),
        "licence_note": _licence(body), "source_url": source_url, "explorer_url": explorer,
        "resources": [
            {"name": "Voir les images", "url": explorer, "format": "HTML",
             "description": "Carte et liste des scènes de la série."},
            {"name": "Scènes (STAC)", "url": stac, "format": "JSON",
             "description": "Les mêmes scènes pour QGIS, Python et les autres catalogues."},
        ],
    }  # fmt: skip


def name_of(series: Series) -> str:
    """The dataset's name in its address: ``images-spot-6-7-drs-2019``."""
    plain = unicodedata.normalize("NFKD", series.collection).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "collection"
    return f"images-{slug[:80]}-{series.year}"


def differs(existing: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a dataset must be written: some field that the harvest owns says something else."""
    for key, value in wanted.items():
        if key == "resources":
            own = [_plain(one, value[0]) for one in existing.get("resources", []) if _ours(one, value)]
            if own != [_plain(one, value[0]) for one in value]:
                return True
        elif key == "spatial":
            if _json(existing.get(key)) != _json(value):
                return True
        elif str(existing.get(key) or "") != str(value or ""):
            return True
    return existing.get("state") != "active"


def merged(existing: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """An existing dataset with the harvest's fields; what people added to it stays."""
    others = [one for one in existing.get("resources", []) if not _ours(one, wanted["resources"])]
    return {**existing, **wanted, "resources": [*wanted["resources"], *others], "state": "active"}


def _ours(resource: dict[str, Any], wanted: list[dict[str, Any]]) -> bool:
    return resource.get("name") in {one["name"] for one in wanted}


def _plain(resource: dict[str, Any], like: dict[str, Any]) -> dict[str, str]:
    return {key: str(resource.get(key) or "") for key in like}


def _json(value: Any) -> Any:
    try:
        return orjson.loads(value) if isinstance(value, str) and value else value or None
    except orjson.JSONDecodeError:
        return value


def _notes(series: Series, body: dict[str, Any], sensors: str) -> str:
    scenes_ = "1 scène" if series.count == 1 else f"{french_number(series.count)} scènes"
    by = f" par {sensors}" if sensors else ""
    first, last = french_date(series.start), french_date(series.end)
    when = f"le {first}" if first == last else f"du {first} au {last}"
    acquired = "acquise" if series.count == 1 else "acquises"
    cloud = (
        "La couverture nuageuse n'est connue pour aucune."
        if series.cloud is None
        else f"Couverture nuageuse moyenne\u00a0: {french_number(round(series.cloud, 1))}\u00a0%."
    )
    own = str(body.get("description") or "").strip()
    return f"{scenes_} {acquired}{by}, {when}. {cloud}" + (f"\n\n{own}" if own else "")


def _licence(body: dict[str, Any]) -> str:
    parts = []
    if body.get("license"):
        parts.append(f"Licence annoncée par la source\u00a0: {body['license']}.")
    given = body.get("providers")
    providers = given if isinstance(given, list) else []
    names = [str(one["name"]) for one in providers if isinstance(one, dict) and one.get("name")]
    if names:
        parts.append(f"Fournisseurs\u00a0: {', '.join(names)}.")
    return " ".join(parts)


def _polygon(bbox: list[float]) -> str:
    west, south, east, north = (round(value, 6) for value in bbox)
    # A point or a line is no area: Solr's spatial search wants one, a metre wide.
    east, north = max(east, west + 1e-5), max(north, south + 1e-5)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return orjson.dumps({"type": "Polygon", "coordinates": [ring]}).decode()
