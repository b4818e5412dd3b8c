"""Our STAC API, read as others read it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pystac
import pytest
from pystac_client import Client

from ckanext.dinamis_relais.imagery import stac

from .conftest import item

pytestmark = pytest.mark.usefixtures("with_plugins")

ROOT = "/dinamis/stac"


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
        ("/search?filter=gsd+=", 400, "line 1, column"),
        ("/search?filter=colour='red'", 400, "Unknown property 'colour'. Possible: collection, datetime"),
        ("/search?filter=gsd=1&filter-crs=EPSG:2154", 400, "filter-crs"),
        ("/search?sortby=-nothing", 400, "sortby"),
        ("/search?query={", 400, "query"),
        ("/search?ids=%00", 400, "ids"),
        ("/search?token=abc", 400, "token"),
        ("/collections?limit=0", 400, "limit"),
        ("/collections?bbox=1,2", 400, "bbox"),
        ("/collections?datetime=hier", 400, "datetime"),
        ("/collections/none", 404, "none"),
        ("/collections/none/queryables", 404, "none"),
        ("/nothing/here", 404, "nothing/here"),
        ("/collections/spot/items/%00", 404, ""),
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


@pytest.mark.parametrize("path", ["", "/collections", "/collections/spot", "/search?limit=3", "/queryables", "/api"])
def test_what_is_held_already_is_not_sent_again(app: Any, engine: Any, catalogue: None, path: str) -> None:
    first = app.get(f"{ROOT}{path}")
    assert first.headers["ETag"]
    again = app.get(f"{ROOT}{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    other = app.get(f"{ROOT}{path}", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_a_change_is_sent(app: Any, engine: Any, catalogue: None, load: Any) -> None:
    mark = app.get(f"{ROOT}/search?ids=SPOT6_00003").headers["ETag"]
    load([item(number, title="Neuf") for number in range(25)])
    changed = app.get(f"{ROOT}/search?ids=SPOT6_00003", headers={"If-None-Match": mark})
    assert changed.status_code == 200
    assert changed.json["features"][0]["properties"]["title"] == "Neuf"


@pytest.mark.parametrize("path", [f"{ROOT}/search", f"{ROOT}/collections/spot/items"])
def test_pages_go_on_and_back_by_get(app: Any, engine: Any, catalogue: None, path: str) -> None:
    asked = quote("eo:cloud_cover >= 5 AND CASEI(collection) = 'spot'")
    href = f"{path}?filter={asked}&sortby=-eo:cloud_cover,%2Bid&fields=id,properties.eo:cloud_cover&limit=6"
    pages: list[list[str]] = []
    for rel in ("next", "prev"):
        while href:
            page = app.get(href.replace("http://test.ckan.net", "")).json
            pages.append([one["id"] for one in page["features"]])
            assert set(page["features"][0]["properties"]) == {"eo:cloud_cover"}
            assert page["numberMatched"] == 20
            links = {link["rel"]: link["href"] for link in page["links"]}
            assert links["self"].startswith(f"http://test.ckan.net{path}?")
            href = links.get(rel, "")
        href = links.get("prev", "")
    assert pages[:4] == [[f"SPOT6_{n:05d}" for n in range(top, max(top - 6, 4), -1)] for top in (24, 18, 12, 6)]
    assert pages[4:] == pages[2::-1]


def test_pages_go_on_and_back_by_post(app: Any, engine: Any, catalogue: None) -> None:
    body = {
        "filter": {"op": "in", "args": [{"property": "id"}, ["SPOT6_00001", "SPOT6_00002", "SPOT6_00003"]]},
        "sortby": [{"field": "id", "direction": "asc"}, {"field": "collection", "direction": "desc"}], "limit": 3,
        "fields": {"exclude": ["properties"]}, "query": {"collection": {"startsWith": "s", "endsWith": "t"}},
    }  # fmt: skip
    whole = app.post(f"{ROOT}/search", json=body).json
    assert [one["id"] for one in whole["features"]] == [f"SPOT6_0000{n}" for n in (1, 2, 3)]
    assert "properties" not in whole["features"][0]
    first = app.post(f"{ROOT}/search", json={**body, "limit": 2}).json
    onward = next(link for link in first["links"] if link["rel"] == "next")
    second = app.post(onward["href"].replace("http://test.ckan.net", ""), json=onward["body"]).json
    assert [one["id"] for one in second["features"]] == ["SPOT6_00003"]
    back = next(link for link in second["links"] if link["rel"] == "prev")
    assert (back["method"], back["body"]["filter"]) == ("POST", body["filter"])
    assert app.post(f"{ROOT}/search", json=back["body"]).json["features"] == first["features"]


def test_queryables(app: Any, engine: Any, load: Any) -> None:
    load([item(1, mission="spot", **{"view:azimuth": 12.5})])
    load([{**item(2), "collection": "autre"}], "autre")
    for path, own in (("", True), ("/collections/spot", True), ("/collections/autre", False)):
        answer = app.get(f"{ROOT}{path}/queryables")
        assert answer.content_type == "application/schema+json"
        assert answer.json["$id"] == f"http://test.ckan.net{ROOT}{path}/queryables"
        names = set(answer.json["properties"])
        assert {"id", "collection", "geometry", "datetime", "eo:cloud_cover", "platform", "gsd"} <= names
        assert ({"mission", "view:azimuth"} <= names) is own
    assert answer.json["additionalProperties"] is False
    one = app.get(f"{ROOT}/collections/spot").json
    assert any(link["rel"] == stac.QUERYABLES_REL for link in one["links"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("q=PLEIADES", ["phr"]),
        ("q=série", ["phr", "spot"]),
        ("q=serie+littoral", ["spot"]),
        ("q=littoral,pleiades", ["phr", "spot"]),
        ("q=absent", []),
        ("bbox=30,-20,50,0", ["phr"]),
        ("bbox=170,-20,50,0", ["phr"]),
        ("bbox=-10,40,10,50", ["spot"]),
        ("datetime=2020-01-01T00:00:00Z/..", ["phr"]),
        ("datetime=../2018-01-01T00:00:00Z", ["spot"]),
        ("datetime=2016-01-01T00:00:00Z", ["spot"]),
        ("q=serie&limit=1", ["phr"]),
        ("q=serie&limit=1&page=2", ["spot"]),
        ("limit=5&page=3", []),
    ],
)
def test_collections_are_searched(app: Any, engine: Any, load: Any, asked: str, expected: list[str]) -> None:
    load([item(1, datetime="2015-01-01T00:00:00Z"), item(2, datetime="2017-01-01T00:00:00Z")], keywords=["Littoral"])
    far = {**item(3, datetime="2021-01-01T00:00:00Z"), "geometry": {"type": "Point", "coordinates": [40.0, -10.0]}}
    load([far], "phr", title="Série Pléiades")
    found = app.get(f"{ROOT}/collections?{asked}").json
    assert [one["id"] for one in found["collections"]] == expected
    assert found["numberReturned"] == len(expected)
    turns = {link["rel"]: link["href"] for link in found["links"]}
    assert ("next" in turns) is asked.endswith("serie&limit=1")
    assert ("prev" in turns) is asked.endswith("limit=1&page=2")


def test_the_description_names_all_that_is_there(app: Any, engine: Any) -> None:
    described = app.get(f"{ROOT}/api").json
    served = {
        rule.rule.removeprefix(ROOT).replace("<path:", "<").replace("<item_id>", "<item>") or "/"
        for rule in app.flask_app.url_map.iter_rules() if rule.endpoint.startswith("dinamis_stac.")
    }  # fmt: skip
    assert set(described["paths"]) == {one.replace("<", "{").replace(">", "}") for one in served} - {"/{rest}"}
    body = described["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {one["name"] for one in described["paths"]["/search"]["get"]["parameters"]}
    operations = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations))


def test_a_search_by_post_needs_no_token_of_ours(
    app: Any, engine: Any, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.flask_app.config, "WTF_CSRF_ENABLED", True)
    assert app.post(f"{ROOT}/search", json={"limit": 3}).json["numberReturned"] == 3
    for body in (b"no json", b"[]", b"[" * 5000, b'{"bbox": "1,2,3,4"}', b'{"fields": null}', b'{"ids": ["\\u0000"]}'):
        assert app.post(f"{ROOT}/search", data=body, status=400).json["code"] == "InvalidParameterValue"


def test_a_store_that_is_down_is_said(app: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.scenes_url", "postgresql://nobody:x@127.0.0.1:9/none")
    assert app.get(ROOT, status=503).json["code"] == "Unavailable"
    assert app.get("/dinamis/images", status=503)
