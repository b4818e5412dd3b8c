"""Who at PIGMA works on a file, and by when."""

from __future__ import annotations

import datetime as dt

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.membership.model import Application
from tests.accounts.helpers import forget
from tests.journalled import journalled

from .helpers import file_in
from .test_conventions import token

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service"),
    pytest.mark.ckan_config("ckan.display_timezone", "Europe/Paris"),
]


def claim(people, file, role="super_referent", **data):
    return call_action("dinamis_application_claim", people.context(role), id=file["id"], **data)


def colleague(people):
    user = factories.User(fullname="Noa Collègue")
    call_action("dinamis_role_grant", people.context("sysadmin"), user=user["id"], role="super_referent")
    return user


def refused(people, file, **data):
    with pytest.raises(tk.ValidationError) as raised:
        claim(people, file, **data)
    return raised.value.error_dict


def lines(file):
    return [line.data for line in journalled().filter_by(event="application.claimed", object_id=file["id"])]


def test_taken_handed_over_and_let_go(people):
    file, other = file_in(people, "draft"), colleague(people)
    assert claim(people, file)["claimed_by"] == people.super_referent["id"]
    assert claim(people, file, user=other["name"])["claimed_by"] == other["id"]
    assert claim(people, file, release=True)["claimed_by"] is None
    assert claim(people, file, user="")["claimed_by"] is None
    assert [one["claimed_by"] for one in lines(file)] == [people.super_referent["id"], other["id"], None]


def test_a_day_is_kept_until_its_end_where_the_site_is(people):
    file = file_in(people, "draft")
    assert claim(people, file, due_on="2099-07-01")["due_at"] == "2099-07-01T21:59:59Z"
    assert claim(people, file)["due_at"] == "2099-07-01T21:59:59Z"
    assert lines(file) == [{"claimed_by": people.super_referent["id"], "due_on": "2099-07-01"}]
    assert claim(people, file, due_on="")["due_at"] is None


def test_a_day_that_is_over_is_refused_unless_it_stood_there(people):
    file = file_in(people, "draft")
    yesterday = (utcnow() - dt.timedelta(days=2)).date().isoformat()
    assert "passé" in refused(people, file, due_on=yesterday)["due_on"][0]
    assert "2026-11-24" in refused(people, file, due_on="hier")["due_on"][0]
    late = dt.datetime(2025, 1, 15, 22, 59, 59, tzinfo=dt.timezone.utc)
    model.Session.get(Application, file["id"]).due_at = late
    model.Session.commit()
    found = claim(people, file, due_on="2025-01-15")
    assert (found["claimed_by"], found["due_at"]) == (people.super_referent["id"], "2025-01-15T22:59:59Z")


@pytest.mark.parametrize("role", ["referent", "member", "outsider", "executive_board"])
def test_only_pigmas_people_work_on_files(people, role):
    file = file_in(people, "draft")
    assert "PIGMA" in refused(people, file, user=people.users[role]["id"])["user"][0]
    assert "PIGMA" in refused(people, file, user="nobody-of-this-name")["user"][0]
    assert model.Session.get(Application, file["id"]).claimed_by is None


def test_the_page(people, app):
    file, other = file_in(people, "draft"), colleague(people)
    pigma, referent = token(people.super_referent), token(people.referent)
    address = f"/dinamis/moderation/applications/{file['id']}"
    forget()
    assert "Je m'en charge" in app.get(address, headers=pigma).body.replace("&#39;", "'")
    taken = app.post(f"{address}/claim", headers=pigma).body
    assert "Je m'en charge" not in taken.replace("&#39;", "'")
    given = {"user": other["id"], "due_on": "2099-07-01"}
    page = app.post(f"{address}/claim", headers=pigma, data=given).body
    assert "Noa Collègue" in page
    assert "À faire d'ici au 1er juillet 2099." in page.replace("&#39;", "'")
    assert f'<option value="{other["id"]}" selected>' in page
    forget()
    app.post(f"{address}/claim", headers=referent, data=given, status=403)
