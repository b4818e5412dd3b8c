"""A year's coverage in words: the sentence, the strip of years, the rows of its scenes, of its table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.dates import in_words
from ckanext.dinamis_relais.imagery import describe
from ckanext.dinamis_relais.imagery.words import platform_name
from ckanext.dinamis_relais.portal.words import words


def _kinds() -> dict[str, str]:
    _ = tk._
    return {"commune": _("commune"), "epci": _("EPCI"), "departement": _("département"), "region": _("région")}


def _directions() -> dict[str, str]:
    _ = tk._
    return {
        "n": _("in the north"), "ne": _("in the north-east"), "e": _("in the east"), "se": _("in the south-east"),
        "s": _("in the south"), "sw": _("in the south-west"), "w": _("in the west"), "nw": _("in the north-west"),
        "c": _("in the middle"),
    }  # fmt: skip


def _numbers() -> dict[int, str]:
    _ = tk._
    return {
        2: _("two"), 3: _("three"), 4: _("four"), 5: _("five"), 6: _("six"), 7: _("seven"), 8: _("eight"),
        9: _("nine"), 10: _("ten"),
    }  # fmt: skip


def kind_label(kind: str) -> str:
    """``commune``, ``EPCI``, ``département``, ``région`` in the page's language."""
    return words(_kinds)[kind]


def percent(year: dict[str, Any]) -> str:
    """How much is covered: never 100 % where something is missing, nor 0 % where something is covered."""
    share = year["share"]
    if not year["hole_count"]:
        return describe.percents(100)
    value = math.floor(share * 100)
    return tk._("less than 1 %") if share and not value else describe.percents(value)


def direction(name: str) -> str:
    """Where a hole lies in the territory."""
    return words(_directions)[name]


def _count(number: int) -> str:
    """A small number as a word."""
    return words(_numbers).get(number) or describe.number(number)


def sentence(year: dict[str, Any]) -> str:
    """``Pour 2023, deux scènes suffisent ; il manque 2,6 km² au nord.``"""
    if year["share"] is None:
        return tk._("There was no time left to compare the scenes of {year}.").format(year=year["year"])
    if not year["scenes"]:
        return tk._("No scene of {year} covers this territory.").format(year=year["year"])
    number, holes = len(year["scenes"]), year["holes"]["features"]
    said = {"year": year["year"], "count": _count(number), "places": _count(len(holes))}
    enough = tk.ungettext("For {year}, one scene is enough", "For {year}, {count} scenes are enough", number)
    if not holes:
        return enough.format(**said) + "."
    missing = tk.ungettext(
        "{area} km² are missing {where}", "{area} km² are missing in {places} places, most of it {where}", len(holes)
    )
    where, area = direction(holes[0]["properties"]["direction"]), describe.number(year["hole_km2"], 2)
    return tk._("{enough}; {missing}.").format(
        enough=enough.format(**said), missing=missing.format(area=area, where=where, **said)
    )


def strip(years: list[dict[str, Any]], shown: int | None = None) -> list[dict[str, Any]]:
    """A cell for each year: ``year``, ``known``, ``width`` of its bar (0 to 100), ``text``, ``holes``, ``current``."""
    cells = []
    for one in years:
        known = one["share"] is not None
        number = one["hole_count"] if known and one["scene_count"] else 0
        holes = tk.ungettext("{n} hole", "{n} holes", number).format(n=number) if number else ""
        cells.append({
            "year": one["year"], "known": known, "width": round(100 * (one["share"] or 0), 1),
            "text": percent(one) if known else "…", "holes": holes, "current": one["year"] == shown,
        })  # fmt: skip
    return cells


def row(scene: dict[str, Any]) -> dict[str, Any]:
    """What the page says of a scene."""
    moment = describe.moment_of({"properties": scene})
    share = max(1, round(scene["share"] * 100)) if scene["share"] else 0
    return {
        **scene, "key": f"{scene['collection']}/{scene['id']}", "date": describe.day(moment),
        "short": in_words(moment, "long", describe.locale()) if moment else tk._("unknown date"),
        "sensor": platform_name(scene["platform"]) or tk._("Unknown satellite"),
        "clouds": describe.cloud(scene["cloud"]), "covers": describe.percents(share),
    }  # fmt: skip


def table(years: list[dict[str, Any]], url: Any) -> Iterator[list[Any]]:
    """The rows of the CSV file: one for each chosen scene, one for a year without any.

    :param url: the address of a scene, from its collection and id
    """
    _ = tk._
    yield [_("Year"), _("Share covered (%)"), _("Missing (km²)"), _("Scenes over the territory"), _("Rank"),
           _("Satellite"), _("Taken (UTC)"), _("Clouds (%)"), _("Share that the scene covers (%)"), _("Series"),
           _("Identifier"), _("Address")]  # fmt: skip
    for one in years:
        if one["share"] is None:
            yield [one["year"], _("not computed")]
            continue
        start = [one["year"], _decimal(one["share"] * 100), _decimal(one["hole_km2"]), one["count"]]
        for rank, scene in enumerate(one["scenes"], 1):
            yield [*start, rank, platform_name(scene["platform"]), scene["datetime"], _decimal(scene["cloud"]),
                   _decimal(scene["share"] * 100), scene["collection"], scene["id"],
                   url(scene["collection"], scene["id"])]  # fmt: skip
        if not one["scenes"]:
            yield start


def _decimal(value: Any) -> str:
    """A number as a spreadsheet in the page's language reads it; empty for None."""
    return describe.number(value, 2).replace("\u202f", "").replace("\xa0", "") if value is not None else ""
