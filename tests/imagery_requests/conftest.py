"""What the tests of requests start from: the sandbox as DINAMIS, scenes around Bordeaux, a person with an account."""

from __future__ import annotations

import pytest

from tests.access.conftest import activate
from tests.accounts.conftest import member
from tests.imagery.conftest import engine, item, load
from tests.portal.pages import browser
from tests.questions.conftest import dinamis

__all__ = ["asker", "browser", "dinamis", "engine", "load", "member"]


@pytest.fixture
def asker(member, load):
    """Bègles's people; its ``member`` has an active account; three scenes lie around Bordeaux, one of them clear."""
    load([item(number, **{"eo:cloud_cover": cloud, "gsd": 1.5}) for number, cloud in ((1, 5.0), (2, 60.0), (3, None))])
    activate(member)
    return member
