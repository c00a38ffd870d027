"""Values of records as a steward reads them: days as offices write them, places by name, codes by what they stand for. Twins keep the codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity
from lienthong.web.pages.borders import name_of
from lienthong.web.pages.visiting import Visit

Said = Callable[[str, Any], str]
_DAY = re.compile(r"\d{4}(-\d{2}){0,2}")  # of any precision
SEXES = ("M", "F")


def wording_of(visit: Visit, entity: Entity) -> Said:
    """What a value of the named attribute is called on a page."""
    kinds = {p.name: p.match.kind for p in entity.master.properties if p.match is not None}
    titles = _titles(entity) if visit.speech.is_vietnamese else {}
    sexes = {name for register in entity.registers for name, columns in register.role.attributes.items() if _standard_of(register.contract, columns) == "sex"}  # fmt: skip

    def said(name: str, value: Any) -> str:
        if not isinstance(value, str):
            return visit.speech.shown(value)
        if kinds.get(name) == "date" and _DAY.fullmatch(value):
            return "/".join(reversed(value.split("-")))
        if kinds.get(name) == "place" and name_of(value):
            return f"{name_of(value)} ({value})"
        if name in sexes and value in SEXES:
            return visit.speech.t(f"desk.sex_{value}")
        return visit.speech.shown(titles.get((name, value), value))

    return said


def _titles(entity: Entity) -> dict[tuple[str, str], str]:
    """What the registers' own code lists call the values of an attribute."""
    return {
        (name, code): str(title)
        for register in entity.registers
        for name, columns in register.role.attributes.items()
        for p in register.contract.properties
        if p.name in columns and p.standard == "code_list" and isinstance(p.standard_options.get("values"), dict)
        for code, title in p.standard_options["values"].items()
    }


def _standard_of(contract: Contract, columns: tuple[str, ...]) -> str | None:
    return next((p.standard for p in contract.properties if p.name in columns), None)
