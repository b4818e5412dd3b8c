"""Signed links in the forms that tools take: pure. Each is a secret of its person, like the links inside."""

from __future__ import annotations

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A signed link.

    :ivar url: the file's lasting address
    :ivar href: the signed one
    :ivar name: for the file on a disk
    :ivar title: for people
    :ivar raster: whether a GIS shows it
    """

    url: str
    href: str
    name: str
    title: str
    raster: bool


@dataclass(frozen=True)
class Form:
    """A file that a tool takes: its name, its media type, and what makes it."""

    name: str
    media_type: str
    make: Callable[[Sequence[Link]], str]


def plain(links: Sequence[Link]) -> str:
    """One link a line."""
    return "".join(f"{link.href}\n" for link in links)


def aria2(links: Sequence[Link]) -> str:
    """An input file of aria2 (``aria2c -i``): link, then the name to save it under."""
    return "".join(f"{link.href}\n  out={link.name}\n" for link in links)


def wget(links: Sequence[Link]) -> str:
    """A shell script that fetches each file once, goes on where it was cut, and tells what failed."""
    lines = ["#!/bin/sh", "# sh telecharger.sh", "failed=0"]
    for link in links:
        name = shlex.quote(link.name)
        # Under its own name only when it is whole: a file that is there is skipped.
        fetch = f"wget -nv -c -O {name}.part {shlex.quote(link.href)} && mv {name}.part {name}"
        lines.append(f"[ -f {name} ] || {{ {fetch}; }} || failed=1")
    return "\n".join([*lines, "exit $failed", ""])


def gdal(links: Sequence[Link]) -> str:
    """A line for each image that GDAL's tools read in part, without downloading it."""
    images = [link for link in links if link.raster]
    return "".join(f"gdalinfo {shlex.quote('/vsicurl/' + link.href)}\n" for link in images)


def qgis(links: Sequence[Link]) -> str:
    """A layer definition of QGIS (.qlr): one raster layer an image, read over HTTP in part."""
    root = ET.Element("qlr")
    group = ET.SubElement(root, "layer-tree-group", {"name": "", "checked": "Qt::Checked", "expanded": "1"})
    layers = ET.SubElement(root, "maplayers")
    for number, link in enumerate([link for link in links if link.raster], 1):
        key, source = f"dinamis_{number}", f"/vsicurl/{link.href}"
        ET.SubElement(group, "layer-tree-layer", {"id": key, "name": link.title, "source": source,
                                                  "providerKey": "gdal", "checked": "Qt::Checked"})  # fmt: skip
        layer = ET.SubElement(layers, "maplayer", {"type": "raster"})
        for name, text in (("id", key), ("datasource", source), ("layername", link.title), ("provider", "gdal")):
            ET.SubElement(layer, name).text = text
    ET.indent(root)
    return "<!DOCTYPE qgis-layer-definition>\n" + ET.tostring(root, encoding="unicode") + "\n"


#: Form → the file. The links inside end; the Python script below does not, since it signs by itself.
FORMS: dict[str, Form] = {
    "wget": Form("telecharger.sh", "text/x-shellscript", wget),
    "aria2": Form("telecharger-aria2.txt", "text/plain", aria2),
    "links": Form("liens.txt", "text/plain", plain),
    "gdal": Form("gdal.txt", "text/plain", gdal),
    "qgis": Form("images.qlr", "application/xml", qgis),
}


def python(urls: Sequence[tuple[str, str]]) -> str:
    """A script that signs and downloads with the ``teledetection`` SDK, by the person's own login; holds no secret.

    :param urls: (lasting address, name of the file)
    """
    files = "".join(f"    {name!r}: {url!r},\n" for url, name in urls)
    return (
        "# pip install teledetection\n"
        "import pathlib\nimport shutil\nimport urllib.request\n\nimport teledetection\n\n"
        f"files = {{\n{files}}}\n"
        "signed = teledetection.sign_urls(list(files.values()))\n"
        "for name, url in files.items():\n"
        "    if not pathlib.Path(name).exists():\n"
        "        with urllib.request.urlopen(signed[url]) as answer, open(name + '.part', 'wb') as target:\n"
        "            shutil.copyfileobj(answer, target)\n"
        "        pathlib.Path(name + '.part').rename(name)\n"
        "    print(name)\n"
    )
