"""Who is written to when a file moves: one table, from which the documentation is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.membership import papers
from ckanext.dinamis_relais.membership.model import Application

#: message → who receives it: ``signatory`` (named by the representative, or the latter), ``representative``,
#: ``referent`` (of the file), ``super_referent``, ``board``.
RECIPIENTS: dict[str, tuple[str, ...]] = {
    "signature_requested": ("signatory",),
    "signature_code": ("signatory",),
    "signature_delegated": ("signatory",),
    "signature_revoked": ("signatory",),
    "application_signed": ("representative", "super_referent"),
    "application_submitted": ("board",),
    "application_ineligible": ("representative", "referent"),
    "application_accepted": ("representative", "referent", "super_referent"),
    "application_refused": ("representative", "referent", "super_referent"),
    "application_deferred": ("super_referent",),
    "application_changes": ("referent", "representative"),
    "application_withdrawn": ("representative", "super_referent"),
    "reacceptance_requested": ("signatory",),
    "reacceptance_registered": ("representative", "referent"),
    "signature_reminder": ("signatory",),
    "correction_reminder": ("referent", "representative"),
    "term_reminder": ("representative", "referent"),
    "reacceptance_reminder": ("signatory",),
    "membership_term_over": ("representative", "referent", "super_referent"),
    "membership_lapsed": ("representative", "referent", "super_referent"),
    "membership_suspended": ("representative", "referent"),
    "membership_resumed": ("representative", "referent"),
    "membership_ended": ("representative", "referent"),
}


def asked(application: Application) -> str:
    """The message that asks for a file's signature."""
    return "reacceptance_requested" if application.kind == "reacceptance" else "signature_requested"


def _people(application: Application, who: str) -> Iterable[tuple[str, str]]:
    """(address, name) of those whom a word of the table means."""
    if who in ("signatory", "representative", "referent"):
        person = getattr(application, who) or (application.representative if who == "signatory" else {})
        if person.get("email"):
            yield person["email"], f"{person.get('given_name', '')} {person.get('family_name', '')}".strip()
        return
    role = Role.SUPER_REFERENT if who == "super_referent" else Role.EXECUTIVE_BOARD
    for user in holders(role):
        if user.email:
            yield user.email, user.fullname or user.name


def send(
    name: str,
    application: Application,
    link: str | None = None,
    reason: str | None = None,
    last_day: dt.date | None = None,
) -> None:
    """Write a message to each of its recipients, once per address, in the present transaction.

    :param link: a one-time link or code; only a message to who signs carries one
    :param reason: the membership's own reason, where it is not the file's
    :param last_day: last day of the term or of the answer; by default the file's own
    """
    if not name:
        return
    organization = model.Group.get(application.organization_id)
    site, last = config.site_url(), last_day or application.answer_by
    values = {
        "organization": organization.title if organization else "",
        "number": application.agreement_number or "",
        "reason": reason or application.reason or "",
        "last_day": mailer.day(last) if last else "",
        "days": (last - utcnow().date()).days if last else 0,
        "texts": ", ".join(f"{papers.TITLES[t['kind']]} ({t['version']})" for t in papers.in_force()),
        "minutes": config.signature_code_minutes(),
        "representative": " ".join(application.representative.get(n, "") for n in ("given_name", "family_name")),
        "page": f"{site}/organization/{organization.name if organization else ''}/dinamis",
        "file_page": f"{site}/dinamis/moderation/applications/{application.id}",
        "board_page": f"{site}/dinamis/board/{application.id}",
    }
    written: set[str] = set()
    for who in RECIPIENTS[name]:
        for address, person in _people(application, who):
            if address.lower() not in written:
                written.add(address.lower())
                thing = ("application", application.id, application.organization_id)
                mailer.write(name, address, person, thing, values, link)
