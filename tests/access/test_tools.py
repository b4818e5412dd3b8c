"""Every form of a download is tried by its own tool; the unmodified SDK signs at the same sandbox."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import pytest
import rasterio

from ckanext.dinamis_relais.access import formats
from tests.imagery.conftest import item

from .conftest import act, code_in

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    # What is said is looked at in English, the language of the code; the French is looked at by tests of its own.
    pytest.mark.ckan_config("ckan.locale_default", "en"),
]

QUICK: Any = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


@pytest.fixture
def links(ready):
    """Two files of a scene, signed for the person."""
    scene = ready.items[0]
    files = act(ready.name, "dinamis_basket_show", collection=scene["collection"], id=scene["id"])["results"][0][
        "files"
    ]
    hrefs = act(ready.name, "dinamis_asset_sign", urls=[one["url"] for one in files])["hrefs"]
    return [formats.Link(one["url"], hrefs[one["url"]], one["name"], one["title"], one["raster"]) for one in files]


def is_image(path):
    with rasterio.open(path) as image:
        return image.width > 0 and image.crs.to_epsg() == 2154


def test_wget_fetches_each_file_once(links, tmp_path):
    (tmp_path / "telecharger.sh").write_text(formats.wget(links))
    subprocess.run(["sh", "telecharger.sh"], cwd=tmp_path, check=True, timeout=60)
    images = [link for link in links if link.raster]
    assert images
    assert all(is_image(tmp_path / link.name) for link in images)
    before = (tmp_path / links[0].name).stat().st_mtime_ns
    subprocess.run(["sh", "telecharger.sh"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / links[0].name).stat().st_mtime_ns == before


def test_wget_says_that_a_file_failed(links, tmp_path):
    spoiled = formats.wget(links).replace(links[0].href, links[0].url)
    (tmp_path / "telecharger.sh").write_text(spoiled)
    assert subprocess.run(["sh", "telecharger.sh"], cwd=tmp_path, check=False, timeout=60).returncode == 1
    assert not (tmp_path / links[0].name).exists()


def test_gdal_reads_the_signed_file_in_part(links):
    with rasterio.Env(**QUICK):
        for line in formats.gdal(links).splitlines():
            assert is_image(shlex.split(line)[1])


def test_qgis_layers_name_sources_that_gdal_opens(links):
    root = ET.fromstring(formats.qgis(links).split("\n", 1)[1])
    sources = [layer.findtext("datasource") for layer in root.iter("maplayer")]
    tree = [layer.get("source") for layer in root.iter("layer-tree-layer")]
    assert sources == tree
    with rasterio.Env(**QUICK):
        assert all(is_image(source) for source in sources)


def sdk(service, folder, code, **keys):
    """Run Python with the unmodified ``teledetection`` package, which knows our sandbox by its settings alone."""
    env = {**os.environ, "HOME": str(folder), "TLD_CONFIG_DIR": str(folder), "PYTHONUNBUFFERED": "1",
           "TLD_SIGNING_ENDPOINT": f"{service.url}/signing", **keys}  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)  # fmt: skip


FAR = "https://s3-data.meso.umontpellier.fr/sm1-gdc/dinamis-openspot-6-7/SPOT7_MS/x_{}.tif"
SIGN = f"""
import teledetection
urls = [{FAR!r}.format(n) for n in range(70)]
found = teledetection.sign_urls(urls)
assert len(found) == 70 and all(found[url] != url for url in urls)
print("SIGNED", len(found))
"""


def test_unmodified_sdk_signs_by_key_pair(service, tmp_path):
    pair = service.key()
    running = sdk(service, tmp_path, SIGN, TLD_ACCESS_KEY=pair["access_key"], TLD_SECRET_KEY=pair["secret_key"])
    said, _ = running.communicate(timeout=60)
    assert "SIGNED 70" in said, said
    assert service.signed() == 2


def test_unmodified_sdk_signs_what_it_finds_in_our_stac_api(service, tmp_path, live, load):
    """The way of its manual, the address of our API in place of Montpellier's."""
    load([{**item(n), "assets": {"MS": {"href": FAR.format(n)}}} for n in range(12)])
    pair = service.key()
    code = f"""
import pystac_client, teledetection
search = pystac_client.Client.open({live!r}).search(
    collections=["spot"], bbox=[-1, 44, 1, 46], datetime="2015-01-01/2015-12-31", limit=5)
found = teledetection.sign(search)
hrefs = [one.assets["MS"].href for one in found]
assert len(set(hrefs)) == 12 and all("?" in href for href in hrefs)
print("FOUND", len(hrefs))
"""
    running = sdk(service, tmp_path, code, TLD_ACCESS_KEY=pair["access_key"], TLD_SECRET_KEY=pair["secret_key"])
    said, _ = running.communicate(timeout=120)
    assert "FOUND 12" in said, said


def test_unmodified_sdk_signs_by_device_flow(service, tmp_path):
    running = sdk(service, tmp_path, SIGN)
    assert running.stdout is not None
    shown = next(line for line in running.stdout if "user_code=" in line)
    service.approve(code_in(shown))
    said, _ = running.communicate(timeout=60)
    assert "SIGNED 70" in said, said


def test_python_script_runs_with_the_sdk(service, tmp_path):
    pair = service.key()
    # The SDK signs files of Montpellier's store only; the others go as they are, which is all that is tried here.
    script = formats.python([(f"{service.url}/signing/openapi.json", "openapi.json")])
    keys = {"TLD_ACCESS_KEY": pair["access_key"], "TLD_SECRET_KEY": pair["secret_key"]}
    said, _ = sdk(service, tmp_path, script, **keys).communicate(timeout=60)
    assert "openapi.json" in said, said
    assert (tmp_path / "openapi.json").stat().st_size > 100
