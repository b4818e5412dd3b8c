"""What of membership leaves for DINAMIS: the submitted file with its papers, and the membership's state."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.gateway import Parcel, Target, dossier
from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.membership import deeds, dossiers, effects, packing
from ckanext.dinamis_relais.membership.model import Application, Membership

__all__ = ["application", "membership"]

log = logging.getLogger(__name__)

#: Status of the contract → transition of ours. ``received`` means: ask again later.
DECISIONS = {"accepted": "accept", "refused": "refuse", "deferred": "defer"}


def _send_application(parcel: Parcel) -> dict[str, Any]:
    """Send, and make the acte d'adhésion of an acceptance at once: here no transaction is open."""
    answer = dossier.send(parcel)
    row = session().get(Application, parcel.id) if answer.get("status") == "accepted" else None
    if row is not None:
        answer = deeds.beforehand(row, "accept", "dinamis", answer)
    session().rollback()
    return answer


def _apply_decision(row: Application, answer: dict[str, Any]) -> None:
    """Take the board's answer over; while there is none, ask again later. A dossier is kept and mailed instead."""
    if "dossier" in answer:
        dossiers.application_left(row, answer["dossier"])
        return
    if row.state != "submitted":
        return
    transition = DECISIONS.get(str(answer.get("status")))
    if transition is None and config.gateway_transport() == "dossier":
        return  # a question that was due before the site changed over to dossiers
    if transition is None:
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())
        return
    data = {name: answer.get(name) for name in ("reason", "reference", "decided_at", "decided_by")}
    data |= {name: answer[name] for name in ("decision", "deed") if name in answer}
    try:
        effects.apply(row, transition, "dinamis", data)
    except (TransitionError, effects.GuardError) as error:
        # A "no" without a reason cannot be passed on; it waits, visible, for a person.
        log.error("Decision on %s not taken over: %s", row.id, error)
        row.last_error = str(error)
        row.failed_at = utcnow()


def _apply_membership(row: Membership, answer: dict[str, Any]) -> None:
    """DINAMIS acknowledges, and nothing of ours changes; a dossier is kept and mailed."""
    if "dossier" in answer:
        dossiers.membership_left(row, answer["dossier"])


application = Target(
    "application", Application, packing.application, _send_application, _apply_decision, dossier.enabled
)
membership = Target("membership", Membership, packing.membership, dossier.send, _apply_membership, dossier.enabled)
