"""``ckan dinamis demo load``: made once, resumed where it stopped, never undoing what someone played since."""

from __future__ import annotations

import json
import stat

import click
import pytest
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.batch.work import run_round
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.portal import cli, demo, demo_queues
from tests.journalled import journalled
from tests.services import BEGLES

pytestmark = pytest.mark.usefixtures("with_plugins", "relay_db")


@pytest.fixture
def service(entity_service):
    """Recherche d'entreprises, which knows all of the demonstration's communes."""
    for title, siren, code, _place, _state in demo.FILES:
        head = {**BEGLES["siege"], "siret": f"{siren}00016", "commune": code}
        entity_service.known[siren] = {**BEGLES, "siren": siren, "nom_complet": title.upper(), "siege": head}
    return entity_service


@pytest.fixture
def load(app, tmp_path):
    """Run the command; gives the file that it writes."""

    def run():
        with click.Context(cli.demo) as ctx:
            ctx.meta["flask_app"] = app.flask_app
            ctx.invoke(cli.load, out=tmp_path / "users.json")
        return json.loads((tmp_path / "users.json").read_text())

    return run


def states():
    pigma = demo.as_user(demo.PEOPLE["super_referent"][0])
    listed = call_action("dinamis_application_list", {**pigma, "ignore_auth": False}, limit=100)
    return {file["siren"]: file["state"] for file in listed["results"]}


WANTED = {siren: state for _title, siren, _code, _place, state in demo.FILES}


def test_everything_is_made_once(service, load, tmp_path):
    (tmp_path / "users.json").write_text("{}")
    (tmp_path / "users.json").chmod(0o644)
    first = load()
    assert stat.S_IMODE((tmp_path / "users.json").stat().st_mode) == 0o600
    roles = {"sysadmin", "super_referent", "executive_board", "referent", "member", "outsider"}
    assert set(first["tokens"]) == set(first["logins"]) == roles
    assert states() == WANTED
    for login in first["logins"].values():
        user = model.User.get(login["name"])
        assert user.validate_password(login["password"])
        assert "démonstration" in user.fullname
    lines = journalled().count()
    assert load() == first
    assert journalled().count() == lines


def test_what_a_service_that_was_down_interrupted_is_finished(service, load, tmp_path):
    service.mode = "down"
    with pytest.raises(click.ClickException, match="run the command again"):
        load()
    logins = json.loads((tmp_path / "users.json").read_text())["logins"]
    service.mode = "ok"
    assert load()["logins"] == logins
    assert states() == WANTED


def test_a_link_that_has_left_by_mail_is_replaced(service, load, monkeypatch):
    step = demo._step

    def sent_meanwhile(context, id_, name, **more):
        step(context, id_, name, **more)
        if name == "request_signature":
            model.Session.query(Mail).filter_by(object_id=id_).update({"secrets": None})
            model.Session.commit()

    monkeypatch.setattr(demo, "_step", sent_meanwhile)
    load()
    assert states() == WANTED


def test_a_file_that_someone_sent_back_stays_where_they_put_it(service, load):
    load()
    pigma = {**demo.as_user(demo.PEOPLE["super_referent"][0]), "ignore_auth": False}
    limoges = call_action("dinamis_application_list", pigma, q="218708501")["results"][0]
    for transition in ("withdraw", "reopen"):
        call_action("dinamis_application_transition", pigma, id=limoges["id"], transition=transition, reason="Essai.")
    load()
    assert states() == {**WANTED, "218708501": "draft"}


def test_the_queues_are_filled_once_even_where_dinamis_has_not_confirmed_the_account(
    app, service, load, migrate_db_for, clean_index, clean_redis
):
    migrate_db_for("harvest")
    load()
    told = []
    with app.flask_app.test_request_context():
        demo_queues.fill(told.append, patience=0)
    assert len(told) == 7  # three published use cases, two news, the question, the report; the rest needs an account
    assert all("fictif" in text for text in told[:5])
    reports = call_action("dinamis_report_list", demo.as_user(demo.PEOPLE["super_referent"][0]))["results"]
    assert [one["state"] for one in reports] == ["making"]
    with app.flask_app.test_request_context():
        while run_round():
            pass
    reports = call_action("dinamis_report_list", demo.as_user(demo.PEOPLE["super_referent"][0]))["results"]
    assert [one["state"] for one in reports] == ["made"]
    cases = call_action("dinamis_use_case_list", {"user": ""})["results"]
    assert all(case["picture"] and "fictif" in case["result"] for case in cases)
    again = []
    with app.flask_app.test_request_context():
        demo_queues.fill(again.append, patience=0)
    assert again == []
