"""The journal as tests read it: what was committed has its place in the chain first."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais.journal import settle
from ckanext.dinamis_relais.journal.model import JournalLine


def journalled(what: Any = JournalLine) -> Any:
    """A query of the journal's lines, or of a column of them."""
    settle()
    return model.Session.query(what)
