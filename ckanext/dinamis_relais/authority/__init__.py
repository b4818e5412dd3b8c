"""Who may do what: the roles, the verbs, and the one predicate :func:`can`.

The table :data:`VERBS` is the whole truth. Pages hide what a person may not do and actions refuse it,
both by asking this module. ``docs/rights.md`` is printed from it, ``tests/authority`` walks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

import sqlalchemy as sa
from ckan import model as ckan_model  # "model" is this room's own tables

from ckanext.dinamis_relais.db import session, utcnow


class Role(str, Enum):
    """What a person is to the relay. ``SUPER_REFERENT``, ``EXECUTIVE_BOARD`` and ``REFERENT`` are granted."""

    SYSADMIN = "sysadmin"
    SUPER_REFERENT = "super_referent"
    EXECUTIVE_BOARD = "executive_board"
    REFERENT = "referent"
    MEMBER = "member"
    USER = "user"
    ANONYMOUS = "anonymous"


#: Roles that a sysadmin grants, and whether they are held for all organisations or for one.
GRANTED: dict[Role, str] = {
    Role.SUPER_REFERENT: "global",
    Role.EXECUTIVE_BOARD: "global",
    Role.REFERENT: "organization",
}

_PIGMA = (Role.SYSADMIN, Role.SUPER_REFERENT)
_PIGMA_AND_OWN = (*_PIGMA, Role.REFERENT)
_ALL = tuple(Role)

#: verb → roles that hold it. REFERENT and MEMBER hold it for their own organisation only.
VERBS: dict[str, tuple[Role, ...]] = {
    "role.grant": (Role.SYSADMIN,),
    "role.list": _PIGMA,
    "application.prepare": _PIGMA_AND_OWN,
    "application.read": (*_PIGMA_AND_OWN, Role.EXECUTIVE_BOARD),
    "application.review": _PIGMA,
    "application.sign": (),  # the one-time link is the right; no login holds it
    "application.register": (),  # follows by itself from the signature of a new acceptance
    "application.decide": (Role.EXECUTIVE_BOARD,),
    "decision.record": _PIGMA,  # the board's written answer, with the file as proof
    "thread.read": _PIGMA_AND_OWN,  # a referent, the mails to their own organisation's people
    "note.read": _PIGMA,  # what PIGMA notes for itself
    "note.write": _PIGMA,
    "membership.read": _ALL,
    "membership.list": _ALL,
    "membership.manage": _PIGMA,
    "membership.lapse": (),  # the daily command's: no login ends a membership for its term
    "document.read": (*_PIGMA_AND_OWN, Role.EXECUTIVE_BOARD),
    "document.verify": _ALL,
    "entity.lookup": (*_PIGMA_AND_OWN, Role.MEMBER),
    "account.propose": _PIGMA_AND_OWN,
    "account.read": _PIGMA_AND_OWN,
    "account.moderate": _PIGMA,
    "account.request": _ALL,  # the mailed link is what makes the request count
    "account.own": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER,
                    Role.USER),
    "personal_data.read": _PIGMA,
    "personal_data.erase": _PIGMA,
    "batch.read": _PIGMA,
    "question.ask": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER, Role.USER),
    "question.read": _PIGMA,  # everybody's; one's own needs no more than having asked it
    "question.answer": _PIGMA,
    "guide.read": _ALL,
    "guide.write": _PIGMA,
    "use_case.read": _ALL,
    "use_case.propose": (*_PIGMA_AND_OWN, Role.MEMBER),
    "use_case.publish": _PIGMA,
    "news.read": _ALL,
    "news.write": _PIGMA,
    "event.register": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER, Role.USER),
    "event.registrations": _PIGMA,
    "moderation.open": _PIGMA,
    "mail.write": _PIGMA,
    "board.open": (Role.EXECUTIVE_BOARD,),
    "scene.read": _ALL,
    "alert.receive": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER, Role.USER),
    "licence.read": _ALL,
    # Whoever has a login may ask; that an account runs is a rule of the room, which says what to do.
    "access.own": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER, Role.USER),
    # As with downloads, whoever has a login; that an account is active is a rule of the room.
    "request.create": (Role.SYSADMIN, Role.SUPER_REFERENT, Role.EXECUTIVE_BOARD, Role.REFERENT, Role.MEMBER, Role.USER),
    "request.read": _PIGMA_AND_OWN,  # one's own needs no more than having sent it
    "request.decide": _PIGMA,
    "journal.read": _PIGMA,
    "statistics.read": (*_PIGMA_AND_OWN, Role.MEMBER),  # of one's own organisation; of all of them for PIGMA
    "statistics.details": _PIGMA_AND_OWN,  # also what is about fewer than five persons
    "statistics.list": _PIGMA,
    "statistics.public": _ALL,
    "timeline.read": _PIGMA_AND_OWN,
    # Of the relay, or of any partner; a referent's, of their own. No figure of it is about fewer than five persons.
    "report.make": (*_PIGMA_AND_OWN, Role.EXECUTIVE_BOARD),
    "report.read": (*_PIGMA_AND_OWN, Role.EXECUTIVE_BOARD),
    "delivery.read": _PIGMA,
    "delivery.retry": _PIGMA,
    "delivery.send": _PIGMA,  # grouped mails to DINAMIS, where it has no service
    "delivery.confirm": _PIGMA,  # what DINAMIS answered to them, recorded by hand
    "health.check": _ALL,
    "health.read": _PIGMA,
}  # fmt: skip


_HOLDERS = {verb: frozenset(roles) for verb, roles in VERBS.items()}


def user_of(context: Any) -> ckan_model.User | None:
    """The CKAN user of an action's context, None when nobody is logged in."""
    obj = context.get("auth_user_obj")
    if obj is not None and getattr(obj, "is_authenticated", True):
        return obj
    return ckan_model.User.get(context["user"]) if context.get("user") else None


def names_of(user_ids: Iterable[str]) -> dict[str, str]:
    """Full names of users, or their login's name where they gave none, by id; without those who are gone."""
    ids = set(user_ids)
    columns = (ckan_model.User.id, ckan_model.User.fullname, ckan_model.User.name)
    found = session().execute(sa.select(*columns).where(ckan_model.User.id.in_(ids))) if ids else []
    return {id_: fullname or name for id_, fullname, name in found}


def actor_of(context: Any) -> str:
    """Who acts in an action's context, as the journal names them: a user's id, or ``system``."""
    user = user_of(context)
    return user.id if user else "system"


def grants_of(user_id: str) -> list[tuple[Role, str | None]]:
    """Roles granted to a user that run now, each with its organisation's id (None: all of them).

    Read once a transaction: one page asks many times.
    """
    from ckanext.dinamis_relais.authority.model import RoleGrant as Grant

    known = _known_grants()
    if user_id in known:
        return known[user_id]
    rows = session().execute(
        sa.select(Grant.role, Grant.organization_id).where(
            Grant.user_id == user_id,
            Grant.revoked_at.is_(None),
            sa.or_(Grant.expires_at.is_(None), Grant.expires_at > utcnow()),
        )
    )
    known[user_id] = [(Role(role), organization_id) for role, organization_id in rows]
    return known[user_id]


def _known_grants() -> dict[str, list[tuple[Role, str | None]]]:
    """Grants that were read in the present transaction, by user; a grant that is written empties it."""
    from ckanext.dinamis_relais.authority.model import KNOWN

    db = session()()
    if db.get_transaction() is None:
        db.connection()  # what is read belongs to the transaction that the first statement begins
    if db.info.get(KNOWN, (None,))[0] is not db.get_transaction():
        db.info[KNOWN] = (db.get_transaction(), {})
    return db.info[KNOWN][1]


def organizations_of(user: ckan_model.User | None, *roles: Role) -> set[str]:
    """Ids of the organisations for which a user is referent or member (or only of the roles named)."""
    if user is None:
        return set()
    wanted = roles or (Role.REFERENT, Role.MEMBER)
    ids = {org for role, org in grants_of(user.id) if role in wanted and org}
    if Role.MEMBER in wanted:
        ids |= set(user.get_group_ids("organization"))
    return ids


class Rights:
    """All roles of one user, read once: for pages and lists that ask many times.

    An expired or revoked grant is no role. A user whose CKAN state is not active has none but ANONYMOUS.
    """

    def __init__(self, user: ckan_model.User | None):
        self.everywhere: set[Role] = {Role.ANONYMOUS}
        self._in: dict[str, set[Role]] = {}
        self._member: ckan_model.User | None = None
        self._places: set[str] | None = None
        if user is None or user.state != "active":
            return
        self.everywhere.add(Role.USER)
        if user.sysadmin:
            self.everywhere.add(Role.SYSADMIN)
        for role, organization_id in grants_of(user.id):
            if GRANTED[role] == "global":
                self.everywhere.add(role)
            elif organization_id:
                self._in.setdefault(organization_id, set()).add(role)
        self._member = user

    def roles(self, organization_id: str | None = None) -> set[Role]:
        """Roles held; REFERENT and MEMBER only when they hold for ``organization_id``."""
        if not organization_id:
            return self.everywhere
        if self._places is None:
            self._places = set(self._member.get_group_ids("organization")) if self._member is not None else set()
        place = organization_id in self._places
        return self.everywhere | self._in.get(organization_id, set()) | ({Role.MEMBER} if place else set())

    def can(self, verb: str, organization_id: str | None = None) -> bool:
        """As :func:`can`, without a query.

        :raises KeyError: no such verb
        """
        wanted = _HOLDERS[verb]
        # A role that is held everywhere needs no look at the organisation's people.
        return not wanted.isdisjoint(self.everywhere) or not wanted.isdisjoint(self.roles(organization_id))


def roles_of(user: ckan_model.User | None, organization_id: str | None = None) -> set[Role]:
    """All roles of a user; REFERENT and MEMBER only when they hold for ``organization_id``."""
    return Rights(user).roles(organization_id)


def can(user: ckan_model.User | None, verb: str, organization_id: str | None = None) -> bool:
    """Whether a user holds a verb, for an organisation when the verb is about one.

    :param user: a CKAN user, None for an anonymous visitor
    :param verb: a key of :data:`VERBS`
    :param organization_id: id (not name) of the organisation that the thing belongs to
    :raises KeyError: no such verb; a misspelt right must never pass as "refused" unseen
    """
    return Rights(user).can(verb, organization_id)


def holders(role: Role) -> list[ckan_model.User]:
    """Active users who hold a global role now; those whom a mail to that role reaches."""
    from ckanext.dinamis_relais.authority.model import RoleGrant as Grant

    return list(
        session()
        .execute(
            sa.select(ckan_model.User)
            .join(Grant, Grant.user_id == ckan_model.User.id)
            .where(
                Grant.role == role.value,
                Grant.revoked_at.is_(None),
                sa.or_(Grant.expires_at.is_(None), Grant.expires_at > utcnow()),
                ckan_model.User.state == "active",
            )
            .order_by(ckan_model.User.name)
        )
        .scalars()
    )


def guard(verb: str, organization: Any = None, *, anonymous: bool = False) -> Any:
    """Make the auth function of an action from the table of rights.

    :param verb: a key of :data:`VERBS`
    :param organization: ``(context, data_dict) -> organization id or None``; None when the verb is global
    :param anonymous: True when visitors without login may call the action
    :returns: a CKAN auth function
    """
    import ckan.plugins.toolkit as tk

    if verb not in VERBS:
        raise KeyError(verb)

    def check(context: dict[str, Any], data_dict: dict[str, Any] | None = None) -> dict[str, Any]:
        organization_id = organization(context, data_dict or {}) if organization else None
        if can(user_of(context), verb, organization_id):
            return {"success": True}
        return {"success": False, "msg": tk._("Your role does not allow this ({verb}).").format(verb=verb)}

    check.verb = verb  # type: ignore[attr-defined]  # read by the documentation and by the walk of rights
    check = tk.auth_sysadmins_check(check)
    return tk.auth_allow_anonymous_access(check) if anonymous else check
