"""All partners on one list: where each stands, since when, what comes next and who must act. One query a page."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import accounts
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.membership import papers, rules
from ckanext.dinamis_relais.membership.applications import Data
from ckanext.dinamis_relais.membership.machines import APPLICATION, OPEN_STATES
from ckanext.dinamis_relais.membership.model import Application, Convention, Membership
from ckanext.dinamis_relais.schema import list_schema, validated, validator

GROUP: Any = cast(Any, model.Group).__table__
#: Where a partner may stand: no file, its file's state, or its membership's.
STATES = ("none", *APPLICATION.states, "active", "suspended", "ended")
WHO = ("pigma", "signatory", "partner", "board", "nobody")


def _newest_files() -> Any:
    """Each organisation's file: the one that is worked on, else the newest."""
    opened = Application.state.in_(OPEN_STATES)
    columns = (Application.id, Application.organization_id, Application.kind, Application.state,
               Application.state_since, Application.due_at, Application.claimed_by, Application.siren,
               Application.agreement_number, Application.answer_by)  # fmt: skip
    query = sa.select(*columns).distinct(Application.organization_id)
    return query.order_by(Application.organization_id, opened.desc(), Application.created_at.desc()).subquery("file")


class _Columns:
    """The query's columns, by the names that the answer gives them."""

    def __init__(self) -> None:
        file = _newest_files()
        self.file = file.c
        self.open = sa.func.coalesce(self.file.state.in_(OPEN_STATES), sa.false())
        member, convention = Membership.__table__.c, Convention.__table__.c
        group = GROUP.c
        self.member, self.convention, self.group = member, convention, group
        standing = sa.case(
            (member.state.in_(("active", "suspended")), member.state),
            (sa.and_(member.state == "ended", sa.not_(self.open)), member.state),
            else_=sa.func.coalesce(self.file.state, "none"),
        )
        ask = sa.and_(standing == "none", convention.number.is_not(None))
        words = [(self.file.state == state, rules.waiting_for(state)) for state in OPEN_STATES]
        waiting = sa.case(*[(sa.and_(self.open, is_), who) for is_, who in words], (ask, "pigma"), else_="nobody")
        since = sa.case(
            (self.open, self.file.state_since),
            (member.state.is_not(None), member.state_since),
            else_=sa.func.coalesce(self.file.state_since, convention.created_at),
        )
        self.standing, self.waiting, self.since = standing, waiting, since
        #: Files that run, then conventions without one, then all that waits for nobody.
        self.rank = sa.case((self.open, 0), (ask, 1), else_=2)
        # What is at the signatory or at the board is not PIGMA's delay, but PIGMA looks after it all the same.
        self.late = sa.and_(self.open, self.file.due_at.is_not(None), self.file.due_at < utcnow())
        accepted = [member.accepted_texts[name].astext == text for name, text in papers.versions_in_force().items()]
        self.outdated = sa.and_(
            member.state.in_(("active", "suspended")), sa.not_(sa.func.coalesce(sa.and_(*accepted), sa.false()))
        )
        self.siren = sa.func.coalesce(sa.func.nullif(self.file.siren, ""), convention.siren)
        self.from_ = (
            sa.join(GROUP, file, file.c.organization_id == group.id, isouter=True)
            .join(Membership.__table__, member.organization_id == group.id, isouter=True)
            .join(Convention.__table__, convention.organization_id == group.id, isouter=True)
        )

    def all(self) -> tuple[Any, ...]:
        """What a row of the list is made of."""
        file, member, group = self.file, self.member, self.group
        return (
            group.id.label("organization_id"), group.name.label("organization_name"),
            group.title.label("organization_title"), self.standing.label("state"), self.waiting.label("waiting_for"),
            self.since.label("since"), self.late.label("late"), self.siren.label("siren"),
            self.convention.number.label("convention_number"), file.id.label("application_id"),
            file.kind.label("kind"), file.state.label("file_state"), file.due_at.label("due_at"),
            file.claimed_by.label("claimed_by"), file.answer_by.label("answer_by"),
            sa.func.coalesce(member.agreement_number, file.agreement_number).label("agreement_number"),
            member.id.label("membership_id"), member.since.label("member_since"),
            member.term_ends_on.label("term_ends_on"), member.accepted_texts.label("accepted_texts"),
        )  # fmt: skip


def filters() -> dict[str, Any]:
    """The parameters of :func:`dinamis_partner_list`."""
    text = [validator("ignore_missing"), validator("unicode_safe")]
    flag = [validator("ignore_missing"), validator("boolean_validator")]
    days = [validator("ignore_empty"), validator("natural_number_validator")]
    return {**list_schema(), "ids": text, "waiting_for": text, "late": flag, "kind": text, "ends_within": days,
            "texts_outdated": flag}  # fmt: skip


def selected(params: Data) -> tuple[_Columns, Any]:
    """The columns, and the ``select`` of what the parameters name, without the state."""
    c = _Columns()
    query = sa.select(*c.all()).select_from(c.from_)
    query = query.where(c.group.is_organization.is_(True), c.group.state == "active")
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(c.group.id == (group.id if group else ""))
    if params.get("ids"):
        query = query.where(c.group.id.in_(params["ids"].split(",")))
    if params.get("q"):
        text = params["q"].strip()
        number = text.replace(" ", "")
        query = query.where(sa.or_(
            sa.func.lower(c.group.title).contains(text.lower(), autoescape=True),
            c.siren == number, c.convention.number == text, c.file.agreement_number == text,
        ))  # fmt: skip
    if params.get("waiting_for"):
        query = query.where(c.waiting.in_(params["waiting_for"].split(",")))
    if params.get("late"):
        query = query.where(c.late)
    if params.get("kind"):
        query = query.where(c.open, c.file.kind == params["kind"])
    if params.get("ends_within") is not None:
        end = utcnow().date() + dt.timedelta(days=min(params["ends_within"], 36500))
        query = query.where(c.member.state == "active", c.member.term_ends_on <= end)
    if params.get("texts_outdated"):
        query = query.where(c.outdated)
    return c, query


def shown(row: Any) -> Data:
    """A row of the query as the action answers it."""
    found = dict(row._mapping)
    days = (utcnow() - found["since"]).days if found["since"] else None
    moments = ("since", "due_at", "member_since", "term_ends_on", "answer_by")
    return {**found, **{name: isoformat(found[name]) for name in moments}, "days": days}


@tk.side_effect_free
def dinamis_partner_list(context: Context, data_dict: Data) -> Data:
    """All organisations and where each stands on its way; files that wait longest come first.

    :param state: ``none`` (no file), a state of the file, ``active`` (member), ``suspended`` or ``ended``; several
        separated by commas
    :param q: part of the name, a SIREN, a number of convention
    :param waiting_for: who must act: ``pigma``, ``signatory``, ``partner``, ``board`` or ``nobody``
    :param late: only files whose due date has passed
    :param kind: only running files of this kind (``first``, ``renewal``, ``reacceptance``, ``change``)
    :param ends_within: only members whose term ends within so many days
    :param texts_outdated: only members who have not accepted the texts in force
    :param ids: only these organisations, separated by commas
    :returns: ``{"count", "results", "states", "late", "texts_outdated"}``; the last three count the same search
    """
    tk.check_access("dinamis_partner_list", context, data_dict)
    params = validated(data_dict, filters(), context)
    c, query = selected(params)
    db = session()
    number = sa.func.count()
    counted = query.with_only_columns(c.standing, number, number.filter(c.late), number.filter(c.outdated))
    tally = list(db.execute(counted.group_by(c.standing)))
    states = {row[0]: row[1] for row in tally}
    wanted = params["state"].split(",") if params.get("state") else list(states)
    if params.get("state"):
        query = query.where(c.standing.in_(wanted))
    ordered = query.order_by(c.rank, c.since.nulls_last(), c.group.title, c.group.id)
    rows = db.execute(ordered.limit(params["limit"]).offset(params["offset"]))
    results = [shown(row) for row in rows]
    people = accounts.counts_of([row["organization_id"] for row in results])
    return {
        "count": sum(states.get(state, 0) for state in set(wanted)),
        "results": [{**row, "accounts": people.get(row["organization_id"], 0)} for row in results],
        "states": {state: states[state] for state in STATES if state in states},
        "late": sum(row[2] for row in tally),
        "texts_outdated": sum(row[3] for row in tally),
    }
