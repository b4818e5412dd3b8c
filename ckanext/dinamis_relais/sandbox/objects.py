"""The object store: small real COGs behind signed addresses, 403 without a signature."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from flask import Blueprint, Response, request, send_file
from PIL import Image, ImageDraw, ImageFont
from rasterio.transform import from_origin
from rasterio.warp import transform
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from ckanext.dinamis_relais.sandbox.signatures import check

#: <bucket>/<collection>/<item>/<file>.tif, where the file's name says which image it is
PATH = re.compile(
    r"[\w-]+/[\w-]+/(?P<item>SPOT(?P<n>[67])_MS_(?P<at>\d{15})_SPOT(?P=n)_P_(?P=at)(?:_\d+)?)/(?P<file>[\w-]+)\.tif",
    re.ASCII,
)
PANCHROMATIC = re.compile(r"(?:^|[_-])(?:P|PAN)$", re.IGNORECASE)
#: Pixels of a side.
SIZE = 384
#: Metres of a pixel, as the real images are delivered.
PAN_METRES, MS_METRES = 1.5, 6.0
#: Without an accent: the font that comes with Pillow has none.
LABEL = "IMAGE\nFICTIVE"
#: Level of the label in all bands, above most covers, so that a stretch keeps both.
BRIGHT = 1400
DESCRIPTION = "Bac a sable : image synthetique, ceci n'est pas une image SPOT."
#: Level of water, field, wood and bare ground in the bands of the file: red, green, blue, near infrared.
COVERS = np.array([[210, 260, 330, 140], [420, 520, 400, 2100], [260, 360, 300, 1500], [1100, 950, 800, 1400]])


class Places(Protocol):
    """Knows where a scene lies; the module ``scenes`` is one."""

    def place(self, item_id: str) -> tuple[float, float] | None:
        """Longitude and latitude (EPSG:4326), None when unknown."""
        ...


def _smooth(chance: np.random.Generator, cells: int) -> np.ndarray:
    """A field between 0 and 1 that changes over ``SIZE / cells`` pixels."""
    coarse = chance.random((cells + 1, cells + 1))
    at = np.linspace(0, cells, SIZE, endpoint=False)
    low = at.astype(int)
    part = at - low
    rows = coarse[low] * (1 - part)[:, None] + coarse[low + 1] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part


@lru_cache(maxsize=1)
def _label() -> np.ndarray:
    """Where :data:`LABEL` is written across the image, so that whoever sees it is told; shape (``SIZE``, ``SIZE``)."""
    image = Image.new("L", (SIZE, SIZE))
    pen = ImageDraw.Draw(image)
    pen.text((SIZE / 2, SIZE / 2), LABEL, fill=255, font=ImageFont.load_default(48), anchor="mm", align="center")
    return np.asarray(image) > 127


def _landscape(chance: np.random.Generator, bands: int) -> np.ndarray:
    """Digital numbers of 12 bits, shape (bands, ``SIZE``, ``SIZE``); no pixel is 0, which means no data."""
    relief = 0.6 * _smooth(chance, 4) + 0.3 * _smooth(chance, 12) + 0.1 * _smooth(chance, 48)
    cover = np.digitize(relief, np.quantile(relief, (0.08, 0.55, 0.88)))
    parcel = np.kron(chance.normal(1, 0.12, (24, 24)), np.ones((SIZE // 24, SIZE // 24)))
    image = COVERS[cover].transpose(2, 0, 1) * parcel
    if bands == 1:
        image = image[:3].mean(axis=0, keepdims=True)
    image += chance.normal(0, 18, image.shape)
    image[:, _label()] = BRIGHT
    return np.clip(image, 1, 4095).astype("uint16")


def _corner(spot: tuple[float, float] | None, number: int, metres: float) -> tuple[float, float]:
    """West and north edge in EPSG:2154 metres; a place inside Nouvelle-Aquitaine where the scene's is unknown."""
    if spot is None:
        return 400_000.0 + number % 150_000, 6_300_000.0 + number // 7 % 250_000
    (x,), (y,) = transform("EPSG:4326", "EPSG:2154", [spot[0]], [spot[1]])[:2]
    half = SIZE * metres / 2
    return round(x - half, 1), round(y + half, 1)


def make_cog(path: str, target: Path, spot: tuple[float, float] | None = None) -> None:
    """Write a small Cloud Optimized GeoTIFF, always the same pixels for the same path.

    EPSG:2154, 12 bits in uint16; four bands in file order red, green, blue, near infrared, or one for panchromatic.

    :param path: the object's, which the pixels are made from
    :param target: written at once or not at all
    :param spot: longitude and latitude (EPSG:4326) of its centre, when known
    """
    number = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")
    bands, metres = (1, PAN_METRES) if PANCHROMATIC.search(Path(path).stem) else (4, MS_METRES)
    west, north = _corner(spot, number, metres)
    profile: dict[str, Any] = {
        "driver": "COG", "width": SIZE, "height": SIZE, "count": bands, "dtype": "uint16", "crs": "EPSG:2154",
        "transform": from_origin(west, north, metres, metres), "compress": "DEFLATE", "predictor": "YES",
        "nodata": 0, "blocksize": 128, "overview_count": 2,
    }  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "draft.tif"
        with rasterio.open(draft, "w", **profile) as image:
            image.write(_landscape(np.random.default_rng(number), bands))
            image.descriptions = ("P",) if bands == 1 else ("B2 red", "B1 green", "B0 blue", "B3 near infrared")
            image.update_tags(TIFFTAG_IMAGEDESCRIPTION=DESCRIPTION)
        draft.replace(target)


def _error(status: int, code: str, message: str) -> Response:
    """An error as S3 words it."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>{escape(request.path)}</Resource></Error>"
    )
    return Response(body, status=status, mimetype="application/xml")


def blueprint(secret: str, cache: Path, scenes: Places | None = None) -> Blueprint:
    """Routes of the object store: ``/objects/<bucket>/<collection>/<item>/<file>.tif``.

    :param secret: what the signing service signs with
    :param cache: folder of the images made so far; made when absent
    :param scenes: where the scenes lie; images of others lie somewhere in Nouvelle-Aquitaine
    """
    routes = Blueprint("objects", __name__)

    @routes.get("/objects/<path:path>")
    def read(path: str) -> Any:
        """One object, whole or a range of it."""
        problem = check(request.url, secret, dt.datetime.now(dt.timezone.utc))
        if problem:
            return _error(403, problem, "Signature absente, fausse ou échue (bac à sable).")
        found = PATH.fullmatch(path)
        if not found:
            return _error(404, "NoSuchKey", "Objet inconnu (bac à sable).")
        target = cache.resolve() / path
        if not target.is_file():
            make_cog(path, target, scenes.place(found["item"]) if scenes else None)
        return send_file(target, mimetype="image/tiff", conditional=True)

    @routes.errorhandler(RequestedRangeNotSatisfiable)
    def beyond(error: RequestedRangeNotSatisfiable) -> Response:
        """A range beyond the end."""
        response = _error(416, "InvalidRange", "Plage hors de l'objet (bac à sable).")
        if error.length is not None:
            response.headers["Content-Range"] = f"bytes */{error.length}"
        return response

    @routes.after_request
    def cors(response: Response) -> Response:
        """A page of another site may read ranges."""
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Range, If-Match, If-None-Match, If-Range"
        response.headers["Access-Control-Expose-Headers"] = "Accept-Ranges, Content-Range, Content-Length, ETag"
        response.headers.setdefault("Accept-Ranges", "bytes")
        return response

    return routes
