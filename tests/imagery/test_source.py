"""Sources as they are: slow, odd, broken, hostile."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any

import pytest

from ckanext.dinamis_relais.imagery import outside as outside_module
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError
from ckanext.dinamis_relais.imagery.source import Request, StacSource, next_request

from .conftest import LOOPBACK, Server, item


def listed(source: StacSource, size: int = 10) -> list[str]:
    collection = source.collections()[0]
    first = source.first(collection["_items"], size)
    return [one["id"] for page in source.pages(first) for one in page.items]


def page_of(items: list[Any], next_href: str | None = None, **more: Any) -> bytes:
    links = [{"rel": "next", "href": next_href}] if next_href else []
    return json.dumps({"type": "FeatureCollection", "features": items, "links": links, **more}).encode()


def test_all_pages_are_read(server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(25)]
    assert len(set(listed(source))) == 25


def test_an_empty_page_with_a_next_is_no_end(server: Server, source: StacSource) -> None:
    server.items["spot"] = [item(number) for number in range(3)]
    href = f"{server.url}/collections/spot/items?limit=10&start=0"
    server.broken = [("limit=10", (200, {}, page_of([], href)))]
    assert len(listed(source)) == 3


def test_503_with_retry_after_then_ok(server: Server) -> None:
    waited: list[float] = []
    server.items["spot"] = [item()]
    server.broken = [("/items", (503, {"Retry-After": "7"}, b"")), ("/items", (429, {}, b""))]
    assert len(listed(StacSource(server.url, Outside(LOOPBACK, sleep=waited.append)))) == 1
    assert waited == [7.0, 2.0]


def test_a_source_that_asks_for_too_much_patience_is_left(server: Server, source: StacSource) -> None:
    server.broken = [("/items", (503, {"Retry-After": "86400"}, b""))]
    with pytest.raises(OutsideError, match="wait 86400 seconds"):
        listed(source)


def test_html_is_called_a_web_page(server: Server, source: StacSource) -> None:
    server.broken = [("/collections", (200, {}, b"<!DOCTYPE html><html><body>Hello</body></html>"))]
    with pytest.raises(OutsideError, match="a web page, not JSON"):
        source.collections()


def test_truncated_json_is_an_error_and_not_an_end(server: Server, source: StacSource) -> None:
    server.broken = [("/items", (200, {}, page_of([item()])[:-30]))]
    with pytest.raises(OutsideError, match="broken or cut off"):
        listed(source)


def test_wrong_content_length_is_retried_then_reported(server: Server, source: StacSource) -> None:
    body = page_of([item()])
    server.broken = [("/items", (200, {"Content-Length": str(len(body) + 50)}, body))] * 5
    with pytest.raises(OutsideError, match=r"broke off|No answer"):
        listed(source)


def test_nan_is_read_as_null_with_a_note(server: Server, source: StacSource) -> None:
    server.broken = [("/items", (200, {}, page_of([item(**{"eo:cloud_cover": float("nan")})])))]
    collection = source.collections()[0]
    page = next(source.pages(source.first(collection["_items"], 10)))
    assert page.items[0]["properties"]["eo:cloud_cover"] is None
    assert "NaN" in page.notes[0]


def test_json_that_is_no_listing_is_an_error(server: Server, source: StacSource) -> None:
    server.broken = [("/items", (200, {}, b'{"hello": "world"}'))]
    with pytest.raises(OutsideError, match="no list of items"):
        listed(source)


@pytest.mark.parametrize("fresh", [False, True])
def test_endless_next_is_stopped(server: Server, source: StacSource, fresh: bool) -> None:
    """The same link again, or ever new links to the same items."""
    for number in range(1, 5):
        start = number if fresh else 0
        href = f"{server.url}/collections/spot/items?limit=10&again={start}"
        server.broken.append(("/items", (200, {}, page_of([item()], href))))
    with pytest.raises(OutsideError, match=r"circle|same items"):
        listed(source)


def test_empty_pages_for_ever_are_stopped(server: Server, source: StacSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ckanext.dinamis_relais.imagery.source.MAX_EMPTY_PAGES", 3)
    for number in range(6):
        href = f"{server.url}/collections/spot/items?limit=10&again={number}"
        server.broken.append(("/items", (200, {}, page_of([], href))))
    with pytest.raises(OutsideError, match="empty pages in a row"):
        listed(source)


def test_gzip_is_read_and_a_bomb_is_not(server: Server, source: StacSource, monkeypatch: pytest.MonkeyPatch) -> None:
    body = gzip.compress(page_of([item()]))
    server.broken = [("/items", (200, {"Content-Encoding": "gzip"}, body))]
    assert len(listed(source)) == 1
    monkeypatch.setattr(outside_module, "MAX_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 20_000_000)
    server.broken = [("/items", (200, {"Content-Encoding": "gzip"}, bomb))]
    with pytest.raises(OutsideError, match="larger than"):
        listed(source)


def test_private_addresses_are_refused_unless_allowed(server: Server) -> None:
    with pytest.raises(OutsideError, match="private network"):
        StacSource(server.url, Outside([])).collections()
    assert server.asked == []


def test_a_redirect_to_a_private_address_is_refused(server: Server) -> None:
    target = f"http://127.0.0.2:{server.http.server_port}/collections"
    server.broken = [("/collections", (302, {"Location": target}, b""))]
    with pytest.raises(OutsideError, match="private network"):
        StacSource(server.url, Outside(LOOPBACK)).collections()
    assert len(server.asked) == 1


def test_a_name_that_changes_its_mind_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check sees a public address, the connection goes to loopback."""
    monkeypatch.setattr(outside_module, "check_host", lambda host, allowed: ["93.184.216.34"])
    with pytest.raises(OutsideError, match="private address"):
        StacSource(server.url, Outside([], retries=0)).collections()
    assert server.asked == []


def test_headers_go_to_the_source_and_to_no_redirect_target(server: Server) -> None:
    other = Server()
    other.items["spot"] = []
    server.broken = [("/collections", (302, {"Location": f"{other.url}/collections"}, b""))]
    StacSource(server.url, Outside(LOOPBACK, {"access-key": "secret"})).collections()
    assert server.headers[0]["access-key"] == "secret"
    assert "access-key" not in other.headers[0]
    other.http.shutdown()


def test_a_source_that_is_not_there(source: StacSource) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gone = StacSource(f"http://127.0.0.1:{port}", source.outside)
    with pytest.raises(OutsideError, match="No answer"):
        gone.collections()


def test_next_by_post_merges_when_it_says_so() -> None:
    asked = Request("http://s/search", "POST", {"limit": 10, "collections": ["a"]})
    link = {"rel": "next", "href": "http://s/search", "method": "POST", "body": {"token": "t"}, "merge": True}
    assert next_request({"links": [link]}, "http://s/search", asked) == Request(
        "http://s/search", "POST", {"limit": 10, "collections": ["a"], "token": "t"}
    )


def test_next_stays_on_the_host_that_answered() -> None:
    links = [{"rel": "next", "href": "http://inside.cluster.local/collections/a/items?token=t"}]
    found = next_request({"links": links}, "https://stac.example/collections/a/items", Request("x"))
    assert found and found.url == "https://stac.example/collections/a/items?token=t"


def test_an_unknown_collection_is_named(server: Server, source: StacSource) -> None:
    with pytest.raises(OutsideError, match="collections/missing: It answered HTTP 404"):
        source.collections(["missing"])
