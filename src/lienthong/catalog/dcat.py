"""The catalogue as DCAT-AP 3: a graph for one dataset, for a page of the catalogue, and everything streamed a dataset at a time.

Addresses of things are stable and lead somewhere: `/catalog`, `/dataset/{id}`, `/agency/{code}`, `/theme/{theme}`. What is open has distributions and data
services for every way of getting it; what is not is listed with its access rights and no link to data. Titles are in both languages, dates typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

from lienthong.catalog.completeness import contacts, focal_officer
from lienthong.catalog.dcat_forms import ON_A_PAGE, Known
from lienthong.catalog.measuring import promised_seconds
from lienthong.catalog.triples import RDF, Iri, Literal, Statements, Vocabulary, written
from lienthong.catalog.ways import FILE, NAMES, Way, ways_of
from lienthong.contracts import LICENCES, Contract, Layer, Sharing

DCAT = Vocabulary("http://www.w3.org/ns/dcat#")
DCTERMS = Vocabulary("http://purl.org/dc/terms/")
FOAF = Vocabulary("http://xmlns.com/foaf/0.1/")
SKOS = Vocabulary("http://www.w3.org/2004/02/skos/core#")
XSD = Vocabulary("http://www.w3.org/2001/XMLSchema#")
VCARD = Vocabulary("http://www.w3.org/2006/vcard/ns#")
HYDRA = Vocabulary("http://www.w3.org/ns/hydra/core#")
DCATAP = Vocabulary("http://data.europa.eu/r5r/")
ADMS = Vocabulary("http://www.w3.org/ns/adms#")
ELI = Vocabulary("http://data.europa.eu/eli/ontology#")
_PREFIXES = {
    "dcat": DCAT, "dct": DCTERMS, "foaf": FOAF, "skos": SKOS, "vcard": VCARD, "xsd": XSD, "hydra": HYDRA, "dcatap": DCATAP, "adms": ADMS, "eli": ELI,
}  # fmt: skip
_EU = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"
_FREQUENCIES = (
    (0, "UPDATE_CONT"), (3600, "HOURLY"), (86400, "DAILY"), (7 * 86400, "WEEKLY"), (28 * 86400, "MONTHLY"), (89 * 86400, "QUARTERLY"),
    (180 * 86400, "ANNUAL_2"), (364 * 86400, "ANNUAL"), (700 * 86400, "BIENNIAL"),
)  # fmt: skip
_FILE_TYPES = {"csv": "CSV", "xlsx": "XLSX", "parquet": "PARQUET", "json_file": "JSON", "json": "JSON"}
_THEMES = {
    "statistics": "SOCI", "population": "SOCI", "environment": "ENVI", "land": "REGI", "business": "ECON", "reference": "GOVE", "social-protection": "SOCI",
    "social-insurance": "SOCI", "health": "HEAL", "health-insurance": "HEAL", "civil-status": "SOCI", "officials": "GOVE",
    "admin-dossiers": "GOVE", "public-investment": "ECON", "education": "EDUC", "transport": "TRAN", "agriculture": "AGRI",
}  # fmt: skip
_RIGHTS = {Sharing.OPEN: "PUBLIC", Sharing.DEFAULT: "RESTRICTED", Sharing.ON_REQUEST: "RESTRICTED", Sharing.RESTRICTED: "NON_PUBLIC"}


@dataclass(frozen=True)
class Publisher:
    """The catalogue's own facts: public address, titles, who keeps it, names of agencies."""

    base: str
    title_vi: str
    title_en: str
    agencies: Mapping[str, str]
    names: Mapping[str, str]

    def iri(self, *parts: str) -> Iri:
        return Iri("/".join((self.base, *(quote(part, safe="") for part in parts))))


def catalog_graph(publisher: Publisher, page: Sequence[Known], number: int, total: int, size: int, address: str) -> Statements:
    """A page of the catalogue: the catalogue itself, the datasets of the page whole, and where the other pages are. `address`: of this document, without query."""
    graph = Statements()
    _catalog(graph, publisher)
    for known in page:
        add_dataset(graph, publisher, known)
        graph.add(publisher.iri("catalog"), DCAT.dataset, publisher.iri("dataset", known.contract.id))
    _view(graph, publisher, number, total, size, address)
    return graph


def dataset_graph(publisher: Publisher, known: Known) -> Statements:
    """One dataset with its distributions, services, publisher and contact."""
    graph = Statements()
    add_dataset(graph, publisher, known)
    return graph


def document(graph: Statements, form: str) -> bytes:
    """A graph as one document."""
    return b"".join(written([graph], form, _PREFIXES))


def stream(publisher: Publisher, everything: Iterable[Known], form: str) -> Iterator[bytes]:
    """The whole catalogue, a dataset at a time: however many there are, one is in memory."""
    head = Statements()
    _catalog(head, publisher)
    return written(chain([head], (_linked(publisher, known) for known in everything)), form, _PREFIXES)


def _linked(publisher: Publisher, known: Known) -> Statements:
    graph = dataset_graph(publisher, known)
    graph.add(publisher.iri("catalog"), DCAT.dataset, publisher.iri("dataset", known.contract.id))
    return graph


def _catalog(graph: Statements, publisher: Publisher) -> None:
    catalog, keeper = publisher.iri("catalog"), publisher.iri("catalog", "publisher")
    graph.add(catalog, RDF.type, DCAT.Catalog)
    _both(graph, catalog, DCTERMS.title, publisher.title_vi, publisher.title_en)
    _both(
        graph, catalog, DCTERMS.description, "Dữ liệu của các cơ quan trong tỉnh: có gì, của ai, lấy thế nào.",
        "The data of the province's agencies: what there is, whose it is, how to get it.",
    )  # fmt: skip
    graph.add(catalog, DCTERMS.publisher, keeper)
    graph.add(keeper, RDF.type, FOAF.Agent)
    _both(graph, keeper, FOAF.name, publisher.title_vi, publisher.title_en)
    graph.add(catalog, FOAF.homepage, Iri(publisher.base + "/datasets"))
    graph.add(Iri(publisher.base + "/datasets"), RDF.type, FOAF.Document)
    for code in ("VIE", "ENG"):
        _typed(graph, catalog, DCTERMS.language, _EU + "language/" + code, DCTERMS.LinguisticSystem)
    graph.add(catalog, DCAT.themeTaxonomy, publisher.iri("theme"))
    graph.add(publisher.iri("theme"), RDF.type, SKOS.ConceptScheme)
    _both(graph, publisher.iri("theme"), DCTERMS.title, "Lĩnh vực", "Themes")


def _view(graph: Statements, publisher: Publisher, number: int, total: int, size: int, address: str) -> None:
    """Where this page stands among all: in today's words of Hydra and in those harvesters still ask for."""
    last = max(1, -(-total // size))

    def page(which: int) -> Iri:
        return Iri(f"{address}?page={which}" + ("" if size == ON_A_PAGE else f"&size={size}"))

    view, catalog = page(number), publisher.iri("catalog")
    graph.add(catalog, HYDRA.view, view)
    graph.add(catalog, HYDRA.totalItems, _count(total))
    graph.add(view, RDF.type, HYDRA.PartialCollectionView)
    graph.add(view, RDF.type, HYDRA.PagedCollection)
    graph.add(view, HYDRA.totalItems, _count(total))
    graph.add(view, HYDRA.itemsPerPage, _count(size))
    for words, which in (
        ((HYDRA.first, HYDRA.firstPage), 1),
        ((HYDRA.last, HYDRA.lastPage), last),
        ((HYDRA.previous, HYDRA.previousPage), number - 1),
        ((HYDRA.next, HYDRA.nextPage), number + 1),
    ):
        if 1 <= which <= last:
            for word in words:
                graph.add(view, word, page(which))


def add_dataset(graph: Statements, publisher: Publisher, known: Known) -> None:
    """A dataset and everything that hangs on it."""
    contract, dataset = known.contract, publisher.iri("dataset", known.contract.id)
    page = Iri(f"{publisher.base}/datasets/{quote(contract.id)}")
    graph.add(dataset, RDF.type, DCAT.Dataset)
    _both(graph, dataset, DCTERMS.title, contract.title_vi, contract.title_en)
    _both(graph, dataset, DCTERMS.description, contract.description_vi or contract.title_vi, contract.description_en or contract.title_en)
    graph.add(dataset, DCTERMS.identifier, Literal(contract.id))
    graph.add(dataset, DCAT.landingPage, page)
    graph.add(page, RDF.type, FOAF.Document)
    for when, word in ((known.issued, DCTERMS.issued), (known.modified, DCTERMS.modified)):
        if when is not None:
            graph.add(dataset, word, Literal(when.isoformat(timespec="seconds"), datatype=XSD.dateTime))
    graph.add(dataset, DCAT.version, Literal(f"{contract.version}+{known.version}"))
    _both(
        graph,
        dataset,
        ADMS.versionNotes,
        f"Hợp đồng {contract.version}, phiên bản dữ liệu {known.version}",
        f"Contract {contract.version}, data version {known.version}",
    )
    _agent(graph, publisher, dataset, contract)
    _context(graph, publisher, dataset, contract, is_given=known.is_given)
    for p in contract.properties:
        graph.add(dataset, DCAT.keyword, Literal(p.title_vi, "vi"))
    if known.is_given:
        for way in ways_of(contract):
            if way.is_data:
                _way(graph, publisher, dataset, contract, way)


def _agent(graph: Statements, publisher: Publisher, dataset: Iri, contract: Contract) -> None:
    agency, contact = publisher.iri("agency", contract.agency), Iri(f"{dataset}#contact")
    graph.add(dataset, DCTERMS.publisher, agency)
    graph.add(agency, RDF.type, FOAF.Agent)
    graph.add(agency, RDF.type, FOAF.Organization)
    graph.add(agency, FOAF.name, Literal(publisher.agencies.get(contract.agency, contract.agency), "vi"))
    graph.add(agency, DCTERMS.identifier, Literal(contract.agency))
    graph.add(dataset, DCAT.contactPoint, contact)
    graph.add(contact, RDF.type, VCARD.Kind)
    vietnamese, _, english = (focal_officer(contract) or "Đầu mối dữ liệu · Focal officer").partition(" · ")
    _both(graph, contact, VCARD.fn, vietnamese, english)
    for each in contacts(contract):
        kind = each["address"].partition(":")[0].lower()
        if kind in ("mailto", "tel"):
            graph.add(contact, VCARD.hasEmail if kind == "mailto" else VCARD.hasTelephone, Iri(each["address"]))
    graph.add(contact, VCARD.hasURL, Iri(f"{publisher.base}/catalogue/agency/{quote(contract.agency)}"))


def _context(graph: Statements, publisher: Publisher, dataset: Iri, contract: Contract, *, is_given: bool) -> None:
    """Rights, frequency, theme, language, law."""
    rights = _RIGHTS[contract.sharing] if is_given or contract.sharing is not Sharing.OPEN else "RESTRICTED"
    _typed(graph, dataset, DCTERMS.accessRights, _EU + "access-right/" + rights, DCTERMS.RightsStatement)
    seconds = promised_seconds(contract)
    if seconds is not None:
        word = [word for least, word in _FREQUENCIES if seconds >= least][-1]
        _typed(graph, dataset, DCTERMS.accrualPeriodicity, _EU + "frequency/" + word, DCTERMS.Frequency)
    _typed(graph, dataset, DCTERMS.language, _EU + "language/VIE", DCTERMS.LinguisticSystem)
    if contract.layer is Layer.AGGREGATE:
        _named(graph, dataset, DCTERMS.type, Iri(_EU + "dataset-type/STATISTICAL"), "Số liệu thống kê", "Statistical data")
    if contract.domain:
        theme = publisher.iri("theme", contract.domain)
        _named(graph, dataset, DCAT.theme, theme, contract.domain, contract.domain)
        graph.add(theme, SKOS.inScheme, publisher.iri("theme"))
        graph.add(publisher.iri("theme"), RDF.type, SKOS.ConceptScheme)
        _both(graph, publisher.iri("theme"), DCTERMS.title, "Lĩnh vực", "Themes")
        if contract.domain in _THEMES:
            code = _THEMES[contract.domain]
            _named(graph, dataset, DCAT.theme, Iri(_EU + "data-theme/" + code), contract.domain, contract.domain)
    for basis in contract.legal_basis:
        law = Iri(f"{publisher.base}/datasets?q={quote(basis.text, safe='')}")
        _typed(graph, dataset, DCATAP.applicableLegislation, str(law), ELI.LegalResource)
        graph.add(law, DCTERMS.title, Literal(basis.text, "vi"))
        if basis.valid_from is not None:
            graph.add(law, ELI.first_date_entry_in_force, Literal(basis.valid_from.isoformat(), datatype=XSD.date))
        if basis.valid_to is not None:
            graph.add(law, ELI.date_no_longer_in_force, Literal(basis.valid_to.isoformat(), datatype=XSD.date))


def _way(graph: Statements, publisher: Publisher, dataset: Iri, contract: Contract, way: Way) -> None:
    """One way to get the data: a distribution, and the service behind it where it is asked in parts."""
    here = Iri(f"{dataset}/distribution/{way.name}")
    address = Iri(publisher.base + way.path(contract, publisher.names or NAMES))
    graph.add(dataset, DCAT.distribution, here)
    graph.add(here, RDF.type, DCAT.Distribution)
    _both(graph, here, DCTERMS.title, way.title_vi, way.title_en)
    graph.add(here, DCAT.accessURL, address)
    if way.kind == FILE:
        graph.add(here, DCAT.downloadURL, address)
    _typed(graph, here, DCAT.mediaType, _IANA + way.media_type, DCTERMS.MediaType)
    if way.name in _FILE_TYPES:
        _typed(graph, here, DCTERMS["format"], _EU + "file-type/" + _FILE_TYPES[way.name], DCTERMS.MediaTypeOrExtent)
    if way.standard:
        _typed(graph, here, DCTERMS.conformsTo, way.standard, DCTERMS.Standard)
    licence = LICENCES.get(contract.licence or "")
    if licence is not None:
        terms = Iri(licence.url or f"{publisher.base}/licence/{licence.code}")
        _typed(graph, here, DCTERMS.license, str(terms), DCTERMS.LicenseDocument)
        _both(graph, terms, DCTERMS.title, licence.title_vi, licence.title_en)
    _named(
        graph,
        here,
        DCATAP.availability,
        Iri("http://publications.europa.eu/resource/authority/planned-availability/STABLE"),
        "Ổn định",
        "Stable",
    )
    if way.kind != FILE:
        _service(graph, publisher, (dataset, here, address), contract, way)


def _service(graph: Statements, publisher: Publisher, nodes: tuple[Iri, Iri, Iri], contract: Contract, way: Way) -> None:
    dataset, here, address = nodes
    service = Iri(f"{dataset}/service/{way.name}")
    graph.add(here, DCAT.accessService, service)
    graph.add(service, RDF.type, DCAT.DataService)
    _both(graph, service, DCTERMS.title, f"{contract.title_vi}: {way.title_vi}", f"{contract.title_en}: {way.title_en}")
    graph.add(service, DCAT.endpointURL, address)
    if way.describes:
        graph.add(service, DCAT.endpointDescription, Iri(publisher.base + way.description(contract)))
    graph.add(service, DCAT.servesDataset, dataset)
    graph.add(service, DCTERMS.publisher, publisher.iri("agency", contract.agency))
    if way.standard:
        _typed(graph, service, DCTERMS.conformsTo, way.standard, DCTERMS.Standard)


def _both(graph: Statements, node: Iri, word: Iri, vietnamese: str, english: str) -> None:
    for text, language in ((vietnamese, "vi"), (english, "en")):
        if text:
            graph.add(node, word, Literal(text, language))


def _typed(graph: Statements, node: Iri, word: Iri, there: str, kind: Iri) -> None:
    """A link to something and, for readers that ask, what that is."""
    graph.add(node, word, Iri(there))
    graph.add(Iri(there), RDF.type, kind)


def _named(graph: Statements, node: Iri, word: Iri, there: Iri, vietnamese: str, english: str) -> None:
    graph.add(node, word, there)
    graph.add(there, RDF.type, SKOS.Concept)
    _both(graph, there, SKOS.prefLabel, vietnamese, english)


def _count(number: int) -> Literal:
    return Literal(str(number), datatype=XSD.integer)
