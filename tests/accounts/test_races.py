"""Eight moderators on one row, and a process killed between each two steps: one user, one place, one delivery."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.accounts import effects, links, users
from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from tests.accounts.helpers import enter, move
from tests.journalled import journalled

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service")


def one_of_each(people, account):
    """What a validation leaves: exactly one of each."""
    model.Session.rollback()
    model.Session.expire_all()
    row = model.Session.get(Account, account["id"])
    assert row.state == "validated"
    assert model.Session.query(model.User).filter_by(email=account["email"]).count() == 1
    places = model.Session.query(model.Member).filter_by(
        table_id=row.user_id, group_id=people.organization["id"], state="active"
    )
    assert places.count() == 1
    assert row.version == 1
    assert model.Session.query(Mail).filter_by(object_id=account["id"]).count() == 1
    assert journalled().filter_by(object_id=account["id"], event="account.validated").count() == 1
    assert call_action("dinamis_journal_verify", people.context("super_referent"))["valid"]


def test_eight_moderators_on_one_row(app, member):
    account = enter(member, "referent")
    name, start = member.super_referent["name"], threading.Barrier(8)
    outcomes: list[str] = []

    def moderate(number):
        with app.flask_app.test_request_context():
            start.wait(timeout=30)
            try:
                context = {"user": name, "auth_user_obj": model.User.get(name), "model": model}
                data = {"id": account["id"], "transition": "refuse" if number % 4 == 3 else "validate", "reason": "x"}
                outcomes.append(tk.get_action("dinamis_account_transition")(context, data)["state"])
            except tk.ValidationError as error:
                outcomes.append(next(iter(error.error_dict)))
            finally:
                model.Session.remove()

    threads = [threading.Thread(target=moderate, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert outcomes.count("transition") == 7
    model.Session.rollback()
    events = journalled(JournalLine.event).filter_by(object_id=account["id"]).all()
    assert len(events) == 2, "requested, and one decision"
    assert model.Session.query(Mail).filter_by(object_id=account["id"]).count() == 1


#: The steps of a validation, in their order: (module or class, function).
STEPS = [
    (users, "ensure_user"),
    (users, "give_place"),
    (links, "for_account"),
    (mailer, "write"),
    (effects, "record"),
    ("commit", ""),
]


@contextmanager
def killed(where, name, after):
    """Within the block, the process dies before or after one step."""
    if where == "commit":
        target, name = model.Session.registry(), "commit"
    else:
        target = where
    real = getattr(target, name)

    def die(*args, **kwargs):
        if after:
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(target, name, die)
    yield


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "step", STEPS, ids=lambda step: getattr(step[0], "__name__", step[0]).rpartition(".")[2] + "." + step[1]
)
def test_killed_between_two_steps(member, step, after):
    account = enter(member, "referent")
    model.Session.remove()
    child = os.fork()
    if child == 0:
        # The parent's connections are not ours to speak on.
        model.meta.engine.dispose(close=False)
        with killed(*step, after):
            move(member, account, "validate")
        os._exit(3)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child was to die at this step"
    model.Session.expire_all()
    row = model.Session.get(Account, account["id"])
    committed = step[0] == "commit" and after
    assert row.state == ("validated" if committed else "requested")
    if not committed:
        assert not model.Session.query(model.User).filter_by(email=account["email"]).count()
        assert not model.Session.query(Mail).filter_by(object_id=account["id"]).count()
        move(member, account, "validate")
    one_of_each(member, account)


def test_entered_twice_at_the_same_moment(app, member):
    name, start, outcomes = member.super_referent["name"], threading.Barrier(4), []

    def create():
        with app.flask_app.test_request_context():
            start.wait(timeout=30)
            try:
                context = {"user": name, "auth_user_obj": model.User.get(name), "model": model}
                data = {"organization_id": member.organization["id"], "email": "lou@begles.example",
                        "given_name": "Lou", "family_name": "Exemple"}  # fmt: skip
                outcomes.append(tk.get_action("dinamis_account_create")(context, data)["state"])
            except tk.ValidationError as error:
                outcomes.append(next(iter(error.error_dict)))
            finally:
                model.Session.remove()

    threads = [threading.Thread(target=create) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["email", "email", "email", "validated"]
    count = sa.select(sa.func.count()).select_from(model.User).where(model.User.email == "lou@begles.example")
    assert model.Session.execute(count).scalar() == 1
