"""Scenes out, over HTTP: ``python -m bench.catalogue <ini>`` prints JSON rows; ``bench.harvest`` filled it.

Item search against stac-fastapi-pgstac with the same scenes, vector tiles against the bare SQL of the same tile, and
the coverage of a département over all years against CKAN's ``/dataset/``. One worker on each side.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa

from bench.__main__ import SEARCH, STACK, Site, in_turn, page, percentile, queries, row
from bench.harvest import process, store
from bench.peers import Pgstac, our_site

WALK, COVERED, DATASETS = 60, 20, 25
#: Départements of Nouvelle-Aquitaine (INSEE).
DEPARTEMENTS = ("16", "17", "19", "23", "24", "33", "40", "47", "64", "79", "86", "87")


def search(ours: str, theirs: str, scenes: int) -> list[dict[str, Any]]:
    """200 mixed queries in turn."""
    a_site, b_site, bodies = Site(f"{ours}/dinamis/stac"), Site(theirs), queries(200)
    a, b = in_turn(
        len(bodies), lambda n: a_site.call("/search", bodies[n]), lambda n: b_site.call("/search", bodies[n])
    )
    return [
        row(f"{SEARCH}, {scenes:,} scenes, p{share}", percentile(a, share),
            percentile(b, share), 0.5 if share == 95 else None)
        for share in (50, 95)
    ]  # fmt: skip


def explorer(ours: str, scenes: int) -> list[dict[str, Any]]:
    """The explorer's first answer, and that for a commune, against CKAN's list of datasets."""
    name = "explorer, first answer{}, {:,} scenes,"
    return [
        page(ours, name.format("", scenes), "/dinamis/images", "/dataset/", 0.5),
        page(ours, name.format(" for a commune", scenes), "/dinamis/images?place=Bordeaux", "/dataset/", None),
    ]


def walk(count: int) -> list[tuple[int, int, int]]:
    """Tiles (zoom, column, row) over Nouvelle-Aquitaine, as a person who zooms in and out asks for them."""
    chance, found = random.Random(1), []  # noqa: S311  # repeatable, nothing to guess
    for number in range(count):
        zoom = 5 + number % 9
        lon, lat = chance.uniform(-1.5, 2.2), chance.uniform(43.2, 46.6)
        column = int((lon + 180) / 360 * 2**zoom)
        line = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
        found.append((zoom, column, line))
    return found


def tiles(ours: str) -> list[dict[str, Any]]:
    """A tile over HTTP against its SQL alone, tile by tile in turn."""
    from ckanext.dinamis_relais.imagery import search as rules
    from ckanext.dinamis_relais.imagery import tiles as made

    site, places, engine, everything = Site(ours), walk(WALK), store(), rules.parse({})

    def bare(number: int) -> tuple[float, bytes]:
        begin = time.perf_counter()
        content = made.tile(engine, everything, *places[number])
        return time.perf_counter() - begin, content

    a, b = in_turn(len(places), lambda n: site.call("/dinamis/images/tiles/{}/{}/{}.mvt".format(*places[n])), bare)
    return [row(f"a vector tile over a walk of zooms, against its SQL, p{share}", percentile(a, share),
                percentile(b, share), 1.3 if share == 95 else None) for share in (50, 95)]  # fmt: skip


def coverage(ours: str, ini: Path) -> list[dict[str, Any]]:
    """The page of a département's coverage, all years, against CKAN's list of datasets.

    As it mostly is, when the page was seen since the last harvest; the first look after one, for which the worker
    made it ready; and the first look without a worker. All of the synthetic scenes lie over one region: a
    département has some hundred times as many as a real one.

    :param ini: of the measure's databases
    """
    site, pages = Site(ours), [f"/dinamis/coverage/departement/{code}" for code in DEPARTEMENTS]
    alone = [site.call(one)[0] for one in pages]
    forget_kept(ini)
    process(sys.executable, "-m", "bench.catalogue", "ready", STACK / "bench-site.ini")
    site = Site(ours)  # the first connection was left alone for too long
    first = [site.call(one)[0] for one in pages]
    a, b = in_turn(COVERED, lambda n: site.call(pages[n % len(pages)]), lambda _n: site.call("/dataset/"))
    peer = statistics.median(b)
    return [
        row("coverage of a département, all years, against /dataset/, p95", percentile(a, 95), percentile(b, 95), 1.0),
        row("the same, the first look after a harvest, made ready by the worker, median",
            statistics.median(first), peer, 1.0),
        row("the same, the first look without a worker, median", statistics.median(alone), peer, None),
    ]  # fmt: skip


def make_ready(ini: str) -> None:
    """The worker's turns after a harvest, until nothing is left to do."""
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app

    from ckanext.dinamis_relais.imagery import chores

    app: Any = make_app(CKANConfigLoader(ini).get_config())
    with app._wsgi_app.app_context():
        while chores.renew_coverage():
            pass


def datasets(ini: Path) -> None:
    """A page of datasets for CKAN's own list: an empty one would be no peer."""
    import ckan.plugins.toolkit as tk
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app
    from ckan.tests.factories import Organization

    app: Any = make_app(CKANConfigLoader(str(ini)).get_config())
    with app._wsgi_app.test_request_context():
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        context = {"user": user, "ignore_auth": True}
        found = tk.get_action("package_search")(context, {"rows": 0})["count"]
        owner = Organization()["id"]
        for number in range(found, DATASETS):
            notes = f"Un jeu de données comme un autre, le {number}e, pour la page de liste de CKAN."
            tk.get_action("package_create")(
                {**context}, {"name": f"bench-{owner[:8]}-{number}", "title": f"Jeu {number}", "notes": notes,
                              "owner_org": owner, "resources": [{"url": "http://127.0.0.1:1/x.csv", "format": "CSV"}]},
            )  # fmt: skip


def forget_kept(ini: Path) -> None:
    """Nothing of an earlier run is in Redis: the first look is a first look."""
    text = ini.read_text(encoding="utf-8")
    url = next(line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("ckan.redis.url"))
    redis.Redis.from_url(url).flushdb()


def main(ini: str) -> None:
    """Measure and print."""
    forget_kept(Path(ini))
    datasets(Path(ini))
    with store().connect() as connection:
        scenes = connection.execute(sa.text("SELECT count(*) FROM scene")).scalar_one()
    with our_site(Path(ini)) as ours:
        with Pgstac().served() as theirs:
            rows = search(ours, theirs, scenes)
        rows += [*explorer(ours, scenes), *tiles(ours), *coverage(ours, Path(ini))]
    print(json.dumps(rows))


if __name__ == "__main__":
    if sys.argv[1] == "ready":
        make_ready(sys.argv[2])
    else:
        main(sys.argv[1])
