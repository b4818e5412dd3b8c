"""Health: the monitor's verdict, the operator's measures, the page."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib.redis import connect_to_redis

from ckanext.dinamis_relais.gateway.model import DeliveryTarget
from ckanext.dinamis_relais.membership.model import Application
from ckanext.dinamis_relais.overview import health
from tests.membership.helpers import file_in
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")
PREFIX = "ckanext.dinamis_relais."


@pytest.fixture
def no_worker():
    connect_to_redis().delete(health._beats())
    health._last[0] = -health.BEAT
    yield
    connect_to_redis().delete(health._beats())
    health._last[0] = -health.BEAT


def test_the_monitor_is_told_the_verdict_and_nothing_else(browser, people, no_worker):
    answer = browser.get("anonymous", "/dinamis/health")
    assert (answer.status_code, answer.json["checks"]["workers"]) == (503, False)
    health.beat()
    answer = browser.get("anonymous", "/dinamis/health")
    assert (answer.status_code, answer.json["status"]) == (200, "ok"), answer.json
    assert set(answer.json["checks"]) == set(health.CHECKS)
    assert all(isinstance(value, bool) for value in answer.json["checks"].values())


def test_a_delivery_that_is_owed_for_too_long_and_a_stopped_target_are_failures(browser, people, no_worker):
    health.beat()
    file_in(people, "submitted")
    assert browser.get("anonymous", "/dinamis/health").status_code == 200
    long_ago = health.utcnow() - dt.timedelta(hours=5)
    model.Session.execute(sa.update(Application).values(state_since=long_ago, version=5))
    model.Session.commit()
    found = health.measure()["deliveries"]
    # With no gateway the file is not sent at all: only what a target that runs owes is late.
    assert found["ok"] is (not any(t.enabled() for t in health.targets() if t.name == "application"))
    model.Session.add(DeliveryTarget(name="mail", stopped_at=health.utcnow(), reason="HTTP 403"))
    model.Session.commit()
    assert health.measure()["deliveries"]["stopped"] == ["mail"]
    assert browser.get("anonymous", "/dinamis/health").status_code == 503


def test_metrics_are_for_who_shows_the_token(browser, app, people, ckan_config, monkeypatch, no_worker):
    assert app.get("/dinamis/metrics").status_code == 404
    monkeypatch.setitem(ckan_config, PREFIX + "metrics_token", "the token")
    assert app.get("/dinamis/metrics").status_code == 401
    assert app.get("/dinamis/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    answer = app.get("/dinamis/metrics", headers={"Authorization": "Bearer the token"})
    samples = dict(line.rsplit(" ", 1) for line in answer.body.splitlines() if not line.startswith("#"))
    assert samples['dinamis_up{check="workers"}'] == "0"
    assert float(samples["dinamis_scenes_bytes"]) > 0
    assert "the token" not in answer.body


def test_the_page_says_what_to_do(browser, people, no_worker):
    assert browser.get("referent", "/dinamis/moderation/health").status_code == 403
    soup = browser.soup("super_referent", "/dinamis/moderation/health")
    row = next(row for row in soup.select("tbody tr") if row.select(".text-bg-danger"))
    assert len(row.select("td")[1].select(".small")) == 1
    assert len(soup.select("tbody tr")) == len(health.CHECKS)
    assert words(soup.select_one("h1"))
    assert soup.select_one(".account.authed")  # the header knows who is there, as on any page


def test_prometheus_text():
    text = health.prometheus({"seal": {"ok": True, "days": None, "configured": False}}, {})
    assert text == '# TYPE dinamis_up gauge\ndinamis_up{check="seal"} 1\n'
