"""Square kilometres of new images that an organisation, or the whole relay, may ask for; dated, since it is revised.

The first part is pure; the second asks the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
import yaml

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.imagery_requests.model import ImageryRequest
from ckanext.dinamis_relais.imagery_requests.rules import GIVES_BACK
from ckanext.dinamis_relais.machine import GuardError

SCOPES = ("organization", "relay")
#: Calendar periods and their length in months.
PERIODS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Quota:
    """What may be asked for in a period, from a day to a day.

    :ivar scope: ``organization`` (each one) or ``relay`` (all of them together)
    :ivar period: a key of :data:`PERIODS`, of the calendar, in UTC
    :ivar km2: square kilometres
    :ivar product: name of the only product that it counts, None for all
    :ivar organization: name of the only organisation that it is for, None for each
    :ivar starts: first day it holds, None for always
    :ivar ends: last day it holds, None for no end
    """

    scope: str
    period: str
    km2: float
    product: str | None = None
    organization: str | None = None
    starts: dt.date | None = None
    ends: dt.date | None = None

    def holds(self, today: dt.date) -> bool:
        """Whether it is in force on a day."""
        return (self.starts is None or self.starts <= today) and (self.ends is None or today <= self.ends)


def parse(entries: Any) -> tuple[Quota, ...]:
    """Quotas of the operator's file.

    :raises ValueError: names the entry, the field and what is expected
    """
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise ValueError("request quotas: a list is expected")
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"request quota {number}"
        if not isinstance(entry, dict) or entry.get("scope") not in SCOPES or entry.get("period") not in PERIODS:
            raise ValueError(f"{where}: scope is one of {', '.join(SCOPES)}, period one of {', '.join(PERIODS)}")
        km2 = entry.get("km2")
        if isinstance(km2, bool) or not isinstance(km2, (int, float)) or km2 < 0:
            raise ValueError(f"{where}: km2 is a number, 0 or more")
        for name in ("product", "organization"):
            if entry.get(name) is not None and not isinstance(entry[name], str):
                raise ValueError(f"{where}: {name} is a text")
        for name in ("starts", "ends"):
            value = entry.get(name)
            if value is not None and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
                raise ValueError(f"{where}: {name} is a date, such as 2027-01-01")
        names = ("product", "organization", "starts", "ends")
        found.append(Quota(entry["scope"], entry["period"], float(km2), **{name: entry.get(name) for name in names}))
    return tuple(found)


def period(name: str, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The calendar period around a moment, UTC: its begin and its end."""
    months = PERIODS[name]
    day = now.astimezone(dt.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0, day=1)
    start = day.replace(month=(day.month - 1) // months * months + 1)
    end = start.month + months
    return start, start.replace(year=start.year + (end > 12), month=(end - 1) % 12 + 1)


def for_request(quotas: Iterable[Quota], today: dt.date, product: str, organization: str) -> list[Quota]:
    """Those that hold on a day for a product and an organisation's name; an own one replaces those for each."""
    held = [one for one in quotas if one.holds(today) and (one.product is None or one.product == product)]
    own = {(one.period, one.product) for one in held if one.organization == organization}
    return [
        one
        for one in held
        if one.organization == organization
        or (one.organization is None and (one.scope == "relay" or (one.period, one.product) not in own))
    ]


@lru_cache(maxsize=4)
def _read(path: Path, _changed: float) -> tuple[Quota, ...]:
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def _configured() -> tuple[Quota, ...]:
    path = config.request_quotas()
    return _read(path, path.stat().st_mtime) if path else ()


def _used(quota: Quota, organization_id: str, now: dt.datetime, without: str | None) -> float:
    row = ImageryRequest
    counts = [row.created_at >= period(quota.period, now)[0], row.by_archive.is_(False), row.state.not_in(GIVES_BACK)]
    if quota.scope == "organization":
        counts.append(row.organization_id == organization_id)
    if quota.product:
        counts.append(row.product == quota.product)
    if without:
        counts.append(row.id != without)
    return float(session().execute(sa.select(sa.func.coalesce(sa.func.sum(row.area_km2), 0)).where(*counts)).scalar())


def left(organization: Any, product: str, without: str | None = None) -> list[dict[str, Any]]:
    """What each quota leaves an organisation for a product, now.

    :param organization: a CKAN group
    :param without: id of a request that is not counted
    :returns: ``[{"scope", "period", "product", "km2", "used", "left", "until"}]``, surfaces in km²
    :raises ValueError: the operator's file cannot be read; names the entry
    """
    now, found = utcnow(), []
    for quota in for_request(_configured(), now.date(), product, organization.name):
        used = _used(quota, organization.id, now, without)
        found.append({
            "scope": quota.scope, "period": quota.period, "product": quota.product, "km2": quota.km2, "used": used,
            "left": max(0.0, quota.km2 - used), "until": isoformat(period(quota.period, now)[1]),
        })  # fmt: skip
    return found


def check(organization: Any, product: str, km2: float) -> None:
    """Hold a new request against the quotas; the caller then writes it, and commits.

    Requests follow one another here, so that together they stay within what is left.

    :raises GuardError: which quota is used up, and until when
    """
    if not _configured():
        return
    session().execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('dinamis_request_quota', 0))"))
    for one in left(organization, product):
        if km2 > one["left"]:
            text = tk._("This area has {km2} km², and {left} km² are left of the quota until {until}. Ask for a "
                        "smaller area, or write to PIGMA.")  # fmt: skip
            number = tk.h.dinamis_number
            raise GuardError("area", text.format(km2=number(km2, 1), left=number(one["left"], 1),
                                                 until=tk.h.dinamis_date(one["until"])))  # fmt: skip
