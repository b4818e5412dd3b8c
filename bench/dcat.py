"""A scene in, against a record in: ``python -m bench.dcat <ini> [records] [scenes]`` prints JSON rows.

ckanext-dcat's own ``DCATRDFHarvester`` takes synthetic records from a catalogue on loopback into CKAN, stage by stage
as ckanext-harvest's consumers run them, in this process: its start, and waiting in queues, do not count against it.
Ours is a whole process that loads a file of scenes, by the rules of the harvester. One is the time of a record,
the other that of three hundred scenes; in turn, twice, the better of each.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

from bench import harvest
from bench.__main__ import row

RECORDS, SCENES = 150, 20_000
#: Scenes that shall not take longer than one record: what issue 6 asks for.
TIMES = 300
PLUGIN, KIND, SOURCE = "dcat_rdf_harvester", "dcat_rdf", "bench-dcat"
TURTLE = "text/turtle"
PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix locn: <http://www.w3.org/ns/locn#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
RECORD = """
<{id}> a dcat:Dataset ;
  dct:title "{name}" ; dct:description "{title}" ; dct:identifier "{name}" ; dcat:keyword "SPOT", "synthétique" ;
  dct:issued "{moment}"^^xsd:dateTime ;
  dct:temporal [ a dct:PeriodOfTime ;
    dcat:startDate "{moment}"^^xsd:dateTime ; dcat:endDate "{moment}"^^xsd:dateTime ] ;
  dct:spatial [ a dct:Location ; locn:geometry "POLYGON(({ring}))"^^geo:wktLiteral ] ;
  dcat:distribution [ a dcat:Distribution ; dct:title "{asset}" ; dcat:accessURL <{href}> ] .
"""


def catalogue(items: list[dict[str, Any]]) -> bytes:
    """Synthetic scenes as a DCAT catalogue: of each its name, moment, footprint and first file."""
    parts = [PREFIXES, "<http://bench.example/catalogue> a dcat:Catalog ; dcat:dataset ",
             ", ".join(f"<http://bench.example/{one['id']}>" for one in items), " .\n"]  # fmt: skip
    for one in items:
        ring = ", ".join(f"{x} {y}" for x, y in one["geometry"]["coordinates"][0])
        key, asset = next(iter(one["assets"].items()))
        told = one["properties"]
        parts.append(RECORD.format(id=f"http://bench.example/{one['id']}", name=one["id"], title=told["title"],
                                   moment=told["datetime"], ring=ring, asset=key, href=asset["href"]))  # fmt: skip
    return "".join(parts).encode()


@contextmanager
def served(content: bytes) -> Iterator[str]:
    """The address of a catalogue, while it is served on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", TURTLE)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer(content)

        def do_HEAD(self) -> None:
            self._answer(b"")

        def log_message(self, *_words: Any) -> None:
            """Say nothing: what is printed is read."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/catalogue.ttl"
    finally:
        server.shutdown()


def theirs(url: str, records: int) -> float:
    """Seconds of one harvest by ckanext-dcat, gathered, fetched and imported.

    :raises RuntimeError: fewer datasets came than there are records
    """
    import ckan.plugins.toolkit as tk
    from ckan import model
    from ckanext.dcat.harvesters.rdf import DCATRDFHarvester
    from ckanext.harvest import queue
    from ckanext.harvest.model import HarvestJob, HarvestObject

    def act(action: str, **data: Any) -> Any:
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        return tk.get_action(action)({"ignore_auth": True, "user": user}, data)

    def forget() -> None:
        left = model.Package.get(SOURCE)
        if left:
            act("harvest_source_clear", id=left.id)
            act("dataset_purge", id=left.id)
        if model.Group.get(SOURCE):
            act("organization_purge", id=SOURCE)

    forget()  # of a run that was killed
    act("organization_create", name=SOURCE, title=SOURCE)
    source = act("harvest_source_create", name=SOURCE, title=SOURCE, url=url, source_type=KIND, frequency="MANUAL",
                 owner_org=SOURCE, config=json.dumps({"rdf_format": TURTLE}))  # fmt: skip
    job: Any = HarvestJob.get(act("harvest_job_create", source_id=source["id"], run=False)["id"])
    job.status = "Running"
    job.save()
    harvester = DCATRDFHarvester()
    begin = time.perf_counter()
    for one in queue.gather_stage(harvester, job):
        queue.fetch_and_import_stages(harvester, HarvestObject.get(one))
    taken = time.perf_counter() - begin
    came = model.Session.query(HarvestObject).filter_by(harvest_job_id=job.id, state="COMPLETE", current=True).count()
    act("harvest_jobs_run", source_id=source["id"])
    forget()
    if came != records:
        raise RuntimeError(f"{records} records were offered, {came} came")
    return taken


def ours(scenes: int) -> float:
    """Seconds of one sync of so many scenes into an empty store, from a process's start to its end.

    :raises RuntimeError: other scenes came than there are
    """
    folder = harvest.FOLDER / str(scenes)
    harvest.made(scenes, folder)
    taken, _said = harvest.anew(folder / "items.ndjson", scenes)
    harvest.forget()
    return taken


def main(ini: str, records: int = RECORDS, scenes: int = SCENES) -> None:
    """Harvest, load, print."""
    from ckanext.dinamis_relais.sandbox.scenes import items

    config: Any = CKANConfigLoader(ini).get_config()
    config["ckan.plugins"] = f"{config['ckan.plugins']} {PLUGIN}"
    app: Any = make_app(config)
    with app._wsgi_app.test_request_context(), served(catalogue(list(items(records, harvest.ASSETS)))) as url:
        rounds = [(theirs(url, records) / records, ours(scenes) / scenes) for _round in range(2)]
    record, scene = (min(side) for side in zip(*rounds, strict=True))
    name = f"{TIMES} scenes of {scenes:,} from NDJSON against one record of {records} by ckanext-dcat's harvester"
    print(json.dumps([row(name, TIMES * scene, record, 1.0)]))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
