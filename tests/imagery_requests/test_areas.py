"""Areas as people give them, and as nobody should: each is made polygons, or refused for what is wrong with it."""

from __future__ import annotations

import json
import zipfile

import pytest
import shapefile
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import shape

from ckanext.dinamis_relais.imagery_requests import areas
from ckanext.dinamis_relais.imagery_requests.areas import AreaProblem, Limits, from_file, from_geometry
from tests.imagery_requests.files import RING, SQUARE, geojson, kml, lambert, prj, shp, zipped

LIMITS = Limits()
GEODESIC = abs(Geod(ellps="GRS80").geometry_area_perimeter(shape(SQUARE))[0]) / 1e6
BOWTIE = [[0, 45], [0.1, 45.1], [0.1, 45], [0, 45.1], [0, 45]]


def problem(name, content, limits=LIMITS):
    with pytest.raises(AreaProblem) as raised:
        from_file(name, content, limits)
    return raised.value.kind


@pytest.mark.parametrize(
    ("name", "content", "notes"),
    [
        ("zone.geojson", geojson(), ()),
        ("ZONE.JSON", geojson({"type": "Feature", "properties": {}, "geometry": SQUARE}), ()),
        ("zone.geojson", json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": SQUARE},
            {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [0, 45]}}]}).encode(),
         ("left_out",)),
        ("zone.geojson", geojson({"type": "Polygon", "coordinates": [lambert()]},
                                 crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}),
         ("projected",)),
        ("zone.kml", kml(), ()),
        ("zone.kmz", zipped({"doc.kml": kml()}), ()),
        ("zone.zip", zipped({"z/zone.shp": shp([lambert()]), "z/zone.prj": prj(), "z/zone.dbf": b""}), ("projected",)),
        ("zone.zip", zipped({"zone.SHP": shp([RING])}), ("assumed_wgs84",)),
    ],
)  # fmt: skip
def test_each_format_gives_the_same_square(name, content, notes):
    area = from_file(name, content, LIMITS)
    assert area.notes == notes
    assert area.geometry["type"] == "Polygon"
    assert area.km2 == pytest.approx(GEODESIC, rel=2e-3)
    assert shape(area.geometry).symmetric_difference(shape(SQUARE)).area < 1e-4


@given(st.floats(-170, 160), st.floats(-70, 60), st.floats(0.01, 5), st.floats(0.01, 5))
def test_the_surface_is_that_of_the_ellipsoid_wherever_it_lies(west, south, width, height):
    square = shapely.segmentize(shapely.box(west, south, west + width, south + height), 0.02)
    geodesic = abs(Geod(ellps="GRS80").geometry_area_perimeter(square)[0]) / 1e6
    assert areas.area_km2(square) == pytest.approx(geodesic, rel=1e-4)


def test_what_is_broken_is_repaired_with_a_note():
    area = from_geometry({"type": "Polygon", "coordinates": [BOWTIE]}, LIMITS)
    assert area.notes == ("repaired",)
    assert shape(area.geometry).is_valid
    assert area.geometry["type"] == "MultiPolygon"


def test_polygons_that_overlap_count_once():
    two = {"type": "MultiPolygon", "coordinates": [[RING], [[[x + 0.05, y] for x, y in RING]]]}
    area = from_geometry({"type": "GeometryCollection", "geometries": [SQUARE, two]}, LIMITS)
    assert "merged" in area.notes
    assert area.km2 == pytest.approx(1.5 * GEODESIC, rel=1e-3)


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        ({"type": "Point", "coordinates": [0, 45]}, "no_polygon"),
        ({"type": "LineString", "coordinates": [[0, 45], [1, 45]]}, "no_polygon"),
        ({"type": "FeatureCollection", "features": []}, "empty"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[[0, 45], [0.000001, 45], [0.000001, 45.000001], [0, 45]]]}, "small"),
        ({"type": "Polygon", "coordinates": [[[0, 45], [1, 45], [2, 45], [0, 45]]]}, "broken"),
        ({"type": "Polygon", "coordinates": [lambert()]}, "system"),
        ({"type": "Polygon", "coordinates": [[[0, 45], [1, 45]]]}, "geojson"),
        ({"type": "Polygon", "coordinates": "x"}, "geojson"),
        ({"type": "Topology", "arcs": []}, "geojson"),
        ({**SQUARE, "crs": {"properties": {"name": "EPSG:999999"}}}, "system"),
        ({**SQUARE, "crs": "x"}, "system"),
        ({"type": "Feature", "geometry": None, "properties": None}, "geojson"),
        ("", "geojson"), ("[]", "geojson"), ("{", "geojson"), ("[" * 100_000, "geojson"), ("\ud800", "geojson"),
        ('{"type":"Polygon","coordinates":[[[NaN,1],[2,3],[3,4],[0,1]]]}', "geojson"),
        ('{"type":"Polygon","coordinates":[[[1e400,1],[2,3],[3,4],[1e400,1]]]}', "geojson"),
        ('{"type":"Polygon","coordinates":[[[1e12,1],[2,3],[3,4],[1e12,1]]]}', "numbers"),
    ],
)  # fmt: skip
def test_what_is_no_area_is_refused_for_what_it_is(geometry, kind):
    with pytest.raises(AreaProblem) as raised:
        from_geometry(geometry, LIMITS)
    assert raised.value.kind == kind


def test_more_than_the_operator_allows_is_refused():
    with pytest.raises(AreaProblem) as raised:
        from_geometry(SQUARE, Limits(km2=10))
    assert (raised.value.kind, raised.value.values) == ("large", {"km2": 10, "found": round(GEODESIC)})


def wheel(points):
    """A ring of so many points."""
    step = 0.4 / points
    return [[0, 45], *[[index * step, 45.1 + (index % 2) * 1e-5] for index in range(points)], [0.5, 45], [0, 45]]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("zone.geojson", lambda ring: geojson({"type": "Polygon", "coordinates": [ring]})),
        ("zone.kml", kml),
        ("zone.zip", lambda ring: zipped({"zone.shp": shp([ring])})),
    ],
)
def test_a_million_points_are_refused_by_every_format(name, make):
    large = Limits(file_mb=100, unpacked_mb=100)
    # The XML parser itself ends at 10 MB of one text.
    assert problem(name, make(wheel(1_000_000)), large) in ("points", "kml")
    assert problem(name, make(wheel(20_000)), large) == "points"
    assert from_file(name, make(wheel(5_000)), large).km2 > 100


def test_a_bomb_stays_packed():
    zeros = b"\0" * 60_000_000
    bomb = zipped({"zone.shp": zeros})
    assert len(bomb) < 100_000
    assert problem("zone.zip", bomb) == "archive_large"
    # A header that lies about the size does not open it either.
    lying = bomb.replace((60_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != bomb
    assert problem("zone.zip", lying) in ("archive_broken", "points", "shapefile")
    assert problem("zone.zip", zipped({"zone.shp": b"\0" * 3_000_000})) == "points"
    assert problem("zone.kmz", zipped({"doc.kml": b" " * 6_000_000})) == "points"


@pytest.mark.parametrize("name", ["../../etc/zone.shp", "/etc/zone.shp", "a/../../zone.shp", "C:\\zone.shp",
                                  "..\\zone.shp"])  # fmt: skip
def test_a_name_that_leads_out_of_its_archive_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert problem("zone.zip", zipped({name: shp([RING])})) == "archive_names"
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("zone.zip", zipped({"a.shp": shp([RING]), "b.shp": shp([RING])}), "archive_many"),
        ("zone.zip", zipped({"zone.txt": "x"}), "archive_nothing"),
        ("zone.zip", zipped({f"{n}.txt": "x" for n in range(60)}), "archive_files"),
        ("zone.zip", b"PK\x03\x04 no archive", "archive_broken"),
        ("zone.zip", zipped({"zone.shp": shp([RING])})[:-40], "archive_broken"),
        ("zone.zip", zipped({"zone.shp": b"no shapes"}), "shapefile"),
        ("zone.zip", zipped({"zone.shp": shp([RING])[:150]}), "shapefile"),
        ("zone.zip", zipped({"zone.shp": shp([0, 45], shapefile.POINT)}), "no_polygon"),
        ("zone.zip", zipped({"zone.shp": shp([RING]), "zone.prj": "no system"}), "system"),
        ("zone.zip", zipped({"zone.shp": shp([lambert()])}), "system"),
        ("zone.kml", b"<kml", "kml"),
        ("zone.kml", b"<kml/>", "no_polygon"),
        ("zone.kml", kml().replace(b"-0.6,44.78,12", b"here"), "kml"),
        ("zone.gpkg", b"SQLite", "file_type"),
        ("zone", b"x", "file_type"),
        ("zone.geojson", b"", "file_empty"),
        ("zone.geojson", b" " * 5_000_001, "file_large"),
        ("zone.geojson", b"\xff\xfe", "geojson"),
    ],
)
def test_what_is_no_file_of_an_area_is_refused_for_what_it_is(name, content, kind):
    assert problem(name, content) == kind


def test_a_locked_archive_is_refused():
    content = bytearray(zipped({"zone.shp": shp([RING])}, zipfile.ZIP_STORED))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    assert problem("zone.zip", bytes(content)) == "archive_locked"


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE kml>",
    ],
)
def test_entities_and_outside_documents_are_refused(head):
    assert problem("zone.kml", kml(head=head)) == "kml_entities"
    assert problem("zone.kmz", zipped({"doc.kml": kml(head=head)})) == "kml_entities"


def test_a_hole_stays_a_hole():
    inner = " ".join(f"{x},{y}" for x, y in ((-0.58, 44.80), (-0.52, 44.80), (-0.52, 44.82), (-0.58, 44.82),
                                             (-0.58, 44.80)))  # fmt: skip
    hole = f"<innerBoundaryIs><LinearRing><coordinates>{inner}</coordinates></LinearRing></innerBoundaryIs>"
    area = from_file("zone.kml", kml(hole=hole), LIMITS)
    assert area.km2 == pytest.approx(0.8 * GEODESIC, rel=1e-3)


@given(st.binary(max_size=300), st.sampled_from(["geojson", "kml", "zip", "kmz"]))
def test_any_bytes_are_an_area_or_a_problem(content, end):
    try:
        area = from_file(f"x.{end}", content, LIMITS)
    except AreaProblem as error:
        assert error.kind
    else:
        assert area.km2 > 0


@given(st.binary(min_size=1, max_size=40), st.integers(0, 230))
def test_a_shapefile_with_changed_bytes_is_an_area_or_a_problem(change, at):
    content = bytearray(shp([RING]))
    content[at : at + len(change)] = change
    try:
        area = from_file("zone.zip", zipped({"zone.shp": bytes(content)}), LIMITS)
    except AreaProblem:
        return
    assert area.km2 > 0
