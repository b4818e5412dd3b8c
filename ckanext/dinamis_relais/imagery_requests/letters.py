"""Who is written to when a request moves."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest

#: message → who receives it: ``person`` (who asked) or ``super_referent``.
RECIPIENTS: dict[str, tuple[str, ...]] = {
    "request_received": ("super_referent",),
    "request_withdrawn": ("super_referent",),
    "request_accepted": ("person",),
    "request_scheduled": ("person",),
    "request_completed": ("person",),
    "request_rejected": ("person",),
    "request_stopped": ("person",),
}


def _name(user: model.User) -> str:
    return user.fullname or user.name


def asker(request: ImageryRequest) -> model.User | None:
    """Who asked, as long as their login is active."""
    user = model.User.get(request.user_id) if request.user_id else None
    return user if user is not None and user.state == "active" else None


def _people(request: ImageryRequest, who: str) -> list[tuple[str, str]]:
    """(address, name) of those whom a word of the table means; PIGMA's contact address where nobody holds the role."""
    if who == "person":
        person = asker(request)
        return [(person.email, _name(person))] if person is not None and person.email else []
    found = [(user.email, _name(user)) for user in holders(Role.SUPER_REFERENT) if user.email]
    return found or ([(config.contact_email(), config.relay_name())] if config.contact_email() else [])


def send(name: str, request: ImageryRequest, reason: str | None = None, by_dinamis: bool = False) -> None:
    """Write a message to each of its recipients, once per address, in the present transaction.

    :param name: a key of :data:`RECIPIENTS`
    :param reason: why, as the person reads it
    :param by_dinamis: whether DINAMIS said so
    """
    person = asker(request)
    organization = model.Group.get(request.organization_id)
    values: dict[str, Any] = {
        "title": request.title,
        "state": request.state,
        "km2": round(request.area_km2, 1),
        "starts_on": request.starts_on.strftime("%d/%m/%Y"),
        "ends_on": request.ends_on.strftime("%d/%m/%Y"),
        "product": request.product,
        "purpose": request.purpose,
        "reason": reason or "",
        "by_dinamis": by_dinamis,
        "by_archive": request.by_archive,
        "answer": request.answer or "",
        "scenes": request.answer_scenes or [],
        "person": _name(person) if person else "",
        "organization": organization.title if organization else "",
        "page": f"{config.site_url()}/dinamis/requests/{request.id}",
    }
    written: set[str] = set()
    for who in RECIPIENTS[name]:
        for recipient, recipient_name in _people(request, who):
            if recipient.lower() not in written:
                written.add(recipient.lower())
                thing = ("request", request.id, request.organization_id)
                mailer.write(name, recipient, recipient_name, thing, values)
