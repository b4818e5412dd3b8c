"""Keeps an eye on harvests: one mail to the operator when one fails, an end to one that shows no sign of life."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.harvest.model import HarvestGatherError, HarvestJob, HarvestObject, HarvestObjectError, HarvestSource

SOURCE_TYPE = "dinamis-stac"


def failed(job: Any, message: str) -> None:
    """Say on a job's page, and to the operator, that the source could not be read."""
    HarvestGatherError.create(message=message, job=job)
    tell(job, message)


def tell(job: Any, message: str) -> None:
    """Write to the operator that a harvest failed, once a job however many of its collections do.

    :param message: what happened and what to do
    """
    with model.Session.no_autoflush:
        key = {"key": f"dinamis:harvest-mail:{job.id}"}
        model.Session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), key)
        told = sa.select(Mail.id).where(Mail.name == "harvest_failed", Mail.object_id == job.id).limit(1)
        if model.Session.execute(told).first() is None:
            source = job.source
            page = f"{config.site_url()}/harvest/{_name(source)}/job/{job.id}"
            values = {"source": source.title or source.url, "url": source.url, "message": message, "page": page}
            for address, name in _operators():
                mailer.write("harvest_failed", address, name, ("harvest", job.id, None), values)
    model.Session.commit()


def _name(source: Any) -> str:
    package = model.Package.get(source.id)
    return package.name if package else source.id


def _operators() -> list[tuple[str, str]]:
    found = {user.email: (user.fullname or user.name) for user in holders(Role.SUPER_REFERENT) if user.email}
    return list(found.items()) or ([(config.contact_email(), config.relay_name())] if config.contact_email() else [])


def end_stuck(now: dt.datetime | None = None) -> int:
    """End the harvests of imagery that have shown no sign of life for too long; what they brought stays.

    :param now: aware time; the present by default
    :returns: how many
    """
    minutes = config.harvest_stuck_minutes()
    if not minutes:
        return 0
    limit = (now or dt.datetime.now(dt.timezone.utc)) - dt.timedelta(minutes=minutes)
    query = (
        model.Session.query(HarvestJob)
        .join(HarvestSource, HarvestSource.id == HarvestJob.source_id)
        .filter(HarvestSource.type == SOURCE_TYPE, HarvestJob.status == "Running")
    )
    stuck = [job for job in query if _last_sign(job) < limit]
    for job in stuck:
        _end(job, minutes)
    return len(stuck)


def _last_sign(job: Any) -> dt.datetime:
    """When something last happened in a job: in CKAN's tables, or a page that came into the scene store."""
    times = [job.created, job.gather_started, job.gather_finished]
    columns = ("gathered", "fetch_started", "fetch_finished", "import_started", "import_finished")
    newest = sa.select(*(sa.func.max(getattr(HarvestObject, name)) for name in columns))
    times += list(model.Session.execute(newest.where(HarvestObject.harvest_job_id == job.id)).one())
    aware = [time.replace(tzinfo=dt.timezone.utc) for time in times if time]
    runs = scene_model.runs
    with scene_model.engine().connect() as connection:
        page = connection.execute(sa.select(sa.func.max(runs.c.updated)).where(runs.c.job_id == job.id)).scalar()
    return max([*aware, *([page] if page else [])])


def _end(job: Any, minutes: int) -> None:
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    message = (
        f"Nothing happened for {minutes} minutes, so the harvest was ended. What was read is kept; the next job goes "
        "on from there. Check that the harvest consumers run (ckan harvester fetch-consumer)."
    )
    waiting = model.Session.query(HarvestObject).filter(
        HarvestObject.harvest_job_id == job.id, HarvestObject.state.notin_(("COMPLETE", "ERROR"))
    )
    one: Any
    for one in waiting:
        one.state = "ERROR"
        model.Session.add(HarvestObjectError(message=message, object=one, stage="Fetch"))
    job.status, job.finished = "Finished", now
    job.gather_finished = job.gather_finished or now
    model.Session.add(HarvestGatherError(message=message, job=job))
    runs = scene_model.runs
    open_ = sa.and_(runs.c.job_id == job.id, runs.c.state == "running")
    with scene_model.engine().begin() as connection:
        connection.execute(runs.update().where(open_).values(state="interrupted", message=message))
    tell(job, message)


def progress(job_id: str) -> list[dict[str, Any]]:
    """How far the listings of a job are.

    :returns: for each ``collection`` (and ``part``): ``state``, ``listed``, ``created``, ``changed``, ``unchanged``,
        ``problems``, ``matched`` (None when unknown), ``rate`` (scenes a second), ``left`` (seconds, None when unknown)
    """
    runs = scene_model.runs
    query = sa.select(runs, sa.func.now().label("now")).where(runs.c.job_id == job_id).order_by(runs.c.id)
    with scene_model.engine().connect() as connection:
        return [_progress(row) for row in connection.execute(query)]


def _progress(row: Any) -> dict[str, Any]:
    seconds = max((row.updated - row.started).total_seconds(), 0.001)
    rate = row.listed / seconds
    known = row.matched is not None and row.matched >= row.listed
    left = (row.matched - row.listed) / rate if known and rate and row.state == "running" else None
    names = ("collection", "part", "state", "listed", "created", "changed", "unchanged", "vanished", "kept",
             "problems", "matched", "message")  # fmt: skip
    return {**{name: getattr(row, name) for name in names}, "rate": rate, "left": left}
