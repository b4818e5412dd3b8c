"""What we say that we conform to, judged by others: stac-api-validator for the STAC API's classes, without a network.

Schemas come from pystac, which ships those of STAC 1.1 and of GeoJSON. No package ships those of the extensions:
the items here name none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pystac
import pytest
import requests
import responses

from ckanext.dinamis_relais.imagery import stac

from .conftest import item

validations = pytest.importorskip("stac_api_validator.validations")  # wants a newer PyYAML than CKAN 2.11 has

pytestmark = pytest.mark.usefixtures("with_plugins")

AREA = {"type": "Polygon", "coordinates": [[[-1, 44], [2, 44], [2, 46], [-1, 46], [-1, 44]]]}
BUNDLED = Path(pystac.__file__).parent / "validation" / "jsonschemas"
#: Classes that the validator checks, as it names them.
CLASSES = {
    "core": "/core", "browseable": "/browseable", "collections": "/collections", "features": "/ogcapi-features",
    "item-search": "/item-search", "item-search#fields": "/item-search#fields", "item-search#sort": "/item-search#sort",
    "item-search#query": "/item-search#query", "item-search#filter": "/item-search#filter",
    "features#filter": "/ogcapi-features#filter",
}  # fmt: skip


@pytest.fixture
def schemas() -> Iterator[list[str]]:
    """Schemas from pystac's files, loopback as it is, and nothing of the world; what was asked of the world."""
    asked: list[str] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.append(str(request.url))
        name = Path(urlsplit(str(request.url)).path).name
        found = sorted(BUNDLED.rglob(name))
        return (200, {}, found[-1].read_text()) if found else (404, {}, "")

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru("http://127.0.0.1")
        mock.add_callback(responses.GET, re.compile(r"https://(schemas\.stacspec|geojson)\.org/.*"), callback=answer)
        yield asked


@pytest.fixture
def stock(load: Any) -> None:
    assets = {"MS": {"href": "http://store.example/ms.tif", "type": "image/tiff", "roles": ["data"]}}
    # The validator asks for "mission", whatever the queryables say.
    more = {"mission": "spot", "gsd": 1.5}
    load([{**item(n, title=str(n % 7), platform=f"spot-{6 + n % 2}", **more), "assets": assets} for n in range(150)])
    load([{**item(1), "assets": assets, "collection": "autre"}], "autre")


def test_the_validator_finds_nothing_wrong(live: str, stock: None, schemas: list[str]) -> None:
    _warnings, errors = validations.validate_api(
        root_url=live, ccs_to_validate=list(CLASSES), collection="spot", geometry=json.dumps(AREA),
        auth_bearer_token=None, auth_query_parameter=None, fields_nested_property="properties.eo:cloud_cover",
        validate_pagination=True, query_config=validations.QueryConfig(
            query_comparison_field="eo:cloud_cover", query_eq_value=20, query_neq_value=20, query_lt_value=50,
            query_lte_value=50, query_gt_value=50, query_gte_value=50, query_substring_field="platform",
            query_starts_with_value="spot", query_ends_with_value="6", query_contains_value="pot",
            query_in_field="title", query_in_values="1,2",  # of one sign each: it compares the signs of texts
        ), transaction_collection=None, headers=None, open_assets_urls=False,
    )  # fmt: skip
    assert [said for _code, said in errors.errors] == []
    assert schemas
    said = stac.CONFORMANCE
    for ending in CLASSES.values():
        assert any(one.startswith("https://api.stacspec.org/") and one.endswith(ending) for one in said)
