"""Pages as people of each role see them."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from ckan.lib.redis import connect_to_redis
from ckan.tests.helpers import call_action
from flask import g


class Browser:
    """Asks for pages with the token of a role; ``anonymous`` has none."""

    def __init__(self, app: Any, people: Any):
        self.app, self.people, self.tokens = app, people, {}

    def headers(self, role: str) -> dict[str, str]:
        if role == "anonymous":
            return {}
        if role not in self.tokens:
            name = self.people.users[role]["name"]
            self.tokens[role] = call_action("api_token_create", {"ignore_auth": True}, user=name, name="page")["token"]
        return {"Authorization": self.tokens[role]}

    def ask(self, method: str, role: str, path: str, **more: Any) -> Any:
        headers = self.headers(role)
        # The fixtures' request context is still there, and Flask would reuse who it found in it.
        for name in ("_login_user", "user", "userobj", "author"):
            g.pop(name, None)
        return getattr(self.app, method)(path, headers=headers, follow_redirects=False, **more)

    def get(self, role: str, path: str) -> Any:
        return self.ask("get", role, path)

    def post(self, role: str, path: str, data: dict[str, str] | None = None) -> Any:
        return self.ask("post", role, path, data=data or {})

    def soup(self, role: str, path: str) -> BeautifulSoup:
        answer = self.get(role, path)
        assert answer.status_code == 200, (role, path, answer.status_code)
        return BeautifulSoup(answer.body, "html.parser")


def words(node: Any) -> str:
    """The text of a part of a page, with single spaces."""
    return " ".join(node.get_text(" ").split())


@pytest.fixture
def browser(app: Any, people: Any) -> Browser:
    """Every role's browser, with figures that no earlier test counted."""
    redis = connect_to_redis()
    for key in redis.scan_iter("dinamis:figures:*"):
        redis.delete(key)
    return Browser(app, people)
