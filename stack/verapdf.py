"""veraPDF from Maven: what the suite checks its documents with against PDF/UA-1 and PDF/A-2a."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack.base import CONFIG, STACK, digest, once, run

LIBRARIES = STACK / "verapdf-lib"
SOURCE = CONFIG / "verapdf"


def libraries() -> Path:
    """Fetch veraPDF's jars; the folder that holds them."""

    def fetch() -> None:
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        run(["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", "dependency:copy-dependencies",
             f"-DoutputDirectory={LIBRARIES}"], "maven", fail="Maven could not fetch veraPDF.")  # fmt: skip

    once("verapdf-lib", digest(SOURCE / "pom.xml"), fetch)
    return LIBRARIES
