"""Asking an RFC 3161 service for a time-stamp, by the same rules as every outside call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError

from ckanext.dinamis_relais.net import GuardedAdapter, check_host

SECONDS = 15
LARGEST = 1_000_000  # bytes: a time-stamp with its certificates is some thousands


class Stamper(TimeStamper):
    """A service at one address; never on a private network unless that is listed, and never where it redirects to.

    :param private_hosts: hosts on private networks that the operator allows
    """

    def __init__(self, url: str, private_hosts: Sequence[str] = ()):
        super().__init__()
        self.url, self.private_hosts = url, list(private_hosts)

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """The service's answer.

        :raises TimestampRequestError: it does not answer, not as the standard says, or may not be called
        """
        return await asyncio.to_thread(self._ask, req.dump())

    def _ask(self, asked: bytes) -> tsp.TimeStampResp:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https"):
            raise TimestampRequestError("its address is neither http nor https")
        try:
            check_host(parts.hostname or "", self.private_hosts)
            return tsp.TimeStampResp.load(self._post(asked), strict=True)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            raise TimestampRequestError(f"{type(error).__name__}: {error}") from error

    def _post(self, asked: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        given: dict[str, Any] = {"headers": headers, "timeout": SECONDS, "allow_redirects": False, "stream": True}
        with requests.Session() as session:
            session.trust_env = False  # no password of a .netrc goes out
            adapter = GuardedAdapter(frozenset(self.private_hosts))
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            answer = session.post(self.url, asked, **given)
            if answer.status_code != requests.codes.ok:
                raise ValueError(f"HTTP {answer.status_code}")
            content = answer.raw.read(LARGEST + 1, decode_content=True)
        if len(content) > LARGEST:
            raise ValueError("the answer is too large to be a time-stamp")
        return content
