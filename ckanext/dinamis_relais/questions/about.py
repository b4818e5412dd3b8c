"""What a question is about: one of our own pages, told by its address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import ckan.plugins.toolkit as tk
from ckan.lib import i18n
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.questions.rules import clean

#: Parts of the site about which a question is asked; no page of a login, of an administrator or of an API.
_PARTS = ("/dinamis", "/dataset", "/imagery-series", "/imagery-use-case", "/organization", "/group")
_LONGEST = 1000


@dataclass(frozen=True)
class About:
    """A thing of this site.

    :ivar kind: one of ``rules.KINDS``
    :ivar id: the thing's identifier: ``collection/item`` of a scene, a dataset's id, a guide's name, a page's path
    :ivar title: as the site itself calls it
    :ivar path: address of its page on this site, without the part before ``/dinamis`` and the like
    """

    kind: str
    id: str
    title: str
    path: str


def _root() -> str:
    return str(tk.config.get("ckan.root_path") or "").replace("/{{LANG}}", "").rstrip("/")


def path_of(address: str) -> str | None:
    """The path of an address of this site, without language and root; None for any other address.

    :param address: a path, or a whole address that begins with this site's
    """
    if len(address) > _LONGEST or re.search(r"[\x00-\x20\x7f\\]", address):
        return None
    site = config.site_url()
    if address.startswith(f"{site}/"):
        address = address[len(site) :]
    if not address.startswith("/") or address.startswith("//"):
        return None
    path = unquote(urlsplit(address).path)
    if re.search(r"[\x00-\x1f\x7f\\]|//|/\.\.?(/|$)", path):
        return None
    root = _root()
    path = path.removeprefix(root) if root and path.startswith(f"{root}/") else path
    first, _slash, rest = path[1:].partition("/")
    return f"/{rest}" if first in i18n.get_locales() else path


def _matched(path: str) -> tuple[str, dict[str, Any]] | None:
    """The page that this site serves at a path: its endpoint and what its address holds."""
    if not any(path == part or path.startswith(f"{part}/") for part in _PARTS):
        return None
    try:
        endpoint, values = current_app.url_map.bind("localhost").match(path, method="GET")
    except (RequestRedirect, HTTPException):
        return None
    # An address with a token is a secret of whoever was sent it.
    return None if "token" in values else (endpoint, dict(values))


def resolve(address: str, user: str, title: str = "") -> About | None:
    """The thing that an address of this site shows to a person.

    :param user: name of the CKAN user: what they may not read, they do not ask about
    :param title: what the page calls itself, for pages that have no title of their own in the database
    :returns: None for an address that is not ours, or where nothing is that this person may read
    """
    path = path_of(address)
    found = _matched(path) if path else None
    if path is None or found is None:
        return None
    endpoint, values = found
    context: Any = {"user": user}
    try:
        if endpoint == "dinamis_imagery.scene":
            return _scene(context, values, path)
        if endpoint.endswith(".read") and endpoint.split(".")[0] in ("dataset", "imagery-series", "imagery-use-case"):
            shown = tk.get_action("package_show")(context, {"id": values["id"]})
            kind = "series" if shown.get("type") == "imagery-series" else "page"
            return About(kind, shown["id"], clean(shown.get("title") or shown["name"]), path)
        if path.startswith("/dinamis/guides/"):
            return _guide(context, path)
    except (tk.ObjectNotFound, tk.NotAuthorized, tk.ValidationError):
        return None
    return About("page", path, clean(title)[:150] or path, path)


def _scene(context: Any, values: dict[str, Any], path: str) -> About:
    from ckanext.dinamis_relais.imagery import describe

    id_ = f"{values['collection']}/{values['item_id']}"
    try:
        item = tk.get_action("dinamis_scene_show")(
            context, {"collection": values["collection"], "id": values["item_id"]}
        )
    except SQLAlchemyError:  # the scenes' own database is away: its name still says which scene it is
        return About("scene", id_, values["item_id"], path)
    row = describe.row(item)
    return About("scene", id_, f"{row['sensor']}, {row['date']}", path)


def _guide(context: Any, path: str) -> About:
    """A guide by the name that its address ends with; titled by the room of guides where the site has it."""
    name = path.removeprefix("/dinamis/guides/").strip("/")
    try:
        action = tk.get_action("dinamis_guide_show")
    except KeyError:
        return About("guide", name, name, path)
    shown = action(context, {"id": name, "name": name})
    return About("guide", name, clean(str(shown.get("title") or name)), path)


def link(path: str | None) -> str | None:
    """Address of a thing's page on this site, as a link of a page; needs no request."""
    return f"{_root()}{quote(path)}" if path else None


def address(path: str | None) -> str | None:
    """The whole address of a thing's page, for mails and for DINAMIS."""
    return f"{config.site_url()}{link(path)}" if path else None
