from __future__ import annotations

import io
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from pypdf import PdfReader, PdfWriter

from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.documents.certificates import certificate_of, read_certificates, self_signed
from ckanext.dinamis_relais.documents.render import render
from ckanext.dinamis_relais.documents.seal import seal, verify

from .authority import NOW, Authority
from .examples import deed, words

PASSWORD = "démo"
CHECK = """
import sys
from pathlib import Path
from ckanext.dinamis_relais.documents.certificates import read_certificates
from ckanext.dinamis_relais.documents.seal import verify
result = verify(Path(sys.argv[1]).read_bytes(), read_certificates([Path(sys.argv[2])]))
print(result.valid, result.intact)
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "seal.p12"
    self_signed(path, PASSWORD, "PIGMA relais")
    return path


@pytest.fixture(scope="module")
def trust(key: Path) -> list[x509.Certificate]:
    return [certificate_of(key, PASSWORD)]


@pytest.fixture(scope="module")
def plain() -> bytes:
    return render("membership_deed", deed())


@pytest.fixture(scope="module")
def sealed(key: Path, plain: bytes) -> bytes:
    return seal(plain, pkcs12=key, password=PASSWORD, reason="Acte d’adhésion", location="Bordeaux")


def test_a_seal_holds_and_says_who_and_when(sealed, trust):
    result = verify(sealed, trust)
    assert result.valid
    assert (result.sealed, result.intact, result.covers_whole_document, result.trusted) == (True,) * 4
    assert result.problems == []
    assert result.signer == "PIGMA relais, DÉMONSTRATION — cachet sans valeur"
    assert result.signed_at is not None
    assert abs(datetime.now(timezone.utc) - result.signed_at) < timedelta(minutes=5)
    assert not result.timestamped


def test_the_seal_keeps_the_document_accessible(plain, sealed):
    reader = PdfReader(io.BytesIO(sealed))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert "pdfuaid:part" in root["/Metadata"].get_data().decode()
    assert words(sealed) == words(plain)
    field = root["/AcroForm"]["/Fields"][0].get_object()
    assert field["/TU"] == "Cachet électronique"
    # ISO 14289-1, 7.18.1: an annotation outside the page need not be tagged.
    assert max(float(side) for side in field["/Rect"]) < 0
    assert field["/V"]["/SubFilter"] == "/ETSI.CAdES.detached"
    assert field["/V"]["/Reason"] == "Acte d’adhésion"


def test_a_changed_byte_is_found_in_another_process(tmp_path, sealed, trust):
    pem = tmp_path / "trust.pem"
    pem.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in trust))
    changed = sealed.replace(b"DINAMIS", b"DINAMIT", 1)
    assert changed != sealed
    for content, expected in ((sealed, "True True"), (changed, "False False")):
        path = tmp_path / "deed.pdf"
        path.write_bytes(content)
        ran = subprocess.run(
            [sys.executable, "-c", CHECK, str(path), str(pem)], capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == expected


def test_a_byte_changed_anywhere_is_found(sealed, trust):
    start = sealed.index(b"/Contents <") + len(b"/Contents ")
    end = sealed.index(b">", start) + 1
    places = [*range(0, len(sealed), 3989), *range(start, end, 173), start, end - 2, end - 1, len(sealed) - 1]
    for place in places:
        for bit in (1, 32):
            changed = bytearray(sealed)
            changed[place] ^= bit
            result = verify(bytes(changed), trust)
            assert not result.valid, place
            assert result.problems, place


@pytest.mark.parametrize("cut", [10, 200, 5000, 40000])
def test_a_cut_file_is_not_valid(sealed, trust, cut):
    assert not verify(sealed[:-cut], trust).valid


def test_something_added_after_the_seal_is_found(sealed, trust):
    writer = PdfWriter(io.BytesIO(sealed), incremental=True)
    writer.add_blank_page(width=100, height=100)
    out = io.BytesIO()
    writer.write(out)
    result = verify(out.getvalue(), trust)
    assert result.sealed
    assert not result.covers_whole_document
    assert "Something was added after the last seal." in result.problems
    assert "A change made after the seal goes beyond what it allows." in result.problems
    assert verify(sealed + b"\n% more\n", trust).covers_whole_document is False


def test_a_second_seal_may_join_the_first(tmp_path, sealed, trust):
    other = tmp_path / "other.p12"
    certificate = self_signed(other, None, "Bureau exécutif")
    both = seal(sealed, pkcs12=other, password=None, reason="Validation", location="Toulouse")
    result = verify(both, [*trust, certificate])
    assert result.valid
    assert result.signer is not None
    assert result.signer.startswith("Bureau exécutif")
    assert verify(both, [certificate]).trusted is False


def test_an_unknown_sealer_is_intact_but_not_trusted(sealed):
    result = verify(sealed, [])
    assert result.intact
    assert not result.trusted
    assert not result.valid
    assert result.problems == ["The seal's certificate is not trusted, or was not valid at that time."]


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7\n%%EOF", bytes(2000), b"%PDF-1.7\n" + b"[" * 100_000])
def test_what_is_no_pdf_is_told(content, trust):
    result = verify(content, trust)
    assert not result.sealed
    assert result.problems == ["The document is damaged or is not a PDF: its seal cannot be read."]


def test_an_unsealed_pdf_is_told(plain, trust):
    assert verify(plain, trust).problems == ["The document carries no seal."]


def test_an_authoritys_certificate_and_a_time_stamp(tmp_path, plain):
    authority = Authority()
    day = timedelta(days=1)
    key = authority.pkcs12(tmp_path / "rsa.p12", "Cachet d’essai", NOW - day, NOW + day)
    with authority.time_stamping() as url:
        pdf = seal(
            plain,
            pkcs12=key,
            password=None,
            reason="Essai",
            location="Pau",
            timestamp_url=url,
            private_hosts=["127.0.0.1"],
        )
    result = verify(pdf, [authority.certificate])
    assert result.valid, result
    assert result.timestamped
    assert result.signer == "Cachet d’essai"
    start = pdf.index(b"/Contents <") + len(b"/Contents ")
    kind = pdf.lower().index(b"2a864886f70d010910020e", start)  # the time-stamp's own attribute
    for place in [kind + 20, *range(start, pdf.index(b">", start) + 1, 211)]:
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not verify(bytes(changed), [authority.certificate]).valid, place


def test_an_expired_certificate_holds_with_a_time_stamp_only(tmp_path, plain):
    authority = Authority()
    day = timedelta(days=1)
    key = authority.pkcs12(tmp_path / "short.p12", "Cachet d’essai", NOW - 90 * day, NOW - 60 * day)
    without = seal(plain, pkcs12=key, password=None, reason="Essai", location="Pau")
    with authority.time_stamping(NOW - 75 * day) as url:
        then = seal(
            plain,
            pkcs12=key,
            password=None,
            reason="Essai",
            location="Pau",
            timestamp_url=url,
            private_hosts=["127.0.0.1"],
        )
    with authority.time_stamping(NOW - 30 * day) as url:
        late = seal(
            plain,
            pkcs12=key,
            password=None,
            reason="Essai",
            location="Pau",
            timestamp_url=url,
            private_hosts=["127.0.0.1"],
        )
    result = verify(then, [authority.certificate])
    assert result.valid, result
    assert result.signed_at == NOW - 75 * day
    for pdf in (without, late):
        result = verify(pdf, [authority.certificate])
        assert result.intact
        assert not result.trusted
        assert not result.valid


def test_an_unreachable_time_stamping_service_is_told(plain, key):
    with pytest.raises(DocumentError) as raised:
        seal(
            plain,
            pkcs12=key,
            password=PASSWORD,
            reason="",
            location="",
            timestamp_url="http://127.0.0.1:9/tsa",
            private_hosts=["127.0.0.1"],
        )
    assert raised.value.field == "timestamp_url"


def test_a_key_file_that_cannot_serve_is_told(tmp_path, plain, key):
    for path, password in (
        (key, "wrong"),
        (key, None),
        (tmp_path / "absent.p12", None),
        (Path(__file__), None),
    ):
        with pytest.raises(DocumentError, match="cannot be opened") as raised:
            seal(plain, pkcs12=path, password=password, reason="", location="")
        assert raised.value.field == "pkcs12"
    bare = tmp_path / "bare.p12"
    certificate = certificate_of(key, PASSWORD)
    bare.write_bytes(pkcs12.serialize_key_and_certificates(b"x", None, None, [certificate], NoEncryption()))
    with pytest.raises(DocumentError, match="lacks a private key"):
        seal(plain, pkcs12=bare, password=None, reason="", location="")


def test_a_file_that_is_no_pdf_cannot_be_sealed(key):
    with pytest.raises(DocumentError) as raised:
        seal(b"hello", pkcs12=key, password=PASSWORD, reason="", location="")
    assert raised.value.field == "pdf"


def test_the_demonstration_key_is_private_marked_and_never_replaced(key):
    assert key.stat().st_mode & 0o777 == 0o600
    assert "DÉMONSTRATION" in certificate_of(key, PASSWORD).subject.rfc4514_string()
    before = key.read_bytes()
    with pytest.raises(DocumentError, match="exists already"):
        self_signed(key, PASSWORD, "PIGMA relais")
    assert key.read_bytes() == before


def test_certificates_are_read_from_pem_and_der(tmp_path, trust):
    pem, der = tmp_path / "a.pem", tmp_path / "a.der"
    pem.write_bytes(trust[0].public_bytes(Encoding.PEM) * 2)
    der.write_bytes(trust[0].public_bytes(Encoding.DER))
    assert read_certificates([pem, der]) == trust * 3
    for path in (Path(__file__), tmp_path / "absent"):
        with pytest.raises(DocumentError, match="cannot be read"):
            read_certificates([path])
