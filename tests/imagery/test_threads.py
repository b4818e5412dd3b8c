"""Python's habits while pages of scenes are worked on, and after."""

from __future__ import annotations

import gc
import sys

import pytest

from ckanext.dinamis_relais.imagery.threads import GARBAGE, TURN, in_turn


def habits() -> tuple[int, float]:
    return gc.get_threshold()[0], round(sys.getswitchinterval(), 6)


def test_habits_change_for_a_while() -> None:
    before = habits()
    with pytest.raises(OSError, match="broken"), in_turn():
        within = habits()
        raise OSError("broken")
    assert (within, habits()) == ((GARBAGE, TURN), before)
    assert before != within
