"""The global view in quantity, in databases of its own: ``python -m bench.figures <ini> [lines]`` prints JSON rows.

1,000 partners, 10,000 accounts, a journal of ``lines`` over five years and the downloads that it tells of. Pages go
through CKAN's own application by its WSGI interface, ours and CKAN's in turn.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

from bench.__main__ import row
from bench.accounts import empty

PARTNERS, ACCOUNTS, FEW = 1000, 10_000, 20_000
LINES = 200_000
ROUNDS = 25
WRITERS, WRITTEN = 8, 250
OURS = ("dinamis_rollup", "dinamis_rollup_downloads", "dinamis_rollup_state", "dinamis_rollup_cursor",
        "dinamis_scene_area", "dinamis_download")  # fmt: skip
#: The other pages of the global view, with all of their history.
PAGES = {
    "the journal": "/dinamis/moderation/journal", "the journal, searched": "/dinamis/moderation/journal?q=account",
    "a partner's page": "/organization/bench-org-7/dinamis/activity", "the reports": "/dinamis/moderation/reports",
    "the health page": "/dinamis/moderation/health",
}  # fmt: skip
#: One line in ten tells of a download; the others are what accounts, questions and requests go through.
EVENTS = (
    "images.signed", "account.requested", "account.validated", "account.activated", "delivery.done",
    "question.asked", "question.answered", "request.received", "account.invited_again", "application.updated",
)  # fmt: skip

_PEOPLE = """
INSERT INTO "group" (id, name, title, type, is_organization, state, approval_status, created)
 SELECT 'bench-org-' || n, 'bench-org-' || n, 'Commune ' || n, 'organization', true, 'active', 'approved', now()
 FROM generate_series(1, :partners) n;
INSERT INTO dinamis_application (id, kind, state, organization_id, siren, siret, legal_category, category,
  justification, territory_kind, territory_code, territory_name, address, representative, referent, signatory,
  with_agreement, eligibility, created_at, created_by, state_since, version, delivered_version, attempts)
 SELECT 'bench-app-' || n, 'first', 'accepted', 'bench-org-' || n, '213300395', '', '',
  (ARRAY['state', 'local_authority', 'research', 'association'])[n % 4 + 1], '', 'commune',
  (ARRAY['16', '17', '19', '23', '24', '33', '40', '47', '64', '79', '86', '87'])[n % 12 + 1]
   || lpad((n % 500)::text, 3, '0'), '', '', '{}', '{}', '{}', false, '{}', now(), 'bench', now(), 0, 0, 0
 FROM generate_series(1, :partners) n;
INSERT INTO dinamis_membership (id, organization_id, application_id, state, since, state_since, version,
  delivered_version, attempts)
 SELECT 'bench-mem-' || n, 'bench-org-' || n, 'bench-app-' || n, 'active', now() - interval '5 years', now(), 0, 0, 0
 FROM generate_series(1, :partners) n;
INSERT INTO dinamis_account (id, organization_id, membership_id, user_id, email, given_name, family_name, function,
  purpose, role, state, state_since, suspended_with_membership, created_at, created_by, origin, user_is_ours, version,
  delivered_version, attempts)
 SELECT 'bench-acc-' || n, 'bench-org-' || n % :partners + 1, 'bench-mem-' || n % :partners + 1, 'bench-user-' || n,
  'p' || n || '@example.org', 'P', 'N' || n, '', '', 'member', CASE WHEN n % 20 = 0 THEN 'requested' ELSE 'active' END,
  now() - n * interval '1 minute', false, now(), 'bench', 'person', false, 0, 0, 0
 FROM generate_series(1, :accounts) n;
INSERT INTO dinamis_scene_area SELECT 'serie-' || (n - 1) % 3, 'scene-' || n, 100 + n % 50, 2018 + n % 6
 FROM generate_series(1, 600) n;
INSERT INTO dinamis_journal SELECT n, now() - interval '5 years', 'bench', 'membership.activated', 'membership',
  'bench-mem-' || n, 'bench-org-' || n, '{}', '', '' FROM generate_series(1, :partners) n
"""
_LINES = """
INSERT INTO dinamis_journal SELECT n, :start + (now() - :start) * (n / CAST(:last AS float)),
  'bench-user-' || n % :accounts,
  (CAST(:events AS text[]))[n / 7 % 10 + 1], split_part((CAST(:events AS text[]))[n / 7 % 10 + 1], '.', 1),
  'thing-' || n / 70 || '-' || n % 7, 'bench-org-' || n * 31 % :partners + 1,
  '{"state_to": "active", "some": "thing"}', md5(n::text), md5(n::text)
 FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n;
INSERT INTO dinamis_download (call_id, user_id, organization_id, collection, item_id, asset_key, bytes, theme,
  created_at, signed_at)
 SELECT j.id || '', j.actor, j.organization_id, 'serie-' || j.id % 3, 'scene-' || (j.id % 600 + 1), 'MS', 5000000,
  (ARRAY[NULL, 'forest', 'agriculture', 'planning', 'coast'])[j.id / 70 % 5 + 1], j.at, j.at
 FROM dinamis_journal j WHERE j.event = 'images.signed' AND j.id >= :first
"""


def statements(session: Any, text: str, **values: Any) -> None:
    """Several statements, one commit."""
    for one in text.split(";\n"):
        session.execute(sa.text(one), values)
    session.commit()


def vacuum() -> None:
    """What PostgreSQL does by itself within minutes: forget what was deleted, know what there is."""
    from ckan import model

    engine: Any = model.meta.engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE)"))


def fill(session: Any, first: int, last: int) -> None:
    """Lines of five years (the first :data:`FEW` of the last of them), and what they tell of; all of it counted."""
    start = session.execute(sa.text("SELECT now() - interval '5 years'")).scalar()
    statements(session, _LINES, first=first, last=last, start=start, accounts=ACCOUNTS, partners=PARTNERS,
               events=list(EVENTS))  # fmt: skip
    vacuum()


def count_all() -> float:
    """Make all counters anew.

    :returns: seconds
    """
    from ckanext.dinamis_relais.overview import rollup

    begin = time.perf_counter()
    rollup.rebuild()
    taken = time.perf_counter() - begin
    vacuum()
    return taken


def page(client: Any, token: str, path: str) -> float:
    """Seconds of a page."""
    begin = time.perf_counter()
    answer = client.get(path, headers={"Authorization": token})
    taken = time.perf_counter() - begin
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return taken


def pages(app: Any, token: str) -> dict[str, float]:
    """Medians of the dashboard whose figures must be read anew, whose figures are kept, of :data:`PAGES`, of CKAN's."""
    from ckan import model

    client, times = app.test_client(), defaultdict[str, list[float]](list)
    for number in range(ROUNDS + 1):
        with app.test_request_context():
            model.Session.execute(sa.text("UPDATE dinamis_rollup_cursor SET revision = :r"), {"r": str(time.time())})
            model.Session.commit()
        found = {"anew": page(client, token, "/dinamis/moderation"), "kept": page(client, token, "/dinamis/moderation"),
                 **{name: page(client, token, path) for name, path in PAGES.items()},
                 "theirs": page(client, token, "/organization/")}  # fmt: skip
        for name, value in found.items():
            if number:
                times[name].append(value)
    return {name: statistics.median(values) for name, values in times.items()}


def _bare(session: Any) -> Any:
    """A table with the journal's indexes and lines, and the statement that adds one without number and hash."""
    statements(
        session,
        """
CREATE TABLE IF NOT EXISTS bench_plain (LIKE dinamis_journal INCLUDING ALL);
CREATE SEQUENCE IF NOT EXISTS bench_plain_seq;
TRUNCATE bench_plain;
INSERT INTO bench_plain SELECT * FROM dinamis_journal;
SELECT setval('bench_plain_seq', (SELECT max(id) FROM bench_plain))
""",
    )
    return sa.text(
        "INSERT INTO bench_plain VALUES (nextval('bench_plain_seq'), :at, 'bench', 'account.kept', 'account', :id, "
        "'bench-org-1', '{\"state_to\": \"active\"}', '', '')"
    )


def writers(ini: str) -> list[dict[str, Any]]:
    """A line of the journal by eight writers at once, against the same insert without number, hash and settling.

    Meanwhile another process settles, four times a second: more often than the worker. What settling costs is told
    besides, a line.
    """
    from ckan import model

    from ckanext.dinamis_relais.db import new_id, utcnow
    from ckanext.dinamis_relais.journal import Event, record, settling

    session = model.Session
    plain = _bare(session)

    def chained(_number: int) -> None:
        for _n in range(WRITTEN):
            record(Event.ACCOUNT_KEPT, "bench", "account", new_id(), "bench-org-1", state_to="active")
            model.Session.commit()
        model.Session.remove()

    def bare(_number: int) -> None:
        for _n in range(WRITTEN):
            model.Session.execute(plain, {"at": utcnow(), "id": new_id()})
            model.Session.commit()
        model.Session.remove()

    def timed(write: Any) -> float:
        begin = time.perf_counter()
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))
        return time.perf_counter() - begin

    def pair() -> tuple[float, float]:
        found = timed(chained)
        settling.settle_all()  # nothing of it is left to be done while the others write
        return found, timed(bare)

    command = [sys.executable, "-m", "bench.figures", ini, "settle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:  # noqa: S603  # our own module
        worker.stdout.readline()  # it has begun
        pair()
        pairs = [pair() for _round in range(5)]
        worker.terminate()
    timed(chained)
    begin = time.perf_counter()
    settled = settling.settle_all()
    cost = (time.perf_counter() - begin) / settled
    verify_end(session, settled)
    statements(session, "DROP TABLE bench_plain;\nDROP SEQUENCE bench_plain_seq")
    a, b = (statistics.median(pair[n] for pair in pairs) / (WRITERS * WRITTEN) for n in (0, 1))
    return [
        row(f"a line of the journal, {WRITERS} writers, against the same insert without the chain", a, b, 1.3),
        row(f"settling {settled:,} lines, a line, against that insert", cost, b, None),
        row("both together, against that insert", a + cost, b, None),
    ]  # fmt: skip


def verify_end(session: Any, count: int) -> None:
    """See that the lines that were settled last make a chain.

    :raises RuntimeError: they do not
    """
    from ckanext.dinamis_relais.journal import as_mapping
    from ckanext.dinamis_relais.journal.model import JournalLine
    from ckanext.dinamis_relais.journal.rules import verify

    line = JournalLine
    rows = session.execute(sa.select(line).order_by(line.id.desc()).limit(count + 1)).scalars().all()[::-1]
    found = verify(map(as_mapping, rows[1:]), (rows[0].id, rows[0].hash))
    if (found.valid, found.lines) != (True, count):
        raise RuntimeError(f"the chain is broken: {found}")


def settle(ini: str) -> None:
    """What the worker does, by itself, until it is told to end."""
    app = make_app(CKANConfigLoader(ini).get_config())._wsgi_app
    from ckanext.dinamis_relais.journal import settling

    with app.test_request_context():
        print("settling", flush=True)
        while True:
            settling.settle_all()
            time.sleep(0.25)


def exported(ini: str, lines: int) -> list[dict[str, Any]]:
    """Memory of exporting the whole journal against a tenth of it: each in a process of its own."""
    found = {}
    for share in (10, 1):
        command = [sys.executable, "-m", "bench.figures", ini, "export", str(lines // share)]
        found[share] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own module
                                  .stdout.splitlines()[-1])  # fmt: skip
    more, less = found[1], found[10]
    return [
        row(f"memory of exporting {more['lines']:,} lines of the journal against {less['lines']:,} (GB as seconds)",
            more["memory"] / 1e6, less["memory"] / 1e6, 1.1),
        row(f"exporting {more['lines']:,} lines against ten times as long as a tenth", more["seconds"],
            less["seconds"] * 10, None),
    ]  # fmt: skip


def export(ini: str, until: int) -> None:
    """Export the first lines of the journal, and print what it took."""
    app = make_app(CKANConfigLoader(ini).get_config())._wsgi_app
    from ckanext.dinamis_relais.journal import reading

    with app.test_request_context():
        begin = time.perf_counter()
        size = sum(len(part) for part in reading.json_lines({"until_line": until}))
        taken = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"lines": until, "memory": memory, "seconds": taken, "bytes": size}))


def main(ini: str, lines: int) -> None:
    """Fill the databases, measure, print."""
    app = make_app(CKANConfigLoader(ini).get_config())._wsgi_app
    import ckan.plugins.toolkit as tk
    from ckan import model

    session = model.Session
    with app.test_request_context():
        empty(session)
        session.execute(sa.text("TRUNCATE " + ", ".join(OURS)))
        statements(session, _PEOPLE, partners=PARTNERS, accounts=ACCOUNTS)
        site = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        token = tk.get_action("api_token_create")({"ignore_auth": True, "user": site}, {"user": site, "name": "f"})
        fill(session, PARTNERS + 1, FEW)
        count_all()
    few = pages(app, token["token"])
    with app.test_request_context():
        # The same five years, with more in each: the lines are made anew, from the start.
        session.execute(sa.text("DELETE FROM dinamis_journal WHERE id > :n"), {"n": PARTNERS})
        session.execute(sa.text("TRUNCATE dinamis_download"))
        fill(session, PARTNERS + 1, lines)
        seconds = count_all()
    many = pages(app, token["token"])
    with app.test_request_context():
        found = [
            row(f"dashboard, figures read anew, {lines:,} lines, against /organization/", many["anew"], many["theirs"],
                1.0),
            row("the same, figures kept", many["kept"], many["theirs"], None),
            *(row(f"{one}, {lines:,} lines, against /organization/", many[one], many["theirs"], 1.0) for one in PAGES),
            # Minutes lie between the two: CKAN's page, taken in turn with each, tells how fast the machine was.
            *(row(f"{said}, {lines:,} lines, against {FEW:,} at the same speed of /organization/", many[one],
                  few[one] * many["theirs"] / few["theirs"], 1.2)
              for one, said in [("anew", "dashboard, figures read anew"), *zip(PAGES, PAGES, strict=True)]),
            row(f"counting {lines:,} lines anew, a line (against a millisecond)", seconds / lines, 0.001, None),
            *writers(ini),
            *exported(ini, lines),
        ]  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[2:3] == ["export"]:
        export(sys.argv[1], int(sys.argv[3]))
    elif sys.argv[2:3] == ["settle"]:
        settle(sys.argv[1])
    else:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else LINES)
