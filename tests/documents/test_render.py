from __future__ import annotations

import io
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from pypdf import PdfReader

from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.documents.render import render

from .examples import (
    EVIDENCE,
    SHA_CHARTER,
    SHA_LICENCES,
    SHA_SHOWN,
    amendment,
    deed,
    letters,
    png,
    svg,
    words,
)

TEMPLATES = {
    "amendment": amendment(),
    "membership_deed": deed(),
    "charter": {"version": "1.0", "date": "2026-01-15"},
    "licences": {"version": "2.1", "date": None},
}
MODEL = "MODÈLE — texte non officiel, à remplacer par l’opérateur"
MARGIN = 68  # points: the 24 mm of base.typ
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_is_tagged_titled_french_and_claims_its_standards(name):
    reader = PdfReader(io.BytesIO(render(name, TEMPLATES[name])))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]["/K"]
    assert root["/Lang"].lower().startswith("fr")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert "DINAMIS" in reader.metadata.title or "PIGMA" in reader.metadata.title
    assert reader.metadata.author
    xmp = root["/Metadata"].get_data().decode()
    assert "pdfuaid:part" in xmp
    assert ">1<" in xmp.split("pdfuaid:part")[1]
    assert "pdfaid:conformance" in xmp


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_page_says_that_it_is_a_model_and_has_its_number(name):
    pdf = render(name, TEMPLATES[name])
    count = len(PdfReader(io.BytesIO(pdf)).pages)
    for page in range(count):
        assert MODEL in words(pdf, page)
        assert f"Page {page + 1} sur {count}" in words(pdf, page)


def test_the_fonts_are_embedded():
    reader = PdfReader(io.BytesIO(render("amendment", amendment())))
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_the_amendment_holds_its_data():
    text = words(render("amendment", amendment()))
    for expected in (
        "2024-0317", "15 octobre 2024", "Commune de L’Exemple-sur-Dordogne", "213 300 395 00017",
        "213 300 395",
        "1 place de la Mairie", "33000 L’Exemple", "GIP ATGeRi", "Camille Exemple", "Maire",
        "15 janvier 2026",
        "1er février 2026", "23 novembre 2026", "super-référent", "6f0c2a1e-5b7e-4f57-9f5c-0a6f0f5b1c11",
        "(modèle non officiel)",
    ):  # fmt: skip
        assert expected in text


def test_the_evidence_is_the_last_page_and_only_when_signed():
    signed = render("amendment", amendment())
    last = words(signed, -1)
    for expected in (
        "Preuve de la signature", "23 novembre 2026 à 14:05:12 (UTC)", "2026-11-23T14:05:12Z", "192.0.2.17",
        "maire@exemple.example", "Firefox/128.0", SHA_CHARTER, SHA_LICENCES, SHA_SHOWN, "2.1",
    ):  # fmt: skip
        assert expected in last
    unsigned = words(render("amendment", amendment(evidence=None)))
    assert "Preuve de la signature" not in unsigned
    assert "En attente de signature" in unsigned


def test_the_deed_holds_the_decision():
    text = words(render("membership_deed", deed()))
    for expected in (
        "BE-2026-117",
        "1er décembre 2026",
        "2 décembre 2026",
        "Bureau exécutif DINAMIS",
        "L’Exemple",
    ):
        assert expected in text


def test_absent_particulars_leave_no_label():
    data = amendment(legal_representative=None)
    data["organization"].update(siret=None, address="")
    text = words(render("amendment", data))
    assert "SIRET" not in text
    assert "Adresse" not in text.split("Preuve de la signature")[0]
    assert "Représenté par" not in text


@pytest.mark.parametrize("image", [png(), png(mode="CMYK"), png(mode="L"), svg()])
def test_a_logo_is_printed_with_its_description(image):
    data = amendment(evidence=None)
    with_logo = render("amendment", data, assets={"logo": image}, created=NOON)
    assert with_logo != render("amendment", data, created=NOON)
    figures = [alt for alt in _alternatives(with_logo) if alt.startswith("Logo")]
    assert figures == ["Logo : Commune de L’Exemple-sur-Dordogne"]


def test_a_missing_logo_leaves_no_hole():
    without, with_logo = (
        max(letter.y1 for letter in letters(render("membership_deed", deed(), assets=assets))[0] if letter.size > 15)
        for assets in (None, {"logo": png()})
    )
    assert without - with_logo > 40
    assert without > 842 - 110


@pytest.mark.parametrize(
    "name",
    [
        '#import "@preview/cetz:0.3.0": *',
        '#read("/etc/passwd")',
        "$ sum_(i=0)^n $ *gras* _italique_ `code` <étiquette> @renvoi",
        '"guillemets" \'droits\' \\ #panic("x") ] } { [ // /* ',
        "= Titre",
        "<script>alert(1)</script> {{ 7*7 }} ${7*7} %(x)s %s",
        "L’Œuvre d’Été à Saint-Étienne-de-Baïgorry — Ελλάδα, Čeština, Łódź",
    ],
)
def test_hostile_names_are_printed_as_they_are(name):
    data = amendment()
    data["organization"]["title"] = name
    data["evidence"]["user_agent"] = name
    pdf = render("amendment", data)
    assert words(pdf).replace(" ", "").count(name.replace(" ", "")) >= 2
    assert name.strip() in PdfReader(io.BytesIO(pdf)).metadata.title


@pytest.mark.parametrize("name", ["A" * 3000, "Communauté de communes " * 120, "\n" * 50 + "Mairie", "", " "])
def test_very_long_or_empty_names_stay_on_the_page(name):
    data = amendment()
    data["organization"]["title"] = name
    data["legal_representative"]["family_name"] = name
    data["evidence"].update(name=name, user_agent=name, email=name)
    pdf = render("amendment", data)
    for page in letters(pdf):
        assert min(letter.x0 for letter in page) >= MARGIN - 1
        assert max(letter.x1 for letter in page if letter.get_text().strip()) <= 595.3 - MARGIN + 4  # punctuation hangs


def test_unseen_characters_are_written_out():
    data = amendment()
    data["organization"]["title"] = "Mairie\u202egro.live\u0000\ud800\ufeff\u00ad\u200b de Test"
    assert "Mairie⟨U+202E⟩gro.live⟨U+0000⟩⟨U+D800⟩ de Test" in words(render("amendment", data))


def test_what_no_font_draws_is_written_as_its_code_point():
    data = amendment()
    data["organization"]["title"] = "Mairie 名 🙂 de Żary"
    data["evidence"]["user_agent"] = "Navi\U0001f642"
    text = words(render("amendment", data))
    assert "Mairie ⟨U+540D⟩ ⟨U+1F642⟩ de Żary" in text
    assert "Navi⟨U+1F642⟩" in text


def test_the_same_input_gives_the_same_file():
    once, again = (render("amendment", amendment(), assets={"logo": png()}, created=NOON) for _ in range(2))
    assert once == again
    assert words(once) == words(render("amendment", amendment(), assets={"logo": png()}))


def test_an_operators_file_replaces_one_and_the_rest_stays(tmp_path: Path):
    (tmp_path / "charter.typ").write_text(
        '#import "base.typ": *\n#show: document-frame.with(title: "Charte", kind: "Charte", model: false)\n'
        "= Charte officielle\nVersion #data.version"
    )
    text = words(render("charter", {"version": "3"}, template_dir=tmp_path))
    assert "Charte officielle" in text
    assert "MODÈLE" not in text
    assert MODEL in words(render("licences", {"version": "3"}, template_dir=tmp_path))


def test_a_demonstration_says_so():
    assert "DÉMONSTRATION — document sans valeur" in words(render("membership_deed", deed(demonstration=True)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('#panic("oups")', "oups"),
        ('= A\n#read("/etc/passwd")', "not found"),
        ('= A\n#read("../../etc/passwd")', "passwd"),
        ('#import "@preview/cetz:0.3.0": *', "package from the network"),
        ("#let x = (", "unclosed"),
        ("Sans titre", "title"),
        ("#while true {}", "always true"),
    ],
)
def test_a_broken_template_is_named_with_the_cause(tmp_path: Path, source, expected):
    (tmp_path / "broken.typ").write_text(source)
    with pytest.raises(DocumentError) as raised:
        render("broken", {}, template_dir=tmp_path)
    assert raised.value.field == "template"
    assert "broken" in str(raised.value)
    assert expected in str(raised.value)


@pytest.mark.parametrize("name", ["absent", "../base", "/etc/passwd", "", "Amendment", "a" * 200])
def test_an_unknown_template_is_refused(name):
    with pytest.raises(DocumentError, match="amendment, base, charter"):
        render(name, {})


def test_a_missing_field_is_named():
    data = amendment()
    del data["template_version"]
    with pytest.raises(DocumentError, match="template_version"):
        render("amendment", data)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"organization": {"title": NOON}}, "data.organization.title"),
        ({"texts": [{"date": b"x"}]}, "data.texts.0.date"),
        ({"n": float("nan")}, "data.n"),
        ({"n": "x" * 2_000_000}, "data"),
        (json.loads("[" * 50 + "]" * 50), "data" + ".0" * 13),
    ],
)
def test_data_that_is_not_plain_is_refused(value, field):
    with pytest.raises(DocumentError) as raised:
        render("charter", value)
    assert raised.value.field == field


def test_a_missing_folder_or_a_bad_asset_is_refused(tmp_path: Path):
    with pytest.raises(DocumentError, match="does not exist"):
        render("charter", {"version": "1"}, template_dir=tmp_path / "no")
    with pytest.raises(DocumentError, match=r"assets\.logo"):
        render("amendment", amendment(), assets={"logo": b"GIF89a"})
    with pytest.raises(DocumentError, match=r"assets\.\.\./x"):
        render("amendment", amendment(), assets={"../x": png()})


def test_the_evidence_may_lack_particulars():
    text = words(render("amendment", amendment(evidence={**EVIDENCE, "ip": None, "function": "", "accepted": []})))
    assert "Adresse IP" not in text
    assert "Textes acceptés" not in text.split("Preuve de la signature")[1]


def _alternatives(pdf: bytes) -> list[str]:
    found: list[str] = []

    def walk(node: object) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if "/Alt" in node:
                found.append(str(node["/Alt"]))
            if "/K" in node:
                walk(node["/K"])

    walk(PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"])
    return found
