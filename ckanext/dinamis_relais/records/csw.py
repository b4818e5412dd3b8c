"""A record in ISO 19139 as a row of pycsw's: what its filters search and its short answers show. Pure.

The columns are those that pycsw itself fills from such a record (``pycsw.core.metadata``); a test compares both.
"""

from __future__ import annotations

from typing import Any

from lxml import etree  # type: ignore[attr-defined]

from ckanext.dinamis_relais.records.iso import GMD, NS

#: Between the French texts and the alternate ones, which anytext holds too and the other columns do not.
_TEXT = "gco:CharacterString"
_DATA = "gmd:identificationInfo/gmd:MD_DataIdentification"
_TIME = ".//gmd:EX_TemporalExtent//{http://www.opengis.net/gml}"
#: Column → where its text is. The first that is found counts.
_PLACES = {
    "identifier": "gmd:fileIdentifier/gco:CharacterString",
    "language": "gmd:language/*",
    "type": "gmd:hierarchyLevel/gmd:MD_ScopeCode",
    "parentidentifier": "gmd:parentIdentifier/gco:CharacterString",
    "date": "gmd:dateStamp/*",
    "date_modified": "gmd:dateStamp/*",
    "source": "gmd:dataSetURI/gco:CharacterString",
    "title": f"{_DATA}/gmd:citation//gmd:title/{_TEXT}",
    "abstract": f"{_DATA}/gmd:abstract/{_TEXT}",
    "keywordstype": f"{_DATA}/gmd:descriptiveKeywords//gmd:MD_KeywordTypeCode",
    "topicategory": f"{_DATA}/gmd:topicCategory/gmd:MD_TopicCategoryCode",
    "resourcelanguage": f"{_DATA}/gmd:language/*",
    "organization": f"{_DATA}/gmd:pointOfContact//gmd:organisationName/{_TEXT}",
    "accessconstraints": f"{_DATA}//gmd:accessConstraints/gmd:MD_RestrictionCode",
    "otherconstraints": f"{_DATA}//gmd:otherConstraints/{_TEXT}",
    "conditionapplyingtoaccessanduse": f"{_DATA}//gmd:useLimitation/{_TEXT}",
    "distancevalue": f"{_DATA}//gmd:distance/gco:Distance",
    "time_begin": f"{_TIME}beginPosition",
    "time_end": f"{_TIME}endPosition",
    "responsiblepartyrole": "gmd:contact//gmd:CI_RoleCode",
    "lineage": ".//gmd:lineage//gmd:statement/gco:CharacterString",
}


def row_of(xml: bytes) -> dict[str, str | None]:
    """The row of a record, but for when it is written.

    :param xml: as ``/dinamis/iso/`` answers it
    :returns: column → text, None where the record says nothing
    """
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False))
    row: dict[str, str | None] = {column: _text(root.find(path, NS)) for column, path in _PLACES.items()}
    return {
        **row, "typename": "gmd:MD_Metadata", "schema": GMD, "mdsource": "local", "xml": xml.decode(),
        "anytext": " ".join(one.strip() for one in root.itertext() if one.strip()),
        "date_revision": _dated(root, "revision"), "keywords": _keywords(root),
        "distanceuom": _attribute(root, f"{_DATA}//gmd:distance/gco:Distance", "uom"),
        "wkt_geometry": _box(root), "links": _links(root),
    }  # fmt: skip


def _text(found: Any) -> str | None:
    """An element's text; of a code without one, its value."""
    if found is None:
        return None
    return (found.text or "").strip() or found.get("codeListValue")


def _attribute(root: Any, path: str, name: str) -> str | None:
    found = root.find(path, NS)
    return None if found is None else found.get(name)


def _dated(root: Any, kind: str) -> str | None:
    for one in root.findall(f"{_DATA}/gmd:citation//gmd:CI_Date", NS):
        if one.find(".//gmd:CI_DateTypeCode", NS).get("codeListValue") == kind:
            return _text(one.find("gmd:date/*", NS))
    return None


def _keywords(root: Any) -> str | None:
    found = [_text(one) for one in root.findall(f"{_DATA}/gmd:descriptiveKeywords//gmd:keyword/{_TEXT}", NS)]
    return ",".join(one for one in found if one) or None


def _box(root: Any) -> str | None:
    """The extent as a polygon (degrees, longitude first)."""
    box = root.find(".//gmd:EX_GeographicBoundingBox", NS)
    if box is None:
        return None
    names = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
    west, south, east, north = (str(float(_text(box.find(f"gmd:{name}/*", NS)) or "")) for name in names)
    corners = ((west, south), (west, north), (east, north), (east, south), (west, south))
    return f"POLYGON(({', '.join(' '.join(corner) for corner in corners)}))"


def _links(root: Any) -> str | None:
    """The links as pycsw keeps them: ``name,description,protocol,url`` between ``^``."""
    found = []
    for one in root.findall(".//gmd:transferOptions//gmd:CI_OnlineResource", NS):
        parts = [
            _text(one.find(f"gmd:{name}", NS))
            for name in (f"name/{_TEXT}", f"description/{_TEXT}", f"protocol/{_TEXT}")
        ]
        # What separates them may stand in none of them; an address has its own way to write it.
        said = [(part or "").replace(",", " ").replace("^", " ") for part in parts]
        url = (_text(one.find("gmd:linkage/gmd:URL", NS)) or "").replace(",", "%2C").replace("^", "%5E")
        found.append(",".join([*said, url]))
    return "^".join(found) or None
