"""The two files of a report, both from the data that it keeps: the PDF, and its annex as XLSX.

The panels, their words and their charts are the dashboard's; what is hidden has a word of its own here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.documents.render import render
from ckanext.dinamis_relais.overview import charts, panels
from ckanext.dinamis_relais.tables import Column, Table, xlsx_book

#: Width of a chart in the drawing's own pixels: letters as large as the text around, once it stands in its column.
WIDTH = 560
#: The font of the documents: no other is inside of them.
FONT = "Libertinus Serif"
#: Rows of a list, and months of a table, in the PDF; the annex has them all.
ROWS, MONTHS = 10, 12
#: Panels that a report of one partner has not.
_ONLY_ALL = ("members", "departments", "partners", "categories")

Data = dict[str, Any]


def total_label(name: str) -> str:
    """A figure of the report in words."""
    return {
        "members": tk._("Members at the end of the period"),
        "new_members": tk._("Members that joined"),
        "departments": tk._("Départements with a member"),
        "accounts": tk._("Active accounts at the end of the period"),
        "new_accounts": tk._("Accounts validated"),
        "downloaders": tk._("Partners that downloaded"),
        "files": tk._("Files downloaded"),
        "scenes": tk._("Scenes downloaded"),
        "gigabytes": tk._("GB downloaded"),
        "km2": tk._("km² downloaded"),
        "requests": tk._("Requests for images received"),
        "images": tk._("Requests answered by an image"),
    }[name]


def period_label(period: Data) -> str:
    """``{"start": "2025-01", "end": "2025-12"}`` as ``de janvier 2025 à décembre 2025``."""
    first, last = (panels.month_label(period[key], "MMMM yyyy") for key in ("start", "end"))
    return first if first == last else tk._("{first} to {last}").format(first=first, last=last)


def _without(rows: list[Data], key: str) -> list[Data]:
    return [row for row in rows if row[key] is not None]


def _few() -> str:
    return tk._("Figures about fewer than five persons are not shown.")


def _gaps() -> str:
    return tk._("Figures about fewer than five persons are not shown: a month without a bar may have one.")


def _accounts(data: Data) -> panels.Panel:
    panel = panels.accounts(data)
    last = data["accounts"]["by_month"][-1]["active"]
    hidden = any(value is None for row in data["accounts"]["by_month"] for value in row.values())
    says = _few() if last is None else tk._("Active accounts: {n} at the end of the period.").format(
        n=tk.h.dinamis_number(last)
    )  # fmt: skip
    return replace(panel, says=says, note=(_gaps() if panel.draw else _few()) if hidden else "")


def _downloads(data: Data) -> panels.Panel:
    panel = panels.downloads(data)
    if data["downloads"]["totals"]["files"] is None:  # then no month may be shown, and one sentence says it
        return replace(panel, rows=[])
    hidden = any(row["files"] is None for row in data["downloads"]["by_month"])
    return replace(panel, note=_gaps() if hidden else "")


def _ranked(make: Callable[[Data], panels.Panel], name: str, noted: bool = False) -> Callable[[Data], panels.Panel]:
    # noted: the panel's own note stays; that of the partners counts rows, which are others here.
    def made(data: Data) -> panels.Panel:
        all_rows = data["downloads"][name]
        shown = _without(all_rows, "files")
        panel = make({**data, "downloads": {**data["downloads"], name: shown, "partners": len(shown)}})
        notes = [panel.note] if noted else []
        notes += [_few()] if 0 < len(shown) < len(all_rows) else []
        if all_rows and not shown:
            panel = replace(panel, says=_few())
        if len(shown) > ROWS:
            notes.append(tk._("The first {shown} of {count}.").format(shown=ROWS, count=len(shown)))
        return replace(panel, note=" ".join(notes))

    return made


def _delays(data: Data) -> panels.Panel:
    hidden = any(row["count"] is None for row in data["delays"])
    rows = [row for row in data["delays"] if row["count"]]
    panel = panels.delays({**data, "delays": rows})
    return replace(panel, says=_few() if hidden and not rows else panel.says, note=_few() if hidden and rows else "")


_PANELS: dict[str, Callable[[Data], panels.Panel]] = {
    "members": panels.members,
    "departments": panels.department_panel,
    "accounts": _accounts,
    "downloads": _downloads,
    "partners": _ranked(panels.by_partner, "by_partner"),
    "categories": _ranked(panels.by_category, "by_category"),
    "series": _ranked(panels.by_series, "by_series"),
    "themes": _ranked(panels.by_theme, "by_theme", noted=True),
    "delays": _delays,
}


def shown(data: Data) -> list[panels.Panel]:
    """The panels of a report, in its order."""
    alone = data["organization"] is not None
    return [make(data["now"]) for name, make in _PANELS.items() if not (alone and name in _ONLY_ALL)]


def _totals(data: Data) -> Table:
    columns = [
        Column(tk._("Figure")),
        Column(tk._("Period"), "number"),
        Column(tk._("Period before"), "number"),
        Column(tk._("Difference"), "number"),
    ]
    rows = [[total_label(row["name"]), row["now"], row["before"], row["difference"]] for row in data["totals"]]
    return Table(tk._("Figures"), columns, rows)


def hidden_word() -> str:
    """What stands in place of a figure about few persons."""
    return tk._("n < 5")


def _cell(value: Any, kind: str, signed: bool = False) -> str:
    if value is None:
        return hidden_word()
    if kind == "month":
        return panels.month_label(value, "MMM yyyy")
    if kind not in ("integer", "number"):
        return str(value)
    digits = 0 if float(value).is_integer() else 1
    sign = "+" if signed and value > 0 else ""
    return sign + tk.h.dinamis_number(value, digits)


@dataclass
class _Drawn:
    told: Data
    svg: str | None


def _drawn(panel: panels.Panel) -> _Drawn:
    spec = panel.draw(WIDTH) if panel.draw else None
    svg = charts.svg({**spec, "config": {**spec["config"], "font": FONT}}) if spec else None
    monthly = panel.columns[0].kind == "month"
    rows = panel.rows[:ROWS] if not monthly else panel.rows if len(panel.rows) <= MONTHS else []
    told = {
        "title": panel.title,
        "says": panel.says,
        "note": panel.note,
        "map": panel.name == "departments",
        "chart": f"chart_{panel.name}",
        "columns": [column.heading for column in panel.columns],
        "rows": [[_cell(value, column.kind) for value, column in zip(row, panel.columns, strict=True)] for row in rows],
    }
    return _Drawn(told, svg)


def _never(data: Data) -> Data | None:
    found = data["now"]["never_downloaded"]
    if data["organization"] is not None or not found["count"]:
        return None
    rows = [[row["label"], tk.h.dinamis_date(row["since"])] for row in found["results"][:ROWS]]
    return {
        "title": tk._("Members that never downloaded"),
        "says": tk.ungettext("{n} member, on the day of the report.", "{n} members, on the day of the report.",
                             found["count"]).format(n=tk.h.dinamis_number(found["count"])),
        "note": "", "map": False, "chart": "", "columns": [tk._("Partner"), tk._("Member since")], "rows": rows,
    }  # fmt: skip


def pdf(data: Data) -> bytes:
    """The report as a tagged PDF.

    :param data: of :func:`report_data.gather`
    :raises documents.DocumentError: the template does not compile
    :raises ValueError: a chart could not be drawn
    """
    drawn = [_drawn(panel) for panel in shown(data)]
    told = [one.told for one in drawn]
    if never := _never(data):
        told.append(never)
    at = dt.datetime.fromisoformat(data["at"].replace("Z", "+00:00"))
    day = at.astimezone(ZoneInfo(config.time_zone())).date().isoformat()
    totals = _totals(data)
    values = {
        "relay": {"name": config.relay_name(), "operator": config.relay_operator()},
        "demonstration": config.demonstration(),
        "seal": config.relay_operator() if config.seal_pkcs12() else "",
        "verify": tk.url_for("dinamis_documents.verify", qualified=True),
        "organization": {"title": data["organization"]["title"]} if data["organization"] else None,
        "period": period_label(data["period"]),
        "before": period_label(data["before"]),
        "at": day,
        "unfinished": day[:7] <= data["period"]["end"],
        "hidden": hidden_word(),
        "totals": {
            "columns": [column.heading for column in totals.columns],
            "rows": [[str(row[0]), *(_cell(value, "number", n == 2) for n, value in enumerate(row[1:]))]
                     for row in totals.rows],
        },
        "panels": told,
    }  # fmt: skip
    pictures = {one.told["chart"]: one.svg.encode() for one in drawn if one.svg}
    return render("report", values, charts=pictures, template_dir=config.document_templates(), created=at)


def _context(data: Data) -> Table:
    """The annex's first sheet: what it is, so that it still says so when it is sent on by itself."""
    partner = data["organization"]["title"] if data["organization"] else tk._("All partners")
    rows = [
        [tk._("Report of"), partner],
        [tk._("Period"), period_label(data["period"])],
        [tk._("Period before"), period_label(data["before"])],
        [tk._("Made by"), tk._("The platform {name}, by itself").format(name=config.relay_name())],
        [tk._("Empty cells"), _few()],
    ]
    if config.demonstration():
        rows.append([tk._("Demonstration"), tk._("All of it is made up: this site is a demonstration.")])
    return Table(tk._("About"), [Column(tk._("What")), Column(tk._("Value"))], rows)


def xlsx(data: Data) -> bytes:
    """The annex: the same figures, all months and all rows of them, in typed cells; a hidden one is empty."""
    tables = [_context(data), _totals(data)]
    tables += [Table(_sheet(panel.name), panel.columns, panel.rows) for panel in shown(data)]
    if data["organization"] is None:
        columns = [Column(tk._("Partner")), Column(tk._("Member since"), "day")]
        rows = [[row["label"], row["since"]] for row in data["now"]["never_downloaded"]["results"]]
        tables.append(Table(tk._("Never downloaded"), columns, rows))
    with xlsx_book(tables, ZoneInfo(config.time_zone())) as file:
        return file.read()


def _sheet(name: str) -> str:
    """A panel's name as a sheet's: 31 letters at most."""
    return {
        "members": tk._("Members"),
        "departments": tk._("Départements"),
        "accounts": tk._("Accounts"),
        "downloads": tk._("Downloads"),
        "partners": tk._("Partners"),
        "categories": tk._("Categories"),
        "series": tk._("Series"),
        "themes": tk._("Themes"),
        "delays": tk._("Delays"),
    }[name]
