"""The gateway: each answer is as the published contract says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from jsonschema import Draft202012Validator

from ckanext.dinamis_relais.sandbox import board, contract, gateway
from tests.sandbox.examples import BODIES, HEADERS, application, conforms, document, resolved

KINDS = list(BODIES)


def put(client, kind, body, key="k1", **headers):
    return client.put(f"/gateway/v1/{kind}/{key}", json=body, headers={**HEADERS, **headers})


def put_ok(client, kind, body, key="k1"):
    answer = put(client, kind, body, key)
    assert answer.status_code == 200, answer.text
    return conforms(answer, "put", f"/v1/{kind}/{{id}}")


def get(client, kind, key="k1"):
    return conforms(client.get(f"/gateway/v1/{kind}/{key}", headers=HEADERS), "get", f"/v1/{kind}/{{id}}")


def test_contract_is_openapi_31_with_sound_schemas():
    found = contract.document()
    assert found["openapi"] == "3.1.0"
    assert set(found["paths"]) == {f"/v1/{kind}/{{id}}" for kind in KINDS}
    for schema in found["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for path in found["paths"].values():
        for operation in (path["get"], path["put"]):
            assert all(resolved(answer)["description"] for answer in operation["responses"].values())


def test_contract_is_served_without_a_token(client):
    assert client.get("/gateway/openapi.json").json == contract.document()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_put_is_answered_and_read_again(client, kind):
    first = put_ok(client, kind, BODIES[kind]())
    assert (first["id"], first["version"]) == ("k1", 1)
    assert first == get(client, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "Basic dG9rZW4=", "Bearer é"])
def test_without_the_token_401_and_nothing_is_kept(client, kind, token):
    for method, answer in (
        ("put", put(client, kind, BODIES[kind](), Authorization=token)),
        ("get", client.get(f"/gateway/v1/{kind}/k1", headers={"Authorization": token})),
    ):
        conforms(answer, method, f"/v1/{kind}/{{id}}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client.get(f"/gateway/v1/{kind}/k1", headers=HEADERS).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_is_404(client, kind):
    assert get(client, kind, "nobody")["error"]["field"] == "id"


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_or_equal_version_changes_nothing(client, kind):
    put_ok(client, kind, BODIES[kind](3))
    for version in (1, 3):
        assert put_ok(client, kind, BODIES[kind](version))["version"] == 3
    assert put_ok(client, kind, BODIES[kind](4))["version"] == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("changes", "field"), [({"version": 0}, "version"), ({"version": "1"}, "version"), ({"state": 3}, "state")]
)
def test_faulty_body_is_422_and_names_its_field(client, kind, changes, field):
    answer = put(client, kind, {**BODIES[kind](), **changes})
    assert answer.status_code == 422
    assert conforms(answer, "put", f"/v1/{kind}/{{id}}")["error"]["field"] == field
    assert client.get(f"/gateway/v1/{kind}/k1", headers=HEADERS).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_every_required_field_is_missed(client, kind):
    for field in contract.document()["components"]["schemas"][gateway.SCHEMAS[kind]]["required"]:
        body = BODIES[kind]()
        del body[field]
        assert put(client, kind, body).json["error"]["field"] == field


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
def test_body_that_is_no_object_is_422(client, data):
    answer = client.put(
        "/gateway/v1/applications/k1", data=data, headers={**HEADERS, "Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "body")


def test_idempotency_key_is_needed(client):
    answer = put(client, "applications", application(), **{"Idempotency-Key": " "})
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("faulty", "field"),
    [
        (document(sha256="0" * 64), "documents.0.sha256"),
        (document(size=3), "documents.0.size"),
        ({**document(), "content": "@@"}, "documents.0.content"),
        (document(sha256="short"), "documents.0.sha256"),
    ],
)
def test_document_that_is_not_intact_is_422(client, faulty, field):
    answer = put(client, "applications", application(documents=[faulty]))
    assert answer.status_code == 422
    assert conforms(answer, "put", "/v1/applications/{id}")["error"]["field"] == field


def test_decision_shows_and_a_deferred_file_comes_back(client, state):
    assert put_ok(client, "applications", application())["status"] == "received"
    board.decide(state, "k1", "defer", "Quelle mission ?")
    held = get(client, "applications")
    assert (held["status"], held["reason"], held["decided_by"]) == ("deferred", "Quelle mission ?", board.DECIDED_BY)
    assert put_ok(client, "applications", application(1))["status"] == "deferred"
    again = put_ok(client, "applications", application(2))
    assert (again["status"], again["decided_at"], again["decided_by"], again["reason"]) == (
        "received",
        None,
        None,
        None,
    )


def test_an_accepted_file_stays_accepted(client, state):
    put_ok(client, "applications", application())
    board.decide(state, "k1", "accept", "")
    newer = put_ok(client, "applications", application(2))
    assert (newer["status"], newer["version"]) == ("accepted", 2)
    assert newer["decided_at"]


def test_a_refused_file_is_received_again_only_when_submitted_anew(client, state):
    put_ok(client, "applications", application())
    board.decide(state, "k1", "refuse", "Non éligible.")
    assert put_ok(client, "applications", application(2, state="refused"))["status"] == "refused"
    assert put_ok(client, "applications", application(3))["status"] == "received"


def test_a_withdrawn_file_cannot_be_decided(client, state):
    put_ok(client, "applications", application())
    assert put_ok(client, "applications", application(2, state="withdrawn"))["status"] == "withdrawn"
    with pytest.raises(board.NotDecidable):
        board.decide(state, "k1", "accept", "")


@pytest.mark.parametrize(
    ("state_of_relay", "status"),
    [
        ("validated", "active"),
        ("active", "active"),
        ("suspended", "suspended"),
        ("closed", "closed"),
        ("expired", "closed"),
    ],
)
def test_status_of_an_account(client, state_of_relay, status):
    assert put_ok(client, "accounts", BODIES["accounts"](state=state_of_relay))["status"] == status


def test_many_senders_at_once_leave_the_highest_version(app):
    def send(version):
        return put(app.test_client(), "memberships", BODIES["memberships"](version)).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, [3, 9, 1, 7, 5, 8, 2, 6])) == {200}
    assert get(app.test_client(), "memberships")["version"] == 9


def test_a_request_beyond_all_measure_is_413(app, client):
    app.config["MAX_CONTENT_LENGTH"] = 100
    answer = put(client, "applications", application())
    assert (answer.status_code, answer.mimetype) == (413, "application/json")
