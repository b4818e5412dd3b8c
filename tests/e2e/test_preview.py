"""An image on the map of its scene's page: read in place by the browser, counted, and plain words when it cannot be."""

from __future__ import annotations

import io
import json
import urllib.request
from typing import Any

import numpy as np
import pytest
import rasterio
import requests
from PIL import Image
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject, transform_bounds

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
    """What the map shows: shape (rows, columns, 3)."""
    image = Image.open(io.BytesIO(page.locator("#dinamis-map").screenshot())).convert("RGB")
    return np.asarray(image).astype(float)


def expected(content: bytes, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[slice, slice]]:
    """The same file as GDAL reads and projects it: its colours, and where they lie on a map of this shape."""
    with rasterio.MemoryFile(content) as memory, memory.open() as image:
        left, bottom, right, top = transform_bounds(image.crs, "EPSG:3857", *image.bounds)
        # The page fits the image into the map with 20 pixels around it; one more is the map's border.
        size = max((right - left) / (shape[1] - 42), (top - bottom) / (shape[0] - 42))
        columns, rows = round((right - left) / size), round((top - bottom) / size)
        bands = np.zeros((3, rows, columns))
        for target, band in zip(bands, range(1, image.count + 1), strict=False):  # red, green, blue: the first three
            reproject(image.read(band).astype(float), target, src_crs=image.crs, src_transform=image.transform,
                      dst_crs="EPSG:3857", dst_transform=from_origin(left, top, size, size), init_dest_nodata=True,
                      src_nodata=0, dst_nodata=0, resampling=Resampling.bilinear)  # fmt: skip
            dark, light = np.percentile(image.read(band), (2, 98))
            target[:] = np.clip((target - dark) / (light - dark), 0, 1)
    above, before = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    # Without its edge: an image that is turned leaves corners where the base map shows.
    edge = rows // 6
    place = slice(above + edge, above + rows - edge), slice(before + edge, before + columns - edge)
    return bands[:, edge : rows - edge, edge : columns - edge], place


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


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
    # What the map shows is what GDAL makes of the same file: each colour like its own band, and in its place.
    signed = ready("dinamis_asset_sign", urls=[next(iter(item["assets"].values()))["href"]])["hrefs"].popitem()[1]
    content = requests.get(signed, timeout=30).content
    shown = pixels(page)
    bands, part = expected(content, shown.shape)
    likeness = np.array([[alike(shown[part][..., n], band) for n in range(3)] for band in bands])
    assert likeness.diagonal().min() > 0.9
    assert (likeness.argmax(axis=1) == [0, 1, 2]).all()
    assert max(alike(before[part][..., n], bands[n]) for n in range(3)) < 0.3
    # Parts were read, never the whole file, and it is one download in one's list.
    assert asked
    assert all(one.headers.get("range", "").startswith("bytes=") for one in asked)
    assert ready("dinamis_download_list")["count"] in (count, count + 1)  # the same link, if there was one already
    assert ready("dinamis_download_list", limit=1)["results"][0]["item_id"] == item["id"]
    # No signed link is in the page.
    assert "X-Amz-Signature" not in page.content()
    page.keyboard.press("Enter")
    said(page).filter(has_text="L'image n'est plus sur la carte.").wait_for()


@pytest.mark.parametrize(
    ("mode", "text", "counted"),
    [
        ("closed", "ne se laisse pas lire depuis cette page", False),
        ("503", "en panne pour le moment", False),
        ("whole", "ne donne que des fichiers entiers", True),
        ("401", "refuse le lien", True),
    ],
)
def test_a_store_that_refuses_is_told_in_words(people, demo, api, ready, store, mode, text, counted):
    # Each mode takes a scene of its own, whose link was not handed out before.
    number = ("closed", "503", "whole", "401").index(mode) + 1
    item = api("member", "dinamis_scene_search", limit=5)["features"][number]
    page = opened(people, demo, item)
    before = ready("dinamis_download_list")["count"]
    store(mode)
    page.click(BUTTON)
    said(page).filter(has_text=text).wait_for()
    look(page, f"52-preview-{mode}")
    narrow(page, f"52-preview-{mode}")
    if not counted:
        assert ready("dinamis_download_list")["count"] == before
    assert page.locator("#dinamis-preview progress").is_hidden()
    # Once the store is well again, the same button does it.
    store("ok")
    page.click(BUTTON)
    said(page).filter(has_text=SHOWN).wait_for()


def test_without_the_right_or_without_script_a_sentence_stands_there(browser, people, demo, api, ready):
    item = scene(api)
    visitor = people.visitor()
    visitor.goto(address(demo, item))
    assert visitor.locator("text=L'image se voit ici dès que vous pouvez la télécharger").is_visible()
    assert visitor.locator("#dinamis-preview").count() == 0
    state = people.login("member").context.storage_state()
    context = browser.new_context(locale="fr-FR", java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto(address(demo, item))
    assert page.locator(BUTTON).is_hidden()
    sentence = page.locator("noscript").last
    assert sentence.is_visible()
    assert sentence.inner_text().startswith("Voir l'image ici demande JavaScript")
    context.close()
