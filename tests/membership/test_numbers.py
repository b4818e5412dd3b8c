"""Numbers of conventions: sixteen writers at once, some of whom give up, get each number once and leave no hole."""

from __future__ import annotations

import threading

import pytest
from ckan import model

from ckanext.dinamis_relais.db import new_id, utcnow
from ckanext.dinamis_relais.membership import signing
from ckanext.dinamis_relais.membership.model import AgreementCounter, Application

pytestmark = pytest.mark.usefixtures("with_plugins")

WRITERS, EACH = 16, 6


def file_with_number(organization_id: str) -> Application:
    """A file that takes the next number, in the present transaction."""
    people = {"representative": {}, "referent": {}, "eligibility": {}}
    row = Application(id=new_id(), organization_id=organization_id, created_by="test", **people,
                      agreement_number=signing.give_number())  # fmt: skip
    model.Session.add(row)
    model.Session.flush()
    return row


def numbers() -> list[int]:
    """The counting part of every number that was given for good, in order."""
    found = model.Session.query(Application.agreement_number).all()
    return sorted(int(number.rsplit("-", 1)[1]) for (number,) in found)


def test_sixteen_writers(app, people):
    start, failures = threading.Barrier(WRITERS), []
    organization = people.organization["id"]

    def write(writer: int) -> None:
        with app.flask_app.test_request_context():
            try:
                start.wait(timeout=60)
                for turn in range(EACH):
                    file_with_number(organization)
                    if (writer + turn) % 3 == 0:
                        model.Session.rollback()
                    else:
                        model.Session.commit()
            except Exception as error:  # noqa: BLE001  # whatever it is, the test must tell it
                failures.append(error)
            finally:
                model.Session.remove()

    model.Session.commit()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    kept = sum((writer + turn) % 3 != 0 for writer in range(WRITERS) for turn in range(EACH))
    assert numbers() == list(range(1, kept + 1))
    assert model.Session.get(AgreementCounter, utcnow().year).last == kept


def test_a_number_of_a_file_that_is_gone_is_never_given_again(people):
    organization = people.organization["id"]
    first = file_with_number(organization)
    model.Session.commit()
    number = first.agreement_number
    model.Session.delete(first)
    model.Session.commit()
    second = file_with_number(organization)
    model.Session.commit()
    assert second.agreement_number != number
    assert numbers() == [2]
