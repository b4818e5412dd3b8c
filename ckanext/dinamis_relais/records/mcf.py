"""A series as pygeometa's content model (MCF 1.0), in French with English beside it. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import orjson

FRENCH, ENGLISH = "fre", "eng"
#: Theme of Annex II of the INSPIRE directive (2007/2/EC), by its register ``http://inspire.ec.europa.eu/theme/oi``.
THEME = {FRENCH: "Ortho-imagerie", ENGLISH: "Orthoimagery"}
THEMES = "GEMET - INSPIRE themes, version 1.0"


@dataclass(frozen=True)
class Terms:
    """What a record says of the use of the images; each text is the operator's or the source's, none is ours.

    :ivar title: of the licence, by language ``fr`` and ``en``; empty when the operator has given none yet
    :ivar credit: the line to print beside the image
    :ivar url: where the licence can be read
    """

    title: dict[str, str]
    credit: str = ""
    url: str = ""


@dataclass(frozen=True)
class Keeper:
    """Who answers for the record.

    :ivar name: legal name of the body that runs this site
    :ivar email: where questions go; may be empty
    :ivar url: address of this site
    """

    name: str
    email: str
    url: str


def mcf_of(
    series: dict[str, Any], changed: dt.datetime, uri: str, page: str, terms: Terms, keeper: Keeper
) -> dict[str, Any]:
    """The record of a series.

    :param series: an ``imagery-series`` dataset as ``package_show`` answers it
    :param changed: when the record last changed, UTC
    :param uri: the series' identifier in the world
    :param page: address of the dataset's page
    """
    stamp = changed.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "mcf": {"version": "1.0"},
        "metadata": {
            "identifier": series["id"], "language": FRENCH, "language_alternate": ENGLISH, "charset": "utf8",
            "hierarchylevel": "series", "datestamp": stamp, "dataseturi": uri,
        },
        "spatial": {"datatype": "grid"},
        "identification": {
            "title": both(series["title"], series["title"]), "abstract": abstract(series),
            # What is spoken in pictures is no language; the profile asks for that of the texts around them.
            "language": FRENCH, "charset": "utf8", "topiccategory": ["imageryBaseMapsEarthCover"],
            "dates": {"revision": stamp[:10]}, "keywords": keywords(series), "status": "onGoing",
            "maintenancefrequency": "asNeeded", "extents": extents(series), **constraints(series, terms),
        },
        "contact": {"owner": contact(keeper), "pointOfContact": contact(keeper), "distributor": contact(keeper)},
        "distribution": links(series, page, terms),
        "dataquality": {"scope": {"level": "series"}, "lineage": {"statement": lineage(series)}},
    }  # fmt: skip


def both(french: str, english: str) -> dict[str, str]:
    """A text in both languages."""
    return {FRENCH: french, ENGLISH: english}


def abstract(series: dict[str, Any]) -> dict[str, str]:
    """The dataset's own description; in English, what its fields say."""
    count = int(series.get("scene_count") or 0)
    by = f" by {series['sensors']}" if series.get("sensors") else ""
    cloud = series.get("cloud_mean")
    first, last = series.get("temporal_start"), series.get("temporal_end")
    english = (
        f"{count} {'scene' if count == 1 else 'scenes'} acquired{by}, "
        + (f"on {first}" if first == last else f"from {first} to {last}")
        + (f". Mean cloud cover: {cloud} %." if cloud else ". The cloud cover of none is known.")
    )
    return both(str(series.get("notes") or series["title"]), english)


def keywords(series: dict[str, Any]) -> dict[str, Any]:
    """INSPIRE's theme, satellites, and what people tagged the dataset with."""
    plain = [name.strip() for name in str(series.get("sensors") or "").split(",") if name.strip()]
    plain = list(dict.fromkeys([*plain, *(tag["name"] for tag in series.get("tags", []))]))
    found: dict[str, Any] = {
        "inspire": {
            "keywords": {FRENCH: [THEME[FRENCH]], ENGLISH: [THEME[ENGLISH]]}, "keywords_type": "theme",
            "vocabulary": {"name": THEMES, "url": "http://www.eionet.europa.eu/gemet/inspire_themes"},
        },
        "imagery": {
            "keywords": {FRENCH: ["Imagerie satellite", "DINAMIS"], ENGLISH: ["Satellite imagery", "DINAMIS"]},
            "keywords_type": "theme",
        },
    }  # fmt: skip
    if plain:
        found["free"] = {"keywords": {FRENCH: plain, ENGLISH: plain}, "keywords_type": "theme"}
    return found


def bbox_of(series: dict[str, Any]) -> list[float] | None:
    """West, south, east, north in degrees (WGS 84); None without an extent that can be read."""
    given = series.get("spatial")
    try:
        shape = orjson.loads(given) if isinstance(given, str) else given or {}
        points = shape["coordinates"][0]
        x, y = [float(point[0]) for point in points], [float(point[1]) for point in points]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError):
        return None
    return [min(x), min(y), max(x), max(y)]


def extents(series: dict[str, Any]) -> dict[str, Any]:
    """Box in degrees and the first and last day of acquisition."""
    box = bbox_of(series)
    spatial = [{"bbox": [f"{value:.6f}" for value in box], "crs": 4326}] if box else []
    begin, end = series.get("temporal_start"), series.get("temporal_end")
    return {"spatial": spatial, "temporal": [{"begin": begin, "end": end or begin}] if begin else []}


def constraints(series: dict[str, Any], terms: Terms) -> dict[str, Any]:
    """The licence; without one of the operator's, what the source announces."""
    note = str(series.get("licence_note") or "")
    licence = terms.title or {
        "fr": note or "Conditions non précisées par l'exploitant du catalogue.",
        "en": note or "The operator of the catalogue has not stated the terms.",
    }
    french = str(licence.get("fr") or next(iter(licence.values())))
    return {
        "rights": both(
            "Les images se téléchargent avec un compte DINAMIS, après acceptation de leur licence.",
            "Images are downloaded with a DINAMIS account, once their licence has been accepted.",
        ),
        "accessconstraints": "otherRestrictions",
        "license": {"name": both(french, str(licence.get("en") or french))},
    }


def contact(keeper: Keeper) -> dict[str, Any]:
    """The keeper as a contact."""
    found = {"organization": keeper.name, "url": keeper.url}
    return {**found, "email": keeper.email} if keeper.email else found


def links(series: dict[str, Any], page: str, terms: Terms) -> dict[str, Any]:
    """The dataset's page, then its resources: the explorer, the STAC items, what people added."""
    found: dict[str, Any] = {
        "page": {
            "url": page, "type": "WWW:LINK-1.0-http--link", "name": both("Fiche de la série", "Page of the series"),
            "function": "information",
        }
    }  # fmt: skip
    if terms.url:
        found["licence"] = {
            "url": terms.url, "type": "WWW:LINK-1.0-http--link", "name": both("Licence des images", "Licence"),
            "function": "information",
        }  # fmt: skip
    for number, one in enumerate(series.get("resources", [])):
        # geonetwork-ui shows the scenes of a link of this protocol.
        stac = "/dinamis/stac/" in str(one.get("url"))
        found[f"resource{number}"] = {
            "url": one["url"], "type": "STAC Items" if stac else "WWW:LINK-1.0-http--link",
            "name": one.get("name") or series["title"], "description": one.get("description") or None,
            "function": "search" if stac else "information",
        }  # fmt: skip
    return found


def lineage(series: dict[str, Any]) -> dict[str, str]:
    """Where the scenes come from."""
    source = series.get("source_url")
    if not source:
        return both("Scènes décrites par leur fournisseur.", "Scenes as their provider describes them.")
    return both(
        f"Scènes de la collection « {series.get('collection')} », moissonnées du catalogue STAC {source}.",
        f"Scenes of the collection “{series.get('collection')}”, harvested from the STAC catalogue {source}.",
    )
