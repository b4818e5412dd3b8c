"""Commands of the operator about deliveries and secrets."""

from __future__ import annotations

import signal
import time
from types import FrameType

import click
from cryptography.fernet import Fernet

__all__ = ["deliver", "secret_key", "worker"]


@click.command("secret-key")
def secret_key() -> None:
    """Print a new key for ckanext.dinamis_relais.secret_keys."""
    click.echo(Fernet.generate_key().decode())


@click.command("deliver")
def deliver() -> None:
    """Deliver what is due, once."""
    from ckanext.dinamis_relais.gateway.delivery import deliver_once

    click.echo(f"{deliver_once()} deliveries handled")


@click.command("worker")
@click.option("--pause", default=2.0, show_default=True, help="Seconds to wait when nothing is due.")
def worker(pause: float) -> None:
    """Deliver, and do long work in quantity, for ever. As many of these may run as wanted."""
    from ckanext.dinamis_relais.gateway.delivery import deliver_once
    from ckanext.dinamis_relais.gateway.turns import Turns
    from ckanext.dinamis_relais.rooms import collect

    turns = Turns([deliver_once, *collect("chores").values()])
    running = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo("delivery worker: started")
    while running:
        if not turns.take():
            time.sleep(pause)
    click.echo("delivery worker: stopped")
