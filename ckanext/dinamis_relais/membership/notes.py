"""What PIGMA's people note on a file for one another. No organisation, no board and no dossier ever reads it.

The journal keeps who wrote or deleted a note, and when, never its text: a note that was deleted is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import db
from ckanext.dinamis_relais.authority import actor_of, names_of, user_of
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.membership.applications import Data, readable
from ckanext.dinamis_relais.membership.model import ApplicationNote
from ckanext.dinamis_relais.membership.rules import may_delete_note
from ckanext.dinamis_relais.membership.schema import note_schema
from ckanext.dinamis_relais.schema import validated
from ckanext.dinamis_relais.transaction import one_commit


def _dictize(row: ApplicationNote, names: dict[str, str], user: model.User | None) -> Data:
    reader = (user.id, user.sysadmin) if user else ("", False)
    return {
        "kind": "note",
        "id": row.id,
        "at": isoformat(row.created_at),
        "application_id": row.application_id,
        "author_id": row.author_id,
        "author": names.get(row.author_id),
        "text": row.body,
        "deletable": may_delete_note(row.author_id, *reader),
    }


def of(application_id: str, user: model.User | None) -> list[Data]:
    """The notes on a file, the oldest first, as PIGMA's people read them."""
    query = sa.select(ApplicationNote).where(ApplicationNote.application_id == application_id)
    rows = list(session().execute(query.order_by(ApplicationNote.created_at, ApplicationNote.id)).scalars())
    names = names_of(row.author_id for row in rows)
    return [_dictize(row, names, user) for row in rows]


def dinamis_note_create(context: Context, data_dict: Data) -> Data:
    """Note something on a file for PIGMA's other people; nobody else reads it.

    :param id: the file
    :param text: plain text, of ``rules.LONGEST_NOTE`` characters at most
    :returns: the note
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_note_create", context, data_dict)
    data = validated({"text": data_dict.get("text")}, note_schema(), context)
    user, actor = user_of(context), actor_of(context)
    application = readable(id_, user)
    with one_commit():
        row = ApplicationNote(
            id=new_id(), application_id=application.id, author_id=actor, body=data["text"], created_at=utcnow()
        )
        session().add(row)
        # A thing of its own: a line about the file itself would stand in the history that its organisation reads.
        record(Event.NOTE_WRITTEN, actor, "note", row.id, application.organization_id, application_id=application.id)
    return _dictize(row, names_of([actor]), user)


@tk.side_effect_free
def dinamis_note_list(context: Context, data_dict: Data) -> Data:
    """PIGMA's notes on a file, the oldest first.

    :param id: the file
    :returns: ``{"count", "results"}``, each ``{"kind": "note", "id", "at", "application_id", "author_id", "author",
        "text", "deletable"}``; ``deletable`` tells whether the caller may delete it
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_note_list", context, data_dict)
    user = user_of(context)
    results = of(readable(id_, user).id, user)
    return {"count": len(results), "results": results}


def dinamis_note_delete(context: Context, data_dict: Data) -> Data:
    """Delete a note for good: one's own, or anybody's for a sysadmin. The journal keeps that it was deleted.

    :param id: the note
    :returns: ``{"id", "application_id"}``
    :raises toolkit.NotAuthorized: somebody else wrote it
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("dinamis_note_delete", context, data_dict)
    user, actor = user_of(context), actor_of(context)
    with one_commit():
        row = db.locked(ApplicationNote, id_, tk._("This note does not exist any more."))
        if not context.get("ignore_auth") and not may_delete_note(row.author_id, actor, bool(user and user.sysadmin)):
            raise tk.NotAuthorized(tk._("Only who wrote a note deletes it."))
        application = readable(row.application_id, user)
        session().delete(row)
        record(Event.NOTE_DELETED, actor, "note", id_, application.organization_id, application_id=application.id)
    return {"id": id_, "application_id": application.id}


def written_by(user_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The notes that some logins wrote, for the export of what is held on a person."""
    query = sa.select(ApplicationNote).where(ApplicationNote.author_id.in_(set(user_ids)))
    rows = session().execute(query.order_by(ApplicationNote.created_at, ApplicationNote.id)).scalars()
    return [{"application_id": row.application_id, "at": isoformat(row.created_at), "text": row.body} for row in rows]
