"""Who is written to when a use case moves."""

from __future__ import annotations

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.use_cases.model import UseCase

#: message → who receives it: ``author`` or ``super_referent``.
RECIPIENTS: dict[str, tuple[str, ...]] = {
    "use_case_proposed": ("super_referent",),
    "use_case_published": ("author",),
    "use_case_sent_back": ("author",),
    "use_case_unpublished": ("author",),
}


def _users(case: UseCase, who: str) -> list[model.User]:
    if who == "super_referent":
        return holders(Role.SUPER_REFERENT)
    author = model.User.get(case.author_id) if case.author_id else None
    return [author] if author is not None and author.state == "active" else []


def send(name: str, case: UseCase, title: str, slug: str) -> None:
    """Write a message to each of its recipients, in the present transaction.

    :param name: a key of :data:`RECIPIENTS`
    :param slug: the last part of the address of its page
    """
    group = model.Group.get(case.organization_id)
    values = {
        "title": title,
        "organization": group.title if group else "",
        "reason": case.reason or "",
        "page": f"{config.site_url()}/dinamis/use-cases/{slug}",
    }
    for who in RECIPIENTS[name]:
        people = {user.email: user.fullname or user.name for user in _users(case, who) if user.email}
        if not people and who == "super_referent" and config.contact_email():
            people = {config.contact_email(): config.relay_name()}
        for address, person in people.items():
            mailer.write(name, address, person, ("use_case", case.id, case.organization_id), values)
