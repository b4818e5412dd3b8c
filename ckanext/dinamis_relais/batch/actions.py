"""Seeing, beginning and dropping a batch."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.batch.model import Batch, BatchRow
from ckanext.dinamis_relais.batch.work import begin, run_inline, summary
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import list_schema, validated
from ckanext.dinamis_relais.transaction import one_commit

__all__ = ["dinamis_batch_cancel", "dinamis_batch_show", "dinamis_batch_start"]

#: Up to this many rows are done while the person waits; more are left to a worker.
INLINE = 30


def _batch(id_: Any, lock: bool = False) -> Batch:
    query = sa.select(Batch).where(Batch.id == str(id_)).execution_options(populate_existing=True)
    row = session().execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if row is None:
        raise tk.ObjectNotFound(tk._("This piece of work does not exist any more: results are kept for 30 days."))
    return row


@tk.side_effect_free
def dinamis_batch_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """How far a piece of work in quantity is, and the result of each of its rows.

    :param id: the batch
    :param state: only rows of one status (``waiting``, ``done``, ``unchanged``, ``failed``, ``invalid``)
    :param limit, offset: page of the rows
    :returns: ``{"state", "total", "counts", "seconds_left", "count", "results"}``; a row has ``{"position", "subject",
        "status", "message", "object_id"}``
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_batch_show", context, data_dict)
    params = validated({k: v for k, v in data_dict.items() if k != "id"}, list_schema(), context)
    batch = _batch(id_)
    query = sa.select(BatchRow).where(BatchRow.batch_id == batch.id)
    if params.get("state"):
        query = query.where(BatchRow.status == params["state"])
    shown = query.order_by(BatchRow.position).limit(params["limit"]).offset(params["offset"])
    keys = ("position", "subject", "status", "message", "object_id")
    rows = [{key: getattr(row, key) for key in keys} for row in session().execute(shown).scalars()]
    told = summary(batch)
    count = told["counts"].get(params["state"], 0) if params.get("state") else told["total"]
    return {**told, "count": count, "results": rows}


def dinamis_batch_start(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Begin a prepared batch: a short one is done at once, a long one by a worker.

    :param id: the batch, prepared by the same person
    :raises toolkit.ValidationError: it was begun or dropped already, or somebody else prepared it
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_batch_start", context, data_dict)
    user = user_of(context)
    batch = _batch(id_, lock=True)
    with one_commit():
        if batch.state != "prepared":
            raise GuardError("id", tk._("This was begun already: its results are below."))
        if user is None or user.id != batch.created_by:
            raise GuardError("id", tk._("Somebody else has prepared this: they begin it, or you prepare it anew."))
        begin(batch)
        short = summary(batch)["waiting"] <= INLINE
    if short:
        run_inline(batch.id)
    return summary(_batch(id_))


def dinamis_batch_cancel(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Drop a prepared batch, or stop a running one after the row that it is at: what is done stays done.

    :param id: the batch
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_batch_cancel", context, data_dict)
    batch = _batch(id_, lock=True)
    with one_commit():
        if batch.state not in ("prepared", "running"):
            raise GuardError("id", tk._("This is finished: there is nothing to stop."))
        batch.state = "cancelled"
        session().execute(sa.update(BatchRow).where(BatchRow.batch_id == batch.id).values(payload=None)
                          .execution_options(synchronize_session=False))  # fmt: skip
    return summary(batch)
