"""The pure rules: what a proposal must say, which guides a theme stands beside."""

from __future__ import annotations

import pytest

from ckanext.dinamis_relais.guides.shipped import all_shipped
from ckanext.dinamis_relais.machine import TransitionError
from ckanext.dinamis_relais.use_cases.rules import CHANGED_BY, MACHINE, NEEDED, THEMES, missing, themes_of_guide

WHOLE = dict.fromkeys(NEEDED, "x")


def test_a_theme_names_guides_that_are_shipped():
    assert {guide for guides in THEMES.values() for guide in guides} <= set(all_shipped())
    assert themes_of_guide("foret") == ["forest"]
    assert themes_of_guide("bandes") == []


@pytest.mark.parametrize("name", NEEDED)
def test_each_thing_that_is_needed_is_missed(name):
    assert missing({**WHOLE, name: ""}) == [name]


def test_a_picture_needs_its_words():
    assert missing(WHOLE) == []
    assert missing({**WHOLE, "picture": True}) == ["picture_alt"]
    assert missing({**WHOLE, "picture": True, "picture_alt": "Une haie."}) == []


def test_only_a_proposal_is_published():
    assert [row.source for row in MACHINE if row.target == "published"] == ["proposed"]
    assert {row.verb for row in MACHINE if row.target == "published"} == {"use_case.publish"}
    with pytest.raises(TransitionError, match="propose"):
        MACHINE.row("draft", "publish")
    assert set(CHANGED_BY) == set(MACHINE.states) - {"discarded"}
