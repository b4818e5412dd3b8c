"""The papers of a file: made from its present state, kept with their SHA-256, never changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlalchemy.orm
from ckan import model
from ckan.lib.uploader import get_storage_path

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.documents.logo import check_logo
from ckanext.dinamis_relais.documents.render import render
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership.model import Application, Document

log = logging.getLogger(__name__)

#: Version of the avenant's template, as the relay procedure dates it.
AMENDMENT_VERSION = "15/10/2024"

#: The date inside the PDF of a text, fixed so that one version has one hash.
TEXTS_CREATED = dt.datetime(2024, 10, 15, tzinfo=dt.timezone.utc)

TITLES = {
    "agreement": "Convention PIGMA",
    "signed_agreement": "Convention signée",
    "signed_paper": "Avenant signé à la main",
    "board_answer": "Réponse du bureau exécutif",
    "amendment": "Avenant à la convention PIGMA",
    "signed_amendment": "Avenant signé",
    "membership_deed": "Acte d'adhésion",
    "charter": "Charte DINAMIS",
    "licences": "Licences DINAMIS",
}


class Sealed(NamedTuple):
    """A PDF as it is kept, whether it bears the platform's seal, and whether that seal bears a time-stamp."""

    content: bytes
    sealed: bool
    timestamped: bool


def logo(application: Application) -> dict[str, bytes]:
    """The logo that the organisation uploaded, to print; nothing when there is none or it cannot be printed.

    A picture elsewhere on the web is never fetched.
    """
    organization = model.Group.get(application.organization_id)
    name = (organization.image_url or "") if organization else ""
    folder = get_storage_path()
    if not name or "/" in name or not folder:
        return {}
    path = Path(folder) / "storage" / "uploads" / "group" / name
    try:
        return {"logo": check_logo(path.read_bytes()).content}
    except (OSError, DocumentError) as error:
        log.warning("The logo of %s is not printed: %s", application.organization_id, error)
        return {}


def seal(pdf: bytes, reason: str, stamped: bool = False) -> Sealed:
    """The document sealed with the platform's certificate, if one is configured.

    :param stamped: True to ask the configured RFC 3161 service for a time-stamp, with no transaction open. When it does
        not answer, the seal goes without: who signs must not pay for it, the journal has the time and the hash in its
        chain, and the paper says that it bears no time-stamp
    """
    certificate = config.seal_pkcs12()
    if certificate is None:
        return Sealed(pdf, False, False)
    from ckanext.dinamis_relais.documents.seal import seal as pades

    given: dict[str, Any] = {"pkcs12": certificate, "password": config.seal_password(), "reason": reason,
                             "location": config.relay_operator()}  # fmt: skip
    url = config.timestamp_url() if stamped else None
    if url:
        try:
            stamped_pdf = pades(pdf, **given, timestamp_url=url, private_hosts=config.private_hosts())
            return Sealed(stamped_pdf, True, True)
        except DocumentError as error:
            if error.field != "timestamp_url":
                raise
            log.warning("Sealed without a time-stamp: %s", error)
    return Sealed(pades(pdf, **given), True, False)


def to_sign(application: Application) -> tuple[str, ...]:
    """Kinds of the papers that a signature covers."""
    return ("agreement", "amendment") if application.with_agreement else ("amendment",)


def keep(
    application: Application,
    kind: str,
    paper: bytes | Sealed,
    actor: str,
    *,
    version: str = "",
    media_type: str = "application/pdf",
) -> Document:
    """Add a paper to the file and its line to the journal, in the present transaction."""
    content, sealed, timestamped = paper if isinstance(paper, Sealed) else (paper, False, False)
    title = f"{TITLES[kind]} n° {application.agreement_number}" if application.agreement_number else TITLES[kind]
    document = Document(
        application_id=application.id,
        organization_id=application.organization_id,
        kind=kind,
        title=title,
        version=version,
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
        sealed=sealed,
        timestamped=timestamped,
        created_by=actor,
    )
    session().add(document)
    session().flush()
    record(Event.DOCUMENT_CREATED, actor, "document", document.id, application.organization_id,
           kind=kind, sha256=document.sha256, application_id=application.id, sealed=sealed,
           timestamped=timestamped)  # fmt: skip
    return document


def organization_data(application: Application) -> dict[str, Any]:
    """What documents print of the partner."""
    organization = model.Group.get(application.organization_id)
    return {
        "title": organization.title if organization else "",
        "siren": application.siren,
        "siret": application.siret,
        "address": application.address,
    }


def in_force() -> list[dict[str, str]]:
    """The texts that a signature accepts: kind, version and date of what the operator has put in force."""
    return [
        {"kind": "charter", "version": config.charter_version(), "date": config.charter_date()},
        {"kind": "licences", "version": config.licences_version(), "date": config.licences_date()},
    ]


def versions_in_force() -> dict[str, str]:
    """Text → version in force."""
    return {text["kind"]: text["version"] for text in in_force()}


def texts() -> list[dict[str, Any]]:
    """The texts in force, each with its title and the hash of what is shown."""
    return [
        {
            **text,
            "title": TITLES[text["kind"]],
            "sha256": hashlib.sha256(text_pdf(text["kind"])).hexdigest(),
            "model": config.document_templates() is None,
        }
        for text in in_force()
    ]


def text_pdf(kind: str) -> bytes:
    """The charter or the licences as PDF, from the operator's template or from the shipped model.

    :raises documents.DocumentError: the template does not compile
    """
    version = {"charter": config.charter_version(), "licences": config.licences_version()}[kind]
    date = {"charter": config.charter_date(), "licences": config.licences_date()}[kind]
    return _text_pdf(kind, version, date, config.document_templates())


@lru_cache(maxsize=16)
def _text_pdf(kind: str, version: str, date: str, templates: Path | None) -> bytes:
    # The same version must always be the same bytes: its hash is what was accepted.
    return render(kind, {"version": version, "date": date or None}, template_dir=templates, created=TEXTS_CREATED)


def _relay() -> dict[str, str]:
    return {"name": config.relay_name(), "operator": config.relay_operator()}


def contract_pdf(
    application: Application, kind: str, evidence: dict[str, Any] | None = None, of_day: str | None = None
) -> bytes:
    """The convention or the avenant, with the signature's page once there is evidence of one.

    :param kind: ``agreement`` or ``amendment``
    :param of_day: day of the paper that was read (ISO 8601), so that the signed one says the same; today otherwise
    """
    representative = application.signatory or application.representative
    data = {
        "agreement_number": application.agreement_number,
        "template_version": AMENDMENT_VERSION,
        "organization": organization_data(application),
        "relay": _relay(),
        "demonstration": config.demonstration(),
        "legal_representative": {k: representative.get(k, "") for k in ("given_name", "family_name", "function")},
        "texts": texts(),
        "date": of_day or utcnow().date().isoformat(),
        "application_id": application.id,
        "evidence": evidence,
    }
    return render(kind, data, assets=logo(application), template_dir=config.document_templates())


def of_application(application_id: str) -> list[Document]:
    """A file's papers, the oldest first, without loading their bytes."""
    query = (
        sa.select(Document)
        .where(Document.application_id == application_id)
        .options(sqlalchemy.orm.defer(Document.content))
        .order_by(Document.created_at, Document.id)
    )
    return list(session().execute(query).scalars())
