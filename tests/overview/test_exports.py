"""Files of lists: what French spreadsheets and Excel read, whatever a person typed, whatever the number of rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import openpyxl
import pytest
from ckan.tests.helpers import call_action
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais import tables
from ckanext.dinamis_relais.journal.rules import verify
from ckanext.dinamis_relais.overview import exports
from ckanext.dinamis_relais.overview.panels import PANELS
from tests.accounts.helpers import enter
from tests.journalled import journalled
from tests.membership.helpers import file_in

COLUMNS = [tables.Column(kind, kind) for kind in tables.KINDS]
ROW = ["=1+1", 3, 1234.5, "2025-12-31", "2025-12-31T23:30:00Z", "2025-03"]


def cells(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def test_csv_is_french_and_no_cell_is_a_formula():
    content = b"".join(tables.csv_chunks(tables.Table("t", COLUMNS, [ROW, [None] * 6])))
    assert content.startswith(b"\xef\xbb\xbf")
    head, row, empty = cells(content)
    assert head == list(tables.KINDS)
    assert row == ["'=1+1", "3", "1234,5", "31/12/2025", "31/12/2025 23:30:00", "03/2025"]
    assert empty == [""] * 6


def test_xlsx_has_typed_cells_and_no_formula():
    book = openpyxl.load_workbook(tables.xlsx_file(tables.Table("t", COLUMNS, [ROW, [None] * 6])))
    row = [cell.value for cell in book.active[2]]
    assert row == [
        "=1+1",
        3,
        1234.5,
        dt.datetime(2025, 12, 31),
        dt.datetime(2025, 12, 31, 23, 30),
        dt.datetime(2025, 3, 1),
    ]
    # A formula would be of the type "f".
    assert [cell.data_type for cell in book.active[2]] == ["s", "n", "n", "d", "d", "d"]


def test_what_does_not_fit_into_a_sheet_goes_on_in_the_next(monkeypatch):
    monkeypatch.setattr(tables, "SHEET", 4)
    rows = [[str(n)] for n in range(7)]
    book = openpyxl.load_workbook(tables.xlsx_file(tables.Table("t", [tables.Column("n")], rows)))
    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [
        ["n", "0", "1", "2"],
        ["n", "3", "4", "5"],
        ["n", "6"],
    ]


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30), min_size=1, max_size=5))
def test_any_text_comes_back_from_csv(texts):
    columns = [tables.Column(str(n)) for n in range(len(texts))]
    row = cells(b"".join(tables.csv_chunks(tables.Table("t", columns, [texts]))))[1]
    for written, text in zip(row, texts, strict=True):
        assert written == tables.no_formula(text)
        assert written[:1] not in ("=", "+", "-", "@")


def test_rows_are_read_while_they_leave():
    read = []

    def rows():
        for number in range(10 * tables.CHUNK):
            read.append(number)
            yield [str(number)]

    chunks = tables.csv_chunks(tables.Table("t", [tables.Column("n")], rows()))
    next(chunks)
    assert len(read) == tables.CHUNK


@pytest.mark.usefixtures("with_plugins", "entity_service")
class TestPages:
    URL = "/dinamis/moderation/"

    def test_each_list_as_csv_and_xlsx_for_pigma_alone(self, browser, people):
        file_in(people, "accepted")
        enter(people, family_name="=Exemple")
        for name in exports.LISTINGS:
            for ending in ("csv", "xlsx"):
                path = f"{self.URL}{name}.{ending}"
                answer = browser.get("super_referent", path)
                assert answer.status_code == 200, path
                assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{ending}"'
                refused = {"memberships": 200, "questions": 200, "requests": 200, "applications": 200}.get(name, 403)
                assert browser.get("referent", path).status_code in (refused, 403), path
        table = cells(browser.get("super_referent", f"{self.URL}accounts.csv").body.encode())
        assert len(table) == 2
        assert "'=Exemple" in table[1]
        assert browser.get("super_referent", f"{self.URL}nothing.csv").status_code == 404
        assert browser.get("super_referent", f"{self.URL}accounts.doc").status_code == 404

    def test_all_rows_leave_with_the_filters_of_the_page(self, browser, people, monkeypatch):
        monkeypatch.setattr(exports, "PORTION", 2)
        file_in(people, "accepted")
        for number in range(5):
            enter(people, email=f"p{number}@begles.example")
        soup = browser.soup("super_referent", f"{self.URL}accounts?state=validated")
        link = next(a["href"] for a in soup.select("a") if a.text == "CSV")
        assert "state=validated" in link
        assert len(cells(browser.get("super_referent", link).body.encode())) == 1 + 5
        assert len(cells(browser.get("super_referent", link.replace("validated", "active")).body.encode())) == 1

    def test_the_numbers_of_each_panel(self, browser, people):
        file_in(people, "accepted")
        for name in PANELS:
            page = browser.get("super_referent", f"{self.URL}numbers/{name}.csv")
            # Read to its end: an answer that streams keeps its request open until then.
            assert (page.status_code, bool(page.body)) == (200, True), name
            assert browser.get("referent", f"{self.URL}numbers/{name}.csv").status_code == 403

    def test_the_journal_leaves_whole_and_is_verified_anywhere(self, browser, people):
        file_in(people, "submitted")
        lines = [
            json.loads(line) for line in browser.get("super_referent", f"{self.URL}journal.jsonl").body.splitlines()
        ]
        assert len(lines) == journalled().count()
        assert verify(lines).valid
        lines[1]["actor"] = "somebody else"
        assert verify(lines).first_broken == 2
        sheet = browser.get("super_referent", f"{self.URL}journal.xlsx?q=application.")
        assert sheet.data[:2] == b"PK"
        table = cells(browser.get("super_referent", f"{self.URL}journal.csv?q=application.").body.encode())
        assert len(table) == 1 + sum(line["event"].startswith("application.") for line in lines)
        assert browser.get("referent", f"{self.URL}journal.jsonl").status_code == 403
        assert call_action("dinamis_journal_list", people.context("super_referent"))["count"] == len(lines)
