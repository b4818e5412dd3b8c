"""The shipped guides: whole, linked to pages that exist, with figures that exist and say what they show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from ckanext.dinamis_relais.guides import rules
from ckanext.dinamis_relais.guides.markup import render
from ckanext.dinamis_relais.guides.shipped import all_shipped, french

ROOT = Path(__file__).parents[2]
PUBLIC = ROOT / "ckanext" / "dinamis_relais" / "public"
#: What the task of the room lists.
SUBJECTS = ("image", "spot", "resolution", "bandes", "dimap", "projections", "numeriques", "compositions", "ndvi",
            "qgis", "telecharger", "occupation", "foret", "littoral", "urbanisation", "incendie")  # fmt: skip


def test_every_subject_has_its_guide():
    names = " ".join(all_shipped())
    assert [one for one in SUBJECTS if one not in names] == []


@pytest.mark.parametrize("name", list(all_shipped()))
def test_a_guide_is_whole_short_and_names_its_sources(name):
    guide = all_shipped()[name]
    assert guide.theme in rules.THEMES
    assert all((guide.title, guide.summary, guide.title_en, guide.summary_en))
    assert 500 < len(guide.body) < 4000
    assert "\n# Sources\n\n" in guide.body
    assert not re.search(r"\w [:;!?]", re.sub(r"(?m)^    .*$", "", guide.body)), "a plain space before a French sign"
    soup = BeautifulSoup(render(guide.body), "html.parser")
    for image in soup.select("img"):
        assert (PUBLIC / image["src"].lstrip("/")).is_file()
        assert len(image["alt"]) > 30
    for link in soup.select("a[href^='/dinamis/guides/']"):
        assert link["href"].rsplit("/", 1)[1] in all_shipped()


def test_the_bands_are_told_with_both_names():
    body = all_shipped()["ndvi"].body
    assert "(B3 − B2) / (B3 + B2)" in body
    assert "(bande 4 − bande 1) / (bande 4 + bande 1)" in body


def test_the_figures_are_those_that_the_script_draws(tmp_path):
    code = (f"import pathlib, runpy; module = runpy.run_path({str(ROOT / 'tools' / 'figures.py')!r}); "
            f"module['main'].__globals__['FOLDER'] = pathlib.Path({str(tmp_path)!r}); module['main']()")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True)
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    kept = {path.name: path.read_bytes() for path in (PUBLIC / "dinamis-guides").glob("*.svg")}
    assert drawn == kept
    assert len(kept) == 5


def test_french_spaces_leave_code_alone():
    assert french("Quoi ?\n    a ? b : c") == "Quoi\u00a0?\n    a ? b : c"
    assert rules.name_of("Où est l'image ?", {"ou-est-l-image"}) == "ou-est-l-image-2"
    assert rules.name_of("New", ()) == "new-2"
    assert rules.name_of("???", ()) == "guide"
