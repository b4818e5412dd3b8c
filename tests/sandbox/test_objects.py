"""The object store: real COGs, only behind a good signature, read by GDAL as by a browser."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
import rasterio
from flask import Flask
from rasterio.warp import transform_bounds
from werkzeug.serving import make_server

from ckanext.dinamis_relais.sandbox import objects, scenes
from ckanext.dinamis_relais.sandbox.signatures import LONGEST_SECONDS, check, sign

SECRET = "secret of the test"
ITEM = next(item for item in scenes.items(50, "http://localhost/objects") if "src_pan" in item["assets"])
MS, PAN = (ITEM["assets"][key]["href"] for key in ("src_xs", "src_pan"))


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


@pytest.fixture
def app(tmp_path) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(objects.blueprint(SECRET, tmp_path / "cache", scenes))
    return app


@pytest.fixture
def client(app):
    return app.test_client()


def signed(url: str = MS, seconds: int = 60, at: dt.datetime | None = None) -> str:
    parts = urlsplit(sign(url, SECRET, seconds, at or now()))
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def served(app) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_signature_is_shaped_as_s3_and_checks():
    url = sign("https://host/objects/a.tif?x=1#y", SECRET, 60, now())
    names = ("X-Amz-Date=", "X-Amz-Expires=60", "X-Amz-SignedHeaders=host", "X-Amz-Signature=")
    assert url.startswith("https://host/objects/a.tif?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert all(name in url for name in names)
    assert check(url, SECRET, now()) == ""
    assert check(url, "another", now()) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("old", "new"),
    [("a.tif", "b.tif"), ("host/", "other/"), ("Expires=60", "Expires=6000"), ("Signature=", "Signature=0")],
)
def test_tampered_signature_is_refused(old, new):
    assert (
        check(sign("https://host/a.tif", SECRET, 60, now()).replace(old, new), SECRET, now()) == "SignatureDoesNotMatch"
    )


def test_signature_ends_and_does_not_begin_early():
    at = now()
    url = sign("https://host/a.tif", SECRET, 60, at)
    assert check(url, SECRET, at + dt.timedelta(seconds=58)) == ""
    assert check(url, SECRET, at + dt.timedelta(seconds=61)) == "AccessDenied"
    assert check(url, SECRET, at - dt.timedelta(hours=1)) == "AccessDenied"


@pytest.mark.parametrize("seconds", [0, -1, LONGEST_SECONDS + 1])
def test_signature_for_a_time_that_is_not_allowed(seconds):
    with pytest.raises(ValueError, match="seconds"):
        sign("https://host/a.tif", SECRET, seconds, now())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (urlsplit(MS).path, "AccessDenied"),
        (signed(seconds=60, at=now() - dt.timedelta(seconds=90)), "AccessDenied"),
        (signed() + "0", "SignatureDoesNotMatch"),
        (signed(MS).replace("_XS.tif", "_PAN.tif"), "SignatureDoesNotMatch"),
        (urlsplit(MS).path + "?X-Amz-Date=x&X-Amz-Expires=é&X-Amz-Signature=é", "SignatureDoesNotMatch"),
    ],
)
def test_without_a_good_signature_403_as_s3(client, path, code):
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (403, "application/xml")
    assert f"<Code>{code}</Code>" in answer.text
    assert client.head(path).status_code == 403


@pytest.mark.parametrize(
    "wrong", ["sandbox/c/other.tif", f"sandbox/c/{ITEM['id']}/a.txt", f"sandbox/c/../{ITEM['id']}/a.tif"]
)
def test_signed_path_that_no_scene_has_404(client, wrong):
    answer = client.get(signed(f"http://localhost/objects/{wrong}"))
    assert (answer.status_code, answer.mimetype) == (404, "application/xml")
    assert "<Code>NoSuchKey</Code>" in answer.text


def test_ranges_and_head(client):
    whole = client.get(signed())
    assert (whole.status_code, whole.mimetype) == (200, "image/tiff")
    part = client.get(signed(), headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    head = client.head(signed())
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(whole.data))
    assert head.headers["Accept-Ranges"] == "bytes"
    beyond = client.get(signed(), headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.data)}"
    assert "<Code>InvalidRange</Code>" in beyond.text


def test_a_page_of_another_site_may_read(client):
    for answer in (client.get(signed()), client.get(urlsplit(MS).path), client.options(urlsplit(MS).path)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]
        assert "Range" in answer.headers["Access-Control-Allow-Headers"]


def test_same_path_same_pixels_another_path_others(tmp_path):
    for name, path in (("one", "b/c/x_MS.tif"), ("two", "b/c/x_MS.tif"), ("three", "b/c/y_MS.tif")):
        objects.make_cog(path, tmp_path / f"{name}.tif")
    one, two, three = ((tmp_path / f"{name}.tif").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.tif", "three.tif", "two.tif"]


def test_cog_made_by_many_at_once_is_whole(app):
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda: sizes.append(len(app.test_client().get(signed(PAN)).data))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 6
    assert len(set(sizes)) == 1


@pytest.mark.parametrize(("key", "count", "metres"), [("src_xs", 4, 6.0), ("src_pan", 1, 1.5)])
def test_gdal_reads_a_signed_cog_from_the_network(served, key, count, metres):
    url = ITEM["assets"][key]["href"].replace("http://localhost", served)
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_HTTP_MAX_RETRY="0"),
        rasterio.open(f"/vsicurl/{sign(url, SECRET, 60, now())}") as image,
    ):
        assert (image.count, image.crs.to_epsg(), image.res) == (count, 2154, (metres, metres))
        assert set(image.dtypes) == {"uint16"}
        assert image.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "synthetique" in image.tags()["TIFFTAG_IMAGEDESCRIPTION"]
        pixels = image.read()
        west, south, east, north = transform_bounds(image.crs, "EPSG:4326", *image.bounds)
    assert pixels.min() > 0
    assert pixels.max() < 4096
    assert pixels.std() > 50
    box = ITEM["bbox"]
    assert box[0] < west < east < box[2]
    assert box[1] < south < north < box[3]


def test_vegetation_shows_in_the_order_of_the_file(tmp_path):
    objects.make_cog("b/c/x_MS.tif", tmp_path / "x.tif")
    with rasterio.open(tmp_path / "x.tif") as image:
        red, nir = image.read(1).astype(float), image.read(4).astype(float)
        assert image.descriptions == ("B2 red", "B1 green", "B0 blue", "B3 near infrared")
    ndvi = (nir - red) / (nir + red)
    assert np.median(ndvi) > 0.4
    assert ndvi.min() < 0


def test_who_looks_at_an_image_sees_that_it_is_made_up(tmp_path):
    objects.make_cog("b/c/x_MS.tif", tmp_path / "x.tif")
    with rasterio.open(tmp_path / "x.tif") as image:
        assert image.overviews(1) == [2, 4]
        middle = image.read(window=((128, 256), (64, 320)))
    written = (middle == objects.BRIGHT).all(axis=0)
    assert 0.05 < written.mean() < 0.4
    # Letters: lines of the text have gaps between them, and their rows differ.
    assert len({int(row.sum()) for row in written}) > 20


def test_gdal_cannot_read_without_a_signature(served):
    with (
        pytest.raises(rasterio.errors.RasterioIOError),
        rasterio.open("/vsicurl/" + MS.replace("http://localhost", served)),
    ):
        pass
