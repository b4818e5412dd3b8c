"""What the text of a mail may hold: pure."""

from __future__ import annotations

import pytest

from ckanext.dinamis_relais.wording import rules

SHIPPED = (
    "{{ organization }}\nVotre lien : {{ link }}\n{% if reason %}{{ reason }}{% endif %}"
    "{% for s in scenes %}{{ s.title }}{% endfor %}",
)
SAMPLE = {"organization": "Exempleville", "link": "https://exemple.test/sign", "reason": "Motif", "relay": "PIGMA",
          "recipient_name": "Alix", "scenes": [{"title": "SPOT"}]}  # fmt: skip


def codes(subject, body):
    return [(p.field, p.code, p.what) for p in rules.problems(subject, body, SHIPPED, SAMPLE)]


@pytest.mark.parametrize(("subject", "body", "expected"), [
    ("À {{ organization }}", "{{ relay }} : {{ link }} {{ reason }}", []),
    ("Sujet", "{% for s in scenes %}{{ s.title }}{% endfor %}{{ link }} {{ reason }}", []),
    ("Sujet", "{% if organization == 'x' %}a{% else %}{{ link }} {{ reason }}{% endif %}", []),
    ("Sujet", "{{ organisation }} {{ link }} {{ reason }}", [("body", "unknown", "organisation")]),
    ("{{ nom }}", "{{ link }} {{ reason }}", [("subject", "unknown", "nom")]),
    ("Sujet", "{{ link }}", [("body", "missing", "reason")]),
    ("Sujet", "Bonjour", [("body", "missing", "link"), ("body", "missing", "reason")]),
    ("Sujet", "{{ reason }} {% if not organization %}{{ link }}{% endif %}", [("body", "missing", "link")]),
    ("Sujet", "{{ link }} {reason}", [("body", "brace", "reason")]),
    ("Sujet", "{{ link }} {{ reason", [("body", "syntax", "1")]),
    ("Sujet", "{{ link }}\n{% if reason %}{{ reason }}", [("body", "syntax", "2")]),
    ("Sujet", "{{ link }} {{ reason }} http://mort.example/page", [("body", "address", "http://mort.example/page")]),
    ("www.exemple.fr", "{{ link }} {{ reason }}", [("subject", "address", "www.exemple.fr")]),
    ("Votre lien {{ link }}", "{{ link }} {{ reason }}", [("subject", "secret", "")]),
    ("", "{{ link }} {{ reason }}", [("subject", "empty", "")]),
    ("a\nb", "{{ link }} {{ reason }}", [("subject", "lines", "")]),
    ("a" * 201, "{{ link }} {{ reason }}", [("subject", "long", "200")]),
])  # fmt: skip
def test_problems(subject, body, expected):
    assert codes(subject, body) == expected


@pytest.mark.parametrize("body", [
    "{{ organization.__class__ }}", "{{ organization|upper }}", "{{ organization.upper() }}", "{{ 'a' * 10 }}",
    "{% set x = 1 %}", "{% include 'x' %}", "{% macro m() %}{% endmacro %}", "{{ scenes[0] }}", "{{ [1] }}",
    "{% for i in range(9) %}{% endfor %}", "{{ organization ~ 'x' }}",
])  # fmt: skip
def test_nothing_that_runs(body):
    assert codes("Sujet", body + "{{ link }}{{ reason }}")[0][:2] == ("body", "forbidden")


def test_nothing_is_made_of_what_a_value_holds():
    assert rules.fill("{{ organization }}", {"organization": "{{ link }}<b>"}) == "{{ link }}<b>"
