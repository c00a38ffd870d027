"""The forms DCAT is given in, and what is known of a dataset beside its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lienthong.contracts import Contract

TURTLE, RDF_XML, JSON_LD = "text/turtle", "application/rdf+xml", "application/ld+json"
FORMS: Mapping[str, str] = {"ttl": TURTLE, "rdf": RDF_XML, "xml": RDF_XML, "jsonld": JSON_LD}
ON_A_PAGE = 100


@dataclass(frozen=True)
class Known:
    """What is known of a dataset beside its contract. `is_given`: whether its data is given to everybody now."""

    contract: Contract
    issued: datetime | None
    modified: datetime | None
    version: int
    is_given: bool
