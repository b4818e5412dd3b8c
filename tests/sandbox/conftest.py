"""The whole sandbox as an application, and as the process that its command starts."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ckanext.dinamis_relais.sandbox.app import Settings, create_app
from ckanext.dinamis_relais.sandbox.state import State

TOKEN, SECRET = "token of the test", "secret of the test"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(
        Settings(
            data=tmp_path / "sandbox",
            public_url="http://localhost",
            stac_url="http://stac.example",
            ckan_url="http://ckan.example",
            gateway_token=TOKEN,
            signing_secret=SECRET,
        )
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def state(app: Flask) -> State:
    return app.extensions["sandbox-state"]


@dataclass
class Served:
    """A sandbox that was really started.

    :ivar url: its address
    :ivar smtp: port of its mail sink
    """

    url: str
    smtp: int
    command: list[str]
    process: subprocess.Popen

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, "the sandbox ended"
                time.sleep(0.1)
        raise AssertionError("the sandbox does not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Served]:
    port, smtp = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "ckanext.dinamis_relais.sandbox", "serve", "--port", str(port), "--smtp-port", str(smtp),
        "--data", str(tmp_path_factory.mktemp("served")), "--public-url", url, "--stac-url", "http://stac.example",
        "--ckan-url", "http://ckan.example", "--gateway-token", TOKEN, "--signing-secret", SECRET,
        "--signing-host", "meso.umontpellier.fr",
    ]  # fmt: skip
    found = Served(url, smtp, command, None)  # type: ignore[arg-type]
    found.start()
    yield found
    found.stop()
