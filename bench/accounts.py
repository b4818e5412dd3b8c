"""Accounts in quantity, in databases of their own: ``python -m bench.accounts <ini>`` prints its rows as JSON.

Everything goes through CKAN's own application: pages by its WSGI interface, actions by its action API. What is
compared runs in one process, in turn.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from typing import Any

import sqlalchemy as sa
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

from bench.__main__ import pages, row

REQUESTS = 10_000
ORGANIZATIONS = 200
BULK = 500


def empty(session: Any) -> None:
    """Nothing left of an earlier run."""
    names = ("dinamis_account", "dinamis_account_link", "dinamis_mail", "dinamis_journal", "dinamis_journal_private",
             "dinamis_journal_waiting", "dinamis_batch_row", "dinamis_batch", "dinamis_role_grant",
             "dinamis_membership", "dinamis_application", "dinamis_document", "api_token", "dashboard", "member",
             "dinamis_sending", "dinamis_sending_row", "dinamis_sending_answer",
             "member_revision", '"group"')  # fmt: skip
    known = set(session.execute(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
    session.execute(sa.text("TRUNCATE " + ", ".join(n for n in names if n.strip('"') in known) + " CASCADE"))
    session.execute(sa.text("DELETE FROM \"user\" WHERE name LIKE 'bench%' OR name LIKE 'personne%'"))
    session.commit()


def seed(session: Any, moderator: str) -> None:
    """Organisations that are members, as many users as requests, and the requests; by plain inserts.

    Each request has its own address; one in ten is from a public mailbox.
    """
    from ckan import model

    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.db import utcnow
    from ckanext.dinamis_relais.membership.model import Application, Membership

    now, orgs, people = utcnow(), range(1, ORGANIZATIONS + 1), range(1, REQUESTS + 1)

    def fill(table: Any, rows: list[dict[str, Any]]) -> None:
        session.execute(sa.insert(table), rows)

    def group(n: int) -> int:
        return n % ORGANIZATIONS + 1

    def address(n: int) -> str:
        return f"personne{n}@" + ("gmail.com" if n % 10 == 0 else f"commune{group(n)}.example")

    fill(model.Group.__table__, [
        {"id": f"bench-org-{n}", "name": f"bench-org-{n}", "title": f"Commune {n}", "type": "organization",
         "is_organization": True, "state": "active", "approval_status": "approved"} for n in orgs
    ])  # fmt: skip
    fill(Application.__table__, [
        {"id": f"bench-app-{n}", "state": "accepted", "organization_id": f"bench-org-{n}", "siren": "213300395",
         "representative": {"email": f"maire@commune{n}.example"}, "created_by": moderator} for n in orgs
    ])  # fmt: skip
    fill(Membership.__table__, [
        {"id": f"bench-mem-{n}", "organization_id": f"bench-org-{n}", "application_id": f"bench-app-{n}"} for n in orgs
    ])  # fmt: skip
    fill(model.User.__table__, [
        {"id": f"bench-user-{n}", "name": f"bench-user-{n}", "fullname": f"Personne {n}", "state": "active",
         "email": f"bench{n}@ailleurs.example", "sysadmin": False} for n in people
    ])  # fmt: skip
    fill(Account.__table__, [
        {"id": f"bench-acc-{n}", "organization_id": f"bench-org-{group(n)}", "membership_id": f"bench-mem-{group(n)}",
         "state_since": now - dt.timedelta(minutes=n), "email": address(n), "given_name": "Personne",
         "family_name": f"Numéro {n}", "function": "SIG", "purpose": "Suivre la végétation", "created_by": moderator}
        for n in people
    ])  # fmt: skip
    session.commit()
    session.commit()
    # As the database's own upkeep leaves tables a minute after they were filled: both sides' lists are counted by it.
    with session.get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def bulk(tk: Any, model: Any, context: Any) -> list[dict[str, Any]]:
    """500 validated in one call, against 500 calls of CKAN's two actions that make a user a member."""
    ids = [f"bench-acc-{n}" for n in range(1, BULK + 1)]
    begin = time.perf_counter()
    call = tk.get_action("dinamis_account_transition_many")
    done = call(dict(context), {"ids": ids, "transition": "validate", "wait": True})
    ours = time.perf_counter() - begin
    if done["counts"] != {"done": BULK}:
        raise RuntimeError(f"not all were validated: {done['counts']}")
    model.Session.remove()
    begin = time.perf_counter()
    for n in range(BULK):
        user = {"name": f"bench-plain-{n}", "email": f"plain{n}@ailleurs.example", "password": "mot-de-passe-essai",
                "fullname": f"Personne {n}"}  # fmt: skip
        tk.get_action("user_create")(dict(context), user)
        place = {"id": f"bench-org-{n % ORGANIZATIONS + 1}", "username": user["name"], "role": "member"}
        tk.get_action("organization_member_create")(dict(context), place)
    theirs = time.perf_counter() - begin
    return [row(f"{BULK} accounts validated in bulk against as many user_create + organization_member_create",
                ours, theirs, 0.8)]  # fmt: skip


def main(ini: str) -> None:
    """Fill the databases, measure, print."""
    app = make_app(CKANConfigLoader(ini).get_config())
    import ckan.plugins.toolkit as tk
    from ckan import model

    flask_app = app._wsgi_app
    with flask_app.test_request_context():
        empty(model.Session)
        site = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        moderator = model.User.get(site)
        seed(model.Session, moderator.id)
        token = tk.get_action("api_token_create")({"ignore_auth": True, "user": site}, {"user": site, "name": "b"})
    # The queue at 10,000 requests against CKAN's list of 10,000 users, as a sysadmin sees both.
    name = f"queue of {REQUESTS:,} requests against /user/ with as many users, median"
    ours = "/dinamis/moderation/accounts?state=requested"
    # So often since they are told apart by a few hundredths only.
    rows = [pages(flask_app.test_client(), token["token"], name, ours, "/user/", 0.5, rounds=80)]
    with flask_app.test_request_context():
        context = {"user": site, "auth_user_obj": model.User.get(site), "model": model, "session": model.Session}
        rows += bulk(tk, model, context)
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
