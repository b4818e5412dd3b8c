"""What the actions on questions take; files are held against what may come with a message."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.questions.files import NAMES, Checked, FileProblem, check
from ckanext.dinamis_relais.questions.rules import LONGEST, clean
from ckanext.dinamis_relais.schema import validator

MEGABYTE = 1_000_000


def _text(name: str, missing: str, *, lines: bool) -> Callable[..., None]:
    """A cleaned text that must not be empty."""

    def checked(key: Any, data: Any, errors: Any, context: Any) -> None:
        del context
        value = data.get(key)
        text = clean(value, lines=lines) if isinstance(value, str) else ""
        if not text:
            errors[key].append(missing)
            raise tk.StopOnError
        if len(text) > LONGEST[name]:
            errors[key].append(tk._("At most {number} characters, please.").format(number=LONGEST[name]))
            raise tk.StopOnError
        data[key] = text

    return checked


def _sentence(problem: FileProblem) -> str:
    """What is wrong with a file, and what to do."""
    return {
        "empty": tk._("“{name}” is empty. Choose the file again."),
        "large": tk._("“{name}” is larger than {limit} MB. Send a smaller file, or an extract of it."),
        "type": tk._("“{name}” is not of a kind that can be sent. Possible: {types}."),
        "content": tk._("“{name}” does not hold what its name says. Save it again as one of: {types}."),
    }[problem.kind].format(name=problem.name, limit=config.question_file_mb(), types=NAMES)


def _content(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise tk.Invalid(tk._("Give each file's content in base64.")) from error


def _files(value: Any) -> list[Checked]:
    """``[{"name", "content"}]``, the content as bytes or in base64."""
    named = isinstance(value, (list, tuple)) and all(
        isinstance(one, dict) and {"name", "content"} <= set(one) for one in value
    )
    if not named:
        raise tk.Invalid(tk._("Give the files as a list of names and contents."))
    if len(value) > config.question_files():
        text = tk._("At most {number} files with one message. Put them into one ZIP file, or write twice.")
        raise tk.Invalid(text.format(number=config.question_files()))
    found, wrong = [], []
    for one in value:
        try:
            found.append(check(str(one["name"]), _content(one["content"]), config.question_file_mb() * MEGABYTE))
        except FileProblem as problem:
            wrong.append(_sentence(problem))
    if wrong:
        raise tk.Invalid(" ".join(wrong))
    return found


def given(data_dict: dict[str, Any]) -> dict[str, Any]:
    """What an action was given, its files kept together: CKAN 2.11's validation takes lists of dictionaries apart."""
    files = data_dict.get("files")
    return {**data_dict, "files": tuple(files)} if isinstance(files, list) else dict(data_dict)


def message() -> dict[str, Any]:
    """A message with its files."""
    write = tk._("Write your message: what you want to do, and what happens instead.")
    return {"text": [_text("text", write, lines=True)], "files": [validator("default")([]), _files]}


def question() -> dict[str, Any]:
    """A new question."""
    name = tk._("Give your question a title: a few words that say what it is about.")
    optional = [validator("ignore_empty"), validator("unicode_safe")]
    return {"title": [_text("title", name, lines=False)], **message(), "about": optional, "about_title": optional}


def _seen() -> list[Any]:
    return [validator("ignore_empty"), validator("natural_number_validator")]


def reply() -> dict[str, Any]:
    """A further message of a thread."""
    return {"id": [validator("not_empty"), validator("unicode_safe")], **message(), "seen": _seen()}


def step() -> dict[str, Any]:
    """A transition without a message."""
    word = [validator("not_empty"), validator("unicode_safe")]
    return {"id": word, "transition": word, "seen": _seen()}
