"""Validators of the dataset of a use case."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.use_cases.datasets import WRITES
from ckanext.dinamis_relais.use_cases.model import UseCase

__all__ = ["dinamis_use_case_private"]


def dinamis_use_case_private(key: Any, data: Any, errors: Any, context: Any) -> None:
    """Whether the dataset is private, by the state of its use case and by nothing else; only the room writes it."""
    if not context.get(WRITES):
        errors[key].append(tk._("A use case is written, proposed and published on its own page."))
        raise tk.StopOnError
    package = context.get("package")
    row = session().get(UseCase, package.id) if package is not None else None
    data[key] = row is None or row.state != "published"
