"""The acte d'adhésion: who decided, when and by which way, under the platform's seal."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.documents.render import render
from ckanext.dinamis_relais.membership import papers, terms_rules
from ckanext.dinamis_relais.membership.model import Application, BoardLink, Membership
from ckanext.dinamis_relais.membership.proofs import Proof

BOARD = "Bureau exécutif DINAMIS"

#: How the board's decision came, as the acte d'adhésion prints it.
HOW = {
    "login": "en ligne, sur la plateforme, par une personne du bureau exécutif",
    "link": "en ligne, par le lien personnel envoyé au bureau exécutif",
    "api": "par le service d'échange de DINAMIS",
    "paper": "par écrit, la réponse étant conservée au dossier",
}


@dataclass(frozen=True)
class Decision:
    """What the board decided, apart from what it is.

    :ivar at: when, UTC; for a written answer, when it was recorded
    :ivar on: the day on which the board gave its answer, in the site's time zone
    :ivar via: ``login``, ``link``, ``api`` or ``paper``
    :ivar name: who, as it is printed
    :ivar reference: the board's own
    :ivar proof_sha256: hash of the written answer
    """

    at: dt.datetime
    on: dt.date
    via: str
    name: str
    reference: str | None = None
    proof_sha256: str = ""

    @property
    def effect(self) -> dt.datetime:
        """From when what was decided holds, UTC: noon of an earlier day, which is that day wherever it is read."""
        if self.on >= local_day(self.at):
            return self.at
        return dt.datetime.combine(self.on, dt.time(12), dt.timezone.utc)


@dataclass(frozen=True)
class Deed:
    """An acte d'adhésion made beforehand, with what it says, so that one out of date is told."""

    data: dict[str, Any]
    sealed: papers.Sealed


def local_day(moment: dt.datetime) -> dt.date:
    """The day of a moment in the site's time zone."""
    return moment.astimezone(ZoneInfo(config.time_zone())).date()


def given_on(data: dict[str, Any]) -> dt.date | None:
    """The day that stands on a written answer; nobody else who decides can say another day than today."""
    return data.get("given_on") if isinstance(data.get("proof"), Proof) else None


def _user_name(actor: str) -> str:
    user = model.User.get(actor)
    return (user.fullname or user.name) if user else actor


def _moment(value: Any) -> dt.datetime:
    """The time that DINAMIS gives its decision; now when it gives none, or one that cannot be."""
    now = utcnow()
    try:
        given = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return now
    given = given if given.tzinfo else given.replace(tzinfo=dt.timezone.utc)
    return min(given, now)


def decision(actor: str, data: dict[str, Any]) -> Decision:
    """Who decided, when and how, told by who acted and with what: no caller of the action API can say it."""
    reference = data.get("reference") or None
    proof, link, now = data.get("proof"), data.get("link"), utcnow()
    if isinstance(proof, Proof):
        name = f"{BOARD} (réponse écrite, enregistrée par {_user_name(actor)})"
        day = given_on(data) or local_day(now)
        return Decision(now, day, "paper", name, reference, hashlib.sha256(proof.content).hexdigest())
    if actor == "board_link" and isinstance(link, BoardLink):
        at = link.used_at or now
        return Decision(at, local_day(at), "link", f"{BOARD} ({link.email})", reference)
    if actor == "dinamis":
        who = str(data.get("decided_by") or "")[:200].strip()
        at = _moment(data.get("decided_at"))
        return Decision(at, local_day(at), "api", f"{BOARD} ({who})" if who else BOARD, reference)
    return Decision(now, local_day(now), "login", f"{_user_name(actor)}, {BOARD}", reference)


def data_of(application: Application, decided: Decision, since: dt.datetime) -> dict[str, Any]:
    """What the acte says.

    :param since: from when the membership runs
    """
    how, written = HOW[decided.via], decided.via == "paper"
    return {
        "agreement_number": application.agreement_number,
        "organization": papers.organization_data(application),
        "relay": {"name": config.relay_name(), "operator": config.relay_operator()},
        "demonstration": config.demonstration(),
        # A written answer bears a day and no hour; the moment is the one at which it was recorded.
        "decided_at": isoformat(decided.on if written else decided.at),
        "decided_on": isoformat(decided.on),
        "recorded_at": isoformat(decided.at) if written else "",
        "decided_by": decided.name,
        "decided_how": f"{how} (SHA-256 {decided.proof_sha256})" if decided.proof_sha256 else how,
        "reference": decided.reference or "",
        "since": local_day(since).isoformat(),
        "application_id": application.id,
        "seal": config.relay_operator() if config.seal_pkcs12() else "",
    }


def _pdf(application: Application, data: dict[str, Any]) -> bytes:
    template_dir = config.document_templates()
    return render("membership_deed", data, assets=papers.logo(application), template_dir=template_dir)


def make(application: Application, decided: Decision, since: dt.datetime, ready: Any = None) -> papers.Sealed:
    """The sealed acte, in a transaction: one that was made beforehand when it says the same, else without time-stamp.

    :param ready: what :func:`beforehand` gave, if anything
    """
    data = data_of(application, decided, since)
    if isinstance(ready, Deed) and ready.data == data:
        return ready.sealed
    return papers.seal(_pdf(application, data), "Acte d'adhésion")


def beforehand(application: Application, name: str, actor: str, data: dict[str, Any]) -> dict[str, Any]:
    """Make the acte before the transaction that accepts, since its time-stamp is asked of a server.

    Ends the present transaction when a time-stamp server is configured: lock and check again afterwards.

    :param name: the transition; only ``accept`` makes an acte
    :returns: ``data`` with what the transition's effect takes over
    """
    if name != "accept" or application.state != "submitted" or not (config.timestamp_url() and config.seal_pkcs12()):
        return data
    decided = decision(actor, data)
    query = sa.select(Membership.state, Membership.since).where(
        Membership.organization_id == application.organization_id
    )
    state, since = session().execute(query).one_or_none() or (None, None)
    printed = data_of(application, decided, terms_rules.begins(state, since, application.kind, decided.effect))
    pdf = _pdf(application, printed)
    session().rollback()
    return {**data, "decision": decided, "deed": Deed(printed, papers.seal(pdf, "Acte d'adhésion", stamped=True))}
