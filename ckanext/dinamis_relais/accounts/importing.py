"""Reading a table of people (CSV): pure. What a row means for the relay is checked by the action."""

from __future__ import annotations

from ckanext.dinamis_relais.batch import tables
from ckanext.dinamis_relais.batch.tables import MAX_BYTES, MAX_ROWS, Line, Table, TableError, fold

__all__ = ["HEADINGS", "MAX_BYTES", "MAX_ROWS", "NEEDED", "ROLE_WORDS", "Line", "Table", "TableError", "fold", "read"]

#: Field → headings under which it is found, compared without accents, case, blanks and punctuation.
HEADINGS: dict[str, tuple[str, ...]] = {
    "organization_id": ("organisation", "organization", "structure", "entite", "entity", "organizationid", "siren"),
    "email": ("email", "courriel", "mail", "adressemail", "adresseemail", "adressecourriel", "emailaddress"),
    "given_name": ("prenom", "givenname", "firstname"),
    "family_name": ("nom", "familyname", "lastname", "nomdefamille"),
    "function": ("fonction", "function", "poste"),
    "purpose": ("usage", "objet", "purpose", "usages", "finalite"),
    "role": ("role",),
    "ends_on": ("fin", "datedefin", "dernierjour", "endson", "enddate", "lastday"),
}
NEEDED = ("organization_id", "email", "given_name", "family_name")
#: What a cell of the role may say.
ROLE_WORDS = {"": "member", "membre": "member", "member": "member", "referent": "referent", "referente": "referent"}


def read(content: bytes) -> Table:
    """The people of a CSV file, as :func:`batch.tables.read`.

    :raises TableError: empty, too large, a needed heading lacks, too many rows
    """
    return tables.read(content, HEADINGS, NEEDED)
