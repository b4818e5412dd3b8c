"""Many members asked to accept a new version of the texts."""

from __future__ import annotations

import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.membership import asking
from ckanext.dinamis_relais.membership.model import Application

from .members import mails, member

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


@pytest.fixture
def outdated(people, entity_service, monkeypatch, ckan_config):
    """A member who accepted the charter that was in force before."""
    row = member(people)
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.charter_version", "2027")
    return row


def partners(people, **params):
    return call_action("dinamis_partner_list", people.context("super_referent"), **params)


def test_nobody_while_the_texts_stand(people):
    member(people)
    assert partners(people)["texts_outdated"] == 0
    pigma = people.context("super_referent")
    told = call_action("dinamis_reacceptance_request_many", pigma, dry_run=False)
    assert told["counts"] == {"unchanged": 1}


@pytest.mark.usefixtures("outdated")
def test_told_first_then_asked_once(people):
    pigma = people.context("super_referent")
    found = partners(people, texts_outdated=True)
    assert (found["count"], found["texts_outdated"]) == (1, 1)
    told = call_action("dinamis_reacceptance_request_many", dict(pigma), texts_outdated=True)
    assert told["counts"] == {"waiting": 1}
    assert mails("reacceptance_requested") == []
    done = call_action("dinamis_batch_start", dict(pigma), id=told["id"])
    assert done["counts"] == {"done": 1}
    again = call_action("dinamis_reacceptance_request_many", dict(pigma), dry_run=False)
    assert again["counts"] == {"unchanged": 1}
    assert len(mails("reacceptance_requested")) == 1
    row = model.Session.query(Application).filter_by(kind="reacceptance").one()
    assert (row.state, row.answer_by is not None) == ("awaiting_signature", True)
    assert partners(people, kind="reacceptance")["count"] == 1


def test_a_member_of_whom_nothing_is_known_is_asked_too(people, outdated):
    outdated.accepted_texts = None
    model.Session.commit()
    assert partners(people, texts_outdated=True)["count"] == 1


def test_two_queries_however_many(people, outdated):
    """The dry run of a thousand partners reads drafts and conventions at once."""
    import sqlalchemy as sa

    seen: list[str] = []
    engine = model.Session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", listener := lambda *args: seen.append(args[2]))
    try:
        asking.held([outdated.organization_id, *map(str, range(1000))])
    finally:
        sa.event.remove(engine, "before_cursor_execute", listener)
    assert len(seen) == 2
