"""What a report says: the dashboard's own figures of a period and of the one before, kept as they were read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.overview import figures, rules
from ckanext.dinamis_relais.overview.report_rules import Persons, compared, masked, period_before

#: Who downloaded: each person once by month, series, partner, category, theme, and in all.
_DOWNLOADERS = """
SELECT month, series, org, category, theme, grouping(month, series, org, category, theme) AS shape,
 count(DISTINCT user_id) AS n
FROM (SELECT d.user_id, d.organization_id AS org, d.collection || coalesce('/' || a.year, '') AS series,
  to_char(d.signed_at AT TIME ZONE :zone, 'YYYY-MM') AS month, c.category, coalesce(d.theme, 'none') AS theme
 FROM dinamis_download d
 LEFT JOIN dinamis_scene_area a ON a.collection = d.collection AND a.item_id = d.item_id
 LEFT JOIN unnest(CAST(:orgs AS text[]), CAST(:categories AS text[])) AS c(id, category) ON c.id = d.organization_id
 WHERE d.signed_at >= CAST(:start AS date)::timestamp AT TIME ZONE :zone
  AND d.signed_at < CAST(:end AS date)::timestamp AT TIME ZONE :zone
  AND (:everybody OR d.organization_id = ANY(:orgs))) x
GROUP BY GROUPING SETS ((month), (series), (org), (category), (theme), ())
"""
#: Whose request or question a line of the journal ends: each person once by event.
_WAITERS = """
SELECT j.event, count(DISTINCT coalesce(r.user_id, q.user_id, a.id)) AS n FROM dinamis_journal j
LEFT JOIN dinamis_request r ON r.id = j.object_id AND j.object_type = 'request'
LEFT JOIN dinamis_question q ON q.id = j.object_id AND j.object_type = 'question'
LEFT JOIN dinamis_account a ON a.id = j.object_id AND j.object_type = 'account'
WHERE j.at >= CAST(:start AS date)::timestamp AT TIME ZONE :zone
 AND j.at < CAST(:end AS date)::timestamp AT TIME ZONE :zone AND j.event = ANY(:events)
 AND (:everybody OR j.organization_id = ANY(:orgs))
GROUP BY 1
"""
#: Kind of delay → the events that end it. Of several, the one with most persons counts: never too many are told.
_ENDS: dict[str, tuple[str, ...]] = {
    "account": ("account.validated",),
    "question": ("question.answered",),
    "request": ("request.accepted", "request.rejected", "request.completed"),
    "image": ("request.completed",),
}
#: Bits of ``grouping()``: nought where the column is grouped by.
_SHAPES = {
    0b01111: "month", 0b10111: "series", 0b11011: "org", 0b11101: "category", 0b11110: "theme", 0b11111: "",
}  # fmt: skip


def persons(period: rules.Period, chosen: list[figures.Member] | None, everyone: list[figures.Member]) -> Persons:
    """How many persons are behind the figures of a period, counted in what people did, not in the counters."""
    those = everyone if chosen is None else chosen
    values = {
        "zone": config.time_zone(), "start": period.start, "end": period.end, "everybody": chosen is None,
        "orgs": [one.id for one in those], "categories": [one.category for one in those],
    }  # fmt: skip
    found: dict[str, dict[str, int]] = {name: {} for name in _SHAPES.values()}
    for row in session().execute(sa.text(_DOWNLOADERS), values):
        name = _SHAPES[row.shape]
        found[name][getattr(row, name) if name else ""] = row.n
    events = ["request.received", *{event for ends in _ENDS.values() for event in ends}]
    ended = {row.event: row.n for row in session().execute(sa.text(_WAITERS), {**values, "events": events})}
    return Persons(
        found[""].get("", 0), found["month"], found["series"], found["org"], found["category"], found["theme"],
        ended.get("request.received", 0), ended.get("request.completed", 0),
        {kind: max(ended.get(event, 0) for event in ends) for kind, ends in _ENDS.items()},
    )  # fmt: skip


def _figures(period: rules.Period, chosen: list[figures.Member] | None, everyone: list[figures.Member]) -> Any:
    read = figures.Figures(period, chosen, everyone)
    found = figures.everything(read)
    found["downloads"]["by_partner"] = read.partners()
    found["never_downloaded"] = figures.never_downloaded(len(everyone), list(read.by_id.values()))
    if chosen is not None:  # one partner: its own category and territory say nothing
        found["downloads"].update(by_partner=[], by_category=[])
        found["members"]["by_department"] = []
    return masked(found, persons(period, chosen, everyone), list(figures.DOWNLOADS))


def gather(start: dt.date, last: dt.date, organization_id: str | None) -> dict[str, Any]:
    """What the report of some months says: ``period, before, organization, totals, now, earlier, at``.

    :param start, last: first days of the first and of the last month
    :param organization_id: of this partner; None for the relay
    """
    period = rules.Period("report", start, last)
    earlier = period_before(period)
    everyone = figures.members()
    chosen = [one for one in everyone if one.id == organization_id] if organization_id else None
    now, before = _figures(period, chosen, everyone), _figures(earlier, chosen, everyone)
    del before["never_downloaded"]  # it is as of today, whatever the period
    return {
        "period": now["period"],
        "before": before["period"],
        "organization": {"id": chosen[0].id, "title": chosen[0].title} if chosen else None,
        "totals": compared(now, before, chosen is not None, figures.NONE),
        "now": now,
        "earlier": before,
        "at": isoformat(utcnow()),
    }
