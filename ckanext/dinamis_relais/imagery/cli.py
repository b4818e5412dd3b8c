"""``ckan dinamis scenes …`` and ``ckan dinamis demo harvest``."""

from __future__ import annotations

import logging
from typing import Any

import ckan.plugins.toolkit as tk
import click
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.portal.cli import demo

__all__ = ["scenes"]


@click.group()
def scenes() -> None:
    """The scene store: a PostGIS database of its own."""


@scenes.command()
def upgrade() -> None:
    """Make or upgrade the tables of the scene store; safe to run at each start."""
    engine = scene_model.engine()
    try:
        scene_model.upgrade(engine)
    except OperationalError as error:
        raise click.ClickException(
            f"The scene store cannot be reached ({_first_line(error)}). Make its database, with the right to "
            "create the PostGIS extension, or correct ckanext.dinamis_relais.scenes_url."
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"The scene store was not upgraded: {_first_line(error)}") from error
    click.echo(f"Scene store at revision {scene_model.current_revision(engine)}.")


@scenes.command()
@click.option("--problems", default=10, show_default=True, help="Problems to list for each collection.")
def status(problems: int) -> None:
    """What the store holds, how the last harvest of each collection went, and what could not be taken."""
    engine = scene_model.engine()
    try:
        revision = scene_model.current_revision(engine)
        click.echo(f"Scene store: {engine.url.render_as_string(hide_password=True)}, revision {revision}.")
        if revision is None:
            raise click.ClickException("It has no tables yet. Run 'ckan dinamis scenes upgrade'.")
        with engine.connect() as connection:
            for row in connection.execute(_last_runs()):
                _print_run(connection, row, problems)
    except SQLAlchemyError as error:
        raise click.ClickException(f"The scene store cannot be read: {_first_line(error)}") from error


def _last_runs() -> Any:
    runs, stored = scene_model.runs, scene_model.scenes
    count = sa.select(sa.func.count()).where(stored.c.collection == runs.c.collection).scalar_subquery()
    query = sa.select(runs, count.label("held")).distinct(runs.c.collection)
    return query.order_by(runs.c.collection, runs.c.id.desc())


def _print_run(connection: Any, row: Any, problems: int) -> None:
    click.echo(f"\n{row.collection}: {row.held} scenes")
    click.echo(
        f"  last harvest {row.state}, started {row.started:%Y-%m-%d %H:%M} UTC, {row.pages} pages, "
        f"{row.listed} listed, {row.created} new, {row.changed} changed, {row.unchanged} unchanged, "
        f"{row.vanished} vanished, {row.kept} vanished but kept, {row.problems} problems"
    )
    if row.message:
        click.echo(f"  {row.message}")
    table = scene_model.problems
    query = sa.select(table).where(table.c.run_id == row.id).order_by(table.c.fatal.desc(), table.c.id)
    for one in connection.execute(query.limit(problems)):
        kind = "not taken" if one.fatal else "repaired"
        click.echo(f"  {kind}: {one.item_id or '(no id)'}, {one.field}: {one.problem} {one.remedy}")


@demo.command("harvest")
@click.option("--source-url", required=True, help="Address of the STAC API to harvest (its landing page).")
@click.option("--organization", help="Name of the owner; the first organization by default.")
def demo_harvest(source_url: str, organization: str | None) -> None:
    """Make the demonstration's harvest source when it is missing, and harvest it now."""
    from ckanext.dinamis_relais.imagery.demo import harvest_now, source_of

    try:
        source = source_of(source_url, organization)
    except tk.ValidationError as error:
        raise click.ClickException(f"The harvest source was not made: {error.error_dict}") from error
    click.echo(f"Harvest source: {source['title']} ({source_url})")
    with _progress():
        job = harvest_now(source["id"])
    click.echo("Series: " + ", ".join(f"{job['stats'][name]} {name}" for name in job["stats"]))
    errors = [*job["gather_error_summary"], *job["object_error_summary"]]
    for error in errors:
        click.echo(f"Error: {error['message']} ({error['error_count']} times)", err=True)
    if errors:
        raise click.ClickException("The harvest ended with errors; what could be taken was taken.")


class _Echo(logging.Handler):
    """Prints the harvester's progress as it comes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        click.echo("  " + record.getMessage())


class _progress:  # reads as the verb it is
    """Print what the harvester logs while the block runs."""

    def __enter__(self) -> None:
        self.handler = _Echo()
        self.logger = logging.getLogger("ckanext.dinamis_relais.imagery.harvester")
        self.level = self.logger.level
        self.logger.setLevel(logging.INFO)
        self.logger.addHandler(self.handler)

    def __exit__(self, *_: object) -> None:
        self.logger.removeHandler(self.handler)
        self.logger.setLevel(self.level)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
