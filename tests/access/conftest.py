"""The sandbox's signing service and object store on a real port, scenes that lie there, a person with an account."""

from __future__ import annotations

import re
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ckan import model
from ckan.tests.helpers import call_action
from flask import Flask, request
from werkzeug.serving import make_server

from ckanext.dinamis_relais.accounts.model import Account
from ckanext.dinamis_relais.sandbox import objects, scenes, signing
from tests.accounts.conftest import member  # noqa: F401  # a fixture
from tests.accounts.helpers import context_of, enter, open_account
from tests.imagery.conftest import engine, live, load  # noqa: F401  # fixtures

SECRET = "secret of the test"
PREFIX = "ckanext.dinamis_relais."


class Service:
    """The sandbox's services over HTTP.

    :ivar calls: ``METHOD path`` of each request, in order
    :ivar refusal: answered in place of ``/sign_urls``: ``(status, headers)``; as often as it stands in the list
    """

    def __init__(self, folder: Any, issuer: str = ""):
        self.calls: list[str] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        app = Flask(__name__)
        app.register_blueprint(signing.blueprint(SECRET, folder / "keys.sqlite3", ("meso.umontpellier.fr",), issuer))
        app.register_blueprint(objects.blueprint(SECRET, folder / "objects", scenes))

        @app.before_request
        def note() -> Any:
            self.calls.append(f"{request.method} {request.path}")
            if request.path.endswith("/sign_urls") and self.refusals:
                status, headers = self.refusals.pop(0)
                return {"detail": "refused by the test"}, status, headers
            return None

        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def signed(self) -> int:
        """How often it was asked to sign."""
        return sum(call.endswith("/sign_urls") for call in self.calls)

    def approve(self, user_code: str, name: str = "jeanne", answer: str = "yes") -> None:
        """Say yes, or no, on the consent page, as the person does."""
        form = {"user_code": user_code, "name": name, "answer": answer}
        page = requests.post(f"{self.url}/identity/device", data=form, timeout=10)
        assert page.status_code == 200, page.text

    def bearer(self, name: str = "jeanne") -> dict[str, str]:
        """An access token of a person, by the device flow."""
        oidc = f"{self.url}{signing.identity.OIDC}"
        begun = requests.post(f"{oidc}/auth/device", data={"client_id": "gdal"}, timeout=10).json()
        self.approve(begun["user_code"], name)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"],
                "client_id": "gdal"}  # fmt: skip
        return {
            "Authorization": f"Bearer {requests.post(f'{oidc}/token', data=form, timeout=10).json()['access_token']}"
        }

    def key(self, name: str = "jeanne") -> dict[str, str]:
        """A key pair of a person."""
        found = requests.get(f"{self.url}/signing/create_api_key", headers=self.bearer(name), timeout=10).json()
        return {"access_key": found["access-key"], "secret_key": found["secret-key"]}


@pytest.fixture
def issuer():
    """A Keycloak realm in place of the sandbox's own provider; none, unless a test file says so."""
    return ""


@pytest.fixture
def service(tmp_path, ckan_config, monkeypatch, issuer):
    running = Service(tmp_path, issuer)
    values = {"signing.url": f"{running.url}/signing", "signing.hosts": ["127.0.0.1"], "private_hosts": ["127.0.0.1"]}
    for key, value in values.items():
        monkeypatch.setitem(ckan_config, PREFIX + key, value)
    yield running
    running.server.shutdown()
    running.server.server_close()


def activate(people: Any, role: str = "member") -> None:
    """Give one of Bègles's people an active account, opened and its charter accepted."""
    person = people.users[role]
    account = enter(people, email=person["email"].lower())
    open_account(account, person["name"])
    row: Any = model.Session.get(Account, account["id"])
    row.state = "active"
    model.Session.commit()


@pytest.fixture
def person(member, service, load):  # noqa: F811
    """Bègles's ``member`` with an active account; ``hrefs`` of the files that the catalogue holds."""
    items = list(scenes.items(60, f"{service.url}/objects"))
    for name in sorted({one["collection"] for one in items}):
        load([one for one in items if one["collection"] == name], name)
    activate(member)
    hrefs = [asset["href"] for one in items for asset in one["assets"].values()]
    return SimpleNamespace(people=member, service=service, items=items, hrefs=hrefs, name=member.member["name"],
                           id=member.member["id"])  # fmt: skip


def act(name: str, action: str, **data: Any) -> Any:
    """Call an action as a CKAN user."""
    return call_action(action, context_of(name), **data)


def link(person: Any, name: str | None = None) -> dict[str, Any]:
    """Link a person's DINAMIS login by the device flow."""
    begun = act(name or person.name, "dinamis_identity_link_start")
    person.service.approve(begun["user_code"], name or "jeanne")
    return act(name or person.name, "dinamis_identity_link_finish")


def accept(person: Any, name: str | None = None) -> None:
    """Accept the licences in force."""
    for one in act(name or person.name, "dinamis_licence_list")["results"]:
        act(name or person.name, "dinamis_licence_accept", licence=one["licence"], version=one["version"])


@pytest.fixture
def ready(person):
    """The same, linked, the licence accepted."""
    link(person)
    accept(person)
    return person


def code_in(text: str) -> str:
    """The user code that a page or a program shows."""
    found = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", text)
    assert found, text
    return found.group()
