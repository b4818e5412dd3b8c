"""Applications (the files that are worked on), memberships (the right they give), documents, signature links."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, Deliverable, column, json_column, moment, new_id, text, utcnow


class Application(Base, Deliverable):
    """One file of one organisation: a first membership, a renewal, a re-acceptance or a change of details."""

    __tablename__ = "dinamis_application"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False, default="first")
    state = text(nullable=False, default="draft", index=True)
    returns_to = text()
    organization_id = text(nullable=False, index=True)

    siren = text(nullable=False, default="")
    siret = text(nullable=False, default="")
    legal_category = text(nullable=False, default="")
    category = text(nullable=False, default="")
    justification = text(nullable=False, default="")
    entity_checked_at = moment()
    territory_kind = text(nullable=False, default="")
    territory_code = text(nullable=False, default="")
    territory_name = text(nullable=False, default="")
    address = text(nullable=False, default="")
    representative = json_column(nullable=False, default=dict)
    referent = json_column(nullable=False, default=dict)
    #: Whom the representative named to sign instead, with ``delegated_at`` and ``delegated_by``; empty otherwise.
    signatory = json_column(nullable=False, default=dict)
    #: The body is no partner of the relay yet: it signs the convention and the avenant in one go.
    with_agreement = column(sa.Boolean, nullable=False, default=False)

    agreement_number = text(unique=True)
    eligibility = json_column(nullable=False, default=dict)
    reason = text()
    #: When the decision was made here; of a written answer, when it was recorded.
    decided_at = moment()
    #: The day on which the board gave its answer, in the site's time zone.
    decided_on = column(sa.Date)
    decided_by = text()
    decision_reference = text()
    #: How the board's decision came: ``login``, ``link``, ``api`` or ``paper``.
    decision_via = text()
    #: Who decided, as the acte d'adhésion prints it.
    decided_name = text()

    claimed_by = text()
    due_at = moment()
    #: Last day for a renewal or a re-acceptance to be accepted.
    answer_by = column(sa.Date)
    #: Versions of the texts that the signature accepted: ``{"charter": …, "licences": …}``.
    accepted_texts = json_column()
    created_at = moment(nullable=False, default=utcnow)
    created_by = text(nullable=False)
    state_since = moment(nullable=False, default=utcnow)
    signed_at = moment()
    submitted_at = moment()


class Membership(Base, Deliverable):
    """What an accepted application gives; at most one an organisation."""

    __tablename__ = "dinamis_membership"

    id = text(primary_key=True, default=new_id)
    organization_id = text(nullable=False, unique=True)
    application_id = text(nullable=False)
    state = text(nullable=False, default="active", index=True)
    agreement_number = text()
    since = moment(nullable=False, default=utcnow)
    until = moment()
    #: Why it ended: a word of ``terms_rules.ENDED_BECAUSE``; None while it runs.
    ended_because = text()
    #: Last day of the term; None for a membership without one.
    term_ends_on = column(sa.Date, index=True)
    accepted_texts = json_column()
    reason = text()
    state_since = moment(nullable=False, default=utcnow)


class Document(Base):
    """A paper of a file; never changed once made: a new version is a new row."""

    __tablename__ = "dinamis_document"

    id = text(primary_key=True, default=new_id)
    application_id = text(nullable=False, index=True)
    organization_id = text(nullable=False, index=True)
    kind = text(nullable=False)
    title = text(nullable=False)
    version = text(nullable=False, default="")
    media_type = text(nullable=False, default="application/pdf")
    sha256 = text(nullable=False, index=True)
    size = column(sa.Integer, nullable=False)
    content = column(sa.LargeBinary, nullable=False)
    sealed = column(sa.Boolean, nullable=False, default=False)
    #: Its seal carries a time-stamp of an RFC 3161 service.
    timestamped = column(sa.Boolean, nullable=False, default=False)
    created_at = moment(nullable=False, default=utcnow)
    created_by = text(nullable=False)


class SignatureLink(Base):
    """A one-time link to sign; only the hash of its token is kept."""

    __tablename__ = "dinamis_signature_link"

    id = text(primary_key=True, default=new_id)
    application_id = text(nullable=False, index=True)
    token_hash = text(nullable=False, unique=True)
    email = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
    expires_at = moment(nullable=False)
    used_at = moment()
    revoked_at = moment()
    #: What was ticked when the code was asked for.
    accepted = json_column()
    code_hash = text()
    code_sent_at = moment()
    code_tries = column(sa.Integer, nullable=False, default=0)
    evidence = json_column()


class BoardLink(Base):
    """A one-time link by which the executive board decides on one version of a file, without a login.

    Only the hash of its token is kept; the mail that carries it holds it, encrypted, until it left.
    """

    __tablename__ = "dinamis_board_link"

    id = text(primary_key=True, default=new_id)
    application_id = text(nullable=False, index=True)
    application_version = column(sa.Integer, nullable=False)
    token_hash = text(nullable=False, unique=True)
    email = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
    expires_at = moment(nullable=False)
    used_at = moment()
    revoked_at = moment()


class AgreementCounter(Base):
    """The last number given in a year. A row lock makes numbers unique, a commit makes them final."""

    __tablename__ = "dinamis_agreement_counter"

    year = column(sa.Integer, primary_key=True)
    last = column(sa.Integer, nullable=False, default=0)


class Convention(Base):
    """An existing convention of a PIGMA partner: who has one may be asked to sign the avenant.

    ``email`` and ``representative`` are for PIGMA alone; the public descriptors are the organisation's.
    """

    __tablename__ = "dinamis_convention"

    id = text(primary_key=True, default=new_id)
    organization_id = text(nullable=False, unique=True)
    number = text(nullable=False, unique=True)
    signed_on = column(sa.Date)
    siren = text(nullable=False, default="", index=True)
    category = text(nullable=False, default="")
    territory_kind = text(nullable=False, default="")
    territory_code = text(nullable=False, default="")
    territory_name = text(nullable=False, default="")
    office = text(nullable=False, default="")
    email = text(nullable=False, default="")
    representative = json_column(nullable=False, default=dict)
    created_at = moment(nullable=False, default=utcnow)
    created_by = text(nullable=False)
    updated_at = moment(nullable=False, default=utcnow)


class Reminder(Base):
    """A reminder that left: the row is what makes it leave once."""

    __tablename__ = "dinamis_reminder"

    id = text(primary_key=True, default=new_id)
    kind = text(nullable=False)
    object_id = text(nullable=False)
    occasion = text(nullable=False)
    sent_at = moment(nullable=False, default=utcnow)
    __table_args__ = (sa.UniqueConstraint("kind", "object_id", "occasion", name="uq_dinamis_reminder_once"),)


class ApplicationNote(Base):
    """What PIGMA's people note on a file for each other; nobody else reads it."""

    __tablename__ = "dinamis_application_note"

    id = text(primary_key=True, default=new_id)
    application_id = text(nullable=False, index=True)
    author_id = text(nullable=False, index=True)
    body = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow)
