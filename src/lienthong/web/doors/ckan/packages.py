"""Datasets as CKAN's packages, agencies as its organisations, domains as its groups: made from contracts and from what was published.

CKAN's names take small letters, digits, `-` and `_` alone, so a dot becomes `_` (which no id of ours has). Identifiers are UUIDs made
from ids of ours, the same on every server and after every restart: a harvester knows a package again by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lienthong.catalog.ways import WAYS
from lienthong.contracts import LICENCES, Contract, Licence, Sharing
from lienthong.store.publications import Publication
from lienthong.web.doors.ckan.solr import Document, terms_of

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
    """A package and what it is searched by."""

    contract: Contract
    package: Package
    document: Document


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


def listed(contract: Contract, facts: Publication | None, owner: str, base: str) -> Listed:
    """A dataset as its package."""
    known = facts or BEFORE_EVERYTHING
    package = _package(contract, known, owner, base)
    return Listed(contract, package, _document(package, contract, known))


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


def _document(package: Package, contract: Contract, facts: Publication) -> Document:
    fields = " ".join(f"{p.name.replace('_', ' ')} {p.title_vi} {p.title_en}" for p in contract.properties)
    names = [group["name"] for group in package["groups"]]
    tags = [tag["name"] for tag in package["tags"]]
    texts = {
        "title": package["title"],
        "title_en": contract.title_en,
        "notes": package["notes"],
        "notes_en": contract.description_en,
        "res_name": " ".join(resource["name"] for resource in package["resources"]),
        "res_description": package["notes"],
        "text": " ".join(
            [
                contract.id,
                package["title"],
                contract.title_en,
                package["notes"],
                contract.description_en,
                package["author"],
                fields,
                *names,
                *tags,
            ]
        ),
    }
    return {
        **{field: f" {' '.join(terms_of(text))} " for field, text in texts.items()},
        "id": package["id"],
        "name": package["name"],
        "organization": package["organization"]["name"],
        "owner_org": package["owner_org"],
        "groups": names,
        "tags": tags,
        "license_id": package["license_id"],
        "res_format": list(dict.fromkeys(resource["format"] for resource in package["resources"])),
        "res_url": [resource["url"] for resource in package["resources"]],
        "state": "active",
        "type": "dataset",
        "dataset_type": "dataset",
        "entity_type": "package",
        "site_id": "default",
        "private": str(package["private"]).lower(),
        "isopen": str(package["isopen"]).lower(),
        "capacity": "private" if package["private"] else "public",
        "author": package["author"],
        "maintainer": package["maintainer"],
        "version": package["version"],
        "url": package["url"],
        "extras_layer": contract.layer.value,
        "extras_entity": contract.entity or "",
        "extras_sharing": contract.sharing.value,
        "extras_records": facts.records,
        "vocab_layer": [contract.layer.value],
        "num_resources": package["num_resources"],
        "num_tags": package["num_tags"],
        "metadata_created": facts.first_at,
        "metadata_modified": facts.last_at,
    }


def tags_of(contract: Contract) -> list[str]:
    """The contract's own tags, then what kind of data it is."""
    own = [str(tag) for tag in contract.document.get("tags") or () if str(tag).strip()]
    return list(dict.fromkeys([*own, *(word for word in (contract.domain, contract.entity or "", contract.layer.value) if word)]))


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


class Shelf:
    """Packages made once for each version of a dataset: what is asked for again is not made again."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._kept: dict[str, tuple[Contract, Publication | None, str, Listed]] = {}

    def of(self, contracts: Sequence[Contract], facts: Mapping[str, Publication], owner: Callable[[str], str]) -> list[Listed]:
        """The packages of some datasets, in their order."""
        return [self._one(contract, facts.get(contract.id), owner(contract.agency)) for contract in contracts]

    def _one(self, contract: Contract, facts: Publication | None, owner: str) -> Listed:
        kept = self._kept.get(contract.id)
        if kept is None or kept[0] is not contract or kept[1] != facts or kept[2] != owner:
            kept = self._kept[contract.id] = (contract, facts, owner, listed(contract, facts, owner, self._base))
        return kept[3]
