"""Partners in quantity, in databases of their own: ``python -m bench.members <ini>`` prints its rows as JSON.

Everything goes through CKAN's own application: pages by its WSGI interface, actions by its action API. What is
compared runs in one process, in turn. Each size is made by the import itself, so that the list shows what it made.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from stdnum import luhn

from bench.__main__ import pages, row

CONVENTIONS = 1_000
#: So many a turn of each side: the machine's mood falls on both.
CHUNK = 100
AVENANTS = 20
HEAD = "organisation;numéro;date;SIREN;catégorie;type de territoire;code du territoire;territoire;service"


def empty(session: Any) -> None:
    """Nothing left of an earlier run."""
    names = ("dinamis_convention", "dinamis_membership", "dinamis_application", "dinamis_document", "dinamis_journal",
             "dinamis_journal_private", "dinamis_journal_waiting", "dinamis_batch_row", "dinamis_batch", "dinamis_mail",
             "dinamis_role_grant", "dinamis_reminder", "api_token", "member", "member_revision", "group_extra",
             '"group"')  # fmt: skip
    known = set(session.execute(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
    session.execute(sa.text("TRUNCATE " + ", ".join(n for n in names if n.strip('"') in known) + " CASCADE"))
    session.commit()


def siren(n: int) -> str:
    """A valid SIREN of nobody's choosing."""
    digits = f"9{n:07d}"
    return digits + luhn.calc_check_digit(digits)


def line(n: int) -> str:
    """A row of the file of conventions, with all that the rules look at."""
    return (f"Commune mesurée {n};BENCH-{n:05d};31/12/2019;{siren(n)};collectivité;commune;33{n % 600:03d};"
            f"Commune {n};Service SIG")  # fmt: skip


def imported(tk: Any, context: Any) -> list[dict[str, Any]]:
    """1,000 conventions, dry run and import, against 1,000 organisations made by CKAN's own action."""
    from ckanext.dinamis_relais.batch.work import run_inline

    load, begin = tk.get_action("dinamis_convention_import"), tk.get_action("dinamis_batch_start")
    show, create, ours, theirs = tk.get_action("dinamis_batch_show"), tk.get_action("organization_create"), 0.0, 0.0
    for first in range(0, CONVENTIONS, CHUNK):
        numbers = range(first, first + CHUNK)
        text = "\n".join([HEAD, *(line(n) for n in numbers)])
        start = time.perf_counter()
        told = load(dict(context), {"content": text, "dry_run": True})
        if told["counts"] != {"waiting": CHUNK}:
            raise RuntimeError(f"the dry run found {told['counts']}")
        begin(dict(context), {"id": told["id"]})
        run_inline(told["id"])  # what a worker does
        ours += time.perf_counter() - start
        counts = show(dict(context), {"id": told["id"]})["counts"]
        if counts != {"done": CHUNK}:
            raise RuntimeError(f"not all were entered: {counts}")
        start = time.perf_counter()
        for n in numbers:
            create(dict(context), {"name": f"bench-plain-{n}", "title": f"Structure simple {n}"})
        theirs += time.perf_counter() - start
    name = f"{CONVENTIONS:,} conventions imported (dry run, all rules) against as many organization_create"
    return [row(name, ours, theirs, 1.1)]


def listed(client: Any, token: str, session: Any) -> list[dict[str, Any]]:
    """The partners' list against CKAN's own page of the same organisations."""
    # Both pages leave out what was deleted: what is left are the partners.
    session.execute(sa.text("UPDATE \"group\" SET state = 'deleted' WHERE name LIKE 'bench-plain-%'"))
    session.commit()
    session.execute(sa.text("ANALYZE"))
    session.commit()

    name = f"partners' list at {CONVENTIONS:,} partners against /organization/, median"
    return [pages(client, token, name, "/dinamis/moderation/partners", "/organization/", 1.0)]


def sealed(session: Any) -> list[dict[str, Any]]:
    """Seconds of one avenant, drawn and sealed; against drawing alone, for information."""
    from ckan.common import config

    from ckanext.dinamis_relais.documents.certificates import self_signed
    from ckanext.dinamis_relais.membership import papers
    from ckanext.dinamis_relais.membership.model import Application

    organization = session.execute(sa.text('SELECT id FROM "group" LIMIT 1')).scalar()
    person = {"given_name": "Alix", "family_name": "Exemple", "function": "Maire", "email": "a@b.example"}
    file = Application(organization_id=organization, siren=siren(1), representative=person, signatory={},
                       agreement_number="MESURE-1", created_by="bench", address="", siret="")  # fmt: skip
    file.id = "bench"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seal.p12"
        self_signed(path, "mesure", "Mesure")
        config["ckanext.dinamis_relais.seal_pkcs12"] = str(path)
        config["ckanext.dinamis_relais.seal_password"] = "mesure"  # noqa: S105  # of a certificate that lives a minute
        both, drawn = _timed(papers, file)
    a, b = statistics.median(both), statistics.median(drawn)
    return [row(f"an avenant drawn and sealed ({1 / a:.1f} a second) against drawn alone, median", a, b, None)]


def _timed(papers: Any, file: Any) -> tuple[list[float], list[float]]:
    """Seconds until each is drawn and sealed, and until it is drawn; the first of each is not counted."""
    papers.seal(papers.contract_pdf(file, "amendment"), "Mesure")
    both, drawn = [], []
    for _round in range(AVENANTS):
        begin = time.perf_counter()
        pdf = papers.contract_pdf(file, "amendment")
        drawn.append(time.perf_counter() - begin)
        papers.seal(pdf, "Mesure")
        both.append(time.perf_counter() - begin)
    return both, drawn


def main(ini: str) -> None:
    """Fill the databases, measure, print."""
    app = make_app(CKANConfigLoader(ini).get_config())
    import ckan.plugins.toolkit as tk
    from ckan import model

    flask_app = app._wsgi_app
    with flask_app.test_request_context():
        empty(model.Session)
        site = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        token = tk.get_action("api_token_create")({"ignore_auth": True, "user": site}, {"user": site, "name": "b"})
        context = {"user": site, "auth_user_obj": model.User.get(site), "model": model, "session": model.Session}
        rows = imported(tk, context) + sealed(model.Session)
        model.Session.remove()
    with flask_app.test_request_context():
        rows += listed(flask_app.test_client(), token["token"], model.Session)
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
