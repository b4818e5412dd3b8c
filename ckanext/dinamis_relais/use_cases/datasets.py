"""A use case as CKAN's dataset: its texts, written in the caller's transaction and shown by what the database holds."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib import search

from ckanext.dinamis_relais.db import new_id, session
from ckanext.dinamis_relais.guides.rules import name_of
from ckanext.dinamis_relais.use_cases.rules import DATASET_TYPE

log = logging.getLogger(__name__)

#: Fields of the dataset that are texts of people, under the names that the actions use.
TEXTS = ("territory", "territory_kind", "territory_code", "imagery", "result", "contact_office", "contact_email",
         "picture_alt", "picture_credit")  # fmt: skip
#: Key of an action's context by which the dataset's validator knows that the room itself writes.
WRITES = "dinamis_use_case"


def _context(user: str) -> Any:
    return {"model": model, "session": model.Session, "user": user, "ignore_auth": True, "defer_commit": True,
            "return_id_only": True, WRITES: True}  # fmt: skip


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": DATASET_TYPE, "title": data["title"], "notes": data.get("summary") or "",
        "themes": list(data["themes"]), "series": list(data["series"]),
        **{name: data.get(name) or "" for name in TEXTS},
    }  # fmt: skip


def create(data: dict[str, Any], organization_id: str, user: str) -> str:
    """Make the dataset, private; nothing is committed.

    :returns: its id
    """
    query = sa.select(model.Package.name).where(model.Package.name.startswith("cas-", autoescape=True))
    taken = set(session().execute(query).scalars())
    fields = {**_fields(data), "id": new_id(), "name": name_of(f"cas {data['title']}", taken),
              "owner_org": organization_id, "private": True}  # fmt: skip
    return tk.get_action("package_create")(_context(user), fields)


def update(id_: str, data: dict[str, Any], user: str) -> None:
    """Write new texts into the dataset; nothing is committed. Whether it is public follows the use case's state."""
    package = model.Package.get(id_)
    if package is None:
        raise tk.ObjectNotFound(tk._("This use case does not exist."))
    fields = {**_fields(data), "id": id_, "name": package.name, "owner_org": package.owner_org, "resources": []}
    tk.get_action("package_update")(_context(user), fields)


def set_public(id_: str, public: bool) -> None:
    """Show the dataset to everybody, or to its organisation only; nothing is committed."""
    package = model.Package.get(id_)
    if package is not None:
        package.private = not public
        session().flush()


def discard(id_: str) -> None:
    """Take the dataset out of the catalogue; nothing is committed."""
    package = model.Package.get(id_)
    if package is not None:
        package.state = "deleted"
        session().flush()


def index(id_: str) -> None:
    """Tell Solr, after the commit. What Solr misses now, ``ckan search-index rebuild`` mends."""
    try:
        package = model.Package.get(id_)
        if package is not None and package.state == "active":
            search.rebuild(id_)
        else:
            search.clear(id_)
    except search.SearchError:
        log.exception("The use case %s could not be indexed.", id_)


def texts_of(packages: Iterable[model.Package]) -> dict[str, dict[str, Any]]:
    """Dataset → its texts, as the actions answer them."""
    found = {}
    for package in packages:
        extras = dict(package.extras.items())
        found[package.id] = {
            "name": package.name, "title": package.title or package.name, "summary": package.notes or "",
            **{name: extras.get(name) or "" for name in TEXTS},
        }  # fmt: skip
    return found


def list_of(value: Any) -> list[str]:
    """A list as an extra holds it."""
    return json.loads(value) if isinstance(value, str) and value else list(value or [])


def titles(ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Dataset → (name, title), of those that are in the catalogue."""
    columns = (model.Package.id, model.Package.name, model.Package.title)
    query = sa.select(*columns).where(model.Package.id.in_(list(ids)), model.Package.state == "active")
    return {id_: (name, title or name) for id_, name, title in session().execute(query)}
