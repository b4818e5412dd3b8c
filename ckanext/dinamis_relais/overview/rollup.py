"""Counters kept from the journal: each round takes the lines after the cursor, adds what they tell, moves the cursor.

Lines are numbered and committed under the journal's lock (:mod:`journal.settling`), so none can appear behind the
cursor. Counters and cursor move in one transaction: a kill counts nothing twice.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.rules import MACHINE as ACCOUNT
from ckanext.dinamis_relais.db import new_id, session, utcnow
from ckanext.dinamis_relais.imagery_requests.rules import MACHINE as REQUEST
from ckanext.dinamis_relais.journal import Event, settle
from ckanext.dinamis_relais.membership.machines import MEMBERSHIP
from ckanext.dinamis_relais.overview.model import EVERYBODY, RollupCursor, SceneArea
from ckanext.dinamis_relais.questions.rules import MACHINE as QUESTION

log = logging.getLogger(__name__)

#: Lines of one round, which is one transaction.
CHUNK = 20_000
#: Seconds between two rounds of the worker.
EVERY = 15.0
_last = [-EVERY]


def states_by_event() -> dict[str, tuple[str, str]]:
    """Journal event → (kind of thing, the state that it leads to), from the tables of the machines."""
    found = {
        Event.MEMBERSHIP_ACTIVATED.value: ("membership", MEMBERSHIP.initial),
        Event.ACCOUNT_REQUESTED.value: ("account", ACCOUNT.initial),
        Event.QUESTION_ASKED.value: ("question", QUESTION.initial),
        Event.REQUEST_RECEIVED.value: ("request", REQUEST.initial),
    }
    machines = (("membership", MEMBERSHIP), ("account", ACCOUNT), ("question", QUESTION), ("request", REQUEST))
    for kind, machine in machines:
        for row in machine:
            # A message of an open or an escalated question leaves it where it is.
            if row.event != Event.QUESTION_WRITTEN.value:
                found[row.event] = (kind, row.target)
    return found


#: Adds rows ``(organization_id, day, measure, dimension, value)`` to the day and the month, of the organisation and
#: of everybody.
_ADD = """
INSERT INTO dinamis_rollup AS r (organization_id, grain, start, measure, dimension, value)
SELECT o.id, g.grain, g.start, n.measure, n.dimension, sum(n.value)
FROM ({news}) n
CROSS JOIN LATERAL (VALUES ('d', n.day), ('m', date_trunc('month', n.day)::date)) g(grain, start)
CROSS JOIN LATERAL (VALUES (n.organization_id), (:everybody)) o(id)
GROUP BY 1, 2, 3, 4, 5 HAVING sum(n.value) <> 0
ON CONFLICT (organization_id, grain, start, measure, dimension) DO UPDATE SET value = r.value + excluded.value
"""
_LINES = "SELECT *, coalesce(organization_id, '') AS org, (at AT TIME ZONE :zone)::date AS day FROM dinamis_journal \
WHERE id > :after AND id <= :last"
_EVENTS = f"SELECT org AS organization_id, day, 'event' AS measure, event AS dimension, count(*)::numeric AS value \
FROM ({_LINES}) l GROUP BY 1, 2, 4"  # noqa: S608  # our own text
_MOVES = f"""
SELECT l.id, l.org, l.day, s.kind, l.object_id, s.state,
 coalesce(lag(s.state) OVER w, k.state) AS before, lead(s.state) OVER w IS NULL AS newest
FROM ({_LINES}) l JOIN unnest(CAST(:events AS text[]), CAST(:kinds AS text[]), CAST(:states AS text[]))
 AS s(event, kind, state) ON s.event = l.event
LEFT JOIN dinamis_rollup_state k ON k.object_type = s.kind AND k.object_id = l.object_id
WINDOW w AS (PARTITION BY s.kind, l.object_id ORDER BY l.id)
"""  # noqa: S608
_STATES = f"""
SELECT org AS organization_id, day, 'state' AS measure, kind || ':' || state AS dimension, 1::numeric AS value
FROM ({_MOVES}) m WHERE before IS DISTINCT FROM state
UNION ALL SELECT org, day, 'state', kind || ':' || before, -1 FROM ({_MOVES}) m WHERE before <> state
"""  # noqa: S608
_KEEP_STATES = f"""
INSERT INTO dinamis_rollup_state (object_type, object_id, state)
SELECT kind, object_id, state FROM ({_MOVES}) m WHERE newest
ON CONFLICT (object_type, object_id) DO UPDATE SET state = excluded.state
"""  # noqa: S608
#: How long people waited: for the validation of the account that they asked for, the board's decision on a file, an
#: answer since they last wrote, PIGMA's decision on a request and the image itself.
_WAITS = f"""
SELECT l.org, l.day, 'account' AS kind, extract(epoch FROM l.at - a.created_at) AS seconds
FROM ({_LINES}) l JOIN dinamis_account a ON a.id = l.object_id
WHERE l.event = 'account.validated' AND a.origin IN ('person', 'referent')
UNION ALL SELECT l.org, l.day, 'application', extract(epoch FROM l.at - a.created_at)
FROM ({_LINES}) l JOIN dinamis_application a ON a.id = l.object_id
WHERE l.event IN ('application.accepted', 'application.refused')
UNION ALL SELECT l.org, l.day, 'question', extract(epoch FROM l.at - b.at)
FROM ({_LINES}) l CROSS JOIN LATERAL (SELECT j.event, j.at FROM dinamis_journal j WHERE j.object_id = l.object_id
 AND j.id < l.id AND j.event IN ('question.asked', 'question.reopened', 'question.answered')
 ORDER BY j.id DESC LIMIT 1) b WHERE l.event = 'question.answered' AND b.event <> 'question.answered'
UNION ALL SELECT l.org, l.day, 'request', extract(epoch FROM l.at - r.created_at)
FROM ({_LINES}) l JOIN dinamis_request r ON r.id = l.object_id
WHERE l.event IN ('request.accepted', 'request.rejected', 'request.completed')
 AND NOT EXISTS (SELECT 1 FROM dinamis_journal j WHERE j.object_id = l.object_id AND j.id < l.id
 AND j.event IN ('request.accepted', 'request.rejected', 'request.completed'))
UNION ALL SELECT l.org, l.day, 'image', extract(epoch FROM l.at - r.created_at)
FROM ({_LINES}) l JOIN dinamis_request r ON r.id = l.object_id WHERE l.event = 'request.completed'
"""  # noqa: S608
_DELAYS = f"""
SELECT org AS organization_id, day, 'delay.seconds' AS measure, kind AS dimension, sum(seconds)::numeric AS value
FROM ({_WAITS}) w GROUP BY 1, 2, 4
UNION ALL SELECT org, day, 'delay.count', kind, count(*) FROM ({_WAITS}) w GROUP BY 1, 2, 4
"""  # noqa: S608
#: Organisations that have downloaded at all, so that nobody has to walk the downloads to know who never did.
_KEEP_DOWNLOADERS = f"""
INSERT INTO dinamis_rollup_state (object_type, object_id, state)
SELECT DISTINCT 'downloads', org, 'yes' FROM ({_LINES}) l WHERE event = 'images.signed' AND org <> ''
ON CONFLICT (object_type, object_id) DO NOTHING
"""  # noqa: S608
#: Days of an organisation on which files were handed out; a file's own time lies a moment before its line's.
_DIRTY = f"""
SELECT DISTINCT org, d.day FROM ({_LINES}) l CROSS JOIN LATERAL (VALUES
 (l.day), (((l.at - interval '1 minute') AT TIME ZONE :zone)::date)) d(day) WHERE l.event = 'images.signed'
"""  # noqa: S608
_SIGNED = f"""
SELECT d.org, d.day, w.call_id, w.collection, w.item_id, w.bytes, coalesce(w.theme, 'none') AS theme
FROM ({_DIRTY}) d JOIN dinamis_download w ON w.organization_id = d.org
 AND w.signed_at >= d.day::timestamp AT TIME ZONE :zone AND w.signed_at < (d.day + 1)::timestamp AT TIME ZONE :zone
"""  # noqa: S608
#: What the download table says of those days, by series and by theme, less what was counted of them before. All
#: files of a call are for one theme, so a scene of a call is in one of them.
_DOWNLOADS = f"""
WITH calls AS (
 SELECT f.org, f.day, f.call_id, f.collection, f.item_id, f.theme, count(*) AS files,
  sum(coalesce(f.bytes, 0)) AS bytes
 FROM ({_SIGNED}) f GROUP BY 1, 2, 3, 4, 5, 6),
named AS (
 SELECT c.*, c.collection || coalesce('/' || a.year, '') AS series, a.km2
 FROM calls c LEFT JOIN dinamis_scene_area a ON a.collection = c.collection AND a.item_id = c.item_id),
sums AS (
 SELECT n.org, n.day, coalesce(n.series, n.theme) AS dimension,
  CASE WHEN grouping(n.series) = 0 THEN 'download.' ELSE 'theme.' END AS kind, sum(n.files) AS files,
  sum(n.bytes) AS bytes, count(*) AS scenes, coalesce(sum(n.km2), 0) AS km2
 FROM named n GROUP BY GROUPING SETS ((n.org, n.day, n.series), (n.org, n.day, n.theme)))
SELECT s.org AS organization_id, s.day, s.kind || v.measure AS measure, s.dimension, v.value FROM sums s
CROSS JOIN LATERAL (VALUES ('files', s.files::numeric), ('bytes', s.bytes::numeric),
  ('scenes', s.scenes::numeric), ('km2', round(s.km2::numeric, 3))) v(measure, value)
UNION ALL SELECT r.organization_id, r.start, r.measure, r.dimension, -r.value FROM dinamis_rollup r
 JOIN ({_DIRTY}) d ON d.org = r.organization_id AND d.day = r.start
 WHERE r.grain = 'd' AND (r.measure LIKE 'download.%' OR r.measure LIKE 'theme.%')
"""  # noqa: S608
#: The same of all series together, of the months in which anything changed.
_KEEP_DOWNLOADS = f"""
INSERT INTO dinamis_rollup_downloads (month, organization_id, files, scenes, bytes, km2)
SELECT r.start, r.organization_id, coalesce(sum(r.value) FILTER (WHERE r.measure = 'download.files'), 0),
 coalesce(sum(r.value) FILTER (WHERE r.measure = 'download.scenes'), 0),
 coalesce(sum(r.value) FILTER (WHERE r.measure = 'download.bytes'), 0),
 coalesce(sum(r.value) FILTER (WHERE r.measure = 'download.km2'), 0)
FROM (SELECT DISTINCT org, date_trunc('month', day)::date AS month FROM ({_DIRTY}) d) c
JOIN dinamis_rollup r ON r.organization_id = c.org AND r.grain = 'm' AND r.start = c.month
WHERE r.measure LIKE 'download.%' GROUP BY 1, 2
ON CONFLICT (month, organization_id) DO UPDATE SET files = excluded.files, scenes = excluded.scenes,
 bytes = excluded.bytes, km2 = excluded.km2
"""  # noqa: S608


def _cursor() -> RollupCursor:
    db = session()
    db.execute(
        sa.text(
            "INSERT INTO dinamis_rollup_cursor (id, line_id, zone, refreshed_at, revision) "
            "VALUES (1, 0, :zone, now(), :revision) ON CONFLICT (id) DO NOTHING"
        ),
        {"zone": config.time_zone(), "revision": new_id()},
    )
    query = sa.select(RollupCursor).with_for_update().execution_options(populate_existing=True)
    return db.execute(query).scalar_one()


def _learn_areas(values: dict[str, Any]) -> None:
    """Ask the scene store for the surfaces that are not known yet; its database is another one, so before ours."""
    db = session()
    rows = db.execute(
        sa.text(
            f"SELECT DISTINCT f.collection, f.item_id FROM ({_SIGNED}) f "  # noqa: S608
            "LEFT JOIN dinamis_scene_area a ON a.collection = f.collection AND a.item_id = f.item_id "
            "WHERE a.item_id IS NULL"
        ),
        values,
    ).all()
    db.rollback()
    if not rows:
        return
    from ckanext.dinamis_relais.imagery.model import engine

    found: list[dict[str, Any]] = []
    try:
        with engine().connect() as store:
            asked = {"c": [row[0] for row in rows], "i": [row[1] for row in rows]}
            found = [
                dict(row)
                for row in store.execute(
                    sa.text(
                        "SELECT s.collection, s.id AS item_id, ST_Area(s.geom::geography) / 1e6 AS km2, "
                        "date_part('year', s.datetime)::int AS year FROM scene s JOIN "
                        "unnest(CAST(:c AS text[]), CAST(:i AS text[])) w(c, i) ON s.collection = w.c AND s.id = w.i"
                    ),
                    asked,
                ).mappings()
            ]
    except SQLAlchemyError as error:
        log.warning("Surfaces are not known: the scene store does not answer (%s).", type(error).__name__)
    if found:
        from sqlalchemy.dialects.postgresql import insert

        db.execute(insert(SceneArea.__table__).on_conflict_do_nothing(), found)
        db.commit()


def refresh(chunk: int = CHUNK) -> int:
    """Count the next lines of the journal; commits.

    :param chunk: at most so many lines
    :returns: how many lines were counted; 0 when all are
    """
    db = session()
    settle()
    row = _cursor()
    newest = db.execute(sa.text("SELECT max(id) FROM dinamis_journal")).scalar() or 0
    oldest = db.execute(sa.text("SELECT min(id) FROM dinamis_journal")).scalar() or 1
    after, zone = max(row.line_id, oldest - 1), row.zone
    last = min(newest, after + chunk)
    db.commit()  # the cursor's row may be new; its lock is taken again below
    if last <= after:
        return 0
    values: dict[str, Any] = {"after": after, "last": last, "zone": zone}
    _learn_areas(values)
    row = _cursor()
    if max(row.line_id, oldest - 1) != after:  # another worker was faster
        db.rollback()
        return 0
    moves = states_by_event()
    known = {
        **values, "events": list(moves), "kinds": [kind for kind, _s in moves.values()],
        "states": [state for _k, state in moves.values()],
    }  # fmt: skip
    for news, given in ((_EVENTS, values), (_STATES, known), (_DELAYS, values), (_DOWNLOADS, values)):
        db.execute(sa.text(_ADD.format(news=news)), {**given, "everybody": EVERYBODY})
    db.execute(sa.text(_KEEP_DOWNLOADS), values)
    db.execute(sa.text(_KEEP_STATES), known)
    db.execute(sa.text(_KEEP_DOWNLOADERS), values)
    row.line_id, row.refreshed_at, row.revision = last, utcnow(), new_id()
    db.commit()
    return last - after


def rebuild() -> int:
    """Count everything anew, in the present time zone; commits.

    :returns: how many lines were counted
    :raises ValueError: lines were pruned, whose counters nobody could make again
    """
    db = session()
    if db.execute(sa.text("SELECT count(*) FROM dinamis_journal_checkpoint")).scalar():
        raise ValueError("Lines of the journal were pruned: their counters could not be made again.")
    for table in ("dinamis_rollup", "dinamis_rollup_downloads", "dinamis_rollup_state", "dinamis_rollup_cursor"):
        db.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # our own names
    db.commit()
    total = 0
    while done := refresh():
        total += done
    return total


def keep_counting() -> int:
    """A worker's round.

    :returns: 0 when all is counted: the worker may rest
    """
    if time.monotonic() - _last[0] < EVERY:
        return 0
    done = refresh()
    if not done:
        _last[0] = time.monotonic()
    return done
