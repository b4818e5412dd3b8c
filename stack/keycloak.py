"""Keycloak 26 from Maven: the identity server of the real service, with a realm of synthetic people."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from stack.base import CONFIG, STACK, StepError, digest, once, ports, run
from stack.services import answers, start

HOME = STACK / "keycloak"
SOURCE = CONFIG / "keycloak"


def issuer() -> str:
    """The realm's address, without a final slash."""
    return f"http://127.0.0.1:{ports()['keycloak']}/realms/dinamis"


def _fetch() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    fetched = STACK / "keycloak-zip"
    run(["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"],
        "maven", fail="Maven could not fetch Keycloak.")  # fmt: skip
    archives = list(fetched.glob("keycloak-quarkus-dist-*.zip"))
    if len(archives) != 1:
        raise StepError(f"Maven fetched {len(archives)} archives of Keycloak, one was expected.")
    with zipfile.ZipFile(archives[0]) as archive:
        archive.extractall(STACK)  # Maven has checked its sum
    (STACK / archives[0].stem.replace("quarkus-dist-", "")).rename(HOME)
    shutil.rmtree(fetched)
    (HOME / "bin" / "kc.sh").chmod(0o755)


def up(wait: bool = True) -> str:
    """Fetch it once, start it.

    :param wait: whether to come back only once it answers; its start takes most of a minute
    :returns: the realm's address
    """
    once("keycloak", digest(SOURCE / "pom.xml"), _fetch)
    folder = HOME / "data" / "import"
    folder.mkdir(parents=True, exist_ok=True)
    realm = SOURCE / "dinamis-realm.json"
    shutil.copy(realm, folder)
    command: list[str | Path] = [HOME / "bin" / "kc.sh", "start-dev", "--import-realm", "--http-host=127.0.0.1",
                                 f"--http-port={ports()['keycloak']}"]  # fmt: skip
    # Its own memory database is enough: the realm is imported at each start.
    env = {"KC_DB": "dev-mem", "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m"}
    ready = answers(f"{issuer()}/.well-known/openid-configuration") if wait else None
    start("keycloak", command, env=env, ready=ready, seconds=300, key=digest(SOURCE))
    return issuer()
