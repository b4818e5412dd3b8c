"""The sandbox's web application: one Flask application made of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, jsonify, request

from ckanext.dinamis_relais.sandbox import (
    board,
    entities,
    gateway,
    geo,
    mail,
    objects,
    outage,
    pages,
    questions,
    requests,
    scenes,
    signing,
)
from ckanext.dinamis_relais.sandbox.state import State

#: Applications arrive with their documents in base64; more than this is refused with 413.
LARGEST_REQUEST = 64 * 1024 * 1024
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Settings:
    """How one sandbox is started.

    :ivar data: folder of its memory and caches
    :ivar public_url: its own address, without a final slash
    :ivar stac_url: STAC server of the synthetic scenes, started by somebody else
    :ivar ckan_url: the site that tries against it
    :ivar gateway_token: bearer token of the gateway's contract
    :ivar signing_secret: what signed addresses of objects are made with
    :ivar signing_hosts: whose addresses are signed besides its own
    :ivar issuer: a Keycloak realm that knows people in place of the sandbox's own small provider
    """

    data: Path
    public_url: str
    stac_url: str
    ckan_url: str
    gateway_token: str
    signing_secret: str
    signing_hosts: tuple[str, ...] = ()
    issuer: str = ""


def create_app(settings: Settings) -> Flask:
    """The application, its memory open.

    :param settings: see :class:`Settings`
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    state = State(settings.data)
    app.extensions["sandbox"] = settings
    app.extensions["sandbox-state"] = state
    app.context_processor(lambda: {"settings": settings})
    app.before_request(_same_site)
    app.before_request(lambda: outage.apply(state))
    app.register_blueprint(outage.blueprint(state))
    app.register_blueprint(gateway.blueprint(state, settings.gateway_token), url_prefix="/gateway")
    app.register_blueprint(board.blueprint(state))
    app.register_blueprint(questions.blueprint(state))
    app.register_blueprint(requests.blueprint(state))
    app.register_blueprint(mail.blueprint(state))
    app.register_blueprint(entities.blueprint(), url_prefix="/recherche-entreprises")
    app.register_blueprint(geo.blueprint(), url_prefix="/geo")
    app.register_blueprint(pages.blueprint(state))
    app.register_blueprint(objects.blueprint(settings.signing_secret, settings.data / "objects", scenes))
    keys = settings.data / "keys.sqlite3"
    app.register_blueprint(signing.blueprint(settings.signing_secret, keys, settings.signing_hosts, settings.issuer))
    app.after_request(_label)
    app.after_request(outage.close)
    return app


def _same_site() -> Response | None:
    """Another site's page cannot press the sandbox's buttons in a visitor's browser."""
    if request.method not in READING and request.headers.get("Sec-Fetch-Site") == "cross-site":
        answer = jsonify(error={"field": "Origin", "problem": "autre site", "remedy": "Utilisez les pages du bac."})
        answer.status_code = 403
        abort(answer)
    return None


def _label(response: Response) -> Response:
    """Every answer, JSON included, says that it comes from a sandbox."""
    response.headers["X-Sandbox"] = "not DINAMIS, synthetic data"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response
