"""The area of a file in the explorer: read, put into the address, searched, drawn; nothing of it is kept."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from shapely.geometry import Point, shape

from ckanext.dinamis_relais.imagery import filters, shared_area
from tests.imagery.conftest import item
from tests.imagery_requests import files

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_redis")

TRIANGLE = [[-0.9, 44.6], [-0.8, 44.6], [-0.9, 44.7], [-0.9, 44.6]]


def geojson(*rings: Any, kind: str = "Polygon") -> bytes:
    coordinates: Any = list(rings) if kind == "Polygon" else [[ring] for ring in rings]
    return json.dumps({"type": kind, "coordinates": coordinates}).encode()


def send(app: Any, content: bytes, name: str = "zone.geojson", query: str = "") -> Any:
    data = {"file": (io.BytesIO(content), name)}
    return app.post(f"/dinamis/images/area{query}", data=data, content_type="multipart/form-data",
                    follow_redirects=False)  # fmt: skip


def test_a_file_becomes_an_address_that_finds_and_draws(app: Any, engine: Any, load: Any) -> None:
    load([item(1), item(12)])
    answer = send(app, geojson(TRIANGLE), query="?cloud=50&place=Nulle+part")
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked == {"area": ["-0.9_44.7_-0.8_44.6_-0.9_44.6"], "cloud": ["50"]}
    page = BeautifulSoup(app.get(answer.headers["Location"]).body, "html.parser")
    listed = [one["href"] for one in page.select(".dinamis-scenes a[href*='/dinamis/images/spot/']")]
    assert len(set(listed)) == 1 and "SPOT6_00001" in listed[0]
    assert "dans la zone de votre fichier" in page.select_one("#scenes-title").get_text()
    assert "couvre votre zone à 81\u00a0%" in page.select_one(".dinamis-scenes").get_text()
    assert "Zone d'un fichier" in page.select_one(".dinamis-chips").get_text()
    drawn = json.loads(page.select_one("#dinamis-map-data").string)
    assert shape(drawn["place"]["geometry"]).equals(shape({"type": "Polygon", "coordinates": [TRIANGLE]}))
    assert page.select_one("form[role=search] input[name=area]")["value"] == asked["area"][0]
    tile = app.get("/dinamis/images/tiles/10/509/369.mvt?area=" + asked["area"][0])
    assert b"SPOT6_00001" in tile.get_data() and b"SPOT6_00012" not in tile.get_data()


@pytest.mark.parametrize(
    "name, content",
    [
        ("zone.kml", files.kml()),
        ("zone.zip", files.zipped({"zone.shp": files.shp([files.lambert()]), "zone.prj": files.prj().encode()})),
    ],
)
def test_other_formats_are_read(app: Any, engine: Any, name: str, content: bytes) -> None:
    answer = send(app, content, name)
    assert "area=" in answer.headers["Location"]


@pytest.mark.parametrize(
    "name, content", [("zone.geojson", b"{"), ("zone.exe", b"MZ"), ("zone.geojson", b""), ("", b""), ("a.zip", b"PK")]
)
def test_what_is_no_area_says_so_and_keeps_the_filters(app: Any, engine: Any, name: str, content: bytes) -> None:
    answer = send(app, content, name, "?cloud=50")
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/dinamis/images?cloud=50")


def test_an_outline_of_many_points_is_made_simpler_and_fits() -> None:
    circle = Point(0, 45).buffer(0.3, quad_segs=2000)
    text, simplified = shared_area.written(circle.__geo_interface__)
    assert simplified and len(text) < 4_000
    asked, wrong = filters.read({"area": text})
    found = shape(asked.outline)
    assert not wrong and found.symmetric_difference(circle).area < circle.area * 0.01
    many = json.loads(geojson(*[[[x, 45], [x + 0.5, 45], [x, 45.5], [x, 45]] for x in range(-40, 40)],
                              kind="MultiPolygon"))  # fmt: skip
    text, simplified = shared_area.written(many)
    assert simplified and len(filters.outlines(text)) == shared_area.RINGS
    exact = {"type": "Polygon", "coordinates": [TRIANGLE]}
    assert shared_area.written(exact) == ("-0.9_44.6_-0.8_44.6_-0.9_44.7", False)


@pytest.mark.parametrize(
    "text", ["1_2", "1_2_3_4", "a_b_c_d_e_f", "200_45_201_45_200_46", "1_2_3_4_5", "nan_1_2_3_4_5"]
)
def test_a_crooked_area_is_left_out_and_named(text: str) -> None:
    asked, wrong = filters.read({"area": text})
    assert (asked.area, wrong) == ("", ["area"])


def test_a_place_or_a_part_of_the_map_outweighs_it() -> None:
    area = "-0.9_44.6_-0.8_44.6_-0.9_44.7"
    for name, value in (("place", "Bègles"), ("bbox", "0,44,1,45")):
        asked, _wrong = filters.read({"area": area, name: value})
        assert asked.area == "" and getattr(asked, name) == value
