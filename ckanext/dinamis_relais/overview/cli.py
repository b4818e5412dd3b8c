"""Commands of the operator about the counters."""

from __future__ import annotations

import click

__all__ = ["statistics"]


@click.group("statistics")
def statistics() -> None:
    """The counters of the dashboard; the worker keeps them, these are for by hand."""


@statistics.command("refresh")
def refresh() -> None:
    """Count what the journal has new."""
    from ckanext.dinamis_relais.overview import rollup

    total = 0
    while done := rollup.refresh():
        total += done
    click.echo(f"{total} lines counted")


@statistics.command("rebuild")
def rebuild() -> None:
    """Count everything anew, for instance after a change of the time zone."""
    from ckanext.dinamis_relais.overview import rollup

    try:
        click.echo(f"{rollup.rebuild()} lines counted")
    except ValueError as error:
        raise click.ClickException(str(error)) from error
