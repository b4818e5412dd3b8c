"""``python3 -m stack TARGET``: what the Makefile's targets call; without a target it lists them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from stack import ini, keycloak, postgres, python_env, services, site, solr, system, verapdf
from stack.base import LOGS, ROOT, STACK, VENV, VENV_211, Progress, StepError, explain, run, urls

DEMO = STACK / "demo.json"
#: The tests that speak to Keycloak.
KEYCLOAKS = Path("tests/access/test_keycloak.py")


def infrastructure(progress: Progress, lines: tuple[str, ...], browser: bool = False) -> dict[str, Path]:
    """Packages, environments, PostgreSQL, Redis, Solr: what the site and each suite stand on."""
    with progress.step("System packages (apt, only when something is missing)"):
        system.install(browser)
    venvs = {}
    for line in lines:
        with progress.step(f"Python environment with CKAN {python_env.CKAN[line]}"):
            venvs[line] = python_env.ckan(line)
    with progress.step("Environment of the CSW server"):
        python_env.pycsw()
    with progress.step("PostgreSQL with PostGIS"):
        postgres.up()
    with progress.step("Redis"):
        site.redis()
    with progress.step("Solr 9.10.1 (Maven)"):
        solr.libraries()
        schemas = {"ckan": VENV, "ckan_test": VENV}
        for line, venv in venvs.items():
            if line != "2.12":
                schemas[f"ckan_test_{line.replace('.', '')}"] = venv
        solr.up(schemas)
    return venvs


def demo(
    progress: Progress | None = None, browser: bool = False, lines: tuple[str, ...] = ("2.12",), issuer: str = ""
) -> None:
    """The whole relay, running, with a sandbox to try against.

    :param issuer: a Keycloak realm that knows people, in place of the sandbox's own small provider
    """
    progress = progress or Progress(15)
    infrastructure(progress, lines, browser)
    with progress.step("Environment of the sandbox's STAC server"):
        python_env.pgstac()
    with progress.step("Page scripts and translations"):
        site.front_end()
        site.translations()
    with progress.step("Databases migrated"):
        site.databases(VENV, ini.site(), "site")
        ini.seal()
    with progress.step("Sandbox: a DINAMIS to try against"):
        site.sandbox(issuer)
    with progress.step("Sandbox: STAC server with 2,000 synthetic scenes"):
        site.source_stac()
    with progress.step("CKAN, workers and harvest consumers"):
        site.processes()
    with progress.step("People, organisations and first harvest"):
        users = site.first_data()
    with progress.step("CSW over the series' records"):
        site.csw()
    with progress.step("First deliveries"):
        site.wait_for_mail()
    u = urls()
    found = {
        "ckan_url": u["ckan"],
        "sandbox_url": u["sandbox"],
        "stac_url": f"{u['ckan']}/dinamis/stac",
        "source_stac_url": u["source_stac"],
        "csw_url": u["csw"],
        **users,
    }
    DEMO.touch(mode=0o600)
    DEMO.write_text(json.dumps(found, indent=2, ensure_ascii=False), encoding="utf-8")
    _print(found)


def demo_keycloak() -> None:
    """The same, people being known by a real Keycloak, as those of the real service are."""
    progress = Progress(17)
    with progress.step("System packages (apt, only when something is missing)"):
        system.install()
    with progress.step("Keycloak 26 (Maven; its start takes a minute)"):
        realm = keycloak.up()
    demo(progress, issuer=realm)
    print("  DINAMIS login (Keycloak): essai, password essai-demo\n")


def _print(found: dict) -> None:
    print(f"\n  CKAN (start here)  {found['ckan_url']}/dinamis")
    print(f"  Sandbox, its mail  {found['sandbox_url']}  {found['sandbox_url']}/mails")
    print(f"  Our STAC API       {found['stac_url']}")
    print(f"  Our CSW            {found['csw_url']}")
    print(f"  The source's STAC  {found['source_stac_url']}\n")
    print("  Who                 Name                  Password")
    for role, login in found["logins"].items():
        print(f"  {role:18}  {login['name']:20}  {login['password']}")
    print(f"\n  All of it, with API tokens: {DEMO.relative_to(ROOT)} · stop: make stop · remove: make clean\n")


def _pytest(line: str, venv: Path, *targets: str) -> tuple[list[str], dict[str, str]]:
    """The command of one CKAN line's suite, its databases migrated, and its environment."""
    path = ini.tests(line)
    site.databases(venv, path, f"test-{line}")
    env = {
        **os.environ,
        "DINAMIS_DEMO": str(DEMO),
        "DINAMIS_VERAPDF": str(verapdf.libraries()),
        "PYTHONUNBUFFERED": "1",
    }
    if any(KEYCLOAKS.is_relative_to(target) or target.startswith(str(KEYCLOAKS)) for target in targets):
        env["DINAMIS_ISSUER"] = keycloak.up(wait=False)  # a large archive and a minute of start, for one file of tests
    return [str(venv / "bin" / "python"), "-m", "pytest", f"--ckan-ini={path}", "-p", "no:cacheprovider", *targets], env


def test(line: str = "2.12") -> int:
    """The suite on one CKAN line; on 2.12 also the stories in a browser, against the demonstration."""
    whole = line == "2.12"
    progress = Progress(16 if whole else 9)
    if whole:
        demo(progress, browser=True)
        venv = VENV
    else:
        python_env.ckan("2.12")
        venv = infrastructure(progress, ("2.12", line))[line]
        with progress.step("Translations"):
            site.translations()
    words = os.environ.get("T", "").split()
    targets = words or ["tests", *([] if whole else ["--ignore=tests/e2e"])]
    with progress.step(f"Test databases of CKAN {line}"):
        command, env = _pytest(line, venv, *targets)
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def test_all() -> int:
    """Both CKAN lines side by side, then the stories in a browser, alone: a browser beside two suites is slow."""
    progress = Progress(17)
    demo(progress, browser=True, lines=("2.12", "2.11"))
    venvs = {"2.12": VENV, "2.11": VENV_211}
    with progress.step("Test databases of both"):
        suites = {line: _pytest(line, venvs[line], "tests", "--ignore=tests/e2e") for line in ("2.12", "2.11")}
    log = LOGS / "test-2.11.log"
    command, env = suites["2.11"]
    with log.open("wb") as out:
        beside = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    command, env = suites["2.12"]
    codes = [subprocess.run(command, cwd=ROOT, env=env, check=False).returncode]
    print("\nCKAN 2.11 (beside it):", flush=True)
    codes.append(beside.wait())
    print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
    print("The stories in a browser:", flush=True)
    command, env = _pytest("2.12", VENV, "tests/e2e")
    codes.append(subprocess.run(command, cwd=ROOT, env=env, check=False).returncode)
    return max(codes)


def lint() -> int:
    """Style, formatting and types."""
    python_env.ckan("2.12")
    binaries = VENV / "bin"
    codes = [
        subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode
        for command in (
            [binaries / "ruff", "check", "."],
            [binaries / "ruff", "format", "--check", "."],
            [binaries / "pyright", "--pythonpath", binaries / "python"],
        )
    ]
    return max(codes)


def bench() -> int:
    """Measure against peers and limits, side by side."""
    demo()
    site.databases(VENV, ini.bench(), "bench")
    # CKAN's commands take one of two cores for some seconds every minute: as long as a measure.
    services.stop("periodic")
    try:
        return subprocess.run([str(VENV / "bin" / "python"), "-m", "bench"], cwd=ROOT, check=False).returncode
    finally:
        site.periodic(site.code_key())


def stop() -> None:
    """End what this stack started, the newest first."""
    ended = [name for name in services.names() if services.stop(name)]
    print(f"Stopped: {', '.join(ended)}." if ended else "Nothing of this stack was running.")


def clean() -> None:
    """Stop, and delete all that the stack made."""
    stop()
    postgres.remove()
    shutil.rmtree(STACK, ignore_errors=True)
    print("Removed: .stack and its PostgreSQL cluster.")


def lock(line: str) -> None:
    """Write the exact versions of an environment into ``config/constraints-<line>.txt``."""
    venv = python_env.ckan(line)
    frozen = run([venv / "bin" / "pip", "freeze", "--exclude-editable"], "lock")
    kept = [f for f in frozen.splitlines() if "==" in f and not f.lower().startswith("ckanext-dinamis")]
    header = f"# Exact versions for CKAN {python_env.CKAN[line]}; written by `make lock`.\n"
    (ROOT / "config" / f"constraints-{line}.txt").write_text(header + "\n".join(kept) + "\n")


def main(words: list[str]) -> int:
    """Run one target; a failed step is explained, with the place of its log.

    :returns: exit code
    """
    targets = {
        "demo": demo, "demo-keycloak": demo_keycloak, "lint": lint, "test": test,
        "test-211": lambda: test("2.11"), "test-all": test_all,
        "bench": bench, "stop": stop, "clean": clean, "lock": lambda: lock("2.12"), "lock-211": lambda: lock("2.11"),
    }  # fmt: skip
    if len(words) != 1 or words[0] not in targets:
        print(f"python3 -m stack {'|'.join(targets)}", file=sys.stderr)
        return 2
    try:
        return targets[words[0]]() or 0
    except StepError as error:
        explain(error)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What runs already goes on: `make stop` ends it.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
