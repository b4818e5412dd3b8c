"""The figures, read from the counters: as many rows as there are months, however long the journal.

Kept in Redis until the counters move: a page that is opened again reads nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import json
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.rules import MACHINE as ACCOUNT
from ckanext.dinamis_relais.db import session, utcnow
from ckanext.dinamis_relais.imagery_requests.rules import MACHINE as REQUEST
from ckanext.dinamis_relais.membership.machines import MEMBERSHIP
from ckanext.dinamis_relais.overview import rules
from ckanext.dinamis_relais.overview.model import EVERYBODY
from ckanext.dinamis_relais.portal.figures import department

log = logging.getLogger(__name__)

#: Measures of downloads, by the names that answers give them: files handed out, distinct scenes of a call, bytes, km².
DOWNLOADS = {"files": "download.files", "scenes": "download.scenes", "bytes": "download.bytes", "km2": "download.km2"}
#: The same by theme: counted beside the series, not within them.
THEMES = {name: measure.replace("download.", "theme.") for name, measure in DOWNLOADS.items()}
#: What people wait for, in the order of a file's life.
DELAYS = ("application", "account", "request", "image", "question")
#: Stands for a territory that may span several départements, and for a category or theme that nobody gave.
NONE = "none"
#: Rows of a list within the answer; the rest is in the export.
SHOWN = 10
#: Seconds that an answer is kept at most: names of organisations are no part of the counters.
KEEP = 3600

MACHINES = {"membership": MEMBERSHIP, "account": ACCOUNT, "request": REQUEST}


def today() -> dt.date:
    """The day, in the zone of the counters."""
    return utcnow().astimezone(ZoneInfo(config.time_zone())).date()


@dataclass(slots=True)
class Member:
    """An organisation that is or was a member.

    :ivar department: Insee's code, or :data:`NONE`
    :ivar downloaded: whether it ever downloaded an image
    """

    id: str
    title: str
    name: str
    state: str
    since: dt.datetime
    category: str
    department: str
    downloaded: bool


def members() -> list[Member]:
    """All organisations that are or were members, by title, with what filters go by."""
    query = sa.text(
        "SELECT m.organization_id, coalesce(nullif(g.title, ''), g.name), g.name, m.state, m.since, "
        "coalesce(nullif(a.category, ''), c.category), coalesce(nullif(a.territory_kind, ''), c.territory_kind), "
        "coalesce(nullif(a.territory_code, ''), c.territory_code), s.object_id IS NOT NULL "
        'FROM dinamis_membership m JOIN "group" g ON g.id = m.organization_id '
        "LEFT JOIN dinamis_application a ON a.id = m.application_id "
        "LEFT JOIN dinamis_convention c ON c.organization_id = m.organization_id "
        "LEFT JOIN dinamis_rollup_state s ON s.object_type = 'downloads' AND s.object_id = m.organization_id "
        "ORDER BY 2, 1"
    )
    return [
        Member(id_, title, name, state, since, category or NONE, department(kind, code) or NONE, downloaded)
        for id_, title, name, state, since, category, kind, code, downloaded in session().execute(query).all()
    ]


def revision() -> tuple[str, int]:
    """The name of the counters as they are, empty when nothing was counted yet; and lines that are not counted yet."""
    last, wait, known, counted = session().execute(sa.text(
        "SELECT (SELECT max(id) FROM dinamis_journal), (SELECT count(*) FROM dinamis_journal_waiting), r.revision, "
        "r.line_id FROM (SELECT 1) one LEFT JOIN dinamis_rollup_cursor r ON true"
    )).one()  # fmt: skip
    return known or "", max(0, (last or 0) - (counted or 0)) + wait


def kept(name: str, params: list[Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """An answer as it was made since the counters last moved, or made now."""
    known, _behind = revision()
    asked = hashlib.sha256(json.dumps([name, known, *params]).encode()).hexdigest()
    key = f"dinamis:statistics:{tk.config['ckan.site_id']}:{asked}"
    try:
        found: Any = connect_to_redis().get(key) if known else None
    except RedisError:
        found, known = None, ""
    if found:
        return json.loads(found)
    answer = make()
    if known:
        try:
            connect_to_redis().set(key, json.dumps(answer), ex=KEEP)
        except RedisError:
            log.warning("Figures are not kept: Redis does not answer.")
    return answer


class Figures:
    """What the counters say of a period, of everybody or of some organisations.

    :param period: whole months
    :param chosen: the organisations; None for everybody
    """

    def __init__(self, period: rules.Period, chosen: list[Member] | None, everyone: list[Member]):
        self.period, self.chosen, self.everyone = period, chosen, everyone
        self.ids = [EVERYBODY] if chosen is None else [one.id for one in chosen]
        self.by_id = {one.id: one for one in (everyone if chosen is None else chosen)}
        self.months = period.months
        self._values = {"ids": self.ids, "start": period.start, "end": period.end}

    def _rows(self, query: str, **more: Any) -> Any:
        return session().execute(sa.text(query), {**self._values, **more})

    def states(self) -> dict[str, list[dict[str, Any]]]:
        """Kind of thing → one row a month, ``month`` and how many are in each state at its end."""
        changes: dict[str, dict[dt.date, float]] = defaultdict(dict)
        for dimension, start, value in self._rows(
            # What came before the period counts as its first month's.
            "SELECT dimension, greatest(start, :start), sum(value) FROM dinamis_rollup "
            "WHERE organization_id = ANY(:ids) AND grain = 'm' AND measure = 'state' AND start < :end GROUP BY 1, 2"
        ):
            changes[dimension][start] = int(value)
        found = {}
        for kind, machine in MACHINES.items():
            columns = {
                state: rules.running(changes.get(f"{kind}:{state}", {}), self.months) for state in machine.states
            }
            found[kind] = [
                {"month": month.isoformat()[:7], **{state: int(column[n]) for state, column in columns.items()}}
                for n, month in enumerate(self.months)
            ]
        return found

    def flows(self) -> dict[str, dict[str, dict[str, float]]]:
        """Measure → dimension → month → its sum."""
        found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for measure, dimension, start, value in self._rows(
            "SELECT measure, dimension, start, sum(value) FROM dinamis_rollup WHERE organization_id = ANY(:ids) "
            "AND grain = 'm' AND start >= :start AND start < :end AND measure <> 'state' GROUP BY 1, 2, 3"
        ):
            found[measure][dimension][start.isoformat()[:7]] = float(value)
        return found

    def _downloaded(self) -> list[tuple[Member, list[float]]]:
        """Members that downloaded, each with its sums in the order of :data:`DOWNLOADS`."""
        limit = "" if self.chosen is None else " AND organization_id = ANY(:ids)"
        rows = self._rows(
            "SELECT organization_id, CAST(sum(files) AS float), CAST(sum(scenes) AS float), CAST(sum(bytes) AS float), "  # noqa: S608
            "CAST(sum(km2) AS float) FROM dinamis_rollup_downloads "
            f"WHERE month >= :start AND month < :end{limit} GROUP BY 1"
        )
        return [(one, sums) for id_, *sums in rows.all() if (one := self.by_id.get(id_)) and any(sums)]

    def partners(self, most: int | None = None) -> list[dict[str, Any]]:
        """What organisations downloaded, with their names, those that did most first.

        :param most: at most so many; None for all that did
        """
        return _ranked(self._downloaded(), most)

    def rankings(self) -> dict[str, Any]:
        """How many organisations downloaded (``partners``), the first of them, and what each category did.

        There may be a thousand: no more is made of each of them than these take.
        """
        found, sums = self._downloaded(), dict[str, list[float]]()
        for one, own in found:
            held = sums.get(one.category)
            sums[one.category] = [a + b for a, b in zip(held, own, strict=True)] if held else own
        categories = [{"category": name, **dict(zip(DOWNLOADS, own, strict=True))} for name, own in sums.items()]
        return {
            "partners": len(found),
            "by_partner": _ranked(found, SHOWN),
            "by_category": rules.largest(categories, "km2", len(categories)),
        }

    def departments(self) -> list[dict[str, Any]]:
        """Members by département: how many are active at the end of each month."""
        limit = "organization_id <> :everybody" if self.chosen is None else "organization_id = ANY(:ids)"
        changes: dict[str, dict[dt.date, float]] = defaultdict(lambda: defaultdict(float))
        for id_, start, value in self._rows(
            # The words of the index dinamis_rollup_members: the other states' rows are many more.
            "SELECT organization_id, start, value FROM dinamis_rollup WHERE measure = 'state' "  # noqa: S608
            f"AND dimension = 'membership:active' AND grain = 'm' AND start < :end AND {limit}",
            everybody=EVERYBODY,
        ):
            if id_ in self.by_id:
                changes[self.by_id[id_].department][start] += float(value)
        found = []
        for code, own in sorted(changes.items()):
            counts = rules.running(own, self.months)
            by_month = dict(zip((m.isoformat()[:7] for m in self.months), map(int, counts), strict=True))
            found.append({"department": code, "members": int(counts[-1]), "by_month": by_month})
        return found


def _sums(flow: dict[str, dict[str, float]]) -> dict[str, float]:
    """Month → the sum of all dimensions."""
    found: dict[str, float] = defaultdict(float)
    for months in flow.values():
        for month, value in months.items():
            found[month] += value
    return found


def _ranked(found: list[tuple[Member, list[float]]], most: int | None) -> list[dict[str, Any]]:
    """Organisations with what they downloaded, the largest surface (the last of the sums) first."""
    ordered = heapq.nsmallest(most or len(found), found, key=lambda row: (-row[1][-1], row[0].title))
    return [{"organization_id": one.id, "name": one.name, "label": one.title, **dict(zip(DOWNLOADS, own, strict=True))}
            for one, own in ordered]  # fmt: skip


def _by_dimension(
    flows: dict[str, dict[str, dict[str, float]]], measures: dict[str, str], key: str
) -> list[dict[str, Any]]:
    """One row a dimension of some measures, with each measure's sum over the months."""
    found: dict[str, dict[str, Any]] = {}
    for name, measure in measures.items():
        for dimension, own in flows.get(measure, {}).items():
            one = found.setdefault(dimension, {key: dimension, **dict.fromkeys(measures, 0.0)})
            one[name] = sum(own.values())
    return rules.largest((row for row in found.values() if row["files"]), "km2", len(found))


def downloads(figures: Figures, flows: dict[str, dict[str, dict[str, float]]]) -> dict[str, Any]:
    """What was downloaded: ``totals``, ``by_month``, ``by_series``, ``by_theme``, ``by_partner``, ``by_category``."""
    months = {name: _sums(flows.get(measure, {})) for name, measure in DOWNLOADS.items()}
    names = [month.isoformat()[:7] for month in figures.months]
    return {
        "totals": {name: sum(own.values()) for name, own in months.items()},
        "by_month": [{"month": m, **{name: own.get(m, 0.0) for name, own in months.items()}} for m in names],
        "by_series": _by_dimension(flows, DOWNLOADS, "series"),
        "by_theme": _by_dimension(flows, THEMES, "theme"),
        **figures.rankings(),
    }


def delays(flows: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """What people waited for, how often, and for how many days on the average."""
    seconds, counts = flows.get("delay.seconds", {}), flows.get("delay.count", {})
    found = []
    for kind in DELAYS:
        count = sum(counts.get(kind, {}).values())
        found.append({"kind": kind, "count": int(count),
                      "days": rules.mean_days(sum(seconds.get(kind, {}).values()), count)})  # fmt: skip
    return found


def everything(figures: Figures) -> dict[str, Any]:
    """All figures of a period."""
    states, flows = figures.states(), figures.flows()
    events = flows.get("event", {})
    names = [month.isoformat()[:7] for month in figures.months]
    arrived = {"members": "membership.activated", "accounts": "account.validated", "requests": "request.received",
               "images": "request.completed"}  # fmt: skip
    return {
        "period": {"name": figures.period.name, "start": names[0], "end": names[-1]},
        "members": {"by_month": states["membership"], "by_department": figures.departments()},
        "accounts": {"by_month": states["account"]},
        "requests": {"by_month": states["request"]},
        "new": [{"month": m, **{k: int(events.get(e, {}).get(m, 0)) for k, e in arrived.items()}} for m in names],
        "downloads": downloads(figures, flows),
        "delays": delays(flows),
        "never_downloaded": never_downloaded(SHOWN, list(figures.by_id.values())),
    }


def never_downloaded(limit: int, chosen: list[Member] | None = None, offset: int = 0) -> dict[str, Any]:
    """Members that joined and never downloaded, those that joined first before the others: ``count, results``."""
    everyone = members() if chosen is None else chosen
    found = [one for one in everyone if one.state == "active" and not one.downloaded]
    found.sort(key=lambda one: (one.since, one.id))
    return {
        "count": len(found),
        "results": [
            {"organization_id": one.id, "name": one.name, "label": one.title, "since": one.since.date().isoformat(),
             "category": one.category, "department": one.department}
            for one in found[offset : offset + limit]
        ],
    }  # fmt: skip
