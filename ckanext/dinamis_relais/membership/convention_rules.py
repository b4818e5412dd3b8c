"""What a row of a file of conventions says: pure. Each problem is a key; the action has its sentence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from ckanext.dinamis_relais.batch.tables import Table, fold, read
from ckanext.dinamis_relais.membership.rules import CATEGORIES, clean_siren, is_email

#: Field → headings under which it is found (folded); the first is the one of the example.
HEADINGS: dict[str, tuple[str, ...]] = {
    "title": ("organisation", "organization", "structure", "entite", "raisonsociale", "nomdelastructure", "partenaire"),
    "number": ("numero", "number", "convention", "numerodeconvention", "noconvention", "nconvention", "num"),
    "signed_on": ("date", "datedesignature", "datesignature", "signeele", "signedon", "dateconvention"),
    "siren": ("siren", "numerosiren"),
    "category": ("categorie", "category", "typedestructure"),
    "territory_kind": ("typedeterritoire", "territorykind", "typeterritoire", "echelle"),
    "territory_code": ("codeduterritoire", "territorycode", "codeterritoire", "codeinsee", "insee", "codeofficiel"),
    "territory_name": ("territoire", "territory", "nomduterritoire", "territoryname"),
    "office": ("service", "office", "bureau", "servicereferent", "servicecontact"),
    "email": ("courriel", "email", "mail", "courrielduservice", "emailduservice", "adressemail"),
    "representative.given_name": ("prenomdurepresentant", "representativegivenname", "prenomrepresentant"),
    "representative.family_name": ("nomdurepresentant", "representativefamilyname", "nomrepresentant"),
    "representative.function": ("fonctiondurepresentant", "representativefunction", "fonctionrepresentant"),
    "representative.email": ("courrieldurepresentant", "representativeemail", "emaildurepresentant",
                             "courrielrepresentant"),
}  # fmt: skip
NEEDED = ("title", "number")
#: What a cell of the territory's kind may say, folded → ours.
KIND_WORDS = {
    "": "", "commune": "commune", "ville": "commune", "epci": "epci", "intercommunalite": "epci",
    "communautedecommunes": "epci", "communautedagglomeration": "epci", "metropole": "epci",
    "departement": "departement", "department": "departement", "region": "region",
}  # fmt: skip
CATEGORY_WORDS = {
    "": "", "etat": "state", "servicedeletat": "state", "collectivite": "local_authority",
    "collectiviteterritoriale": "local_authority", "etablissementpublic": "public_establishment",
    "recherche": "research", "rechercheetenseignementsuperieur": "research", "association": "association",
    "prestataire": "contractor", "autre": "other", **{fold(name): name for name in CATEGORIES},
}  # fmt: skip
#: A convention of PIGMA cannot be older: the platform's years begin after it.
OLDEST = dt.date(1990, 1, 1)
_PLAIN = ("title", "number", "territory_code", "territory_name", "office")


@dataclass(frozen=True)
class Row:
    """A convention as a file's row says it, and what is wrong with it.

    :ivar values: fields of the convention, with ``title``; an empty cell is left out of the comparison
    :ivar problems: (field, kind of problem, what was written)
    """

    values: dict[str, Any] = field(default_factory=dict)
    problems: tuple[tuple[str, str, str], ...] = ()


def table(content: bytes) -> Table:
    """The conventions of a CSV file, as ``batch.tables.read``."""
    return read(content, HEADINGS, NEEDED)


def day(text: str) -> dt.date:
    """A date as people write it: ``31/12/2019``, ``31-12-2019``, ``31.12.2019`` or ``2019-12-31``.

    :raises ValueError: none of these
    """
    for pattern in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, pattern).date()  # a plain date has no zone
        except ValueError:
            continue
    raise ValueError(text)


def row(fields: dict[str, str], today: dt.date) -> Row:
    """Read a row's cells.

    :param fields: field → text, as the table gives it
    :param today: a convention is not signed later than this
    """
    values: dict[str, Any] = {name: fields.get(name, "") for name in _PLAIN}
    found: list[tuple[str, str, str]] = [(name, "missing", "") for name in NEEDED if not values[name]]
    values["signed_on"] = _signed_on(fields.get("signed_on", ""), today, found)
    values["siren"] = _siren(fields.get("siren", ""), found)
    for name, words in (("territory_kind", KIND_WORDS), ("category", CATEGORY_WORDS)):
        written = fields.get(name, "")
        values[name] = words.get(fold(written), "")
        if written and not values[name]:
            found.append((name, "unknown", written))
    if not values["territory_kind"] and values["territory_code"]:
        # Five characters are Insee's code of a commune; other lengths say nothing for certain.
        values["territory_kind"] = "commune" if len(values["territory_code"]) == 5 else ""
    values["email"] = _email("email", fields.get("email", ""), found)
    values["representative"] = {
        name.partition(".")[2]: text for name, text in fields.items() if name.startswith("representative.") and text
    }
    _email("representative.email", values["representative"].get("email", ""), found)
    return Row(values, tuple(found))


def _signed_on(text: str, today: dt.date, found: list[tuple[str, str, str]]) -> dt.date | None:
    if not text:
        return None
    try:
        value = day(text)
    except ValueError:
        found.append(("signed_on", "date", text))
        return None
    if not OLDEST <= value <= today:
        found.append(("signed_on", "range", text))
    return value


def _siren(text: str, found: list[tuple[str, str, str]]) -> str:
    if not text:
        return ""
    try:
        return clean_siren(text)
    except ValueError as error:
        found.append(("siren", str(error), text))
        return ""


def _email(name: str, text: str, found: list[tuple[str, str, str]]) -> str:
    if text and not is_email(text):
        found.append((name, "email", text))
    return text.lower()


def changes(known: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Fields that a row says otherwise; what it leaves empty stays as it is."""
    return [name for name, value in values.items() if name in known and value and value != known[name]]
