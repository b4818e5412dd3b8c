"""Commands of the demonstration; never needed by a real site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ckan.plugins.toolkit as tk
import click

from ckanext.dinamis_relais.web import problems

__all__ = ["demo"]


@click.group("demo")
def demo() -> None:
    """People, files and scenes to try the relay with. All fictitious."""


@contextmanager
def _told() -> Iterator[None]:
    """What an action refuses, as a sentence of the command."""
    try:
        yield
    except tk.ValidationError as error:
        sentences = " ".join(problems(error))
        raise click.ClickException(f"{sentences} What was made is kept: run the command again.") from error


@demo.command("load")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="JSON file of logins and tokens."
)
@click.pass_context
def load(ctx: click.Context, out: Path) -> None:
    """Make the demonstration's people and files; a second run changes nothing, or finishes an interrupted one."""
    from ckanext.dinamis_relais.portal import demo as data

    known = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    with ctx.meta["flask_app"].test_request_context():
        found = data.people(known)
        # Before the files: whatever happens to them, the passwords that were set are known.
        out.touch(mode=0o600)
        out.chmod(0o600)
        out.write_text(json.dumps(found, indent=2), encoding="utf-8")
        with _told():
            data.catalogue()
            data.files(click.echo)
    click.echo(f"{len(found['logins'])} people: {out}")


@demo.command("queues")
@click.pass_context
def queues(ctx: click.Context) -> None:
    """Use cases, a question and a request, so that no queue is empty; after "load" and the first harvest."""
    from ckanext.dinamis_relais.portal import demo_queues

    with ctx.meta["flask_app"].test_request_context(), _told():
        demo_queues.fill(click.echo)
