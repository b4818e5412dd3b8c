"""The operator's seal (PAdES) on a PDF, and its check.

The seal's field is outside the page, which PDF/UA-1 and PDF/A-2 both allow: an invisible field inside it
would have to be tagged and hidden at once. The first seal of a file certifies it: further seals may be added
(DINAMIS co-validates), nothing else may change.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from .certificates import read_pkcs12
from .errors import N_, DocumentError
from .stamping import Stamper

# A seal of someone unknown is an answer here, not an incident worth a traceback in the site's log.
logging.getLogger("pyhanko.sign.validation").setLevel(logging.ERROR)

SEAL_FIELD = "Cachet"
_CMS_VERSION = {"issuer_and_serial_number": "v1", "subject_key_identifier": "v3"}  # RFC 5652, 5.1 and 5.3


def seal(
    pdf: bytes,
    *,
    pkcs12: Path,
    password: str | None,
    reason: str,
    location: str,
    timestamp_url: str | None = None,
    private_hosts: Sequence[str] = (),
) -> bytes:
    """Add an invisible PAdES seal (B-B, or B-T with the RFC 3161 service of ``timestamp_url``).

    With ``timestamp_url`` this calls that service, for at most ``stamping.SECONDS``: keep it out of a transaction;
    ``private_hosts`` are those on private networks that may be called. Raises ``DocumentError`` about ``pkcs12``,
    ``timestamp_url`` (may pass: try again) or ``pdf``.
    """
    read_pkcs12(pkcs12, password)
    signer = signers.SimpleSigner.load_pkcs12(str(pkcs12), passphrase=password.encode() if password else None)
    if signer is None:
        raise DocumentError(
            "pkcs12", N_("The key of %(path)s cannot seal."), N_("Use an RSA or ECDSA key."), path=pkcs12
        )
    # Who checks has the authority's own certificate; a copy here would be bytes that nothing protects.
    signer.embed_roots = False
    stamper = Stamper(timestamp_url, private_hosts) if timestamp_url else None
    try:
        # PDF/A wants an end of line before what is appended, and Typst's last line has none.
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf if pdf.endswith(b"\n") else pdf + b"\n"))
        present = len(writer.prev.embedded_signatures)
        metadata = signers.PdfSignatureMetadata(
            field_name=SEAL_FIELD if present == 0 else f"{SEAL_FIELD} {present + 1}",
            md_algorithm="sha256",
            reason=reason,
            location=location,
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=present == 0,
            docmdp_permissions=fields.MDPPerm.FILL_FORMS,
        )
        place = fields.SigFieldSpec(
            str(metadata.field_name),
            readable_field_name="Cachet électronique",
            invis_sig_settings=fields.InvisSigSettings(set_print_flag=True, box_out_of_bounds=True),
        )
        out = signers.PdfSigner(metadata, signer, timestamper=stamper, new_field_spec=place).sign_pdf(writer)
    except timestamps.TimestampRequestError as error:
        raise DocumentError(
            "timestamp_url",
            N_("The time-stamping service did not answer: %(cause)s"),
            N_("Try again later."),
            cause=error,
        ) from error
    except (PdfError, SigningError, ValueError) as error:
        raise DocumentError(
            "pdf", N_("The document cannot be sealed: %(cause)s"), N_("Make it again."), cause=error
        ) from error
    return out.getvalue()


@dataclass
class Verification:
    """What a file's seals say. With several, all must hold; ``signer`` and ``signed_at`` are of the last.

    ``problems`` are constant English message ids; ``details`` the libraries' words, for a log.
    ``signed_at`` is UTC, from the time-stamp when ``timestamped``, otherwise only what the sealer's
    clock said.
    """

    sealed: bool = False
    intact: bool = False
    covers_whole_document: bool = False
    trusted: bool = False
    timestamped: bool = False
    signer: str | None = None
    signed_at: datetime | None = None
    problems: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether the file is sealed, whole, unchanged, and by someone trusted."""
        whole = self.sealed and self.intact and self.covers_whole_document
        return whole and self.trusted and not self.problems


def verify(pdf: bytes, trust: Sequence[x509.Certificate]) -> Verification:
    """Check every seal of ``pdf`` against the ``trust`` certificates (a seal's own, or its authority's).

    Never raises on what the file holds, and calls no network: revocation is not asked. A certificate that has
    expired since is accepted only when a trusted time-stamp shows that it was valid then.
    """
    result = Verification()
    try:
        embedded = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
        if not embedded:
            result.problems.append(N_("The document carries no seal."))
            return result
        result.sealed = True
        statuses = [_status(signature, trust) for signature in embedded]
        tidy = all(_canonical(signature, pdf) for signature in embedded)
    except Exception as error:  # noqa: BLE001 -- a hostile or damaged file breaks a parser in any way
        result.problems.append(N_("The document is damaged or is not a PDF: its seal cannot be read."))
        result.details.append(f"{type(error).__name__}: {error}")
        return result
    _conclude(result, statuses, embedded[-1], tidy)
    return result


def _status(signature: EmbeddedPdfSignature, trust: Sequence[x509.Certificate]) -> PdfSignatureStatus:
    roots = [asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)) for certificate in trust]
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots, allow_fetching=False))
    stamp = status.timestamp_validity
    if not status.trusted and stamp is not None and stamp.trusted:
        then = ValidationContext(trust_roots=roots, allow_fetching=False, moment=stamp.timestamp)
        status = validate_pdf_signature(
            signature, then, ts_validation_context=ValidationContext(trust_roots=roots, allow_fetching=False)
        )
    return status


def _canonical(signature: EmbeddedPdfSignature, pdf: bytes) -> bool:
    """Whether the bytes that hold a seal, which it cannot sign, have their one proper form (DER).

    Without this a byte of the padding, or of a field that no signature protects, could change unseen.
    """
    signed: Any = signature.byte_range
    start, end = int(signed[1]), int(signed[2])
    hexadecimal = pdf[start + 1 : end - 1]
    held: Any = cms.ContentInfo.load(bytes.fromhex(hexadecimal.decode("ascii")))
    exact = held.copy().dump(force=True).hex().encode("ascii").ljust(len(hexadecimal), b"0")
    return (
        pdf[start : start + 1] + pdf[end - 1 : end] == b"<>"
        and hexadecimal in (exact, exact.upper())
        and _unsigned_fields_fit(held["content"], "data")
        and _only_time_stamps(held["content"]["signer_infos"][0]["unsigned_attrs"])
    )


def _only_time_stamps(attributes: Any) -> bool:
    return not isinstance(attributes, cms.CMSAttributes) or all(
        attribute["type"].native == "signature_time_stamp_token"
        and all(_unsigned_fields_fit(stamp["content"], "tst_info") for stamp in attribute["values"])
        for attribute in attributes
    )


def _unsigned_fields_fit(held: Any, content_type: str) -> bool:
    """Whether the fields that no signature protects are the only ones that the protected ones allow."""
    signer = held["signer_infos"][0]
    signer_version = _CMS_VERSION[signer["sid"].name]
    return (
        len(held["signer_infos"]) == 1
        and signer["version"].native == signer_version
        and held["version"].native == (signer_version if content_type == "data" else "v3")
        and held["encap_content_info"]["content_type"].native == content_type
        and [item.dump() for item in held["digest_algorithms"]] == [signer["digest_algorithm"].dump()]
    )


def _conclude(result: Verification, statuses: list[PdfSignatureStatus], last: EmbeddedPdfSignature, tidy: bool) -> None:
    final = statuses[-1]
    stamp = final.timestamp_validity
    result.timestamped = stamp is not None and stamp.valid and stamp.intact and stamp.trusted
    moment = stamp.timestamp if result.timestamped and stamp is not None else last.self_reported_timestamp
    result.signed_at = moment.astimezone(timezone.utc) if moment else None
    result.signer = _who(final.signing_cert)
    signed = all(status.intact and status.valid for status in statuses)
    result.intact = signed and tidy
    result.covers_whole_document = final.coverage == SignatureCoverageLevel.ENTIRE_FILE
    result.trusted = all(status.trusted for status in statuses)
    permitted = all(status.docmdp_ok or status.modification_level is None for status in statuses)
    found = (
        (not signed, N_("The document was changed after it was sealed.")),
        (not tidy, N_("The bytes that hold the seal itself were changed, or are not as the standard asks.")),
        (not result.covers_whole_document, N_("Something was added after the last seal.")),
        (result.intact and not permitted, N_("A change made after the seal goes beyond what it allows.")),
        (
            result.intact and not result.trusted,
            N_("The seal's certificate is not trusted, or was not valid at that time."),
        ),
        (stamp is not None and not result.timestamped, N_("The time-stamp does not hold or is not trusted.")),
    )
    result.problems.extend(problem for holds, problem in found if holds)
    result.details.extend(status.summary() for status in statuses)


def _who(certificate: asn1_x509.Certificate) -> str:
    named = certificate.subject.native
    parts = [named.get(key) for key in ("common_name", "organization_name", "organizational_unit_name")]
    return ", ".join(str(part) for part in parts if part)
