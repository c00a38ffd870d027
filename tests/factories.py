"""Small things made quickly: contracts, workshops, files."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lienthong.connectors import ReadContext
from lienthong.contracts import Contract, Delivery, Expect, Property, Rule, Source, load_all
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract
from lienthong.store import Database

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def contracts_of_the_province() -> dict[str, Contract]:
    """Those of `datasets/`, read once a process."""
    return dict(_contracts_read())


@functools.cache
def _contracts_read() -> dict[str, Contract]:
    return load_all(Path(__file__).parents[1] / "datasets")


class TickingClock:
    """A clock that moves one second each time it is read, from START."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def make_property(name: str, logical_type: str = "string", **more: Any) -> Property:
    return Property(name=name, logical_type=logical_type, title_vi=name, title_en=name, **more)


PEOPLE = (
    make_property("record_no", required=True, key_position=1),
    make_property("full_name", required=True),
    make_property("born_on", "date"),
    make_property("children", "integer"),
)


def make_contract(
    location: str = "people.csv", *, id: str = "test.people", properties: Sequence[Property] = PEOPLE, rules: Sequence[Rule] = (),
    delivery: Delivery = Delivery.SNAPSHOT, expect: Expect | None = None, sources: Sequence[Source] | None = None, **more: Any,
) -> Contract:  # fmt: skip
    """A checked-looking contract of one CSV source; its digest follows its properties and rules."""
    contract = Contract(
        id=id,
        version="1.0.0",
        status="active",
        title_vi="Người",
        title_en="People",
        description_vi="",
        description_en="",
        agency="H10.02",
        domain="test",
        properties=tuple(properties),
        rules=tuple(rules),
        sources=tuple(sources) if sources is not None else (Source("file", "csv_file", location, delivery),),
        expect=expect or Expect(),
        **more,
    )
    digest = hashlib.sha256(repr((contract.properties, contract.rules, contract.valid_from)).encode()).hexdigest()
    return replace(contract, digest=digest, document=document_of(contract))


def document_of(contract: Contract) -> Mapping[str, Any]:
    properties = [
        {
            "name": p.name,
            "logicalType": p.logical_type,
            **({"primaryKey": True, "primaryKeyPosition": p.key_position} if p.key_position else {}),
        }
        for p in contract.properties
    ]
    return {"id": contract.id, "version": contract.version, "schema": [{"name": "rows", "properties": properties}]}


def make_workshop(database_url: str, *contracts: Contract, apply: bool = True) -> Workshop:
    """A workshop over a database that has its schema, its contracts applied."""
    workshop = Workshop(
        database=Database(database_url),
        contracts={contract.id: contract for contract in contracts},
        signer=Signer.new("test"),
        clock=TickingClock(),
        read_context=ReadContext(variables=dict(os.environ), batch_rows=1000),
        accept_synthetic_ids=True,
    )
    if apply:
        for contract in contracts:
            apply_contract(workshop, contract)
    return workshop


def write_people(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A CSV of (record_no, full_name, born_on, children)."""
    lines = ["record_no,full_name,born_on,children", *(",".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
