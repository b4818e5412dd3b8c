"""Real HTTP servers on loopback that answer by the contracts of those whom the relay calls."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

BEGLES = {
    "siren": "213300395",
    "nom_complet": "COMMUNE DE BEGLES",
    "nom_raison_sociale": "COMMUNE DE BEGLES",
    "nature_juridique": "7210",
    "etat_administratif": "A",
    "siege": {"siret": "21330039500016", "adresse": "77 RUE CALIXTE CAMELLE 33130 BEGLES", "code_postal": "33130",
              "commune": "33039"},
}  # fmt: skip


@pytest.fixture
def entity_service(ckan_config, monkeypatch):
    """``entity_service.mode`` is ``ok``, ``down``, ``429`` or ``html``; ``known`` holds entities by SIREN."""
    state = SimpleNamespace(mode="ok", known={BEGLES["siren"]: BEGLES}, calls=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            state.calls.append(query)
            status = {"down": 503, "429": 429}.get(state.mode, 200)
            found = [state.known[query]] if query in state.known else []
            body = "<html>" if state.mode == "html" else json.dumps({"results": found, "total_results": len(found)})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if state.mode == "429":
                self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.entity_search_url", address)
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway_service(ckan_config, monkeypatch):
    """DINAMIS's side of the contract: ``status`` is what it answers, ``bodies`` what it was sent, by path.

    ``decided`` is what it says of its decision besides: ``decided_at``, ``decided_by``.
    """
    state = SimpleNamespace(status=200, decision="received", reason=None, decided={}, bodies={}, calls=[])

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            if state.status == 200:
                state.bodies[self.path] = body
            self.answer(body)

        def do_GET(self):
            self.answer(state.bodies.get(self.path, {}))

        def answer(self, body):
            state.calls.append(self.path)
            status = "active" if "/accounts/" in self.path else state.decision
            found = {
                "id": self.path.rsplit("/", 1)[1],
                "version": body.get("version"),
                "status": status,
                "reference": "R-1",
                "reason": state.reason,
                **(state.decided if "/applications/" in self.path else {}),
            }
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setitem(
        ckan_config, "ckanext.dinamis_relais.gateway.url", f"http://127.0.0.1:{server.server_port}/gateway"
    )
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def geo_service(ckan_config, monkeypatch):
    """The sandbox's API Géo on a real port: a few territories, among them several whose names begin alike."""
    from ckan.lib.redis import connect_to_redis
    from flask import Flask
    from werkzeug.serving import make_server

    from ckanext.dinamis_relais.sandbox import geo

    app = Flask(__name__)
    app.register_blueprint(geo.blueprint(), url_prefix="/geo")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/geo"
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.geo_api_url", address)
    yield address
    server.shutdown()
    server.server_close()
    redis = connect_to_redis()
    for key in redis.scan_iter(f"dinamis:geo:{address}*"):
        redis.delete(key)
