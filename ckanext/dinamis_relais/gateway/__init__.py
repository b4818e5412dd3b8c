"""Everything that leaves: for DINAMIS by the contract, for people by mail.

A room makes its rows deliverable by naming :class:`Target` objects in its ``deliverables.py``;
:func:`wake` is what an action calls after its commit. What is owed is truth in PostgreSQL; Redis only wakes.
"""

from __future__ import annotations

import logging

from ckanext.dinamis_relais.gateway.targets import Group, Parcel, Said, Target

__all__ = ["Group", "Parcel", "Said", "Target", "wake"]

log = logging.getLogger(__name__)


def wake() -> None:
    """Ask a worker to look now instead of at its next round; losing the call loses only time."""
    import ckan.plugins.toolkit as tk
    from redis.exceptions import RedisError

    from ckanext.dinamis_relais.gateway.jobs import deliver

    if tk.config.get("testing"):
        return
    try:
        tk.enqueue_job(deliver, title="dinamis: deliver", rq_kwargs={"timeout": 600})
    except RedisError as error:
        log.warning("No wake-up for the delivery worker (%s): it looks by itself.", type(error).__name__)
