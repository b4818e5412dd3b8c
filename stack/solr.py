"""Solr 9 from Maven, with one core for the site and one for each test suite."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack.base import CONFIG, STACK, StepError, digest, once, ports, run, urls
from stack.services import answers, start

HOME = STACK / "solr"
LIBRARIES = STACK / "solr-lib"
CORES = ("ckan", "ckan_test", "ckan_test_211")
SOURCE = CONFIG / "solr"

#: ckanext-spatial's solr-bbox backend keeps a dataset's envelope in these.
SPATIAL_FIELDS = """
    <field name="bbox_area" type="float" indexed="true" stored="true" />
    <field name="maxx" type="float" indexed="true" stored="true" />
    <field name="maxy" type="float" indexed="true" stored="true" />
    <field name="minx" type="float" indexed="true" stored="true" />
    <field name="miny" type="float" indexed="true" stored="true" />
"""


def libraries() -> None:
    """Fetch Solr's jars."""

    def fetch() -> None:
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        run(["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", "dependency:copy-dependencies",
             f"-DoutputDirectory={LIBRARIES}"], "maven", fail="Maven could not fetch Solr.")  # fmt: skip

    once("solr-lib", digest(SOURCE / "pom.xml"), fetch)


def _schema(venv: Path) -> str:
    found = list(venv.glob("lib/python3*/site-packages/ckan/config/solr/schema.xml"))
    if not found:
        raise StepError(f"CKAN's Solr schema is not in {venv}.")
    text = found[0].read_text(encoding="utf-8")
    missing = "" if 'name="minx"' in text else SPATIAL_FIELDS
    return text.replace("</fields>", f"{missing}</fields>", 1)


def up(schemas: dict[str, Path]) -> None:
    """Lay out the cores and start Solr.

    :param schemas: core → virtual environment whose CKAN gives its schema
    """
    layout = {core: _schema(venv) for core, venv in schemas.items()}
    for core, schema in layout.items():
        conf = HOME / core / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "schema.xml").write_text(schema, encoding="utf-8")
        shutil.copy(SOURCE / "solrconfig.xml", conf)
        for name in ("stopwords", "synonyms", "protwords"):
            (conf / f"{name}.txt").touch()
        (HOME / core / "core.properties").write_text(f"name={core}\n")
    (HOME / "solr.xml").write_text("<solr/>\n")
    command = ["java", "-Xms256m", "-Xmx768m", "-Djava.awt.headless=true", "-cp", f"{LIBRARIES}/*",
               SOURCE / "SolrServer.java", HOME, str(ports()["solr"])]  # fmt: skip
    last = list(layout)[-1]
    start("solr", command, ready=answers(f"{urls()['solr']}/{last}/select?q=*:*&rows=0"), seconds=120,
          key=digest(SOURCE, layout))  # fmt: skip
