"""A real PostGIS scene store and real HTTP servers on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from ckanext.dinamis_relais.imagery import model, store
from ckanext.dinamis_relais.imagery.outside import Outside
from ckanext.dinamis_relais.imagery.source import Page, StacSource

from .geo import geo

__all__ = ["geo"]

LOOPBACK = ["127.0.0.1"]


def item(number: int = 1, **properties: Any) -> dict[str, Any]:
    """A STAC 1.0.0 item near Bordeaux; ``number`` moves it east and one day later."""
    west = -0.9 + number * 0.01
    ring = [[west, 44.6], [west + 0.6, 44.6], [west + 0.6, 45.1], [west, 45.1], [west, 44.6]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"SPOT6_{number:05d}", "collection": "spot",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "datetime": f"{2015 + number // 300 % 9}-{1 + number // 25 % 12:02d}-{1 + number % 25:02d}T10:40:00Z",
            "eo:cloud_cover": float(number % 100), **properties,
        },
        "assets": {}, "links": [],
    }  # fmt: skip


@pytest.fixture
def engine(ckan_config: Any) -> Any:
    """An empty scene store."""
    bind = model.engine_for(ckan_config["ckanext.dinamis_relais.scenes_url"])
    model.upgrade(bind)
    names = ", ".join(table.name for table in model.metadata.sorted_tables)
    with bind.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
    return bind


@pytest.fixture
def load(engine: Any) -> Callable[..., None]:
    """Put items into the store as a complete listing of one collection."""

    def put(items: list[dict[str, Any]], collection: str = "spot", **body: Any) -> None:
        described = {"id": collection, "title": f"Série {collection}", "license": "proprietary", **body}
        store.save_collection(engine, "source", "http://source.example", described, {})
        run = store.open_run(engine, "source", collection, StacSource("http://s", Outside([])).first("http://s", 10))
        assert run
        store.save_page(engine, run, Page("http://source.example/", items, None, None))
        store.finish(engine, run, 1)

    return put


@pytest.fixture
def live(app: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site on a port of loopback; the address of its STAC API."""
    http = make_server("127.0.0.1", 0, app.flask_app, threaded=True)
    monkeypatch.setitem(ckan_config, "ckan.site_url", f"http://127.0.0.1:{http.server_port}")
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/dinamis/stac"
    http.shutdown()


class Server:
    """A STAC API on loopback that can be told to misbehave.

    :ivar items: items by collection
    :ivar broken: path → what to answer instead, once for each entry: (status, headers, body)
    :ivar asked: paths with their query, as they came
    """

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {"spot": []}
        self.bodies: dict[str, dict[str, Any]] = {}
        self.broken: list[tuple[str, tuple[int, dict[str, str], bytes]]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                return

            def do_GET(self) -> None:
                server.asked.append(self.path)
                server.headers.append(dict(self.headers))
                status, headers, body = server.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        for index, (start, answer) in enumerate(self.broken):
            if start in path:
                del self.broken[index]
                return answer
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/collections":
            found = [{"id": name, "type": "Collection", **self.bodies.get(name, {})} for name in self.items]
            return 200, {}, json.dumps({"collections": found, "links": []}).encode()
        name = parts.path.split("/")[2]
        if name not in self.items:
            return 404, {}, b'{"code": "NotFound"}'
        if not parts.path.endswith("/items"):
            return 200, {}, json.dumps({"id": name, "type": "Collection", **self.bodies.get(name, {})}).encode()
        start, size = int(query.get("start", 0)), int(query["limit"])
        page = self.items[name][start : start + size]
        links = []
        if start + size < len(self.items[name]):
            href = f"{self.url}{parts.path}?limit={size}&start={start + size}"
            links = [{"rel": "next", "href": href}]
        body = {"type": "FeatureCollection", "features": page, "links": links}
        return 200, {"Content-Type": "application/geo+json"}, json.dumps(body).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    """A well-behaved source with an empty collection ``spot``."""
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


@pytest.fixture
def source(server: Server) -> StacSource:
    """A client of the server that does not really wait between attempts."""
    return StacSource(server.url, Outside(LOOPBACK, timeout=5, sleep=lambda seconds: None))
