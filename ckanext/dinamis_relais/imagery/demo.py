"""The demonstration's harvest source, made and run through ckanext-harvest's own actions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

NAME = "imagerie-spot-6-7-bac-a-sable"
TITLE = "Imagerie SPOT 6/7 (bac à sable)"


def _context() -> Any:
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return {"model": model, "session": model.Session, "user": user, "ignore_auth": True}


def source_of(url: str, organization: str | None = None) -> dict[str, Any]:
    """The harvest source of the demonstration, made when it is missing, moved when its address changed.

    :param url: landing page of a STAC API
    :param organization: name or id of its owner; the first organization of the site by default
    :raises toolkit.ValidationError: there is no organization, or CKAN refuses the source
    """
    try:
        source = tk.get_action("harvest_source_show")(_context(), {"id": NAME})
        if source["url"] == url and source.get("state") == "active":
            return source
        return tk.get_action("harvest_source_update")(_context(), {**source, "url": url, "state": "active"})
    except tk.ObjectNotFound:
        pass
    values = {
        "name": NAME, "title": TITLE, "url": url, "source_type": "dinamis-stac", "frequency": "MANUAL",
        "owner_org": organization or _first_organization(),
        "notes": "Scènes synthétiques du bac à sable : elles imitent les images SPOT 6/7 et n'en sont pas.",
    }  # fmt: skip
    return tk.get_action("harvest_source_create")(_context(), values)


def _first_organization() -> str:
    names = tk.get_action("organization_list")(_context(), {"limit": 1})
    if not names:
        raise tk.ValidationError({"organization": ["There is no organization yet. Make one first."]})
    return names[0]


def harvest_now(source_id: str) -> dict[str, Any]:
    """Run a job of a source in this process, without the queue, to its end.

    :returns: the job as ``harvest_job_show`` gives it, with ``stats`` and the summaries of its errors
    """
    from ckanext.harvest import queue
    from ckanext.harvest.logic import HarvestJobExists
    from ckanext.harvest.model import HarvestJob, HarvestObject

    try:
        job_id = tk.get_action("harvest_job_create")(_context(), {"source_id": source_id, "run": False})["id"]
    except HarvestJobExists:
        waiting = tk.get_action("harvest_job_list")(_context(), {"source_id": source_id})
        job_id = next(job["id"] for job in waiting if job["status"] in ("New", "Running"))
    job: Any = HarvestJob.get(job_id)
    harvester = queue.get_harvester(job.source.type)
    job.status = "Running"
    job.save()
    for object_id in queue.gather_stage(harvester, job) or []:
        queue.fetch_and_import_stages(harvester, HarvestObject.get(object_id))
    # ckanext-harvest ends a job only when its own command looks at it.
    tk.get_action("harvest_jobs_run")(_context(), {"source_id": source_id})
    return tk.get_action("harvest_job_show")(_context(), {"id": job_id})
