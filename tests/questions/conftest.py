"""What the tests of questions start from: a real sandbox on loopback, as DINAMIS's side."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from werkzeug.serving import make_server

from ckanext.dinamis_relais.sandbox.app import Settings, create_app
from tests.portal.pages import browser

__all__ = ["browser", "dinamis"]

TOKEN = "token of the questions' tests"


@pytest.fixture
def dinamis(ckan_config, monkeypatch, tmp_path):
    """A sandbox served by HTTP to which this site delivers: ``dinamis.url``, ``dinamis.app``."""
    settings = Settings(
        data=tmp_path / "sandbox",
        public_url="http://localhost",
        stac_url="",
        ckan_url="",
        gateway_token=TOKEN,
        signing_secret="secret of the test",
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    prefix = "ckanext.dinamis_relais."
    for key, value in (
        ("gateway.transport", "api"),
        ("gateway.url", f"{url}/gateway"),
        ("gateway.token", TOKEN),
        ("gateway.poll_seconds", 0),
        ("private_hosts", ["127.0.0.1"]),
    ):
        monkeypatch.setitem(ckan_config, prefix + key, value)
    yield SimpleNamespace(url=url, app=app, state=app.extensions["sandbox-state"])
    server.shutdown()
    server.server_close()
