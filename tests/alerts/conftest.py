"""Scenes in the store, and an API Géo on loopback that knows one territory of each kind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ckan.lib.redis import connect_to_redis

from tests.imagery.conftest import engine, load
from tests.portal.pages import browser

__all__ = ["browser", "engine", "geo", "load"]

#: Around Bègles; a part of every scene of ``item`` up to number 30.
OUTLINE = {"type": "Polygon", "coordinates": [[[-0.58, 44.78], [-0.52, 44.78], [-0.52, 44.82], [-0.58, 44.78]]]}
KNOWN = {
    "communes": ("33039", "Bègles"),
    "epcis": ("243300316", "Bordeaux Métropole"),
    "departements": ("33", "Gironde"),
    "regions": ("75", "Nouvelle-Aquitaine"),
}


@pytest.fixture
def geo(ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of API Géo; nothing of it stays in the cache."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            code, name = KNOWN[parts.path.strip("/")]
            query = parse_qs(parts.query)
            wanted = query.get("code", query.get("nom", [""]))[0]
            about = {"code": code, "nom": name}
            hit = wanted in (code, name)
            if "format" in query:
                feature = {"type": "Feature", "properties": about, "geometry": OUTLINE}
                body: Any = {"type": "FeatureCollection", "features": [feature] if hit else []}
            else:
                body = [{**about, "contour": OUTLINE}] if hit else []
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{http.server_port}"
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.geo_api_url", url)
    yield url
    http.shutdown()
    http.server_close()
    redis = connect_to_redis()
    for key in redis.scan_iter(f"dinamis:geo:{url}*"):
        redis.delete(key)
