"""Uploaded images: what may be printed on a document.

The type is read from the content, never from the file's name. Bitmaps are decoded and written again, which
drops metadata (place and time of a photograph) and whatever was hidden behind the image; drawings are parsed
and refused when they could run or fetch something.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # lxml ships no types
from PIL import Image, ImageOps

from .errors import N_, DocumentError

MAX_BYTES = 2 * 1024 * 1024
MAX_SIDE = 6000  # pixels: a poster scanned at 300 dots per inch
PRINT_SIDE = 1200  # pixels: 10 cm at 300 dots per inch, more than a letterhead holds
MAX_ELEMENTS = 5000

SVG = "http://www.w3.org/2000/svg"
_FORBIDDEN = {
    "script", "foreignObject", "iframe", "embed", "object", "audio", "video", "canvas", "handler", "listener",
    "animate", "animateMotion", "animateTransform", "animateColor", "set",
}  # fmt: skip
_INLINE_IMAGE = re.compile(r"data:image/(png|jpeg);base64,", re.IGNORECASE)
_CSS_FETCH = re.compile(r"@import|url\(\s*['\"]?\s*(?!#)[^)\s]|expression\s*\(|\\", re.IGNORECASE)


@dataclass(frozen=True)
class Logo:
    """A checked image. ``width`` and ``height`` are pixels, ``None`` for a drawing."""

    content: bytes
    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None


def check_logo(content: bytes, field: str = "logo", texts: bool = False) -> Logo:
    """Give the cleaned image, as PNG (from PNG or JPEG) or SVG.

    Raises ``DocumentError`` about ``field`` when it is empty, larger than ``MAX_BYTES``, of another type,
    broken, too large in pixels, or an SVG with scripts, entities, animation, text or anything fetched from
    elsewhere. ``texts`` lets a drawing of our own hold text, in the fonts that documents have.
    """
    if not content:
        raise DocumentError(field, N_("The file is empty."), N_("Choose a PNG, JPEG or SVG image."))
    if len(content) > MAX_BYTES:
        raise DocumentError(
            field,
            N_("The image weighs %(size).1f MB; the limit is %(limit).0f MB."),
            N_("Save it smaller, or use an SVG drawing."),
            size=len(content) / 1024**2,
            limit=MAX_BYTES / 1024**2,
        )
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _bitmap(content, field)
    if content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1] == b"<":
        return _drawing(content, field, texts)
    raise DocumentError(
        field, N_("The file is not a PNG, JPEG or SVG image."), N_("Choose an image in one of these formats.")
    )


def _bitmap(content: bytes, field: str) -> Logo:
    clean = drawn_anew(content, field)
    clean.thumbnail((PRINT_SIDE, PRINT_SIDE))
    out = io.BytesIO()
    clean.save(out, "PNG", optimize=True)
    return Logo(out.getvalue(), "image/png", "png", *clean.size)


def drawn_anew(content: bytes, field: str) -> Image.Image:
    """The pixels of a PNG or JPEG image, upright, and nothing else of it; ``RGBA`` where it lets see through.

    Raises ``DocumentError`` about ``field`` when it is broken, of another type or too large in pixels.
    """
    broken = DocumentError(
        field, N_("The image cannot be read: the file is damaged or cut short."), N_("Save it again as PNG.")
    )
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            width, height = image.size
            if max(width, height) > MAX_SIDE or min(width, height) < 1:
                raise DocumentError(
                    field,
                    N_("The image is %(width)d × %(height)d pixels; the limit is %(limit)d on a side."),
                    N_("Make it smaller."),
                    width=width,
                    height=height,
                    limit=MAX_SIDE,
                )
            image.load()
            upright = ImageOps.exif_transpose(image)
            transparent = upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info
            clean = upright.convert("RGBA" if transparent else "RGB")
    except DocumentError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise broken from error
    clean.info.clear()
    return clean


def _drawing(content: bytes, field: str, texts: bool) -> Logo:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise DocumentError(
            field, N_("The drawing is not well-formed XML."), N_("Export it again as plain SVG.")
        ) from error
    if root.tag != f"{{{SVG}}}svg":
        raise DocumentError(field, N_("The file is XML but not an SVG drawing."), N_("Export it again as plain SVG."))
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(iter(dtd.iterentities()), None) is not None:
        raise _active(field, "<!ENTITY>")
    for count, element in enumerate(root.iter()):
        if count >= MAX_ELEMENTS:
            raise DocumentError(
                field,
                N_("The drawing has more than %(limit)d elements."),
                N_("Simplify it, or save it as PNG."),
                limit=MAX_ELEMENTS,
            )
        _refuse_active(element, field, texts)
    return Logo(etree.tostring(root, encoding="utf-8", xml_declaration=True), "image/svg+xml", "svg")


def _refuse_active(element: etree._Element, field: str, texts: bool) -> None:
    if not isinstance(element.tag, str):
        raise _active(field, "&…;")
    name = etree.QName(element).localname
    if name in _FORBIDDEN:
        raise _active(field, f"<{name}>")
    if name == "text" and not texts:
        raise DocumentError(
            field,
            N_("The drawing holds text, whose font the document does not have."),
            N_("Convert the text to outlines (paths) before exporting, or save it as PNG."),
        )
    if name == "style" and _CSS_FETCH.search("".join(str(text) for text in element.itertext())):
        raise _active(field, "<style>")
    for key, value in element.attrib.items():
        attribute, text = etree.QName(str(key)).localname, str(value).strip()
        if attribute.lower().startswith("on"):
            raise _active(field, attribute)
        if attribute in {"href", "src"}:
            inline = name == "image" and _INLINE_IMAGE.match(text)
            if not (text.startswith("#") or inline):
                raise _active(field, f"{attribute}={text[:40]}")
        elif _CSS_FETCH.search(text) and ("url(" in text.lower() or attribute == "style"):
            raise _active(field, f"{attribute}={text[:40]}")


def _active(field: str, what: str) -> DocumentError:
    return DocumentError(
        field,
        N_("The drawing holds something that is not drawing: %(what)s."),
        N_("Export it as plain SVG, without scripts, animation or linked files, or save it as PNG."),
        what=what,
    )
