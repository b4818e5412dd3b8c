"""The worker goes on, whatever one of its chores does."""

from __future__ import annotations

import logging

import pytest

from ckanext.dinamis_relais.gateway import turns as room
from ckanext.dinamis_relais.gateway.turns import REST, Turns

pytestmark = pytest.mark.usefixtures("with_plugins")


def test_a_chore_that_fails_rests_and_stops_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, calls = [100.0], []
    # A site's logging file, read by an earlier test, may have cut this log off.
    monkeypatch.setattr(room.log, "disabled", False)
    monkeypatch.setattr(room.log, "handlers", [caplog.handler])

    def broken() -> int:
        calls.append("broken")
        raise KeyError("what the room did not foresee")

    def sound() -> int:
        calls.append("sound")
        return 2

    turns = Turns([broken, sound], clock=lambda: now[0])
    with caplog.at_level(logging.ERROR, logger=room.log.name):
        assert turns.take() == 2
    assert "broken failed" in caplog.text
    assert turns.take() == 2
    assert calls == ["broken", "sound", "sound"]
    now[0] += REST
    turns.take()
    assert calls[3:] == ["broken", "sound"]
