"""The stories are played in Debian's Chromium against the running demonstration (`make demo`)."""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

DEMO = Path(os.environ.get("DINAMIS_DEMO", Path(__file__).parents[2] / ".stack" / "demo.json"))
SHOTS = DEMO.parent / "shots"


@pytest.fixture(scope="session")
def demo() -> dict[str, Any]:
    assert DEMO.is_file(), f"{DEMO} is missing: run `make demo` first"
    return json.loads(DEMO.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Debian's Chromium is not installed"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


def look(page: Page, name: str) -> None:
    """axe-core on the page's content, and a picture of it. CKAN's own header and footer are CKAN's."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    found = Axe().run(page, context="#content" if page.locator("#content").count() else "main")
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    told = [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"]]) for v in serious]
    assert not told, f"{name}: {told}"
    assert page.locator("#content h1, main h1").count() == 1, f"{name}: one main heading"


def narrow(page: Page, name: str) -> None:
    """Nothing of ours makes a telephone scroll sideways."""
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size(wide)
    assert over <= 0, f"{name}: {over} pixels too wide"


def wait_for(check: Any, seconds: float = 60) -> Any:
    """What a check answers once it is true; it is asked again until then."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.3)


@pytest.fixture
def people(browser: Browser, demo: dict[str, Any]):
    """``people.login(role)``: a page of a browser of its own, logged in; ``people.visitor()``: one without login."""
    contexts: list[Any] = []

    def visitor() -> Page:
        context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    def enter(name: str, password: str) -> Page:
        page = visitor()
        page.goto(f"{demo['ckan_url']}/user/login")
        page.fill("#field-login", name)
        page.fill("#field-password", password)
        page.click("form[method=post] button.btn-primary[type=submit]")
        page.wait_for_selector(".account.authed")
        return page

    def login(role: str) -> Page:
        return enter(**demo["logins"][role])

    yield SimpleNamespace(visitor=visitor, enter=enter, login=login)
    for context in contexts:
        context.close()


@pytest.fixture
def api(demo: dict[str, Any]):
    """Call an action of the site with a role's token."""

    def call(role: str, action: str, **data: Any) -> Any:
        request = urllib.request.Request(
            f"{demo['ckan_url']}/api/3/action/{action}",
            json.dumps(data).encode(),
            {"Content-Type": "application/json", "Authorization": demo["tokens"][role]},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["result"]

    return call


@pytest.fixture
def mails(demo: dict[str, Any]):
    """The newest message to an address whose subject or text holds something, as the sandbox kept it."""

    def newest(to: str, holding: str) -> dict[str, Any]:
        def check() -> Any:
            with urllib.request.urlopen(f"{demo['sandbox_url']}/mails.json?to={to}", timeout=30) as answer:
                found = [m for m in json.load(answer) if holding in m["text"] or holding in m["subject"]]
            return max(found, key=lambda m: m["id"], default=None)

        return wait_for(check)

    return newest


@pytest.fixture
def outage(demo: dict[str, Any]):
    """Order a failure of one of the sandbox's services; it ends with the test."""

    def order(service: str, mode: str) -> None:
        body = json.dumps({"service": service, "mode": mode}).encode()
        request = urllib.request.Request(
            f"{demo['sandbox_url']}/control/outage", body, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()

    yield order
    order("gateway", "ok")
