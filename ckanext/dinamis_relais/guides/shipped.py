"""The guides that come with the extension: Markdown files with a short head, each the version 0 of its guide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("shipped")
_HEAD = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Shipped:
    """One shipped guide; ``name`` is the last part of its address, ``order`` its place in the list."""

    name: str
    order: int
    theme: str
    title: str
    summary: str
    title_en: str
    summary_en: str
    body: str


def french(text: str) -> str:
    """A text with the no-break spaces that French asks for; code is left alone.

    >>> french("Quoi ?").encode("unicode_escape")
    b'Quoi\\\\xa0?'
    """
    lines = []
    for line in text.split("\n"):
        spaced = re.sub(r" ([:;!?%»])", "\u00a0\\1", line).replace("« ", "«\u00a0")
        lines.append(line if line.startswith("    ") else spaced)
    return "\n".join(lines)


def read(path: Path) -> Shipped:
    """A file as a guide.

    :param path: ``NN-name.md``
    :raises ValueError: it has no head
    """
    found = _HEAD.match(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.name} has no head between two lines of ---")
    # Each line of a head is "key: words", and French words hold colons of their own.
    head = dict(line.split(": ", 1) for line in found[1].split("\n"))
    order, _dash, name = path.stem.partition("-")
    return Shipped(
        name=name, order=int(order), theme=head["theme"], title=french(head["title"]),
        summary=french(head["summary"]), title_en=head["title_en"], summary_en=head["summary_en"],
        body=french(found[2].strip()),
    )  # fmt: skip


@cache
def all_shipped() -> dict[str, Shipped]:
    """Every shipped guide by its name, in the order of the list."""
    return {one.name: one for one in map(read, sorted(FOLDER.glob("*.md")))}
