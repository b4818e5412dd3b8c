"""Our STAC API read by the programs that people have: GDAL (features, mosaics), QGIS's rules, catalogue harvesters."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from .conftest import item

pytestmark = pytest.mark.usefixtures("with_plugins")

COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def run(code: str, *words: str) -> Any:
    """What a Python program says as JSON. A process of its own: GDAL holds this one's lock while it waits for us."""
    made = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


FEATURES = """
import json, sys, pyogrio
address = f"OAPIF:{sys.argv[1]}"
layers = [str(name) for name, _kind in pyogrio.list_layers(address)]
whole = pyogrio.read_info(address, layer="spot", force_feature_count=True, PAGE_SIZE="10")
_meta, _ids, shapes, values = pyogrio.raw.read(
    address, layer="spot", bbox=(-0.905, 44.7, -0.885, 44.8), columns=["eo:cloud_cover"], PAGE_SIZE="10")
print(json.dumps([layers, whole["features"], whole["geometry_type"], sorted(map(float, values[0]))]))
"""
MOSAIC = """
import json, sys, numpy, rasterio
with rasterio.open(f'STACIT:"{sys.argv[1]}/search?collections=spot":asset=MS') as image:
    print(json.dumps([image.width, image.height, numpy.unique(image.read(1)).tolist()]))
"""


def test_gdal_reads_collections_as_layers(live: str, load: Any) -> None:
    load([item(number) for number in range(25)])
    assert run(FEATURES, live) == [["spot"], 25, "Polygon", [0.0, 1.0]]


def test_gdal_reads_a_search_as_one_image(live: str, load: Any, tmp_path: Path) -> None:
    scenes = []
    for number in range(2):
        west, path = 400_000 + number * 100, tmp_path / f"{number}.tif"
        place = from_origin(west, 6_400_000, 10, 10)
        with rasterio.open(path, "w", driver="GTiff", width=10, height=10, count=1, dtype="uint16",
                           crs="EPSG:2154", transform=place) as image:  # fmt: skip
            image.write(np.full((1, 10, 10), number + 1, "uint16"))
        described = {
            "proj:shape": [10, 10], "proj:transform": list(place)[:6],
            "proj:bbox": [west, 6_399_900, west + 100, 6_400_000],
        }  # fmt: skip
        scene = item(number, **{"proj:code": "EPSG:2154"})
        scene["stac_version"] = "1.1.0"
        scene["stac_extensions"] = ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"]
        scene["assets"] = {"MS": {"href": path.as_uri(), "type": COG, "roles": ["data"], **described}}
        scenes.append(scene)
    load(scenes)
    assert run(MOSAIC, live) == [20, 10, [1, 2]]


def test_what_qgis_asks_of_a_server(app: Any, engine: Any, load: Any) -> None:
    """QGIS 3.40 wants version 1, whole links, exact media types, and next links that it can follow by GET."""
    asset = {"href": "https://store.example/ms.tif", "type": COG, "roles": ["data"]}
    load([{**item(number), "assets": {"MS": asset}} for number in range(3)])
    root = app.get("/dinamis/stac").json
    links = {link["rel"]: link for link in root["links"]}
    assert root["stac_version"] >= "1.0.0"
    assert all(re.match("https?://", link["href"]) for link in root["links"])
    for name in ("data", "search", "conformance"):
        assert app.get(links[name]["href"].replace("http://test.ckan.net", "")).status_code == 200
    first = app.get("/dinamis/stac/search?collections=spot&limit=2&bbox=-1,44,1,46").json
    assert first["features"][0]["assets"]["MS"]["type"] == COG
    assert first["features"][0]["assets"]["MS"]["href"].startswith("https://")
    onward = next(link for link in first["links"] if link["rel"] == "next")
    assert onward["method"] == "GET"
    rest = app.get(onward["href"].replace("http://test.ckan.net", "")).json
    assert {one["id"] for one in first["features"] + rest["features"]} == {f"SPOT6_0000{n}" for n in range(3)}


def test_what_geonetwork_reads_of_collections(app: Any, engine: Any, load: Any) -> None:
    """All in one answer, or by pages until one is empty; ids that stay; self, items and licence as links."""
    licence = {"rel": "license", "href": "https://licences.example/spot.pdf", "title": "Licence"}
    for name in ("a", "b", "c"):
        load([{**item(1), "collection": name}], name, links=[licence, {"rel": "self", "href": "http://elsewhere"}])
    whole = app.get("/dinamis/stac/collections").json
    assert [one["id"] for one in whole["collections"]] == ["a", "b", "c"]
    for one in whole["collections"]:
        links = {link["rel"]: link["href"] for link in one["links"]}
        assert links["self"] == f"http://test.ckan.net/dinamis/stac/collections/{one['id']}"
        assert links["items"] == f"{links['self']}/items"
        assert links["license"] == licence["href"]
    read, page = [], 1
    while found := app.get(f"/dinamis/stac/collections?limit=2&page={page}").json["collections"]:
        read += [one["id"] for one in found]
        page += 1
    assert read == ["a", "b", "c"]
