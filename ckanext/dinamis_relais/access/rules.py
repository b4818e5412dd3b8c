"""Rules of signing: which addresses, how many a call, how long a link serves, what a quota leaves. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: Addresses of one call to the signing service (facts 4.2, as its own SDK sends them).
MOST_URLS_A_CALL = 64
#: Addresses of one call of our action: 100 calls to the service.
MOST_URLS = 100 * MOST_URLS_A_CALL
#: The longest that may be asked for a link, in seconds: six days.
LONGEST_SECONDS = 6 * 24 * 3600
#: A link is handed out again while more than this is left of it.
REUSE_MARGIN = dt.timedelta(seconds=1800)
#: An access token is renewed when less than this is left of it.
TOKEN_MARGIN = dt.timedelta(seconds=60)
#: A place taken in a quota by a call that never ended (killed) is free again after this.
RESERVED_FOR = dt.timedelta(minutes=10)

SCOPES = ("person", "organization")
PERIODS = ("day", "month", "year")


def host_allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether an address may be signed at all: http(s), no login inside, and on one of the hosts.

    :param hosts: a name stands for itself and its subdomains, on any port; ``name:port`` for exactly that
    """
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not name:
        return False
    return parts.netloc in hosts or any(":" not in host and f".{name}".endswith(f".{host}") for host in hosts)


def first_elsewhere(urls: Sequence[str], hosts: Collection[str]) -> str | None:
    """The first address that may not be signed, None when all may; as :func:`host_allowed`, once for each origin."""
    known: dict[str, bool] = {}
    for url in urls:
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in known:
            known[origin] = host_allowed(origin, hosts)
        if not known[origin]:
            return url
    return None


def preview(signable: bool, step: str, licence_accepted: bool) -> str | None:
    """How a person may see a file on a map: by a link signed for them, at its open address, or not at all (None).

    A signed link opens the whole file, so only who may download may look. An open address is anybody's, unless the
    images have a licence that was not accepted.

    :param signable: the file is on a host whose files are signed
    :param step: of ``dinamis_download_rights``
    :param licence_accepted: there is no licence, or the person accepted it
    """
    if signable:
        return "signed" if step == "ready" else None
    return "open" if licence_accepted else None


def chunks(urls: Sequence[str], size: int = MOST_URLS_A_CALL) -> Iterator[list[str]]:
    """Addresses in portions of one call."""
    for start in range(0, len(urls), size):
        yield list(urls[start : start + size])


def reusable(expiry: dt.datetime, now: dt.datetime) -> bool:
    """Whether a link may be handed out again; both times with their zone."""
    return expiry - now > REUSE_MARGIN


@dataclass(frozen=True)
class Quota:
    """What may be downloaded in a period, from a day to a day; the operator's, dated since it is revised.

    :ivar scope: ``person`` or ``organization``
    :ivar period: ``day``, ``month`` or ``year`` of the calendar, in UTC
    :ivar files: how many files, None for any number
    :ivar gigabytes: how many 10⁹ bytes, None for any; files whose size the source does not tell count 0
    :ivar starts: first day it holds, None for always
    :ivar ends: last day it holds, None for no end
    """

    scope: str
    period: str
    files: int | None = None
    gigabytes: float | None = None
    starts: dt.date | None = None
    ends: dt.date | None = None

    def holds(self, today: dt.date) -> bool:
        """Whether it is in force on a day."""
        return (self.starts is None or self.starts <= today) and (self.ends is None or today <= self.ends)


@dataclass(frozen=True)
class Left:
    """What a quota leaves.

    :ivar until: when the period ends and all of it is there again, UTC
    :ivar files: files left, None when they are not counted
    :ivar gigabytes: 10⁹ bytes left, None when they are not counted
    """

    quota: Quota
    until: dt.datetime
    files: int | None
    gigabytes: float | None

    def allows(self, files: int, size: int) -> bool:
        """Whether so many more files, of so many bytes, are within it."""
        enough = self.files is None or files <= self.files
        return enough and (self.gigabytes is None or size <= self.gigabytes * 1e9)


def period(name: str, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The calendar period around a moment, UTC: its begin and its end."""
    day = now.astimezone(dt.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "day":
        return day, day + dt.timedelta(days=1)
    if name == "month":
        first = day.replace(day=1)
        return first, (first + dt.timedelta(days=32)).replace(day=1)
    first = day.replace(month=1, day=1)
    return first, first.replace(year=first.year + 1)


def left(quota: Quota, used_files: int, used_bytes: int, now: dt.datetime) -> Left:
    """What a quota leaves after what was used in its present period; never under zero."""
    files = None if quota.files is None else max(0, quota.files - used_files)
    gigabytes = None if quota.gigabytes is None else max(0.0, quota.gigabytes - used_bytes / 1e9)
    return Left(quota, period(quota.period, now)[1], files, gigabytes)


def _day(entry: dict[str, Any], name: str, where: str) -> dt.date | None:
    value = entry.get(name)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise ValueError(f"{where}: {name} is a date, such as 2027-01-01")


def _amount(entry: dict[str, Any], name: str, where: str, kinds: tuple[type, ...]) -> Any:
    value = entry.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kinds) or value < 0):
        raise ValueError(f"{where}: {name} is a number, 0 or more")
    return value


def parse_quotas(entries: Any) -> tuple[Quota, ...]:
    """Quotas of the operator's file.

    :param entries: a list of mappings ``{scope, period, files?, gigabytes?, starts?, ends?}``, or None
    :raises ValueError: names the entry, the field and what is expected
    """
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise ValueError("quotas: a list is expected")
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"quota {number}"
        if not isinstance(entry, dict) or entry.get("scope") not in SCOPES or entry.get("period") not in PERIODS:
            raise ValueError(f"{where}: scope is one of {', '.join(SCOPES)}, period one of {', '.join(PERIODS)}")
        files = _amount(entry, "files", where, (int,))
        gigabytes = _amount(entry, "gigabytes", where, (int, float))
        if files is None and gigabytes is None:
            raise ValueError(f"{where}: give files, gigabytes, or both")
        days = _day(entry, "starts", where), _day(entry, "ends", where)
        found.append(Quota(entry["scope"], entry["period"], files, gigabytes, *days))
    return tuple(found)


def in_force(quotas: Iterable[Quota], today: dt.date) -> list[Quota]:
    """Those that hold on a day."""
    return [quota for quota in quotas if quota.holds(today)]
