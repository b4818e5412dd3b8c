"""What the tests of accounts start from."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from tests.membership.helpers import file_in


@pytest.fixture
def member(people):
    """The people, their organisation being a member."""
    file_in(people, "accepted")
    return people


@pytest.fixture
def dinamis(ckan_config, monkeypatch):
    """DINAMIS's side of the contract for accounts, whose answer a test chooses.

    ``status`` is the account's status in the answer, ``bodies`` what was sent, ``meanwhile`` is called while it is.
    """
    state = SimpleNamespace(status="active", bodies=[], polls=0, meanwhile=lambda: None)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            state.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.meanwhile()
            self.answer()

        def do_GET(self):
            state.polls += 1
            self.answer()

        def answer(self):
            status = state.status if "/accounts/" in self.path else "accepted"
            found = {"version": state.bodies[-1]["version"], "status": status, "reference": "R-1"}
            found["id"] = self.path.rsplit("/", 1)[1]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    key, address = "ckanext.dinamis_relais.gateway.url", f"http://127.0.0.1:{server.server_port}/gateway"
    monkeypatch.setitem(ckan_config, key, address)
    yield state
    server.shutdown()
    server.server_close()
