"""Pictures of use cases: taken as PNG or JPEG, drawn anew, kept in the database."""

from __future__ import annotations

import io
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from PIL import Image

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.documents.logo import drawn_anew
from ckanext.dinamis_relais.use_cases.model import Picture

MEGABYTE = 1_000_000
#: Largest file that is taken, in MB.
LARGEST = 8
#: Longest side that is kept, in pixels: as wide as a page ever shows it.
SIDE = 1600

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def checked(content: bytes) -> bytes:
    """A picture as it is kept: a JPEG of at most ``SIDE`` pixels a side, without what the camera wrote into it.

    :raises toolkit.Invalid: what is wrong and what to do
    """
    if len(content) > LARGEST * MEGABYTE:
        text = tk._("The picture is larger than {limit} MB. Save it smaller, then choose it again.")
        raise tk.Invalid(text.format(limit=LARGEST))
    if not content.startswith(_SIGNATURES):
        raise tk.Invalid(tk._("Choose a picture in PNG or JPEG."))
    try:
        image = drawn_anew(content, "picture")
    except DocumentError as error:
        text = f"{tk._(error.problem)} {tk._(error.remedy)}".strip()
        raise tk.Invalid(text % error.params if error.params else text) from error
    if image.mode == "RGBA":  # JPEG lets nothing see through: what is behind is the page's white
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    image.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _of(ids: Any) -> Any:
    return Picture.dataset_id.in_(list(ids))


def known(ids: Any) -> dict[str, str]:
    """Use case → id of its picture, of those that have one."""
    return dict(session().execute(sa.select(Picture.dataset_id, Picture.id).where(_of(ids))).all())


def read(use_case_id: str) -> Picture | None:
    """The picture of a use case."""
    return session().execute(sa.select(Picture).where(Picture.dataset_id == use_case_id)).scalars().first()


def keep(use_case_id: str, content: bytes | None) -> None:
    """Put a checked picture in the place of the former one, or none; in the present transaction."""
    gone = sa.delete(Picture).where(Picture.dataset_id == use_case_id)
    session().execute(gone.execution_options(synchronize_session=False))
    if content:
        session().add(Picture(dataset_id=use_case_id, media_type="image/jpeg", content=content))
    session().flush()
