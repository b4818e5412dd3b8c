"""The built wheel: all that the extension needs is in it, and it installs beside a plain CKAN."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "ckanext/dinamis_relais"
#: Files that are not Python and that the extension reads when it runs.
SUFFIXES = (".yaml", ".html", ".txt", ".typ", ".css", ".ini", ".mako", ".json", ".js", ".po", ".mo", ".svg", ".png")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that a stale build folder cannot hide a missing file."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(
        ".stack", ".git", "node_modules", "build", "dist", "*.egg-info", "__pycache__", "tests"
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


def test_everything_that_is_read_is_shipped(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and (path.suffix in SUFFIXES or path.suffix == ".py") and "__pycache__" not in path.parts
    }
    assert wanted - names == set()
    parts = (
        "migration/dinamis_relais/versions/001_foundation.py",
        "gateway/contract.yaml",
        "schemas/organization.yaml",
        "i18n/fr/LC_MESSAGES/ckanext-dinamis_relais.mo",
        "mails/signature_requested.fr.txt",
    )
    for part in parts:
        assert f"{PACKAGE}/{part}" in names
    assert any(name.startswith(f"{PACKAGE}/public/dinamis/") and name.endswith(".js") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "stack/", "tools/"))]


def test_it_installs_beside_a_plain_ckan(wheel, tmp_path):
    """A copy of the environment's CKAN finds the plugin of the installed wheel, not of this checkout."""
    target = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    code = (
        "import ckanext, pathlib, sys; from importlib.metadata import distribution\n"
        "target = pathlib.Path(sys.argv[1])\n"
        # The checkout is installed for development; its place must not help.
        "ckanext.__path__ = [str(target / 'ckanext'), *[p for p in ckanext.__path__ if 'site-packages' in p]]\n"
        "import ckanext.dinamis_relais.plugin as plugin, ckanext.dinamis_relais.imagery.harvester\n"
        "assert pathlib.Path(plugin.__file__).is_relative_to(target), plugin.__file__\n"
        "from ckanext.dinamis_relais.rooms import collect\n"
        "print(len(collect('actions')), len(collect('views')), len(collect('cli')))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(int(number) for number in done.stdout.split())
    entry_points = next(target.glob("ckanext_dinamis_relais-*.dist-info/entry_points.txt")).read_text(encoding="utf-8")
    assert "dinamis_relais = ckanext.dinamis_relais.plugin:DinamisRelaisPlugin" in entry_points
    assert "dinamis_relais_harvester" in entry_points
