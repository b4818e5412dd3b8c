"""Commands of the operator about the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import click

__all__ = ["journal"]


@click.group("journal")
def journal() -> None:
    """The audit journal and its chain of hashes."""


def _lines(file: IO[str]) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(file, 1):
        try:
            yield json.loads(text)
        except json.JSONDecodeError as error:
            raise click.ClickException(f"line {number} of the file is no JSON: {error}") from error


@journal.command("verify")
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="An export (JSON Lines) of the whole journal.")
@click.option("--line", type=int, help="Number of a line whose hash was noted, as in the daily mail.")
@click.option("--hash", "noted", help="That hash: it must still stand there.")
@click.pass_context
def verify(ctx: click.Context, file: IO[str] | None, line: int | None, noted: str | None) -> None:
    """Walk the chain; ends with 1 when a line was changed, removed or added."""
    from ckanext.dinamis_relais.journal import reading, rules
    from ckanext.dinamis_relais.journal.settling import waiting

    if (line is None) != (noted is None):
        raise click.UsageError("--line and --hash go together.")
    with ctx.meta["flask_app"].test_request_context():
        seen: dict[int, str] = {}

        def watched(lines: Any) -> Iterator[Any]:
            for one in lines:
                if one["id"] == line:
                    seen[one["id"]] = one["hash"]
                yield one

        begin = reading.start()
        found = rules.verify(watched(_lines(file) if file else reading.chain()), begin)
        wait = 0 if file else waiting()[0]
    if not found.valid:
        raise click.ClickException(
            f"the chain is broken at line {found.first_broken}; {found.lines} lines before it fit"
        )
    click.echo(f"{found.lines} lines fit; head {found.head}")
    if wait:
        click.echo(f"{wait} lines wait for their place in the chain")
    if line is not None:
        at = begin[1] if line == begin[0] else seen.get(line)
        if at is None:
            raise click.ClickException(f"line {line} is not there (the chain begins after line {begin[0]})")
        if at != noted:
            raise click.ClickException(f"line {line} has another hash: {at}; the journal was rewritten")
        click.echo(f"line {line} is as it was noted")


@journal.command("head")
@click.pass_context
def head(ctx: click.Context) -> None:
    """Print the newest line's number and hash: note them elsewhere, and verify against them later."""
    from ckanext.dinamis_relais.journal import keeping

    with ctx.meta["flask_app"].test_request_context():
        found = keeping.head()
    if found is None:
        raise click.ClickException("the journal is empty")
    click.echo(f"{found[0]} {found[1]}")


@journal.command("daily")
@click.pass_context
def daily(ctx: click.Context) -> None:
    """What the worker does each day: mail the newest hash to the operator, delete what retention ends."""
    from ckanext.dinamis_relais.journal import keeping

    with ctx.meta["flask_app"].test_request_context():
        click.echo(f"{keeping.tell_head()} messages written")
        total = 0
        while done := keeping.prune():
            total += done
        click.echo(f"{total} lines deleted")
