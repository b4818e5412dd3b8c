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
    import logging

    from ckan import model
    from sqlalchemy.exc import SQLAlchemyError

    from ckanext.dinamis_relais.gateway.delivery import deliver_once
    from ckanext.dinamis_relais.rooms import collect

    chores = [deliver_once, *collect("chores").values()]
    running = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo("delivery worker: started")
    while running:
        try:
            handled = sum(chore() for chore in chores)
        except SQLAlchemyError:
            # The database went away or a row is broken: what is due stays due, so wait and look again.
            logging.getLogger(__name__).exception("delivery round failed")
            model.Session.rollback()
            handled = 0
        finally:
            model.Session.remove()
        if not handled:
            time.sleep(pause)
    click.echo("delivery worker: stopped")
