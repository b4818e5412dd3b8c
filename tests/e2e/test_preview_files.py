"""Files of other makes on the map: projections, depths and shapes that an archive may hold, at open addresses.

The files lie on a server of the test's own, which answers ranges and pages of other sites as an object store does; the
page's button is told their address in place of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
from flask import Flask, Response, send_from_directory
from rasterio.transform import from_origin
from rasterio.warp import transform
from werkzeug.serving import make_server

from .conftest import look
from .test_images import scene
from .test_preview import alike, expected, opened, pixels, ready, said  # noqa: F401  # a fixture

#: Where the pictures lie, in degrees east and north: near Bègles.
PLACE = (-0.55, 44.8)
SIZE = 512
RGB = {"red": 1, "green": 2, "blue": 3}
NATURAL, GREY, UNNAMED = "en couleurs naturelles", "en niveaux de gris", "ne dit pas à quelle couleur"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which its files are read."""
    folder, app = tmp_path_factory.mktemp("store"), Flask(__name__)

    @app.get("/<name>")
    def read(name: str) -> Response:
        return send_from_directory(folder, name, conditional=True, mimetype="image/tiff")

    @app.after_request
    def allow(answer: Response) -> Response:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def write(path: Path, crs: str, bands: int, kind: str, driver: str = "COG", size: int = SIZE, **more: Any) -> None:
    """A picture with a gradient, a disc and stripes, another in each band."""
    (x,), (y,) = transform("EPSG:4326", crs, [PLACE[0]], [PLACE[1]])[:2]
    profile = {"driver": driver, "width": size, "height": size, "count": bands, "dtype": kind, "crs": crs,
               "transform": from_origin(x - size * 3, y + size * 3, 6, 6), "compress": "DEFLATE", **more}  # fmt: skip
    across, down = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    disc = (across - 0.4) ** 2 + (down - 0.6) ** 2 < 0.04
    shades = [across, down * 0.7 + disc * 0.3, 0.5 + 0.5 * np.sin(across * 40) * down, disc * 0.9 + 0.05]
    scale = 250 if kind == "uint8" else 4000
    with rasterio.open(path, "w", **profile) as image:
        for number in range(bands):
            image.write((shades[number] * scale + 1).astype(kind), number + 1)


@pytest.fixture
def at(people, demo, api, ready, store):  # noqa: F811
    """A scene's page of the member, the folder of the store, and how the button is pressed for a file of it."""
    page, (folder, base) = opened(people, demo, scene(api)), store
    return SimpleNamespace(page=page, folder=folder, ask=ready,
                           press=lambda name, bands: shown_on(page, f"{base}/{name}.tif", bands))  # fmt: skip


def shown_on(page: Any, address: str, bands: dict[str, int]) -> None:
    """Press the button for a file at an open address."""
    page.locator("#dinamis-preview form").first.evaluate(
        "(form, told) => { delete form.dataset.signed; Object.assign(form.dataset, told); }",
        {"href": address, "bands": json.dumps(bands)},
    )
    page.click("#dinamis-preview form:first-of-type button")


@pytest.mark.parametrize(
    ("name", "natural", "sentence", "made"),
    [
        ("utm30-8bit", RGB, NATURAL, {"crs": "EPSG:32630", "bands": 3, "kind": "uint8"}),
        ("utm31-12bit", RGB, NATURAL, {"crs": "EPSG:32631", "bands": 4, "kind": "uint16", "nodata": 0}),
        ("cc45-unnamed", {}, UNNAMED, {"crs": "EPSG:3945", "bands": 4, "kind": "uint16"}),
        ("lambert-float", RGB, NATURAL, {"crs": "EPSG:2154", "bands": 3, "kind": "float32", "nodata": float("nan")}),
        ("one-band", {}, GREY, {"crs": "EPSG:2154", "bands": 1, "kind": "uint16", "blocksize": 128,
                                "overview_count": 2}),
    ],
)  # fmt: skip
def test_a_picture_is_drawn_where_gdal_draws_it(at, name, natural, sentence, made):
    write(at.folder / f"{name}.tif", **made)
    count = at.ask("dinamis_download_list")["count"]
    at.press(name, natural)
    said(at.page).filter(has_text=sentence).wait_for()
    look(at.page, f"53-preview-{name}")
    drawn = pixels(at.page)
    wanted, (rows, columns) = expected((at.folder / f"{name}.tif").read_bytes(), drawn.shape)
    for number, band in enumerate(wanted if made["bands"] > 1 else [wanted[0]] * 3):
        assert alike(drawn[rows, columns][..., number], band) > 0.95, (name, number)
    # Beside the picture the pale map is seen: what its tiles hold beyond it is see-through, and not black.
    beside = columns.start - rows.start + 21 - 6
    assert drawn[30:-30, beside].min() > 150
    assert at.ask("dinamis_download_list")["count"] == count


@pytest.mark.parametrize(
    ("name", "text", "made"),
    [
        ("large", "ne contient pas de version réduite", {"crs": "EPSG:2154", "driver": "GTiff", "size": 2100}),
        ("europe", "ne connaît pas le système de coordonnées", {"crs": "EPSG:3035"}),
        ("no-picture", "n'a pas pu être lu comme une image", None),
        ("missing", "n'a plus ce fichier", None),
    ],
)
def test_what_cannot_be_shown_is_told_with_what_to_do(at, name, text, made):
    if made:
        write(at.folder / f"{name}.tif", bands=3, kind="uint8", **made)
    elif name != "missing":
        (at.folder / f"{name}.tif").write_bytes(b"This is no picture. " * 100)
    at.press(name, RGB)
    said(at.page).filter(has_text=text).wait_for()
    assert at.page.locator("#dinamis-preview progress").is_hidden()
    assert "Voir l'image" in at.page.locator("#dinamis-preview button").first.inner_text()
