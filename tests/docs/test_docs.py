"""The documents tell all that the code has: a missing setting, action, state, mail or command fails here."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import pytest
import yaml

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.accounts.effects import OTHER_MAILS
from ckanext.dinamis_relais.authority import VERBS
from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.portal import labels
from ckanext.dinamis_relais.rooms import ROOMS, collect

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ckanext" / "dinamis_relais"
SPEC = importlib.util.spec_from_file_location("dinamis_docs", ROOT / "tools" / "docs.py")
docs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docs)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", docs.DOCUMENTS)
def test_made_documents_are_up_to_date(name):
    assert read(f"docs/{name}") == docs.NOTE + docs.DOCUMENTS[name]().rstrip() + "\n", "run `make docs`"


def declared() -> list[str]:
    found = yaml.safe_load(read("ckanext/dinamis_relais/config_declaration.yaml"))
    return [option["key"] for group in found["groups"] for option in group["options"]]


def getters() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "config").glob("*.py"))


def test_every_setting_is_explained_and_read_by_a_getter():
    text, code = read("docs/configuration.md"), getters()
    for key in declared():
        assert f"`{key}`" in text
        assert f'"{key.removeprefix(config.PREFIX)}"' in code, f"no getter reads {key}"


def test_no_getter_reads_a_setting_that_is_not_declared():
    read_keys = {config.PREFIX + key for key in re.findall(r'(?<![.\w])(?:get|path|days)\("([\w.]+)"\)', getters())}
    assert len(read_keys) > 50
    assert read_keys <= set(declared())


def test_every_action_verb_event_and_command_is_told():
    for action in collect("actions"):
        assert f"`{action}`" in read("docs/actions.md")
        assert f"`{action}`" in read("docs/rights.md")
    for verb in VERBS:
        assert f"`{verb}`" in read("docs/rights.md")
    for event in Event:
        assert f"`{event.value}`" in read("docs/events.md")
    for command in collect("cli").values():
        assert f"`ckan dinamis {command.name}" in read("docs/commands.md")


def test_every_public_thing_says_what_it_is():
    for part in ("actions", "helpers", "validators"):
        for name, thing in collect(part).items():
            assert (thing.__doc__ or "").strip(), f"{name} has no docstring"
    for command in collect("cli").values():
        subcommands = command.commands.values() if isinstance(command, click.Group) else [command]
        assert all((c.help or "").strip() for c in subcommands)


def test_every_state_transition_and_event_has_words():
    code = Path(labels.__file__).read_text(encoding="utf-8")
    for machine in docs.machines():
        for state in machine.states:
            assert f'"{state}":' in code, f"{machine.name}: {state} has no words"
            assert f"`{state}`" in read("docs/lifecycle.md")
        for name in machine.transitions:
            assert f'"{name}":' in code, f"{machine.name}: {name} has no words"
    for event in Event:
        assert f'"{event.value}":' in code, f"{event.value} has no words"


def test_every_mail_that_is_named_exists_in_both_languages_and_no_other():
    named = (
        {row.mail for machine in docs.machines() for row in machine if row.mail}
        | set(docs.recipients())
        | set(OTHER_MAILS)
    )
    for language in ("fr", "en"):
        shipped = {path.name.removesuffix(f".{language}.txt") for path in (PACKAGE / "mails").glob(f"*.{language}.txt")}
        assert shipped == named
    for name in named:
        assert f"`{name}`" in read("docs/mails.md")


def test_every_room_is_on_the_map():
    text = read("CONTRIBUTING.md")
    for room in ROOMS:
        if (PACKAGE / room).is_dir():
            assert f"`{room}/`" in text, f"CONTRIBUTING.md does not tell what {room}/ is for"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", read(name)):
        assert (ROOT / target).exists(), f"{name} links to {target}, which is not there"


def test_the_make_targets_that_are_told_exist():
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.M))
    for name in ("README.md", "CONTRIBUTING.md"):
        told = set(re.findall(r"`make ([a-z][\w-]*)", read(name)))
        assert told <= targets


def test_translations_are_complete_and_up_to_date():
    import sys

    sys.path.insert(0, str(ROOT))
    from stack import messages

    template = messages.extract()
    for language in messages.LANGUAGES:
        path, catalog = messages.merged(language, template)
        assert messages.missing(catalog) == []
        assert path.read_bytes() == messages.text_of(catalog), "run `make messages`"


def test_house_measures():
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= (100 if path.name == "plugin.py" else 400), f"{path} has {lines} lines"
