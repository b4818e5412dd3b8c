"""An image on the map of its scene's page: read in place by the browser, counted, and plain words when it cannot be."""

from __future__ import annotations

import io
import json
import urllib.request
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from .conftest import look, narrow
from .test_images import key_pair, scene

BUTTON = "#dinamis-preview form:first-of-type button"
SHOWN = "L'image est sur la carte, en couleurs naturelles"


@pytest.fixture(scope="module")
def ready(demo):
    """The demonstration's member: DINAMIS login linked, licence accepted."""

    def call(action: str, **data: Any) -> Any:
        request = urllib.request.Request(
            f"{demo['ckan_url']}/api/3/action/{action}", json.dumps(data).encode(),
            {"Content-Type": "application/json", "Authorization": demo["tokens"]["member"]},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["result"]

    pair = key_pair(demo["sandbox_url"])
    call("dinamis_identity_link_finish", access_key=pair["access-key"], secret_key=pair["secret-key"])
    for one in call("dinamis_licence_list")["results"]:
        if not one["accepted"]:
            call("dinamis_licence_accept", licence=one["licence"], version=one["version"])
    yield call
    call("dinamis_identity_link_delete")


@pytest.fixture
def store(demo):
    """Order how the sandbox's object store behaves; it is healed with the test."""

    def order(mode: str) -> None:
        body = {"service": "objects", "mode": mode}
        requests.post(f"{demo['sandbox_url']}/control/outage", json=body, timeout=30).raise_for_status()

    yield order
    order("ok")


def address(demo: dict[str, Any], item: dict[str, Any]) -> str:
    return f"{demo['ckan_url']}/dinamis/images/{item['collection']}/{item['id']}"


def opened(people, demo, item):
    page = people.login("member")
    page.goto(address(demo, item))
    return page


def said(page) -> Any:
    return page.locator("#dinamis-preview [role=status]")


def pixels(page) -> np.ndarray:
    """What the middle of the map shows: shape (rows, columns, 3)."""
    image = Image.open(io.BytesIO(page.locator("#dinamis-map").screenshot())).convert("RGB")
    width, height = image.size
    return np.asarray(image)[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3].astype(int)


def test_an_image_is_seen_in_place(people, demo, api, ready):
    item = scene(api)
    page = opened(people, demo, item)
    look(page, "50-preview-offered")
    before = pixels(page)
    count = ready("dinamis_download_list")["count"]
    asked: list[Any] = []
    page.on("request", lambda one: asked.append(one) if "X-Amz-Signature" in one.url else None)
    page.locator(BUTTON).focus()
    page.keyboard.press("Enter")
    said(page).filter(has_text=SHOWN).wait_for()
    assert "Mo lus" in page.locator("[data-read]").inner_text()
    look(page, "51-preview-shown")
    narrow(page, "51-preview-shown")
    # The map was one footprint over a pale base; now it has the colours of a landscape, and they differ.
    after = pixels(page)
    assert before.std(axis=(0, 1)).max() < 15 < after.std(axis=(0, 1)).min()
    # In natural colours the synthetic ground is redder than blue, its water bluer than red; and the label is white.
    assert (after[..., 0] - after[..., 2]).max() > 40
    assert (after.min(axis=2) > 240).any()
    # Parts were read, never the whole file, and it is one download in one's list.
    assert asked
    assert all(one.headers.get("range", "").startswith("bytes=") for one in asked)
    assert ready("dinamis_download_list")["count"] in (count, count + 1)  # the same link, if there was one already
    assert ready("dinamis_download_list", limit=1)["results"][0]["item_id"] == item["id"]
    # No signed link is in the page.
    assert "X-Amz-Signature" not in page.content()
    page.keyboard.press("Enter")
    said(page).filter(has_text="L'image n'est plus sur la carte.").wait_for()
