"""Reading a table (CSV) that a person brings: pure. What a row means is the room's that asks for the table."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ROWS = 5000
MAX_BYTES = 2_000_000


class TableError(ValueError):
    """The file as a whole cannot be read. ``problem`` is ``empty``, ``large``, ``headings`` or ``rows``.

    :ivar names: the headings that lack, for ``headings``
    """

    def __init__(self, problem: str, names: tuple[str, ...] = ()):
        super().__init__(problem)
        self.problem, self.names = problem, names


@dataclass(frozen=True)
class Line:
    """One row of the file, as text.

    :ivar number: its line in the file, as an editor shows it (the heading is line 1)
    :ivar fields: field → text without blanks around
    """

    number: int
    fields: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A file that was read. ``ignored``: headings that are no field of ours."""

    lines: tuple[Line, ...]
    ignored: tuple[str, ...]
    encoding: str


def fold(text: str) -> str:
    """A heading as it is compared."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(c for c in bare if c.isalnum())


def decode(content: bytes) -> tuple[str, str]:
    """Text of a file and its encoding: UTF-8 when it is, else Windows-1252, as spreadsheets in French write."""
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "Windows-1252"


def _separator(heading: str) -> str:
    return max(";,\t", key=heading.count)


def read(content: bytes, headings: Mapping[str, tuple[str, ...]], needed: tuple[str, ...]) -> Table:
    """The rows of a CSV file: first line headings in French or English, ``;``, ``,`` or tabulations between.

    :param headings: field → headings under which it is found, folded (:func:`fold`); the first names it to people
    :param needed: fields whose heading must be there
    :raises TableError: empty, too large, a needed heading lacks, too many rows
    """
    if len(content) > MAX_BYTES:
        raise TableError("large")
    text, encoding = decode(content)
    if not text.strip():
        raise TableError("empty")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text.lstrip().split("\n", 1)[0]))
    heading, columns, ignored, lines = None, {}, [], []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if heading is None:
            heading = cells
            columns, ignored = _columns(cells, headings, needed)
            continue
        values = {name: cells[i].strip() if i < len(cells) else "" for name, i in columns.items()}
        lines.append(Line(reader.line_num, values))
        if len(lines) > MAX_ROWS:
            raise TableError("rows")
    return Table(tuple(lines), tuple(ignored), encoding)


def _columns(
    heading: list[str], headings: Mapping[str, tuple[str, ...]], needed: tuple[str, ...]
) -> tuple[dict[str, int], list[str]]:
    known = {word: name for name, words in headings.items() for word in words}
    columns: dict[str, int] = {}
    ignored = []
    for i, cell in enumerate(heading):
        name = known.get(fold(cell))
        if name and name not in columns:
            columns[name] = i
        elif cell.strip():
            ignored.append(cell.strip())
    lacking = tuple(headings[name][0] for name in needed if name not in columns)
    if lacking:
        raise TableError("headings", lacking)
    return columns, ignored
