"""Real answers: four SPOT 6/7 items of a UK programme, two pages of the Montpellier STAC."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.imagery.running import harvest_now

UK, MONTPELLIER = "uksa-ssgp-spot", "sentinel2-l2a-sen2cor"


@pytest.fixture
def real_source(samples: Path) -> Iterator[str]:
    """The samples, byte for byte as they are, behind the addresses of a STAC API."""
    stac = samples / "stac"
    items = [json.loads(path.read_bytes()) for path in sorted(stac.glob("UKSA_*.json"))]
    collection = json.loads((stac / f"collection_{UK}.json").read_bytes())
    listing = {"type": "FeatureCollection", "features": items, "links": []}
    last = {"type": "FeatureCollection", "features": [], "links": []}
    answers = [
        (f"/collections/{UK}/items", json.dumps(listing).encode()),
        ("token=next:sentinel2-l2a-sen2cor:S2C_20251016", json.dumps(last).encode()),
        ("token=next:", (stac / "stac-items-empty.json").read_bytes()),
        (f"/collections/{MONTPELLIER}/items", (stac / "stac-items-page-1.json").read_bytes()),
        ("/collections", json.dumps({"collections": [collection, {"id": MONTPELLIER}]}).encode()),
    ]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            body = next(body for part, body in answers if part in self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


@pytest.mark.usefixtures("with_request_context")
@pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"])
def test_real_items_are_harvested_and_found_again(
    real_source: str, engine: Any, relay_db: Any, clean_index: Any, migrate_db_for: Any
) -> None:
    migrate_db_for("harvest")
    source = call_action(
        "harvest_source_create", name="real", title="Real", url=real_source, source_type="dinamis-stac",
        owner_org=factories.Organization()["id"],
    )  # fmt: skip
    job = harvest_now(source["id"])
    assert (job["stats"]["errored"], job["stats"]["added"]) == (0, 2), job["gather_error_summary"]

    def found(**body: Any) -> list[dict[str, Any]]:
        return call_action("dinamis_scene_search", limit=100, **body)["features"]

    assert len(found(collections=[UK])) == 4
    assert len(found(collections=[MONTPELLIER])) == 12
    # By place and date: near Bedford in October 2018.
    bedford = found(bbox=[-0.7, 51.9, -0.65, 52.0], datetime="2018-10-01T00:00:00Z/2018-10-31T23:59:59Z")
    assert [one["id"].split("_")[1] for one in bedford] == ["SPOT155"]
    one = bedford[0]
    assert (one["stac_version"], one["properties"]["proj:code"]) == ("1.1.0", "EPSG:27700")
    assert len(one["bbox"]) == 4 and set(one["assets"]) == {"B0", "B1", "B2", "B3", "B4"}
    assert found(bbox=[-0.7, 51.9, -0.65, 52.0], datetime="2019-01-01T00:00:00Z/..") == []
    # By place and date: Mayotte's neighbourhood on one day; items without assets are kept.
    day = found(bbox=[46, -17, 48, -15], datetime="2025-10-27T00:00:00Z/2025-10-27T23:59:59Z")
    assert [(item["properties"]["eo:cloud_cover"], item["assets"]) for item in day] == [(10.71, {})]
    # The satellite is read where the id spells it.
    platforms = call_action("dinamis_scene_search", collections=[UK], query={"platform": {"eq": "spot-7"}})
    assert platforms["numberMatched"] == 1
