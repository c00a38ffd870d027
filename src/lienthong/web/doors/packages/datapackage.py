"""`datapackage.json` as Data Package v2 (datapackage.org, June 2024) has it: files, their schemas from the contract, terms, people."""

from __future__ import annotations

from typing import Any

from lienthong.contracts import Property
from lienthong.web.doors.ckan.packages import name_of
from lienthong.web.doors.packages.telling import Told, contact_of, key_of, licence_of, references_of, rules_of, words_of

PROFILES = "https://datapackage.org/profiles/2.0"
_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "date": "date", "timestamp": "datetime"}
TIMESTAMP = "%Y-%m-%d %H:%M:%S.%fZ"  # as our CSV files write an instant


def package_of(told: Told, base: str) -> dict[str, Any]:
    """The descriptor of a dataset and of the lists it refers to."""
    contract = told.contract
    found: dict[str, Any] = {
        "$schema": f"{PROFILES}/datapackage.json",
        "name": contract.id,
        "id": f"{base}/datasets/{contract.id}",
        "title": contract.title_vi,
        "description": contract.description_vi.strip(),
        "homepage": f"{base}/datasets/{contract.id}",
        "version": f"{contract.version}+{told.version}",
        "keywords": words_of(contract),
        "contributors": _contributors(told),
        "sources": [{"title": told.owner, "path": f"{base}/datasets/{contract.id}", "version": str(told.version)}],
        "resources": [_resource(each, base) for each in (told, *told.lists)],
    }
    if told.known_at is not None:
        found["created"] = told.known_at.isoformat()
    licence = licence_of(contract, base)
    if licence is not None:
        found["licenses"] = [licence]
    return found


def _contributors(told: Told) -> list[dict[str, Any]]:
    contact = contact_of(told.contract)
    found: list[dict[str, Any]] = [{"title": told.owner, "organization": told.owner, "roles": ["rightsHolder", "publisher"]}]
    return [*found, {"title": contact, "organization": told.owner, "roles": ["contactPoint"]}] if contact else found


def _resource(told: Told, base: str) -> dict[str, Any]:
    contract = told.contract
    found: dict[str, Any] = {
        "$schema": f"{PROFILES}/dataresource.json",
        "name": name_of(contract.id),
        "type": "table",
        "path": f"{base}/dataset/{contract.id}/versions/{told.version}.csv" if told.version else f"{base}/dataset/{contract.id}.csv",
        "title": contract.title_vi,
        "description": contract.description_vi.strip(),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {
            "$schema": f"{PROFILES}/tabledialect.json",
            "delimiter": ",",
            "lineTerminator": "\n",
            "quoteChar": '"',
            "doubleQuote": True,
        },
        "schema": _schema(told),
    }
    if told.fingerprint is not None:
        found |= {"bytes": told.fingerprint.size, "hash": f"sha256:{told.fingerprint.sha256}"}
    licence = licence_of(contract, base)
    return found if licence is None else {**found, "licenses": [licence]}


def _schema(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = {
        "$schema": f"{PROFILES}/tableschema.json",
        "fields": [_field(p, told) for p in told.properties],
        "missingValues": [""],
    }
    key = key_of(told)
    if key:
        found["primaryKey"] = key
    keys = [
        {"fields": [name], "reference": {"resource": name_of(target.contract.id), "fields": [column]}}
        for name, target, column in references_of(told)
    ]
    return {**found, "foreignKeys": keys} if keys else found


def _field(p: Property, told: Told) -> dict[str, Any]:
    if not told.is_plain(p):
        return {"name": p.name, "type": "string", "title": p.title_vi, "description": "Đã che một phần · Masked"}
    found: dict[str, Any] = {"name": p.name, "type": _TYPES[p.logical_type], "title": p.title_vi}
    if p.description:
        found["description"] = p.description
    if p.logical_type == "timestamp":
        found["format"] = TIMESTAMP
    if p.examples:
        found["example"] = p.examples[0]
    rules = rules_of(p, told.contract)
    return {**found, "constraints": rules} if rules else found
