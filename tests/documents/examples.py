"""Data in the contract of the templates, of nobody that exists."""

from __future__ import annotations

import copy
import io

from pdfminer.high_level import extract_pages
from pdfminer.layout import LTChar
from PIL import Image
from pypdf import PdfReader

SHA_CHARTER = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SHA_LICENCES = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
SHA_SHOWN = "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"

_PARTIES = {
    "agreement_number": "2024-0317",
    "organization": {
        "title": "Commune de L’Exemple-sur-Dordogne",
        "siren": "213300395",
        "siret": "21330039500017",
        "address": "1 place de la Mairie\n33000 L’Exemple",
    },
    "relay": {"name": "PIGMA", "operator": "GIP ATGeRi"},
    "application_id": "6f0c2a1e-5b7e-4f57-9f5c-0a6f0f5b1c11",
}

EVIDENCE = {
    "signed_at_utc": "2026-11-23T14:05:12Z",
    "name": "Camille Exemple",
    "function": "Maire",
    "email": "maire@exemple.example",
    "ip": "192.0.2.17",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accepted": [
        {"kind": "charter", "version": "1.0", "sha256": SHA_CHARTER},
        {"kind": "licences", "version": "2.1", "sha256": SHA_LICENCES},
    ],
    "document_sha256": SHA_SHOWN,
}


def amendment(**changes: object) -> dict:
    """A signed amendment's data."""
    texts = [
        {
            "kind": "charter",
            "title": "Charte DINAMIS",
            "version": "1.0",
            "date": "2026-01-15",
            "sha256": SHA_CHARTER,
        },
        {
            "kind": "licences",
            "title": "Licences",
            "version": "2.1",
            "date": "2026-02-01",
            "sha256": SHA_LICENCES,
        },
    ]
    data = {
        **_PARTIES,
        "template_version": "2024-10-15",
        "legal_representative": {"given_name": "Camille", "family_name": "Exemple", "function": "Maire"},
        "texts": [{**text, "model": True} for text in texts],
        "date": "2026-11-23",
        "evidence": EVIDENCE,
    }
    return copy.deepcopy({**data, **changes})


def deed(**changes: object) -> dict:
    """A membership deed's data."""
    decision = {
        "decided_at": "2026-12-01",
        "decided_by": "Bureau exécutif DINAMIS",
        "reference": "BE-2026-117",
        "since": "2026-12-02",
    }
    return copy.deepcopy({**_PARTIES, **decision, **changes})


def png(size: tuple[int, int] = (300, 120), mode: str = "RGBA") -> bytes:
    """A bitmap of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, "PNG" if mode != "CMYK" else "JPEG")
    return out.getvalue()


def svg(inner: str = "", head: str = "", root: str = "") -> bytes:
    """A small drawing with ``inner`` in it."""
    return (
        f'{head}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 100 40" {root}><rect width="100" height="40" fill="#146e46"/>{inner}</svg>'
    ).encode()


def words(pdf: bytes, page: int | None = None) -> str:
    """The text of a page, or of all: one space between words, and the break opportunities left out."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    chosen = pages if page is None else [pages[page]]
    text = " ".join(" ".join(part.extract_text().split()) for part in chosen)
    return text.replace("\u200b", "").replace("\u202f", " ").replace("\u00a0", " ")


def letters(pdf: bytes) -> list[list[LTChar]]:
    """The letters of each page, with the boxes they take (points from the lower left corner)."""

    def inside(node: object) -> list[LTChar]:
        if isinstance(node, LTChar):
            return [node]
        return [letter for part in node for letter in inside(part)] if hasattr(node, "__iter__") else []

    return [inside(page) for page in extract_pages(io.BytesIO(pdf))]
