"""The papers of a file: made from its present state, kept with their SHA-256, never changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.documents.render import render
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership.model import Application, Document

#: Version of the avenant's template, as the relay procedure dates it.
AMENDMENT_VERSION = "15/10/2024"

#: The date inside the PDF of a text, fixed so that one version has one hash.
TEXTS_CREATED = dt.datetime(2024, 10, 15, tzinfo=dt.timezone.utc)

TITLES = {
    "amendment": "Avenant à la convention PIGMA",
    "signed_amendment": "Avenant signé",
    "membership_deed": "Acte d'adhésion",
    "charter": "Charte DINAMIS",
    "licences": "Licences DINAMIS",
}


def seal(pdf: bytes, reason: str) -> tuple[bytes, bool]:
    """The document sealed with the platform's certificate, and whether one is configured."""
    certificate = config.seal_pkcs12()
    if certificate is None:
        return pdf, False
    from ckanext.dinamis_relais.documents.seal import seal as pades

    sealed = pades(
        pdf,
        pkcs12=certificate,
        password=config.seal_password(),
        reason=reason,
        location=config.relay_operator(),
    )
    return sealed, True


def keep(
    application: Application, kind: str, pdf: bytes, actor: str, *, version: str = "", sealed: bool = False
) -> Document:
    """Add a paper to the file and its line to the journal, in the present transaction."""
    title = f"{TITLES[kind]} n° {application.agreement_number}" if application.agreement_number else TITLES[kind]
    document = Document(
        application_id=application.id,
        organization_id=application.organization_id,
        kind=kind,
        title=title,
        version=version,
        sha256=hashlib.sha256(pdf).hexdigest(),
        size=len(pdf),
        content=pdf,
        sealed=sealed,
        created_by=actor,
    )
    session().add(document)
    session().flush()
    record(Event.DOCUMENT_CREATED, actor, "document", document.id, application.organization_id,
           kind=kind, sha256=document.sha256, application_id=application.id)  # fmt: skip
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


def texts() -> list[dict[str, Any]]:
    """The texts that a signature accepts, each with its version and the hash of what is shown."""
    found = []
    for kind, version in (("charter", config.charter_version()), ("licences", config.licences_version())):
        found.append(
            {
                "kind": kind,
                "title": TITLES[kind],
                "version": version,
                "date": "",
                "sha256": hashlib.sha256(text_pdf(kind)).hexdigest(),
                "model": config.document_templates() is None,
            }
        )
    return found


def text_pdf(kind: str) -> bytes:
    """The charter or the licences as PDF, from the operator's template or from the shipped model.

    :raises documents.DocumentError: the template does not compile
    """
    version = {"charter": config.charter_version(), "licences": config.licences_version()}[kind]
    return _text_pdf(kind, version, config.document_templates())


@lru_cache(maxsize=16)
def _text_pdf(kind: str, version: str, templates: Path | None) -> bytes:
    # The same version must always be the same bytes: its hash is what was accepted.
    return render(kind, {"version": version, "date": None}, template_dir=templates, created=TEXTS_CREATED)


def _relay() -> dict[str, str]:
    return {"name": config.relay_name(), "operator": config.relay_operator()}


def amendment_pdf(application: Application, evidence: dict[str, Any] | None = None) -> bytes:
    """The avenant, with the signature's page once there is evidence of one."""
    representative = application.representative
    data = {
        "agreement_number": application.agreement_number,
        "template_version": AMENDMENT_VERSION,
        "organization": organization_data(application),
        "relay": _relay(),
        "legal_representative": {k: representative.get(k, "") for k in ("given_name", "family_name", "function")},
        "texts": texts(),
        "date": utcnow().date().isoformat(),
        "application_id": application.id,
        "evidence": evidence,
    }
    return render("amendment", data, template_dir=config.document_templates())


def deed_pdf(application: Application, since: Any) -> bytes:
    """The acte d'adhésion: what the board decided, when, under which reference."""
    data = {
        "agreement_number": application.agreement_number,
        "organization": organization_data(application),
        "relay": _relay(),
        "decided_at": isoformat(application.decided_at),
        "decided_by": "Bureau exécutif DINAMIS",
        "reference": application.decision_reference or "",
        "since": since.date().isoformat(),
        "application_id": application.id,
    }
    return render("membership_deed", data, template_dir=config.document_templates())


def of_application(application_id: str) -> list[Document]:
    """A file's papers, the oldest first, without loading their bytes."""
    query = (
        sa.select(Document)
        .where(Document.application_id == application_id)
        .options(sqlalchemy.orm.defer(Document.content))
        .order_by(Document.created_at, Document.id)
    )
    return list(session().execute(query).scalars())
