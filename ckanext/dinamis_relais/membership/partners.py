"""All partners on one list: where each stands, since when, what comes next and who must act. One query a page."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import accounts, batch
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import INVALID, UNCHANGED, WAITING
from ckanext.dinamis_relais.batch.uploads import go_on
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.membership import rules
from ckanext.dinamis_relais.membership.applications import Data
from ckanext.dinamis_relais.membership.effects import as_rules
from ckanext.dinamis_relais.membership.machines import APPLICATION, OPEN_STATES
from ckanext.dinamis_relais.membership.model import Application, Convention, Membership
from ckanext.dinamis_relais.schema import list_schema, validated, validator
from ckanext.dinamis_relais.transaction import one_commit

GROUP: Any = cast(Any, model.Group).__table__
#: Where a partner may stand: no file, its file's state, or its membership's.
STATES = ("none", *APPLICATION.states, "active", "suspended", "ended")
WHO = ("pigma", "signatory", "partner", "board", "nobody")
#: More than this at once is a mistake.
MOST = 5000


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
    return {**list_schema(), "ids": text, "waiting_for": text, "late": flag, "kind": text, "ends_within": days}


def _selected(params: Data) -> tuple[_Columns, Any]:
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
    return c, query


def _shown(row: Any) -> Data:
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
    :param ids: only these organisations, separated by commas
    :returns: ``{"count", "results", "states", "late"}``; ``states`` and ``late`` count the same search
    """
    tk.check_access("dinamis_partner_list", context, data_dict)
    params = validated(data_dict, filters(), context)
    c, query = _selected(params)
    db = session()
    counted = query.with_only_columns(c.standing, sa.func.count(), sa.func.count().filter(c.late)).group_by(c.standing)
    tally = list(db.execute(counted))
    states = {state: number for state, number, _late in tally}
    wanted = params["state"].split(",") if params.get("state") else list(states)
    if params.get("state"):
        query = query.where(c.standing.in_(wanted))
    ordered = query.order_by(c.rank, c.since.nulls_last(), c.group.title, c.group.id)
    rows = db.execute(ordered.limit(params["limit"]).offset(params["offset"]))
    results = [_shown(row) for row in rows]
    people = accounts.counts_of([row["organization_id"] for row in results])
    return {
        "count": sum(states.get(state, 0) for state in set(wanted)),
        "results": [{**row, "accounts": people.get(row["organization_id"], 0)} for row in results],
        "states": {state: states[state] for state in STATES if state in states},
        "late": sum(late for _state, _number, late in tally),
    }


def _signable(row: Data) -> batch.Row:
    """What asking this partner for its signature would do."""
    title, organization = row["organization_title"] or row["organization_name"], row["organization_id"]

    def told(status: str, text: str) -> batch.Row:
        payload = {"organization_id": organization} if status == WAITING else {}
        return batch.Row(title, payload, status, text, organization)

    if row["state"] == "active" and row["file_state"] not in ("draft", "awaiting_signature"):
        return told(UNCHANGED, tk._("Is a member already."))
    if row["file_state"] and row["file_state"] not in OPEN_STATES:
        return told(UNCHANGED, tk._("Its file is closed: open it, and reopen it by hand."))
    if row["file_state"] == "awaiting_signature":
        return told(UNCHANGED, tk._("Was asked already: the reminders follow by themselves."))
    if row["file_state"] in OPEN_STATES - {"draft"}:
        return told(UNCHANGED, tk._("The file is further on already."))
    lacking = missing_of(organization)
    if lacking:
        names = ", ".join(tk.h.dinamis_missing_label(name) for name in lacking)
        return told(INVALID, tk._("Cannot be asked yet. Missing: {fields}.").format(fields=names))
    return told(WAITING, tk._("A mail with a personal link will leave for the legal representative."))


def draft_of(organization_id: str) -> Application | None:
    """The organisation's draft, None when it has none."""
    query = sa.select(Application).where(Application.organization_id == organization_id, Application.state == "draft")
    return session().execute(query.order_by(Application.created_at.desc())).scalars().first()


def missing_of(organization_id: str) -> list[str]:
    """What the draft lacks before it can be signed; without a draft, what the convention lacks to make one."""
    draft = draft_of(organization_id)
    if draft is not None:
        return rules.missing(as_rules(draft))
    query = sa.select(Convention).where(Convention.organization_id == organization_id)
    convention = session().execute(query).scalar_one_or_none()
    return rules.missing(details_of(convention) if convention else {})


def details_of(convention: Convention) -> Data:
    """What a first file takes over from a convention; only what it says."""
    names = ("siren", "category", "territory_kind", "territory_code", "territory_name", "representative")
    return {name: getattr(convention, name) for name in names if getattr(convention, name)}


def open_from_convention(organization_id: str, context: Any) -> Data:
    """The first file of a partner, with what its convention says; commits.

    :raises toolkit.ValidationError: the organisation has no convention
    """
    query = sa.select(Convention).where(Convention.organization_id == organization_id)
    convention = session().execute(query).scalar_one_or_none()
    if convention is None:
        raise tk.ValidationError({"organization_id": [tk._("This organisation has neither a file nor a convention.")]})
    data = {"organization_id": organization_id, **details_of(convention)}
    return tk.get_action("dinamis_application_create")(cast(Context, {**context}), data)


def dinamis_signature_request_many(context: Context, data_dict: Data) -> Data:
    """Ask many partners for their signature. Each is done for itself: one that fails stops no other, and is told.

    A partner without a file gets one, made from its convention.

    :param ids: the organisations; or the parameters of ``dinamis_partner_list`` for all that it finds
    :param dry_run: true (default): only tell what would be done; ``dinamis_batch_start`` then does it
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer
    """
    tk.check_access("dinamis_signature_request_many", context, data_dict)
    ids = data_dict.get("ids")
    asked = {k: v for k, v in data_dict.items() if k in filters() and k not in ("ids", "limit", "offset") and v}
    if ids:
        asked = {"ids": ids if isinstance(ids, str) else ",".join(ids)}
    params = validated(asked, filters(), context)
    c, query = _selected(params)
    if params.get("state"):
        query = query.where(c.standing.in_(params["state"].split(",")))
    found = [_shown(r) for r in session().execute(query.order_by(c.rank, c.since, c.group.id).limit(MOST + 1))]
    started = not tk.asbool(data_dict.get("dry_run", True))
    with one_commit():
        if not found:
            raise GuardError("ids", tk._("Nothing is chosen: tick at least one partner."))
        if len(found) > MOST:
            raise GuardError("ids", tk._("At most {number} at once: narrow the search.").format(number=MOST))
        work = batch.prepare("signature_request", {}, [_signable(row) for row in found], actor_of(context))
        if started:
            batch.begin(work)
    return go_on(context, work.id, data_dict, len(found), started)
