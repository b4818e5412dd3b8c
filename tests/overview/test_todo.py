"""What waits for PIGMA: proposed use cases among it."""

from __future__ import annotations

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.use_cases.model import UseCase

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


@pytest.mark.ckan_config("ckanext.dinamis_relais.late_days", "7")
def test_proposed_use_cases_wait_and_are_late_after_the_delay(people, browser):
    moments = [utcnow() - dt.timedelta(days=days) for days in (8, 2)]
    states = [*(("proposed", at) for at in moments), ("draft", moments[0]), ("published", moments[0])]
    for number, (state, since) in enumerate(states):
        model.Session.add(UseCase(id=f"case-{number}", organization_id=people.organization["id"], state=state,
                                  state_since=since))  # fmt: skip
    model.Session.commit()
    found = call_action("dinamis_todo_show", people.context("super_referent"))
    (row,) = [one for one in found["results"] if one["kind"] == "use_cases"]
    assert (row["count"], row["late"], row["ours"]) == (2, 1, True)
    assert row["oldest"] == isoformat(moments[0])
    page = BeautifulSoup(browser.get("super_referent", "/dinamis/moderation").body, "html.parser")
    links = [a for a in page.select('a[href*="/dinamis/moderation/use-cases"]') if "state=proposed" in str(a["href"])]
    assert links, "the dashboard leads to the queue"
