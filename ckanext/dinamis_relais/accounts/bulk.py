"""Accounts in quantity: one transition of many, and a file of people. Each row by the action for one."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.navl.dictization_functions import validate
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import batch, membership
from ckanext.dinamis_relais.accounts import importing, schema
from ckanext.dinamis_relais.accounts.entry import live_account
from ckanext.dinamis_relais.accounts.listing import filters, narrowed, selected
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import INVALID, UNCHANGED, WAITING
from ckanext.dinamis_relais.batch.uploads import go_on, table_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.machine import GuardError, TransitionError
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit, wrong_transition

#: More than this at once is a mistake, or a thing for a script in several calls.
MOST = 5000


def subject(row: Account) -> str:
    """How a person recognises an account in a list of results."""
    return f"{row.given_name} {row.family_name} <{row.email}>"


def chosen(data: dict[str, Any], params: dict[str, Any]) -> list[Account]:
    """The accounts that are ticked (``ids``), or all those of a search.

    :raises GuardError: none, or too many
    """
    wanted = {"ids": ",".join(data["ids"])} if data.get("ids") else params
    query = narrowed(selected(wanted), wanted)
    rows = list(session().execute(query.order_by(Account.state_since, Account.id).limit(MOST + 1)).scalars())
    if not rows:
        raise GuardError("ids", tk._("Nothing is chosen: tick at least one account."))
    if len(rows) > MOST:
        raise GuardError("ids", tk._("At most {number} at once: narrow the search.").format(number=MOST))
    return rows


def _row(row: Account, transition: str) -> batch.Row:
    try:
        MACHINE.row(row.state, transition)
    except TransitionError as error:
        return batch.Row(subject(row), {}, UNCHANGED, wrong_transition(error), row.id)
    return batch.Row(subject(row), {"id": row.id}, WAITING, "", row.id)


def dinamis_account_transition_many(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One transition of many accounts. Each is done for itself: one that fails stops no other, and is told.

    :param ids: the accounts; or the parameters of ``dinamis_account_list`` (``q``, ``state``, ``organization_id``,
        ``dormant``) for all that it finds
    :param transition, reason, role: as ``dinamis_account_transition``
    :param dry_run: true: only tell what would be done
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer; its ``id`` shows the progress later
    """
    tk.check_access("dinamis_account_transition_many", context, data_dict)
    data = validated(data_dict, schema.steps(), context)
    asked = {k: data_dict[k] for k in ("q", "state", "organization_id", "dormant") if data_dict.get(k)}
    params = validated(asked, filters(), context)
    with one_commit():
        rows = chosen(data, params)
        _known_transition(data)
        wanted = {"transition": data["transition"], "reason": data["reason"], "role": data.get("role")}
        work = batch.prepare("account_transition", wanted, [_row(r, data["transition"]) for r in rows],
                             actor_of(context))  # fmt: skip
        started = not tk.asbool(data_dict.get("dry_run", False))
        if started:
            batch.begin(work)
    return go_on(context, work.id, data_dict, len(rows), started)


def _known_transition(data: dict[str, Any]) -> None:
    steps = [row for row in MACHINE if row.name == data["transition"]]
    if not steps:
        names = ", ".join(MACHINE.transitions)
        raise GuardError("transition", tk._("'{value}' is not possible. Choose one of: {names}.").format(
            value=data["transition"], names=names))  # fmt: skip
    if any(step.reason for step in steps) and not data["reason"]:
        raise GuardError("reason", tk._("Say why: the reason is part of the message that will leave."))


def _members() -> dict[str, str]:
    """What a cell of the organisation may say → id: name, title, SIREN or id of each active member."""
    found: dict[str, str] = {}
    for one in membership.active_members():
        for word in (one["name"], one["title"], one["siren"], one["id"]):
            if word:
                found.setdefault(importing.fold(word), one["id"])
    return found


def _line(line: importing.Line, members: dict[str, str], seen: set[tuple[str, str]], context: Context) -> batch.Row:
    fields = {name: value for name, value in line.fields.items() if value}
    label = " ".join(fields.get(k, "") for k in ("given_name", "family_name", "email")).strip()
    about = tk._("Line {number}: {person}").format(number=line.number, person=label or "-")
    organization = members.get(importing.fold(fields.get("organization_id", "")))
    if organization is None:
        text = tk._("'{value}' is no member: write its name or its SIREN as on the list of members.")
        return batch.Row(about, {}, INVALID, text.format(value=fields.get("organization_id", "")))
    fields["organization_id"] = organization
    fields["role"] = importing.ROLE_WORDS.get(importing.fold(fields.get("role", "")), fields.get("role", ""))
    data, errors = validate(dict(fields), schema.person(), context)
    if errors:
        texts = [str(text) for found in errors.values() for text in found]
        return batch.Row(about, {}, INVALID, " ".join(texts))
    key = (organization, data["email"])
    known = live_account(*key)
    if known is not None or key in seen:
        text = tk._("Has an account in this organisation already.") if known else tk._("Twice in the file.")
        return batch.Row(about, {}, UNCHANGED, text, known.id if known else None)
    seen.add(key)
    return batch.Row(about, fields, WAITING, tk._("Will be entered, and invited by mail."))


def dinamis_account_import(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Enter the people of a CSV file. The same file again changes nothing; a bad row stops no good one.

    :param content: the file's text; or ``upload``, the file itself (UTF-8 or Windows-1252; ``;``, ``,`` or tabulations)
    :param dry_run: true (default): only tell, row by row, what would be done; ``dinamis_batch_start`` then does it
    :param wait: as ``dinamis_account_transition_many``
    :returns: ``dinamis_batch_show``'s answer, with ``ignored`` (columns that are none of ours) and ``encoding``
    :raises toolkit.ValidationError: ``upload``: the file as a whole cannot be read
    """
    tk.check_access("dinamis_account_import", context, data_dict)
    table = table_of(data_dict, importing.read)
    upload = data_dict.get("upload")
    members, seen = _members(), set()
    rows = [_line(line, members, seen, context) for line in table.lines]
    started = not tk.asbool(data_dict.get("dry_run", True))
    with one_commit():
        if not rows:
            raise GuardError("upload", tk._("The file has headings and no person."))
        work = batch.prepare("account_import", {"name": str(getattr(upload, "filename", "") or "")}, rows,
                             actor_of(context))  # fmt: skip
        if started:
            batch.begin(work)
    told = go_on(context, work.id, data_dict, len(rows), started)
    return {**told, "ignored": list(table.ignored), "encoding": table.encoding}
