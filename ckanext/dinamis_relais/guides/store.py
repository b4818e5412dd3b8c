"""Guides as they stand: what is shipped, overlaid by what this site wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.guides.model import Guide, GuideVersion
from ckanext.dinamis_relais.guides.shipped import all_shipped

#: What a version holds.
TEXTS = ("title", "summary", "body", "title_en", "summary_en")
#: Place of what is not shipped: behind all that is.
_LAST = 1000


@dataclass(frozen=True)
class Entry:
    """A guide or an answer as it stands now.

    :ivar row: its row; None for a shipped guide that nobody has changed
    :ivar texts: one for each of :data:`TEXTS`
    """

    name: str
    kind: str
    theme: str
    state: str
    number: int
    order: int
    shipped: bool
    row: Guide | None
    texts: dict[str, str]

    @property
    def updated_at(self) -> str | None:
        """When it was last changed on this site."""
        return isoformat(self.row.updated_at) if self.row is not None else None


def shipped_texts(name: str) -> dict[str, str] | None:
    """The texts of version 0; None for what was written here."""
    found = all_shipped().get(name)
    return {key: getattr(found, key) for key in TEXTS} if found else None


def _entry(name: str, row: Guide | None, version: GuideVersion | None) -> Entry | None:
    shipped = all_shipped().get(name)
    if version is not None:
        texts = {key: getattr(version, key) for key in TEXTS}
    else:
        found = shipped_texts(name)
        if found is None:  # its shipped text is gone from this release, and no other is in force
            return None
        texts = found
    return Entry(
        name=name,
        kind=row.kind if row is not None else "guide",
        theme=row.theme if row is not None else shipped.theme if shipped is not None else "",
        state=row.state if row is not None else "published",
        number=row.number if row is not None else 0,
        order=shipped.order if shipped else _LAST,
        shipped=shipped is not None,
        row=row,
        texts=texts,
    )


def entries() -> list[Entry]:
    """All of them, drafts too: the shipped ones in their order, then the others by title."""
    joined = sa.and_(GuideVersion.guide_id == Guide.id, GuideVersion.number == Guide.number)
    rows = session().execute(sa.select(Guide, GuideVersion).outerjoin(GuideVersion, joined)).all()
    known = {row.name: (row, version) for row, version in rows}
    names = [*all_shipped(), *(name for name in known if name not in all_shipped())]
    found = (_entry(name, *known.get(name, (None, None))) for name in names)
    return sorted((one for one in found if one), key=lambda one: (one.order, one.texts["title"].lower()))


def entry(name: str) -> Entry | None:
    """One of them by its name."""
    return next((one for one in entries() if one.name == name), None)


def locked_row(name: str) -> Guide:
    """The row of a guide, held until the transaction ends; made for a shipped guide that had none.

    :raises toolkit.ObjectNotFound: there is no such guide
    """
    shipped = all_shipped().get(name)
    if shipped is not None:
        now = utcnow()
        made = insert(Guide.__table__).values(
            id=new_id(), name=name, kind="guide", theme=shipped.theme, state="published", number=0,
            created_at=now, updated_at=now,
        )  # fmt: skip
        session().execute(made.on_conflict_do_nothing(index_elements=["name"]))
    query = sa.select(Guide).where(Guide.name == name).with_for_update()
    row = session().execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise tk.ObjectNotFound(tk._("This guide does not exist."))
    return row


def versions_of(row: Guide | None) -> list[GuideVersion]:
    """The versions written here, the newest first."""
    if row is None:
        return []
    query = sa.select(GuideVersion).where(GuideVersion.guide_id == row.id)
    return list(session().execute(query.order_by(GuideVersion.number.desc())).scalars())


def add_version(row: Guide, texts: dict[str, Any], author_id: str | None) -> GuideVersion:
    """Write a version of a guide (its row locked, or new) and put it in force."""
    last = sa.select(sa.func.max(GuideVersion.number)).where(GuideVersion.guide_id == row.id)
    version = GuideVersion(
        guide_id=row.id,
        number=(session().execute(last).scalar() or 0) + 1,
        author_id=author_id,
        **{key: texts.get(key) or "" for key in TEXTS},
    )
    session().add(version)
    row.number, row.updated_at = version.number, utcnow()
    session().flush()
    return version
