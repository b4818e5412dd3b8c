"""What leaves as a dossier: the ZIP that is kept, the mail to the executive board, and the link by which it decides.

All of it in the caller's transaction; the mail leaves later, as every mail.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import dossier, mailer
from ckanext.dinamis_relais.gateway.model import Dossier
from ckanext.dinamis_relais.gateway.secrets import one_time_token
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership import packing
from ckanext.dinamis_relais.membership.model import Application, BoardLink, Membership

MEGABYTE = 1_000_000


def _title(organization_id: str) -> str:
    organization = model.Group.get(organization_id)
    return (organization.title or organization.name) if organization else ""


def _day(moment: dt.datetime) -> str:
    return moment.strftime("%d/%m/%Y")


def keep(target: str, row: Any, body: dict[str, Any], documents: list[dict[str, Any]]) -> Dossier:
    """Make the ZIP of a row's present version and keep it.

    :param target: ``application`` or ``membership``
    :param body: what the contract would carry
    :param documents: its papers, in the contract's form
    """
    content = dossier.archive(body, documents)
    kept = Dossier(
        target=target,
        object_id=row.id,
        organization_id=row.organization_id,
        version=row.version,
        name=f"dossier-{row.agreement_number or row.id}-v{row.version}.zip",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
    )
    session().add(kept)
    session().flush()
    record(Event.DOSSIER_KEPT, "system", target, row.id, row.organization_id,
           version=row.version, sha256=kept.sha256)  # fmt: skip
    return kept


def newest(application_id: str) -> Dossier | None:
    """The dossier of a file that was kept last, without its bytes."""
    query = (
        sa.select(Dossier)
        .where(Dossier.target == "application", Dossier.object_id == application_id)
        .options(sqlalchemy.orm.defer(Dossier.content))
        .order_by(Dossier.version.desc())
        .limit(1)
    )
    return session().execute(query).scalar_one_or_none()


def zip_of(application: Application) -> tuple[str, bytes]:
    """A file's dossier as (name, bytes): the kept one, or where none was kept what it would be now."""
    kept = newest(application.id)
    if kept is not None and kept.version == application.version:
        return kept.name, kept.content
    body = packing.application(application)
    return f"dossier-{application.agreement_number or application.id}.zip", dossier.archive(body, body["documents"])


def links(application_id: str) -> list[BoardLink]:
    """Links of the executive board to a file, the newest first."""
    query = sa.select(BoardLink).where(BoardLink.application_id == application_id)
    return list(session().execute(query.order_by(BoardLink.created_at.desc())).scalars())


def end_links(application: Application) -> int:
    """No link of the board decides any more on a file that was decided, changed or withdrawn.

    :returns: how many ended
    """
    ended = session().execute(
        sa.update(BoardLink)
        .where(BoardLink.application_id == application.id, BoardLink.used_at.is_(None), BoardLink.revoked_at.is_(None))
        .values(revoked_at=utcnow())
        .execution_options(synchronize_session=False)
    )
    return ended.rowcount


def _write(name: str, row: Any, kept: Dossier, values: dict[str, Any], link: str | None = None) -> None:
    attached = kept.size <= config.dossier_attach_mb() * MEGABYTE
    thing = (kept.target, row.id, row.organization_id)
    values = {"organization": _title(row.organization_id), "number": row.agreement_number or "",
              "state": row.state, "attached": attached, "reason": row.reason or "", **values}  # fmt: skip
    mailer.write(name, config.board_email(), "Bureau exécutif DINAMIS", thing, values, link,
                 kept.id if attached else None)  # fmt: skip


def send(application: Application, kept: Dossier) -> BoardLink:
    """Write to the board: the dossier, and a new link that replaces the earlier ones."""
    end_links(application)
    token, hashed = one_time_token()
    expires = utcnow() + dt.timedelta(days=config.board_link_days())
    link = BoardLink(application_id=application.id, application_version=application.version, token_hash=hashed,
                     email=config.board_email(), expires_at=expires)  # fmt: skip
    session().add(link)
    values = {"again": application.version > 1, "expires_on": _day(expires)}
    _write("board_dossier", application, kept, values, f"{config.site_url()}/dinamis/decide/{token}")
    return link


def application_left(application: Application, body: dict[str, Any]) -> None:
    """A file is due for DINAMIS: keep its dossier, write to the board. Without an address it is only kept."""
    if application.state not in ("submitted", "withdrawn"):
        return
    kept = keep("application", application, body, body["documents"])
    if not config.board_email():
        return
    if application.state == "submitted":
        send(application, kept)
    else:
        _write("board_notice", application, kept, {"since": _day(application.state_since)})


def membership_left(membership: Membership, body: dict[str, Any]) -> None:
    """A membership's state is due for DINAMIS: the same, with the acte d'adhésion, and nothing to decide."""
    deeds = packing.deeds(membership.application_id) if membership.state == "active" else []
    kept = keep("membership", membership, body, deeds)
    if config.board_email():
        _write("board_notice", membership, kept, {"since": _day(membership.state_since)})
