"""ISO 19139 (gmd, 2006-05-04) by pygeometa, and what INSPIRE asks for beyond what it writes. Pure."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree  # type: ignore[attr-defined]
from pygeometa.schemas.iso19139 import ISO19139OutputSchema

from ckanext.dinamis_relais.records.mcf import ENGLISH, THEMES

GMD, GCO = "http://www.isotc211.org/2005/gmd", "http://www.isotc211.org/2005/gco"
NS = {"gmd": GMD, "gco": GCO}
#: Characters that XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Day on which the vocabulary of INSPIRE themes was published.
THEMES_DATE = "2008-06-01"
REGULATION = (
    "Règlement (UE) n° 1089/2010 de la Commission du 23 novembre 2010 portant modalités d'application de la directive "
    "2007/2/CE en ce qui concerne l'interopérabilité des séries et des services de données géographiques"
)
REGULATION_DATE = "2010-12-08"


def record(mcf: dict[str, Any], resolution: str = "", credit: str = "") -> bytes:
    """A record as XML.

    :param mcf: of :func:`mcf.mcf_of`
    :param resolution: ground sampling distance in metres; empty when unknown
    :param credit: line to print beside the images
    """
    content = _clean(mcf)
    spatial = content["identification"]["extents"]["spatial"]
    nowhere = not spatial
    if nowhere:  # pygeometa needs one; it is taken out again below
        spatial.append({"bbox": ["0", "0", "0", "0"], "crs": 4326})
    written = str(ISO19139OutputSchema().write(content))
    root = etree.fromstring(written.encode(), etree.XMLParser(remove_blank_text=True, resolve_entities=False))
    _drop(root, nowhere)
    _locale(root)
    _roles(root)
    data = root.find(".//gmd:MD_DataIdentification", NS)
    _identifier(data, mcf["metadata"]["dataseturi"])
    if credit:
        _after(data, _text("credit", _clean(credit)), "abstract", "purpose")
    if resolution:
        _after(data, _resolution(resolution), "spatialRepresentationType")
    _thesaurus(data)
    _conformity(root.find(".//gmd:DQ_DataQuality", NS))
    etree.indent(root)
    # Without the declaration, which UTF-8 does not need: ckanext-spatial's harvesters stumble on a named coding.
    return etree.tostring(root, xml_declaration=False, encoding="UTF-8")


def _clean(value: Any) -> Any:
    """Without what XML cannot hold: one record that breaks would end the whole harvest of another catalogue."""
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return _FORBIDDEN.sub(" ", value) if isinstance(value, str) else value


def _drop(root: Any, nowhere: bool) -> None:
    """What pygeometa writes though it does not know it.

    It names the system of the extent as that of the images, and adds empty telephones, codes and sections.
    """
    for path in ("gmd:referenceSystemInfo", "gmd:spatialRepresentationInfo", "gmd:metadataMaintenance",
                 ".//gmd:phone", ".//gmd:postalCode"):  # fmt: skip
        for one in root.findall(path, NS):
            if not "".join(one.itertext()).strip() or path.startswith("gmd:"):
                one.getparent().remove(one)
    if nowhere:
        extent = root.find(".//gmd:extent/gmd:EX_Extent", NS)
        extent.remove(extent.find("gmd:geographicElement", NS))
    # Three contacts of one person would share an identifier that nothing refers to.
    for one in root.findall(".//gmd:CI_ResponsibleParty[@id]", NS):
        del one.attrib["id"]


def _locale(root: Any) -> None:
    """The identifier of the other language is the one that its texts refer to."""
    root.find("gmd:locale/gmd:PT_Locale", NS).set("id", ENGLISH)


def _roles(root: Any) -> None:
    """Who answers for the metadata is a point of contact (INSPIRE); pygeometa takes the key of the contact."""
    role = root.find("gmd:contact//gmd:CI_RoleCode", NS)
    role.set("codeListValue", "pointOfContact")
    role.text = "pointOfContact"


def _identifier(data: Any, uri: str) -> None:
    """The series' unique identifier."""
    code = _element("code", _characters(uri))
    citation = data.find("gmd:citation/gmd:CI_Citation", NS)
    _after(citation, _element("identifier", _element("MD_Identifier", code)), "title", "date", "edition")


def _resolution(metres: str) -> Any:
    distance = etree.Element(f"{{{GCO}}}Distance", uom="m")
    distance.text = metres
    return _element("spatialResolution", _element("MD_Resolution", _element("distance", distance)))


def _thesaurus(data: Any) -> None:
    """Date of the vocabulary of themes, and a vocabulary's title as plain text, which every catalogue reads."""
    for citation in data.findall(".//gmd:thesaurusName/gmd:CI_Citation", NS):
        if "".join(citation.find("gmd:title", NS).itertext()).strip() == THEMES:
            old = citation.find("gmd:date", NS)
            citation.replace(old, _date(THEMES_DATE))
            citation.replace(citation.find("gmd:title", NS), _text("title", THEMES))


def _conformity(quality: Any) -> None:
    """Conformity to INSPIRE's regulation: not evaluated, which has to be said too."""
    specification = _element("CI_Citation", _text("title", REGULATION), _date(REGULATION_DATE))
    passed = _element("pass")
    passed.set(f"{{{GCO}}}nilReason", "unknown")
    result = _element("DQ_ConformanceResult", _element("specification", specification),
                      _text("explanation", "Conformité non évaluée."), passed)  # fmt: skip
    report = _element("report", _element("DQ_DomainConsistency", _element("result", result)))
    _after(quality, report, "scope")


def _date(day: str) -> Any:
    value = etree.Element(f"{{{GCO}}}Date")
    value.text = day
    kind = etree.Element(
        f"{{{GMD}}}CI_DateTypeCode", codeListValue="publication",
        codeList="http://www.isotc211.org/2005/resources/Codelist/gmxCodelists.xml#CI_DateTypeCode",
    )  # fmt: skip
    kind.text = "publication"
    return _element("date", _element("CI_Date", _element("date", value), _element("dateType", kind)))


def _element(name: str, *children: Any) -> Any:
    made = etree.Element(f"{{{GMD}}}{name}")
    made.extend(children)
    return made


def _characters(text: str) -> Any:
    made = etree.Element(f"{{{GCO}}}CharacterString")
    made.text = text
    return made


def _text(name: str, text: str) -> Any:
    return _element(name, _characters(text))


def _after(parent: Any, child: Any, *names: str) -> None:
    """Put a child behind the last of those that the schema wants before it."""
    before = [one for one in parent if etree.QName(one).localname in names]
    parent.insert(parent.index(before[-1]) + 1, child)
