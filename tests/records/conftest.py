"""Series in a real catalogue, and the schemas that judge what leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ckan.tests import factories
from ckan.tests.helpers import call_action
from lxml import etree

ROOT = Path(__file__).parents[2]
GMD = "http://www.isotc211.org/2005/gmd"
#: Where pycsw's wheel puts the ISO schemas; the stack installs it in an environment of its own.
ISO = "pycsw/plugins/profiles/apiso/schemas/ogc/iso/19139/20060504"


def fields(**changed: Any) -> dict[str, Any]:
    """A series' dataset as the harvest writes it."""
    return {
        "type": "imagery-series", "name": "images-spot-2019", "title": "SPOT 6/7 – 2019",
        "notes": "5 scènes acquises par SPOT 6, SPOT 7, du 1er au 5 juillet 2019.", "collection": "spot", "year": 2019,
        "scene_count": 5, "sensors": "SPOT 6, SPOT 7", "temporal_start": "2019-07-01", "temporal_end": "2019-07-05",
        "cloud_mean": "3.2", "resolution": "1.5", "licence_note": "Licence annoncée par la source : proprietary.",
        "spatial": '{"type":"Polygon","coordinates":[[[-0.9,44.6],[0.1,44.6],[0.1,45.1],[-0.9,45.1],[-0.9,44.6]]]}',
        "source_url": "https://stac.example/api?a=1&b=2", "explorer_url": "http://test.ckan.net/dinamis/images?a=1&b=2",
        "tags": [{"name": "côte"}],
        "resources": [
            {"name": "Voir les images", "url": "http://test.ckan.net/dinamis/images?a=1&b=2", "format": "HTML"},
            {"name": "Scènes (STAC)", "url": "http://test.ckan.net/dinamis/stac/collections/spot/items",
             "description": "Pour QGIS & Python", "format": "JSON"},
        ],
        **changed,
    }  # fmt: skip


@pytest.fixture
def catalogue(
    with_plugins: Any, relay_db: Any, clean_index: Any, migrate_db_for: Any, with_request_context: Any
) -> Any:
    """Makes a series in an empty catalogue; returns its dataset."""
    migrate_db_for("harvest")
    owner = factories.Organization()

    def make(**changed: Any) -> dict[str, Any]:
        return call_action("package_create", owner_org=owner["id"], **fields(**changed))

    return make


def iso_schema() -> etree.XMLSchema:
    """ISO 19139 of 2006 with its translated texts, read from disk alone."""
    found = next((ROOT / ".stack" / "venv-pycsw").glob(f"lib/python*/site-packages/{ISO}"))
    imports = "".join(
        f'<xs:import namespace="http://www.isotc211.org/2005/{name}" schemaLocation="{found}/{name}/{name}.xsd"/>'
        for name in ("gmd", "gmx")
    )
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text, etree.XMLParser(no_network=True)))


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    """The schema of the records."""
    return iso_schema()
