"""What the actions on use cases take."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.dinamis_relais.guides.schema import text_of, word
from ckanext.dinamis_relais.imagery.series import DATASET_TYPE as SERIES
from ckanext.dinamis_relais.schema import list_schema, validator
from ckanext.dinamis_relais.use_cases import pictures
from ckanext.dinamis_relais.use_cases.rules import LONGEST, TERRITORIES, THEMES

_LINES = ("result",)
_MOST = 20


def _list(value: Any) -> list[str]:
    """Several words, or one, each once."""
    given = value if isinstance(value, (list, tuple)) else [value] if value else []
    return list(dict.fromkeys(str(one) for one in given if one))


def _themes(value: Any) -> list[str]:
    found = _list(value)
    if set(found) - set(THEMES):
        raise tk.Invalid(tk._("Choose among these themes: {themes}.").format(themes=", ".join(THEMES)))
    return [theme for theme in THEMES if theme in found]


def _series(value: Any) -> list[str]:
    """Ids of series' datasets, by id or name."""
    found = []
    for one in _list(value)[:_MOST]:
        package = model.Package.get(one)
        if package is None or package.type != SERIES or package.state != "active":
            raise tk.Invalid(tk._("“{name}” is no series of images of the catalogue.").format(name=one))
        found.append(package.id)
    return found


def _picture(value: Any) -> bytes:
    if not isinstance(value, bytes):
        try:
            value = base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError) as error:
            raise tk.Invalid(tk._("Give the picture's content in base64.")) from error
    return pictures.checked(value)


def given(data_dict: dict[str, Any]) -> dict[str, Any]:
    """What an action was given, its lists kept together: CKAN 2.11's validation takes lists apart."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data_dict.items()}


def case() -> dict[str, Any]:
    """The texts of a use case: only its title must be there, until it is proposed."""
    missing, empty = validator("ignore_missing"), validator("ignore_empty")
    title = tk._("Give it a title: what was done, and where.")
    texts = {
        name: [text_of(longest, title if name == "title" else "", lines=name in _LINES)]
        for name, longest in LONGEST.items()
    }
    texts["contact_email"] = [empty, validator("unicode_safe"), validator("email_validator")]
    return {
        **texts,
        "themes": [validator("default")(()), _themes],
        "series": [validator("default")(()), _series],
        "territory_kind": [empty, validator("one_of")(TERRITORIES)],
        "territory_code": [empty, validator("unicode_safe")],
        "picture": [empty, _picture],
        "no_picture": [missing, validator("boolean_validator")],
        "organization_id": [empty, validator("unicode_safe")],
    }


def changed() -> dict[str, Any]:
    """New texts of a use case."""
    return {"id": word(), **case()}


def step() -> dict[str, Any]:
    """A transition."""
    return {"id": word(), "transition": word(), "reason": [text_of(2000, lines=True)]}


def searched() -> dict[str, Any]:
    """What a list is asked for."""
    plain = [validator("ignore_empty"), validator("unicode_safe")]
    boolean = [validator("ignore_missing"), validator("boolean_validator")]
    return {**list_schema(), "theme": plain, "series": plain, "mine": boolean}
