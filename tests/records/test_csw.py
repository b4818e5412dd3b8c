"""The CSW, by pycsw's own process over the records of a real catalogue, as OWSLib and plain HTTP read it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from ckan.lib.search import common as solr
from ckan.tests.helpers import call_action
from lxml import etree
from owslib.csw import CatalogueServiceWeb
from owslib.fes import BBox, PropertyIsEqualTo, PropertyIsLike

from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.records import catalogue as filled
from ckanext.dinamis_relais.records import chores, csw
from ckanext.dinamis_relais.records.model import csw_records

from .test_iso import made

ROOT = Path(__file__).parents[2]
PYCSW = ROOT / ".stack" / "venv-pycsw" / "bin"
GMD = "http://www.isotc211.org/2005/gmd"
CSW = "{http://www.opengis.net/cat/csw/2.0.2}"
COLUMNS = [one.name for one in csw_records.c if one.name not in ("insert_date", "wkb_geometry")]


@pytest.fixture
def store(ckan_config: Any) -> Any:
    """The scene store, no record in it."""
    engine = scene_model.engine_for(ckan_config["ckanext.dinamis_relais.scenes_url"])
    scene_model.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(csw_records.delete())
    return engine


@pytest.fixture
def service(store: Any, ckan_config: Any, monkeypatch: Any, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """pycsw, run as the operator runs it; ``url`` is its address, ``sync`` fills its table."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.csw_url", url)
    path = tmp_path / "csw.cfg"
    path.write_text(filled.settings(), encoding="utf-8")
    command = [PYCSW / "gunicorn", "--bind", f"127.0.0.1:{port}", "--pythonpath", ROOT / "config" / "csw"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "dinamis_csw:application"], env={**os.environ, "PYCSW_CONFIG": str(path)}, stdout=log, stderr=log
        )
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.05)
    yield SimpleNamespace(url=url, sync=lambda: filled.sync(store), log=tmp_path / "log")
    process.terminate()
    process.wait(10)


def rows(store: Any) -> dict[str, Any]:
    with store.connect() as connection:
        return {row["identifier"]: dict(row) for row in connection.execute(sa.select(csw_records)).mappings()}


def asked(service: Any, **words: Any) -> Any:
    """The answer to GetRecords by GET."""
    query = {"service": "CSW", "version": "2.0.2", "request": "GetRecords", "typenames": "gmd:MD_Metadata",
             "outputschema": GMD, "elementsetname": "full", "resulttype": "results", **words}  # fmt: skip
    return etree.fromstring(requests.get(service.url, params=query, timeout=30).content)


def posted(service: Any, body: str) -> requests.Response:
    return requests.post(service.url, timeout=30, headers={"Content-Type": "application/xml"}, data=body)


def filtered(service: Any, condition: str, inside: str = "") -> str:
    """The answer to GetRecords by POST with a filter."""
    query = f"""<csw:Query typeNames="csw:Record"><csw:ElementSetName>brief</csw:ElementSetName>
        <csw:Constraint version="1.1.0"><ogc:Filter>{condition}</ogc:Filter></csw:Constraint></csw:Query>"""
    return posted(service, f"""<csw:GetRecords xmlns:csw="http://www.opengis.net/cat/csw/2.0.2"
        xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml" service="CSW" version="2.0.2"
        resultType="results" outputSchema="{GMD}" maxRecords="10">{query}{inside}</csw:GetRecords>""").text  # fmt: skip


def point(position: str) -> str:
    """A filter: what meets a point."""
    text = position.replace("<", "&lt;")
    return (
        f"<ogc:Intersects><ogc:PropertyName>ows:BoundingBox</ogc:PropertyName><gml:Point><gml:pos>{text}</gml:pos>"
        "</gml:Point></ogc:Intersects>"
    )


def same(one: Any, other: Any) -> bool:
    """Whether two trees say the same, wherever they declare their namespaces and however they are indented."""
    return _plain(one) == _plain(other)


def _plain(tree: Any) -> Any:
    return tree.tag, dict(tree.attrib), (tree.text or "").strip(), [_plain(child) for child in tree]


def test_the_table_follows_the_series_and_writes_only_what_changed(catalogue: Any, store: Any) -> None:
    first = catalogue()
    second = catalogue(name="images-spot-2020", title="SPOT 2020", spatial="")
    catalogue(name="images-hidden", private=True)
    assert filled.sync(store) == {"added": 2, "updated": 0, "deleted": 0, "unchanged": 0}
    before = rows(store)
    assert set(before) == {first["id"], second["id"]}
    with store.begin() as connection:
        connection.execute(csw_records.update().values(insert_date="then"))
    assert filled.sync(store) == {"added": 0, "updated": 0, "deleted": 0, "unchanged": 2}
    assert {row["insert_date"] for row in rows(store).values()} == {"then"}, "nothing was written"
    call_action("package_patch", id=first["id"], title="Autre titre")
    call_action("package_delete", id=second["id"])
    assert filled.sync(store) == {"added": 0, "updated": 1, "deleted": 1, "unchanged": 0}
    after = rows(store)
    assert [row["title"] for row in after.values()] == ["Autre titre"]


def test_the_worker_follows_only_where_there_is_a_csw(
    catalogue: Any, store: Any, ckan_config: Any, monkeypatch: Any
) -> None:
    series = catalogue()
    monkeypatch.setattr(chores, "EVERY", 0.0)
    monkeypatch.setattr(chores, "_last", [-1.0, None])
    assert (chores.keep_records(), rows(store)) == (0, {})
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.csw_url", "https://catalogue.example/csw")
    assert [chores.keep_records() for _ in range(2)] == [1, 0]
    call_action("package_patch", id=series["id"], title="Autre titre")
    assert chores.keep_records() == 1
    call_action("package_delete", id=series["id"])
    assert (chores.keep_records(), rows(store)) == (1, {})


def test_without_solr_the_worker_goes_on_and_follows_later(
    catalogue: Any, store: Any, ckan_config: Any, monkeypatch: Any
) -> None:
    catalogue()
    monkeypatch.setattr(chores, "EVERY", 0.0)
    monkeypatch.setattr(chores, "_last", [-1.0, None])
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.csw_url", "https://catalogue.example/csw")
    with monkeypatch.context() as patched:
        patched.setitem(ckan_config, "solr_url", "http://127.0.0.1:1/solr/none")
        if hasattr(solr, "SolrSettings"):  # CKAN 2.11 keeps it there
            patched.setattr(solr.SolrSettings, "_url", "http://127.0.0.1:1/solr/none")
        assert (chores.keep_records(), rows(store)) == (0, {})
    assert chores.keep_records() == 1


def test_a_row_is_the_one_that_pycsw_makes_of_the_record(tmp_path: Path) -> None:
    record = tmp_path / "record.xml"
    record.write_bytes(etree.tostring(made()))
    # pycsw's own reading of a record, into an object with the columns of its repository.
    code = """
import json, sys
from pycsw.core import config, metadata
from pycsw.core.etree import etree, PARSER
class Row: pass
class Repository: dataset = Row
found = metadata.parse_record(config.StaticContext(), etree.parse(sys.argv[1], PARSER), Repository())[0]
print(json.dumps({key: value.decode() if isinstance(value, bytes) else value for key, value in vars(found).items()}))
"""
    answer = subprocess.run([PYCSW / "python", "-W", "ignore", "-c", code, record], capture_output=True, text=True,
                            check=True)  # fmt: skip
    theirs, ours = json.loads(answer.stdout), csw.row_of(record.read_bytes())
    # Ours: numbers as they are (theirs are rounded to hundredths of a degree), words without the spaces between.
    for name in ("xml", "anytext", "insert_date", "wkt_geometry", "links", "keywords"):
        theirs.pop(name, None)
    wrong = {key: (value, ours.get(key)) for key, value in theirs.items() if value and ours.get(key) != value}
    assert not wrong
    assert ours["wkt_geometry"] == "POLYGON((-0.9 44.6, -0.9 45.1, 0.1 45.1, 0.1 44.6, -0.9 44.6))"
    assert ours["keywords"] == "Ortho-imagerie,Imagerie satellite,DINAMIS,SPOT 6,SPOT 7,côte"
    assert "STAC Items,http://test.ckan.net/dinamis/stac/collections/spot/items" in str(ours["links"])


def test_the_service_tells_in_french_who_keeps_it(catalogue: Any, service: Any) -> None:
    read: Any = CatalogueServiceWeb(service.url, version="2.0.2")
    assert read.identification.title.startswith("Catalogue des séries d'images")
    assert "Fiches ISO 19139" in read.identification.abstract
    assert read.provider.name == "GIP ATGeRi"
    names = {operation.name for operation in read.operations}
    assert names >= {"GetCapabilities", "GetRecords", "GetRecordById"} and not names & {"Transaction", "Harvest"}
    addresses = {one["url"] for operation in read.operations for one in operation.methods}
    assert addresses == {service.url}


def test_pages_hold_each_record_once_and_count_as_harvesters_want(catalogue: Any, service: Any) -> None:
    made_ = {catalogue(name=f"images-spot-{2010 + n}", title=f"SPOT {2010 + n}")["id"] for n in range(5)}
    service.sync()
    read: Any = CatalogueServiceWeb(service.url, version="2.0.2")
    seen: list[str] = []
    begin = 1
    while begin:
        read.getrecords2(typenames="gmd:MD_Metadata", outputschema=GMD, esn="full", startposition=begin, maxrecords=2)
        assert read.results["matches"] == 5 and read.results["returned"] == len(read.records) <= 2
        seen += read.records
        begin = read.results["nextrecord"]
    assert (len(seen), set(seen)) == (5, made_)
    beyond = asked(service, startposition=6).find(f"{CSW}SearchResults")
    assert (beyond.get("numberOfRecordsMatched"), beyond.get("numberOfRecordsReturned"), len(beyond)) == ("5", "0", 0)
    assert beyond.get("nextRecord") == "0", "a client that follows it would begin anew"
    most = asked(service, maxrecords=100_000).find(f"{CSW}SearchResults")
    assert (most.get("numberOfRecordsReturned"), most.get("nextRecord"), len(most)) == ("5", "0", 5)


def test_a_page_says_the_greatest_number_that_is_served(
    catalogue: Any, store: Any, ckan_config: Any, monkeypatch: Any, tmp_path: Path, request: Any
) -> None:
    monkeypatch.setattr(filled, "MOST", 3)
    for n in range(5):
        catalogue(name=f"images-spot-{2010 + n}")
    service = request.getfixturevalue("service")
    service.sync()
    page = asked(service, maxrecords=50).find(f"{CSW}SearchResults")
    assert (page.get("numberOfRecordsReturned"), page.get("nextRecord"), len(page)) == ("3", "4", 3)


def test_a_record_by_its_identifier_is_that_of_the_folder(app: Any, catalogue: Any, service: Any, schema: Any) -> None:
    series = catalogue()
    service.sync()
    read: Any = CatalogueServiceWeb(service.url, version="2.0.2")
    read.getrecordbyid([series["id"]], outputschema=GMD, esn="full")
    assert read.records[series["id"]].identification[0].title == "SPOT 6/7 – 2019"
    mine = etree.fromstring(app.get("/dinamis/iso/images-spot-2019.xml").get_data())
    query = {"service": "CSW", "version": "2.0.2", "request": "GetRecordById", "id": series["id"],
             "outputschema": GMD, "elementsetname": "full"}  # fmt: skip
    (theirs,) = etree.fromstring(requests.get(service.url, params=query, timeout=30).content)
    assert same(theirs, mine)
    assert schema.validate(etree.fromstring(etree.tostring(theirs))), schema.error_log
    listed = asked(service).find(f"{CSW}SearchResults")
    assert same(listed[0], mine)


def test_records_are_found_by_place_words_and_date(catalogue: Any, service: Any) -> None:
    here = catalogue()["id"]
    ring = "[[[3,43],[4,43],[4,44],[3,44],[3,43]]]"
    there = catalogue(name="images-pleiades-2020", title="Pléiades – 2020", notes="Le littoral du Languedoc",
                      spatial=f'{{"type":"Polygon","coordinates":{ring}}}')["id"]  # fmt: skip
    nowhere = catalogue(name="images-nowhere", title="Sans emprise", spatial="")["id"]
    service.sync()
    read: Any = CatalogueServiceWeb(service.url, version="2.0.2")

    def found(*conditions: Any) -> set[str]:
        read.getrecords2(constraints=list(conditions), typenames="csw:Record", esn="summary", maxrecords=10)
        return set(read.records)

    assert found() == {here, there, nowhere}
    assert found(BBox([44.8, -0.6, 44.9, -0.5])) == {here}, (
        "without a system: EPSG:4326 as it is defined, latitude first"
    )
    assert found(BBox([43.1, 3.1, 43.2, 3.2], crs="urn:ogc:def:crs:EPSG::4326")) == {there}
    assert found(BBox([3.1, 43.1, 3.2, 43.2], crs="urn:ogc:def:crs:OGC:1.3:CRS84")) == {there}
    assert found(BBox([50, 10, 51, 11])) == set()
    assert found(PropertyIsLike("csw:AnyText", "%languedoc%")) == {there}
    assert found(PropertyIsLike("csw:AnyText", "%ortho-imagerie%")) == {here, there, nowhere}
    assert found(PropertyIsEqualTo("dc:title", "Pléiades – 2020")) == {there}
    assert found(PropertyIsLike("csw:AnyText", "%x' OR '1'='1%")) == set()
    read.getrecords2(constraints=[PropertyIsEqualTo("dc:title", "Pléiades – 2020")], esn="full", maxrecords=10)
    record = read.records[there]
    assert (record.type, record.bbox.minx, record.bbox.maxy) == ("series", "3.0", "44.0")
    assert any("/dinamis/stac/" in link["url"] for link in record.references)


@pytest.mark.parametrize(
    "position",
    [
        "0)',4326))/**/or/**/1=(select/**/1/**/from/**/harvest_run)/**/or/**/st_intersects(wkb_geometry,"
        "st_geomfromtext('POINT(0 0",
        "0 0)',4326))/**/or/**/true/**/or/**/st_intersects(wkb_geometry,st_geomfromtext('POINT(0/**/0",
        "0 0)',4326));delete/**/from/**/csw_record;--",
        "pg_sleep(9) 0",
    ],
)
def test_what_a_filter_calls_coordinates_never_becomes_sql(
    catalogue: Any, service: Any, store: Any, position: str
) -> None:
    catalogue()
    service.sync()
    assert "the document is not valid" in filtered(service, point(position))
    # pycsw does not validate what looks like a transaction.
    answer = filtered(service, point(position), "<csw:Insert/>")
    assert "ExceptionReport" in answer and "SearchResults" not in answer, answer
    assert "Untrusted" in service.log.read_text()
    assert len(rows(store)) == 1
    for inside in ("", "<csw:Insert/>"):
        assert 'numberOfRecordsMatched="1"' in filtered(service, point("44.8 -0.5"), inside)


def test_it_reads_and_nothing_else(catalogue: Any, service: Any, store: Any, tmp_path: Path) -> None:
    series = catalogue()
    service.sync()
    held = rows(store)
    deletion = f"""<csw:Transaction xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" service="CSW" version="2.0.2"
        xmlns:ogc="http://www.opengis.net/ogc"><csw:Delete typeName="csw:Record"><csw:Constraint version="1.1.0">
        <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>dc:identifier</ogc:PropertyName><ogc:Literal>
        {series["id"]}</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter></csw:Constraint></csw:Delete>
        </csw:Transaction>"""
    assert "Transaction operations are not supported" in posted(service, deletion).text
    assert (
        "ExceptionReport"
        in requests.get(
            service.url,
            params={"service": "CSW", "version": "2.0.2", "request": "Harvest", "source": "http://127.0.0.1/"},
            timeout=30,
        ).text
    )
    assert rows(store) == held
    other = tmp_path / "other.cfg"
    other.write_text((tmp_path / "csw.cfg").read_text().replace("Catalogue des", "Un autre"))
    for words in ({"config": str(other)}, {"responseHandler": "ftp://127.0.0.1/x"}):
        query = {"service": "CSW", "version": "2.0.2", "request": "GetCapabilities", **words}
        assert requests.get(service.url, params=query, timeout=30).status_code == 400
    handler = (
        '<csw:GetRecords xmlns:csw="c"><csw:ResponseHandler>ftp://127.0.0.1/x</csw:ResponseHandler></csw:GetRecords>'
    )
    assert posted(service, handler).status_code == 400
    assert posted(service, "x" * 300_000).status_code == 413
    assert requests.put(service.url, timeout=30).status_code == 405


def test_its_connection_writes_nothing(store: Any, ckan_config: Any, monkeypatch: Any) -> None:
    import configparser

    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.csw_url", "http://x/")
    read = configparser.ConfigParser()
    read.read_string(filled.settings())
    engine = sa.create_engine(read.get("repository", "database"), future=True)
    with pytest.raises(sa.exc.DBAPIError, match="read-only"), engine.begin() as connection:
        connection.execute(csw_records.delete())
    engine.dispose()


def test_the_folder_names_it_where_there_is_one(app: Any, catalogue: Any, ckan_config: Any, monkeypatch: Any) -> None:
    catalogue()
    assert "CSW" not in app.get("/dinamis/iso/").body
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.csw_url", "https://catalogue.example/csw")
    assert "<code>https://catalogue.example/csw</code>" in app.get("/dinamis/iso/").body
