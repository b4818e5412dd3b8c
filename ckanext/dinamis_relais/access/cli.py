"""Commands of the operator about people's secrets."""

from __future__ import annotations

import click

__all__ = ["rotate_secrets"]


@click.command("rotate-secrets")
def rotate_secrets() -> None:
    """Encrypt people's linked logins with the newest of ckanext.dinamis_relais.secret_keys.

    Put the new key first in the setting, run this, then drop the old key once the mails that wait have left.
    """
    from ckanext.dinamis_relais.access.links import encrypt_anew

    click.echo(f"{encrypt_anew()} encrypted with the newest key")
