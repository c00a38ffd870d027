"""Ask once: which fields somebody wants to collect, or asks for, are held already, by whom, and who is authoritative for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lienthong.contracts import Contract, Layer, Property
from lienthong.standards import without_marks

# Values of these standards name one thing wherever they stand: two columns of one of them hold the same.
NAMING = frozenset({"citizen_id", "insurance_no", "tax_code", "parcel_id", "licence_no", "agency_code"})
_SAYS_NOTHING = frozenset({"ghi chu", "note", "ma", "so", "ten", "ngay", "loai", "trang thai", "code", "name", "status"})


@dataclass(frozen=True)
class Field:
    """A field somebody wants."""

    name: str
    title: str
    standard: str = ""


@dataclass(frozen=True)
class Held:
    """A field that is held already. `is_authoritative`: that register's value counts first."""

    field: str
    dataset: str
    column: str
    agency: str
    is_authoritative: bool


def already_held(contracts: Mapping[str, Contract], fields: Iterable[Field], besides: str = "") -> list[Held]:
    """Every field that a register of another dataset than `besides` holds: those who are authoritative first, in the order of the fields."""
    found = []
    for place, wanted in enumerate(fields):
        for contract in contracts.values():
            if contract.id == besides or contract.layer is Layer.MASTER:
                continue
            column = next((p for p in contract.properties if _is_same(wanted, p)), None)
            if column is not None:
                found.append((place, Held(wanted.name, contract.id, column.name, contract.agency, column.authoritative)))
    found.sort(key=lambda each: (each[0], not each[1].is_authoritative, each[1].dataset))
    return [held for _, held in found]


def _is_same(wanted: Field, other: Property) -> bool:
    if wanted.standard in NAMING and other.standard == wanted.standard:
        return True
    names = {_plain(wanted.name), _plain(wanted.title)} - _SAYS_NOTHING
    return not names.isdisjoint({_plain(other.name), _plain(other.title_vi)})


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", without_marks(text)).strip()
