"""Pure rules: the machine, the texts, the files."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest

from ckanext.dinamis_relais.questions import files
from ckanext.dinamis_relais.questions.files import FileProblem, check, clean_name
from ckanext.dinamis_relais.questions.rules import (
    MACHINE,
    WAITING,
    clean,
    late,
    paragraphs,
    parts,
    waiting_days,
)
from tests.questions.helpers import PNG

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
JPEG, PDF, EMPTY_ZIP = b"\xff\xd8\xff\xe0", b"%PDF-1.7", b"PK\x05\x06" + b"\x00" * 18


def test_from_every_state_the_person_is_heard_and_each_open_state_waits_for_somebody():
    for state in MACHINE.states:
        names = {row.name for row in MACHINE.allowed(state)}
        assert "write" in names
        assert ("close" in names) == (state != "closed") == (state in WAITING)
    assert {row.source for row in MACHINE if row.name == "escalate"} == {"open"}


@pytest.mark.parametrize(
    ("state", "days", "waits", "is_late"),
    [("open", 2, 2, False), ("open", 4, 4, True), ("answered", 9, 9, False), ("closed", 9, None, False)],
)
def test_age(state, days, waits, is_late):
    since = NOW - dt.timedelta(days=days)
    assert waiting_days(state, since, NOW) == waits
    assert late(state, since, NOW, 3) == is_late
    assert not late(state, since, NOW, 0)


def test_a_clock_that_went_back_waits_for_no_negative_days():
    assert waiting_days("open", NOW + dt.timedelta(hours=2), NOW) == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  a\r\nb\rc  ", "a\nb\nc"),
        ("a\x00b\x1bc", "a b c"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("\ud800x", "x"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("👩‍🌾 été", "👩‍🌾 été"),
        ("\n\t \n", ""),
    ],
)
def test_a_text_is_kept_without_what_hides(text, kept):
    assert clean(text, lines=True) == kept


def test_a_title_is_one_line():
    assert clean("a\r\nBcc: x\ty\u2028z") == "a Bcc: x y z"


@pytest.mark.parametrize(
    ("line", "links"),
    [
        ("voir https://a.fr/b.", ["https://a.fr/b"]),
        ("(https://a.fr/b)", ["https://a.fr/b"]),
        ("https://fr.wikipedia.org/wiki/SPOT_(satellite)", ["https://fr.wikipedia.org/wiki/SPOT_(satellite)"]),
        ("javascript:alert(1) ftp://x http:// data:text/html,x", []),
        ('https://a.fr/"onmouseover="x\' https://b.fr<i>', ["https://a.fr/", "https://b.fr"]),
    ],
)
def test_only_web_addresses_become_links_and_no_character_is_lost(line, links):
    found = parts(line)
    assert [text for kind, text in found if kind == "link"] == links
    assert "".join(text for _kind, text in found) == line


def test_paragraphs_are_parted_by_empty_lines():
    assert paragraphs("a\nb\n \nc") == [[[("text", "a")], [("text", "b")]], [[("text", "c")]]]
    assert paragraphs("  ") == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\Users\\Lou\\capture.png", "capture.png"),
        ("..", "file"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
        ('x"; filename=y.png', "x filename=y.png"),
        (".png", "file.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("été 2023.pdf", "été 2023.pdf"),
        ("a" * 300 + ".png", "a" * 96 + ".png"),
    ],
)
def test_a_name_holds_no_folder_and_nothing_for_a_header(name, kept):
    assert clean_name(name) == kept


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.PNG", PNG, "image/png"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.pdf", PDF, "application/pdf"),
        ("a.zip", EMPTY_ZIP, "application/zip"),
        ("a.txt", "où ?".encode("cp1252"), "text/plain"),
        ("a.txt", "où ?".encode("utf-16"), "text/plain"),
        ("a.csv", b"x;y\r\n1;2\r\n", "text/csv"),
        ("a.geojson", json.dumps({"type": "Point", "coordinates": [0, 45]}).encode(), "application/geo+json"),
    ],
)
def test_what_is_taken(name, content, media_type):
    assert check(name, content, 1000).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("page.png", b"<html><script>alert(1)</script>", "content"),
        ("page.txt", b"\xef\xbb\xbf \n<script>alert(1)</script>", "content"),
        ("page.csv", b"<svg onload=alert(1)>", "content"),
        ("prog.txt", b"MZ\x90\x00\x03", "content"),
        ("image.txt", PNG, "content"),
        ("a.geojson", b'{"type": "Script"}', "content"),
        ("a.geojson", b'"Point"', "content"),
        ("page.html", b"<html>", "type"),
        ("a.svg", b"<svg/>", "type"),
        ("a.png.exe", PNG, "type"),
        ("a", PNG, "type"),
        ("a.png\x00.html", PNG, "type"),
        ("a.png", b"", "empty"),
        ("a.png", PNG + b"\x00" * 1000, "large"),
    ],
)
def test_what_is_refused(name, content, kind):
    with pytest.raises(FileProblem) as raised:
        check(name, content, 1000)
    assert raised.value.kind == kind


def test_brackets_without_end_are_no_geojson():
    with pytest.raises(FileProblem) as raised:
        check("a.geojson", b"[" * 100_000, 1_000_000)
    assert raised.value.kind == "content"


def test_a_bomb_is_not_expanded(monkeypatch):
    """100 MB of zeros in 100 kB stay 100 kB: no archive is ever opened."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb", b"\x00" * 100_000_000)
    bomb = held.getvalue()
    opened = []
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *args, **kwargs: opened.append(args))
    checked = check("bomb.zip", bomb, len(bomb))
    assert checked.content == bomb
    assert opened == []


def test_every_type_has_an_extension_that_the_form_offers():
    assert set(files.TYPES.values()) >= set(files._SIGNATURES)
