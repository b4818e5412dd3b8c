"""Whether the relay works: each check measures one thing and says whether it is within its limit.

No check holds a secret, an address or a person; who may not see the measures is told the verdicts alone.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.documents.certificates import certificate_of
from ckanext.dinamis_relais.documents.errors import DocumentError
from ckanext.dinamis_relais.gateway.delivery import targets
from ckanext.dinamis_relais.gateway.model import DeliveryTarget, Mail
from ckanext.dinamis_relais.journal.settling import LONG, waiting

log = logging.getLogger(__name__)

#: Seconds between two signs of life of a worker, and after which it is no longer counted as alive.
BEAT, ALIVE = 10.0, 180.0
_last = [0.0]


def _beats() -> str:
    return f"dinamis:workers:{tk.config['ckan.site_id']}"


def beat() -> int:
    """A worker's sign of life, in Redis: what is lost with Redis is told again seconds later.

    :returns: 0: nothing was handled
    """
    if time.monotonic() - _last[0] < BEAT:
        return 0
    _last[0] = time.monotonic()
    try:
        redis: Any = connect_to_redis()
        redis.zadd(_beats(), {f"{socket.gethostname()}:{os.getpid()}": time.time()})
        redis.zremrangebyscore(_beats(), 0, time.time() - 24 * 3600)
    except RedisError as error:
        log.warning("The worker's sign of life is not kept: Redis does not answer (%s).", type(error).__name__)
    return 0


def _check(ok: bool, **measures: Any) -> dict[str, Any]:
    return {"ok": ok, **measures}


def _workers() -> dict[str, Any]:
    redis: Any = connect_to_redis()
    last = redis.zrange(_beats(), -1, -1, withscores=True)
    alive = redis.zcount(_beats(), time.time() - ALIVE, "+inf")
    seen = dt.datetime.fromtimestamp(last[0][1], dt.timezone.utc) if last else None
    return _check(alive > 0, alive=alive, last_seen=isoformat(seen))


def owed_since(model: Any) -> Any:
    """SQL: since when a row is owed, as near as its columns tell."""
    found = [getattr(model, name) for name in ("updated_at", "state_since", "created_at") if hasattr(model, name)]
    return found[0]


def _deliveries() -> dict[str, Any]:
    due, failed, oldest = 0, 0, None
    for target in targets():
        model = target.model
        waits = sa.and_(model.version > model.delivered_version, model.failed_at.is_(None))
        broken = model.failed_at.is_not(None)
        query = sa.select(
            sa.func.count().filter(waits), sa.func.count().filter(broken), sa.func.min(owed_since(model)).filter(waits)
        ).where(sa.or_(waits, broken))
        n, m, since = session().execute(query).one()
        if target.enabled():
            due += n
            oldest = min((one for one in (oldest, since) if one), default=None)
        failed += m
    stopped = sorted(session().execute(sa.select(DeliveryTarget.name).where(DeliveryTarget.stopped_at.is_not(None)))
                     .scalars())  # fmt: skip
    minutes = (utcnow() - oldest).total_seconds() / 60 if oldest else 0.0
    limit = config.health_delivery_minutes()
    ok = not stopped and (limit <= 0 or minutes <= limit)
    return _check(ok, due=due, failed=failed, stopped=stopped, oldest_minutes=round(minutes))


def _mail() -> dict[str, Any]:
    failed = session().execute(sa.select(sa.func.count()).where(Mail.failed_at.is_not(None))).scalar()
    trying = (
        session()
        .execute(sa.select(sa.func.count()).where(Mail.version > Mail.delivered_version, Mail.attempts > 2))
        .scalar()
    )
    # An address that does not exist is a person's affair, on the deliveries' page; a server that is down is ours.
    return _check(not trying, failed=failed, tried_again=trying)


def _harvest() -> dict[str, Any]:
    runs = harvests()
    last = max((run["finished"] for run in runs if run["finished"]), default=None)
    hours = (utcnow() - last).total_seconds() / 3600 if last else None
    limit, errors = config.health_harvest_hours(), sum(run["errors"] for run in runs)
    ok = not runs or limit <= 0 or (hours is not None and hours <= limit)
    return _check(ok, sources=len(runs), last_finished=isoformat(last),
                  hours=round(hours, 1) if hours is not None else None, errors=errors)  # fmt: skip


def harvests() -> list[dict[str, Any]]:
    """The last finished job of each active source of scenes: ``source_id, title, finished, errors``."""
    if session().execute(sa.text("SELECT to_regclass('harvest_job')")).scalar() is None:
        return []
    rows = session().execute(
        sa.text(
            "SELECT s.id, s.title, j.finished, "
            "(SELECT count(*) FROM harvest_gather_error e WHERE e.harvest_job_id = j.id) + "
            "(SELECT count(*) FROM harvest_object_error e JOIN harvest_object o ON o.id = e.harvest_object_id "
            " WHERE o.harvest_job_id = j.id) AS errors "
            "FROM harvest_source s LEFT JOIN LATERAL (SELECT id, finished FROM harvest_job "
            " WHERE source_id = s.id AND finished IS NOT NULL ORDER BY finished DESC LIMIT 1) j ON true "
            "WHERE s.active AND s.type = 'dinamis-stac' ORDER BY s.title"
        )
    )
    return [
        {"source_id": id_, "title": title or "", "errors": errors or 0,
         "finished": finished.replace(tzinfo=dt.timezone.utc) if finished else None}
        for id_, title, finished, errors in rows
    ]  # fmt: skip


def _scenes() -> dict[str, Any]:
    from ckanext.dinamis_relais.imagery.model import engine

    with engine().connect() as connection:
        size = connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar()
    limit = config.health_scenes_gb()
    return _check(limit <= 0 or size <= limit * 10**9, bytes=size)


def _journal() -> dict[str, Any]:
    count, oldest = waiting()
    seconds = (utcnow() - oldest).total_seconds() if oldest else 0.0
    return _check(seconds <= LONG, waiting=count, oldest_seconds=round(seconds))


def _seal() -> dict[str, Any]:
    path = config.seal_pkcs12()
    if path is None:
        return _check(True, configured=False, ends=None, days=None)
    try:
        certificate = certificate_of(path, config.seal_password())
    except DocumentError:
        return _check(False, configured=True, ends=None, days=None)
    # The name with "_utc" is newer than what CKAN 2.11 pins.
    end = getattr(certificate, "not_valid_after_utc", None) or certificate.not_valid_after.replace(
        tzinfo=dt.timezone.utc
    )
    days = (end - utcnow()).days
    return _check(days >= config.health_certificate_days(), configured=True, ends=isoformat(end), days=days)


#: Name → what measures it. The names are those of the monitor's answer and of the metrics.
CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "workers": _workers,
    "deliveries": _deliveries,
    "mail": _mail,
    "harvest": _harvest,
    "scenes": _scenes,
    "journal": _journal,
    "seal": _seal,
}


def measure() -> dict[str, dict[str, Any]]:
    """Every check: ``{"ok": bool, …measures}``; one that cannot be made is not ok, and says ``unreachable``."""
    found = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except (RedisError, SQLAlchemyError, OSError) as error:
            log.warning("health: %s cannot be measured (%s)", name, type(error).__name__)
            session().rollback()
            found[name] = _check(False, unreachable=True)
    return found


def prometheus(checks: dict[str, dict[str, Any]], more: dict[str, float]) -> str:
    """The measures in Prometheus's text format.

    :param checks: as :func:`measure` gives them; only numbers become samples
    :param more: name → number of further gauges

    >>> print(prometheus({"mail": {"ok": True, "failed": 2}}, {"lines": 3}).replace("# TYPE", "#"), end="")
    # dinamis_up gauge
    dinamis_up{check="mail"} 1
    # dinamis_mail_failed gauge
    dinamis_mail_failed 2
    # dinamis_lines gauge
    dinamis_lines 3
    """
    lines = ["# TYPE dinamis_up gauge"]
    lines += [f'dinamis_up{{check="{name}"}} {int(found["ok"])}' for name, found in checks.items()]
    gauges = {f"{check}_{name}": value for check, found in checks.items() for name, value in found.items()
              if isinstance(value, int | float) and not isinstance(value, bool)}  # fmt: skip
    for name, value in {**gauges, **more}.items():
        lines += [f"# TYPE dinamis_{name} gauge", f"dinamis_{name} {value}"]
    return "\n".join(lines) + "\n"
