"""The translations' files: extracted from the code, merged into each language, never by hand.

Run in the virtual environment: ``python -m stack.messages [--check]``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "ckanext" / "dinamis_relais" / "i18n"
DOMAIN = "ckanext-dinamis_relais"
LANGUAGES = ("fr",)
SKIPPED = frozenset({"sandbox", "node_modules", "__pycache__"})
PLACES = (("ckanext/dinamis_relais", "**.py", "python"), ("ckanext/dinamis_relais/templates", "**.html", "ckan"))
KEYWORDS = {"_": None, "N_": None, "ungettext": (1, 2), "ngettext": (1, 2)}


def extract() -> Catalog:
    """All messages of the interface; English is the language of the ids."""
    from ckan.lib.extract import extract_ckan

    catalog = Catalog(project="ckanext-dinamis-relais", charset="utf-8", fuzzy=False)
    for folder, pattern, kind in PLACES:
        # The sandbox is a tool in French only; its pages are not the site's.
        method = extract_ckan if kind == "ckan" else kind
        found = extract_from_dir(
            ROOT / folder,
            method_map=[(pattern, method)],  # type: ignore[list-item]
            keywords=KEYWORDS,  # type: ignore[arg-type]
            directory_filter=lambda path: Path(path).name not in SKIPPED,
        )
        for name, _line, message, comments, context in found:
            catalog.add(message, None, [(f"{folder}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def merged(language: str, template: Catalog) -> tuple[Path, Catalog]:
    """A language's catalogue with the template's messages, its own translations kept."""
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if path.is_file():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language, domain=DOMAIN)
    else:
        catalog = Catalog(
            locale=language, domain=DOMAIN, project="ckanext-dinamis-relais", charset="utf-8", fuzzy=False
        )
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return path, catalog


def text_of(catalog: Catalog) -> bytes:
    """A catalogue as a file, without places or dates, so that only words make differences."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, no_location=True, omit_header=False, sort_output=True, ignore_obsolete=True)
    lines = [line for line in out.getvalue().splitlines(True) if b"-Date:" not in line and b"Generated-By" not in line]
    return b"".join(lines)


def missing(catalog: Catalog) -> list[str]:
    """Messages without a translation."""
    return [str(m.id) for m in catalog if m.id and not (all(m.string) if isinstance(m.string, tuple) else m.string)]


def main(check: bool) -> int:
    """Update the files, or tell that one is behind the code.

    :returns: exit code
    """
    template, code = extract(), 0
    for language in LANGUAGES:
        path, catalog = merged(language, template)
        text = text_of(catalog)
        if check and (not path.is_file() or path.read_bytes() != text):
            print(f"{path.relative_to(ROOT)} is behind the code: run `make messages`.")
            code = 1
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        lacking = missing(catalog)
        print(f"{language}: {len(catalog)} messages, {len(lacking)} without translation")
        for message in lacking[:20]:
            print(f"  {message}")
        code = code or int(check and bool(lacking))
    return code


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
