"""Our STAC API, read as others read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pystac
import pytest
from pystac_client import Client
from werkzeug.serving import make_server

from ckanext.dinamis_relais.imagery import stac

from .conftest import item

pytestmark = pytest.mark.usefixtures("with_plugins")

ROOT = "/dinamis/stac"


@pytest.fixture
def live(app: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site on a port of loopback; the address of its STAC API."""
    http = make_server("127.0.0.1", 0, app.flask_app, threaded=True)
    monkeypatch.setitem(ckan_config, "ckan.site_url", f"http://127.0.0.1:{http.server_port}")
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}{ROOT}"
    http.shutdown()


@pytest.fixture
def catalogue(load: Any) -> None:
    load([item(number) for number in range(25)], extent={"spatial": {"bbox": [[0, 0, 1, 1]]}})
    load([{**item(1), "collection": "autre"}], "autre")


def test_pystac_client_reads_it_whole(live: str, catalogue: None) -> None:
    client = Client.open(live)
    assert sorted(one.id for one in client.get_collections()) == ["autre", "spot"]
    assert len({one.id for one in client.get_collection("spot").get_items()}) == 25
    for method in ("GET", "POST"):
        found = client.search(method=method, collections=["spot"], limit=4, bbox=[-1, 44, 1, 46])
        assert found.matched() == 25
        assert len({one.id for one in found.items()}) == 25
    area = {"type": "Point", "coordinates": [-0.6, 44.8]}
    assert client.search(method="GET", intersects=area, ids=["SPOT6_00001"], limit=1).matched() == 2


def test_what_it_says_is_valid_stac(live: str, catalogue: None) -> None:
    client = Client.open(live)
    collection = client.get_collection("spot")
    body = collection.to_dict(transform_hrefs=False)
    pystac.Collection.from_dict(body).validate()
    assert body["extent"]["spatial"]["bbox"] != [[0, 0, 1, 1]]
    assert body["license"] == "other"
    for one in client.search(limit=5, max_items=5).items():
        one.validate()


def test_links_and_types(app: Any, engine: Any, catalogue: None) -> None:
    landing = app.get(ROOT).json
    links = {(link["rel"], link.get("method", "GET")): link for link in landing["links"]}
    assert links["self", "GET"]["href"] == f"http://test.ckan.net{ROOT}"
    assert links["search", "GET"]["href"] == links["search", "POST"]["href"]
    assert landing["conformsTo"] == app.get(f"{ROOT}/conformance").json["conformsTo"]
    described = app.get(f"{ROOT}/api")
    assert described.content_type == links["service-desc", "GET"]["type"] == stac.OPENAPI
    page = app.get(f"{ROOT}/collections/spot/items?limit=2")
    assert page.content_type == "application/geo+json"
    assert (page.json["numberMatched"], page.json["numberReturned"]) == (25, 2)
    found = app.get(f"{ROOT}/collections/spot/items/SPOT6_00001").json
    own = {link["rel"]: link["href"] for link in found["links"]}
    assert own["self"] == f"http://test.ckan.net{ROOT}/collections/spot/items/SPOT6_00001"
    assert own["alternate"] == "http://test.ckan.net/dinamis/images/spot/SPOT6_00001"


def test_the_next_link_of_a_get_repeats_what_was_asked(app: Any, engine: Any, catalogue: None) -> None:
    conditions = quote('{"eo:cloud_cover": {"lte": 50}}')
    href = f"{ROOT}/search?collections=spot&limit=10&bbox=-1,44,1,46&query={conditions}"
    seen: list[str] = []
    while href:
        page = app.get(href.replace("http://test.ckan.net", "")).json
        seen += [one["id"] for one in page["features"]]
        href = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert (len(seen), len(set(seen))) == (25, 25)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/search?bbox=1,2,3", 400, "bbox"),
        ("/search?datetime=hier", 400, "datetime"),
        ("/search?limit=0", 400, "limit"),
        ("/search?intersects={", 400, "intersects"),
        ("/collections/none", 404, "none"),
        ("/collections/none/items", 404, "none"),
        ("/collections/spot/items/none", 404, ""),
    ],
)
def test_errors_are_json_that_says_why(
    app: Any, engine: Any, catalogue: None, path: str, status: int, said: str
) -> None:
    answer = app.get(f"{ROOT}{path}", status=status)
    assert said in answer.json["description"]


def test_other_sites_may_read_it(app: Any, engine: Any) -> None:
    answer = app.get(ROOT)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    preflight = app.options(f"{ROOT}/search", headers={"Origin": "http://browser.example"})
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


def test_a_search_by_post_needs_no_token_of_ours(
    app: Any, engine: Any, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.flask_app.config, "WTF_CSRF_ENABLED", True)
    assert app.post(f"{ROOT}/search", json={"limit": 3}).json["numberReturned"] == 3
    assert app.post(f"{ROOT}/search", data="no json", status=400).json["code"] == "InvalidParameterValue"


def test_a_store_that_is_down_is_said(app: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.scenes_url", "postgresql://nobody:x@127.0.0.1:9/none")
    assert app.get(ROOT, status=503).json["code"] == "Unavailable"
    assert app.get("/dinamis/images", status=503)
