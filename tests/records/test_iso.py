"""Records in ISO 19139: valid, complete, and a folder that harvesters find their way in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ckan.tests import factories
from ckan.tests.helpers import call_action
from lxml import etree
from owslib.iso import MD_Metadata

from ckanext.dinamis_relais.access.licences import MODEL
from ckanext.dinamis_relais.records import iso, mcf

from .conftest import fields

NS = {
    "gmd": "http://www.isotc211.org/2005/gmd", "gco": "http://www.isotc211.org/2005/gco",
    "gml": "http://www.opengis.net/gml",
}  # fmt: skip
KEEPER = mcf.Keeper("GIP ATGeRi", "relais@test.ckan.net", "http://test.ckan.net")
NONE = mcf.Terms({})


def made(terms: mcf.Terms = NONE, keeper: mcf.Keeper = KEEPER, **changed: Any) -> Any:
    """A record of a series with some of its fields changed, as a tree."""
    series = {"id": "3e5f", **fields(**changed)}
    moment = dt.datetime(2026, 11, 25, 13, 4, 5, tzinfo=dt.timezone.utc)
    content = mcf.mcf_of(series, moment, "http://s/dataset/3e5f", "http://s/imagery-series/x", terms, keeper)
    written = iso.record(content, str(series.get("resolution") or ""), terms.credit)
    return etree.fromstring(written)


def text(tree: Any, path: str) -> str:
    return "".join(tree.find(path, NS).itertext()).strip()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"title": "A <b> & « c » \x0b\x00 \ufffe", "notes": 'x ]]> " ’ \x1f'},
        {"notes": "", "tags": [], "sensors": "", "cloud_mean": "", "resolution": "", "resources": []},
        {"spatial": "", "temporal_start": "", "temporal_end": ""},
        {"spatial": "not JSON", "licence_note": "", "source_url": ""},
        {"spatial": '{"type": "Polygon", "coordinates": []}', "scene_count": 1, "temporal_end": "2019-07-01"},
        {"resources": [{"url": "http://x/?a=<&>\"'", "name": "", "description": ""}]},
    ],
)
@pytest.mark.parametrize(
    "terms", [NONE, mcf.Terms({"fr": "Licence & <x>", "en": "Licence"}, "© A & B \x01", "http://l/?a&b")]
)
def test_every_record_is_valid(schema: Any, changed: dict[str, Any], terms: mcf.Terms) -> None:
    tree = made(terms, **changed)
    assert schema.validate(tree), schema.error_log


def test_a_keeper_without_address_is_valid(schema: Any) -> None:
    assert schema.validate(made(keeper=mcf.Keeper("A & B", "", "http://s"))), schema.error_log


def test_owslib_reads_what_it_says() -> None:
    read: Any = MD_Metadata(made(mcf.Terms({"fr": "Licence SPOT"}, "© crédit")))
    about = read.identification[0]
    assert (read.identifier, read.hierarchy, read.datestamp) == ("3e5f", "series", "2026-11-25T13:04:05Z")
    assert about.title == "SPOT 6/7 – 2019"
    assert about.abstract.startswith("5 scènes acquises")
    box = about.bbox
    assert [float(value) for value in (box.minx, box.miny, box.maxx, box.maxy)] == [-0.9, 44.6, 0.1, 45.1]
    assert (about.temporalextent_start, about.temporalextent_end) == ("2019-07-01", "2019-07-05")
    assert (about.distance, about.uom) == (["1.5"], ["m"])
    assert about.topiccategory == ["imageryBaseMapsEarthCover"]
    assert about.otherconstraints == ["Licence SPOT"]
    assert read.get_all_contacts()[0].organization == "GIP ATGeRi"
    assert [one.protocol for one in read.distribution.online] == [
        "WWW:LINK-1.0-http--link", "WWW:LINK-1.0-http--link", "STAC Items",
    ]  # fmt: skip


def test_it_has_the_theme_of_inspire_with_its_vocabulary() -> None:
    keywords = made().find(".//gmd:descriptiveKeywords", NS)
    assert text(keywords, ".//gmd:keyword/gco:CharacterString") == "Ortho-imagerie"
    assert text(keywords, ".//gmd:thesaurusName//gmd:title") == "GEMET - INSPIRE themes, version 1.0"
    assert text(keywords, ".//gmd:thesaurusName//gco:Date") == "2008-06-01"


def test_english_stands_beside_the_french_under_the_locale_that_is_declared() -> None:
    tree = made()
    locale = tree.find("gmd:locale/gmd:PT_Locale", NS).get("id")
    texts = tree.findall(".//gmd:LocalisedCharacterString", NS)
    assert texts and {one.get("locale") for one in texts} == {f"#{locale}"}
    assert "5 scenes acquired by SPOT 6, SPOT 7, from 2019-07-01" in text(tree, ".//gmd:abstract//gmd:textGroup")


def test_what_is_not_known_is_not_said() -> None:
    tree = made()
    assert tree.find(".//gmd:credit", NS) is None, "no credit line was given"
    assert tree.find("gmd:referenceSystemInfo", NS) is None, "that of the images is not known"
    assert tree.find(".//gmd:pass", NS).get(f"{{{NS['gco']}}}nilReason") == "unknown"
    nowhere = made(spatial="")
    assert nowhere.find(".//gmd:EX_GeographicBoundingBox", NS) is None


def test_the_folder_lists_each_public_series(app: Any, catalogue: Any) -> None:
    first = catalogue()
    catalogue(name="images-spot-2020", title="SPOT 2020")
    catalogue(name="images-hidden", title="Privée", private=True)
    factories.Dataset(owner_org=first["owner_org"])
    page = BeautifulSoup(app.get("/dinamis/iso/").body, "html.parser")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in page.select("tr")[1:]]
    assert [name for name, _ in rows] == ["images-spot-2019.xml", "images-spot-2020.xml"]
    assert rows[0][1] == first["metadata_modified"][:19].replace("T", " ")
    assert page.html["lang"] == "fr"  # type: ignore[index]


def test_a_folder_of_nothing_says_so(app: Any, catalogue: Any) -> None:
    assert "Aucune série" in app.get("/dinamis/iso/").body


def test_a_record_is_valid_and_asked_again_only_when_it_changed(app: Any, catalogue: Any, schema: Any) -> None:
    series = catalogue()
    answer = app.get("/dinamis/iso/images-spot-2019.xml")
    assert answer.headers["Content-Type"].startswith("application/xml")
    tree = etree.fromstring(answer.get_data())
    assert schema.validate(tree), schema.error_log
    assert text(tree, "gmd:fileIdentifier") == series["id"]
    assert text(tree, "gmd:contact//gmd:organisationName") == "GIP ATGeRi"
    tag, moment = answer.headers["ETag"], answer.headers["Last-Modified"]
    for header in ({"If-None-Match": tag}, {"If-Modified-Since": moment}):
        again = app.get("/dinamis/iso/images-spot-2019.xml", headers=header)
        assert (again.status_code, again.get_data()) == (304, b"")
    call_action("package_patch", id=series["id"], title="Autre titre")
    assert app.get("/dinamis/iso/images-spot-2019.xml", headers={"If-None-Match": tag}).status_code == 200


def test_a_private_series_a_plain_dataset_and_nothing_are_no_records(app: Any, catalogue: Any) -> None:
    hidden = catalogue(name="images-hidden", private=True)
    plain = factories.Dataset(owner_org=hidden["owner_org"])
    for name in ("images-hidden", plain["name"], "nothing"):
        app.get(f"/dinamis/iso/{name}.xml", status=404)


def test_a_private_series_is_no_record_for_who_may_see_it_either(app: Any, catalogue: Any) -> None:
    catalogue(name="images-hidden", private=True)
    sysadmin = factories.SysadminWithToken()
    headers = {"Authorization": sysadmin["token"]}
    app.get("/dinamis/iso/images-hidden.xml", headers=headers, status=404)
    assert "images-hidden" not in app.get("/dinamis/iso/", headers=headers).body


def test_the_operators_licence_is_said_and_the_shipped_model_is_not(
    app: Any, catalogue: Any, ckan_config: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    catalogue()
    tree = etree.fromstring(app.get("/dinamis/iso/images-spot-2019.xml").get_data())
    said = text(tree, ".//gmd:otherConstraints/gco:CharacterString")
    assert said == "Licence annoncée par la source : proprietary."
    file = tmp_path / "licences.yaml"
    model = MODEL.read_text(encoding="utf-8").replace("model: true", "model: false")
    file.write_text(model.replace("(modèle, sans valeur)", "officielle"), encoding="utf-8")
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.image_licences", str(file))
    tree = etree.fromstring(app.get("/dinamis/iso/images-spot-2019.xml").get_data())
    assert text(tree, ".//gmd:otherConstraints/gco:CharacterString") == "Licence des images officielle"
    assert text(tree, ".//gmd:credit").startswith("©")
