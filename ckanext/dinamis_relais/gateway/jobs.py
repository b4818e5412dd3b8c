"""The background job that an RQ worker runs when something became due."""

from __future__ import annotations

__all__ = ["deliver"]

#: Rounds in one job; more is left to the next wake-up or to the worker's own round.
ROUNDS = 20


def deliver() -> None:
    """Deliver what is due now."""
    from ckanext.dinamis_relais.gateway.delivery import deliver_once

    for _round in range(ROUNDS):
        if not deliver_once():
            return
