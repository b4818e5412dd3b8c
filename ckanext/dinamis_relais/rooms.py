"""The list of rooms, and how CKAN learns what each of them holds.

A room is a folder (or a module at the top, such as ``authority``). It registers by file name: its
``actions``, ``auth``, ``views``, ``helpers``, ``validators`` and ``cli`` modules name in ``__all__``
what they offer, and nothing else leaves the room.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

PACKAGE = "ckanext.dinamis_relais"

#: Order matters only for reading: from what everything stands on to what reads all the rest.
ROOMS: tuple[str, ...] = (
    "authority",
    "journal",
    "portal",
    "membership",
    "batch",
    "accounts",
    "questions",
    "guides",
    "news",
    "imagery",
    "access",
    "records",
    "imagery_requests",
    "use_cases",
    "alerts",
    "assistance",
    "overview",
    "gateway",
    "wording",
    "documents",
)

PARTS: tuple[str, ...] = (
    "actions", "auth", "views", "helpers", "validators", "cli", "deliverables", "mails", "jobs", "batches",
    "chores", "core_auth", "verifiable",
)  # fmt: skip


def _module(room: str, part: str) -> Any | None:
    """The module ``<room>/<part>.py``, or None when the room has none.

    Looked up before it is imported, so that an import error inside a room is never mistaken for absence.
    """
    name = f"{PACKAGE}.{room}.{part}"
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return import_module(name) if spec else None


@cache
def collect(part: str) -> dict[str, Any]:
    """All that the rooms offer of one kind.

    :param part: one of :data:`PARTS`
    :returns: name → object, in the order of :data:`ROOMS`
    :raises ValueError: unknown part, or two rooms that offer the same name
    """
    if part not in PARTS:
        raise ValueError(f"no such part of a room: {part}")
    found: dict[str, Any] = {}
    for room in ROOMS:
        module = _module(room, part)
        for name in getattr(module, "__all__", ()):
            if name in found:
                raise ValueError(f"{part}: two rooms offer {name}")
            found[name] = getattr(module, name)
    return found
