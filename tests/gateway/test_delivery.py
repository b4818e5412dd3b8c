"""Deliveries: nothing lost, nothing doubled, whatever fails between two steps."""

from __future__ import annotations

import threading

import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway import delivery
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.gateway.targets import PassingError, RefusedError, StoppingError, check_status, delay
from ckanext.dinamis_relais.membership.model import Application, Membership
from tests.membership.helpers import file_in


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_passes_by_itself(status):
    with pytest.raises(PassingError) as raised:
        check_status(status, "", "7")
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    "status, error", [(401, StoppingError), (403, StoppingError), (404, RefusedError), (422, RefusedError)]
)
def test_what_does_not(status, error):
    with pytest.raises(error):
        check_status(status, "", None)


def test_the_delay_grows_and_respects_what_was_asked():
    assert delay(1) < 10 < delay(3)
    assert delay(30) <= 3600 * 1.2
    assert delay(1, 120) == 120


def due_now(row_id, table=Application):
    row = model.Session.get(table, row_id)
    row.next_attempt_at = row.next_poll_at = utcnow()
    model.Session.commit()


@pytest.mark.usefixtures("with_plugins", "entity_service")
class TestApplication:
    def test_the_board_decides_by_the_api(self, people, gateway_service):
        file = file_in(people, "submitted")
        deliver_once()
        body = gateway_service.bodies[f"/gateway/v1/applications/{file['id']}"]
        assert body["organization"]["siren"] == "213300395"
        assert [d["kind"] for d in body["documents"]] == ["amendment", "signed_amendment"]
        gateway_service.decision = "accepted"
        due_now(file["id"])
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert (row.state, row.decided_by, row.decision_reference) == ("accepted", "dinamis", "R-1")
        assert model.Session.query(Membership).one().state == "active"
        deliver_once()
        assert any("/memberships/" in path for path in gateway_service.bodies)
        assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]

    def test_a_refusal_by_the_api_brings_its_reason(self, people, gateway_service):
        file = file_in(people, "submitted")
        gateway_service.decision, gateway_service.reason = "refused", "Hors périmètre."
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert (row.state, row.reason) == ("refused", "Hors périmètre.")

    def test_a_refusal_without_reason_waits_for_a_person(self, people, gateway_service):
        file = file_in(people, "submitted")
        gateway_service.decision = "refused"
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert row.state == "submitted"
        assert row.failed_at is not None
        failed = call_action("dinamis_delivery_list", people.context("super_referent"), state="failed", q="application")
        assert failed["results"][0]["id"] == file["id"]

    def test_down_then_up(self, people, gateway_service):
        gateway_service.status = 503
        file = file_in(people, "submitted")
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert (row.delivered_version, row.attempts, row.last_error) == (0, 1, "HTTP 503")
        gateway_service.status = 200
        due_now(file["id"])
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert (row.delivered_version, row.last_error) == (row.version, None)

    def test_a_crash_after_the_call_repeats_it_and_converges(self, people, gateway_service, monkeypatch):
        file = file_in(people, "submitted")
        with monkeypatch.context() as patch:

            def killed(*_args):
                raise SystemExit

            patch.setattr(delivery, "_record", killed)
            with pytest.raises(SystemExit):
                deliver_once()
        model.Session.rollback()
        row = model.Session.get(Application, file["id"])
        assert row.delivered_version == 0
        row.lease_until = utcnow()
        model.Session.commit()
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert row.delivered_version == row.version
        assert len([path for path in gateway_service.calls if file["id"] in path]) == 2

    def test_two_workers_send_once(self, people, gateway_service):
        file = file_in(people, "submitted")

        def work():
            deliver_once()
            model.Session.remove()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([path for path in gateway_service.calls if file["id"] in path]) == 1

    def test_a_change_while_it_travels_is_sent_afterwards(self, people, gateway_service, monkeypatch):
        file = file_in(people, "submitted")
        real = delivery._send

        def changed_meanwhile(target, parcel):
            answer = real(target, parcel)
            if target.name == "application" and parcel.version == 1:
                model.Session.get(Application, file["id"]).owe()
                model.Session.commit()
            return answer

        monkeypatch.setattr(delivery, "_send", changed_meanwhile)
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert (row.version, row.delivered_version) == (2, 1)
        deliver_once()
        assert gateway_service.bodies[f"/gateway/v1/applications/{file['id']}"]["version"] == 2

    def test_a_private_address_is_not_called_unless_listed(self, people, gateway_service, ckan_config, monkeypatch):
        file = file_in(people, "submitted")
        monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.private_hosts", [])
        deliver_once()
        row = model.Session.get(Application, file["id"])
        assert row.failed_at is not None
        assert "private_hosts" in row.last_error
        assert not [path for path in gateway_service.calls if file["id"] in path]
