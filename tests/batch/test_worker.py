"""The worker as it runs: a process of its own, with CKAN's command line and no page's request around it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.gateway.model import Mail
from tests.accounts.helpers import enter
from tests.membership.helpers import file_in
from tests.membership.members import age

ROOT = Path(__file__).parents[2]

#: CKAN 2.11 wants these sections in the file that it is given itself.
LOGGING = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""

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


def test_without_any_timer_it_sends_the_day_s_reminders_and_grouped_mails(people, tmp_path):
    """A site with a worker and no cron; only the hour is one that has come."""
    account = enter_member(people)
    age(account["application"], 8)
    settings = {"gateway.transport": "dossier", "gateway.board_email": "bureau@dinamis.example",
                "gateway.grouped_hour": 0, "reminders.hour": 0}  # fmt: skip
    lines = [f"ckanext.dinamis_relais.{name} = {value}" for name, value in settings.items()]
    site = tmp_path / "site.ini"
    words = ["[app:main]", f"use = config:{tk.config['__file__']}", *lines, LOGGING]
    site.write_text("\n".join(words), encoding="utf-8")
    ckan = str(Path(sys.executable).with_name("ckan"))
    command = [ckan, "-c", str(site), "dinamis", "worker", "--pause", "0.2"]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end, found = time.monotonic() + 90, set()
    while found != {"signature_reminder", "sending_account"} and time.monotonic() < end and worker.poll() is None:
        time.sleep(0.3)
        model.Session.rollback()
        wanted = Mail.name.in_(["signature_reminder", "sending_account"])
        found = {mail.name for mail in model.Session.query(Mail).filter(wanted)}
    worker.terminate()
    told = worker.communicate(timeout=30)[0]
    assert found == {"signature_reminder", "sending_account"}, told[-3000:]


def enter_member(people):
    """An account that is due for DINAMIS, and another organisation's file whose signature is awaited."""
    file_in(people, "accepted")
    account = enter(people)
    other = factories.Organization(title="Commune de Talence")
    elsewhere = SimpleNamespace(organization=other, context=people.context)
    return {**account, "application": file_in(elsewhere, "awaiting_signature")["id"]}
