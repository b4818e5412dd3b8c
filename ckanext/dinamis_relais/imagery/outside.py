"""HTTP to the outside for whoever reads imagery: polite, bounded, and never into a private network."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from ckanext.dinamis_relais import __version__
from ckanext.dinamis_relais.net import GuardedAdapter, check_host

USER_AGENT = f"ckanext-dinamis-relais/{__version__} (+https://www.pigma.org/)"
#: Bytes of one answer. A page of 1,000 real items has about 6 MB.
MAX_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 5
#: What passes by itself: try again later, as long as Retry-After says.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Seconds; a source that asks for more is left until the next job.
MAX_WAIT = 120


Answer = TypeVar("Answer")


class OutsideError(Exception):
    """An answer that cannot be used; says which address, what is wrong and what to do.

    :ivar status: HTTP status, None when there was none
    """

    def __init__(self, url: str, problem: str, remedy: str, status: int | None = None):
        self.url, self.problem, self.remedy, self.status = url, problem, remedy, status
        super().__init__(f"{url}: {problem} {remedy}")


class Outside:
    """A client of one service.

    :param private_hosts: hosts on private networks that the operator allows
    :param headers: sent to the service's own host alone, never to one it redirects to
    :param timeout: seconds for connecting and for each read
    :param retries: further attempts after a passing failure
    :param sleep: called with seconds; tests pass their own
    """

    def __init__(
        self,
        private_hosts: list[str],
        headers: dict[str, str] | None = None,
        timeout: float = 30,
        retries: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.private_hosts, self.headers = private_hosts, headers or {}
        self.timeout, self.retries, self.sleep = timeout, retries, sleep
        self.session = requests.Session()
        self.session.trust_env = False  # no password of a .netrc goes out; proxies are given below
        adapter = GuardedAdapter(frozenset(private_hosts))
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)
        self.home: str | None = None

    def fetch(self, url: str, method: str = "GET", body: Any = None) -> tuple[bytes, str]:
        """The body of an answer, and the address it came from after redirects.

        :param body: JSON of a POST
        :raises OutsideError: after the retries, or at once for what does not pass
        """
        return self._try(url, method, body, lambda response: (self._read(response), response.url))

    def download(self, url: str, target: BinaryIO, most: int) -> str:
        """A whole file, whatever its size up to ``most`` bytes, written to ``target``; a broken one begins again.

        :returns: a hash of its content
        :raises OutsideError: after the retries, or at once for what does not pass
        """

        def keep(response: requests.Response) -> str:
            target.seek(0)
            target.truncate()
            digest, size = blake2b(digest_size=16), 0
            for chunk in response.iter_content(1 << 20):
                size += len(chunk)
                if size > most:
                    raise OutsideError(response.url, f"It is larger than {most:,} bytes.", "Give it in parts.")
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            return digest.hexdigest()

        return self._try(url, "GET", None, keep)

    def _try(self, url: str, method: str, body: Any, keep: Callable[[requests.Response], Answer]) -> Answer:
        """Call until it answers, or until the retries are used up; ``keep`` reads the answer."""
        self.home = self.home or urlsplit(url).netloc
        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                response = self._send(url, method, body)
            except _Passing as error:
                if last:
                    raise OutsideError(url, str(error), "Try again later.") from error
                self.sleep(2.0**attempt)
                continue
            with response:
                if response.status_code in PASSING and not last:
                    self.sleep(self._wait(response, attempt))
                    continue
                if response.status_code != 200:
                    raise _refused(response)
                try:
                    return keep(response)
                except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                    if last:
                        problem = f"The answer broke off ({_short(error)})."
                        raise OutsideError(url, problem, "Try again later.") from error
            self.sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, url: str, method: str, body: Any) -> requests.Response:
        """One request. Redirects are followed by hand: each host is checked, none gets our headers."""
        for _ in range(MAX_REDIRECTS + 1):
            host = self._checked(url)
            headers = {"User-Agent": USER_AGENT, "Accept": "application/geo+json, application/json"}
            if host == self.home:
                headers |= self.headers
            try:
                response = self.session.request(
                    method, url, json=body, headers=headers, stream=True, allow_redirects=False,
                    timeout=self.timeout, proxies=get_environ_proxies(url),
                )  # fmt: skip
            except (requests.ConnectionError, requests.Timeout) as error:
                if "private address" in str(error):
                    raise OutsideError(url, f"It {error}.", "It is not called.") from error
                raise _Passing(f"No answer ({_short(error)}).") from error
            except requests.RequestException as error:
                raise OutsideError(url, f"It cannot be called ({error}).", "Check the address.") from error
            if not response.is_redirect:
                return response
            response.close()
            url = urljoin(url, response.headers["location"])
            if response.status_code == 303:
                method, body = "GET", None
        raise OutsideError(url, "It redirects without end.", "Check the address of the source.")

    def _checked(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OutsideError(url, "It is no http(s) address.", "Check the address.")
        try:
            check_host(parts.hostname, self.private_hosts)
        except ValueError as error:
            raise OutsideError(url, str(error), "It is not called.") from error
        return parts.netloc

    @staticmethod
    def _read(response: requests.Response) -> bytes:
        """The body, unzipped, up to the limit: what a header announces is not believed."""
        chunks, size = [], 0
        for chunk in response.iter_content(256 * 1024):
            size += len(chunk)
            if size > MAX_BYTES:
                raise OutsideError(
                    response.url, f"The answer is larger than {MAX_BYTES:,} bytes.", "Ask for smaller pages."
                )
            chunks.append(chunk)
        return b"".join(chunks)

    @staticmethod
    def _wait(response: requests.Response, attempt: int) -> float:
        """Seconds to wait: Retry-After (seconds or a date) when it is given, else 1, 2, 4 …"""
        asked = response.headers.get("Retry-After", "").strip()
        seconds = 2.0**attempt
        if asked.isdigit():
            seconds = float(asked)
        elif asked and (parsed := email.utils.parsedate_to_datetime(asked)):
            seconds = (parsed - datetime.now(timezone.utc)).total_seconds()
        if seconds > MAX_WAIT:
            raise OutsideError(
                response.url, f"It asks to wait {seconds:.0f} seconds.", "Run the harvest again after that.",
                response.status_code,
            )  # fmt: skip
        return max(seconds, 0)


class _Passing(Exception):
    """No answer: the connection failed, or took too long."""


def _short(error: Exception) -> str:
    """The reason inside urllib3's nested messages."""
    return str(error).rsplit(":", 1)[-1].strip(" '\")>") or type(error).__name__


def _refused(response: requests.Response) -> OutsideError:
    status = response.status_code
    remedy = "Check the address of the source."
    if status in (401, 403):
        remedy = "It asks for a login: give its headers in the source's configuration."
    elif status in PASSING:
        remedy = "It did not recover while we waited. Try again later."
    return OutsideError(response.url, f"It answered HTTP {status}.", remedy, status)
