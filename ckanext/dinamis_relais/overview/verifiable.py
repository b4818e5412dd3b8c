"""Papers of this room that somebody may hold and ask about: the reports."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa

from ckanext.dinamis_relais.db import isoformat, session
from ckanext.dinamis_relais.overview.report_files import period_label
from ckanext.dinamis_relais.overview.report_model import Report

__all__ = ["report"]


def report(sha256: str) -> dict[str, Any] | None:
    """The report whose PDF has this hash, as ``dinamis_document_verify`` tells it; None when there is none.

    :param sha256: hexadecimal, lower case
    """
    query = sa.select(Report.start, Report.last, Report.made_at, Report.created_at, Report.sealed)
    row = session().execute(query.where(Report.sha256 == sha256)).first()
    if row is None:
        return None
    period = period_label({"start": f"{row.start:%Y-%m}", "end": f"{row.last:%Y-%m}"})
    title = tk._("Report: {period}").format(period=period)
    return {"kind": "report", "title": title, "created_at": isoformat(row.made_at or row.created_at),
            "sealed": row.sealed}  # fmt: skip
