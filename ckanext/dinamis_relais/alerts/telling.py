"""What is new leaves by mail: at most one a day for each person, with all the places that they watch."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts import states_of
from ckanext.dinamis_relais.alerts import arrivals, rules, watching
from ckanext.dinamis_relais.alerts.model import Watch
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.imagery import describe
from ckanext.dinamis_relais.imagery import model as scene_model

#: People that one round of the worker looks at: deliveries are looked at in between.
ROUND = 20


def tell_some(day: dt.date) -> int:
    """Look for some of those whom nobody has looked for on this day; each in a transaction of their own.

    Cursor and message are of one transaction: killed in between, nothing is told twice and nothing is left out.

    :param day: of :func:`rules.day_of`
    :returns: how many people were looked for
    """
    query = sa.select(Watch.user_id).where(Watch.looked_on < day).group_by(Watch.user_id).order_by(Watch.user_id)
    waiting = list(session().execute(query.limit(ROUND)).scalars())
    session().commit()
    for user_id in waiting:
        _tell(user_id, day)
        session().commit()
    return len(waiting)


def _tell(user_id: str, day: dt.date) -> None:
    # Of two workers one has the rows; what it wrote, the other finds done.
    rows = [row for row in watching.of_user(user_id, lock=True) if row.looked_on < day]
    user: Any = model.User.get(user_id)
    written_to = user is not None and bool(user.email) and rules.may_receive(user.state, states_of(user_id))
    news: list[tuple[Watch, arrivals.New]] = []
    with arrivals.look(scene_model.engine()) as now:
        if written_to:
            news = [(row, now.since(row.cursor, row.geometry, rules.NAMED)) for row in rows]
        for row in rows:
            # Also of who is not written to: what came meanwhile does not flood them afterwards.
            row.cursor, row.looked_on = now.snapshot, day
    told = [(row, new) for row, new in news if new.count]
    if told:
        _write(user, told)


def _write(user: Any, told: list[tuple[Watch, arrivals.New]]) -> None:
    site = config.site_url()
    total = sum(new.count for _row, new in told)
    values = {
        "count": total, "one": len(told) == 1, "title": told[0][0].name,
        "places": [{"title": row.name, "count": new.count, "text": _lines(new), "rest": new.count - len(new.items),
                    "page": site + watching.page(row.kind, row.code)} for row, new in told],
        "page": f"{site}/dinamis/me",
    }  # fmt: skip
    link = f"{site}/dinamis/alerts/stop/{watching.token_of(user.id)}"
    thing = ("watch", user.id, None)
    mailer.write("new_images", user.email, user.fullname or user.name, thing, values, link=link)


def _lines(new: arrivals.New) -> str:
    """A line a scene."""
    rows: list[dict[str, Any]] = [describe.row(item) for item in new.items]
    said = [(row, tk._("clouds: {value}").format(value=row["cloud"])) for row in rows]
    return "\n".join(f"- {row['sensor']}, {row['date']} ({clouds})" for row, clouds in said)
