"""What is wrong with an item of a source, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something about an item that a person should know.

    :ivar item_id: the item, None when not even that is known
    :ivar field: where: ``geometry``, ``properties.datetime`` …
    :ivar problem: what is wrong
    :ivar remedy: what was done about it, or what the source's keeper can do
    :ivar fatal: True when the item was not taken
    """

    item_id: str | None
    field: str
    problem: str
    remedy: str
    fatal: bool = True

    def __str__(self) -> str:
        """One line for a person."""
        return f"Item {self.item_id or '(no id)'}, {self.field}: {self.problem} {self.remedy}"


class Unusable(Exception):
    """Stops the work on one item."""

    def __init__(self, where: str, problem: str, remedy: str):
        self.where, self.problem, self.remedy = where, problem, remedy
        super().__init__(problem)


class Notes(list[Problem]):
    """Repairs of one item."""

    def __init__(self, item_id: str):
        self.item_id = item_id

    def add(self, where: str, problem: str, remedy: str) -> None:
        """Note what was repaired."""
        self.append(Problem(self.item_id, where, problem, remedy, fatal=False))
