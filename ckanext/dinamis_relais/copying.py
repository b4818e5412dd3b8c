"""Many rows at once by PostgreSQL's COPY: half the time of an INSERT, measured.

In its text format, or for rows in quantity in its binary one, of which PostgreSQL need not look at each byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from io import BytesIO
from struct import Struct
from typing import Any

#: What stands for no value in the text format.
NULL = "\\N"


def escaped(text: str) -> str:
    """A value of COPY's text format (PostgreSQL's manual, COPY, "Text Format")."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def line(values: Iterable[Any]) -> str:
    """One row of COPY's text format; None is NULL."""
    return "\t".join(NULL if value is None else escaped(str(value)) for value in values) + "\n"


def copy(connection: Any, table: str, names: Iterable[str], rows: bytes) -> None:
    """Append rows to a table, in the connection's transaction.

    :param connection: SQLAlchemy's, over psycopg2
    :param table: its name
    :param names: of the columns, in the order of the rows' values
    :param rows: lines as :func:`line` makes them, one after the other, in UTF-8; or binary rows, as :func:`file` has it
    """
    form = " (FORMAT binary)" if rows.startswith(_BEGIN) else ""
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN{form}"
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(statement, BytesIO(rows), size=1 << 20)


# The binary format (PostgreSQL's manual, COPY, "Binary Format"): of each value its size in bytes, -1 for none, and the
# value as the type's "send" function writes it. Numbers have their highest byte first.
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_COUNT, _SIZE, _NUMBER, _MOMENT = (Struct(form).pack for form in (">h", ">i", ">id", ">iq"))
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)
_NOTHING = _SIZE(-1)


def file(rows: Iterable[bytes]) -> bytes:
    """Rows of the binary format, as COPY reads them."""
    return b"".join((_BEGIN, *rows, _END))


def row(*values: bytes) -> bytes:
    """One row of the binary format, of values that the functions below made."""
    return b"".join((_COUNT(len(values)), *values))


def packed(value: bytes) -> bytes:
    """A value that is bytes already, as ``json`` and PostGIS's ``geometry`` (EWKB) are."""
    return _SIZE(len(value)) + value


def text(value: str | None) -> bytes:
    """A ``text``."""
    return _NOTHING if value is None else packed(value.encode())


def number(value: float | None) -> bytes:
    """A ``double precision``."""
    return _NOTHING if value is None else _NUMBER(8, value)


def moment(value: dt.datetime) -> bytes:
    """A ``timestamptz``: microseconds since the year 2000."""
    since = value - _EPOCH
    return _MOMENT(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def uuid(value: str) -> bytes:
    """A ``uuid``, of its usual spelling."""
    return packed(bytes.fromhex(value.replace("-", "")))
