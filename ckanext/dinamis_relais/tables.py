"""Tables that leave: as CSV or as XLSX, whatever their size, each row made when it is written.

A table says of each column what it holds; how a date or a number is written is decided here, once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

#: Media type of an XLSX file.
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Rows of one sheet, the headings among them: Excel's own limit.
SHEET = 1_048_576
#: Rows that are written before they leave.
CHUNK = 500

#: What a column holds. ``moment`` is RFC 3339 in UTC, ``day`` a date or its text, ``month`` ``2025-03``.
KINDS = ("text", "integer", "number", "day", "moment", "month")


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what it holds (one of :data:`KINDS`)."""

    heading: str
    kind: str = "text"


@dataclass
class Table:
    """A table: ``name`` is its file's name without an ending."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _moment(value: Any) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def _day(value: Any) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else (
        value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
    )  # fmt: skip


#: What a column holds → how a cell of it is written.
_WRITE: dict[str, Callable[[Any, dt.tzinfo], str]] = {
    "day": lambda value, _zone: f"{_day(value):%d/%m/%Y}",
    "moment": lambda value, zone: f"{_moment(value).astimezone(zone):%d/%m/%Y %H:%M:%S}",
    "month": lambda value, _zone: f"{value[5:7]}/{value[:4]}",
    "integer": lambda value, _zone: str(int(value)),
    "number": lambda value, _zone: f"{value:.3f}".rstrip("0").rstrip(".").replace(".", ","),
}


def as_text(value: Any, kind: str, zone: dt.tzinfo = dt.timezone.utc) -> str:
    """A cell as French spreadsheets read it: ``31/12/2025``, ``31/12/2025 14:05:09``, ``1234,5``.

    >>> as_text("2025-12-31", "day"), as_text(1234.5, "number"), as_text("2025-03", "month"), as_text(None, "day")
    ('31/12/2025', '1234,5', '03/2025', '')
    """
    if value is None or value == "":
        return ""
    write = _WRITE.get(kind)
    return write(value, zone) if write else no_formula(str(value))


def csv_chunks(table: Table, zone: dt.tzinfo = dt.timezone.utc) -> Iterator[bytes]:
    """The table as CSV: UTF-8 with its mark, ``;`` between cells, French dates, no cell a formula."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([no_formula(column.heading) for column in table.columns])
    kinds = [column.kind for column in table.columns]
    for number, row in enumerate(table.rows, 1):
        writer.writerow([as_text(value, kind, zone) for value, kind in zip(row, kinds, strict=True)])
        if number % CHUNK == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def xlsx_file(table: Table, zone: dt.tzinfo = dt.timezone.utc) -> IO[bytes]:
    """The table as XLSX in a file that vanishes when it is closed: typed cells, texts that are never formulas.

    Rows go to the disk one by one; what does not fit into one sheet goes on in the next.
    """
    return _xlsx([(None, table)], zone)


def xlsx_book(tables: Sequence[Table], zone: dt.tzinfo = dt.timezone.utc) -> IO[bytes]:
    """Several tables as the sheets of one XLSX, each under its own name, written as :func:`xlsx_file` does.

    :param tables: none of more rows than one sheet holds
    """
    return _xlsx([(re.sub(r"[\[\]:*?/\\\\']", " ", table.name)[:31], table) for table in tables], zone)


def _xlsx(tables: Sequence[tuple[str | None, Table]], zone: dt.tzinfo) -> IO[bytes]:
    import xlsxwriter

    out = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it, by sending it
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    looks = {
        "": book.add_format({"bold": True}),
        "day": book.add_format({"num_format": "dd/mm/yyyy"}), "month": book.add_format({"num_format": "mm/yyyy"}),
        "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"}),
        "integer": book.add_format({"num_format": "0"}),
        "number": book.add_format({"num_format": "#,##0.###"}),
    }  # fmt: skip
    for name, table in tables:
        _sheets(book, name, table, looks, zone)
    book.close()
    out.seek(0)
    return out


def _sheets(book: Any, name: str | None, table: Table, looks: dict[str, Any], zone: dt.tzinfo) -> None:
    sheet: Any = None
    at = SHEET
    for row in _with_head(table.rows):
        if at >= SHEET:
            sheet, at = book.add_worksheet(name), 0
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(0, len(table.columns) - 1), 20)
            for place, column in enumerate(table.columns):
                sheet.write_string(0, place, column.heading, looks[""])
            at = 1
        if row is None:
            continue
        for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            _cell(sheet, at, place, value, column.kind, looks.get(column.kind), zone)
        at += 1


def _with_head(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any] | None]:
    yield None  # a table without rows has its headings all the same
    yield from rows


def _cell(sheet: Any, at: int, place: int, value: Any, kind: str, look: Any, zone: dt.tzinfo) -> None:
    if value is None or value == "":
        return
    if kind in ("integer", "number"):
        sheet.write_number(at, place, value, look)
    elif kind == "day":
        sheet.write_datetime(at, place, dt.datetime.combine(_day(value), dt.time()), look)
    elif kind == "month":
        sheet.write_datetime(at, place, dt.datetime(int(value[:4]), int(value[5:7]), 1), look)
    elif kind == "moment":
        sheet.write_datetime(at, place, _moment(value).astimezone(zone).replace(tzinfo=None), look)
    else:
        # Excel refuses a file with a longer text.
        sheet.write_string(at, place, str(value)[:32_767])
