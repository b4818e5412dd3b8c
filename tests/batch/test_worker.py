"""The worker as it runs: a process of its own, with CKAN's command line and no page's request around it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests.helpers import call_action

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis")


def test_it_does_long_work_and_lives_on(people):
    pigma = people.context("super_referent")
    id_ = call_action("dinamis_report_create", pigma, period="1m")["id"]
    ckan = str(Path(sys.executable).with_name("ckan"))
    command = [ckan, "-c", tk.config["__file__"], "dinamis", "worker", "--pause", "0.2"]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end, found = time.monotonic() + 90, {"state": "making"}
    while found["state"] == "making" and time.monotonic() < end and worker.poll() is None:
        time.sleep(0.3)
        model.Session.rollback()
        found = call_action("dinamis_report_show", pigma, id=id_)
    alive = worker.poll() is None
    worker.terminate()
    told = worker.communicate(timeout=30)[0]
    assert alive, told[-3000:]
    assert (found["state"], found["problem"]) == ("made", ""), told[-3000:]
