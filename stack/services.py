"""Starting and stopping processes of the stack, and no others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from stack.base import LOGS, ROOT, RUN, StepError


def _started(pid: int) -> str | None:
    """When a process began (clock ticks since boot): tells it from another that got the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def _known(name: str) -> tuple[int, str, str] | None:
    path = RUN / f"{name}.json"
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return known["pid"], known["started"], known["key"]


def alive(name: str) -> bool:
    """Whether the process that we started under this name still runs."""
    known = _known(name)
    return bool(known and _started(known[0]) == known[1] and not _zombie(known[0]))


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    env: dict[str, str] | None = None,
    cwd: Path = ROOT,
    ready: Callable[[], bool] | None = None,
    seconds: int = 60,
    key: str = "",
) -> None:
    """Start a service unless it runs already with the same ``key``; wait until it is ready.

    :param key: what it depends on; another key restarts it
    :raises StepError: it ended, or was not ready in time
    """
    known = _known(name)
    if alive(name):
        if known and known[2] == key:
            return
        stop(name)
    RUN.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    record = {"pid": process.pid, "started": _started(process.pid), "key": key}
    (RUN / f"{name}.json").write_text(json.dumps(record))
    end = time.monotonic() + seconds
    while ready is not None and not ready():
        if process.poll() is not None:
            raise StepError(f"{name} ended at once (code {process.returncode}).", log)
        if time.monotonic() > end:
            raise StepError(f"{name} was not ready within {seconds} s.", log)
        time.sleep(0.1)


def stop(name: str, seconds: float = 20) -> bool:
    """End a service and its children: asked first, then made to."""
    known = _known(name)
    ended = False
    if known and alive(name):
        pid = known[0]
        # PostgreSQL takes SIGTERM for "once the last client has gone"; SIGINT ends their sessions and itself.
        gently = signal.SIGINT if name == "postgres" else signal.SIGTERM
        for sign, wait in ((gently, seconds), (signal.SIGKILL, 5)):
            try:
                os.killpg(pid, sign)
            except ProcessLookupError:
                break
            end = time.monotonic() + wait
            while time.monotonic() < end and alive(name):
                _reap(pid)
                time.sleep(0.05)
            if not alive(name):
                break
        ended = True
    (RUN / f"{name}.json").unlink(missing_ok=True)
    return ended


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def names() -> list[str]:
    """Names of all services that were started, the newest first."""
    files = sorted(RUN.glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True) if RUN.is_dir() else []
    return [path.stem for path in files]


def port_open(port: int) -> Callable[[], bool]:
    """A check that something listens on a loopback port."""

    def check() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    return check


def answers(url: str) -> Callable[[], bool]:
    """A check that an address answers 200."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310  # our own loopback address
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    return check
