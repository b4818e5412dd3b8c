"""What a mail's text may hold: known tags, the needed ones, no address typed by hand, nothing that runs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Tags that every mail has.
GIVEN = frozenset({"relay", "operator", "contact", "site_url", "recipient_name"})
#: Tags without which a mail that has them would miss its purpose: where to act, and why somebody is told no.
NEEDED = frozenset({"link", "reason"})
LONGEST = {"subject": 200, "body": 10_000}

#: All that a text may be made of: words, tags, and conditions on them.
_ALLOWED = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For,
            nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.Getattr)  # fmt: skip
_ADDRESS = re.compile(r"(?i)\b(?:https?://|www\.)\S+")
_ONE_BRACE = re.compile(r"(?<![{%])\{\s*(\w+)\s*\}(?!\})")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a text.

    :ivar field: ``subject`` or ``body``
    :ivar code: ``empty``, ``long``, ``lines``, ``syntax``, ``unknown``, ``missing``, ``forbidden``, ``address``,
        ``brace`` or ``secret``
    :ivar what: the tag, the line, the address
    """

    field: str
    code: str
    what: str = ""


def environment() -> ImmutableSandboxedEnvironment:
    """What texts are read and filled in with: plain text, hence no HTML escaping; a missing value is an error."""
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)


def tags(*sources: str) -> set[str]:
    """Names that texts ask for."""
    return {name for source in sources for name in meta.find_undeclared_variables(environment().parse(source))}


def attributes(*sources: str) -> set[str]:
    """What texts ask of the things of a list (``scene.title``)."""
    trees = [environment().parse(source) for source in sources]
    return {node.attr for tree in trees for node in tree.find_all(nodes.Getattr)}


def _read(field: str, text: str, known: set[str], parts: set[str]) -> list[Problem]:
    """Problems of one text by itself."""
    if not text.strip():
        return [Problem(field, "empty")]
    if len(text) > LONGEST[field]:
        return [Problem(field, "long", str(LONGEST[field]))]
    if field == "subject" and "\n" in text.strip():
        return [Problem(field, "lines")]
    found = [Problem(field, "address", match[0]) for match in _ADDRESS.finditer(text)]
    found += [Problem(field, "brace", match[1]) for match in _ONE_BRACE.finditer(text)]
    try:
        tree = environment().parse(text)
        asked = tags(text)
    except TemplateSyntaxError as error:
        return [*found, Problem(field, "syntax", str(error.lineno))]
    for node in tree.find_all(nodes.Node):
        part = isinstance(node, nodes.Getattr) and node.attr not in parts
        if not isinstance(node, _ALLOWED) or part:
            return [*found, Problem(field, "forbidden", str(getattr(node, "lineno", "")))]
    return found + [Problem(field, "unknown", name) for name in sorted(asked - known)]


def problems(subject: str, body: str, shipped: Iterable[str], sample: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with a mail's text; an empty list when it may be saved.

    :param shipped: the shipped texts of this mail, whose tags are those that it has
    :param sample: an example of every tag
    """
    texts = list(shipped)
    own = tags(*texts)
    known, parts = own | GIVEN, attributes(*texts)
    found = _read("subject", subject, known, parts) + _read("body", body, known, parts)
    if "link" in own and not found and "link" in tags(subject):
        found.append(Problem("subject", "secret"))
    if found:
        return found
    try:
        filled = fill(body, sample)
        fill(subject, sample)
    except (TemplateError, TypeError) as error:
        return [Problem("body", "syntax", str(error)[:80])]
    usual, asked = "\n".join(fill(one, sample) for one in texts), tags(body)

    def lacks(name: str) -> bool:
        # A tag behind a condition that does not hold is as good as none, unless the shipped text hides it too.
        value = str(sample[name])
        return name not in asked or (value in usual and value not in filled)

    return [Problem("body", "missing", name) for name in sorted(own & NEEDED) if lacks(name)]


def fill(text: str, values: Mapping[str, Any]) -> str:
    """A text with its tags filled in.

    :raises jinja2.exceptions.TemplateError: a value is missing, or the text cannot be read
    """
    return environment().from_string(text).render(**values)
