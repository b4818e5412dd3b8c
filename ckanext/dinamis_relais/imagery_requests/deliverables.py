"""What of requests leaves for DINAMIS: their state once PIGMA accepted them; statuses come back by asking."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import Group, Said, Target, api
from ckanext.dinamis_relais.imagery_requests import rules, steps
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.questions.rules import clean
from ckanext.dinamis_relais.tables import Column

__all__ = ["imagery_request"]

log = logging.getLogger(__name__)


def _accepted_at(row: ImageryRequest) -> str | None:
    return next((isoformat(step.at) for step in steps.steps_of(row.id) if step.code == "accepted"), None)


def _prepare(row: ImageryRequest) -> dict[str, Any]:
    """The request as it stands; who asked is not named, their organisation is."""
    organization = model.Group.get(row.organization_id)
    return {
        "version": row.version,
        "relay": config.relay_name(),
        "state": row.state,
        "organization": {"id": row.organization_id, "title": organization.title if organization else ""},
        "title": row.title,
        "purpose": row.purpose,
        "area": row.area,
        "area_km2": round(row.area_km2, 4),
        "starts_on": isoformat(row.starts_on),
        "ends_on": isoformat(row.ends_on),
        "cloud": row.cloud,
        "product": row.product,
        "resolution": row.resolution,
        "archive": {name: row.archive.get(name) for name in ("count", "share", "share_fitting")},
        "asked_at": isoformat(row.created_at),
        "accepted_at": _accepted_at(row),
    }


def _moment(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _statuses(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """DINAMIS's statuses as they are taken; what is none is left out."""
    found = []
    for one in answer.get("statuses") or ():
        if not isinstance(one, dict) or one.get("code") not in rules.CODES:
            log.error("A status that DINAMIS gives a request is not as the contract says: left out.")
            continue
        reason = (
            clean(one["reason"], lines=True)[: rules.LONGEST["reason"]] if isinstance(one.get("reason"), str) else ""
        )
        code = one.get("reason_code")
        found.append({"code": one["code"], "at": _moment(one.get("at")), "reason": reason or None,
                      "reason_code": clean(code)[:100] if isinstance(code, str) and code else None})  # fmt: skip
    return found


def _apply(row: ImageryRequest, answer: dict[str, Any]) -> None:
    """Take DINAMIS's statuses in their order, each once; while more may come, ask again."""
    reference = answer.get("reference")
    row.reference = clean(reference)[:200] if isinstance(reference, str) and reference else row.reference
    for status in _statuses(answer) if row.erased_at is None else ():
        name = rules.BY_CODE.get(status["code"])
        try:
            if name:
                rules.MACHINE.row(row.state, name)
        except TransitionError:
            continue  # passed already, or crossed by what was decided here
        if not name or row.state not in rules.AT_DINAMIS:
            continue
        steps.apply(
            row, name, "dinamis", "dinamis", reason=status["reason"], reason_code=status["reason_code"], at=status["at"]
        )
    if row.state in rules.AT_DINAMIS:
        row.next_poll_at = utcnow() + dt.timedelta(seconds=config.gateway_poll_seconds())
    session().flush()


#: States as DINAMIS's people read them in the table of a grouped mail; its JSON has the contract's words.
_STATES = {"accepted": "à traiter", "scheduled": "programmée", "processing": "en cours", "completed": "satisfaite",
           "rejected": "refusée", "failed": "en échec", "expired": "échue", "cancelled": "annulée",
           "user_cancelled": "retirée par la personne"}  # fmt: skip


def _cells(row: ImageryRequest, body: dict[str, Any]) -> list[Any]:
    names = ("title", "area_km2", "starts_on", "ends_on", "product", "resolution", "cloud", "purpose")
    return [_STATES.get(body["state"], body["state"]), body["organization"]["title"], *(body[name] for name in names),
            body["asked_at"], row.id]  # fmt: skip


def _zones(bodies: dict[int, dict[str, Any]]) -> dict[str, bytes]:
    """The areas as one GeoJSON that any GIS opens, numbered as the table's rows."""
    features = [
        {"type": "Feature", "id": number, "geometry": body["area"],
         "properties": {"ligne": number, "nom": body["title"], "du": body["starts_on"], "au": body["ends_on"]}}
        for number, body in bodies.items()
    ]  # fmt: skip
    collection = {"type": "FeatureCollection", "features": features}
    return {"zones.geojson": json.dumps(collection, ensure_ascii=False).encode()}


def _settle(row: ImageryRequest, said: Said) -> None:
    """DINAMIS has the request: its statuses are then recorded on its page. Or DINAMIS does not accept it."""
    row.reference = said.reference or row.reference
    if said.refused:
        steps.apply(row, "reject", said.actor, "dinamis", reason=said.words, reason_code="other")


_GROUP = Group(
    stem="demandes-d-images",
    mail="sending_request",
    columns=(Column("État"), Column("Organisation"), Column("Zone"), Column("Surface (km²)", "number"),
             Column("Du", "day"), Column("Au", "day"), Column("Produit"), Column("Résolution (m)", "number"),
             Column("Nuages au plus (%)", "integer"), Column("Usage"), Column("Demandée le", "moment"),
             Column("Identifiant")),
    cells=_cells,
    settle=_settle,
    title=lambda row: row.title,
    page="dinamis_requests.read",
    extras=_zones,
    awaits=lambda row: row.state in rules.AT_DINAMIS,
)  # fmt: skip

imagery_request = Target("request", ImageryRequest, _prepare, api.send, _apply, api.enabled, _GROUP)
