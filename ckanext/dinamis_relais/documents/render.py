"""Typst templates to tagged PDF.

Each call compiles in its own temporary folder, which Typst cannot read out of, with the fonts that are
inside the ``typst`` package (Libertinus Serif, New Computer Modern, DejaVu Sans Mono): nothing of the system
is needed or used. The result claims PDF/UA-1 (accessible) and PDF/A-2a (to be kept); Typst refuses to write a
file that breaks what it can check of them.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import typst

from .errors import N_, DocumentError
from .logo import check_logo

SHIPPED = Path(__file__).parent / "templates"
STANDARDS: list[typst.PDFStandard] = ["ua-1", "a-2a"]
MAX_DATA_BYTES = 1024 * 1024
MAX_DEPTH = 12

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Templates of an operator come from a folder, never from the network in the middle of a signature.
_PACKAGE = re.compile(r"""["']@[\w-]+/""")
# What Libertinus Serif is sure to draw; the rest is tried, and written as its code point when no font has it.
_DRAWABLE = re.compile(
    "[\n\u0020-\u007e\u00a0-\u024f\u0370-\u03ff\u0400-\u045f\u1e00-\u1eff"
    "\u2010-\u2027\u202f-\u203a\u20ac\u2116\u2122⟨⟩]"
)
_OWN_FOLDER = re.compile(r"[^\s(]*dinamis-document-[^/\s]+/")
_NOT_DRAWN = "could not be displayed"


def render(
    template: str,
    data: Mapping[str, object],
    *,
    assets: Mapping[str, bytes] | None = None,
    charts: Mapping[str, bytes] | None = None,
    template_dir: Path | None = None,
    created: datetime | None = None,
) -> bytes:
    """Compile ``templates/<template>.typ`` with ``data`` to a PDF/UA-1, PDF/A-2a file.

    ``data`` is plain JSON (text, numbers, booleans, ``None``, lists, mappings) and reaches the template as
    values: no text in it is ever read as Typst code. ``assets`` are images by name (``{"logo": …}``), checked
    by ``check_logo`` first; ``charts`` are drawings of our own, which may hold text.
    A file of ``template_dir`` replaces the shipped one of the same name, and its
    ``fonts/`` folder adds fonts. ``created`` (aware, default now) is the date in the file: the same arguments
    with the same ``created`` give the same bytes.

    Raises ``DocumentError`` about ``template`` (unknown, or its code fails: with Typst's message and line),
    ``data…`` (not plain JSON, too large) or ``assets.<name>``.
    """
    values = clean(data)
    with tempfile.TemporaryDirectory(prefix="dinamis-document-") as folder:
        root = Path(folder)
        _copy_templates(template, template_dir, root)
        images = {**_write_assets(assets or {}, root), **_write_assets(charts or {}, root, texts=True)}
        moment = (created or datetime.now(timezone.utc)).astimezone(timezone.utc).replace(microsecond=0)
        try:
            return _compile(template, values, images, root, moment)
        except typst.TypstError as error:
            if _NOT_DRAWN not in error.message:
                raise _failed(template, error) from error
        try:
            return _compile(template, _spell_undrawable(values), images, root, moment)
        except typst.TypstError as error:
            raise _failed(template, error) from error


def clean(value: object, field: str = "data", depth: int = 0) -> object:
    """Copy plain JSON data, its text normalised (NFC) and freed of what cannot be seen.

    Control, private-use, unassigned and direction-changing characters, which can make a name read as another,
    are printed as their code point, ``⟨U+202E⟩``. Raises ``DocumentError`` that names the field.
    """
    if depth > MAX_DEPTH:
        raise DocumentError(field, N_("The data is nested too deeply."))
    if isinstance(value, str):
        return _clean_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {_key(key, field): clean(item, f"{field}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item, f"{field}.{index}", depth + 1) for index, item in enumerate(value)]
    raise DocumentError(
        field,
        N_("%(type)s is not plain data."),
        N_("Give text, a number, true or false, null, a list or a mapping; dates as ISO 8601 text."),
        type=type(value).__name__,
    )


def _key(key: object, field: str) -> str:
    if not isinstance(key, str):
        raise DocumentError(field, N_("A name in the data is not text."))
    return key


def _clean_text(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    text = re.sub("[\r\v\f\x85\u2028\u2029]", "\n", text.replace("\t", " "))
    # Soft hyphen, zero-width space and byte-order mark change nothing that is read.
    text = re.sub("[\u00ad\u200b\ufeff]", "", text)
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    # Joiners are letters' business in several scripts; every other format character is suspect.
    if char in "\n\u200c\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return char
    return _code_point(char)


def _code_point(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"


def _spell_undrawable(value: object) -> object:
    if isinstance(value, str):
        return "".join(char if _DRAWABLE.match(char) else _code_point(char) for char in value)
    if isinstance(value, dict):
        return {key: _spell_undrawable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spell_undrawable(item) for item in value]
    return value


def _copy_templates(template: str, template_dir: Path | None, root: Path) -> None:
    if template_dir is not None and not template_dir.is_dir():
        raise DocumentError(
            "template_dir",
            N_("The folder %(folder)s does not exist."),
            N_("Correct the setting, or leave it empty to use the shipped models."),
            folder=template_dir,
        )
    for source in filter(None, (SHIPPED, template_dir)):
        shutil.copytree(source, root, dirs_exist_ok=True)
    names = sorted(path.stem for path in root.glob("*.typ"))
    if not _NAME.fullmatch(template) or template not in names:
        raise DocumentError(
            "template",
            N_("There is no template “%(template)s”."),
            N_("Known ones: %(names)s."),
            template=template,
            names=", ".join(names),
        )
    for path in root.rglob("*.typ"):
        if _PACKAGE.search(path.read_text("utf-8", errors="replace")):
            raise DocumentError(
                "template",
                N_("The template %(name)s imports a package from the network."),
                N_("Copy what it needs beside it and import that file."),
                name=path.name,
            )


def _write_assets(assets: Mapping[str, bytes], root: Path, texts: bool = False) -> dict[str, str]:
    folder = root / "_assets"
    folder.mkdir(exist_ok=True)
    images = {}
    for name, content in assets.items():
        if not _NAME.fullmatch(name):
            raise DocumentError(f"assets.{name}", N_("An image's name is lower-case letters, digits and underscores."))
        image = check_logo(content, f"assets.{name}", texts)
        (folder / f"{name}.{image.extension}").write_bytes(image.content)
        images[name] = f"/_assets/{name}.{image.extension}"
    return images


@cache
def _fonts(folder: Path | None) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[folder] if folder else [])


def _compile(template: str, values: object, images: dict[str, str], root: Path, moment: datetime) -> bytes:
    encoded = json.dumps(values, ensure_ascii=False)
    if len(encoded.encode()) > MAX_DATA_BYTES:
        raise DocumentError("data", N_("There is more than 1 MB of data for one document."))
    own = root / "fonts"
    compiler = typst.Compiler(
        input=root / f"{template}.typ",
        root=root,
        # The operator's fonts live in a folder of this call alone: a cached list of them would go stale.
        font_paths=_fonts.__wrapped__(own) if own.is_dir() else _fonts(None),
        sys_inputs={"data": encoded, "assets": json.dumps(images)},
        package_path=root / "_packages",
        package_cache_path=root / "_packages",
    )
    pdf = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=moment)
    if not isinstance(pdf, bytes):
        raise DocumentError("template", N_("The template %(template)s made no document."), template=template)
    return pdf


def _failed(template: str, error: typst.TypstError) -> DocumentError:
    return DocumentError(
        "template",
        N_("The template %(template)s failed: %(message)s"),
        N_("Correct it, or the data it was given: %(where)s"),
        template=template,
        message=_OWN_FOLDER.sub("", error.message),
        where=_OWN_FOLDER.sub("", " ".join([error.diagnostic.strip(), *error.hints])),
    )
