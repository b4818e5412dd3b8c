"""A person watches a territory or an area, and stops watching it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import orjson
import sqlalchemy as sa
from ckan import model
from cryptography.fernet import InvalidToken
from shapely.geometry import box, mapping, shape

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.alerts import arrivals, rules
from ckanext.dinamis_relais.alerts.model import Watch
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.gateway import secrets
from ckanext.dinamis_relais.imagery import describe, filters, places, territories
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError

#: What the token of a mail's link is for: no other secret of this site holds this word.
_STOPS = "stops_alerts_of"


def today() -> Any:
    """The day whose mail has left or is due, in the site's zone."""
    return rules.day_of(utcnow(), tk.h.get_display_timezone(), config.alerts_hour())


def place(kind: str, code: str) -> tuple[str, str, dict[str, Any]]:
    """What is to be watched; asks API Géo, hence before any transaction.

    :returns: its code as it is kept, its name, its outline
    :raises GuardError: there is no such place, or nobody can say it now
    """
    if kind == rules.AREA:
        return _area(code)
    code = code.upper()
    known = kind in territories.KINDS and territories.is_code(kind, code)
    try:
        found = territories.read(kind, code) if known else None
    except places.PlaceUnavailable as error:
        raise GuardError("code", tk._("The place could not be looked up just now. Try again later.")) from error
    if found is None or not found.outline:
        raise GuardError("code", tk._("There is no territory of this kind with this code."))
    return code, found.label, found.outline


def _area(code: str) -> tuple[str, str, dict[str, Any]]:
    asked, _wrong = filters.read({"bbox" if "," in code else "area": code})
    if not asked.watched:
        raise GuardError("code", tk._("Give the box as west,south,east,north in degrees."))
    if asked.outline:
        drawn: Any = shape(asked.outline)
    else:
        west, south, east, north = (float(value) for value in asked.watched.split(","))
        drawn = box(west, south, east, north)
    longitude, latitude = (drawn.bounds[0] + drawn.bounds[2]) / 2, (drawn.bounds[1] + drawn.bounds[3]) / 2
    near = places.around(longitude, latitude)
    where = near or f"{describe.number(latitude, 2)}, {describe.number(longitude, 2)}"
    outline = orjson.loads(orjson.dumps(mapping(drawn)))
    name = tk._("The area of your file, around {place}") if asked.area else tk._("Part of the map around {place}")
    return asked.watched, name.format(place=where), outline


def of_user(user_id: str, lock: bool = False) -> list[Watch]:
    """What a login watches, the oldest first.

    :param lock: True to hold the rows until the transaction ends
    """
    query = sa.select(Watch).where(Watch.user_id == user_id).order_by(Watch.created_at, Watch.id)
    query = query.with_for_update().execution_options(populate_existing=True) if lock else query
    return list(session().execute(query).scalars())


def start(user: model.User, kind: str, found: tuple[str, str, dict[str, Any]]) -> Watch:
    """Watch a place from now on; the same again changes nothing. The caller commits.

    :param found: of :func:`place`
    :raises GuardError: the login has no address, or watches too many places
    """
    code, name, outline = found
    if not user.email:
        raise GuardError("email", tk._("Your login has no address to write to. Give one in your profile first."))
    # Two clicks at once: the second waits here, and finds the row of the first.
    key = {"key": f"dinamis:watch:{user.id}"}
    session().execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), key)
    present = of_user(user.id)
    known = next((one for one in present if (one.kind, one.code) == (kind, code)), None)
    if known is not None:
        return known
    if len(present) >= rules.MOST:
        text = tk._("You are told of {number} places already: stop one of them first, in your account.")
        raise GuardError("code", text.format(number=rules.MOST))
    with arrivals.look(scene_model.engine()) as now:
        row = Watch(user_id=user.id, kind=kind, code=code, name=name, geometry=outline, cursor=now.snapshot,
                    looked_on=today())  # fmt: skip
    session().add(row)
    session().flush()
    record(Event.WATCH_STARTED, user.id, "watch", row.id, None)
    return row


def stop(rows: list[Watch], actor: str, event: Event = Event.WATCH_STOPPED) -> None:
    """Stop watching some places; the caller commits."""
    for row in rows:
        record(event, actor, "watch", row.id, None)
        session().delete(row)
    session().flush()


def shown(row: Watch) -> dict[str, Any]:
    """A watched place as it is shown."""
    return {"id": row.id, "kind": row.kind, "code": row.code, "name": row.name, "since": isoformat(row.created_at),
            "page": page(row.kind, row.code)}  # fmt: skip


def page(kind: str, code: str) -> str:
    """Path of a place's page, without the site's address; in the site's own language."""
    if kind == rules.AREA:
        given = {"bbox" if "," in code else "area": code}
        return str(tk.url_for("dinamis_imagery.explorer", locale="default", **given))
    return str(tk.url_for("dinamis_coverage.show", kind=kind, code=code, locale="default"))


def token_of(user_id: str) -> str:
    """What the link in each of a person's mails holds; it stops their alerts, and nothing else. It does not end."""
    return secrets.encrypt({_STOPS: user_id}).decode()


def user_of_token(token: str) -> str:
    """The login whose alerts a link stops.

    :raises toolkit.ObjectNotFound: it is no such link
    """
    try:
        return str(secrets.decrypt(token.encode())[_STOPS])
    except (InvalidToken, KeyError, ValueError) as error:
        raise tk.ObjectNotFound(tk._("This link is not valid. Open it from the mail, whole.")) from error
