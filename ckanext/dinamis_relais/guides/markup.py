"""Markdown as a page shows it: nothing that somebody typed is markup of its own.

Raw HTML is no Markdown here, it is shown as it was typed; what the Markdown library makes is then held against a
list of elements by the cleaner that CKAN itself uses (nh3 from 2.12 on, bleach before).
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import ckan.plugins.toolkit as tk
from markdown import Markdown
from markdown.extensions.toc import TocExtension
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup

try:
    import nh3
except ImportError:  # CKAN 2.11
    nh3 = None

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}} | {name: {"id"} for name in _HEADINGS}
_SCHEMES = {"http", "https", "mailto"}


def _root() -> str:
    return str(tk.config.get("ckan.root_path") or "").replace("/{{LANG}}", "").rstrip("/")


class _OwnAddresses(Treeprocessor):
    """An address that begins with ``/`` is one of this site, wherever its root lies."""

    def run(self, root: Element) -> None:
        prefix = _root()
        for element in root.iter():
            for name in ("href", "src"):
                value = element.get(name, "")
                if prefix and value.startswith("/") and not value.startswith("//"):
                    element.set(name, prefix + value)


def _markdown() -> Any:
    # A heading is one of a page that has its own title: "# " is an h2. Its id cannot be that of a field of a form.
    headings = TocExtension(baselevel=2, marker="", slugify=lambda value, sep: "s-" + _slug(value, sep))
    made: Any = Markdown(extensions=["tables", "sane_lists", headings])
    made.preprocessors.deregister("html_block")
    made.inlinePatterns.deregister("html")
    made.treeprocessors.register(_OwnAddresses(made), "own_addresses", 0)
    # A backslash before any of these shows the character itself.
    made.ESCAPED_CHARS = [*made.ESCAPED_CHARS, "<", "|", "~"]
    return made


def _slug(value: str, separator: str) -> str:
    from markdown.extensions.toc import slugify

    return slugify(value, separator)


def _clean(html: str) -> str:
    if nh3 is not None:
        return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener")
    import bleach

    attributes = {tag: sorted(names) for tag, names in _ATTRIBUTES.items()}
    return bleach.clean(html, tags=_TAGS, attributes=attributes, protocols=_SCHEMES, strip=True)


def render(text: str) -> Markup:
    """A Markdown text as safe HTML, its own headings from ``h2`` on.

    :param text: as somebody typed it
    """
    return Markup(_clean(_markdown().convert(text)))  # noqa: S704  # cleaned
