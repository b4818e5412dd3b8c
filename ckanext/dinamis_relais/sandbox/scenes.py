"""Synthetic SPOT 6/7 scenes over Nouvelle-Aquitaine, in STAC 1.1.0, always the same for the same seed.

Ids, collections, asset keys and extensions follow what is public of the real catalogue; the scenes themselves
are made up, and each says so in ``dinamis_relais:synthetic``.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Longitude and latitude (EPSG:4326) of what the scenes cover.
WEST, SOUTH, EAST, NORTH = -1.8, 42.7, 2.7, 47.2
#: Degrees between the centres of two neighbouring tiles: about 50 km, for scenes of about 60 km.
STEP_LON, STEP_LAT = 0.66, 0.46
COLUMNS, ROWS = math.ceil((EAST - WEST) / STEP_LON), math.ceil((NORTH - SOUTH) / STEP_LAT)
TILES = COLUMNS * ROWS
YEARS = range(2014, 2024)
#: Share of the pairs (tile, year) that were never acquired.
HOLES = 0.08
#: First and last day of SPOT 7 in this stock: it was launched in June 2014 and lost in March 2023.
SPOT7 = (dt.date(2014, 9, 1), dt.date(2023, 2, 28))
#: Acquisitions lie between 10:30 and 11:00 UTC; each tile has its own slice of this half hour, in tenths of seconds.
SLICE = 30 * 60 * 10 // TILES
ID = re.compile(r"SPOT([67])_MS_(\d{15})_SPOT\1_P_\2(?:_\d+)?")
BUCKET = "sandbox"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
EXTENSIONS = [
    "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
    "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
]
OPENSPOT, DRS = "dinamis-openspot-6-7", "spot-6-7-drs"
#: First year of ``spot-6-7-drs``, and its share of the scenes from then on: three scenes in ten over all years.
DRS_BEGINS, DRS_SHARE = 2017, 0.43
#: collection → asset key → end of the file's name
ASSETS = {OPENSPOT: {"MS": "MS"}, DRS: {"src_xs": "XS", "src_pan": "PAN"}}
#: Bands in the order of the file, which is not that of their names: name, common name, centre and width in µm.
MULTISPECTRAL = [
    ("B2", "red", 0.66, 0.07),
    ("B1", "green", 0.56, 0.06),
    ("B0", "blue", 0.485, 0.07),
    ("B3", "nir", 0.825, 0.13),
]
PANCHROMATIC = [("P", "pan", 0.598, 0.295)]


def centre(tile: int) -> tuple[float, float]:
    """Longitude and latitude (EPSG:4326, degrees) of a tile's centre.

    :param tile: 0 to ``TILES - 1``, from east to west as the satellite passes, each column from north to south
    """
    column, row = divmod(tile, ROWS)
    return WEST + (COLUMNS - column - 0.5) * STEP_LON, NORTH - (row + 0.5) * STEP_LAT


def place(item_id: str) -> tuple[float, float] | None:
    """Where a scene lies, by its id alone: longitude and latitude (EPSG:4326) inside its footprint.

    :returns: None when it is no id of these scenes
    """
    found = ID.fullmatch(item_id)
    if not found:
        return None
    time = found[2][8:]
    tenths = ((int(time[:2]) * 60 + int(time[2:4])) * 60 + int(time[4:6])) * 10 + int(time[6])
    tile = (tenths - (10 * 60 + 30) * 600) // SLICE
    return centre(tile) if 0 <= tile < TILES else None


def _footprint(lon: float, lat: float, chance: random.Random) -> list[list[float]]:
    """A slanted quadrilateral of about 60 km, a closed counter-clockwise ring (longitude, latitude)."""
    half_lat = 0.27 + chance.uniform(-0.01, 0.02)
    half_lon = 0.27 / math.cos(math.radians(lat)) + chance.uniform(-0.01, 0.02)
    slant = 0.06 + chance.uniform(-0.01, 0.01)
    dlon, dlat = chance.uniform(-0.03, 0.03), chance.uniform(-0.02, 0.02)
    ring = [
        [
            round(lon + dlon + sx * half_lon + sy * slant, 6),
            round(lat + dlat + sy * half_lat - sx * slant * 0.3, 6),
        ]
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return [*ring, ring[0]]


def _moment(tile: int, year: int, chance: random.Random) -> dt.datetime:
    """An aware time (UTC) between April and early October, in the tile's own slice of the half hour."""
    day = dt.datetime(year, 4, 1, 10, 30, tzinfo=dt.timezone.utc) + dt.timedelta(days=chance.randrange(190))
    return day + dt.timedelta(milliseconds=100 * (tile * SLICE + chance.randrange(SLICE)))


def _sun(moment: dt.datetime, lon: float, lat: float) -> tuple[float, float]:
    """Elevation and azimuth of the sun in degrees, good to about one degree."""
    declination = math.radians(23.44) * math.sin(2 * math.pi * (moment.timetuple().tm_yday - 81) / 365)
    hours = moment.hour + moment.minute / 60 + lon / 15 - 12
    angle, phi = math.radians(15 * hours), math.radians(lat)
    height = math.asin(math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(angle))
    azimuth = math.atan2(math.sin(angle), math.cos(angle) * math.sin(phi) - math.tan(declination) * math.cos(phi))
    return round(math.degrees(height), 1), round(math.degrees(azimuth) + 180, 1)


def _asset(key: str) -> dict[str, Any]:
    """What every asset of a key has, without its address."""
    pan = key == "src_pan"
    bands = PANCHROMATIC if pan else MULTISPECTRAL
    raster = {"data_type": "uint16", "nodata": 0, "bits_per_sample": 16, "spatial_resolution": 1.5 if pan else 6.0}
    return {
        "type": COG,
        "title": "Panchromatique, 1,5 m (synthétique)" if pan else "Multispectral, 6 m, 4 bandes (synthétique)",
        "roles": ["data"],
        "gsd": 1.5 if pan else 6.0,
        "eo:bands": [
            {"name": name, "common_name": common, "center_wavelength": middle, "full_width_half_max": width}
            for name, common, middle, width in bands
        ],
        "raster:bands": [raster] * len(bands),
    }


def _properties(
    moment: dt.datetime, satellite: int, spot: tuple[float, float], chance: random.Random
) -> dict[str, Any]:
    elevation, azimuth = _sun(moment, *spot)
    properties: dict[str, Any] = {
        "title": f"SPOT {satellite}, {moment:%d/%m/%Y} (scène synthétique)",
        "datetime": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "platform": f"spot-{satellite}",
        "constellation": "spot",
        "instruments": ["naomi"],
        "gsd": 6.0,
        "proj:code": "EPSG:2154",
        "processing:level": "L2",
        "sat:orbit_state": "descending",
        "view:incidence_angle": round(min(30.0, abs(chance.gauss(12, 7))), 1),
        "view:sun_elevation": elevation,
        "view:sun_azimuth": azimuth,
        "dinamis_relais:synthetic": True,
    }
    # One scene in twelve does not say how cloudy it is: unknown is not zero.
    if chance.random() > 1 / 12:
        properties["eo:cloud_cover"] = round(min(100.0, chance.expovariate(1 / 8)), 1)
    return properties


def _item(tile: int, year: int, asset_base: str, chance: random.Random) -> dict[str, Any]:
    moment, (lon, lat) = _moment(tile, year, chance), centre(tile)
    satellite = chance.choice((6, 7)) if SPOT7[0] <= moment.date() <= SPOT7[1] else 6
    stamp = f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 100000}"
    item_id = f"SPOT{satellite}_MS_{stamp}_SPOT{satellite}_P_{stamp}_1"
    collection = DRS if year >= DRS_BEGINS and chance.random() < DRS_SHARE else OPENSPOT
    ring = _footprint(lon, lat, chance)
    lons, lats = zip(*ring, strict=True)
    folder = f"{asset_base.rstrip('/')}/{BUCKET}/{collection}/{item_id}"
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": item_id,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(lons), min(lats), max(lons), max(lats)],
        "properties": _properties(moment, satellite, (lon, lat), chance),
        "assets": {
            key: {"href": f"{folder}/{item_id}_{end}.tif", **_asset(key)} for key, end in ASSETS[collection].items()
        },
        # The schema wants a parent; a STAC server puts its own address here.
        "links": [{"rel": "collection", "href": f"../{collection}", "type": "application/json"}],
    }


def _chance(*words: object) -> random.Random:
    return random.Random("/".join(map(str, words)))  # noqa: S311  # made-up data, nothing to guess


def items(count: int, asset_base: str, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Scenes, each id once; fewer of them are spread over the same tiles and years.

    :param count: how many
    :param asset_base: address of the object store
    :param seed: another number, other scenes
    """
    cells = TILES * len(YEARS)
    # A stride without common factor with the number of cells visits each of them once before any twice.
    stride = next(n for n in range(251, 251 + cells) if math.gcd(n, cells) == 1)
    seen: set[str] = set()
    number = -1
    while len(seen) < count:
        number += 1
        year, tile = divmod(number * stride % cells, TILES)
        if _chance(seed, "hole", tile, year).random() < HOLES:
            continue
        item = _item(tile, YEARS[year], asset_base, _chance(seed, number))
        if item["id"] not in seen:
            seen.add(item["id"])
            yield item


def collections(asset_base: str) -> list[dict[str, Any]]:
    """The collections, labelled synthetic.

    :param asset_base: address of the object store, named as the host of the files
    """
    host = {"name": "Bac à sable (données synthétiques)", "roles": ["producer", "host"], "url": asset_base}
    return [
        {
            "type": "Collection",
            "stac_version": "1.1.0",
            "stac_extensions": [],
            "id": name,
            "title": f"SPOT 6/7 {name} (scènes synthétiques)",
            "description": "Bac à sable : scènes synthétiques, ceci n'est pas le catalogue de DINAMIS.",
            "keywords": ["SPOT", "synthétique"],
            "license": "other",
            "providers": [host],
            "extent": {
                "spatial": {"bbox": [[WEST - 0.5, SOUTH - 0.5, EAST + 0.5, NORTH + 0.5]]},
                "temporal": {"interval": [[f"{first}-01-01T00:00:00Z", f"{YEARS[-1]}-12-31T23:59:59Z"]]},
            },
            "item_assets": {key: _asset(key) for key in ASSETS[name]},
            "summaries": {"platform": ["spot-6", "spot-7"], "constellation": ["spot"], "instruments": ["naomi"]},
            "links": [],
        }
        for name, first in ((OPENSPOT, YEARS[0]), (DRS, DRS_BEGINS))
    ]


def write(out: Path, count: int, asset_base: str, seed: int = 1) -> None:
    """Write ``collections.ndjson`` and ``items.ndjson``, as ``pypgstac load`` takes them.

    :param out: folder, made when absent
    :raises OSError: the folder cannot be written
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, things in (("collections", collections(asset_base)), ("items", items(count, asset_base, seed))):
        with (out / f"{name}.ndjson").open("w", encoding="utf-8") as file:
            for thing in things:
                file.write(json.dumps(thing, ensure_ascii=False, separators=(",", ":")) + "\n")
