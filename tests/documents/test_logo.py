from __future__ import annotations

import io

import pytest
from PIL import Image

from ckanext.dinamis_relais.documents import DocumentError
from ckanext.dinamis_relais.documents.logo import MAX_BYTES, PRINT_SIDE, check_logo

from .examples import png, svg


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "CMYK"])
def test_bitmaps_become_plain_png(mode):
    logo = check_logo(png(mode=mode))
    assert (logo.media_type, logo.extension, logo.width, logo.height) == ("image/png", "png", 300, 120)
    assert Image.open(io.BytesIO(logo.content)).mode in {"RGB", "RGBA"}


def test_metadata_is_dropped_and_the_turn_it_told_is_kept():
    image = Image.new("RGB", (200, 100))
    exif = image.getexif()
    exif[0x0112] = 6
    exif[0x010E] = "secret place"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    logo = check_logo(out.getvalue() + b"<script>hidden</script>")
    assert (logo.width, logo.height) == (100, 200)
    assert b"secret" not in logo.content
    assert b"hidden" not in logo.content


def test_large_bitmaps_are_reduced():
    logo = check_logo(png((5000, 2500)))
    assert (logo.width, logo.height) == (PRINT_SIDE, PRINT_SIDE // 2)


def test_plain_drawings_pass_without_their_doctype():
    head = '<?xml version="1.0"?>\n'
    head += '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd"><!-- x -->'
    inner = (
        "<style>rect { fill: url(#g) }</style>"
        '<linearGradient id="g"/><use xlink:href="#g"/><image href="data:image/png;base64,AAAA"/>'
        '<path style="fill:url(#g)" clip-path="url(#g)" d="M0 0"/>'
    )
    logo = check_logo(svg(inner, head))
    assert logo.media_type == "image/svg+xml"
    assert b"DOCTYPE" not in logo.content
    assert check_logo(svg().decode().encode("utf-16")).extension == "svg"


@pytest.mark.parametrize(
    "content",
    [
        svg("<script>alert(1)</script>"),
        svg('<rect onclick="x()"/>'),
        svg(root='onload="x()"'),
        svg('<image href="https://example.org/x.png"/>'),
        svg('<image xlink:href="file:///etc/passwd"/>'),
        svg('<image href="/etc/passwd"/>'),
        svg('<image href="data:image/svg+xml;base64,AAAA"/>'),
        svg('<use href="other.svg#x"/>'),
        svg('<a href="javascript:alert(1)"><rect/></a>'),
        svg("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"),
        svg("<style>@import 'https://example.org/x.css';</style>"),
        svg("<style>rect { fill: url( 'https://example.org/x') }</style>"),
        svg("<style>rect { fill: u\\72l(https://example.org/x) }</style>"),
        svg('<rect style="fill:url(https://example.org/x)"/>'),
        svg('<rect fill="url(https://example.org/x)"/>'),
        svg('<animate attributeName="href" to="x"/>'),
        svg("&x;", '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        svg("", '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'),
        svg("<g/>" * 6000),
        svg("<text y='20'>Mairie</text>"),
    ],
)
def test_drawings_that_do_more_than_draw_are_refused(content):
    with pytest.raises(DocumentError) as raised:
        check_logo(content)
    assert raised.value.field == "logo"
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"GIF89a....", "not a PNG, JPEG or SVG"),
        (b"%PDF-1.7", "not a PNG, JPEG or SVG"),
        (b"<html><body/></html>", "not an SVG"),
        (b"<svg", "well-formed"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 900, "well-formed"),
        (png()[:60], "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "damaged"),
        (png((7000, 10)), "7000"),
        (b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES), "MB"),
    ],
)
def test_other_files_are_refused_with_their_reason(content, words):
    with pytest.raises(DocumentError, match=words):
        check_logo(content, "organization_logo")
