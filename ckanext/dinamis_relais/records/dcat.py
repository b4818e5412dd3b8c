"""DCAT-AP 3: what ckanext-dcat's own profile cannot know of an imagery series. Comes after ``euro_dcat_ap_3``."""

from __future__ import annotations

from typing import Any

from rdflib import BNode, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS, SKOS, XSD, Namespace

from ckanext.dcat.profiles import RDFProfile
from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery.datasets import site_url
from ckanext.dinamis_relais.imagery.series import DATASET_TYPE
from ckanext.dinamis_relais.records import actions, mcf

DCAT = Namespace("http://www.w3.org/ns/dcat#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
#: INSPIRE's register of themes, and the theme of orthoimagery in it.
THEMES, THEME = URIRef("http://inspire.ec.europa.eu/theme"), URIRef("http://inspire.ec.europa.eu/theme/oi")
FRENCH = URIRef("http://publications.europa.eu/resource/authority/language/FRA")
#: Conformance class of STAC's API, which the service names as what it conforms to.
STAC = URIRef("https://api.stacspec.org/v1.0.0/item-search")


class ImagerySeriesProfile(RDFProfile):
    """Adds licence, credit, theme, resolution, contact and the STAC API to an imagery series, to nothing else."""

    def graph_from_dataset(self, dataset_dict: dict[str, Any], dataset_ref: Any) -> None:
        """Add the triples of a series.

        :param dataset_dict: as ``package_show`` answers it
        :param dataset_ref: its subject in the graph
        """
        if dataset_dict.get("type") != DATASET_TYPE:
            return
        self.g.bind("dcat", DCAT)
        terms = actions.terms_of(dataset_dict)
        self._about(dataset_dict, dataset_ref, terms)
        self._contact(dataset_ref)
        service = self._service(dataset_ref)
        for distribution in self.g.objects(dataset_ref, DCAT.distribution):
            for address in list(self.g.objects(distribution, DCAT.accessURL)):
                if "/dinamis/stac/" in str(address):
                    self.g.add((distribution, DCAT.accessService, service))
            self._licence(distribution, dataset_dict, terms)

    def _about(self, series: dict[str, Any], ref: Any, terms: mcf.Terms) -> None:
        self.g.set((ref, DCAT.landingPage, self._page(f"{site_url()}/{DATASET_TYPE}/{series['name']}")))
        self.g.set((ref, DCTERMS.language, FRENCH))
        self.g.add((FRENCH, RDF.type, DCTERMS.LinguisticSystem))
        self._theme(ref)
        resolution = series.get("resolution")
        if resolution:
            self.g.set((ref, DCAT.spatialResolutionInMeters, Literal(str(resolution), datatype=XSD.decimal)))
        for language, text in self._languages(mcf.lineage(series)):
            self._statement(ref, DCTERMS.provenance, DCTERMS.ProvenanceStatement, text, language)
        if terms.credit:
            self._statement(ref, DCTERMS.rights, DCTERMS.RightsStatement, terms.credit, "fr")

    def _page(self, address: str) -> URIRef:
        page = URIRef(address)
        self.g.add((page, RDF.type, FOAF.Document))
        return page

    def _theme(self, ref: Any) -> None:
        self.g.add((ref, DCAT.theme, THEME))
        self.g.add((THEME, RDF.type, SKOS.Concept))
        self.g.add((THEME, SKOS.inScheme, THEMES))
        self.g.add((THEMES, RDF.type, SKOS.ConceptScheme))
        self.g.add((THEMES, DCTERMS.title, Literal(mcf.THEMES, lang="en")))
        for language, text in self._languages(mcf.THEME):
            self.g.add((THEME, SKOS.prefLabel, Literal(text, lang=language)))

    def _contact(self, ref: Any) -> None:
        """Who answers: the body that runs this site, unless the dataset names somebody."""
        if (ref, DCAT.contactPoint, None) in self.g:
            return
        contact = BNode()
        self.g.add((ref, DCAT.contactPoint, contact))
        self.g.add((contact, RDF.type, VCARD.Organization))
        self.g.add((contact, VCARD.fn, Literal(config.relay_operator())))
        if config.contact_email():
            self.g.add((contact, VCARD.hasEmail, URIRef(f"mailto:{config.contact_email()}")))

    def _service(self, ref: Any) -> URIRef:
        """The STAC API, which serves the series' scenes."""
        root = f"{site_url()}/dinamis/stac"
        service = URIRef(root)
        self.g.add((service, RDF.type, DCAT.DataService))
        self.g.add((service, DCTERMS.title, Literal("Scènes des images satellite (API STAC)", lang="fr")))
        self.g.add((service, DCTERMS.title, Literal("Scenes of the satellite images (STAC API)", lang="en")))
        self.g.add((service, DCAT.endpointURL, URIRef(root)))
        self.g.add((service, DCAT.endpointDescription, URIRef(f"{root}/api")))
        self.g.add((service, DCTERMS.conformsTo, STAC))
        self.g.add((STAC, RDF.type, DCTERMS.Standard))
        self.g.add((service, DCAT.servesDataset, ref))
        return service

    def _licence(self, distribution: Any, series: dict[str, Any], terms: mcf.Terms) -> None:
        """The operator's licence; without one, what the source announces."""
        if terms.url:
            licence: Any = URIRef(terms.url)
        else:
            licence = BNode()
        self.g.remove((distribution, DCTERMS.license, None))
        self.g.add((distribution, DCTERMS.license, licence))
        self.g.add((licence, RDF.type, DCTERMS.LicenseDocument))
        name = mcf.constraints(series, terms)["license"]["name"]
        for language, text in self._languages(name):
            self.g.add((licence, DCTERMS.title, Literal(text, lang=language)))
            self.g.add((licence, RDFS.label, Literal(text, lang=language)))

    def _statement(self, ref: Any, predicate: Any, kind: Any, text: str, language: str) -> None:
        node = BNode()
        self.g.add((ref, predicate, node))
        self.g.add((node, RDF.type, kind))
        self.g.add((node, RDFS.label, Literal(text, lang=language)))

    @staticmethod
    def _languages(texts: dict[str, str]) -> list[tuple[str, str]]:
        return [("fr", texts[mcf.FRENCH]), ("en", texts[mcf.ENGLISH])]
