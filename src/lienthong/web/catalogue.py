"""`GET /v1/datasets`: what data there is, what it means, who answers for it. No data, so no token."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract, Property, disclosure_words
from lienthong.sharing.filters import read_known
from lienthong.store.answers import newest_version, summary, version_facts
from lienthong.store.database import Connection
from lienthong.web.asking import Counter, json_answer, public_contract_of, public_contracts

VERSIONS_SHOWN = 20


def listed(counter: Counter, request: Request) -> Response:
    """Every dataset whose entry is public, in short."""
    read_known(request.query_params.multi_items(), ())
    with counter.connection() as connection:
        datasets = [_short(connection, contract) for contract in public_contracts(counter)]
    return json_answer({"datasets": datasets}, is_public=True)


def shown(counter: Counter, request: Request) -> Response:
    """One dataset: its fields, its terms, its newest versions."""
    contract = public_contract_of(counter, request)
    read_known(request.query_params.multi_items(), ())
    with counter.connection() as connection:
        return json_answer({**_short(connection, contract), **_long(connection, contract)}, is_public=True)


def _short(connection: Connection, contract: Contract) -> dict[str, Any]:
    facts = version_facts(connection, contract.id)
    return {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "agency": contract.agency,
        "domain": contract.domain,
        "layer": contract.layer.value,
        "sharing": contract.sharing.value,
        "contract_version": contract.version,
        "version": newest_version(connection, contract.id) or 0,
        "records": sum(f.inserted - f.ended for f in facts),
        "updated_at": facts[0].known_at if facts else None,
        "links": {"self": f"/v1/datasets/{contract.id}", "docs": f"/docs/{contract.id}"},
    }


def _long(connection: Connection, contract: Contract) -> dict[str, Any]:
    facts = version_facts(connection, contract.id, limit=VERSIONS_SHOWN)
    return {
        "description": contract.description_vi,
        "description_en": contract.description_en,
        "status": contract.status,
        "entity": contract.entity,
        "key": [p.name for p in contract.key],
        "fields": [_field(p) for p in contract.properties],
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in contract.legal_basis],
        "disclosure": disclosure_words(contract.disclosure, 0) if contract.is_about_persons else None,
        "disclosure_en": disclosure_words(contract.disclosure, 1) if contract.is_about_persons else None,
        "versions": [summary(f) for f in facts],
    }


def _field(p: Property) -> dict[str, Any]:
    return {
        "name": p.name,
        "type": p.logical_type,
        "title": p.title_vi,
        "title_en": p.title_en,
        "description": p.description,
        "required": p.required or p.key_position is not None,
        "standard": p.standard,
        "sensitivity": p.sensitivity.value,
        "authoritative": p.authoritative,
        "authority": p.authority,
        "examples": list(p.examples),
    }
