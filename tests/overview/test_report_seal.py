"""The report under the platform's seal: whole, accessible, told by the public page, changed nowhere unseen."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys

import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action
from cryptography.hazmat.primitives.serialization import Encoding
from openpyxl import load_workbook

from ckanext.dinamis_relais.batch.work import run_round
from ckanext.dinamis_relais.documents.seal import verify
from ckanext.dinamis_relais.overview.report_model import Report
from tests.documents.examples import words as words_of
from tests.documents.test_accessible import judged
from tests.journalled import journalled
from tests.membership.test_deed import PREFIX, sealing, stamping  # noqa: F401  # fixtures
from tests.overview.test_figures import YEAR
from tests.overview.test_reports import busy
from tests.portal.pages import words

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    pytest.mark.ckan_config("ckan.display_timezone", "Europe/Paris"),
]

#: pyHanko alone, in a process of its own: nothing of ours judges what is ours.
PYHANKO = """
import sys
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
_kind, _head, held = pem.unarmor(open(sys.argv[2], "rb").read())
trust = ValidationContext(trust_roots=[x509.Certificate.load(held)], allow_fetching=False)
(seal,) = PdfFileReader(open(sys.argv[1], "rb")).embedded_regular_signatures
status = validate_pdf_signature(seal, trust)
print(status.intact, status.valid, status.trusted, status.coverage.name, seal.sig_object["/SubFilter"],
      seal.sig_object["/Reason"])
"""


@pytest.fixture
def organizations(people):
    return [people.organization["id"], *(factories.Organization()["id"] for _n in range(2))]


def made(people, organizations):
    busy(organizations)
    id_ = call_action("dinamis_report_create", people.context("super_referent"), period=str(YEAR))["id"]
    while run_round():
        pass
    row = model.Session.get(Report, id_, populate_existing=True)
    assert row is not None
    return row


def test_pyhanko_alone_finds_it_whole_and_it_stays_accessible(people, organizations, sealing, tmp_path):  # noqa: F811
    row = made(people, organizations)
    assert (row.sealed, row.timestamped) == (True, False)
    assert row.sha256 == hashlib.sha256(row.pdf).hexdigest()
    folder, trust = tmp_path / "report", tmp_path / "seal.pem"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(row.pdf)
    trust.write_bytes(sealing.public_bytes(Encoding.PEM))
    ran = subprocess.run([sys.executable, "-c", PYHANKO, str(folder / "report.pdf"), str(trust)], capture_output=True,
                         text=True, check=True)  # fmt: skip
    assert ran.stdout.strip() == "True True True ENTIRE_FILE /ETSI.CAdES.detached Bilan d'activité"
    assert set(judged(folder).values()) == {"true"}
    text = words_of(row.pdf)
    assert "porte le cachet électronique de" in text
    assert "/dinamis/verify" in text.replace(" ", "")
    line = journalled().filter_by(event="report.made").one()
    assert (line.object_id, line.data["sha256"], line.data["sealed"]) == (row.id, row.sha256, True)
    changed = bytearray(row.pdf)
    changed[len(changed) // 3] ^= 1
    assert not verify(bytes(changed), [sealing]).valid


def test_the_seal_bears_the_time_of_the_stamping_service(people, organizations, stamping):  # noqa: F811
    row = made(people, organizations)
    assert (row.sealed, row.timestamped) == (True, True)
    found = verify(row.pdf, [stamping])
    assert (found.valid, found.timestamped) == (True, True)


def test_without_a_key_it_is_made_and_says_nothing_of_a_seal(people, organizations):
    row = made(people, organizations)
    assert not row.sealed
    assert "cachet électronique" not in words_of(row.pdf)


def test_anyone_is_told_what_the_file_is(people, organizations, browser, sealing):  # noqa: F811
    row = made(people, organizations)
    found = call_action("dinamis_document_verify", {"user": "", "ignore_auth": False}, sha256=row.sha256.upper())
    assert (found["known"], found["kind"], found["sealed"]) == (True, "report", True)
    assert set(found) == {"known", "kind", "title", "created_at", "sealed"}

    def asked(content):
        form = {"file": (io.BytesIO(content), "bilan.pdf")}
        answer = browser.ask("post", "super_referent", "/dinamis/verify", data=form, content_type="multipart/form-data")
        return words(browser_soup(answer).select_one("[role=status]"))

    told = asked(row.pdf)
    assert told.startswith("Oui.")
    assert f"Bilan : janvier {YEAR} à décembre {YEAR}" in told
    assert "cachet électronique" in told
    assert asked(row.pdf + b"\n").startswith("bilan.pdf n'est pas")


def browser_soup(answer):
    from bs4 import BeautifulSoup

    assert answer.status_code == 200
    return BeautifulSoup(answer.body, "html.parser")


def test_a_demonstration_says_so_in_both_files(people, organizations, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, PREFIX + "demonstration", True)
    row = made(people, organizations)
    assert "DÉMONSTRATION — document sans valeur" in words_of(row.pdf)
    about = load_workbook(io.BytesIO(row.xlsx)).worksheets[0]
    assert ["Démonstration", "Tout y est inventé\u00a0: ce site est une démonstration."] in [
        [cell.value for cell in line] for line in about.iter_rows()
    ]
