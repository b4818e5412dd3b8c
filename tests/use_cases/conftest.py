"""What the tests of use cases start from: a member organisation whose ``member`` has an active account."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.access.conftest import activate
from tests.accounts.conftest import member
from tests.portal.pages import browser

__all__ = ["author", "browser", "member", "photo"]


@pytest.fixture
def author(member, migrate_db_for):
    """Bègles's people; its ``member`` may propose."""
    migrate_db_for("harvest")
    activate(member)
    return member


@pytest.fixture
def photo() -> bytes:
    """A JPEG as a camera makes it: its place and its maker are written into it, and it lies on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Appareil photo", 6
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (400, 200), "seagreen").save(out, "JPEG", exif=exif)
    return out.getvalue()
