"""Every list of PIGMA's as a file: the same search as the page, all of its rows, asked for a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.overview import panels
from ckanext.dinamis_relais.tables import Column, Table
from ckanext.dinamis_relais.web import act, page, table_response

#: Rows that are asked for at once.
PORTION = 500

#: A column: heading, kind (``tables.KINDS``), and the key of the row or what makes a cell of it.
Cell = tuple[str, str, str | Callable[[dict[str, Any]], Any]]


@dataclass(frozen=True)
class Listing:
    """A list that is exported: its action, the parameters that its page takes from the address, its columns."""

    action: str
    filters: tuple[str, ...]
    columns: Callable[[], list[Cell]]


def _state(kind: str) -> Cell:
    return (tk._("State"), "text", lambda row: tk.h.dinamis_state_label(kind, row["state"]))


def _organization() -> Cell:
    return (tk._("Organisation"), "text", "organization_title")


def _yes(key: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: tk._("yes") if row[key] else ""


def _accounts() -> list[Cell]:
    return [
        _organization(), (tk._("Given name"), "text", "given_name"), (tk._("Family name"), "text", "family_name"),
        (tk._("E-mail"), "text", "email"), (tk._("Function"), "text", "function"), (tk._("Purpose"), "text", "purpose"),
        (tk._("Role"), "text", lambda row: tk.h.dinamis_role_label(row["role"])), _state("account"),
        (tk._("Since"), "moment", "state_since"), (tk._("Entered on"), "moment", "created_at"),
        (tk._("Last day"), "day", "ends_on"), (tk._("Last visit"), "moment", "last_active"),
    ]  # fmt: skip


def _applications() -> list[Cell]:
    return [
        _organization(), (tk._("SIREN"), "text", "siren"),
        (tk._("Kind"), "text", lambda row: tk.h.dinamis_kind_label(row["kind"])), _state("application"),
        (tk._("Since"), "moment", "state_since"), (tk._("Due on"), "day", "due_at"),
        (tk._("Category"), "text", lambda row: tk.h.dinamis_category_label(row["category"]) if row["category"] else ""),
        (tk._("Territory"), "text", "territory_name"), (tk._("Territory code"), "text", "territory_code"),
        (tk._("Convention no."), "text", "agreement_number"), (tk._("Signed on"), "moment", "signed_at"),
        (tk._("Decided on"), "moment", "decided_at"), (tk._("Answer given on"), "day", "decided_on"),
        (tk._("Reason"), "text", "reason"),
    ]  # fmt: skip


def _memberships() -> list[Cell]:
    return [
        _organization(), (tk._("SIREN"), "text", "siren"), _state("membership"), (tk._("Since"), "moment", "since"),
        (tk._("Until"), "moment", "until"), (tk._("Convention no."), "text", "agreement_number"),
        (tk._("Territory code"), "text", "territory_code"),
    ]  # fmt: skip


def _partners() -> list[Cell]:
    return [
        _organization(), (tk._("SIREN"), "text", "siren"),
        (tk._("Convention no."), "text", lambda row: row["convention_number"] or row["agreement_number"]),
        (tk._("State"), "text", lambda row: tk.h.dinamis_partner_label(row["state"])),
        (tk._("Since"), "day", "since"), (tk._("Days"), "integer", "days"),
        (tk._("Next"), "text", tk.h.dinamis_partner_next),
        (tk._("Who must act"), "text", lambda row: tk.h.dinamis_waiting_for(row["waiting_for"])),
        (tk._("Due on"), "day", "due_at"), (tk._("Late"), "text", _yes("late")),
        (tk._("Member since"), "day", "member_since"), (tk._("End of the term"), "day", "term_ends_on"),
        (tk._("Accounts"), "integer", "accounts"),
    ]  # fmt: skip


def _requests() -> list[Cell]:
    return [
        _organization(), (tk._("Title"), "text", "title"), (tk._("Purpose"), "text", "purpose"),
        (tk._("Asked by"), "text", "asker"), _state("request"), (tk._("Since"), "moment", "state_since"),
        (tk._("Received on"), "moment", "created_at"), (tk._("km²"), "number", "area_km2"),
        (tk._("Product"), "text", "product"), (tk._("First day"), "day", "starts_on"),
        (tk._("Last day"), "day", "ends_on"), (tk._("Reference"), "text", "reference"),
    ]  # fmt: skip


def _questions() -> list[Cell]:
    return [
        _organization(), (tk._("Title"), "text", "title"), (tk._("Asked by"), "text", "asker"), _state("question"),
        (tk._("Since"), "moment", "state_since"), (tk._("Asked on"), "moment", "created_at"),
        (tk._("Late"), "text", _yes("late")), (tk._("Messages"), "integer", "messages_count"),
        (tk._("Reference"), "text", "reference"),
    ]  # fmt: skip


def _deliveries() -> list[Cell]:
    return [
        (tk._("About"), "text", lambda row: tk.h.dinamis_object_label(row["target"])), (tk._("What"), "text", "title"),
        _state("delivery"), (tk._("Attempts"), "integer", "attempts"),
        (tk._("Delivered on"), "moment", "delivered_at"), (tk._("Next attempt"), "moment", "next_attempt_at"),
        (tk._("Problem"), "text", "last_error"), (tk._("Identifier"), "text", "id"),
    ]  # fmt: skip


def _idle() -> list[Cell]:
    return [
        (tk._("Organisation"), "text", "label"), (tk._("Member since"), "day", "since"),
        (tk._("Category"), "text", lambda row: panels.category_label(row["category"])),
        (tk._("Département"), "text", lambda row: panels.department_label(row["department"])),
    ]  # fmt: skip


_USUAL = ("state", "q", "organization_id")
LISTINGS: dict[str, Listing] = {
    "accounts": Listing("dinamis_account_list", (*_USUAL, "dormant"), _accounts),
    "applications": Listing("dinamis_application_list", _USUAL, _applications),
    "memberships": Listing("dinamis_membership_list", ("state", "q"), _memberships),
    "partners": Listing("dinamis_partner_list", (*_USUAL, "waiting_for", "late", "kind", "ends_within"), _partners),
    "requests": Listing("dinamis_request_list", _USUAL, _requests),
    "questions": Listing("dinamis_question_list", (*_USUAL, "late"), _questions),
    "deliveries": Listing("dinamis_delivery_list", ("state", "q"), _deliveries),
    "never-downloaded": Listing("dinamis_never_downloaded_list", ("department", "category"), _idle),
}
#: Page of a list → the list's name here.
PAGES = {
    "dinamis_accounts.queue": "accounts", "dinamis_membership.queue": "applications",
    "dinamis_membership.memberships": "memberships", "dinamis_partners.list": "partners",
    "dinamis_requests.queue": "requests", "dinamis_questions.queue": "questions",
    "dinamis_overview.deliveries": "deliveries",
}  # fmt: skip


def asked(name: str) -> dict[str, str]:
    """The filters of a list that the address names."""
    args = tk.request.args
    return {key: args[key].replace("\x00", "") for key in LISTINGS[name].filters if args.get(key)}


def table(name: str, filters: dict[str, str]) -> Table:
    """A list as a table; its first page is asked for now, so that what is refused is refused before anything leaves."""
    listing = LISTINGS[name]
    cells = listing.columns()

    def ask(offset: int) -> dict[str, Any]:
        return act(listing.action, limit=PORTION, offset=offset, **filters)

    first = ask(0)

    def rows() -> Iterator[list[Any]]:
        found, given = first, 0
        while found["results"]:
            for row in found["results"]:
                yield [key(row) if callable(key) else row.get(key) for _heading, _kind, key in cells]
            given += len(found["results"])
            if given >= found["count"]:
                return
            found = ask(given)

    return Table(name, [Column(heading, kind) for heading, kind, _key in cells], rows())


@page
def export(name: str, ending: str) -> Any:
    """A list as a file, with the filters of its page."""
    if name not in LISTINGS or ending not in ("csv", "xlsx"):
        raise tk.ObjectNotFound(tk._("This page does not exist."))
    try:
        made = table(name, asked(name))
    except tk.ValidationError as error:
        raise tk.ObjectNotFound(tk._("This page does not exist.")) from error
    return table_response(made, ending)
