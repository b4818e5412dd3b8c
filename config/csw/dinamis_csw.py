"""The CSW: pycsw over the table ``csw_record``, which ``ckan dinamis records sync`` fills. It reads, and nothing else.

Runs in an environment of its own (config/requirements-pycsw.txt), which holds nothing of CKAN's:
``PYCSW_CONFIG=csw.cfg gunicorn --pythonpath config/csw dinamis_csw:application``. The configuration is written by
``ckan dinamis records csw-config``.

Why not pycsw's own ``pycsw.wsgi`` and repository (2.6.2): the first takes the path of its configuration file from the
address that anybody may ask, and sends answers to addresses of mail and FTP that a request names; the second puts the
coordinates of a spatial filter into the SQL as they come (the request's schema keeps them numbers, but a request with
a ``csw:Insert`` anywhere in it is not validated), gives pages without an order, so that a record which is written
between two pages may be in none, and says ``nextRecord="1"`` beyond the last page.
"""

from __future__ import annotations

import configparser
import gzip
import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pycsw import server
from pycsw.core import repository

#: Bytes of a request's body; a filter with a large polygon has some kilobytes.
MOST = 256 * 1024
#: What a request may ask of pycsw besides reading: an answer sent elsewhere (CSW 2.0.2, 10.8.4.13), another
#: configuration file.
REFUSED = {"responsehandler", "config"}
#: What pycsw writes between the quotes of a WHERE: a geometry, made of numbers alone, or the answer of a predicate.
_LITERAL = re.compile(r"'(?:true|false|(?:POINT|LINESTRING|POLYGON) ?\([-+0-9.eE, ()]*\))'")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[-+0-9.eE\s(),=<>!]*")
_WORDS = {"and", "or", "not", "is", "null", "like", "ilike", "between", "st_geomfromtext"}
_FUNCTIONS = {"length", "lower", "ltrim", "rtrim", "trim", "upper"}
_PREDICATES = {
    f"st_{name}"
    for name in ("intersects", "contains", "crosses", "disjoint", "dwithin", "equals", "overlaps", "touches", "within")
}


class Untrusted(RuntimeError):
    """A filter holds something that is neither a value nor a word of pycsw's own."""


class Repository(repository.Repository):
    """pycsw's repository for reading: a whole order, and no word of the caller's in the SQL."""

    def __init__(self, context: Any, repo_filter: str | None = None) -> None:
        """Open the table that the configuration names.

        :param context: pycsw's, which knows the server and so the configuration
        """
        # pycsw takes a repository that is not its own for Django's, whose parameters are written otherwise.
        context.server.orm = "sqlalchemy"
        asked = context.server.config
        super().__init__(
            asked.get("repository", "database"), context, None, asked.get("repository", "table"), repo_filter
        )

    def query(
        self,
        constraint: dict[str, Any],
        sortby: dict[str, Any] | None = None,
        typenames: Any = None,  # noqa: ARG002  # pycsw's own signature
        maxrecords: int = 10,
        startposition: int = 0,
    ) -> list[Any]:
        """Records that match, in an order that is the same from one page to the next.

        :returns: how many match (text), and the records of the page
        :raises Untrusted: the filter cannot be trusted
        """
        found = self.session.query(self.dataset)
        if "where" in constraint:
            trusted(constraint["where"], set(self.dataset.__table__.columns.keys()))
            values = self._create_values(constraint["values"])
            found = found.filter(repository.text(constraint["where"])).params(values)
        total = found.count()
        if sortby is not None and not sortby.get("spatial"):
            column = getattr(self.dataset, sortby["propertyname"])
            found = found.order_by(column.desc() if sortby["order"] == "DESC" else column)
        found = found.order_by(self.dataset.identifier)
        return [str(total), found.limit(int(maxrecords)).offset(int(startposition)).all()]

    def insert(self, *_: Any, **__: Any) -> None:
        """Nothing is written here."""
        raise RuntimeError("This catalogue is filled by CKAN; transactions are not served.")

    update = delete = insert


def trusted(where: str, columns: set[str]) -> None:
    """Whether a condition holds nothing but pycsw's own words, columns, numbers, geometries and bound values.

    :raises Untrusted: it does not
    """
    rest = re.sub(r":pvalue\d+", " ", _LITERAL.sub(" ", where))
    unknown = {word.lower() for word in _WORD.findall(rest)} - _WORDS - _FUNCTIONS - _PREDICATES - columns - {"e"}
    if unknown or not _PLAIN.fullmatch(_WORD.sub(" ", rest)) or "--" in rest:
        raise Untrusted("This filter cannot be understood.")


class Csw(server.Csw):
    """pycsw's server, which sends its answer to nobody but the one who asks, and ends its pages."""

    def _process_responsehandler(self, xml: Any) -> None:
        """Send the answer nowhere, however the request names an address."""

    def _write_response(self) -> list[Any]:
        """Beyond the last page there is no next record: 0 (OGC 07-006r1, 10.8.4.1), where pycsw says 1."""
        kvp = self.kvp if isinstance(self.kvp, dict) else {}
        for one in self.response.iter("{*}SearchResults"):
            if int(kvp.get("startposition") or 1) > int(one.get("numberOfRecordsMatched")):
                one.set("nextRecord", "0")
        return super()._write_response()


def _configuration() -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=server.EnvInterpolation())
    found.read_string(Path(os.environ["PYCSW_CONFIG"]).read_text(encoding="utf-8"))
    return found


def _refusal(env: dict[str, Any], body: bytes) -> str:
    """Why a request is not passed on; empty when it is."""
    names = {name.lower() for name, _value in parse_qsl(env.get("QUERY_STRING", ""), keep_blank_values=True)}
    if names & REFUSED or b"ResponseHandler" in body:
        return "400 Bad Request"
    if len(body) > MOST:
        return "413 Content Too Large"
    return "" if env["REQUEST_METHOD"] in ("GET", "HEAD", "POST") else "405 Method Not Allowed"


def application(env: dict[str, Any], start_response: Any) -> list[bytes]:
    """The WSGI application: CSW 2.0.2 and 3.0.0, with what pycsw adds to it (OpenSearch, OAI-PMH, SRU)."""
    length = int(env.get("CONTENT_LENGTH") or 0) if str(env.get("CONTENT_LENGTH") or 0).isdigit() else 0
    body = env["wsgi.input"].read(min(length, MOST + 1)) if env["REQUEST_METHOD"] == "POST" else b""
    status = _refusal(env, body)
    if status:
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{status[4:]}\n".encode()]
    asked = {**env, "wsgi.input": io.BytesIO(body), "local.app_root": "/"}
    csw = Csw(_configuration(), asked)
    answered, content = csw.dispatch_wsgi()
    kind = str(csw.contenttype)
    headers = [
        ("Content-Type", kind if "json" in kind or "xml" in kind else "application/xml; charset=UTF-8"),
        ("X-Content-Type-Options", "nosniff"), ("Access-Control-Allow-Origin", "*"), ("Vary", "Accept-Encoding"),
    ]  # fmt: skip
    if "gzip" in env.get("HTTP_ACCEPT_ENCODING", ""):
        content = gzip.compress(content, 5)
        headers.append(("Content-Encoding", "gzip"))
    start_response(answered, [*headers, ("Content-Length", str(len(content)))])
    return [b"" if env["REQUEST_METHOD"] == "HEAD" else content]
