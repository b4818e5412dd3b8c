"""Where things are, what was chosen once, and how progress and failures are shown."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STACK = ROOT / ".stack"
LOGS = STACK / "log"
RUN = STACK / "run"
STAMPS = STACK / "stamps"
CONFIG = ROOT / "config"
VENV = STACK / "venv"
VENV_211 = STACK / "venv-211"
VENV_PGSTAC = STACK / "venv-pgstac"
VENV_PYCSW = STACK / "venv-pycsw"

PORT_NAMES = ("postgres", "redis", "solr", "ckan", "sandbox", "smtp", "pgstac", "keycloak", "csw")


class StepError(RuntimeError):
    """A step did not work; the text says what to do, ``log`` where the details are."""

    def __init__(self, message: str, log: Path | None = None):
        super().__init__(message)
        self.log = log


class Progress:
    """Numbered steps with their duration: ``[ 3/12] Solr … ok (12 s)``."""

    def __init__(self, total: int):
        self.total, self.number = total, 0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it runs."""
        self.number += 1
        print(f"[{self.number:2}/{self.total}] {title} … ", end="", flush=True)
        begin = time.monotonic()
        try:
            yield
        except BaseException:
            print("failed", flush=True)
            raise
        print(f"ok ({time.monotonic() - begin:.0f} s)", flush=True)


def run(
    command: Sequence[str | Path],
    log: str,
    *,
    env: dict[str, str] | None = None,
    cwd: Path = ROOT,
    fail: str = "",
    stdin: str | None = None,
) -> str:
    """Run a command to its end; its output goes to ``.stack/log/<log>.log``.

    :returns: what it printed on standard output
    :raises StepError: it ended with an error
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    words = [str(word) for word in command]
    with path.open("a", encoding="utf-8") as out:
        out.write(f"\n$ {' '.join(words)}\n")
        out.flush()
        done = subprocess.run(
            words, cwd=cwd, env={**os.environ, **(env or {})}, text=True, input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=out, check=False,
        )  # fmt: skip
        out.write(done.stdout)
    if done.returncode:
        raise StepError(fail or f"'{words[0]}' ended with code {done.returncode}.", path)
    return done.stdout


def privileged(command: list[str]) -> list[str]:
    """A command that needs root: as it is for root, by sudo for others."""
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo") is None:
        raise StepError("This step needs root. Run it as root, or install sudo.")
    return ["sudo", "-n", *command]


def digest(*parts: Any) -> str:
    """SHA-256 of paths' contents and of other values, in order."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for file in files:
                found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
        else:
            found.update(json.dumps(part, sort_keys=True, default=str).encode())
    return found.hexdigest()


def once(name: str, key: str, action: Callable[[], None]) -> None:
    """Do something unless it was done with the same inputs."""
    stamp = STAMPS / name
    if stamp.is_file() and stamp.read_text() == key:
        return
    action()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)


def remembered(name: str, make: Callable[[], Any]) -> Any:
    """A value chosen once for this stack, kept in ``.stack/<name>.json`` (mode 0600)."""
    path = STACK / f"{name}.json"
    if path.is_file():
        return json.loads(path.read_text())
    value = make()
    STACK.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, indent=2))
    return value


def free_ports() -> dict[str, int]:
    """A free loopback port for each service, all distinct."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _name in PORT_NAMES]
    ports = {name: s.getsockname()[1] for name, s in zip(PORT_NAMES, sockets, strict=True)}
    for s in sockets:
        s.close()
    return ports


def ports() -> dict[str, int]:
    """This stack's ports; a stack made before a service was added gets a port for it."""
    known = remembered("ports", free_ports)
    if any(name not in known for name in PORT_NAMES):
        known = {**free_ports(), **known}
        (STACK / "ports.json").write_text(json.dumps(known, indent=2))
    return known


def _make_secrets() -> dict[str, str]:
    import base64

    return {
        "session": secrets.token_urlsafe(32),
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "gateway_token": secrets.token_urlsafe(32),
        "signing_secret": secrets.token_urlsafe(32),
        "postgres": secrets.token_urlsafe(18),
        "seal": secrets.token_urlsafe(18),
        "cluster": secrets.token_hex(6),
    }


def secret(name: str) -> str:
    """A secret of this stack, made at random once."""
    return remembered("secrets", _make_secrets)[name]


def urls() -> dict[str, str]:
    """Addresses of what the stack serves."""
    p = ports()
    sandbox = f"http://127.0.0.1:{p['sandbox']}"
    return {
        "ckan": f"http://127.0.0.1:{p['ckan']}",
        "sandbox": sandbox,
        "source_stac": f"http://127.0.0.1:{p['pgstac']}",
        "csw": f"http://127.0.0.1:{p['csw']}/",
        "solr": f"http://127.0.0.1:{p['solr']}/solr",
        "redis": f"redis://127.0.0.1:{p['redis']}",
    }


def database_url(name: str) -> str:
    """Address of a database of this stack, for the role ``ckan``."""
    return f"postgresql://ckan:{secret('postgres')}@127.0.0.1:{ports()['postgres']}/{name}"


def tail(path: Path, lines: int = 15) -> str:
    """The end of a log."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def explain(error: StepError) -> None:
    """Say plainly what failed and where to look."""
    print(f"\n{error}", file=sys.stderr)
    if error.log and error.log.is_file():
        print(f"\nThe end of {error.log}:\n{tail(error.log)}", file=sys.stderr)
