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
    """Expire the accounts whose last day has passed; meant for a daily timer."""
    from ckanext.dinamis_relais.accounts.ending import expire_due

    with ctx.meta["flask_app"].test_request_context():
        click.echo(f"{expire_due()} accounts expired")
