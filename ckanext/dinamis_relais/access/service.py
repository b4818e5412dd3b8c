"""The signing service and its identity provider, as their own SDK speaks to them (facts 4.2). Network only.

Never call it with a transaction open. No token, key or signed address is logged or put into an error's words.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from requests.utils import get_environ_proxies

from ckanext.dinamis_relais import __version__
from ckanext.dinamis_relais.net import GuardedAdapter, check_host

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
USER_AGENT = f"ckanext-dinamis-relais/{__version__}"
#: Portions that are asked for at once: the calls stay as many, the waiting is shared.
AT_ONCE = 4
#: Seconds that a person may be left waiting because the service asked for it; more is said instead.
LONGEST_WAIT = 10.0
TRIES = 3

#: Address → (signed link, when it ends, UTC).
Links = dict[str, tuple[str, dt.datetime]]


class ServiceError(Exception):
    """The service could not do it."""


class NeedsLoginError(ServiceError):
    """401, 403 or a refused refresh token: the person must authenticate again."""


class BusyError(ServiceError):
    """429: too much was asked. ``seconds``: when it may be tried again."""

    def __init__(self, seconds: float):
        super().__init__(f"HTTP 429, try again in {seconds:.0f} s")
        self.seconds = seconds


class DownError(ServiceError):
    """It does not answer, or says that it cannot at the moment."""


class OddError(ServiceError):
    """An answer that its contract does not know."""


class DeclinedError(ServiceError):
    """The person said no on the consent page."""


class CodeOverError(ServiceError):
    """The code was used, or its time is over."""


@dataclass(frozen=True)
class Device:
    """A device flow that was begun (RFC 8628).

    :ivar code: kept by us, secret
    :ivar user_code: shown to the person; empty when the provider gives none
    :ivar page: address that the person opens
    """

    code: str = field(repr=False)
    user_code: str
    page: str
    seconds: int
    interval: int


@dataclass(frozen=True)
class Tokens:
    """What a grant gave. ``renewable_until`` None: the refresh token's end is not known, or it has none."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_until: dt.datetime
    renewable_until: dt.datetime | None


class SigningService:
    """A client of one signing service, for one request of one person.

    :param base: its address, without a final slash
    :param client_id: of the identity provider
    :param scope: of the identity provider
    :param private_hosts: hosts on private networks that the operator allows
    :param timeout: seconds
    :param sleep: called with seconds
    """

    def __init__(self, base: str, client_id: str, scope: str, private_hosts: list[str], timeout: float = 20,
                 sleep: Callable[[float], None] = time.sleep):  # fmt: skip
        self.base, self.client_id, self.scope = base, client_id, scope
        self.private_hosts, self.timeout, self.sleep = private_hosts, timeout, sleep
        self._ways: dict[str, dict[str, str]] = {}
        self.session: Any = OAuth2Session(client_id, scope=scope, token_endpoint_auth_method="none",  # noqa: S106
                                     default_timeout=timeout)  # fmt: skip
        self.session.trust_env = False  # no password of a .netrc goes out
        self.session.headers["User-Agent"] = USER_AGENT
        self._adapter = GuardedAdapter(frozenset(private_hosts), pool_maxsize=AT_ONCE)
        self.session.mount("http://", self._adapter)
        self.session.mount("https://", self._adapter)

    def token_url(self) -> str:
        """The token endpoint, as the service's OpenAPI names it.

        :raises ServiceError: no answer, or not as its contract says
        """
        found = self._json("GET", f"{self.base}/openapi.json")
        try:
            url = found["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"]
        except (KeyError, TypeError) as error:
            raise OddError("openapi.json names no token endpoint") from error
        self._checked(str(url))
        return str(url)

    def begin(self) -> Device:
        """Begin a device flow.

        :raises ServiceError: no answer, or not as its contract says
        """
        url = f"{self.token_url().rsplit('/', 1)[0]}/auth/device"
        found = self._json("POST", url, data={"client_id": self.client_id, "scope": self.scope})
        try:
            page = str(found.get("verification_uri_complete") or found["verification_uri"])
            device = Device(str(found["device_code"]), str(found.get("user_code") or ""), page,
                            int(found["expires_in"]), max(1, int(found.get("interval") or 5)))  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise OddError("the device flow was not begun as RFC 8628 says") from error
        if urlsplit(page).scheme not in ("http", "https"):
            raise OddError("the consent page is no web address")
        return device

    def tokens(self, device_code: str) -> Tokens | None:
        """Tokens for a device code; None while the person has not answered.

        :raises DeclinedError: they said no
        :raises CodeOverError: used, or too late
        :raises ServiceError: anything else
        """
        # Authlib adds the client's name; named twice, it is refused by Keycloak ("duplicated parameter").
        grant = {"grant_type": DEVICE_GRANT, "device_code": device_code}
        try:
            return self._grant(lambda url: self.session.fetch_token(url, **grant, **self._plainly(url)))
        except OAuthError as error:
            if error.error in ("authorization_pending", "slow_down"):
                return None
            if error.error == "access_denied":
                raise DeclinedError("access_denied") from error
            raise CodeOverError(error.error) from error

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token.

        :raises NeedsLoginError: it is not taken any more
        :raises ServiceError: anything else
        """
        try:
            found = self._grant(
                lambda url: self.session.refresh_token(url, refresh_token=refresh_token, **self._plainly(url))
            )
        except OAuthError as error:
            raise NeedsLoginError(error.error) from error
        # RFC 6749, 6: without a new refresh token, the old one goes on.
        return found if found.refresh else Tokens(found.access, refresh_token, found.access_until, None)

    def person(self, access_token: str) -> str:
        """The login of the person whom a token belongs to, as the identity provider shows it.

        :raises ServiceError: the token is not taken, or no answer
        """
        url = self.token_url()
        url = f"{url.removesuffix('/token')}/userinfo"
        found = self._json("GET", url, headers={"Authorization": f"Bearer {access_token}"})
        return str(found.get("preferred_username") or found.get("sub") or "")

    def sign(self, calls: Iterable[list[str]], headers: dict[str, str], seconds: int | None = None,
             each: Callable[[Links], None] = lambda _found: None) -> Links:  # fmt: skip
        """Signed links, several calls at a time.

        :param calls: addresses of one call after the other, at most 64 each; what makes them may take its time, the
            first are asked for meanwhile
        :param headers: the person's own: ``Authorization``, or ``access-key`` and ``secret-key``
        :param seconds: how long the links shall live; None for the service's own choice
        :param each: called with the links of each call as they come, by several threads
        :returns: address → (link, when it ends, UTC)
        :raises ServiceError: any of the calls was refused; nothing of the others is lost but their time
        """

        def fetch(portion: list[str]) -> Links:
            part = self._portion(portion, headers, seconds)
            each(part)
            return part

        calls = iter(calls)
        begin, found = list(islice(calls, 2)), Links()
        if len(begin) < 2:
            return fetch(begin[0]) if begin else found
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for part in [pool.submit(fetch, portion) for portion in chain(begin, calls)]:
                    found |= part.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def _portion(self, urls: list[str], headers: dict[str, str], seconds: int | None) -> dict[str, Any]:
        body: dict[str, Any] = {"urls": urls} | ({"duration_seconds": seconds} if seconds else {})
        headers = {**headers, "Content-Type": "application/json"}
        found = self._json("POST", f"{self.base}/sign_urls", data=orjson.dumps(body), headers=headers)
        try:
            expiry = dt.datetime.fromisoformat(str(found["expiry"]).replace("Z", "+00:00"))
            expiry = expiry if expiry.tzinfo else expiry.replace(tzinfo=dt.timezone.utc)
            return {url: (str(found["hrefs"][url]), expiry) for url in urls}
        except (KeyError, TypeError, ValueError) as error:
            raise OddError("the answer lacks an address that was sent, or its end") from error

    def _grant(self, fetch: Callable[[str], Any]) -> Tokens:
        url, now = self.token_url(), dt.datetime.now(dt.timezone.utc)
        try:
            found = fetch(url)
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            raise DownError(f"HTTP {status}") from error
        except (requests.RequestException, OSError) as error:
            raise DownError(type(error).__name__) from error
        except ValueError as error:
            raise OddError("the token endpoint did not answer JSON") from error
        if not found.get("access_token"):
            raise OddError("no access token in the answer")
        lasts = found.get("refresh_expires_in")
        until = now + dt.timedelta(seconds=int(lasts)) if lasts else None
        seconds = int(found.get("expires_in") or 60)
        refresh = str(found.get("refresh_token") or "")
        return Tokens(str(found["access_token"]), refresh, now + dt.timedelta(seconds=seconds), until)

    def _plainly(self, url: str) -> dict[str, Any]:
        """How secrets are sent: to the address itself, wherever it would lead on to."""
        return {"allow_redirects": False, "proxies": self._proxies(url), "timeout": self.timeout}

    def _proxies(self, url: str) -> dict[str, str]:
        host = urlsplit(url).netloc
        if host not in self._ways:
            # Reading the whole environment costs more than the rest of a call.
            self._ways[host] = get_environ_proxies(url)
        return self._ways[host]

    def _checked(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self.private_hosts):
            raise OddError(f"{parts.scheme or 'no scheme'}: secrets go over https only")
        try:
            check_host(host, self.private_hosts)
        except ValueError as error:
            raise OddError(str(error)) from error

    def _json(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """One call, repeated when the service asks for a short wait.

        :raises ServiceError: by what was answered
        """
        self._checked(url)
        for attempt in range(TRIES):
            try:
                answer = self._sent(method, url, **more)
            except (requests.RequestException, OSError) as error:
                raise DownError(type(error).__name__) from error
            if answer.status_code != 429:
                return _read(answer)
            wait = _retry_after(answer.headers.get("Retry-After", ""))
            if wait > LONGEST_WAIT or attempt == TRIES - 1:
                raise BusyError(wait)
            self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _sent(
        self, method: str, url: str, headers: dict[str, str] | None = None, data: Any = None
    ) -> requests.Response:
        """One request and its whole answer; without cookies, redirects and hooks, which a session adds at a cost.

        :param data: a form's fields, or bytes
        """
        own = {"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})}
        prepared = requests.Request(method, url, headers=own, data=data).prepare()
        answer = self._adapter.send(prepared, timeout=self.timeout, proxies=self._proxies(url))
        answer.content  # noqa: B018  # read here, where a connection that breaks off is known for what it is
        return answer


def _retry_after(text: str) -> float:
    """Seconds of a ``Retry-After``: a number, or a date (RFC 9110, 10.2.3); 5 when it says nothing."""
    if text.strip().isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 5.0
    return max(0.0, (moment - dt.datetime.now(dt.timezone.utc)).total_seconds())


def _read(answer: requests.Response) -> dict[str, Any]:
    status = answer.status_code
    if status in (401, 403):
        raise NeedsLoginError(f"HTTP {status}")
    if status in (408, 425) or status >= 500:
        raise DownError(f"HTTP {status}")
    if status != 200:
        raise OddError(f"HTTP {status}")
    try:
        found = orjson.loads(answer.content)
    except ValueError as error:
        raise OddError("no JSON") from error
    if not isinstance(found, dict):
        raise OddError("no JSON object")
    return found
