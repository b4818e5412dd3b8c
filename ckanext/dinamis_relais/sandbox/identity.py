"""A small identity provider: OIDC's device flow, as the real one is spoken to, with a page to approve a code."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, Protocol

import requests
from flask import Blueprint, Response, jsonify, make_response, render_template, request

from ckanext.dinamis_relais.sandbox.keeper import Keeper, digest

OIDC = "/identity/realms/dinamis/protocol/openid-connect"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
#: Seconds that an access token, a refresh token and a device code live.
TOKEN_SECONDS, REFRESH_SECONDS, DEVICE_SECONDS = 300, 30 * 24 * 3600, 600
#: Seconds a client waits between two questions.
INTERVAL = 1
LONGEST_NAME = 60
#: Letters of a code that nobody mistakes for one another.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


def bearer(keeper: Keeper) -> str | None:
    """The person whose access token the present request carries, None without a good one."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    found = keeper.get("access", digest(token.strip())) if scheme.lower() == "bearer" else None
    return found["user"] if found else None


class Provider(Protocol):
    """Whom the signing service asks who somebody is."""

    def token_url(self) -> str:
        """The token endpoint, as ``openapi.json`` names it."""
        ...

    def bearer(self) -> str | None:
        """The person whose access token the present request carries, None without a good one."""
        ...


class Own:
    """The sandbox's own small provider."""

    def __init__(self, keeper: Keeper):
        self.keeper = keeper

    def token_url(self) -> str:
        """The token endpoint."""
        return f"{origin()}{OIDC}/token"

    def bearer(self) -> str | None:
        """Whose token it is."""
        return bearer(self.keeper)


class Realm:
    """A realm of a real Keycloak; each token is shown to its ``userinfo``, as the provider alone knows.

    :param issuer: the realm's address, without a final slash
    """

    def __init__(self, issuer: str):
        self.oidc = f"{issuer}/protocol/openid-connect"

    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.oidc}/token"

    def bearer(self) -> str | None:
        """Whose token it is, by the realm's answer."""
        given = request.headers.get("Authorization", "")
        if not given.lower().startswith("bearer "):
            return None
        answer = requests.get(f"{self.oidc}/userinfo", headers={"Authorization": given}, timeout=20)
        return answer.json().get("preferred_username") if answer.status_code == 200 else None


def origin() -> str:
    """The sandbox's own address, as the caller knows it, without a final slash."""
    return request.url_root.rstrip("/")


def _tokens(keeper: Keeper, user: str) -> Any:
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    keeper.put("access", digest(access), TOKEN_SECONDS, {"user": user})
    keeper.put("refresh", digest(refresh), REFRESH_SECONDS, {"user": user})
    answer = jsonify(
        access_token=access,
        expires_in=TOKEN_SECONDS,
        refresh_token=refresh,
        refresh_expires_in=REFRESH_SECONDS,
        token_type="Bearer",  # noqa: S106  # a kind of token, no secret
        scope="openid offline_access",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refused(error: str, words: str) -> tuple[Response, int]:
    return jsonify(error=error, error_description=words), 400


def _by_device(keeper: Keeper, code: str) -> Any:
    """Tokens for a device code, once, when the person has approved it."""
    found = keeper.get("device", digest(code))
    if found is None:
        return _refused("expired_token", "Unknown or expired device code")
    if found["answer"] is None:
        return _refused("authorization_pending", "The person has not answered yet")
    if not keeper.drop("device", digest(code)):
        return _refused("expired_token", "This device code was used")
    if found["answer"] == "no":
        return _refused("access_denied", "The person refused")
    return _tokens(keeper, found["user"])


def _approve(keeper: Keeper, code: str, name: str, answer: str) -> tuple[str, str]:
    """Write a person's answer down.

    :returns: what was done and what is wrong; one of them is empty
    """
    link = keeper.get("user-code", code)
    if link is None:
        return "", "Ce code est inconnu ou échu. Recopiez-le, ou demandez-en un autre au logiciel."
    if answer == "no":
        keeper.change("device", link["device"], answer="no")
        keeper.drop("user-code", code)
        return "C'est refusé. Vous pouvez fermer cette page.", ""
    if not name or len(name) > LONGEST_NAME:
        return "", f"Donnez un nom d'essai de 1 à {LONGEST_NAME} caractères."
    if not keeper.drop("user-code", code) or not keeper.change("device", link["device"], answer="yes", user=name):
        return "", "Ce code a déjà servi. Demandez-en un autre au logiciel."
    return f"C'est autorisé pour « {name} ». Vous pouvez fermer cette page et revenir au logiciel.", ""


def add_routes(routes: Blueprint, keeper: Keeper) -> None:
    """Add the provider's routes, under ``/identity``."""

    @routes.post(f"{OIDC}/auth/device")
    def device() -> Any:
        """Begin the device flow."""
        if not request.form.get("client_id"):
            return _refused("invalid_request", "client_id is missing")
        code = secrets.token_urlsafe(32)
        word = "".join(secrets.choice(LETTERS) for _ in range(8))
        user_code = f"{word[:4]}-{word[4:]}"
        keeper.put("device", digest(code), DEVICE_SECONDS, {"answer": None, "user": None})
        keeper.put("user-code", user_code, DEVICE_SECONDS, {"device": digest(code)})
        page = f"{origin()}/identity/device"
        return jsonify(
            device_code=code,
            user_code=user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={user_code}",
            expires_in=DEVICE_SECONDS,
            interval=INTERVAL,
        )

    @routes.post(f"{OIDC}/token")
    def token() -> Any:
        """Device grant and refresh grant. As Keycloak does by default, a refresh token serves until its end."""
        if any(len(values) > 1 for _name, values in request.form.lists()):
            return _refused("invalid_request", "duplicated parameter")
        grant = request.form.get("grant_type")
        if grant == DEVICE_GRANT:
            return _by_device(keeper, request.form.get("device_code", ""))
        if grant != "refresh_token":
            return _refused("unsupported_grant_type", "device_code or refresh_token")
        found = keeper.get("refresh", digest(request.form.get("refresh_token", "")))
        return _tokens(keeper, found["user"]) if found else _refused("invalid_grant", "Token is not active")

    @routes.get(f"{OIDC}/userinfo")
    def userinfo() -> Any:
        """Who a token belongs to."""
        user = bearer(keeper)
        if user is None:
            return jsonify(error="invalid_token"), 401, {"WWW-Authenticate": "Bearer"}
        return jsonify(sub=str(uuid.uuid5(uuid.NAMESPACE_URL, user)), preferred_username=user, name=user)

    @routes.route("/identity/device", methods=["GET", "POST"])
    def approve() -> Any:
        """The page on which a person approves a code."""
        code = request.values.get("user_code", "").strip().upper()
        name, done, problem = request.form.get("name", "").strip(), "", ""
        if request.method == "POST":
            done, problem = _approve(keeper, code, name, request.form.get("answer", "yes"))
        values = {"code": code, "name": name, "done": done, "problem": problem}
        return make_response(render_template("identity.html", **values), 422 if problem else 200)
