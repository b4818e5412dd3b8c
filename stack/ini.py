"""The configuration files of the site and of the test suites, written from ``config/ckan.ini`` and ``test.ini``."""

from __future__ import annotations

from pathlib import Path
from string import Template

from stack.base import CONFIG, ROOT, STACK, VENV, database_url, ports, run, secret, urls

SITE = STACK / "ckan.ini"


def values() -> dict[str, str]:
    """What the templates name, for this stack."""
    u = urls()
    return {
        "session_secret": secret("session"),
        "fernet_key": secret("fernet"),
        "gateway_token": secret("gateway_token"),
        "database_url": database_url("ckan"),
        "scenes_url": database_url("scenes"),
        "redis_url": f"{u['redis']}/0?socket_timeout=3600",
        "solr_url": f"{u['solr']}/ckan",
        "site_url": u["ckan"],
        "sandbox_url": u["sandbox"],
        "csw_url": u["csw"],
        "smtp_server": f"127.0.0.1:{ports()['smtp']}",
        "storage_path": str(STACK / "storage"),
        "seal_pkcs12": str(STACK / "seal.p12"),
        "seal_password": secret("seal"),
    }


def site() -> Path:
    """Write the site's configuration."""
    text = Template((CONFIG / "ckan.ini").read_text(encoding="utf-8")).substitute(values())
    SITE.touch(mode=0o600)
    SITE.write_text(text, encoding="utf-8")
    (STACK / "storage").mkdir(exist_ok=True)
    return SITE


def tests(line: str) -> Path:
    """Write the configuration of a test suite: ``test.ini`` with this stack's addresses."""
    if line == "2.12":
        return _tests("test", "test", 1)
    return _tests("test_211", "test_211", 2)


def bench() -> Path:
    """Write the configuration of the measures that need databases of their own; Solr is the test suite's."""
    return _tests("bench", "test", 3)


def _tests(name: str, core: str, redis: int) -> Path:
    overrides = {
        "sqlalchemy.url": database_url(f"ckan_{name}"),
        "ckan.redis.url": f"{urls()['redis']}/{redis}",
        "solr_url": f"{urls()['solr']}/ckan_{core}",
        "ckan.storage_path": str(STACK / f"storage_{name}"),
        "ckanext.dinamis_relais.scenes_url": database_url(f"scenes_{name}"),
    }
    path = STACK / f"{name}.ini"
    (STACK / f"storage_{name}").mkdir(exist_ok=True)
    lines = [f"{key} = {value}" for key, value in overrides.items()]
    # Logging is not inherited by `use`: CKAN reads it from the file that it is given.
    logging = "[loggers]" + (ROOT / "test.ini").read_text(encoding="utf-8").partition("[loggers]")[2]
    text = "\n".join([f"[app:main]\nuse = config:{ROOT / 'test.ini'}", *lines, "", logging])
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def seal() -> None:
    """A self-signed certificate, so that the demonstration's documents are sealed."""
    path = STACK / "seal.p12"
    if not path.is_file():
        code = (
            "import sys; from pathlib import Path; "
            "from ckanext.dinamis_relais.documents.certificates import self_signed; "
            "self_signed(Path(sys.argv[1]), sys.argv[2], 'PIGMA')"
        )
        run([VENV / "bin" / "python", "-c", code, path, secret("seal")], "seal")
