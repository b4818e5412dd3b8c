"""Signed addresses, in the shape of S3's presigned ones: pure functions."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
#: Seconds; the longest that may be asked (facts of the real service: six days).
LONGEST_SECONDS = 6 * 24 * 3600
_FORMAT = "%Y%m%dT%H%M%SZ"


def _signature(host: str, path: str, secret: str, date: str, seconds: str) -> str:
    text = "\n".join((ALGORITHM, host, path, date, seconds))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(url: str, secret: str, seconds: int, now: dt.datetime) -> str:
    """An address with its signature in the query; an earlier query is dropped.

    :param url: absolute; its host is signed too
    :param seconds: how long it may be used, 1 to ``LONGEST_SECONDS``
    :param now: aware time
    :raises ValueError: a time that is not allowed
    """
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"seconds: 1 to {LONGEST_SECONDS}")
    date, parts = now.astimezone(dt.timezone.utc).strftime(_FORMAT), urlsplit(url)
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Date": date,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": _signature(parts.netloc, parts.path, secret, date, str(seconds)),
    }
    return parts._replace(query=urlencode(query), fragment="").geturl()


def check(url: str, secret: str, now: dt.datetime) -> str:
    """What is wrong with a signed address.

    :param url: as it was asked, with its query
    :param now: aware time
    :returns: empty when it is good; else the code that S3 gives: ``AccessDenied`` (unsigned or too late) or
        ``SignatureDoesNotMatch``
    """
    parts = urlsplit(url)
    query: Mapping[str, str] = dict(parse_qsl(parts.query))
    date, seconds, given = (query.get(f"X-Amz-{name}", "") for name in ("Date", "Expires", "Signature"))
    if not (date and seconds and given):
        return "AccessDenied"
    wanted = _signature(parts.netloc, parts.path, secret, date, seconds)
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        return "SignatureDoesNotMatch"
    # Only what we signed comes this far, so both can be read.
    begin = dt.datetime.strptime(date, _FORMAT).replace(tzinfo=dt.timezone.utc)
    return (
        ""
        if begin <= now + dt.timedelta(minutes=15) and now < begin + dt.timedelta(seconds=int(seconds))
        else "AccessDenied"
    )
