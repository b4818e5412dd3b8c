"""Reads a STAC API page by page: bounded memory, every ``next`` followed, no loop endless."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import orjson

from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.normalise import Scene
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.settings import Settings

#: Pages in a row with nothing in them. Real sources send some (facts, 4.1); none sends so many.
MAX_EMPTY_PAGES = 100
#: Pages of one listing; at 1,000 items a page this is a hundred million scenes.
MAX_PAGES = 100_000

NOT_STAC = "Check that this is the address of a STAC API."
TELL = "Tell the source's keeper."


@dataclass(frozen=True)
class Request:
    """What to ask next; kept as the cursor of a listing, so it is plain JSON."""

    url: str
    method: str = "GET"
    body: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {"url": self.url, "method": self.method, "body": self.body}

    @property
    def digest(self) -> bytes:
        """Recognises a request that was made before."""
        return blake2b(orjson.dumps(self.as_dict(), option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _all(_scene: Scene) -> bool:
    return True


@dataclass
class Page:
    """One answer of a listing.

    :ivar url: where it came from; relative links are read against it
    :ivar items: features as they came, not checked
    :ivar next: the next request, None at the end
    :ivar matched: how many items there are in all, when the source says
    :ivar notes: what was odd about the page but could be read
    :ivar lines: of a file, instead of ``items``: (number of the line, its hash, the line), not read yet
    :ivar problems: what could not even be read
    :ivar collections: of a file: ids that are wanted, empty for all
    :ivar wanted: whether a scene is asked for; an API answers no others
    """

    url: str
    items: list[Any]
    next: Request | None
    matched: int | None
    notes: list[str] = field(default_factory=list)
    lines: list[tuple[int, str, bytes]] | None = None
    problems: list[Problem] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    wanted: Callable[[Scene], bool] = _all


class StacSource:
    """A STAC API, by the address of its landing page.

    :param url: landing page, or a ``/collections`` address
    :param outside: how it is called
    """

    def __init__(self, url: str, outside: Outside):
        self.url, self.outside = url.rstrip("/"), outside

    def json(self, request: Request) -> tuple[dict[str, Any], str, list[str]]:
        """The object that a request answers, its address, and notes about it.

        :raises OutsideError: no answer, an HTTP error, or no JSON object
        """
        body, url = self.outside.fetch(request.url, request.method, request.body)
        value, notes = _decode(body, url)
        if not isinstance(value, dict):
            raise OutsideError(url, "It is JSON but no object.", NOT_STAC)
        return value, url, notes

    def collections(self, wanted: list[str] | None = None) -> list[dict[str, Any]]:
        """Collections of the source, all of them or those asked for, each with its ``items`` address.

        :param wanted: ids
        :raises OutsideError: one that is asked for is not there
        """
        if wanted:
            return [self._collection(collection) for collection in wanted]
        found: list[dict[str, Any]] = []
        request: Request | None = Request(self._collections_url())
        known: set[bytes] = set()
        while request and request.digest not in known and len(known) < MAX_EMPTY_PAGES:
            known.add(request.digest)
            body, url, _ = self.json(request)
            listed = body.get("collections")
            if not isinstance(listed, list):
                raise OutsideError(url, "It lists no collections.", NOT_STAC)
            found += [self._described(one, url) for one in listed if isinstance(one, dict) and one.get("id")]
            request = next_request(body, url, request)
        return found

    def _collections_url(self) -> str:
        path = urlsplit(self.url).path
        return self.url if path.endswith("/collections") else f"{self.url}/collections"

    def _collection(self, collection: str) -> dict[str, Any]:
        url = f"{self._collections_url()}/{quote(collection, safe='')}"
        body, final, _ = self.json(Request(url))
        return self._described({**body, "id": body.get("id") or collection}, final)

    def _described(self, body: dict[str, Any], url: str) -> dict[str, Any]:
        collection = str(body["id"])
        links = [link for link in body.get("links") or [] if isinstance(link, dict)]
        given = next((link.get("href") for link in links if link.get("rel") == "items"), None)
        default = f"{self._collections_url()}/{quote(collection, safe='')}/items"
        href = urljoin(url, str(given)) if given else default
        # A source behind a proxy may print addresses that only it can reach; we were given its own.
        return {**body, "id": collection, "_items": href if _same_host(href, self.url) else default}

    def first(
        self, items_url: str, page_size: int, bbox: list[float] | None = None, datetime: str | None = None
    ) -> Request:
        """The first request of a listing.

        :param items_url: as :meth:`collections` gives it
        :param page_size: items a page
        :param bbox: west, south, east, north in degrees
        :param datetime: RFC 3339 instant or interval
        """
        params: dict[str, str] = {"limit": str(page_size)}
        if bbox:
            params["bbox"] = ",".join(f"{value:g}" for value in bbox)
        if datetime:
            params["datetime"] = datetime
        separator = "&" if urlsplit(items_url).query else "?"
        return Request(items_url + separator + urlencode(params, safe=",:/"))

    def listing(self, collection: dict[str, Any], settings: Settings) -> Request:
        """The first request for a collection, or for a part of it, as the source's configuration wants it."""
        when = within(settings.datetime, collection.get("_part", ""))
        return self.first(collection["_items"], settings.page_size, settings.bbox, when)

    def pages(self, request: Request | None) -> Iterator[Page]:
        """Every page from a request on; an empty page with a ``next`` is no end.

        :raises OutsideError: a page that cannot be read, or a listing that turns in a circle
        """
        known: set[bytes] = set()
        before, empty = b"", 0
        while request is not None:
            if request.digest in known:
                raise OutsideError(request.url, "Its 'next' links turn in a circle.", TELL)
            if len(known) >= MAX_PAGES:
                raise OutsideError(request.url, f"It has over {MAX_PAGES:,} pages.", "Ask for larger pages.")
            known.add(request.digest)
            body, url, notes = self.json(request)
            items = body.get("features")
            if not isinstance(items, list):
                raise OutsideError(url, "It is JSON but no list of items.", NOT_STAC)
            content = blake2b(orjson.dumps([_id(item) for item in items]), digest_size=16).digest()
            if items and content == before:
                raise OutsideError(url, "Its 'next' link gives the same items again.", TELL)
            empty = 0 if items else empty + 1
            if empty > MAX_EMPTY_PAGES:
                raise OutsideError(url, f"It gave {empty} empty pages in a row.", TELL)
            if items:
                before = content
            request = next_request(body, url, request)
            yield Page(url, items, request, _matched(body), notes)


def within(datetime: str | None, part: str) -> str | None:
    """The interval that is asked of a source: the years of a part, narrowed to what the configuration wants.

    Neighbouring parts share the first instant of a year, so that no moment falls between them.
    """
    start, end = years_of(part)
    if start is None and end is None:
        return datetime
    low, _, high = (datetime or "../..").partition("/") if "/" in (datetime or "/") else (datetime, "", datetime)
    lows = [value for value in (low, f"{start}-01-01T00:00:00Z" if start else "") if value and value != ".."]
    highs = [value for value in (high, f"{end + 1}-01-01T00:00:00Z" if end else "") if value and value != ".."]
    first = max(lows, key=_instant, default="..")
    last = min(highs, key=_instant, default="..")
    return f"{first}/{last}"


def _instant(value: str) -> Any:
    return parse_moment(value)[0]


def years_of(part: str) -> tuple[int | None, int | None]:
    """First and last year of a part of a collection: ``2019``, ``/2016`` (until), ``2024/`` (from); both included."""
    if not part:
        return None, None
    start, _, end = part.partition("/") if "/" in part else (part, "", part)
    return (int(start) if start else None), (int(end) if end else None)


def next_request(body: dict[str, Any], url: str, asked: Request) -> Request | None:
    """The request behind an answer's ``next`` link (GET, or POST with its body), None without one.

    :param url: address of the answer
    :param asked: the request that was answered
    """
    links = body.get("links")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or link.get("rel") != "next" or not isinstance(link.get("href"), str):
            continue
        target = _on_host_of(urljoin(url, link["href"]), url)
        if str(link.get("method", "GET")).upper() != "POST":
            return Request(target)
        given = link.get("body")
        own: dict[str, Any] = given if isinstance(given, dict) else {}
        merged = {**(asked.body or {}), **own} if link.get("merge") else own
        return Request(target, "POST", merged)
    return None


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).netloc == urlsplit(other).netloc


def _on_host_of(href: str, url: str) -> str:
    """The same path and query on the host that answered.

    Sources behind a proxy print hosts of their inside (real answers did, facts 4.1); a listing that left its
    host would also leave what the operator allowed.
    """
    if _same_host(href, url):
        return href
    there, here = urlsplit(href), urlsplit(url)
    return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))


def _decode(body: bytes, url: str) -> tuple[Any, list[str]]:
    try:
        return orjson.loads(body), []
    except orjson.JSONDecodeError as error:
        start = body[:200].lstrip().lower()
        if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
            raise OutsideError(url, "It answered a web page, not JSON.", NOT_STAC) from error
        return _decode_loosely(body, url, error)


def _decode_loosely(body: bytes, url: str, reason: Exception) -> tuple[Any, list[str]]:
    """JSON with NaN or Infinity in it, which JSON does not know and some servers write: read as null."""
    odd: list[str] = []
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=odd.append)
    except (ValueError, RecursionError) as error:
        raise OutsideError(
            url, f"The JSON is broken or cut off ({reason}).", "Try again later, or tell the source's keeper."
        ) from error
    notes = [f"{url}: {len(odd)} values are {odd[0]}, which is no JSON. Read as null."] if odd else []
    return value, notes


def _matched(body: dict[str, Any]) -> int | None:
    given = body.get("context")
    context: dict[str, Any] = given if isinstance(given, dict) else {}
    for value in (body.get("numberMatched"), body.get("numMatched"), context.get("matched")):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _id(item: Any) -> str | None:
    value = item.get("id") if isinstance(item, dict) else None
    return None if value is None else str(value)
