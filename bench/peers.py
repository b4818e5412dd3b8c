"""Who we are measured against, and our own site, as servers of a measure's own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from stack.base import ROOT, STACK, VENV, VENV_PGSTAC, database_url, ports, secret, urls
from stack.services import answers


def free_port() -> int:
    """A free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


@contextlib.contextmanager
def serving(command: list[str | Path], env: dict[str, str], ready: str) -> Iterator[None]:
    """A server while the block runs.

    :param ready: address that answers 200 once it is ready
    :raises RuntimeError: it is not ready within two minutes
    """
    log = STACK / "log" / "bench-server.log"
    with log.open("ab") as out:
        process = subprocess.Popen([str(word) for word in command], env={**os.environ, **env}, cwd=ROOT,  # noqa: S603  # our own
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # fmt: skip
    try:
        end = time.monotonic() + 120
        while not answers(ready)():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not serve; see {log}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


class Pgstac:
    """pgstac in a database of its own: its loader, and stac-fastapi-pgstac over it."""

    def __init__(self) -> None:
        self.dsn = database_url("pgstac_bench")
        self.env = {
            "PGHOST": "127.0.0.1", "PGPORT": str(ports()["postgres"]), "PGUSER": "ckan", "PGDATABASE": "pgstac_bench",
            "PGPASSWORD": secret("postgres"), "DB_MIN_CONN_SIZE": "1", "DB_MAX_CONN_SIZE": "4",
        }  # fmt: skip
        self._run(VENV_PGSTAC / "bin" / "pypgstac", "migrate", "--dsn", self.dsn)

    def _run(self, *words: str | Path) -> None:
        done = subprocess.run([str(word) for word in words], env={**os.environ, **self.env}, capture_output=True,  # noqa: S603  # our own
                              text=True, check=False)  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{words[1]}: {done.stderr[-2000:]}")

    def load(self, folder: Path) -> float:
        """Seconds of ``pypgstac load`` of a folder's items into an empty pgstac; its collections are there before."""
        sql = "SET search_path TO pgstac, public; DELETE FROM items; DELETE FROM collections"
        code = f"import psycopg; psycopg.connect(autocommit=True).execute({sql!r})"
        self._run(VENV_PGSTAC / "bin" / "python", "-c", code)
        loader = (VENV_PGSTAC / "bin" / "pypgstac", "load")
        self._run(*loader, "collections", folder / "collections.ndjson", "--method", "insert", "--dsn", self.dsn)
        begin = time.perf_counter()
        self._run(*loader, "items", folder / "items.ndjson", "--method", "insert", "--dsn", self.dsn)
        return time.perf_counter() - begin

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """Its STAC API while the block runs; gives the address."""
        port = free_port()
        command: list[str | Path] = [VENV_PGSTAC / "bin" / "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app",
                                     "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]  # fmt: skip
        with serving(command, self.env, f"http://127.0.0.1:{port}/_mgmt/ping"):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def our_site(ini: Path) -> Iterator[str]:
    """CKAN with the extension over the databases of a measure, one worker; gives the address.

    Territories come from the sandbox, as in the demonstration.
    """
    port, own = free_port(), STACK / "bench-site.ini"
    text, _, logging = ini.read_text(encoding="utf-8").partition("[loggers]")
    geo = f"ckanext.dinamis_relais.geo_api_url = {urls()['sandbox']}/geo"
    site = f"ckan.site_url = http://127.0.0.1:{port}"
    own.touch(mode=0o600)
    own.write_text(f"{text}{geo}\n{site}\n\n[loggers]{logging}", encoding="utf-8")
    command: list[str | Path] = [VENV / "bin" / "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1",
                                 "--threads", "4", "--timeout", "120", "wsgi:application"]  # fmt: skip
    env = {"CKAN_INI": str(own), "PYTHONPATH": str(ROOT / "config")}
    with serving(command, env, f"http://127.0.0.1:{port}/api/3/action/status_show"):
        yield f"http://127.0.0.1:{port}"
