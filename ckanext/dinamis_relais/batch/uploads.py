"""A table that comes with an action's parameters, and the answer of an action that begins work in quantity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.dinamis_relais.batch import tables
from ckanext.dinamis_relais.batch.actions import INLINE
from ckanext.dinamis_relais.batch.work import run_inline
from ckanext.dinamis_relais.web import act


def table_of(data_dict: dict[str, Any], read: Callable[[bytes], tables.Table]) -> tables.Table:
    """The table in ``upload`` (a file) or in ``content`` (its text).

    :param read: bytes → table
    :raises toolkit.ValidationError: ``upload``: the file as a whole cannot be read, with the remedy
    """
    upload = data_dict.get("upload")
    if upload is not None and hasattr(upload, "read"):
        content = upload.read()
    else:
        content = str(data_dict.get("content") or "").encode()
    try:
        return read(content)
    except tables.TableError as error:
        raise tk.ValidationError({"upload": [_problem(error)]}) from error


def _problem(error: tables.TableError) -> str:
    return {
        "empty": tk._("The file is empty. Choose the CSV file that your spreadsheet saved."),
        "large": tk._("The file is larger than 2 MB. Split it."),
        "rows": tk._("The file has more than {number} rows. Split it.").format(number=tables.MAX_ROWS),
        "headings": tk._("The first line must name the columns. Missing: {names}.").format(
            names=", ".join(error.names)
        ),
    }[error.problem]


def brought(action: str) -> tuple[Any, dict[str, Any]]:
    """What the form of a table's page does: nothing on GET, else the dry run by an action, shown on the next page.

    :returns: the way to that page, None to show the form; and what is wrong with the file
    """
    if tk.request.method != "POST":
        return None, {}
    try:
        work = act(action, upload=tk.request.files.get("upload"))
    except tk.ValidationError as error:
        return None, error.error_dict
    if work["ignored"]:
        tk.h.flash_notice(tk._("Columns that were not read: {names}.").format(names=", ".join(work["ignored"])))
    return tk.redirect_to("dinamis_batch.show", id=work["id"]), {}


def go_on(context: Context, id_: str, data_dict: dict[str, Any], number: int, started: bool) -> dict[str, Any]:
    """Do a short batch at once, leave a long one to a worker; ``dinamis_batch_show``'s answer.

    :param data_dict: ``wait`` says otherwise
    :param number: rows of the batch
    :param started: whether it was begun
    """
    wait = tk.asbool(data_dict.get("wait", number <= INLINE))
    if started and wait:
        run_inline(id_)
    show = {"id": id_, "limit": 1000}
    return tk.get_action("dinamis_batch_show")({**context}, show)
