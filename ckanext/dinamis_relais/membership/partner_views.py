"""Pages of all partners: the list, the file of conventions, and asking many for their signature."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.batch.uploads import brought
from ckanext.dinamis_relais.membership import convention_rules, conventions
from ckanext.dinamis_relais.membership.partners import WHO
from ckanext.dinamis_relais.web import PAGE_SIZE, act, allowed, flash, offset, page

__all__ = ["dinamis_partners"]

dinamis_partners = Blueprint("dinamis_partners", __name__)

FILTERS = ("state", "q", "waiting_for", "late", "kind", "ends_within", "texts_outdated")
EXAMPLE = (
    "organisation;numéro;date;SIREN;catégorie;type de territoire;code du territoire;territoire;service;courriel;"
    "prénom du représentant;nom du représentant;fonction du représentant;courriel du représentant\r\n"
    "Commune de Bègles;2019-0123;31/12/2019;213300395;collectivité;commune;33039;Bègles;Service SIG;"
    "sig@begles.example;Alix;Exemple;Maire;maire@begles.example\r\n"
)


def _filters(values: Any) -> dict[str, Any]:
    return {name: values[name] for name in FILTERS if values.get(name)}


@dinamis_partners.get("/dinamis/moderation/partners", endpoint="list")
@page
def list_() -> Any:
    """All partners, those that wait longest first."""
    filters = _filters(tk.request.args)
    try:
        found = act("dinamis_partner_list", **filters, limit=PAGE_SIZE, offset=offset())
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_partners.list")
    values = {"found": found, "filters": filters, "who": WHO, "page_size": PAGE_SIZE}
    return tk.render("dinamis/membership/partners.html", values)


def _asked(action: str) -> Any:
    """What asking the chosen partners would do; nothing leaves before it is confirmed on the page that follows."""
    form = tk.request.form
    chosen = _filters(form) if form.get("all") else {"ids": form.getlist("ids") or ["-"]}
    try:
        work = act(action, **chosen)
    except tk.ValidationError as error:
        flash(error)
        return tk.redirect_to("dinamis_partners.list", **_filters(form))
    return tk.redirect_to("dinamis_batch.show", id=work["id"])


@dinamis_partners.post("/dinamis/moderation/partners/signatures", endpoint="signatures")
@page
def signatures() -> Any:
    """Ask the chosen partners for their signature."""
    return _asked("dinamis_signature_request_many")


@dinamis_partners.post("/dinamis/moderation/partners/reacceptances", endpoint="reacceptances")
@page
def reacceptances() -> Any:
    """Ask the chosen members to accept the texts in force."""
    return _asked("dinamis_reacceptance_request_many")


@dinamis_partners.route("/dinamis/moderation/partners/import", methods=["GET", "POST"], endpoint="import")
@page
def import_() -> Any:
    """A file of conventions: first what would be done, row by row; then, on the page that follows, do it."""
    allowed("dinamis_convention_import")
    followed, errors = brought("dinamis_convention_import")
    if followed is not None:
        return followed
    headings = EXAMPLE.split("\r\n", 1)[0].split(";")
    columns = [
        (heading, label, name in convention_rules.NEEDED)
        for heading, (name, label) in zip(headings, conventions.labels(), strict=True)
    ]
    return tk.render(
        "dinamis/membership/import.html", {"errors": errors, "columns": columns, "example": "dinamis_partners.example"}
    )


@dinamis_partners.get("/dinamis/moderation/partners/import/example.csv", endpoint="example")
@page
def example() -> Response:
    """A file to start from, as spreadsheets in French read it."""
    allowed("dinamis_convention_import")
    response = Response("\ufeff" + EXAMPLE, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="conventions-exemple.csv"'
    return response
