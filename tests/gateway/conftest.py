"""What the tests of grouped mails start from: a site that hands over by mail, a real SMTP server, Bègles's people."""

from __future__ import annotations

import pytest

from tests.accounts.conftest import member
from tests.imagery.conftest import engine, item, load
from tests.imagery_requests.conftest import asker
from tests.membership.test_dossiers import post_office
from tests.portal.pages import browser

__all__ = ["asker", "browser", "by_mail", "engine", "item", "load", "member", "post_office"]

BOARD = "bureau@dinamis.example"
PREFIX = "ckanext.dinamis_relais."


@pytest.fixture
def by_mail(ckan_config, monkeypatch):
    """The site hands over to DINAMIS by mail, at any hour."""
    for name, value in (("gateway.transport", "dossier"), ("gateway.board_email", BOARD), ("gateway.grouped_hour", 0)):
        monkeypatch.setitem(ckan_config, PREFIX + name, value)
