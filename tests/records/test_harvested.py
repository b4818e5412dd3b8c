"""Our folder through ckanext-spatial's own harvester of folders (WAF): gather, fetch and import really run.

It harvests into the same site, under another organisation. The server is on loopback and calls itself nginx, as the
one in front of a real site does: ckanext-spatial reads the dates of a folder only by the letters of a server it knows.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer, make_server

import pytest
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.imagery.running import harvest_now


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def folder(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site, served; the address of its folder of records."""
    monkeypatch.setattr(ServerHandler, "server_software", "nginx")
    server = make_server("127.0.0.1", 0, site, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/dinamis/iso/"
    server.shutdown()
    server.server_close()


def copies(owner: str) -> list[dict[str, Any]]:
    found = call_action("package_search", fq=f"owner_org:{owner} AND dataset_type:dataset", sort="title asc", rows=100)
    return found["results"]


def extra(dataset: dict[str, Any], key: str) -> str:
    return next(one["value"] for one in dataset["extras"] if one["key"] == key)


def test_a_waf_harvester_takes_each_record_then_only_what_changed(catalogue: Any, folder: str) -> None:
    first = catalogue()
    catalogue(name="images-spot-2020", title="SPOT 6/7 – 2020", resources=[])
    other = factories.Organization(title="Un autre catalogue")
    source = call_action(
        "harvest_source_create", name="waf", title="WAF", url=folder, source_type="waf", owner_org=other["id"]
    )
    job = harvest_now(source["id"])
    assert (job["stats"]["added"], job["stats"]["errored"]) == (2, 0), job
    copy, _ = copies(other["id"])
    assert (copy["title"], copy["notes"]) == (first["title"], first["notes"])
    assert extra(copy, "guid") == first["id"]
    box = json.loads(extra(copy, "spatial"))["coordinates"][0]
    assert [min(x for x, _ in box), max(y for _, y in box)] == [-0.9, 45.1]
    assert {tag["name"] for tag in copy["tags"]} >= {"Ortho-imagerie", "SPOT 6", "côte"}
    assert {one["url"] for one in copy["resources"]} >= {one["url"] for one in first["resources"]}

    job = harvest_now(source["id"])
    assert job["stats"]["added"] == job["stats"]["updated"] == 0
    assert [one["message"] for one in job["gather_error_summary"]] == ["No records to change"]

    time.sleep(1.1)  # a folder's dates have seconds
    call_action("package_patch", id=first["id"], title="Nouveau titre")
    job = harvest_now(source["id"])
    assert (job["stats"]["added"], job["stats"]["updated"]) == (0, 1), job
    assert "Nouveau titre" in [one["title"] for one in copies(other["id"])]

    call_action("package_delete", id=first["id"])
    job = harvest_now(source["id"])
    assert job["stats"]["deleted"] == 1
    assert [one["title"] for one in copies(other["id"])] == ["SPOT 6/7 – 2020"]
