"""PostgreSQL with PostGIS: a cluster of this stack's own."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from stack.base import STACK, StepError, digest, ports, run, secret
from stack.services import port_open, start
from stack.system import is_root, postgres_bin

#: database → whether it holds PostGIS
DATABASES = {
    "ckan": False, "scenes": True, "pgstac": True, "pgstac_bench": True,
    "ckan_test": False, "scenes_test": True, "ckan_test_211": False, "scenes_test_211": True,
    "ckan_bench": False, "scenes_bench": True,
}  # fmt: skip


def data_dir() -> Path:
    """Folder of the cluster. PostgreSQL refuses to be root, and a checkout may be where only root may go.

    Its name is this stack's own, made at random: what another checkout left is never found by chance.
    """
    if is_root():
        return Path("/var/lib") / f"dinamis-relais-{secret('cluster')}"
    return STACK / "postgres"


def _as_postgres(command: list[str]) -> list[str]:
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command] if is_root() else command


def _bin(name: str) -> str:
    folder = postgres_bin()
    if folder is None:
        raise StepError("PostgreSQL with PostGIS is not installed.")
    return str(folder / name)


def up() -> None:
    """Make the cluster on the first run, start it, make the role and the databases."""
    folder = data_dir()
    if not (folder / "PG_VERSION").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        if is_root():
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o700)
        run(_as_postgres([_bin("initdb"), "-D", str(folder), "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"]),
            "postgres-init", cwd=Path("/"))  # fmt: skip
    port = ports()["postgres"]
    options = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder),
        "shared_buffers": "256MB", "max_connections": 200, "random_page_cost": 1.1, "maintenance_work_mem": "256MB",
    }  # fmt: skip
    if os.environ.get("CI"):
        # A build machine is thrown away: what a power cut would lose is made again.
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    flags = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    start("postgres", _as_postgres([_bin("postgres"), "-D", str(folder), *flags]), cwd=Path("/"),
          ready=_answers, key=digest(options))  # fmt: skip
    _create()


def _psql(sql: str, database: str = "postgres") -> str:
    user = "postgres" if is_root() else pwd.getpwuid(os.geteuid()).pw_name
    command = [_bin("psql"), "-h", str(data_dir()), "-p", str(ports()["postgres"]), "-U", user, "-d", database,
               "-v", "ON_ERROR_STOP=1", "-Atq"]  # fmt: skip
    return run(_as_postgres(command), "postgres-setup", cwd=Path("/"), stdin=sql)


def _answers() -> bool:
    if not port_open(ports()["postgres"])():
        return False
    try:
        return _psql("SELECT 1").strip() == "1"
    except StepError:
        return False


def _create() -> None:
    if not _psql("SELECT 1 FROM pg_roles WHERE rolname = 'ckan'").strip():
        # Superuser of this throw-away cluster only: PostGIS and pgstac create extensions.
        _psql(f"CREATE ROLE ckan SUPERUSER LOGIN PASSWORD '{secret('postgres')}'")
    present = set(_psql("SELECT datname FROM pg_database").split())
    for name, spatial in DATABASES.items():
        if name not in present:
            _psql(f"CREATE DATABASE {name} OWNER ckan TEMPLATE template0 ENCODING 'UTF8'")
            if spatial:
                _psql("CREATE EXTENSION postgis; CREATE EXTENSION btree_gist", name)


def remove() -> None:
    """Delete the cluster's folder."""
    shutil.rmtree(data_dir(), ignore_errors=True)
