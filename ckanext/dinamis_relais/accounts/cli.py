"""Commands of the operator about accounts."""

from __future__ import annotations

import click

__all__ = ["accounts"]


@click.group("accounts")
def accounts() -> None:
    """Accounts of the partners' people."""


@accounts.command("expire")
@click.pass_context
def expire(ctx: click.Context) -> None:
    """Expire the accounts whose last day has passed."""
    from ckanext.dinamis_relais.accounts.ending import expire_due

    with ctx.meta["flask_app"].test_request_context():
        click.echo(f"{expire_due()} accounts expired")


@accounts.command("daily")
@click.pass_context
def daily(ctx: click.Context) -> None:
    """All that a daily timer does: expire, remind, end terms, erase what is due, wipe old links and results."""
    from ckanext.dinamis_relais.accounts import ending, links, privacy
    from ckanext.dinamis_relais.batch import work
    from ckanext.dinamis_relais.membership import reminders, terms
    from ckanext.dinamis_relais.transaction import one_commit

    with ctx.meta["flask_app"].test_request_context():
        click.echo(f"{ending.expire_due()} accounts expired")
        click.echo(f"{reminders.remind_due()} reminders sent")
        click.echo(f"{terms.end_due()} memberships ended")
        click.echo(f"{privacy.erase_due()} persons' details erased")
        with one_commit():
            wiped = links.wipe_old() + work.wipe_old()
        click.echo(f"{wiped} old links and results wiped")
