"""Datasets as CKAN's packages, agencies as its organisations, domains as its groups: made from contracts and from what was published.

CKAN's names take small letters, digits, `-` and `_` alone, so a dot becomes `_` (which no id of ours has). Identifiers are UUIDs made
from ids of ours, the same on every server and after every restart: a harvester knows a package again by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lienthong.catalog.ways import WAYS
from lienthong.contracts import LICENCES, Contract, Licence, Sharing
from lienthong.store.publications import Publication
from lienthong.web.doors.ckan.solr import NUMBERS, TEXTS, Document, terms_of

DATASET, AGENCY, GROUP, RESOURCE = "dataset", "agency", "group", "resource"
BEFORE_EVERYTHING = Publication(
    0, datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC), 0
)  # of a dataset that was never applied
# Files, the CSV last: `ckanapi dump --datapackages` takes the last resource for each of them (create_datapackage in 4.11).
FILES = (
    ("parquet", "PARQUET", "application/vnd.apache.parquet", "Tệp Parquet · Parquet file"),
    ("json", "JSON", "application/json", "Tệp JSON · JSON file"),
    ("xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Tệp Excel · Excel file"),
    ("csv", "CSV", "text/csv", "Tệp CSV · CSV file"),
)
Package = dict[str, Any]


@dataclass(frozen=True)
class Listed:
    """A dataset as a package: what it is searched by, and the package itself, made each time it is shown: ten thousand kept would fill memory."""

    contract: Contract
    facts: Publication
    owner: str
    base: str

    @property
    def package(self) -> Package:
        return _package(self.contract, self.facts, self.owner, self.base)

    @cached_property
    def document(self) -> Document:
        return _document(self)

    @cached_property
    def name(self) -> str:
        return name_of(self.contract.id)

    @cached_property
    def organization(self) -> str:
        return name_of(self.contract.agency)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        return tuple(tags_of(self.contract))

    @property
    def is_private(self) -> bool:
        return self.contract.sharing is not Sharing.OPEN

    @property
    def is_open(self) -> bool:
        return not self.is_private and self.contract.licence in LICENCES

    def text(self, field: str) -> str:
        """What a text field of the search holds."""
        contract = self.contract
        if field in ("title", "title_en"):
            return contract.title_vi if field == "title" else contract.title_en
        if field in ("notes", "notes_en", "res_description"):
            return contract.description_en if field == "notes_en" else contract.description_vi
        if field == "res_name":
            return " ".join(title for *_, title in FILES) + " " + contract.title_vi
        fields = " ".join(f"{p.name.replace('_', ' ')} {p.title_vi} {p.title_en}" for p in contract.properties)
        whole = [contract.id, contract.title_vi, contract.title_en, contract.description_vi, contract.description_en, self.owner, fields]
        return " ".join([*whole, *self.tags])

    def values(self, field: str) -> tuple[str, ...]:
        """The values of a field of plain words, as facets show them."""
        return _VALUES[field](self) if field in _VALUES else ()


@lru_cache(maxsize=4_096)  # agencies, domains and tags come again and again
def id_of(kind: str, name: str) -> str:
    """The UUID of a thing of ours."""
    return str(uuid5(NAMESPACE_URL, f"lienthong:{kind}:{name}"))


def name_of(id: str) -> str:
    """A name as CKAN takes it."""
    return id.lower().replace(".", "_")


def resource_id(dataset: str, form: str) -> str:
    return id_of(RESOURCE, f"{dataset}/{form}")


def licence_document(licence: Licence, base: str) -> Package:
    """A licence as `license_list` tells it."""
    return {
        "id": licence.code, "title": licence.title_vi, "title_en": licence.title_en, "url": licence.url or f"{base}/v1/licences/{licence.code}",
        "status": "active", "family": "", "maintainer": "", "is_generic": False, "is_okd_compliant": bool(licence.url), "is_osi_compliant": False,
        "od_conformance": "approved" if licence.url else "not reviewed", "osd_conformance": "not reviewed",
        "domain_content": True, "domain_data": True, "domain_software": False,
        "description": licence.summary_vi, "description_en": licence.summary_en,
    }  # fmt: skip


def _package(contract: Contract, facts: Publication, owner: str, base: str) -> Package:
    licence = LICENCES.get(contract.licence or "")
    tags = [
        {"id": id_of("tag", name), "name": name, "display_name": name, "state": "active", "vocabulary_id": None}
        for name in tags_of(contract)
    ]
    resources = _resources(contract, facts, base)
    return {
        "id": id_of(DATASET, contract.id),
        "name": name_of(contract.id),
        "title": contract.title_vi,
        "title_translated": {"vi": contract.title_vi, "en": contract.title_en},
        "notes": contract.description_vi.strip(),
        "notes_translated": {"vi": contract.description_vi.strip(), "en": contract.description_en.strip()},
        "url": f"{base}/datasets/{contract.id}",
        "version": contract.version,
        "author": owner,
        "author_email": None,
        "maintainer": owner,
        "maintainer_email": None,
        "license_id": "notspecified" if licence is None else licence.code,
        "license_title": "" if licence is None else licence.title_vi,
        "license_url": "" if licence is None else licence.url or f"{base}/v1/licences/{licence.code}",
        "isopen": contract.sharing is Sharing.OPEN and licence is not None,
        "private": contract.sharing is not Sharing.OPEN,
        "state": "active",
        "type": "dataset",
        "creator_user_id": None,
        "metadata_created": _naive(facts.first_at),
        "metadata_modified": _naive(facts.last_at),
        "owner_org": id_of(AGENCY, contract.agency),
        "organization": organization_of(contract.agency, owner),
        "groups": [_short_group(contract.domain)] if contract.domain else [],
        "tags": tags,
        "num_tags": len(tags),
        "resources": resources,
        "num_resources": len(resources),
        "extras": [{"key": key, "value": value} for key, value in _extras(contract, facts)],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def _extras(contract: Contract, facts: Publication) -> list[tuple[str, str]]:
    found = [
        ("identifier", contract.id),
        ("agency", contract.agency),
        ("layer", contract.layer.value),
        ("sharing", contract.sharing.value),
        ("data_version", str(facts.version)),
        ("records", str(facts.records)),
    ]
    if contract.entity:
        found.append(("entity", contract.entity))
    if contract.legal_basis:
        found.append(("legal_basis", "; ".join(law.text for law in contract.legal_basis)))
    return found


def _resources(contract: Contract, facts: Publication, base: str) -> list[Package]:
    """Services first, then files. A service's format is `API`, which those who download files leave alone."""
    found = [
        _resource(
            contract, facts, way.name, "API", way.media_type, f"{way.title_vi} · {way.title_en}", base + way.path(contract), is_table=False
        )
        for way in WAYS
        if way.serves(contract) and way.name in ("json", "openapi")
    ]
    for suffix, form, media_type, title in FILES:
        url = f"{base}/dataset/{contract.id}.{suffix}"
        found.append(_resource(contract, facts, suffix, form, media_type, title, url, is_table=suffix == "csv"))
    for position, resource in enumerate(found):
        resource["position"] = position
    return found


def _resource(
    contract: Contract, facts: Publication, word: str, form: str, media_type: str, title: str, url: str, *, is_table: bool
) -> Package:  # fmt: skip
    return {
        "id": resource_id(contract.id, word if is_table or form != "API" else f"api-{word}"),
        "package_id": id_of(DATASET, contract.id),
        "name": f"{contract.title_vi} ({title})",
        "description": contract.description_vi.strip(),
        "format": form,
        "mimetype": media_type,
        "mimetype_inner": None,
        "url": url,
        "url_type": None,
        "resource_type": "api" if form == "API" else "file",
        "size": None,
        "hash": "",
        "state": "active",
        "created": _naive(facts.first_at),
        "metadata_modified": _naive(facts.last_at),
        "last_modified": _naive(facts.last_at),
        "cache_url": None,
        "cache_last_updated": None,
        "datastore_active": is_table,
    }


_VALUES: Mapping[str, Callable[[Listed], tuple[str, ...]]] = {
    "id": lambda each: (id_of(DATASET, each.contract.id),),
    "name": lambda each: (each.name,),
    "organization": lambda each: (each.organization,),
    "owner_org": lambda each: (id_of(AGENCY, each.contract.agency),),
    "groups": lambda each: (name_of(each.contract.domain),) if each.contract.domain else (),
    "tags": lambda each: each.tags,
    "license_id": lambda each: (each.contract.licence or "notspecified",),
    "res_format": lambda _: ("API", *(form for _, form, *_ in FILES)),
    "state": lambda _: ("active",),
    "type": lambda _: ("dataset",),
    "dataset_type": lambda _: ("dataset",),
    "entity_type": lambda _: ("package",),
    "site_id": lambda _: ("default",),
    "private": lambda each: (str(each.is_private).lower(),),
    "isopen": lambda each: (str(each.is_open).lower(),),
    "capacity": lambda each: ("private" if each.is_private else "public",),
    "author": lambda each: (each.owner,),
    "maintainer": lambda each: (each.owner,),
    "version": lambda each: (each.contract.version,),
    "url": lambda each: (f"{each.base}/datasets/{each.contract.id}",),
    "res_url": lambda each: tuple(f"{each.base}/dataset/{each.contract.id}.{suffix}" for suffix, *_ in FILES),
    "extras_layer": lambda each: (each.contract.layer.value,),
    "vocab_layer": lambda each: (each.contract.layer.value,),
    "extras_entity": lambda each: (each.contract.entity,) if each.contract.entity else (),
    "extras_sharing": lambda each: (each.contract.sharing.value,),
}


class _Fields(dict[str, Any]):
    """A package's search fields, each made when it is first asked for: most are never."""

    def __init__(self, each: Listed) -> None:
        self._each = each

    def __missing__(self, field: str) -> Any:
        if field in TEXTS:
            value: Any = f" {' '.join(terms_of(self._each.text(field)))} "
        elif field in ("metadata_created", "metadata_modified"):
            value = self._each.facts.first_at if field == "metadata_created" else self._each.facts.last_at
        elif field in NUMBERS:
            counts = {"num_resources": len(FILES) + 2, "num_tags": len(self._each.tags), "extras_records": self._each.facts.records}
            value = counts[field]
        else:
            value = tuple(word.casefold() for word in self._each.values(field))
        self[field] = value
        return value


def _document(each: Listed) -> Document:
    return _Fields(each)


def tags_of(contract: Contract) -> list[str]:
    """The contract's own tags, then what kind of data it is."""
    own = [str(tag) for tag in contract.document.get("tags") or () if str(tag).strip()]
    return list(dict.fromkeys([*own, *(word for word in (contract.domain, contract.entity or "", contract.layer.value) if word)]))


def tag_of(name: str) -> Package:
    """A word as a tag."""
    return {"id": id_of("tag", name), "name": name, "display_name": name, "state": "active", "vocabulary_id": None}


def organization_of(agency: str, owner: str, count: int | None = None) -> Package:
    """An agency as an organisation."""
    found: Package = {
        "id": id_of(AGENCY, agency), "name": name_of(agency), "title": owner, "display_name": owner, "type": "organization", "description": agency,
        "image_url": "", "image_display_url": "", "created": None, "is_organization": True, "approval_status": "approved", "state": "active",
    }  # fmt: skip
    return (
        found
        if count is None
        else {**found, "package_count": count, "num_followers": 0, "extras": [], "groups": [], "users": [], "tags": []}
    )


def group_of(domain: str, count: int) -> Package:
    """A domain as a group."""
    return {
        **_short_group(domain), "type": "group", "created": None, "is_organization": False, "approval_status": "approved", "state": "active",
        "image_url": "", "package_count": count, "num_followers": 0, "extras": [], "groups": [], "users": [], "tags": [],
    }  # fmt: skip


def _short_group(domain: str) -> Package:
    return {
        "id": id_of(GROUP, domain),
        "name": name_of(domain),
        "title": domain,
        "display_name": domain,
        "description": "",
        "image_display_url": "",
    }


def _naive(at: datetime) -> str:
    """CKAN's instants are in UTC and do not say so."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
