"""Every document, sealed and not, is PDF/UA-1 (accessible) and PDF/A-2a (to be kept), says veraPDF: one run for all."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ckanext.dinamis_relais.documents.render import SHIPPED, render
from ckanext.dinamis_relais.documents.seal import seal

from .authority import NOW, Authority
from .examples import EVIDENCE, amendment, deed, png, svg

ROOT = Path(__file__).parents[2]
LIBRARIES = Path(os.environ.get("DINAMIS_VERAPDF") or ROOT / ".stack" / "verapdf-lib")
LONG = "Syndicat mixte d’aménagement " * 12
LOGOS = {"logo": svg(), "relay_logo": png()}
TEXT = {"version": "2.1", "date": "2026-01-15"}

#: Name → (template, its data, its pictures). A text's acceptances are on the signature's page of a signed paper.
DOCUMENTS = {
    "amendment": ("amendment", amendment(), {}),
    "amendment_to_sign": ("amendment", amendment(evidence=None), LOGOS),
    "amendment_delegated": (
        "amendment",
        amendment(evidence={**EVIDENCE, "delegated_by": "Alix Exemple, Maire",
                            "delegated_at_utc": "2026-11-22T10:00:00Z"}), {},
    ),
    "amendment_of_a_long_name": ("amendment", amendment(organization={"title": LONG, "siren": "213300395"}), LOGOS),
    "agreement": ("agreement", amendment(), LOGOS),
    "agreement_to_sign": ("agreement", amendment(evidence=None), {}),
    "charter": ("charter", TEXT, {}),
    "licences": ("licences", TEXT, {}),
    "membership_deed": ("membership_deed", deed(), LOGOS),
    "membership_deed_sealed": (
        "membership_deed",
        deed(decided_at="2026-12-01T09:30:00Z", decided_how="en ligne", seal="GIP ATGeRi"), {},
    ),
}  # fmt: skip
#: Templates that others include and that make no document by themselves; a report's are made of its figures, in
#: ``tests/overview/test_reports.py``.
PARTS = {"base", "signature_page", "report"}


def judged(folder: Path) -> dict[tuple[str, str], str]:
    """(file's stem, flavour) → ``true``, or what fails, of each PDF of a folder."""
    assert LIBRARIES.is_dir(), "veraPDF is not here: `make test` fetches it."
    command = ["java", "-cp", f"{LIBRARIES}/*", str(ROOT / "config" / "verapdf" / "Validate.java"), "ua1,2a"]
    files = sorted(map(str, folder.glob("*.pdf")))
    ran = subprocess.run([*command, *files], capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    found = {}
    for line in ran.stdout.splitlines():
        file, flavour, holds, failed = line.split("\t")
        found[Path(file).stem, flavour] = holds if holds == "true" else failed
    return found


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """(document, flavour) → ``true``, or what fails: of each document plain, sealed, and sealed with a time-stamp."""
    folder = tmp_path_factory.mktemp("documents")
    authority, day = Authority(), timedelta(days=1)
    key = authority.pkcs12(folder / "seal.p12", "PIGMA", NOW - day, NOW + day)
    given = {"pkcs12": key, "password": None, "reason": "Essai", "location": "Bordeaux"}
    with authority.time_stamping() as url:
        for name, (template, data, pictures) in DOCUMENTS.items():
            plain = render(template, data, assets=pictures, created=datetime(2026, 11, 23, tzinfo=timezone.utc))
            (folder / f"{name}.pdf").write_bytes(plain)
            sealed = seal(plain, **given)
            (folder / f"{name}+seal.pdf").write_bytes(sealed)
            stamped = seal(plain, **given, timestamp_url=url, private_hosts=["127.0.0.1"])
            (folder / f"{name}+stamp.pdf").write_bytes(stamped)
        (folder / "twice.pdf").write_bytes(seal(sealed, **given))
    (folder / "cut.pdf").write_bytes(plain[:-3000])
    untagged = plain.replace(b"/Marked true", b"/Marked null")
    assert untagged != plain
    (folder / "untagged.pdf").write_bytes(untagged)
    return judged(folder)


def test_no_template_is_forgotten():
    assert {template for template, _data, _pictures in DOCUMENTS.values()} | PARTS == {
        path.stem for path in SHIPPED.glob("*.typ")
    }


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("more", ["", "+seal", "+stamp"])
def test_each_document_holds(verdicts, name, more):
    assert {flavour: verdicts[f"{name}{more}", flavour] for flavour in ("ua1", "2a")} == {"ua1": "true", "2a": "true"}


def test_a_second_seal_breaks_nothing(verdicts):
    assert verdicts["twice", "ua1"] == verdicts["twice", "2a"] == "true"


def test_what_is_broken_is_told(verdicts):
    assert "Couldn't parse" in verdicts["cut", "ua1"]
    assert "6.2-1" in verdicts["untagged", "ua1"]  # ISO 14289-1, 6.2: the document says that it is tagged
