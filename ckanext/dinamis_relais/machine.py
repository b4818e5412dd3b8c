"""A state machine as one table of rows: pure, testable without CKAN.

The pages draw their buttons from the rows, one test walks them × roles, the documentation prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class TransitionError(ValueError):
    """A transition that the present state does not allow.

    :ivar state: the present state
    :ivar allowed: names of the transitions that it allows
    """

    def __init__(self, name: str, state: str, allowed: list[str]):
        self.name, self.state, self.allowed = name, state, allowed
        choices = ", ".join(allowed) or "-"
        super().__init__(f"'{name}' is not possible while the state is '{state}'. Possible now: {choices}.")


class GuardError(ValueError):
    """A transition whose conditions do not hold; ``field`` names what to put right."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Transition:
    """One row: what may happen, who may do it, and all that follows from it.

    :ivar source: the state it starts from
    :ivar name: the word of the action API (``sign``, ``accept`` …)
    :ivar target: the state it leads to; ``@returns_to`` means where the thing came from
    :ivar verb: the right that it asks for, a key of ``authority.VERBS``
    :ivar guard: name of the rule of the room that must hold, if any
    :ivar mail: name of the message that leaves, if any
    :ivar document: kind of document that is made, if any
    :ivar event: journal event
    :ivar reason: True when a reason must be given (someone is told no, or asked for more)
    """

    source: str
    name: str
    target: str
    verb: str
    guard: str | None = None
    mail: str | None = None
    document: str | None = None
    event: str = ""
    reason: bool = False

    def as_row(self) -> dict[str, Any]:
        """The row as it is printed in the documentation."""
        return {
            "from": self.source, "transition": self.name, "to": self.target, "verb": self.verb,
            "guard": self.guard, "mail": self.mail, "document": self.document, "event": self.event,
        }  # fmt: skip


class Machine:
    """States and transitions of one kind of thing.

    :param name: what it is about (``application`` …)
    :param initial: the state a new thing starts in
    :param rows: the table
    :raises ValueError: two rows for the same (state, transition)
    """

    def __init__(self, name: str, initial: str, rows: tuple[Transition, ...]):
        self.name, self.initial, self.rows = name, initial, rows
        self._table: dict[tuple[str, str], Transition] = {}
        self._from: dict[str, list[Transition]] = {}
        for row in rows:
            key = (row.source, row.name)
            if key in self._table:
                raise ValueError(f"{name}: two rows for {key}")
            self._table[key] = row
            self._from.setdefault(row.source, []).append(row)

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order in which the table names them."""
        named: dict[str, None] = {self.initial: None}
        for row in self.rows:
            named.setdefault(row.source)
            if not row.target.startswith("@"):
                named.setdefault(row.target)
        return tuple(named)

    @property
    def transitions(self) -> tuple[str, ...]:
        """All transition names, in the table's order."""
        return tuple(dict.fromkeys(row.name for row in self.rows))

    def allowed(self, state: str) -> list[Transition]:
        """Rows that start from a state."""
        return list(self._from.get(state, ()))

    def row(self, state: str, name: str) -> Transition:
        """The row of a transition.

        :raises TransitionError: not possible from this state; names the state and what is allowed
        """
        found = self._table.get((state, name))
        if found is None:
            raise TransitionError(name, state, [row.name for row in self.allowed(state)])
        return found

    def __iter__(self) -> Iterator[Transition]:
        """Rows, in the table's order."""
        return iter(self.rows)
