"""Reports: the same numbers as the dashboard and as SQL, who may, how far, and what the files hold."""

from __future__ import annotations

import datetime as dt
import io
import random

import ckan.plugins.toolkit as tk
import openpyxl
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from ckanext.dinamis_relais.batch.work import run_round
from ckanext.dinamis_relais.overview import figures, panels, report_files, rollup, rules
from ckanext.dinamis_relais.overview.report_data import gather
from ckanext.dinamis_relais.overview.report_model import Report
from ckanext.dinamis_relais.overview.report_rules import period_before
from tests.documents.test_accessible import judged
from tests.journalled import journalled
from tests.overview.test_figures import (
    FETCH,
    PARIS,
    STEP,
    USES,
    YEAR,
    Year,
    accounts_at,
    downloads_in,
    ends,
    sql,
    themes_in,
    without,
)
from tests.portal.pages import words

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    pytest.mark.ckan_config("ckan.display_timezone", "Europe/Paris"),
]

PATH = "/dinamis/moderation/reports"
BEGIN = dt.datetime(YEAR, 1, 1, tzinfo=PARIS)
WHOLE = (dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 1))


@pytest.fixture
def organizations(people):
    return [people.organization["id"], *(factories.Organization()["id"] for _n in range(2))]


def downloaders(start, end, organizations):
    query = "SELECT count(DISTINCT user_id) FROM dinamis_download WHERE organization_id = ANY(:orgs) \
AND signed_at >= :start AND signed_at < :end"
    return sql(query, orgs=organizations, start=start, end=end).scalar()


def of_theme(theme, organizations):
    query = "SELECT count(DISTINCT user_id) FROM dinamis_download WHERE organization_id = ANY(:orgs) \
AND signed_at >= :start AND signed_at < :end AND coalesce(theme, 'none') = :theme"
    return sql(query, orgs=organizations, start=BEGIN, end=ends()[-1], theme=theme).scalar()


def busy(organizations, seed=1):
    """A year in which every organisation's six people and four accounts did much, in all months."""
    chance = random.Random(seed)
    minutes = 365 * 24 * 60 - 1
    steps = [(chance.randint(0, minutes), n % 3, chance.randint(0, 30), chance.randint(0, 9)) for n in range(300)]
    fetches = [(chance.randint(0, minutes), n % 3, n // 3 % 6, [(chance.randint(0, 2), chance.randint(0, 2))],
                chance.choice(USES))
               for n in range(600)]  # fmt: skip
    Year(organizations).play(steps, fetches)
    while rollup.refresh():
        pass


def figure(data, name):
    return next(row for row in data["totals"] if row["name"] == name)


def agree_with_sql(data, organizations):
    """Each figure is that of SQL, or hidden; hidden where fewer than five persons are behind it."""
    start, rows = BEGIN, data["now"]["downloads"]["by_month"]
    for month, end in enumerate(ends()):
        counted = accounts_at(end, organizations)
        told = {key: value for key, value in data["now"]["accounts"]["by_month"][month].items() if key != "month"}
        assert all(value is None or value == counted[key] for key, value in told.items())
        assert not any(value for value in told.values() if value is not None and value < rules.FEWEST)
        wanted = downloads_in(start, end, organizations)
        if rows[month]["files"] is not None:
            assert {key: value for key, value in rows[month].items() if key != "month"} == wanted
            assert not wanted["files"] or downloaders(start, end, organizations) >= rules.FEWEST
        start = end
    whole, totals = downloads_in(BEGIN, ends()[-1], organizations), data["now"]["downloads"]["totals"]
    if whole["files"] and downloaders(BEGIN, ends()[-1], organizations) < rules.FEWEST:
        assert set(totals.values()) == {None}
    else:
        assert totals == whole
    wanted = themes_in(BEGIN, ends()[-1], organizations)
    told = without(data["now"]["downloads"]["by_theme"], "theme")
    assert set(told) == set(wanted)
    for theme, row in told.items():
        assert set(row.values()) == {None} or row == wanted[theme]
        assert row["files"] is None or of_theme(theme, organizations) >= rules.FEWEST


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=60), st.lists(FETCH, max_size=60))
def test_a_generated_year_agrees_with_sql_or_is_hidden(people, organizations, steps, fetches):
    Year(organizations).play(steps, fetches)
    while rollup.refresh():
        pass
    agree_with_sql(gather(*WHOLE, None), organizations)
    agree_with_sql(gather(*WHOLE, organizations[0]), organizations[:1])


def test_report_annex_dashboard_and_sql_agree(people, organizations):
    busy(organizations)
    data = gather(*WHOLE, None)
    board = call_action("dinamis_statistics_show", people.context("super_referent"), period=str(YEAR))
    sheets = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
              for sheet in openpyxl.load_workbook(io.BytesIO(report_files.xlsx(data)))}  # fmt: skip
    shown = {report_files.total_label(row["name"]): row for row in data["totals"]}
    annex = {row[0]: row[1:] for row in sheets["Chiffres"][1:]}
    assert annex == {label: [row["now"], row["before"], row["difference"]] for label, row in shown.items()}
    whole = downloads_in(BEGIN, ends()[-1], organizations)
    assert board["downloads"]["totals"] == data["now"]["downloads"]["totals"] == whole
    assert figure(data, "files")["now"] == whole["files"]
    assert figure(data, "km2")["now"] == whole["km2"]
    assert figure(data, "members")["now"] == board["members"]["by_month"][-1]["active"] == 3
    months = [[dt.datetime.fromisoformat(f"{r['month']}-01"), r["files"], r["scenes"], round(r["bytes"] / 1e9, 3),
               pytest.approx(r["km2"], abs=0.06)] for r in board["downloads"]["by_month"]]  # fmt: skip
    assert sheets["Téléchargements"][1:] == months
    assert {row[0]: row[1] for row in sheets["Thèmes"][1:]} == {
        panels.theme_label(row["theme"]): row["files"] for row in board["downloads"]["by_theme"]
    }
    for name in ("by_partner", "by_series", "by_category", "by_theme"):
        assert {m: sum(row[m] for row in data["now"]["downloads"][name]) for m in whole} == whole
    agree_with_sql(data, organizations)


def test_the_period_before_has_as_many_months_and_its_own_figures(people, organizations):
    busy(organizations)
    second = gather(dt.date(YEAR, 7, 1), dt.date(YEAR, 12, 1), None)
    assert second["before"] == {"name": "before", "start": f"{YEAR}-01", "end": f"{YEAR}-06"}
    july = dt.datetime(YEAR, 7, 1, tzinfo=PARIS)
    now, before = downloads_in(july, ends()[-1], organizations), downloads_in(BEGIN, july, organizations)
    row = figure(second, "files")
    assert (row["now"], row["before"]) == (now["files"], before["files"])
    assert row["difference"] == now["files"] - before["files"]
    first = gather(dt.date(YEAR, 1, 1), dt.date(YEAR, 6, 1), None)
    assert {r["name"]: r["now"] for r in first["totals"]} == {r["name"]: r["before"] for r in second["totals"]}


@given(st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)), st.integers(1, 60))
def test_the_period_before_ends_where_the_period_begins(day, months):
    start = day.replace(day=1)
    last = start
    for _n in range(months - 1):
        last = rules.following(last)
    before = period_before(rules.Period("x", start, last))
    assert before.end == start
    assert len(before.months) == months


def asked(people, role="super_referent", **more):
    return call_action("dinamis_report_create", people.context(role), period=str(YEAR), **more)


def test_made_in_the_background_with_its_progress_and_kept(people, organizations, browser):
    busy(organizations)
    assert "Aucun bilan" in words(browser.soup("super_referent", PATH))
    assert browser.post("super_referent", PATH, {"period": str(YEAR)}).status_code == 302
    soup = browser.soup("super_referent", PATH)
    bar = soup.select_one("#reports [role=progressbar]")
    assert (bar["aria-valuenow"], bar["aria-valuemax"]) == ("0", "3")
    assert soup.select_one("#reports")["hx-get"]
    id_ = call_action("dinamis_report_list", people.context("super_referent"))["results"][0]["id"]
    assert browser.get("super_referent", f"{PATH}/{id_}.pdf").status_code == 404
    while run_round():
        pass
    made = call_action("dinamis_report_show", people.context("super_referent"), id=id_)
    assert (made["state"], made["done"], made["problem"]) == ("made", 3, "")
    pdf = browser.get("super_referent", f"{PATH}/{id_}.pdf")
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.data)).pages)
    assert f"{figure(made['data'], 'files')['now']:.0f}" in text
    assert "établi automatiquement par la plateforme" in " ".join(text.split())
    assert browser.get("super_referent", f"{PATH}/{id_}.xlsx").data[:2] == b"PK"
    sql("DELETE FROM dinamis_batch")
    sql("UPDATE dinamis_rollup SET value = value * 2")
    model.Session.commit()
    assert browser.get("super_referent", f"{PATH}/{id_}.pdf").data == pdf.data
    soup = browser.soup("super_referent", PATH)
    assert [a["href"].rpartition(".")[2] for a in soup.select("#reports td a")] == ["pdf", "xlsx"]
    assert not soup.select_one("#reports").has_attr("hx-get")


def test_whoever_is_or_was_a_partner_may_be_chosen(people, organizations, browser):
    busy(organizations)
    sql("UPDATE dinamis_membership SET state = 'ended' WHERE organization_id = :id", id=organizations[0])
    model.Session.commit()
    chosen = [one["value"] for one in browser.soup("super_referent", PATH).select("#organization_id option")]
    assert chosen[0] == ""
    assert organizations[0] in chosen
    assert set(chosen[1:]) == {one.id for one in figures.members()}
    of_one = call_action("dinamis_report_list", people.context("super_referent"), organization_id=organizations[0])
    assert of_one["partners"] == []


def test_it_is_journalled_and_names_nobody(people, organizations):
    busy(organizations)
    row = asked(people, organization_id=organizations[0])
    lines = journalled().filter_by(event="report.created").all()
    assert [(line.object_id, line.organization_id) for line in lines] == [(row["id"], organizations[0])]
    while run_round():
        pass
    kept = model.Session.get(Report, row["id"], populate_existing=True)
    assert kept is not None
    text = str(kept.data) + "".join(page.extract_text() for page in PdfReader(io.BytesIO(kept.pdf)).pages)
    for user in people.users.values():
        assert user["name"] not in text
        assert user["fullname"] not in text
    assert "user-0" not in text


def test_a_second_wish_for_the_same_waits_and_a_failed_one_is_tried_again(people, organizations):
    busy(organizations)
    first = asked(people)
    with pytest.raises(tk.ValidationError):
        asked(people)
    sql("UPDATE dinamis_batch SET state = 'cancelled'")
    model.Session.commit()
    assert call_action("dinamis_report_show", people.context("super_referent"), id=first["id"])["state"] == "failed"
    second = asked(people)
    found = call_action("dinamis_report_list", people.context("super_referent"))
    assert [row["id"] for row in found["results"]] == [second["id"]]


@pytest.mark.parametrize("period", ["", "2000/2020", "9999", "2024-13", "0001"])
def test_a_period_that_cannot_be_is_refused(people, period):
    with pytest.raises(tk.ValidationError) as refused:
        call_action("dinamis_report_create", people.context("super_referent"), period=period)
    assert "period" in refused.value.error_dict
    assert not model.Session.query(Report).count()


def test_who_may(people, organizations, browser):
    busy(organizations)
    own = asked(people, "referent", organization_id=organizations[0])
    asked(people, "executive_board")
    other = asked(people, "super_referent", organization_id=organizations[1])
    while run_round():
        pass
    for role, everything, mine, foreign in (
        ("super_referent", 200, 200, 200), ("executive_board", 200, 200, 200), ("referent", 403, 200, 403),
        ("member", 403, 403, 403), ("anonymous", 302, 302, 302),
    ):  # fmt: skip
        assert browser.get(role, PATH).status_code == everything, role
        assert browser.get(role, f"{PATH}?organization_id={organizations[0]}").status_code == mine, role
        for ending in ("pdf", "xlsx"):
            assert browser.get(role, f"{PATH}/{own['id']}.{ending}").status_code == mine, role
            assert browser.get(role, f"{PATH}/{other['id']}.{ending}").status_code == foreign, role
    with pytest.raises(tk.NotAuthorized):
        asked(people, "referent", organization_id=organizations[1])
    with pytest.raises(tk.NotAuthorized):
        asked(people, "referent")


def test_the_pdfs_are_accessible(people, organizations, tmp_path):
    busy(organizations)
    for name, organization in (("all", None), ("partner", organizations[2])):
        (tmp_path / f"{name}.pdf").write_bytes(report_files.pdf(gather(*WHOLE, organization)))
    quiet = gather(dt.date(2020, 1, 1), dt.date(2020, 1, 1), None)
    (tmp_path / "quiet.pdf").write_bytes(report_files.pdf(quiet))
    assert set(judged(tmp_path).values()) == {"true"}
    assert len(PdfReader(tmp_path / "all.pdf").pages) <= 8
