"""Reports as actions: asked for, made by the worker, kept."""

from __future__ import annotations

import base64
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict
from sqlalchemy.orm import defer

from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch import Row, begin, prepare
from ckanext.dinamis_relais.batch.model import Batch, BatchRow
from ckanext.dinamis_relais.db import isoformat, new_id, session
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.overview import figures, report_rules, rules
from ckanext.dinamis_relais.overview.report_model import Report
from ckanext.dinamis_relais.schema import list_schema, validated, validator
from ckanext.dinamis_relais.tables import XLSX
from ckanext.dinamis_relais.transaction import one_commit

#: Files of a report: ending → (its column, its media type).
FILES = {
    "pdf": ("pdf", "application/pdf"),
    "xlsx": ("xlsx", XLSX),
}


def step_label(name: str) -> str:
    """A step of the making in words."""
    return {"figures": tk._("Reading the figures"), "document": tk._("Writing the PDF"),
            "annex": tk._("Writing the annex (XLSX)")}[name]  # fmt: skip


def organization_of(id_: Any) -> str | None:
    """The partner that a report is of, for the table of rights; None for the relay, or when there is no such report."""
    query = sa.select(Report.organization_id).where(Report.id == str(id_))
    return session().execute(query).scalar()


def _months(start: Any, last: Any) -> dict[str, str]:
    return {"start": start.isoformat()[:7], "end": last.isoformat()[:7]}


def _dictized(row: Report) -> dict[str, Any]:
    working = row.batch_id is not None and row.made_at is None
    batch = session().get(Batch, row.batch_id, populate_existing=True) if working else None
    group = model.Group.get(row.organization_id) if row.organization_id else None
    state = report_rules.state(row.made_at is not None, batch.state if batch else None)
    done, problem, step = len(report_rules.STEPS), "", ""
    if state != "made":
        query = sa.select(BatchRow).where(BatchRow.batch_id == (row.batch_id or "")).order_by(BatchRow.position)
        rows = session().execute(query.execution_options(populate_existing=True)).scalars().all()
        done = sum(one.status in ("done", "unchanged") for one in rows)
        problem = next((one.message for one in rows if one.status == "failed"), "")
        step = next((one.subject for one in rows if one.status == "waiting"), "")
    return {
        "id": row.id, "organization_id": row.organization_id,
        "organization_title": (group.title or group.name) if group else None,
        "period": _months(row.start, row.last), "state": state, "done": done, "steps": len(report_rules.STEPS),
        "step": step, "problem": problem, "created_at": isoformat(row.created_at), "made_at": isoformat(row.made_at),
    }  # fmt: skip


def _period(name: str) -> rules.Period:
    try:
        found = rules.period(name, figures.today())
        if len(found.months) > report_rules.MOST or report_rules.period_before(found).start.year < 1:
            raise ValueError(name)
    except ValueError as error:
        text = tk._("Give at most five years: a year (2025), a month (2025-03), two of them (2025-03/2025-11) "
                    "or the last months (12m).")  # fmt: skip
        raise tk.ValidationError({"period": [text]}) from error
    return found


def _free(period: rules.Period, organization_id: str | None) -> None:
    """Refuse what is being made already; forget what could not be made, since it is tried anew."""
    # Two who ask at the same moment: the second one waits, and is told.
    session().execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('dinamis_report'))"))
    query = sa.select(Report).where(
        Report.organization_id.is_(None) if organization_id is None else Report.organization_id == organization_id,
        Report.start == period.start, Report.last == period.last, Report.made_at.is_(None),
    )  # fmt: skip
    for row in session().execute(query.with_for_update()).scalars():
        if _dictized(row)["state"] == "making":
            raise GuardError("period", tk._("This report is being made already: it is in the list below."))
        session().delete(row)


def dinamis_report_create(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Ask for the report of a period; the worker makes it within a minute, and it stays.

    :param period: ``2025``, ``2025-03``, ``2025-03/2025-11`` or ``12m``: at most five years
    :param organization_id: of this partner alone, name or id; else of the relay
    :returns: as :func:`dinamis_report_show`
    """
    tk.check_access("dinamis_report_create", context, data_dict)
    text = [validator("ignore_missing"), validator("unicode_safe")]
    params = validated(dict(data_dict), dict.fromkeys(("period", "organization_id"), text), context)
    period = _period(params.get("period") or "")
    group = model.Group.get(params["organization_id"]) if params.get("organization_id") else None
    if params.get("organization_id") and (group is None or group.id not in {one.id for one in figures.members()}):
        raise tk.ValidationError({"organization_id": [tk._("No member has this name. Choose one from the list.")]})
    organization_id, actor = group.id if group else None, actor_of(context)
    with one_commit():
        _free(period, organization_id)
        row = Report(id=new_id(), organization_id=organization_id, start=period.start, last=period.last,
                     created_by=actor)  # fmt: skip
        session().add(row)
        session().flush()
        steps = [Row(step_label(name), {"report": row.id, "step": name}) for name in report_rules.STEPS]
        months = _months(period.start, period.last)
        batch = prepare("report", months, steps, actor)
        begin(batch)
        row.batch_id = batch.id
        record(Event.REPORT_CREATED, actor, "report", row.id, organization_id, None, **months)
    return _dictized(row)


@tk.side_effect_free
def dinamis_report_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Reports that were asked for, the newest first.

    :param organization_id: of this partner; needed for a referent, who sees those of their own
    :returns: ``{"count", "results", "partners"}``, each result as :func:`dinamis_report_show` gives it; ``partners``:
        of whom one may be asked for, ``{"id", "title"}`` by title, none when one of them is asked about
    """
    tk.check_access("dinamis_report_list", context, data_dict)
    params = validated(dict(data_dict), list_schema(), context)
    query, partners = sa.select(Report), list[figures.Member]()
    if params.get("organization_id"):
        group = model.Group.get(params["organization_id"])
        query = query.where(Report.organization_id == (group.id if group else ""))
    else:
        partners = figures.members()
    count = session().execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar()
    query = query.options(defer(Report.pdf), defer(Report.xlsx), defer(Report.data))
    shown = query.order_by(Report.created_at.desc(), Report.id).limit(params["limit"]).offset(params["offset"])
    return {
        "count": count, "results": [_dictized(row) for row in session().execute(shown).scalars()],
        "partners": [{"id": one.id, "title": one.title} for one in partners],
    }  # fmt: skip


def _report(id_: Any) -> Report:
    row = session().get(Report, str(id_), populate_existing=True)
    if row is None:
        raise tk.ObjectNotFound(tk._("This report does not exist."))
    return row


@tk.side_effect_free
def dinamis_report_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """How far a report is, and the figures that it says once they are read.

    :param id: the report
    :returns: ``{"id", "organization_id", "organization_title", "period", "state", "done", "steps", "step", "problem",
        "created_at", "made_at", "data"}``; ``state``: ``making``, ``made`` or ``failed``
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_report_show", context, data_dict)
    row = _report(id_)
    return {**_dictized(row), "data": row.data}


@tk.side_effect_free
def dinamis_report_file(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A file of a report, for its page.

    :param id: the report
    :param ending: ``pdf`` or ``xlsx``
    :returns: ``{"content", "media_type", "name"}``; ``content`` in base64
    """
    id_, ending = tk.get_or_bust(data_dict, ["id", "ending"])
    tk.check_access("dinamis_report_file", context, data_dict)
    row = _report(id_)
    column, media_type = FILES.get(ending, ("", ""))
    content = getattr(row, column) if column else None
    if content is None or row.made_at is None:
        raise tk.ObjectNotFound(tk._("This report is not made yet."))
    return {"content": base64.b64encode(content).decode(), "media_type": media_type,
            "name": f"bilan-{row.start:%Y-%m}-{row.last:%Y-%m}.{ending}"}  # fmt: skip
