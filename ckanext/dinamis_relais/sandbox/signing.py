"""The signing service by the real contract, and the identity provider that it trusts."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request

from ckanext.dinamis_relais.sandbox import identity
from ckanext.dinamis_relais.sandbox.keeper import Keeper, digest
from ckanext.dinamis_relais.sandbox.signatures import LONGEST_SECONDS, sign

MOST_URLS = 64
DEFAULT_SECONDS = 8 * 3600
#: Keys do not end by themselves: a hundred years.
KEY_SECONDS = 100 * 365.25 * 24 * 3600


class _Unfit(ValueError):
    """A request that cannot be served as it is; the words are for its sender."""


def _allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether an address lies on one of the hosts; a name without port stands for its subdomains too."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return False
    name = parts.hostname or ""
    return parts.netloc in hosts or any(":" not in host and f".{name}".endswith(f".{host}") for host in hosts)


def _wanted(body: Any, hosts: Collection[str]) -> tuple[list[str], int]:
    """Addresses and seconds that a body of ``/sign_urls`` asks for.

    :param hosts: see ``_allowed``
    :raises _Unfit: one of them is missing, too much, or not for this host
    """
    body = body if isinstance(body, dict) else {}
    urls, seconds = body.get("urls"), body.get("duration_seconds")
    seconds = DEFAULT_SECONDS if seconds is None else seconds
    if not isinstance(urls, list) or not 0 < len(urls) <= MOST_URLS or not all(isinstance(url, str) for url in urls):
        raise _Unfit(f"urls: a list of 1 to {MOST_URLS} addresses")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= LONGEST_SECONDS:
        raise _Unfit(f"duration_seconds: a whole number from 1 to {LONGEST_SECONDS}")
    for url in urls:
        try:
            allowed = _allowed(url, hosts)
        except ValueError:
            raise _Unfit(f"urls: not an address: {url}") from None
        if not allowed:
            raise _Unfit(f"urls: only addresses of {', '.join(sorted(hosts))} are signed")
    return urls, seconds


def _unauthenticated() -> Any:
    return jsonify(detail="Not authenticated"), 401, {"WWW-Authenticate": "Bearer"}


def blueprint(secret: str, store: Path, hosts: Collection[str] = (), issuer: str = "") -> Blueprint:
    """Routes of the signing service (``/signing``) and of the identity provider (``/identity``).

    :param secret: what addresses are signed with; the object store has the same
    :param store: SQLite file of codes, tokens and keys
    :param hosts: whose addresses are signed besides the sandbox's own, such as ``meso.umontpellier.fr``
    :param issuer: a realm of a real Keycloak that is trusted in place of the sandbox's own provider
    """
    routes = Blueprint("signing", __name__, template_folder="templates")
    keeper = Keeper(store)
    if not issuer:
        identity.add_routes(routes, keeper)
    provider = identity.Realm(issuer) if issuer else identity.Own(keeper)
    _add_contract(routes, provider)
    _add_signing(routes, keeper, secret, frozenset(hosts), provider)
    _add_keys(routes, keeper, provider)
    return routes


def _person(keeper: Keeper, provider: identity.Provider) -> str | None:
    """Whose API key or bearer token the present request carries."""
    key = keeper.get("key", request.headers.get("access-key", ""))
    if key and secrets.compare_digest(key["secret"], digest(request.headers.get("secret-key", ""))):
        return key["user"]
    return provider.bearer()


def _add_contract(routes: Blueprint, provider: identity.Provider) -> None:
    @routes.get("/signing/openapi.json")
    def openapi() -> Any:
        """What can be called, and where tokens come from."""
        words = "Bac à sable : ceci n'est pas DINAMIS."
        flow = {"password": {"tokenUrl": provider.token_url(), "scopes": {}}}
        schemes = {
            "OAuth2PasswordBearer": {"type": "oauth2", "flows": flow},
            "access-key": {"type": "apiKey", "in": "header", "name": "access-key"},
            "secret-key": {"type": "apiKey", "in": "header", "name": "secret-key"},
        }
        answers = {"responses": {"200": {"description": "OK"}, "401": {"description": "Not authenticated"}}}
        token = [{"OAuth2PasswordBearer": []}]
        either = [*token, {"access-key": [], "secret-key": []}]
        calls = ("create_api_key", "list_api_keys_with_metadata", "revoke_api_key")
        paths: dict[str, Any] = {f"/{name}": {"get": {"security": token, **answers}} for name in calls}
        paths["/sign_urls"] = {"post": {"security": either, **answers}}
        info = {"title": "Signature d'adresses (bac à sable)", "version": "1", "description": words}
        servers = [{"url": f"{identity.origin()}/signing"}]
        components = {"securitySchemes": schemes}
        return jsonify(openapi="3.1.0", info=info, servers=servers, paths=paths, components=components)


def _add_signing(
    routes: Blueprint, keeper: Keeper, secret: str, hosts: frozenset[str], provider: identity.Provider
) -> None:
    @routes.post("/signing/sign_urls")
    def sign_urls() -> Any:
        """At most 64 addresses of the allowed hosts, signed."""
        if _person(keeper, provider) is None:
            return _unauthenticated()
        try:
            urls, seconds = _wanted(request.get_json(silent=True), hosts | {request.host})
        except _Unfit as error:
            return jsonify(detail=str(error)), 422
        now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
        expiry = (now + dt.timedelta(seconds=seconds)).isoformat()
        answer = jsonify(expiry=expiry, hrefs={url: sign(url, secret, seconds, now) for url in urls})
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _add_keys(routes: Blueprint, keeper: Keeper, provider: identity.Provider) -> None:
    def route(name: str, answer: Callable[[str], Any]) -> None:
        """Add a call that only a bearer token opens."""

        def view() -> Any:
            user = provider.bearer()
            return _unauthenticated() if user is None else answer(user)

        # These change state on GET because the real service does.
        routes.add_url_rule(f"/signing/{name}", name, view, methods=["GET"])

    def create(user: str) -> Any:
        access, hidden = secrets.token_hex(10), secrets.token_urlsafe(30)
        created = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        description = request.args.get("description", "")
        body = {"user": user, "secret": digest(hidden), "description": description, "created": created}
        keeper.put("key", access, KEY_SECONDS, body)
        return jsonify({"access-key": access, "secret-key": hidden}), 200, {"Cache-Control": "no-store"}

    def listed(user: str) -> Any:
        own = [(name, key) for name, key in keeper.all("key").items() if key["user"] == user]
        return jsonify(
            [{"created": key["created"], "access-key": name, "description": key["description"]} for name, key in own]
        )

    def revoke(user: str) -> Any:
        name = request.args.get("access_key", "")
        key = keeper.get("key", name)
        if key is None or key["user"] != user or not keeper.drop("key", name):
            return jsonify(detail="Unknown API key"), 404
        return jsonify(detail="API key revoked")

    route("create_api_key", create)
    route("list_api_keys_with_metadata", listed)
    route("revoke_api_key", revoke)
