"""What every test starts from: real PostgreSQL, Redis and Solr, and the people of the relay."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SAMPLES = Path(os.environ.get("DINAMIS_SAMPLES", Path(__file__).parents[2] / "shared" / "samples"))

pytest_plugins = ["tests.services"]

#: Roles as the table of rights names them, in the order in which its columns stand.
ROLES = ("sysadmin", "super_referent", "executive_board", "referent", "member", "outsider", "anonymous")


@pytest.fixture(scope="session")
def site() -> Any:
    """CKAN with all its plugins, made once: making it anew costs each test more than what it tests.

    What a test changes in the configuration is put back by ``ckan_config``; a setting that is read only when CKAN
    starts needs a site of its own (``make_app``).
    """
    import ckan.config.middleware
    from ckan.common import config

    config["testing"] = True
    return ckan.config.middleware.make_app(config)


@pytest.fixture
def with_plugins(site: Any, ckan_config: Any) -> None:
    """The plugins of ``test.ini``, which stay loaded from one test to the next."""


@pytest.fixture
def app(site: Any, ckan_config: Any) -> Any:
    """A client of the one site; nothing of another test's client is in it."""
    from ckan.tests.helpers import CKANTestApp

    return CKANTestApp(site)


@pytest.fixture
def samples() -> Path:
    """Real answers of public services, kept outside the project since nobody gave a licence for them."""
    if not SAMPLES.is_dir():
        pytest.skip(f"no real samples in {SAMPLES} (set DINAMIS_SAMPLES)")
    return SAMPLES


@pytest.fixture(scope="session")
def migrated() -> set[str]:
    """Plugins whose tables were brought up to date: emptying a database leaves its tables."""
    return set()


@pytest.fixture
def relay_db(clean_db: Any, migrate_db_for: Any, migrated: set[str]) -> None:
    """An empty database with our tables."""
    if not migrated:
        migrate_db_for("dinamis_relais")
        migrated.add("dinamis_relais")


@pytest.fixture
def people(relay_db: Any, with_request_context: Any) -> SimpleNamespace:
    """One active user for each role, and the organisation that the referent and the member belong to.

    ``people.context(role)`` is an action context; ``people.organization`` a dict; ``people.<role>`` a user dict.
    """
    from ckan import model
    from ckan.tests import factories
    from ckan.tests.helpers import call_action

    users: dict[str, Any] = {"sysadmin": factories.Sysadmin()}
    for role in ROLES[1:-1]:
        users[role] = factories.User()
    organization = factories.Organization(
        title="Commune de Bègles",
        users=[
            {"name": users["referent"]["name"], "capacity": "member"},
            {"name": users["member"]["name"], "capacity": "member"},
        ],
    )
    admin = {"user": users["sysadmin"]["name"], "ignore_auth": False}
    for role in ("super_referent", "executive_board"):
        call_action("dinamis_role_grant", dict(admin), user=users[role]["id"], role=role)
    call_action("dinamis_role_grant", dict(admin), user=users["referent"]["id"], role="referent",
                organization_id=organization["id"])  # fmt: skip

    def context(role: str) -> dict[str, Any]:
        name = users[role]["name"] if role in users else ""
        return {
            "user": name,
            "ignore_auth": False,
            "model": model,
            "auth_user_obj": model.User.get(name) if name else None,
        }

    return SimpleNamespace(**users, organization=organization, context=context, users=users)
