"""Many partners asked at once: for their first signature, or to accept a new version of the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context

from ckanext.dinamis_relais import batch
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import INVALID, UNCHANGED, WAITING
from ckanext.dinamis_relais.batch.uploads import go_on
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.membership import papers, rules, terms_rules
from ckanext.dinamis_relais.membership.applications import Data
from ckanext.dinamis_relais.membership.effects import as_rules
from ckanext.dinamis_relais.membership.machines import OPEN_STATES
from ckanext.dinamis_relais.membership.model import Application, Convention
from ckanext.dinamis_relais.membership.partners import filters, selected, shown
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit

#: More than this at once is a mistake.
MOST = 5000


@dataclass
class Held:
    """What is known of many partners, read in two queries.

    :ivar drafts: organisation's id → its newest draft
    :ivar conventions: organisation's id → its convention
    """

    drafts: dict[str, Application]
    conventions: dict[str, Convention]


def held(organization_ids: Iterable[str]) -> Held:
    """Read it."""
    ids, db = list(organization_ids), session()
    drafts = sa.select(Application).where(Application.organization_id.in_(ids), Application.state == "draft")
    known = sa.select(Convention).where(Convention.organization_id.in_(ids))
    return Held(
        {row.organization_id: row for row in db.execute(drafts.order_by(Application.created_at)).scalars()},
        {row.organization_id: row for row in db.execute(known).scalars()},
    )


def _missing(organization_id: str, site: Held) -> list[str]:
    """What the draft lacks before it can be signed; without a draft, what the convention lacks to make one."""
    draft = site.drafts.get(organization_id)
    if draft is not None:
        return rules.missing(as_rules(draft))
    convention = site.conventions.get(organization_id)
    return rules.missing(details_of(convention) if convention else {})


def _told(row: Data, status: str, text: str, **payload: Any) -> batch.Row:
    title, organization = row["organization_title"] or row["organization_name"], row["organization_id"]
    given = {"organization_id": organization, **payload} if status == WAITING else {}
    return batch.Row(title, given, status, text, organization)


def _signable(row: Data, site: Held) -> batch.Row:
    """What asking this partner for its signature would do."""
    if row["state"] == "active" and row["file_state"] not in ("draft", "awaiting_signature"):
        return _told(row, UNCHANGED, tk._("Is a member already."))
    if row["file_state"] and row["file_state"] not in OPEN_STATES:
        return _told(row, UNCHANGED, tk._("Its file is closed: open it, and reopen it by hand."))
    if row["file_state"] == "awaiting_signature":
        return _told(row, UNCHANGED, tk._("Was asked already: the reminders follow by themselves."))
    if row["file_state"] in OPEN_STATES - {"draft"}:
        return _told(row, UNCHANGED, tk._("The file is further on already."))
    lacking = _missing(row["organization_id"], site)
    if lacking:
        names = ", ".join(tk.h.dinamis_missing_label(name) for name in lacking)
        return _told(row, INVALID, tk._("Cannot be asked yet. Missing: {fields}.").format(fields=names))
    return _told(row, WAITING, tk._("A mail with a personal link will leave for the legal representative."))


def _acceptable(row: Data, site: Held) -> batch.Row:
    """What asking this member to accept the texts in force would do."""
    del site
    if row["state"] not in ("active", "suspended"):
        return _told(row, UNCHANGED, tk._("Is not a member at the moment."))
    if not terms_rules.outdated(row["accepted_texts"], papers.versions_in_force()):
        return _told(row, UNCHANGED, tk._("Has accepted the texts in force already."))
    if row["kind"] == "reacceptance" and row["file_state"] == "awaiting_signature":
        return _told(row, UNCHANGED, tk._("Was asked already: the reminders follow by themselves."))
    return _told(row, WAITING, tk._("A mail with a personal link will leave for the legal representative."))


def draft_of(organization_id: str, *kinds: str) -> Application | None:
    """The organisation's newest draft, None when it has none.

    :param kinds: only of these kinds of file
    """
    query = sa.select(Application).where(Application.organization_id == organization_id, Application.state == "draft")
    if kinds:
        query = query.where(Application.kind.in_(kinds))
    return session().execute(query.order_by(Application.created_at.desc())).scalars().first()


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


def _many(context: Context, data_dict: Data, kind: str, told: Callable[[Data, Held], batch.Row]) -> Data:
    """Prepare, and if asked begin, a batch on chosen partners or on all that a search finds."""
    ids = data_dict.get("ids")
    asked = {k: v for k, v in data_dict.items() if k in filters() and k not in ("ids", "limit", "offset") and v}
    if ids:
        asked = {"ids": ids if isinstance(ids, str) else ",".join(ids)}
    params = validated(asked, filters(), context)
    c, query = selected(params)
    if params.get("state"):
        query = query.where(c.standing.in_(params["state"].split(",")))
    found = [shown(r) for r in session().execute(query.order_by(c.rank, c.since, c.group.id).limit(MOST + 1))]
    started = not tk.asbool(data_dict.get("dry_run", True))
    with one_commit():
        if not found:
            raise GuardError("ids", tk._("Nothing is chosen: tick at least one partner."))
        if len(found) > MOST:
            raise GuardError("ids", tk._("At most {number} at once: narrow the search.").format(number=MOST))
        site = held(row["organization_id"] for row in found)
        work = batch.prepare(kind, {}, [told(row, site) for row in found], actor_of(context))
        if started:
            batch.begin(work)
    return go_on(context, work.id, data_dict, len(found), started)


def dinamis_signature_request_many(context: Context, data_dict: Data) -> Data:
    """Ask many partners for their signature. Each is done for itself: one that fails stops no other, and is told.

    A partner without a file gets one, made from its convention.

    :param ids: the organisations; or the parameters of ``dinamis_partner_list`` for all that it finds
    :param dry_run: true (default): only tell what would be done; ``dinamis_batch_start`` then does it
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer
    """
    tk.check_access("dinamis_signature_request_many", context, data_dict)
    return _many(context, data_dict, "signature_request", _signable)


def dinamis_reacceptance_request_many(context: Context, data_dict: Data) -> Data:
    """Ask many members to accept the version of the charter and of the licences that is in force now.

    Each gets a file of the kind ``reacceptance`` with a last day to answer; its signature is enough.

    :param ids: the organisations; or the parameters of ``dinamis_partner_list`` for all that it finds
    :param dry_run: true (default): only tell what would be done; ``dinamis_batch_start`` then does it
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer
    """
    tk.check_access("dinamis_reacceptance_request_many", context, data_dict)
    return _many(context, data_dict, "reacceptance_request", _acceptable)
