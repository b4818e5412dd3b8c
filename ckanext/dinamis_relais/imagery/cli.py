"""``ckan dinamis scenes …`` and ``ckan dinamis demo harvest``."""

from __future__ import annotations

import logging
from itertools import groupby
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import click
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery import store
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
    """What the store holds, source by source; how the last harvests went, how fast, and what could not be taken."""
    engine = scene_model.engine()
    try:
        revision = scene_model.current_revision(engine)
        click.echo(f"Scene store: {engine.url.render_as_string(hide_password=True)}, revision {revision}.")
        if revision is None:
            raise click.ClickException("It has no tables yet. Run 'ckan dinamis scenes upgrade'.")
        with engine.connect() as connection:
            for source, rows in groupby(connection.execute(_last_runs()), key=lambda row: row.source_id):
                click.echo(f"\nSource {_source_title(source)}")
                for row in rows:
                    _print_run(connection, row, problems)
    except SQLAlchemyError as error:
        raise click.ClickException(f"The scene store cannot be read: {_first_line(error)}") from error


def _last_runs() -> Any:
    """The last run of each collection, or of each part of it, of each source."""
    runs, stored = scene_model.runs, scene_model.scenes
    mine = (stored.c.source_id == runs.c.source_id, stored.c.collection == runs.c.collection)
    whole = sa.and_(stored.c.source_id == runs.c.source_id, runs.c.collection == store.WHOLE_FILE)
    count = sa.select(sa.func.count()).where(sa.or_(sa.and_(*mine), whole)).scalar_subquery()
    one = (runs.c.source_id, runs.c.collection, runs.c.part)
    return sa.select(runs, count.label("held")).distinct(*one).order_by(*one, runs.c.id.desc())


def _source_title(source_id: str) -> str:
    from ckan import model

    found = model.Package.get(source_id)
    return f"{found.title or found.name} ({found.name}, {found.url})" if found else f"{source_id}, which is gone"


def _print_run(connection: Any, row: Any, problems: int) -> None:
    name = "all collections of the file" if row.collection == store.WHOLE_FILE else row.collection
    click.echo(f"  {name}{f', years {row.part}' if row.part else ''}: {row.held} scenes")
    seconds = ((row.finished or row.updated) - row.started).total_seconds()
    rate = f"{row.listed / seconds:,.0f} scenes a second" if seconds >= 1 else "less than a second"
    click.echo(
        f"  last harvest {row.state}, started {row.started:%Y-%m-%d %H:%M} UTC, {rate}, {row.pages} pages, "
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
    from ckanext.dinamis_relais.imagery.demo import source_of

    try:
        source = source_of(source_url, organization)
    except tk.ValidationError as error:
        raise click.ClickException(f"The harvest source was not made: {error.error_dict}") from error
    if not _harvest(source):
        raise click.ClickException("The harvest ended with errors; what could be taken was taken.")


def _harvest(source: dict[str, Any]) -> bool:
    """Harvest a source now, in this process; says how it goes, and returns whether it went without an error."""
    from ckanext.dinamis_relais.imagery.running import harvest_now

    click.echo(f"Harvest source: {source['title']} ({source['url']})")
    with _progress():
        job = harvest_now(source["id"])
    click.echo("Series: " + ", ".join(f"{job['stats'][name]} {name}" for name in job["stats"]))
    errors = [*job["gather_error_summary"], *job["object_error_summary"]]
    for error in errors:
        click.echo(f"Error: {error['message']} ({error['error_count']} times)", err=True)
    return not errors


def _harvest_all(name: str | None, anew: bool) -> None:
    from ckanext.dinamis_relais.imagery import running

    try:
        found = running.sources(name)
    except tk.ObjectNotFound as error:
        raise click.ClickException(str(error) or f"There is no harvest source '{name}'.") from error
    if not found:
        raise click.ClickException("There is no harvest source of imagery yet. Add one at /harvest.")
    if anew:
        for source in found:
            click.echo(f"{source['title']}: {store.distrust(scene_model.engine(), source['id'])} scenes are read anew.")
    went = [_harvest(source) for source in found]  # each of them, whatever became of the one before
    if not all(went):
        raise click.ClickException("There were errors; what could be taken was taken.")


@scenes.command()
@click.argument("source", required=False)
@click.pass_context
def sync(ctx: click.Context, source: str | None) -> None:
    """Harvest all sources of imagery now, or the one named, without waiting for the queue."""
    with ctx.meta["flask_app"].test_request_context():
        _harvest_all(source, anew=False)


@scenes.command()
@click.argument("source", required=False)
@click.pass_context
def rebuild(ctx: click.Context, source: str | None) -> None:
    """The same, each scene being read and written anew: after a doubt about what the store holds."""
    with ctx.meta["flask_app"].test_request_context():
        _harvest_all(source, anew=True)


@scenes.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True))
@click.option("--collection", "collections", multiple=True, help="Only this collection; may be repeated.")
@click.option("--bbox", help="Only scenes that meet it: west,south,east,north in degrees.")
@click.option("--datetime", "moment", help="Only of then: an RFC 3339 instant or interval (2020-01-01T00:00:00Z/..).")
def export(file: str, collections: tuple[str, ...], bbox: str | None, moment: str | None) -> None:
    """Write scenes to FILE: stac-geoparquet when its name ends in .parquet, else NDJSON, zipped when in .gz.

    A harvest source reads it as it is. The file gets its name when it is whole; - writes to the screen.
    """
    from ckanext.dinamis_relais.imagery import exporting, search

    asked = {"collections": list(collections) or None, "bbox": bbox, "datetime": moment}
    try:
        wanted = search.parse(asked)
    except search.SearchError as error:
        raise click.UsageError(f"{error.field}: {error}") from error
    engine = scene_model.engine()
    if file == "-":
        for line in exporting.lines(engine, wanted):
            click.echo(line, nl=False)
        return
    try:
        count = exporting.to_file(engine, wanted, Path(file))
    except exporting.NothingError as error:
        raise click.ClickException("No scene is like this: nothing was written.") from error
    except ImportError as error:
        raise click.ClickException("Writing GeoParquet needs: pip install ckanext-dinamis-relais[parquet]") from error
    click.echo(f"{count} collections and scenes written to {file}.", err=True)


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
