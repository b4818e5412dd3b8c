"""The figures' one rule."""

from __future__ import annotations

import pytest

from ckanext.dinamis_relais.portal.figures import department


@pytest.mark.parametrize(
    "kind, code, expected",
    [
        ("commune", "33039", "33"), ("commune", "2A004", "2A"), ("commune", "97411", "974"),
        ("departement", "16", "16"), ("departement", "974", "974"), ("epci", "243300316", None),
        ("region", "75", None), ("commune", "", None), (None, None, None),
    ],
)  # fmt: skip
def test_the_departement_of_a_territory(kind, code, expected):
    assert department(kind, code) == expected
