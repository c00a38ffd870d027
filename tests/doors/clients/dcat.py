"""DCAT, as a harvester and a validator read it with rdflib and pyshacl.

`figure BASE DATASET COLUMN KEY=VALUE…`: by the CSV distribution the catalogue names. `read ADDRESS…`: how many triples, and which datasets.
`validate SHAPES ADDRESS`: whether it conforms, and what is said. `harvest ADDRESS`: every dataset, page after page.
"""

import csv
import io
import json
import sys
import urllib.request

from pyshacl import validate as check
from rdflib import DCAT, DCTERMS, RDF, Graph, Namespace, URIRef

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
FORMS = {"text/turtle": "turtle", "application/rdf+xml": "xml", "application/ld+json": "json-ld"}


def graph_of(address: str, accept: str = "") -> Graph:
    request = urllib.request.Request(address, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request) as answer:
        form = FORMS[answer.headers["Content-Type"].partition(";")[0]]
        return Graph().parse(data=answer.read(), format=form)


def figure(base: str, dataset: str, column: str, *where: str) -> object:
    graph = graph_of(f"{base}/dataset/{dataset}", "text/turtle")
    wanted = URIRef("http://publications.europa.eu/resource/authority/file-type/CSV")
    [file] = [
        node for node in graph.objects(URIRef(f"{base}/dataset/{dataset}"), DCAT.distribution) if (node, DCTERMS.format, wanted) in graph
    ]
    with urllib.request.urlopen(str(graph.value(file, DCAT.downloadURL))) as answer:
        rows = csv.DictReader(io.TextIOWrapper(answer, "utf-8-sig"))
        return [float(row[column]) for row in rows if all(row[c.partition("=")[0]] == c.partition("=")[2] for c in where)]


def read(*addresses: str) -> object:
    found = {}
    for address in addresses:
        graph = graph_of(*address.split(" ", 1))
        found[address] = [len(graph), sorted(map(str, graph.subjects(RDF.type, DCAT.Dataset)))]
    return found


def validate(shapes: str, address: str) -> object:
    conforms, _, words = check(graph_of(address), shacl_graph=shapes, inference="none", advanced=False)
    return [conforms, words]


def harvest(address: str) -> object:
    seen: list[str] = []
    pages = 0
    here: str | None = address
    while here is not None:
        graph = graph_of(here)
        seen += sorted(map(str, graph.subjects(RDF.type, DCAT.Dataset)))
        pages += 1
        view = URIRef(here)
        here = next(map(str, graph.objects(view, HYDRA.next)), None)
    return [pages, seen]


print(json.dumps({"figure": figure, "read": read, "validate": validate, "harvest": harvest}[sys.argv[1]](*sys.argv[2:])))
