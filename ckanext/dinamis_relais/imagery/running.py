"""A job of a harvest source run here and now, to its end, without the queue."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.dinamis_relais.imagery.watch import SOURCE_TYPE


def site_context() -> Any:
    """A context of the site's own user."""
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return {"model": model, "session": model.Session, "user": user, "ignore_auth": True}


def sources(name: str | None = None) -> list[dict[str, Any]]:
    """Active harvest sources of imagery, by their names: all of them, or the one that is named.

    :param name: name or id
    :raises toolkit.ObjectNotFound: no such source, or one of another kind
    """
    if name:
        source = tk.get_action("harvest_source_show")(site_context(), {"id": name})
        if source.get("source_type", source.get("type")) != SOURCE_TYPE:
            raise tk.ObjectNotFound(f"'{name}' is no harvest source of imagery.")
        return [source]
    from ckanext.harvest.model import HarvestSource

    query = model.Session.query(HarvestSource.id).filter_by(type=SOURCE_TYPE, active=True)
    show = tk.get_action("harvest_source_show")
    return sorted((show(site_context(), {"id": row[0]}) for row in query), key=lambda one: one["name"])


def harvest_now(source_id: str) -> dict[str, Any]:
    """Run a job of a source in this process, without the queue, to its end.

    :returns: the job as ``harvest_job_show`` gives it, with ``stats`` and the summaries of its errors
    """
    from ckanext.harvest import queue
    from ckanext.harvest.logic import HarvestJobExists
    from ckanext.harvest.model import HarvestJob, HarvestObject

    try:
        wanted = {"source_id": source_id, "run": False}
        job_id = tk.get_action("harvest_job_create")(site_context(), wanted)["id"]
    except HarvestJobExists:
        waiting = tk.get_action("harvest_job_list")(site_context(), {"source_id": source_id})
        job_id = next(job["id"] for job in waiting if job["status"] in ("New", "Running"))
    job: Any = HarvestJob.get(job_id)
    harvester = queue.get_harvester(job.source.type)
    job.status = "Running"
    job.save()
    for object_id in queue.gather_stage(harvester, job) or []:
        queue.fetch_and_import_stages(harvester, HarvestObject.get(object_id))
    # ckanext-harvest ends a job only when its own command looks at it.
    tk.get_action("harvest_jobs_run")(site_context(), {"source_id": source_id})
    return tk.get_action("harvest_job_show")(site_context(), {"id": job_id})
