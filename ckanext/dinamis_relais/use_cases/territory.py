"""The place of a use case: one that API Géo knows, or free words."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.imagery import territories
from ckanext.dinamis_relais.imagery.places import PlaceUnavailable


def settled(data: dict[str, Any]) -> dict[str, Any]:
    """The place's fields as they are kept; a kind of territory asks for one that API Géo knows.

    API Géo is asked here, before any transaction.

    :param data: ``territory`` (words), ``territory_kind``, ``territory_code``
    :raises toolkit.ValidationError: several places have this name (field ``territory_choices`` lists them as
        ``code name``), none has, or nobody answers
    """
    words, kind, code = data.get("territory") or "", data.get("territory_kind"), data.get("territory_code")
    if not kind or not (words or code):
        return {"territory": words, "territory_kind": "", "territory_code": ""}
    try:
        found = territories.find(kind, code or words)
    except PlaceUnavailable as error:
        text = tk._("The place could not be looked up just now. Try again later, or choose “in my own words”.")
        raise tk.ValidationError({"territory": [text]}) from error
    one = territories.one_of(found, code or words)
    if one is not None:
        return {"territory": one.name, "territory_kind": kind, "territory_code": one.code}
    if found:
        text = tk._("Several places match: choose yours in the list.")
        choices = [f"{one.code} {one.name}" for one in found]
        raise tk.ValidationError({"territory": [text], "territory_choices": choices})
    text = tk._("No territory of this kind has this name or code. Check the spelling, or choose “in my own words”.")
    raise tk.ValidationError({"territory": [text]})
