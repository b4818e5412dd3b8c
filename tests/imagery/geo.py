"""An API Géo on loopback: the sandbox's canned territories, and what a test puts into their place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ckan.lib.redis import connect_to_redis
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

from ckanext.dinamis_relais.sandbox import geo as sandbox


class Geo:
    """What the service was asked, and how it answers.

    :ivar asked: paths with their query, as they came
    :ivar down: True for a service that answers nothing but 503
    :ivar said: path (without its query) → JSON to answer instead of the sandbox's
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False
        self.said: dict[str, Any] = {}
        app = Flask("geo")
        app.register_blueprint(sandbox.blueprint())

        @app.before_request
        def answer() -> Any:
            self.asked.append(request.full_path.rstrip("?"))
            if self.down:
                return "down", 503
            return jsonify(self.said[request.path]) if request.path in self.said else None

        self.http = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def forget(self, ending: str = "*") -> None:
        """Drop what the site remembers of this service."""
        redis = connect_to_redis()
        for key in redis.scan_iter(f"dinamis:geo:{self.url}{ending}"):
            redis.delete(key)


@pytest.fixture
def geo(ckan_config: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Geo]:
    """API Géo, as the sandbox plays it."""
    running = Geo()
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.geo_api_url", running.url)
    yield running
    running.http.shutdown()
    running.http.server_close()
    running.forget()
