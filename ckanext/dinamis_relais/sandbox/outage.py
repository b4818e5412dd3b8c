"""Trouble on demand: each part can be made to fail the ways real services fail."""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for

from ckanext.dinamis_relais.sandbox.state import State

SERVICES = {
    "gateway": "Guichet (contrat d'adhésion)",
    "signing": "Signature d'adresses",
    "objects": "Magasin d'images",
    "entities": "Recherche d'entreprises",
    "geo": "API Géo",
    "mail": "Réception du courrier",
}
MODES = {
    "ok": "Fonctionne",
    "503": "503 : indisponible",
    "429": "429 : trop de demandes",
    "timeout": "Ne répond plus",
    "html": "200, mais une page HTML",
    "401": "401 : jeton refusé",
}
#: What only one part knows: its requests are answered, but not as a page of another site needs it.
OWN_MODES = {
    "objects": {
        "closed": "Ne se laisse pas lire par une page d'un autre site (sans CORS)",
        "whole": "Ne donne que des fichiers entiers (ignore Range)",
    },
}
PREFIXES = {
    "/gateway": "gateway",
    "/signing": "signing",
    "/objects": "objects",
    "/recherche-entreprises": "entities",
    "/geo": "geo",
}
#: Media type and words of an error, as each contract gives them; the gateway's own shape for the others.
BODIES = {
    "entities": ("application/json", '{"erreur": "Panne demandée dans le bac à sable."}'),
    "signing": ("application/json", '{"detail": "Panne demandée dans le bac à sable."}'),
    "objects": ("application/xml", "<Error><Code>SlowDown</Code><Message>Panne (bac à sable).</Message></Error>"),
    "geo": ("text/plain", "Panne demandée dans le bac à sable."),
}
RETRY_AFTER = 2
#: Seconds a silent service keeps its caller waiting at most, and how many callers may wait: the pages keep threads.
SILENCE = 30.0
_waiting = threading.BoundedSemaphore(4)


def modes_of(service: str) -> dict[str, str]:
    """The modes that a part knows, with their words."""
    return {**MODES, **OWN_MODES.get(service, {})}


def set_mode(state: State, service: str, mode: str, seconds: float | None) -> None:
    """Make a part fail, or heal it.

    :param service: one of ``SERVICES``
    :param mode: one of :func:`modes_of`; ``ok`` heals
    :param seconds: how long; until healed when None
    :raises ValueError: unknown service or mode, a time that is not positive
    """
    if service not in SERVICES:
        raise ValueError(f"service : un de {', '.join(SERVICES)}")
    if mode not in modes_of(service):
        raise ValueError(f"mode : un de {', '.join(modes_of(service))}")
    if seconds is not None and not 0 < seconds <= 86400:
        raise ValueError("seconds : un nombre entre 0 et 86400, ou rien")
    until = None if seconds is None else time.time() + seconds
    with state.write() as db:
        db.execute("DELETE FROM outages WHERE service = ?", (service,))
        if mode != "ok":
            db.execute("INSERT INTO outages VALUES (?, ?, ?)", (service, mode, until))


def modes(state: State) -> dict[str, str]:
    """The present mode of every part."""
    with state.read() as db:
        rows = db.execute("SELECT service, mode FROM outages WHERE until IS NULL OR until > ?", (time.time(),))
        return {**dict.fromkeys(SERVICES, "ok"), **{row["service"]: row["mode"] for row in rows}}


def service_of(path: str) -> str | None:
    """The part that serves a path, None for the sandbox's own pages."""
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return PREFIXES.get(first)


def apply(state: State) -> Response | None:
    """Before a request: the failure that its part is asked to have, or None."""
    service = service_of(request.path)
    mode = modes(state)[service] if service else "ok"
    if service is None or mode == "ok":
        return None
    if mode in OWN_MODES.get(service, {}):
        g.sandbox_mode = mode
        if mode == "whole":
            request.environ.pop("HTTP_RANGE", None)
        return None
    if mode == "timeout":
        silence(state, service)
        return make_response(_error(service, mode), 504)
    if mode == "html":
        return make_response(render_template("outage_page.html"), 200)
    status = int(mode)
    answer = _error(service, mode)
    answer.status_code = status
    if status == 429:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def close(response: Response) -> Response:
    """After a request: the headers that a part in the mode ``closed`` does not send."""
    if g.get("sandbox_mode") == "closed":
        for name in [name for name, _ in response.headers if name.startswith("Access-Control-")]:
            del response.headers[name]
    return response


def _error(service: str, mode: str) -> Response:
    """An error in the shape of the service's own contract."""
    if service in BODIES:
        kind, text = BODIES[service]
        return Response(text, mimetype=kind)
    return jsonify(error={"field": None, "problem": MODES[mode], "remedy": "Panne demandée dans le bac à sable."})


def silence(state: State, service: str) -> None:
    """Wait until the outage is lifted or ``SILENCE`` seconds are over; at once when too many wait already."""
    if _waiting.acquire(blocking=False):
        try:
            end = time.monotonic() + SILENCE
            while time.monotonic() < end and modes(state)[service] == "timeout":
                time.sleep(0.2)
        finally:
            _waiting.release()


def _asked() -> tuple[str, str, float | None]:
    data: Any = request.get_json(silent=True) if request.is_json else request.form
    if not hasattr(data, "get"):
        raise ValueError("Envoyez un objet JSON ou un formulaire.")
    seconds = data.get("seconds")
    return str(data.get("service")), str(data.get("mode")), None if seconds in (None, "") else float(seconds)


def blueprint(state: State) -> Blueprint:
    """``/control`` (page) and ``POST /control/outage`` (form or JSON)."""
    parts = Blueprint("outage", __name__)

    @parts.get("/control")
    def control() -> str:
        done = request.args.get("done") == "1"
        return render_template("control.html", services=SERVICES, modes_of=modes_of, present=modes(state), done=done)

    @parts.post("/control/outage")
    def change() -> Any:
        try:
            set_mode(state, *_asked())
        except (TypeError, ValueError) as error:
            answer = {"error": {"field": "outage", "problem": str(error), "remedy": "Corrigez et renvoyez."}}
            return jsonify(answer), 422
        if request.is_json:
            return jsonify(modes(state))
        return redirect(url_for("outage.control", done=1), 303)

    return parts
