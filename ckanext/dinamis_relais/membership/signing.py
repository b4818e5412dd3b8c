"""What the transitions of a signature do: ask, confirm by a code, delegate, revoke, sign, record a paper.

All of it in the caller's transaction; no network, but for :func:`presealed`, which is called with none open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway.secrets import one_time_token
from ckanext.dinamis_relais.machine import GuardError, Transition
from ckanext.dinamis_relais.membership import letters, papers, proofs, rules
from ckanext.dinamis_relais.membership.model import AgreementCounter, Application, SignatureLink

Data = dict[str, Any]


def give_number() -> str:
    """The next convention number of this year; the counter's row is locked until the commit.

    A number that some file holds already (an imported convention) is passed over.
    """
    year = utcnow().year
    table = AgreementCounter.__table__
    statement = insert(AgreementCounter).values(year=year, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.year], set_={"last": table.c.last + 1}
    ).returning(table.c.last)
    while True:
        number = rules.next_number(config.agreement_number_pattern(), year, session().execute(statement).scalar_one())
        held = sa.select(Application.id).where(Application.agreement_number == number)
        if session().execute(held).first() is None:
            return number


def signatory(application: Application) -> Data:
    """Who signs: the person whom the representative named, or the representative."""
    return application.signatory or application.representative


def revoke_links(application: Application) -> None:
    """End every link of this file that was not used."""
    session().execute(
        sa.update(SignatureLink)
        .where(SignatureLink.application_id == application.id, SignatureLink.used_at.is_(None))
        .values(revoked_at=utcnow())
        .execution_options(synchronize_session=False)
    )


def new_link(application: Application) -> str:
    """Make a link of this file beside those that it has, and give its address."""
    token, hashed = one_time_token()
    expires = utcnow() + dt.timedelta(days=config.signature_link_days())
    email = signatory(application)["email"]
    session().add(SignatureLink(application_id=application.id, token_hash=hashed, email=email, expires_at=expires))
    return f"{config.site_url()}/dinamis/sign/{token}"


def request(application: Application, row: Transition, actor: str, data: Data) -> None:
    """Give the file its number, make its papers, and mail the link."""
    del data
    if application.agreement_number is None:
        application.agreement_number = give_number()
    if row.document:
        application.signatory = {}
        application.accepted_texts = papers.versions_in_force()
        for kind in papers.to_sign(application):
            pdf = papers.contract_pdf(application, kind)
            papers.keep(application, kind, pdf, actor, version=papers.AMENDMENT_VERSION)
    revoke_links(application)
    letters.send(letters.asked(application), application, link=new_link(application))


def delegate(application: Application, row: Transition, actor: str, data: Data) -> None:
    """Hand the signature to a named person: a new link for them, the old one ends."""
    del actor
    representative = application.representative
    by = f"{representative['given_name']} {representative['family_name']}, {representative['function']}"
    person = {name: data["person"][name] for name in ("given_name", "family_name", "function", "email")}
    application.signatory = {**person, "delegated_at": isoformat(utcnow()), "delegated_by": by}
    revoke_links(application)
    letters.send(row.mail or "", application, link=new_link(application))


def revoke(application: Application, row: Transition, actor: str, data: Data) -> None:
    """Cancel the link; the file can be corrected."""
    del actor, data
    revoke_links(application)
    letters.send(row.mail or "", application)
    application.signatory = {}


def unsigned(application: Application) -> dict[str, Any]:
    """The newest unsigned paper of each kind that is to sign."""
    wanted = papers.to_sign(application)
    return {d.kind: d for d in papers.of_application(application.id) if d.kind in wanted}


def evidence(application: Application, link: SignatureLink, data: Data) -> Data:
    """What is printed on the signature's page and kept with the link."""
    person, read = signatory(application), unsigned(application)
    versions = {text["kind"]: (text["version"], text["sha256"]) for text in papers.texts()}
    versions |= {kind: (papers.AMENDMENT_VERSION, paper.sha256) for kind, paper in read.items()}
    versions["super_referent"] = (config.relay_name(), "")
    found = {
        "signed_at_utc": isoformat(utcnow()),
        "name": f"{person['given_name']} {person['family_name']}",
        "function": person["function"],
        "email": link.email,
        "code_sent_at_utc": isoformat(link.code_sent_at),
        "ip": data.get("ip", ""),
        "user_agent": data.get("user_agent", ""),
        "accepted": [
            {"kind": kind, "version": versions[kind][0], "sha256": versions[kind][1]}
            for kind in rules.acceptances(application.with_agreement)
        ],
        "document_sha256": read["amendment"].sha256,
    }
    if application.signatory:
        found["delegated_by"] = application.signatory["delegated_by"]
        found["delegated_at_utc"] = application.signatory["delegated_at"]
    return found


def presealed(application: Application, proof: Data) -> dict[str, papers.Sealed]:
    """The signed papers, sealed; with a time-stamp server configured this calls it: no transaction may be open."""
    made = {kind: papers.contract_pdf(application, kind, proof, of_day=day) for kind, day in proof["days"].items()}
    session().rollback()
    return {kind: papers.seal(pdf, f"Signature : {papers.TITLES[kind]}", stamped=True) for kind, pdf in made.items()}


def sign(application: Application, row: Transition, actor: str, data: Data) -> None:
    """Keep what was signed and its proof."""
    link: SignatureLink = data["link"]
    proof: Data = data["evidence"]
    link.used_at = utcnow()
    link.code_hash = None
    link.evidence = {**proof, "digest": rules.signed_digest(signed_fields(application))}
    application.signed_at = link.used_at
    read = {text["kind"]: text["version"] for text in proof["accepted"]}
    application.accepted_texts = {kind: read[kind] for kind in papers.versions_in_force()}
    for kind, sealed in data["sealed"].items():
        papers.keep(application, f"signed_{kind}", sealed, actor, version=papers.AMENDMENT_VERSION)
    letters.send(row.mail or "", application)


def paper_guard(application: Application, data: Data) -> None:
    """A paper signed by hand must be there; only the action that checks one can give it."""
    del application
    if not isinstance(data.get("proof"), proofs.Proof):
        raise GuardError("file", tk._("Add the signed paper: a PDF or a picture (PNG, JPEG)."))


def record_paper(application: Application, row: Transition, actor: str, data: Data) -> None:
    """The paper signed by hand becomes the file's signature."""
    proof: proofs.Proof = data["proof"]
    revoke_links(application)
    person = signatory(application)
    known = {
        "signed_on": data["signed_on"],
        "name": f"{person['given_name']} {person['family_name']}",
        "paper_sha256": hashlib.sha256(proof.content).hexdigest(),
        "recorded_by": actor,
        "digest": rules.signed_digest(signed_fields(application)),
    }
    now = utcnow()
    # A link that nobody can open carries the proof, as that of a signature online does.
    session().add(SignatureLink(application_id=application.id, token_hash=one_time_token()[1], email=person["email"],
                                expires_at=now, used_at=now, evidence=known))  # fmt: skip
    application.signed_at = dt.datetime.fromisoformat(data["signed_on"]).replace(tzinfo=dt.timezone.utc)
    papers.keep(application, "signed_paper", proof.content, actor, version=papers.AMENDMENT_VERSION,
                media_type=proof.media_type)  # fmt: skip
    letters.send(row.mail or "", application)


def signed_fields(application: Application) -> Data:
    """What a signature covers: when one of these changes, a new signature is needed."""
    organization = model.Group.get(application.organization_id)
    return {
        "title": organization.title if organization else "",
        "siren": application.siren,
        "representative": application.representative,
    }
