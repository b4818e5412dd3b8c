"""What may be done with images, in plain words: the operator's dated file, accepted once a version by each person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
import yaml
from ckan.types import Context, DataDict
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.access.model import LicenceAcceptance
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.transaction import one_commit

MODEL = Path(__file__).parent / "licences.model.yaml"
USES = ("publish", "contractor", "derive")
ANSWERS = ("yes", "conditions", "no")


@dataclass(frozen=True)
class Licence:
    """One version of one licence.

    :ivar collections: ``fnmatch`` patterns of the collections that it is about
    :ivar title: by language
    :ivar uses: use → ``{"answer", "fr", "en"}``, for :data:`USES`
    :ivar credit: the line to print beside the image
    :ivar model: True for a text that binds nobody
    """

    licence: str
    version: str
    since: dt.date
    collections: tuple[str, ...]
    title: dict[str, str]
    credit: str
    uses: dict[str, dict[str, str]]
    url: str = ""
    model: bool = False


def _entry(number: int, entry: Any) -> Licence:
    where = f"licence {number}"
    needed = ("licence", "version", "since", "collections", "title", "credit", "uses")
    if not isinstance(entry, dict) or any(name not in entry for name in needed):
        raise ValueError(f"{where}: give {', '.join(needed)}")
    if not isinstance(entry["since"], dt.date):
        raise ValueError(f"{where}: since is a date, such as 2027-01-01")
    uses = entry["uses"]
    if not isinstance(uses, dict) or any(uses.get(use, {}).get("answer") not in ANSWERS for use in USES):
        raise ValueError(f"{where}: uses has {', '.join(USES)}, each with an answer: {', '.join(ANSWERS)}")
    return Licence(str(entry["licence"]), str(entry["version"]), entry["since"], tuple(map(str, entry["collections"])),
                   dict(entry["title"]), str(entry["credit"]), uses, str(entry.get("url") or ""),
                   bool(entry.get("model")))  # fmt: skip


def parse(text: str) -> tuple[Licence, ...]:
    """Licences of a file.

    :raises ValueError: names the entry and what is expected
    """
    entries = yaml.safe_load(text)
    if not isinstance(entries, list):
        raise ValueError("licences: a list is expected")
    return tuple(_entry(number, entry) for number, entry in enumerate(entries, 1))


@lru_cache(maxsize=4)
def _read(path: Path, _changed: float) -> tuple[Licence, ...]:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def in_force(today: dt.date | None = None) -> list[Licence]:
    """The newest version of each licence that holds on a day (today, UTC)."""
    path = config.image_licences() or MODEL
    day = today or utcnow().date()
    newest: dict[str, Licence] = {}
    for one in sorted(_read(path, path.stat().st_mtime), key=lambda one: one.since):
        if one.since <= day:
            newest[one.licence] = one
    return list(newest.values())


def of_collection(collection: str) -> Licence | None:
    """The licence in force of a collection: the first whose patterns match."""
    return next((one for one in in_force() if any(fnmatchcase(collection, p) for p in one.collections)), None)


def accepted(user_id: str) -> set[tuple[str, str]]:
    """``(licence, version)`` that a person accepted."""
    query = sa.select(LicenceAcceptance.licence, LicenceAcceptance.version)
    return {(row[0], row[1]) for row in session().execute(query.where(LicenceAcceptance.user_id == user_id))}


def lacking(collections: Iterable[str], have: set[tuple[str, str]]) -> list[Licence]:
    """Licences that are still to be accepted before files of these collections.

    :param have: as :func:`accepted`
    :raises GuardError: a collection has no licence: the operator has to give it one
    """
    found = {}
    for collection in sorted(set(collections)):
        one = of_collection(collection)
        if one is None:
            text = tk._("The series {series} has no licence on this site yet. Write to PIGMA, which enters it.")
            raise GuardError("licence", text.format(series=collection))
        if (one.licence, one.version) not in have:
            found[one.licence] = one
    return list(found.values())


def as_dict(one: Licence, have: set[tuple[str, str]]) -> dict[str, Any]:
    """A licence as actions answer it, in the words of the present language."""
    language = str(tk.h.lang() or "fr")[:2]

    def words(texts: dict[str, str]) -> str:
        return str(texts.get(language) or texts.get("fr") or "")

    return {
        "licence": one.licence, "version": one.version, "since": isoformat(one.since), "title": words(one.title),
        "credit": one.credit, "link": one.url, "model": one.model, "collections": list(one.collections),
        "uses": [{"use": use, "answer": one.uses[use]["answer"], "text": words(one.uses[use])} for use in USES],
        "accepted": (one.licence, one.version) in have,
        "url": tk.url_for("dinamis_licences.show", licence=one.licence),
    }  # fmt: skip


@tk.side_effect_free
def dinamis_licence_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """The licences of the images in force, with what they allow in plain words.

    :param collection: only that of this collection
    :returns: ``{"count", "results"}``; ``accepted`` tells of the person who asks
    """
    tk.check_access("dinamis_licence_list", context, data_dict)
    user = user_of(context)
    have = accepted(user.id) if user else set()
    collection = data_dict.get("collection")
    one = of_collection(str(collection)) if collection else None
    found = ([one] if one else []) if collection else in_force()
    return {"count": len(found), "results": [as_dict(each, have) for each in found]}


def dinamis_licence_accept(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Accept a licence, for oneself.

    :param licence: its key
    :param version: the version that was read; when another is in force meanwhile, nothing is accepted
    :returns: ``{"licence", "version"}``
    """
    tk.check_access("dinamis_licence_accept", context, data_dict)
    user = user_of(context)
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to accept a licence."))
    name, version = (str(data_dict.get(key) or "") for key in ("licence", "version"))
    one = next((each for each in in_force() if each.licence == name), None)
    if one is None:
        raise tk.ObjectNotFound(tk._("There is no such licence."))
    with one_commit():
        if one.version != version:
            raise GuardError("version", tk._("The licence has changed meanwhile. Read it again, please."))
        key = {"user_id": user.id, "licence": name, "version": version}
        added = session().execute(
            insert(LicenceAcceptance.__table__).values(**key, accepted_at=utcnow()).on_conflict_do_nothing()
        )
        if added.rowcount:
            record(Event.LICENCE_ACCEPTED, user.id, "licence", name, version=version)
    return {"licence": name, "version": version}
