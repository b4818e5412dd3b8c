"""Between a page's form and an action's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckan import model

from ckanext.dinamis_relais.membership.schema import FIELDS, PERSON

_PEOPLE = ("representative", "referent")


def from_request(form: Mapping[str, str]) -> dict[str, Any]:
    """A form's fields as an action takes them; ``representative.email`` becomes a key of ``representative``."""
    data: dict[str, Any] = {name: form[name].strip() for name in FIELDS if name in form and name not in _PEOPLE}
    if "with_agreement" in form:
        # A box that is not ticked sends only the hidden field before it.
        getlist = getattr(form, "getlist", lambda name: [form[name]])
        data["with_agreement"] = "true" in getlist("with_agreement")
    for name in ("organization_id", "organization_title", "kind"):
        if form.get(name):
            data[name] = form[name].strip()
    for who in _PEOPLE:
        person = {key: form[f"{who}.{key}"].strip() for key in PERSON if form.get(f"{who}.{key}")}
        if person:
            data[who] = person
    return data


def prefilled(args: Mapping[str, str]) -> dict[str, Any]:
    """What a choice among the results of a search fills in."""
    names = (*(f for f in FIELDS if f not in _PEOPLE), "organization_id", "organization_title")
    return {name: args[name] for name in names if args.get(name)}


def organizations() -> list[dict[str, str]]:
    """Active organisations by title, for a list to choose from."""
    query = model.Session.query(model.Group.name, model.Group.title).filter(
        model.Group.is_organization.is_(True), model.Group.state == "active"
    )
    return [{"name": name, "title": title or name} for name, title in query.order_by(model.Group.title)]
