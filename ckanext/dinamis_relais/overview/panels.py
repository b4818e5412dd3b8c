"""The dashboard's panels: a title, what it says in words, its numbers as a table, the chart of the same numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ckan.plugins.toolkit as tk
from babel import dates

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.rules import LIVE
from ckanext.dinamis_relais.overview import charts, figures
from ckanext.dinamis_relais.overview.rules import largest
from ckanext.dinamis_relais.tables import Column, Table

Rows = list[list[Any]]


@dataclass
class Panel:
    """A panel of the dashboard.

    :ivar name: in addresses
    :ivar says: the chart in words, for who does not see it
    :ivar draw: width → the chart; None when there is nothing to draw
    :ivar note: a sentence under the title
    """

    name: str
    title: str
    says: str
    columns: list[Column]
    rows: Rows
    draw: Callable[[int], charts.Spec | None] | None = None
    note: str = ""
    more: str = ""

    def table(self) -> Table:
        """The numbers, to be exported."""
        return Table(f"dinamis-{self.name}", self.columns, self.rows)


def month_label(month: str, style: str = "MMM yy") -> str:
    """``2025-03`` as ``mars 25``, or in full."""
    return _month_label(month, style, "en" if str(tk.h.lang()).startswith("en") else "fr")


@lru_cache(maxsize=4096)
def _month_label(month: str, style: str, locale: str) -> str:
    return dates.format_date(dt.date.fromisoformat(f"{month}-01"), style, locale=locale)


def _full(month: str) -> str:
    return month_label(month, "MMMM yyyy")


def category_label(name: str) -> str:
    """A category of partners in words, or that nobody gave one."""
    return tk._("Not given") if name == figures.NONE else tk.h.dinamis_category_label(name)


def department_label(code: str) -> str:
    """A département by its name and code."""
    if code == figures.NONE:
        return tk._("Several départements, or not known")
    name = charts.department_names().get(code)
    return f"{name} ({code})" if name else code


def series_label(name: str) -> str:
    """A series as it is written on pages: its collection, and its year."""
    return name.replace("/", " · ")


def theme_label(name: str) -> str:
    """What images were downloaded for, in words, or that it was not told."""
    return tk._("Not told") if name == figures.NONE else tk.h.dinamis_use_case_themes().get(name, name)


def delay_label(kind: str) -> str:
    """What was waited for, in words."""
    return {
        "application": tk._("A membership: from the file to the board's decision"),
        "account": tk._("An account: from the request to its validation"),
        "request": tk._("A request for an image: until PIGMA's decision"),
        "image": tk._("A request for an image: until the image"),
        "question": tk._("A question: until its answer"),
    }[kind]


def _gigabytes(size: float | None) -> float | None:
    return None if size is None else round(size / 1e9, 3)


def _amounts() -> list[Column]:
    return [
        Column(tk._("Files"), "integer"),
        Column(tk._("Scenes"), "integer"),
        Column(tk._("GB"), "number"),
        Column(tk._("km²"), "number"),
    ]


def _amount(row: dict[str, Any]) -> list[Any]:
    km2 = None if row["km2"] is None else round(row["km2"], 1)
    return [row["files"], row["scenes"], _gigabytes(row["bytes"]), km2]


def _month(heading: str = "") -> Column:
    return Column(heading or tk._("Month"), "month")


def _between(rows: list[dict[str, Any]], key: str) -> str:
    first, last = rows[0], rows[-1]
    number = tk.h.dinamis_number
    return tk._("{first} at the end of {first_month}, {last} at the end of {last_month}.").format(
        first=number(first[key] or 0),
        first_month=_full(first["month"]),
        last=number(last[key] or 0),
        last_month=_full(last["month"]),
    )


def members(found: dict[str, Any]) -> Panel:
    """Members at the end of each month."""
    rows, new = found["members"]["by_month"], {row["month"]: row["members"] for row in found["new"]}
    label = tk.h.dinamis_state_label
    columns = [
        _month(),
        *(Column(label("membership", s), "integer") for s in ("active", "suspended", "ended")),
        Column(tk._("Joined in the month"), "integer"),
    ]
    table = [[r["month"], r["active"], r["suspended"], r["ended"], new.get(r["month"], 0)] for r in rows]
    values = [{"label": month_label(r["month"]), "value": r["active"]} for r in rows]
    return Panel(
        "members",
        tk._("Members"),
        _between(rows, "active"),
        columns,
        table,
        lambda width: charts.line(width, values),
    )


def department_panel(found: dict[str, Any]) -> Panel:
    """Members by département: the map, and month by month in the export."""
    rows = largest([{**r, "label": r["department"]} for r in found["members"]["by_department"]], "members", 200)
    counts = {row["department"]: row["members"] for row in rows if row["department"] != figures.NONE}
    columns = [Column(tk._("Département")), Column(tk._("Members"), "integer"), Column(tk._("Of them new"), "integer")]
    start = found["period"]["start"]
    table = [[department_label(r["department"]), r["members"], r["members"] - r["by_month"][start]] for r in rows]
    says = "; ".join(f"{name} : {number}" for name, number, _new in table) or tk._("No member yet.")
    return Panel(
        "departments",
        tk._("Members by département"),
        says,
        columns,
        table,
        lambda width: charts.department_map(width, counts, config.departments()) if counts else None,
        tk._("A group of communes has no département of its own here. Outlines: svg-maps, CC BY 4.0."),
    )


def accounts(found: dict[str, Any]) -> Panel:
    """Accounts by state."""
    rows = found["accounts"]["by_month"]
    states = [name for name in rows[0] if name != "month"]
    label = tk.h.dinamis_state_label
    columns = [_month(), *(Column(label("account", state), "integer") for state in states)]
    table = [[row["month"], *(row[state] for state in states)] for row in rows]
    series = [(state, label("account", state)) for state in LIVE if any(row[state] for row in rows)]
    values = [{**row, "label": month_label(row["month"])} for row in rows]
    return Panel(
        "accounts",
        tk._("Accounts by state"),
        tk._("Active accounts:") + " " + _between(rows, "active"),
        columns,
        table,
        (lambda width: charts.stacked(width, values, series)) if series else None,
    )


def downloads(found: dict[str, Any]) -> Panel:
    """What was downloaded each month."""
    own = found["downloads"]
    totals = own["totals"]
    says = (
        tk._("{km2} km² in all, {size}, {files} files.").format(
            km2=tk.h.dinamis_number(totals["km2"]),
            size=tk.h.dinamis_size(int(totals["bytes"])),
            files=tk.h.dinamis_number(totals["files"]),
        )
        if totals["km2"] is not None
        else tk._("Hidden: fewer than five persons.")
    )
    values = [{"label": month_label(r["month"]), "value": round(r["km2"] or 0, 1)} for r in own["by_month"]]
    return Panel(
        "downloads",
        tk._("Downloads by month, in km²"),
        says,
        [_month(), *_amounts()],
        [[row["month"], *_amount(row)] for row in own["by_month"]],
        (lambda width: charts.columns(width, values)) if totals["files"] else None,
    )


def _ranking(name: str, title: str, heading: str, labelled: list[tuple[str, dict[str, Any]]], note: str = "") -> Panel:
    table = [[label, *_amount(row)] for label, row in labelled]
    values = [{"label": label, "value": round(row["km2"])} for label, row in labelled[: figures.SHOWN]]
    number = tk.h.dinamis_number
    says = "; ".join(f"{row['label']} : {number(row['value'])} km²" for row in values) or tk._(
        "Nothing was downloaded."
    )
    return Panel(
        name,
        title,
        says,
        [Column(heading), *_amounts()],
        table,
        (lambda width: charts.bars(width, values)) if values else None,
        note,
    )


def by_partner(found: dict[str, Any]) -> Panel:
    """The partners that downloaded most."""
    own = found["downloads"]
    note = ""
    if own["partners"] > figures.SHOWN:
        note = tk._("The first {shown} of {count}.").format(shown=figures.SHOWN, count=own["partners"])
    return _ranking(
        "partners",
        tk._("Downloads by partner, in km²"),
        tk._("Partner"),
        [(row["label"], row) for row in own["by_partner"]],
        note,
    )


def by_series(found: dict[str, Any]) -> Panel:
    """Downloads by series of images."""
    return _ranking(
        "series",
        tk._("Downloads by series, in km²"),
        tk._("Series"),
        [(series_label(row["series"]), row) for row in found["downloads"]["by_series"]],
    )


def by_theme(found: dict[str, Any]) -> Panel:
    """Downloads by what they were for, as those who downloaded told it."""
    return _ranking(
        "themes",
        tk._("Downloads by theme, in km²"),
        tk._("Theme"),
        [(theme_label(row["theme"]), row) for row in found["downloads"]["by_theme"]],
        tk._("As told by those who download; the question may be left unanswered."),
    )


def by_category(found: dict[str, Any]) -> Panel:
    """Downloads by category of partners."""
    return _ranking(
        "categories",
        tk._("Downloads by category of partners, in km²"),
        tk._("Category"),
        [(category_label(row["category"]), row) for row in found["downloads"]["by_category"]],
    )


def requests(found: dict[str, Any]) -> Panel:
    """Requests for images: those that came, those that an image answered."""
    states, new = found["requests"]["by_month"], found["new"]
    columns = [
        _month(),
        Column(tk._("Received in the month"), "integer"),
        Column(tk._("Answered by an image"), "integer"),
        Column(tk._("At PIGMA at its end"), "integer"),
        Column(tk._("At DINAMIS at its end"), "integer"),
    ]
    table = [
        [
            row["month"],
            row["requests"],
            row["images"],
            at["received"] + at["held"],
            at["accepted"] + at["scheduled"] + at["processing"],
        ]
        for row, at in zip(new, states, strict=True)
    ]
    values = [{**row, "label": month_label(row["month"])} for row in new]
    series = [("requests", tk._("received")), ("images", tk._("answered by an image"))]
    came, made = sum(row["requests"] for row in new), sum(row["images"] for row in new)
    says = tk._("{came} received, {made} answered by an image.").format(came=came, made=made)
    return Panel(
        "requests",
        tk._("Requests for images"),
        says,
        columns,
        table,
        (lambda width: charts.stacked(width, values, series, False)) if came or made else None,
    )


def delays(found: dict[str, Any]) -> Panel:
    """How long people waited."""
    rows = found["delays"]
    columns = [
        Column(tk._("What was waited for")),
        Column(tk._("How often"), "integer"),
        Column(tk._("Days on the average"), "number"),
    ]
    table = [[delay_label(row["kind"]), row["count"], row["days"]] for row in rows]
    values = [{"label": delay_label(row["kind"]), "value": row["days"]} for row in rows if row["count"]]
    says = "; ".join(f"{row['label']} : {tk.h.dinamis_number(row['value'], 1)}" for row in values)
    return Panel(
        "delays",
        tk._("Delays, in days"),
        says or tk._("Nothing was decided or answered in this period."),
        columns,
        table,
        (lambda width: charts.bars(width, values, 1)) if values else None,
    )


PANELS: dict[str, Callable[[dict[str, Any]], Panel]] = {
    "members": members,
    "departments": department_panel,
    "accounts": accounts,
    "downloads": downloads,
    "partners": by_partner,
    "series": by_series,
    "themes": by_theme,
    "categories": by_category,
    "requests": requests,
    "delays": delays,
}
