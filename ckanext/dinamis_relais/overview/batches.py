"""What the room does in the background: making a report, step by step."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
from flask_babel import force_locale

from ckanext.dinamis_relais.batch.rules import UNCHANGED, Handler, Outcome
from ckanext.dinamis_relais.db import locked, session, utcnow
from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership import papers
from ckanext.dinamis_relais.overview import report_data, report_files, rollup
from ckanext.dinamis_relais.overview.report_model import Report
from ckanext.dinamis_relais.transaction import one_commit

__all__ = ["report"]


def _figures(row: Report) -> dict[str, Any]:
    return {"data": report_data.gather(row.start, row.last, row.organization_id)}


def _document(row: Report) -> dict[str, Any]:
    paper = papers.seal(report_files.pdf(row.data), "Bilan d'activité", stamped=True)
    return {"pdf": paper.content, "sha256": hashlib.sha256(paper.content).hexdigest(), "sealed": paper.sealed,
            "timestamped": paper.timestamped}  # fmt: skip


def _annex(row: Report) -> dict[str, Any]:
    return {"xlsx": report_files.xlsx(row.data), "made_at": utcnow()}


#: Step → how it is done, and the column that is filled once it is done.
_MAKE = {"figures": (_figures, "data"), "document": (_document, "pdf"), "annex": (_annex, "xlsx")}


def _step(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    del params
    missing = tk._("This report does not exist.")
    row = session().get(Report, payload["report"], populate_existing=True)
    if row is None:
        raise tk.ObjectNotFound(missing)
    tk.check_access("dinamis_report_create", context, {"organization_id": row.organization_id})
    make, filled = _MAKE[payload["step"]]
    if getattr(row, filled) is not None:  # a run that was killed had done it
        return Outcome(UNCHANGED, "", row.id)
    if payload["step"] == "figures":
        while rollup.refresh():
            pass
    elif row.data is None or (payload["step"] == "annex" and row.pdf is None):
        raise tk.ValidationError({"step": [tk._("The step before was not possible.")]})
    session().refresh(row)
    session().expunge(row)
    session().rollback()  # the time-stamp's service is asked with no transaction open
    try:
        with force_locale("fr"):  # documents are in French, whoever asks for them
            made = make(row)
    except (DocumentError, ValueError) as error:
        raise tk.ValidationError({"step": [str(error)]}) from error
    session().rollback()
    with one_commit():
        kept = locked(Report, row.id, missing)
        for name, value in made.items():
            setattr(kept, name, value)
        if filled == "pdf":
            record(Event.REPORT_MADE, kept.created_by, "report", kept.id, kept.organization_id, None,
                   sha256=kept.sha256, sealed=kept.sealed, timestamped=kept.timestamped)  # fmt: skip
    return Outcome(object_id=row.id)


def _title(params: dict[str, Any]) -> str:
    return tk._("Report: {period}").format(period=report_files.period_label(params))


report = Handler("report", _step, _title, "dinamis_reports.list")
