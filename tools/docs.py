"""Write the documents that are made from the tables in code: ``python tools/docs.py [--check]``.

Run in the virtual environment; needs no database. With ``--check`` it writes nothing and ends with 1 when a
document is behind the code.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml

from ckanext.dinamis_relais.wording.catalogue import about_what_is_in_hand, machines, recipients, transitions

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ckanext" / "dinamis_relais"
DOCS = ROOT / "docs"
NOTE = "<!-- Made from the code by tools/docs.py (`make docs`). Change the code, not this file. -->\n\n"


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """A Markdown table."""

    def line(cells: tuple[Any, ...]) -> str:
        return "| " + " | ".join(str(c if c is not None else "").replace("|", "\\|").strip() for c in cells) + " |"

    return "\n".join([line(head), "|" + " --- |" * len(head), *map(line, rows)]) + "\n"


def configuration() -> str:
    """Every setting, from ``config_declaration.yaml``."""
    declared = yaml.safe_load((PACKAGE / "config_declaration.yaml").read_text(encoding="utf-8"))
    rows = []
    for group in declared["groups"]:
        for option in group["options"]:
            default = option.get("default")
            shown = f"`{default}`" if default not in (None, "") else "(empty)"
            rows.append((f"`{option['key']}`", shown, " ".join(str(option.get("description", "")).split())))
    return "# Settings\n\nIn the site's configuration file, section `[app:main]`.\n\n" + table(
        ("Setting", "Default", "What it is"), rows
    )


def rights() -> str:
    """Verbs by role, and the verb of each action."""
    from ckanext.dinamis_relais.authority import GRANTED, VERBS, Role
    from ckanext.dinamis_relais.rooms import collect

    roles = list(Role)
    verbs = [(f"`{v}`", *("yes" if r in held else "" for r in roles)) for v, held in VERBS.items()]
    actions = [(f"`{name}`", f"`{getattr(f, 'verb', '')}`") for name, f in sorted(collect("auth").items())]
    granted = ", ".join(f"`{r.value}` ({scope})" for r, scope in GRANTED.items())
    return (
        "# Who may do what\n\n`referent` and `member` hold a verb for their own organisation only. "
        f"Granted by a sysadmin: {granted}.\n\n"
        + table(("Verb", *(r.value for r in roles)), verbs)
        + "\n## The verb of each action\n\n"
        + "A transition also asks for the verb of its row in [the lifecycle](lifecycle.md).\n\n"
        + table(("Action", "Verb"), actions)
    )


def lifecycle() -> str:
    """Each state machine as a drawing and as its table."""
    parts = ["# Lifecycles\n"]
    for machine in machines():
        drawing = ["```mermaid", "stateDiagram-v2", f"  [*] --> {machine.initial}"]
        drawing += [f"  {r.source} --> {r.target.strip('@')}: {r.name}" for r in machine]
        head = ("From", "Transition", "To", "Verb", "Guard", "Reason", "Mail", "Document", "Journal event")
        rows = [
            (f"`{r.source}`", f"`{r.name}`", f"`{r.target}`", r.verb, r.guard, "needed" if r.reason else "",
             r.mail, r.document, r.event)
            for r in machine
        ]  # fmt: skip
        states = ", ".join(f"`{s}`" for s in machine.states)
        parts += [f"## {machine.name}\n", f"States: {states}.\n", *drawing, "```\n", table(head, rows)]
    return "\n".join(parts)


def mails() -> str:
    """Event → who → mail."""
    from ckanext.dinamis_relais.accounts.effects import OTHER_MAILS
    from ckanext.dinamis_relais.gateway.replies import group_of
    from ckanext.dinamis_relais.membership.reminders import KINDS

    told, in_hand = recipients(), about_what_is_in_hand()
    others = {**OTHER_MAILS, "request_received": "a request for an image is sent", "journal_head": "once a day",
              "new_images": "new scenes came over what a person watches; at most once a day",
              "board_dossier": "a file is submitted (transport `dossier`), or sent again",
              "sending_account": "accounts are due (transport `dossier`): once a day, or by command",
              "sending_question": "questions are due (transport `dossier`): once a day, or by command",
              "sending_request": "requests for images are due (transport `dossier`): once a day, or by command",
              "board_notice": "a file is withdrawn, a membership changes (transport `dossier`)",
              "reacceptance_requested": "application (`reacceptance`): `draft` → `request_signature`",
              **{kind.mail: f"{kind.name}: {kind.when}" for kind in KINDS}}  # fmt: skip
    when = {name: [f"{m}: `{s}` → `{t}`" for m, s, t in rows] for name, rows in transitions().items()}
    rows = []
    for path in sorted((PACKAGE / "mails").glob("*.fr.txt")):
        name = path.name.removesuffix(".fr.txt")
        subject = path.read_text(encoding="utf-8").splitlines()[0]
        who = ", ".join(told.get(name, ("the person",)))
        occasion = when.get(name, [others.get(name, "(by the code that names it)")])
        answers = f"`reply_to.{group_of(name)}`" + (", or who has it in hand" if name in in_hand else "")
        rows.append((f"`{name}`", "; ".join(occasion), who, answers, subject))
    return (
        "# Mails\n\nEach is a template `mails/<name>.<language>.txt`; its first line is the subject. "
        "The super-référent may write other words on `/dinamis/moderation/mails`.\n\n"
        "Replies go to the address of the mail's group, else to `contact_email`; about a file that a moderator has "
        "taken in charge, or a request that they examine, to that moderator where `reply_to.claimed` says so.\n\n"
        + table(("Mail", "When", "To whom", "Replies to", "Subject in French"), rows)
    )


def reminders() -> str:
    """What leaves and ends by itself: when, to whom, once for what."""
    from ckanext.dinamis_relais.membership.machines import MEMBERSHIP
    from ckanext.dinamis_relais.membership.reminders import KINDS

    declared = yaml.safe_load((PACKAGE / "config_declaration.yaml").read_text(encoding="utf-8"))
    days = {o["key"]: o["default"] for group in declared["groups"] for o in group["options"] if "reminders" in o["key"]}
    rows = []
    for kind in KINDS:
        key = f"ckanext.dinamis_relais.reminders.{kind.name}_days"
        default = ", ".join(str(days[key]).split())
        rows.append((default, kind.when, ", ".join(recipients()[kind.mail]), f"`{kind.mail}`", f"`{key}`"))
    ends = [
        (f"`{row.source}` → `{row.target}`", f"`{row.name}`", ", ".join(recipients()[row.mail]), f"`{row.mail}`")
        for row in MEMBERSHIP if row.verb == "membership.lapse"
    ]  # fmt: skip
    return (
        "# What leaves and ends by itself\n\nFor reminders, the worker looks once a day, from `reminders.hour` on; "
        "`ckan dinamis accounts daily` looks for them and for all that ends; as often as wanted, and several at once: "
        "each reminder leaves once for each number of days of one request, or of one last day. When runs were "
        "missed, only the latest one leaves.\n\n"
        + table(("Days by default", "When", "To whom", "Mail", "Setting"), rows)
        + "\n## Ends\n\nA term ends after its last day, a new acceptance after its day to answer; neither before the "
        "last warning has left and its days have passed, nor while a signed renewal awaits others. The accounts are "
        "suspended with the cause.\n\n" + table(("Membership", "Transition", "To whom", "Mail"), ends)
    )


def events() -> str:
    """The closed list of journal events."""
    from ckanext.dinamis_relais.journal.rules import Event

    return "# Journal events\n\n" + table(("Event", "Name in code"), [(f"`{e.value}`", f"`{e.name}`") for e in Event])


def actions() -> str:
    """The action API, from the docstrings."""
    from ckanext.dinamis_relais.rooms import collect

    parts = ["# Action API\n", "Called as any CKAN action: `POST /api/3/action/<name>` with an API token.\n"]
    for name, function in sorted(collect("actions").items()):
        text = inspect.cleandoc(function.__doc__ or "")
        text = re.sub(r":(param|returns|raises)([^:]*):", lambda m: f"- **{m[1]}{m[2]}**:", text)
        parts.append(f"## `{name}`\n\n{text}\n")
    return "\n".join(parts)


def _commands(command: click.Command, path: str) -> list[tuple[str, str]]:
    if isinstance(command, click.Group):
        return [row for name, sub in sorted(command.commands.items()) for row in _commands(sub, f"{path} {name}")]
    return [(f"`{path}`", (command.help or "").split("\n")[0])]


def commands() -> str:
    """Commands of the site and targets of the Makefile."""
    from ckanext.dinamis_relais.rooms import collect

    rows = [row for c in collect("cli").values() for row in _commands(c, f"ckan dinamis {c.name}")]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [(f"`make {name}`", text) for name, text in re.findall(r"^([\w-]+):.*?## (.+)$", makefile, re.M)]
    return (
        "# Commands\n\n## Of the site\n\n" + table(("Command", "What it does"), rows)
        + "\n## Of the checkout\n\n" + table(("Target", "What it does"), targets)
    )  # fmt: skip


DOCUMENTS: dict[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "rights.md": rights,
    "lifecycle.md": lifecycle,
    "mails.md": mails,
    "reminders.md": reminders,
    "events.md": events,
    "actions.md": actions,
    "commands.md": commands,
}


def main(check: bool) -> int:
    """Write the documents, or tell which is behind the code.

    :returns: exit code
    """
    code = 0
    DOCS.mkdir(exist_ok=True)
    for name, make in DOCUMENTS.items():
        text, path = NOTE + make().rstrip() + "\n", DOCS / name
        if check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            print(f"docs/{name} is behind the code: run `make docs`.")
            code = 1
        elif not check:
            path.write_text(text, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
