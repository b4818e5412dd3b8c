"""``ckan dinamis records …``: the CSW's table and its configuration."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk
import click
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais.web import problems

__all__ = ["records"]


@click.group()
def records() -> None:
    """The records of the imagery series, as a CSW serves them."""


@records.command()
@click.pass_context
def sync(ctx: click.Context) -> None:
    """Make the CSW's table agree with the records; the worker does it by itself where csw_url is set."""
    from ckanext.dinamis_relais.imagery import model as scene_model
    from ckanext.dinamis_relais.records import catalogue

    try:
        with ctx.meta["flask_app"].test_request_context():
            counts = catalogue.sync(scene_model.engine())
    except SQLAlchemyError as error:
        reason = str(error).strip().splitlines()[0]
        raise click.ClickException(
            f"The records were not written: {reason} Has 'ckan dinamis scenes upgrade' been run?"
        ) from error
    click.echo("Records: " + ", ".join(f"{number} {name}" for name, number in counts.items()))


@records.command("csw-config")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write (mode 0600)."
)
@click.option("--database", default="", help="PostgreSQL URL for pycsw; the scene store's own by default.")
def csw_config(out: Path, database: str) -> None:
    """Write pycsw's configuration from this site's settings."""
    from ckanext.dinamis_relais.records import catalogue

    try:
        text = catalogue.settings(database)
    except tk.ValidationError as error:
        raise click.ClickException(" ".join(problems(error))) from error
    out.touch(mode=0o600)
    out.chmod(0o600)
    out.write_text(text, encoding="utf-8")
    click.echo(f"Written: {out}")
