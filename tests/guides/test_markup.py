"""Markdown: what it draws, and what never passes."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.dinamis_relais.guides.markup import render
from ckanext.dinamis_relais.questions.guide_views import _literal

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "![x](javascript:alert(1))",
    '![x](/a.png" onerror="alert(1))',
    '![" onerror="alert(1)](/a.png)',
    "<svg/onload=alert(1)>",
    "<div style='position:fixed'>x</div>",
    "<iframe src=//evil.example></iframe>",
    "<form action=//evil.example><input name=a></form>",
    "<https://ok.example/' onmouseover='alert(1)>",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "# <script>alert(1)</script>",
    "| a |\n| --- |\n| <script>alert(1)</script> |",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
)
ALLOWED = {"a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre",
           "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}  # fmt: skip
ATTRIBUTES = {"href", "title", "src", "alt", "id", "rel"}


def assert_harmless(text: str) -> BeautifulSoup:
    soup = BeautifulSoup(render(text), "html.parser")
    for element in soup.find_all(True):
        assert element.name in ALLOWED, (text, element)
        assert set(element.attrs) <= ATTRIBUTES, (text, element)
        for name in ("href", "src"):
            # As a browser reads it: line ends and tabs are nothing, what stands before a scheme's colon is its name.
            address = re.sub(r"[\t\r\n]", "", str(element.get(name, ""))).lower().strip("\0\x0b\x0c ")
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", address)
            assert scheme is None or scheme[1] in ("http", "https", "mailto"), (text, element)
    return soup


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_passes(text):
    assert_harmless(text)


@given(st.text(alphabet="<>()[]`*_#\"'=&;:/\\ !|-\nascriptonjv", max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_an_element_of_its_own(text):
    assert_harmless(text)
    assert_harmless(f"[x]({text})")


def test_raw_html_is_shown_as_it_was_typed():
    assert "<b>gras</b> & <script>" in BeautifulSoup(render("<b>gras</b> & <script>"), "html.parser").get_text()


def test_a_heading_is_below_the_pages_own_and_its_id_is_no_other_elements():
    soup = assert_harmless("# Titre\n\n## Sous-titre\n\n# CSRF")
    assert [one.name for one in soup.find_all(["h1", "h2", "h3"])] == ["h2", "h3", "h2"]
    assert all(one["id"].startswith("s-") for one in soup.find_all(["h2", "h3"]))


def test_tables_lists_figures_and_links_are_drawn():
    soup = assert_harmless(
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- x\n\n![Des bandes](/dinamis-guides/bands.svg)\n\n[y](/dinamis)"
    )
    assert soup.select_one("td").text == "1"
    assert soup.select_one("img")["alt"] == "Des bandes"
    assert soup.select_one("a")["href"] == "/dinamis"


def test_own_addresses_follow_the_sites_root(monkeypatch, ckan_config):
    monkeypatch.setitem(ckan_config, "ckan.root_path", "/catalogue/{{LANG}}")
    soup = assert_harmless("![a](/dinamis-guides/bands.svg) [y](//ailleurs.example/x)")
    assert soup.select_one("img")["src"] == "/catalogue/dinamis-guides/bands.svg"
    assert soup.select_one("a")["href"] == "//ailleurs.example/x"


def test_what_a_question_was_made_into_reads_as_it_was_typed():
    typed = "*a* _b_ <b>c</b> [d](e) # f `g` h|i ~j~ \\k"
    assert BeautifulSoup(render(_literal(typed)), "html.parser").get_text().strip() == typed
