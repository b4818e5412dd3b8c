"""Rules of requests for new imagery: the state machine, what may be asked for, when. Pure.

The states are the status codes of STAPI (Sensor Tasking API, https://github.com/stapi-spec/stapi-spec, order statuses),
which the design of this project takes over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.machine import Machine, Transition

_OWN, _DECIDE = "request.create", "request.decide"


#: State → the mail that tells of it. Whoever takes what the archive holds knows it already; that it is examined or
#: being made changes nothing for the person, who sees it on the page.
_MAILS = {
    "accepted": "request_accepted", "scheduled": "request_scheduled", "completed": "request_completed",
    "rejected": "request_rejected", "failed": "request_stopped", "expired": "request_stopped",
    "cancelled": "request_stopped", "user_cancelled": "request_withdrawn",
}  # fmt: skip


def _row(source: str, name: str, target: str, verb: str = _DECIDE, *, reason: bool = False) -> Transition:
    """A row whose mail and event follow from the state that it leads to."""
    mail = None if name == "take" else _MAILS.get(target)
    return Transition(source, name, target, verb, None, mail, None, Event(f"request.{target}").value, reason=reason)


MACHINE = Machine(
    "request",
    "received",
    (
        _row("received", "hold", "held"),
        *(
            row
            for state in ("received", "held")
            for row in (
                _row(state, "accept", "accepted"),
                _row(state, "reject", "rejected", reason=True),
                # The archive answers: PIGMA says so, or the person takes what it holds.
                _row(state, "answer", "completed"),
                _row(state, "take", "completed", _OWN),
                _row(state, "withdraw", "user_cancelled", _OWN),
            )
        ),
        # From here on DINAMIS says what becomes of it; PIGMA records it where nothing comes back by itself.
        _row("accepted", "schedule", "scheduled"),
        *(_row(state, "process", "processing") for state in ("accepted", "scheduled")),
        *(
            row
            for state in ("accepted", "scheduled", "processing")
            for row in (
                _row(state, "complete", "completed"),
                _row(state, "fail", "failed", reason=True),
                _row(state, "cancel", "cancelled", reason=True),
            )
        ),
        *(
            row
            for state in ("accepted", "scheduled")
            for row in (
                _row(state, "reject", "rejected", reason=True),
                _row(state, "expire", "expired"),
                _row(state, "withdraw", "user_cancelled", _OWN),
            )
        ),
    ),
)

#: Status code of DINAMIS → the transition that takes a request there.
BY_CODE = {
    "scheduled": "schedule", "processing": "process", "completed": "complete", "rejected": "reject",
    "failed": "fail", "expired": "expire", "cancelled": "cancel",
}  # fmt: skip
#: Every status code of the contract.
CODES = ("received", "accepted", *BY_CODE, "user_cancelled")
#: States in which DINAMIS has the request.
AT_DINAMIS = ("accepted", "scheduled", "processing")
#: States in which PIGMA has it.
AT_PIGMA = ("received", "held")
#: States in which it is over.
OVER = ("completed", "rejected", "failed", "expired", "cancelled", "user_cancelled")
#: States that give the square kilometres back to the quota.
GIVES_BACK = ("rejected", "failed", "expired", "cancelled", "user_cancelled")
#: Transitions that end a request by what the archive holds: no new image is made, nothing is counted.
BY_ARCHIVE = ("answer", "take")
#: What a person asked for may be refused for, as a code beside the words.
REASONS = ("archive", "window", "purpose", "quota", "area", "weather", "technical", "other")
#: Where an area came from.
SOURCES = ("drawn", "file", "place")

#: Longest texts that are taken, in characters.
LONGEST = {"title": 150, "purpose": 4000, "reason": 4000}
#: Years of a period that are taken: what is outside is a slip of the keyboard.
FIRST_YEAR, YEARS_AHEAD = 2000, 5


@dataclass(frozen=True)
class Product:
    """A resolution that may be asked for; the operator's list.

    :ivar name: as people know it (``SPOT``)
    :ivar metres: size of a pixel on the ground, in metres
    """

    name: str
    metres: float


def products(entries: Iterable[str]) -> tuple[Product, ...]:
    """The operator's list ``NAME:METRES``.

    :raises ValueError: names the entry and what is expected
    """
    found = []
    for entry in entries:
        name, _colon, metres = str(entry).partition(":")
        try:
            size = float(metres)
        except ValueError:
            size = 0.0
        if not name or not 0 < size < 1000:
            raise ValueError(f"request_products: '{entry}' is not NAME:METRES, such as SPOT:1.5")
        found.append(Product(name, size))
    return tuple(found)


@dataclass(frozen=True)
class Period:
    """What is asked of a period.

    :ivar window: fewest days that it lasts, both ends counted: no precise day is asked for
    :ivar lead: fewest days from today to its end, where it is not over already: no emergency is served
    """

    window: int
    lead: int


def period_problem(start: dt.date, end: dt.date, today: dt.date, asked: Period) -> tuple[str, str] | None:
    """What is wrong with a period, as (field, kind); None when nothing is.

    Source of ``window`` and ``emergency``: no emergency service, and tasking for one precise day is not accepted
    (facts of the field, 2); the numbers of days are the operator's.

    :returns: kind is ``years``, ``order``, ``window`` or ``emergency``
    """
    for field, day in (("starts_on", start), ("ends_on", end)):
        if not FIRST_YEAR <= day.year <= today.year + YEARS_AHEAD:
            return field, "years"
    if end < start:
        return "ends_on", "order"
    if (end - start).days + 1 < asked.window:
        return "ends_on", "window"
    # A period that is over asks for an order from the providers' archives: nothing has to be flown.
    if end >= today and (end - today).days < asked.lead:
        return "ends_on", "emergency"
    return None


def counted(state: str, by_archive: bool) -> bool:
    """Whether a request's surface counts against the quota."""
    return state not in GIVES_BACK and not by_archive


def waiting_side(state: str) -> str | None:
    """Who must act now: ``pigma``, ``dinamis``, None when nobody must."""
    return "pigma" if state in AT_PIGMA else "dinamis" if state in AT_DINAMIS else None


def line_of_time(passed: list[str], state: str) -> list[tuple[str, str]]:
    """The statuses of a request in order, those that may still come last: ``[(code, "done"|"now"|"later")]``.

    :param passed: the codes reached so far, in order, the present one last
    :param state: the present one
    """
    found = [(code, "done") for code in passed[:-1]]
    found.append((state, "now"))
    if state not in OVER:
        way = ("received", "accepted", "scheduled", "processing", "completed")
        place = "received" if state == "held" else state
        found += [(code, "later") for code in way[way.index(place) + 1 :]]
    return found
