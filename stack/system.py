"""What the machine must have: Debian or Ubuntu packages, asked for only when something is missing."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from stack.base import StepError, privileged, run

#: command (or file) that shows a package is there → the package
NEEDED: dict[str, str] = {
    "redis-server": "redis-server",
    "java": "openjdk-17-jdk-headless",
    "javac": "openjdk-17-jdk-headless",
    "mvn": "maven",
    "node": "nodejs",
    "npm": "npm",
    "msgfmt": "gettext",
    # CKAN's psycopg2 is built from source.
    "pg_config": "libpq-dev",
    "gcc": "build-essential",
}
#: Programs that the stories can be played in, the first being the package's name too.
BROWSERS = ("chromium", "chromium-browser")
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
MAGIC = ("/usr/lib/x86_64-linux-gnu/libmagic.so.1", "/usr/lib/aarch64-linux-gnu/libmagic.so.1")


def postgres_bin() -> Path | None:
    """Folder of PostgreSQL's server programs, the newest version that has PostGIS."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    for initdb in versions:
        version = initdb.parent.parent.name
        if Path(f"/usr/share/postgresql/{version}/extension/postgis.control").is_file():
            return initdb.parent
    return None


def missing(browser: bool = False) -> list[str]:
    """Names of the packages to install.

    :param browser: whether the stories are to be played; the demonstration itself needs no browser here
    """
    packages = [package for command, package in NEEDED.items() if shutil.which(command) is None]
    if browser and not any(shutil.which(name) for name in BROWSERS):
        packages.append(BROWSERS[0])
    if postgres_bin() is None:
        packages += ["postgresql", "postgis", "postgresql-postgis"]
    if not FONT.is_file():
        packages.append("fonts-dejavu-core")
    if not any(Path(path).is_file() for path in MAGIC):
        packages.append("libmagic1")
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        packages.append("python3-dev")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        packages.append("python3-venv")
    return sorted(set(packages))


def install(browser: bool = False) -> None:
    """Install what is missing by apt.

    :param browser: also a browser for the stories
    :raises StepError: apt did not work, or something is still missing
    """
    packages = missing(browser)
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise StepError(f"Please install: {', '.join(packages)}. (No apt-get on this machine.)")
    # A machine's own cluster must not be started by the package: the stack has its own.
    env = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run(privileged(["apt-get", "update"]), "apt", env=env, fail="apt-get update did not work.")
    if "postgresql-postgis" in packages:
        packages.remove("postgresql-postgis")
        packages += _postgis_packages()
    # RUNLEVEL keeps the packages from starting services of their own; `env` also reaches through sudo.
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    command = [*quiet, "apt-get", "install", "-y", "--no-install-recommends"]
    run(privileged([*command, *packages]), "apt", env=env, fail=f"apt could not install: {', '.join(packages)}.")
    if still := missing(browser):
        raise StepError(f"Still missing after apt-get install: {', '.join(still)}.")


def _postgis_packages() -> list[str]:
    """The server package with PostGIS of this distribution's PostgreSQL."""
    found = run(["apt-cache", "search", "--names-only", r"^postgresql-[0-9]+-postgis-3$"], "apt")
    names = sorted((line.split()[0] for line in found.splitlines()), reverse=True)
    if not names:
        raise StepError("apt knows no PostGIS for PostgreSQL. Is the 'main' (or 'universe') archive enabled?")
    return [names[0], names[0].split("-postgis")[0]]


def is_root() -> bool:
    """Whether this process is root's."""
    return os.geteuid() == 0
