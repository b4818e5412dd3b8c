"""Reading and adding versions."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.wording.model import MailVersion

# Orders those who save the same mail; held until their transaction ends.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext(:key))"


def versions(name: str, language: str) -> list[MailVersion]:
    """All versions of a mail, the newest first."""
    query = sa.select(MailVersion).where(MailVersion.name == name, MailVersion.language == language)
    return list(session().execute(query.order_by(MailVersion.number.desc())).scalars())


def newest(name: str, language: str) -> MailVersion | None:
    """The version in force, None when the operator never wrote one."""
    query = sa.select(MailVersion).where(MailVersion.name == name, MailVersion.language == language)
    return session().execute(query.order_by(MailVersion.number.desc()).limit(1)).scalar_one_or_none()


def edited() -> set[tuple[str, str]]:
    """(mail, language) of all that are in the operator's words now."""
    query = sa.select(MailVersion.name, MailVersion.language, MailVersion.body)
    query = query.distinct(MailVersion.name, MailVersion.language)
    rows = session().execute(query.order_by(MailVersion.name, MailVersion.language, MailVersion.number.desc()))
    return {(name, language) for name, language, body in rows if body}


def held(name: str, language: str) -> int:
    """Number of the version in force (0: none yet); nobody else saves this mail until the transaction ends."""
    session().execute(sa.text(_LOCK), {"key": f"dinamis_mail/{name}/{language}"})
    found = newest(name, language)
    return found.number if found else 0


def add(name: str, language: str, number: int, subject: str | None, body: str | None, actor: str) -> MailVersion:
    """Put a version in force, in the present transaction."""
    row = MailVersion(name=name, language=language, number=number, subject=subject, body=body, made_by=actor)
    session().add(row)
    session().flush()
    return row
