"""Figures against a count made independently in SQL, over generated years, however the counting was cut."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ckanext.dinamis_relais
from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.membership.model import Application, Membership
from ckanext.dinamis_relais.overview import figures, panels, rollup
from ckanext.dinamis_relais.use_cases.rules import THEMES
from tests.access.conftest import act, issuer, person, ready, service  # noqa: F401  # fixtures
from tests.accounts.conftest import member  # noqa: F401
from tests.imagery.conftest import engine, load  # noqa: F401

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    pytest.mark.ckan_config("ckan.display_timezone", "Europe/Paris"),
]

PARIS = ZoneInfo("Europe/Paris")
YEAR = 2024
#: By hand: the counters must agree with what each event says to a reader.
AFTER = {"account.requested": "requested", "account.validated": "validated", "account.activated": "active",
         "account.refused": "refused", "account.suspended": "suspended", "account.resumed": "validated",
         "account.closed": "closed", "account.expired": "expired"}  # fmt: skip
SERIES = (("spot", 2022), ("spot", 2023), ("pleiades", 2023))
#: What files are for: not told, or one of three.
USES = (None, "forest", "coast", "other")
PLACES = (("commune", "33039", "local_authority"), ("departement", "87", "state"), ("epci", "243300316", ""))

STEP = st.tuples(st.integers(0, 365 * 24 * 60 - 1), st.integers(0, 2), st.integers(0, 3), st.integers(0, 9))
FETCH = st.tuples(st.integers(0, 365 * 24 * 60 - 1), st.integers(0, 2), st.integers(0, 5),
                  st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4),
                  st.sampled_from(USES))  # fmt: skip


def sql(query, **values):
    return model.Session.execute(sa.text(query), values)


class Year:
    """Three members, and what their people did within a year; only the tables that the counters read."""

    def __init__(self, organizations):
        self.organizations, self.lines, self.calls = organizations, [], 0
        counters = ("", "_downloads", "_state", "_cursor")
        tables = ["journal", "journal_waiting", "download", "scene_area", "membership", "application",
                  *(f"rollup{one}" for one in counters)]  # fmt: skip
        sql("TRUNCATE " + ", ".join(f"dinamis_{name}" for name in tables))
        for number, (organization, (kind, code, category)) in enumerate(zip(organizations, PLACES, strict=True)):
            row = Application(id=f"file-{number}", organization_id=organization, state="accepted", created_by="x",
                              territory_kind=kind, territory_code=code, category=category)  # fmt: skip
            joined = Membership(id=f"m-{number}", organization_id=organization, application_id=row.id)
            model.Session.add_all([row, joined])
            self.line(number, "membership.activated", "membership", joined.id, organization)
        for collection, year in SERIES:
            for item in range(3):
                sql("INSERT INTO dinamis_scene_area VALUES (:c, :i, :k, :y)", c=collection, i=f"{year}-{item}",
                    k=100.25 + item, y=year)  # fmt: skip

    @staticmethod
    def moment(minute):
        return dt.datetime(YEAR - 1, 12, 31, 23, 30, tzinfo=dt.timezone.utc) + dt.timedelta(minutes=minute)

    def line(self, minute, event, kind, id_, organization):
        self.lines.append((self.moment(minute), event, kind, id_, organization))

    def play(self, steps, fetches):
        state = {}
        for minute, org, number, choice in sorted(steps):
            key = f"account-{org}-{number}"
            if key not in state:
                state[key] = MACHINE.initial
                self.line(minute, "account.requested", "account", key, self.organizations[org])
            elif rows := MACHINE.allowed(state[key]):
                row = rows[choice % len(rows)]
                state[key] = row.target
                self.line(minute, row.event, "account", key, self.organizations[org])
        for minute, org, user, files, theme in fetches:
            self.calls += 1
            for series, item in files:
                collection, year = SERIES[series]
                sql("INSERT INTO dinamis_download (call_id, user_id, organization_id, collection, item_id, asset_key, "
                    "bytes, theme, created_at, signed_at) "
                    "VALUES (:call, :user, :org, :c, :i, 'MS', 1000, :theme, :at, :at)",
                    call=str(self.calls), user=f"user-{org}-{user}", org=self.organizations[org], c=collection,
                    i=f"{year}-{item}", theme=theme, at=self.moment(minute))  # fmt: skip
            self.line(minute, "images.signed", "images", f"user-{org}-{user}", self.organizations[org])
        for number, (at, event, kind, id_, organization) in enumerate(sorted(self.lines), 1):
            sql("INSERT INTO dinamis_journal VALUES (:n, :at, 'x', :event, :kind, :id, :org, '{}', '', '')", n=number,
                at=at, event=event, kind=kind, id=id_, org=organization)  # fmt: skip
        model.Session.commit()


def shown(people, **more):
    return call_action("dinamis_statistics_show", people.context("super_referent"), period=str(YEAR), **more)


def ends():
    """The moment at which each month ends in Paris."""
    months = [(YEAR + m // 12, m % 12 + 1) for m in range(1, 13)]
    return [dt.datetime(year, month, 1, tzinfo=PARIS) for year, month in months]


def rows():
    query = "SELECT organization_id, grain, start, measure, dimension, value FROM dinamis_rollup WHERE value <> 0"
    return sorted(tuple(row) for row in sql(query))


def accounts_at(moment, organizations):
    query = "SELECT DISTINCT ON (object_id) event FROM dinamis_journal WHERE object_type = 'account' \
AND organization_id = ANY(:orgs) AND at < :moment ORDER BY object_id, id DESC"
    return Counter(AFTER[event] for (event,) in sql(query, orgs=organizations, moment=moment))


def downloads_in(start, end, organizations):
    query = "SELECT count(*), count(DISTINCT (call_id, collection, item_id)), coalesce(sum(bytes), 0) \
FROM dinamis_download WHERE organization_id = ANY(:orgs) AND signed_at >= :start AND signed_at < :end"
    files, scenes, size = sql(query, orgs=organizations, start=start, end=end).one()
    query = "SELECT coalesce(sum(km2), 0) FROM (SELECT DISTINCT call_id, collection, item_id FROM dinamis_download \
WHERE organization_id = ANY(:orgs) AND signed_at >= :start AND signed_at < :end) d JOIN dinamis_scene_area \
USING (collection, item_id)"
    km2 = sql(query, orgs=organizations, start=start, end=end).scalar()
    return {"files": files, "scenes": scenes, "bytes": int(size), "km2": pytest.approx(km2, abs=0.01)}


def themes_in(start, end, organizations):
    """What was downloaded for each theme, counted anew in SQL; ``none``: not told."""
    where = "organization_id = ANY(:orgs) AND signed_at >= :start AND signed_at < :end"
    query = f"SELECT coalesce(theme, 'none'), count(*), count(DISTINCT (call_id, collection, item_id)), sum(bytes), \
(SELECT coalesce(sum(km2), 0) FROM (SELECT DISTINCT call_id, collection, item_id FROM dinamis_download o WHERE {where} \
AND o.theme IS NOT DISTINCT FROM d.theme) s JOIN dinamis_scene_area USING (collection, item_id)) \
FROM dinamis_download d WHERE {where} GROUP BY theme"
    values = {"orgs": organizations, "start": start, "end": end}
    return {theme: {"files": files, "scenes": scenes, "bytes": int(size), "km2": pytest.approx(km2, abs=0.01)}
            for theme, files, scenes, size, km2 in sql(query, **values)}  # fmt: skip


def without(rows, key):
    return {row[key]: {name: value for name, value in row.items() if name != key} for row in rows}


def agree(found, organizations):
    start = dt.datetime(YEAR, 1, 1, tzinfo=PARIS)
    for month, end in enumerate(ends()):
        counted = accounts_at(end, organizations)
        row = found["accounts"]["by_month"][month]
        assert {k: v for k, v in row.items() if k != "month" and v} == dict(counted), row["month"]
        told = {k: v for k, v in found["downloads"]["by_month"][month].items() if k != "month"}
        assert told == downloads_in(start, end, organizations), row["month"]
        start = end
    whole = downloads_in(dt.datetime(YEAR, 1, 1, tzinfo=PARIS), ends()[-1], organizations)
    assert found["downloads"]["totals"] == whole
    for name in ("by_series", "by_category", "by_theme"):
        assert {m: sum(r[m] for r in found["downloads"][name]) for m in whole} == whole, name
    year = dt.datetime(YEAR, 1, 1, tzinfo=PARIS), ends()[-1]
    assert without(found["downloads"]["by_theme"], "theme") == themes_in(*year, organizations)


@pytest.fixture
def organizations(people):
    return [people.organization["id"], *(factories.Organization()["id"] for _n in range(2))]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=40), st.lists(FETCH, max_size=25), st.integers(1, 40))
def test_a_year_agrees_with_sql_for_everybody_and_for_each_filter(people, organizations, steps, fetches, chunk):
    year = Year(organizations)
    year.play(steps, fetches)
    while rollup.refresh(chunk=chunk):
        pass
    agree(shown(people), organizations)
    for number, organization in enumerate(organizations):
        agree(shown(people, organization_id=organization), [organization])
        department, category = (("33", "local_authority"), ("87", "state"), ("none", "none"))[number]
        agree(shown(people, department=department), [organization])
        agree(shown(people, category=category), [organization])
    idle = {org for org in organizations if not sql("SELECT 1 FROM dinamis_download WHERE organization_id = :o",
                                                    o=org).first()}  # fmt: skip
    listed = call_action("dinamis_never_downloaded_list", people.context("super_referent"))
    assert {row["organization_id"] for row in listed["results"]} == idle
    assert shown(people)["never_downloaded"]["count"] == len(idle) == listed["count"]
    kept = rows()
    rollup.rebuild()
    assert rows() == kept


def test_members_by_departement(people, organizations):
    Year(organizations).play([], [])
    rollup.refresh()
    found = shown(people)["members"]
    assert {row["department"]: row["members"] for row in found["by_department"]} == {"33": 1, "87": 1, "none": 1}
    assert found["by_month"][0]["active"] == 3


def test_a_real_download_is_counted_with_its_surface(ready, engine):  # noqa: F811
    hrefs = ready.hrefs[:5]
    act(ready.name, "dinamis_asset_sign", urls=hrefs)
    act(ready.name, "dinamis_asset_sign", urls=hrefs)  # known already: nothing new is handed out
    while rollup.refresh():
        pass
    wanted = [one for one in ready.items if any(asset["href"] in hrefs for asset in one["assets"].values())]
    with engine.connect() as store:
        query = "SELECT sum(ST_Area(geom::geography)) / 1e6 FROM scene WHERE id = ANY(:ids)"
        km2 = store.execute(sa.text(query), {"ids": [one["id"] for one in wanted]}).scalar()
    found = call_action("dinamis_statistics_show", ready.people.context("super_referent"), period="1m")["downloads"]
    sizes = sql("SELECT sum(bytes) FROM dinamis_download WHERE signed_at IS NOT NULL").scalar()
    told = {**found["totals"], "km2": pytest.approx(km2, abs=0.01)}
    assert told == {"files": 5, "scenes": len(wanted), "bytes": float(sizes or 0), "km2": found["totals"]["km2"]}
    assert found["totals"]["km2"] > 0
    assert [row["label"] for row in found["by_partner"]] == ["Commune de Bègles"]
    assert all("/" in row["series"] for row in found["by_series"])
    kept = rows()
    rollup.rebuild()
    assert rows() == kept


def test_a_member_is_not_told_what_a_few_persons_did_and_the_referent_is(people, organizations):
    year = Year(organizations)
    steps = [(minute, 0, minute, 0) for minute in range(3)]
    year.play(steps, [(5, 0, 1, [(0, 0)], "forest"), (5, 0, 1, [(0, 1)], None)])
    rollup.refresh()
    own = {"organization_id": people.organization["id"], "period": str(YEAR)}
    told = call_action("dinamis_statistics_show", people.context("referent"), **own)
    assert (told["downloads"]["totals"]["files"], told["accounts"]["by_month"][0]["requested"]) == (2, 3)
    assert told["hidden"] == 0
    told = call_action("dinamis_statistics_show", people.context("member"), **own)
    assert told["hidden"] == 12 + 1 + 1
    assert told["downloads"]["totals"] == dict.fromkeys(figures.DOWNLOADS)
    assert told["downloads"]["by_theme"] == []
    assert told["accounts"]["by_month"][0] == {**dict.fromkeys(MACHINE.states, 0), "requested": None,
                                               "month": f"{YEAR}-01"}  # fmt: skip
    assert told["members"]["by_month"][0]["active"] == 1
    assert "user-0-1" not in json.dumps(told)
    with pytest.raises(tk.NotAuthorized):
        call_action("dinamis_statistics_show", people.context("member"), period="1m")
    public = call_action("dinamis_statistics_public", people.context("anonymous"))
    assert (public["members"], public["departments"], public["downloads"]["km2"]) == (3, 2, None)


def test_a_theme_is_what_was_told_and_else_not_told(people, organizations):
    Year(organizations).play([], [(5, 0, 1, [(0, 0)], "forest"), (9, 1, 1, [(0, 0), (0, 1)], None)])
    rollup.refresh()
    found = shown(people)
    assert {row["theme"]: row["files"] for row in found["downloads"]["by_theme"]} == {"forest": 1, "none": 2}
    assert {row[0]: row[1] for row in panels.by_theme(found).rows} == {"Forêt et haies": 1, "Non indiqué": 2}
    assert {panels.theme_label(theme) for theme in THEMES}.isdisjoint(THEMES)


def test_what_was_counted_before_the_question_is_not_told(people, organizations):
    """The migration's own statement, on counters as the version before left them; a later count then agrees."""
    Year(organizations).play([], [(5, 0, 1, [(0, 0)], None), (9, 1, 1, [(0, 0), (1, 1)], None)])
    rollup.refresh()
    kept = rows()
    sql("DELETE FROM dinamis_rollup WHERE measure LIKE 'theme.%'")
    folder = Path(ckanext.dinamis_relais.__file__).parent / "migration/dinamis_relais/versions"
    runpy.run_path(str(folder / "027_themes_and_sealed_reports.py"))["count_as_not_told"](sql)
    assert rows() == kept


def test_what_is_no_filter_is_said(people):
    for wrong in ({"period": "soon"}, {"category": "nonsense"}):
        with pytest.raises(tk.ValidationError) as caught:
            call_action("dinamis_statistics_show", people.context("super_referent"), **wrong)
        assert list(caught.value.error_dict) == list(wrong)
