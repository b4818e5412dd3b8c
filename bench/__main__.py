"""Run every measure against the running demonstration, print the table, write ``.stack/bench.json``.

Each row is ours against a peer that does the same on the same machine in the same run, call by call in turn, so
that the machine's mood falls on both. The demonstration has 2,000 scenes; the catalogue in quantity has databases of
its own, with 100,000 synthetic scenes or as many as the environment's ``SCENES`` says.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

STACK = Path(__file__).resolve().parent.parent / ".stack"
SEED = 1
#: Scenes of the catalogue in quantity.
USUAL = 100_000
#: How rows of the item search begin.
SEARCH = "item search over HTTP, 200 mixed queries"


class Site:
    """A server over one kept connection, as a browser or a client has it."""

    def __init__(self, base: str):
        self.parts = urlsplit(base)
        self.connection = http.client.HTTPConnection(self.parts.netloc, timeout=60)

    def call(self, path: str, body: dict[str, Any] | None = None) -> tuple[float, bytes]:
        """Seconds of one call, and its answer.

        :raises RuntimeError: another status than 200
        """
        data = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if data else {}
        begin = time.perf_counter()
        self.connection.request("POST" if data else "GET", self.parts.path + path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - begin
        if answer.status != 200:
            raise RuntimeError(f"{self.parts.netloc}{path}: {answer.status} {content[:300]!r}")
        return seconds, content


def queries(count: int) -> list[dict[str, Any]]:
    """Mixed searches: communes, départements and regions, some with a period, some in one collection."""
    chance = random.Random(SEED)  # noqa: S311  # repeatable, nothing to guess
    found = []
    for number in range(count):
        side = (0.1, 1.0, 3.0)[number % 3]
        west, south = chance.uniform(-1.8, 2.4), chance.uniform(42.8, 46.8)
        body: dict[str, Any] = {"bbox": [west, south, west + side, south + side], "limit": 50}
        if number % 2:
            year = chance.randrange(2014, 2024)
            body["datetime"] = f"{year}-01-01T00:00:00Z/{year}-12-31T23:59:59Z"
        if number % 5 == 0:
            body["collections"] = ["dinamis-openspot-6-7"]
        found.append(body)
    return found


def percentile(values: list[float], share: int) -> float:
    """The value that ``share`` percent of the values do not exceed."""
    return statistics.quantiles(values, n=100)[share - 1]


def in_turn(count: int, ours: Callable[[int], Any], theirs: Callable[[int], Any]) -> tuple[list[float], list[float]]:
    """Seconds of each call, the two sides in turn; each side is called once before, uncounted."""
    ours(0)
    theirs(0)
    pairs = [(ours(n)[0], theirs(n)[0]) for n in range(count)]
    return [a for a, _b in pairs], [b for _a, b in pairs]


def search(demo: dict[str, Any]) -> list[dict[str, Any]]:
    """Item search over HTTP, against stac-fastapi-pgstac with the same scenes; the answers must be the same."""
    ours, theirs, bodies = Site(demo["stac_url"]), Site(demo["source_stac_url"]), queries(200)
    for body in bodies:
        ids = [{f["id"] for f in json.loads(s.call("/search", body)[1])["features"]} for s in (ours, theirs)]
        # With more than one page, which scenes come first may differ where times are equal.
        if len(ids[1]) < body["limit"] and ids[0] != ids[1]:
            raise RuntimeError(f"different answers to {body}: {ids[0] ^ ids[1]}")
    a, b = in_turn(len(bodies), lambda n: ours.call("/search", bodies[n]), lambda n: theirs.call("/search", bodies[n]))
    return [
        row(f"{SEARCH}, 2,000 scenes, p{share}", percentile(a, share),
            percentile(b, share), 0.5 if share == 95 else None)
        for share in (50, 95)
    ]  # fmt: skip


def page(base: str, name: str, path: str, against: str, goal: float | None) -> dict[str, Any]:
    """A page for a visitor, against one of CKAN's own."""
    site = Site(base)
    a, b = in_turn(80, lambda _n: site.call(path), lambda _n: site.call(against))
    return row(f"{name} against {against}, median", statistics.median(a), statistics.median(b), goal)


def pages(client: Any, token: str, name: str, ours: str, theirs: str, goal: float, rounds: int = 20) -> dict[str, Any]:
    """Two pages in turn by CKAN's WSGI interface, as the holder of an API token sees them: medians.

    :raises RuntimeError: another status than 200
    """

    def seconds(path: str) -> float:
        begin = time.perf_counter()
        answer = client.get(path, headers={"Authorization": token})
        taken = time.perf_counter() - begin
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        return taken

    seconds(ours), seconds(theirs)
    pairs = [(seconds(ours), seconds(theirs)) for _round in range(rounds)]
    return row(name, statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), goal)


def apart(module: str, *more: str) -> list[dict[str, Any]]:
    """A measure in quantity, in databases of its own: the demonstration stays as it is."""
    command = [sys.executable, "-m", module, str(STACK / "bench.ini"), *more]
    made = subprocess.run(command, capture_output=True, text=True, cwd=STACK.parent, check=False)  # noqa: S603  # our own module
    if made.returncode:
        raise RuntimeError(f"{module} ended with {made.returncode}: {made.stderr[-2000:]}")
    return json.loads(made.stdout.splitlines()[-1])


def in_quantity(scenes: int) -> list[dict[str, Any]]:
    """The catalogue with so many scenes; with more than :data:`USUAL`, with those too, and how the search grew."""
    found, searched = [], []
    for size in sorted({min(scenes, USUAL), scenes}):
        found += apart("bench.harvest", str(size)) + apart("bench.catalogue")
        searched += [one for one in found if one["name"] == f"{SEARCH}, {size:,} scenes, p95"]
    if len(searched) > 1:
        name = f"the search's p95 with {scenes:,} scenes against that with {USUAL:,}"
        found.append(row(name, searched[-1]["ours"], searched[0]["ours"], 2.0))
    return found


def row(name: str, ours: float, against: float, goal: float | None) -> dict[str, Any]:
    """A line of the table; a line without a goal is for information."""
    ratio = ours / against
    holds = None if goal is None else ratio <= goal
    return {"name": name, "ours": ours, "against": against, "ratio": ratio, "goal": goal, "holds": holds}


def main() -> int:
    """Measure, print and write.

    :returns: 0; a goal that is missed is printed, it does not fail
    """
    demo = json.loads((STACK / "demo.json").read_text(encoding="utf-8"))
    rows = [
        *search(demo),
        page(demo["ckan_url"], "explorer, first answer", "/dinamis/images", "/dataset/", 0.5),
        page(demo["ckan_url"], "home page", "/dinamis", "/dataset/", 1.0),
        *apart("bench.accounts"),
        *apart("bench.members"),
        *apart("bench.figures", *os.environ.get("JOURNAL", "").split()),
        *apart("bench.access", demo["sandbox_url"]),
        *apart("bench.dcat"),
        *in_quantity(int(os.environ.get("SCENES") or USUAL)),
    ]
    print(f"{'ours':>10} {'against':>10} {'ratio':>6} {'goal':>5}  what")
    for r in rows:
        goal = f"{r['goal']:.2f}" if r["goal"] else ""
        word = {True: "holds", False: "MISSED", None: ""}[r["holds"]]
        print(f"{r['ours'] * 1000:8.1f}ms {r['against'] * 1000:8.1f}ms {r['ratio']:6.2f} {goal:>5}  {r['name']} {word}")
    (STACK / "bench.json").write_text(json.dumps(rows, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
