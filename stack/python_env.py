"""Virtual environments: CKAN 2.12, CKAN 2.11 for its tests, pgstac for the sandbox's source, pycsw for CSW."""

from __future__ import annotations

import sys
from pathlib import Path

from stack.base import CONFIG, ROOT, VENV, VENV_211, VENV_PGSTAC, VENV_PYCSW, digest, once, run

CKAN = {"2.12": "2.12.0", "2.11": "2.11.6"}
PLUGINS = ("ckanext-scheming", "ckanext-harvest", "ckanext-spatial", "ckanext-dcat")


def _pip(venv: Path, *words: str | Path, log: str) -> None:
    command: list[str | Path] = [venv / "bin" / "pip", "install", "--disable-pip-version-check", "-q", *words]
    run(command, log, fail="pip could not install. Is the package index reachable?")


def _make(venv: Path) -> None:
    if not (venv / "bin" / "pip").is_file():
        run([sys.executable, "-m", "venv", "--clear", venv], "venv", fail="Python's venv module does not work.")


def ckan(line: str = "2.12") -> Path:
    """The environment of one CKAN line, with the extension installed from the checkout."""
    venv = VENV if line == "2.12" else VENV_211
    constraints = CONFIG / f"constraints-{line}.txt"
    key = digest(constraints, ROOT / "pyproject.toml", ROOT / "setup.py", CKAN[line], str(venv), sys.version)

    def make() -> None:
        _make(venv)
        log = f"pip-{line}"
        _pip(venv, "-c", constraints, "setuptools", "wheel", "Babel", log=log)
        # One resolution: what CKAN pins holds for all that is installed beside it.
        extras = "sandbox,parquet,dev" + (",checks" if line == "2.12" else "")
        wanted = [f"ckan[requirements,dev]=={CKAN[line]}", *PLUGINS, "-e", f"{ROOT}[{extras}]"]
        _pip(venv, "-c", constraints, *wanted, log=log)

    once(f"venv-{line}", key, make)
    return venv


def pgstac() -> Path:
    """The environment of the sandbox's STAC server, apart from CKAN's."""
    requirements = CONFIG / "requirements-pgstac.txt"

    def make() -> None:
        _make(VENV_PGSTAC)
        _pip(VENV_PGSTAC, "-r", requirements, log="pip-pgstac")

    once("venv-pgstac", digest(requirements, str(VENV_PGSTAC), sys.version), make)
    return VENV_PGSTAC


def pycsw() -> Path:
    """The environment of the CSW server, apart from CKAN's; the schemas that records are checked by are in it too."""
    requirements = CONFIG / "requirements-pycsw.txt"

    def make() -> None:
        _make(VENV_PYCSW)
        _pip(VENV_PYCSW, "-r", requirements, log="pip-pycsw")

    once("venv-pycsw", digest(requirements, str(VENV_PYCSW), sys.version), make)
    return VENV_PYCSW
