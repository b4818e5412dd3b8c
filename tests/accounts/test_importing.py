"""Reading a table of people: separators, encodings, headings, and files that are none. No CKAN."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.accounts.importing import MAX_BYTES, MAX_ROWS, TableError, fold, read

HEAD = "organisation;courriel;prénom;nom;fonction;usage;rôle;fin\r\n"
ROW = "Commune de Bègles;lou@begles.example;Lou;Exemple;SIG;Îlots;référente;31/12/2099\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_what_spreadsheets_write(encoding, separator):
    table = read((HEAD + ROW).replace(";", separator).encode(encoding))
    (line,) = table.lines
    assert line.number == 2
    assert line.fields == {
        "organization_id": "Commune de Bègles", "email": "lou@begles.example", "given_name": "Lou",
        "family_name": "Exemple", "function": "SIG", "purpose": "Îlots", "role": "référente", "ends_on": "31/12/2099",
    }  # fmt: skip
    assert table.ignored == ()


def test_english_headings_in_any_order_and_a_column_of_another():
    table = read(b"Family name,Phone,E-mail,First name,Organization\nExemple,05,lou@x.fr,Lou,begles\n")
    assert table.ignored == ("Phone",)
    assert table.lines[0].fields == {
        "family_name": "Exemple", "email": "lou@x.fr", "given_name": "Lou", "organization_id": "begles",
    }  # fmt: skip


def test_empty_lines_and_short_ones():
    table = read((HEAD + "\r\n;;;\r\n" + "Bègles;a@b.fr\r\n").encode())
    assert [(line.number, line.fields["given_name"]) for line in table.lines] == [(4, "")]


def test_a_cell_of_several_lines_keeps_the_numbers_of_an_editor():
    content = HEAD + 'Bègles;a@b.fr;A;B;;"deux\nlignes";;\r\n' + ROW
    assert [line.number for line in read(content.encode()).lines] == [3, 4]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"x" * (MAX_BYTES + 1), "large"),
        (b"nom;courriel\r\nA;b@c.fr\r\n", "headings"),
        (b"PK\x03\x04\x14\x00 a workbook, no table", "headings"),
        ((HEAD + "a;b@c.fr;A;B\r\n" * (MAX_ROWS + 1)).encode(), "rows"),
    ],
)
def test_files_that_are_none(content, problem):
    with pytest.raises(TableError) as raised:
        read(content)
    assert raised.value.problem == problem
    if content.startswith(b"nom"):
        assert raised.value.names == ("organisation", "prenom")


def test_headings_are_compared_without_accents_and_signs():
    assert fold(" E-Mail ") == "email"
    assert fold("Prénom") == "prenom"


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029"), max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=8))
def test_what_was_written_is_read(rows):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(("organisation", "courriel", "prenom", "nom"))
    writer.writerows(rows)
    table = read(out.getvalue().encode())
    kept = [tuple(cell.strip() for cell in row) for row in rows if any(cell.strip() for cell in row)]
    assert [tuple(line.fields.values()) for line in table.lines] == kept
