"""The site's processes: databases migrated, web server, workers, harvest consumers, sandbox, first data."""

from __future__ import annotations

import json
import time
from pathlib import Path

from stack import ini
from stack.base import (
    CONFIG,
    ROOT,
    STACK,
    VENV,
    VENV_PGSTAC,
    VENV_PYCSW,
    StepError,
    database_url,
    digest,
    once,
    ports,
    run,
    secret,
    urls,
)
from stack.services import answers, start

CODE = ROOT / "ckanext"


def ckan(*words: str, log: str = "ckan-commands", venv: Path = VENV, site: Path | None = None) -> str:
    """Run a command of CKAN's."""
    return run([venv / "bin" / "ckan", "-c", site or ini.SITE, *words], log)


def databases(venv: Path, site: Path, name: str) -> None:
    """Migrate CKAN's database, the plugins' tables and the scene store."""
    migrations = [*CODE.glob("**/migration/**/versions/*.py")]

    def migrate() -> None:
        ckan("db", "upgrade", venv=venv, site=site)
        ckan("dinamis", "scenes", "upgrade", venv=venv, site=site)

    once(f"databases-{name}", digest(sorted(map(str, migrations)), *migrations, site), migrate)


def front_end() -> None:
    """Bundle the page's scripts from npm's pinned packages."""

    def build() -> None:
        run(["npm", "ci", "--no-audit", "--no-fund"], "npm", fail="npm could not install the page's libraries.")
        run(["npm", "run", "build"], "npm", fail="The page's scripts could not be bundled.")

    sources = [p for p in (ROOT / "frontend").iterdir() if p.is_file()]
    once("front-end", digest(ROOT / "package.json", ROOT / "package-lock.json", *sorted(sources)), build)


def translations() -> None:
    """Compile the translations."""
    folder = CODE / "dinamis_relais" / "i18n"
    files = sorted(folder.glob("*/LC_MESSAGES/*.po"))

    def build() -> None:
        for file in files:
            run(["msgfmt", "--check-format", "-o", file.with_suffix(".mo"), file], "msgfmt")

    once("translations", digest(*files, [f.with_suffix(".mo").is_file() for f in files]), build)


def redis() -> None:
    """Redis, with nothing that outlives it: what matters is in PostgreSQL."""
    from stack.services import port_open

    port = ports()["redis"]
    folder = STACK / "redis"
    folder.mkdir(exist_ok=True)
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    start("redis", command, ready=port_open(port))


def source_stac() -> None:
    """The sandbox's STAC server: pgstac migrated, synthetic scenes loaded once, served by uvicorn."""
    p = ports()
    env = {
        "PGHOST": "127.0.0.1", "PGPORT": str(p["postgres"]), "PGUSER": "ckan", "PGDATABASE": "pgstac",
        "PGPASSWORD": secret("postgres"), "DB_MIN_CONN_SIZE": "1", "DB_MAX_CONN_SIZE": "4",
        "STAC_FASTAPI_TITLE": "Bac à sable : STAC de scènes synthétiques", "STAC_FASTAPI_LANDING_ID": "bac-a-sable",
        "STAC_FASTAPI_DESCRIPTION": "Ceci n'est pas DINAMIS : toutes les scènes sont synthétiques.",
    }  # fmt: skip
    sandbox = CODE / "dinamis_relais" / "sandbox"
    folder = STACK / "scenes"
    binaries = VENV_PGSTAC / "bin"

    def load() -> None:
        base = f"{urls()['sandbox']}/objects"
        run([VENV / "bin" / "python", "-m", "ckanext.dinamis_relais.sandbox", "scenes", "--count", "2000",
             "--asset-base", base, "--out", folder], "scenes")  # fmt: skip
        run([binaries / "pypgstac", "migrate", "--dsn", database_url("pgstac")], "pgstac", env=env)
        # Scenes of an earlier generator or of another port would stay beside the new ones.
        sql = "SET search_path TO pgstac; DELETE FROM items"
        code = f"import psycopg; psycopg.connect(autocommit=True).execute({sql!r})"
        run([binaries / "python", "-c", code], "pgstac", env=env)
        for what in ("collections", "items"):
            run([binaries / "pypgstac", "load", what, folder / f"{what}.ndjson", "--method", "upsert",
                 "--dsn", database_url("pgstac")], "pgstac", env=env)  # fmt: skip

    key = digest(sandbox / "scenes.py", urls()["sandbox"], CONFIG / "requirements-pgstac.txt")
    once("source-stac", key, load)
    command = [binaries / "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app",
               "--host", "127.0.0.1", "--port", str(p["pgstac"])]  # fmt: skip
    start("source-stac", command, env=env, ready=answers(f"{urls()['source_stac']}/_mgmt/ping"), key=key)


def sandbox(issuer: str = "") -> None:
    """A DINAMIS to try against.

    :param issuer: a Keycloak realm that knows people, in place of the sandbox's own small provider
    """
    p, u = ports(), urls()
    command = [
        VENV / "bin" / "python", "-m", "ckanext.dinamis_relais.sandbox", "serve", "--host", "127.0.0.1",
        "--port", str(p["sandbox"]), "--smtp-port", str(p["smtp"]), "--data", STACK / "sandbox",
        "--public-url", u["sandbox"], "--stac-url", u["source_stac"], "--ckan-url", u["ckan"],
        # With "=": a secret may begin with a hyphen.
        f"--gateway-token={secret('gateway_token')}", f"--signing-secret={secret('signing_secret')}",
        # What the SDK signs is on this host only: so it can be tried against the sandbox as it is.
        "--signing-host", "meso.umontpellier.fr", *(["--issuer", issuer] if issuer else []),
    ]  # fmt: skip
    (STACK / "sandbox").mkdir(exist_ok=True)
    key = digest(CODE / "dinamis_relais" / "sandbox", ",".join(map(str, command)))
    start("sandbox", command, ready=answers(f"{u['sandbox']}/health"), key=key)


def code_key() -> str:
    """What the site's processes depend on: another key restarts them."""
    files = [
        p
        for p in sorted((CODE / "dinamis_relais").rglob("*"))
        if p.is_file() and p.suffix in (".py", ".html", ".yaml", ".txt", ".typ", ".css", ".js", ".mo")
    ]
    return digest(ini.SITE, CONFIG / "wsgi.py", *files)


def processes() -> None:
    """CKAN behind gunicorn, background jobs, deliveries, harvest consumers."""
    binaries, key = VENV / "bin", code_key()
    env = {"CKAN_INI": str(ini.SITE), "PYTHONPATH": str(CONFIG)}
    web = [binaries / "gunicorn", "--bind", f"127.0.0.1:{ports()['ckan']}", "--workers", "2", "--threads", "4",
           "--timeout", "120", "--access-logfile", "-", "wsgi:application"]  # fmt: skip
    # The home page runs everything once, so that the first person does not wait for it.
    start("ckan", web, env=env, ready=answers(f"{urls()['ckan']}/api/3/action/status_show"), seconds=180, key=key)
    commands = {
        "jobs-worker": ["jobs", "worker"],
        "delivery-worker": ["dinamis", "worker", "--pause", "0.5"],
        "harvest-gather": ["harvester", "gather-consumer"],
        "harvest-fetch": ["harvester", "fetch-consumer"],
    }
    for name, words in commands.items():
        start(name, [binaries / "ckan", "-c", ini.SITE, *words], key=key)
    periodic(key)


def periodic(key: str) -> None:
    """Harvests that are due and finished, accounts whose last day has passed; an operator uses timers.

    :param key: as :func:`code_key` gives it
    """
    ckan_command = f"'{VENV / 'bin'}/ckan' -c '{ini.SITE}'"
    loop = f"while true; do {ckan_command} harvester run; {ckan_command} dinamis accounts daily; sleep 60; done"
    start("periodic", ["sh", "-c", loop], key=key)


def csw() -> None:
    """The CSW: pycsw over the records, its configuration written from the site's."""
    path = STACK / "csw.cfg"
    ckan("dinamis", "records", "sync")
    ckan("dinamis", "records", "csw-config", "--out", str(path))
    command = [VENV_PYCSW / "bin" / "gunicorn", "--bind", f"127.0.0.1:{ports()['csw']}", "--workers", "1",
               "--pythonpath", CONFIG / "csw", "dinamis_csw:application"]  # fmt: skip
    key = digest(path, CONFIG / "csw" / "dinamis_csw.py", CONFIG / "requirements-pycsw.txt")
    asked = f"{urls()['csw']}?service=CSW&version=2.0.2&request=GetCapabilities"
    start("csw", command, env={"PYCSW_CONFIG": str(path)}, ready=answers(asked), key=key)


def first_data() -> dict[str, dict]:
    """People, organisations and files of the demonstration, the first harvest, then what waits in the queues."""
    users = STACK / "demo-users.json"
    ckan("dinamis", "demo", "load", "--out", str(users), log="demo-load")
    folder = CODE / "dinamis_relais"
    key = digest(folder / "imagery", folder / "sandbox" / "scenes.py", urls()["source_stac"])
    command = ("dinamis", "demo", "harvest", "--source-url", urls()["source_stac"], "--organization", "pigma")
    once("first-harvest", key, lambda: void(ckan(*command, log="demo-harvest")))
    ckan("dinamis", "demo", "queues", log="demo-queues")
    return json.loads(users.read_text())


def void(_value: object) -> None:
    """Nothing: for a callback whose result is not wanted."""


def wait_for_mail(seconds: int = 30) -> None:
    """Wait until the demonstration's first messages have left, so that the first look finds them.

    :raises StepError: the delivery worker does not deliver
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if "0 deliveries" in ckan("dinamis", "deliver"):
            return
    raise StepError("Deliveries do not come to an end.", STACK / "log" / "delivery-worker.log")
