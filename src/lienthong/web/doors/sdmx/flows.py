"""A dataset of layer `aggregate` as SDMX sees it: which property is a dimension, the time, the measure, an attribute; and where its codes come from.

What the contract says (`statistic`) is taken; what it does not is told by the usual signs. Nothing here asks the database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from lienthong.contracts import Contract, Layer, Property
from lienthong.store.tables import table_name

PLATFORM = "LIENTHONG"
TIME, MEASURE = "TIME_PERIOD", "OBS_VALUE"
UNIT = "UNIT_MEASURE"
_TIME_NAMES = ("year", "period", "time", "quarter", "month", "week", "date", "day", "reference_period", "time_period")
_UNIT_NAMES = ("unit", "unit_of_measure", "measure_unit")
_UNITS_DATASET = "admin-units.units"
_PLAIN = re.compile(r"[A-Za-z0-9_@\-]")
_ESCAPED = re.compile(r"\$([0-9A-F]{2})")


@dataclass(frozen=True)
class Codes:
    """Where the codes of a dimension are: a column of another dataset (of one `level`), a list in the contract, or the values that occur."""

    id: str
    dataset: str = ""
    column: str = ""
    level: str = ""
    listed: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Component:
    """One column of the data: its SDMX name, its property, its codes where it has a list of them."""

    id: str
    property: Property
    codes: Codes | None = None


@dataclass(frozen=True)
class Flow:
    """A dataflow with its structure. Versions are the contract's; both share the id."""

    contract: Contract
    dimensions: tuple[Component, ...]
    time: Component | None
    measure: Component
    attributes: tuple[Component, ...]

    @property
    def id(self) -> str:
        return table_name(self.contract.id)

    @property
    def agency(self) -> str:
        """Who keeps the structures: this platform makes them from contracts, so that one client finds them all under one name."""
        return PLATFORM

    @property
    def provider(self) -> str:
        """Who gives the data: the agency that owns it."""
        return provider_id(self.contract.agency)

    @property
    def version(self) -> str:
        return self.contract.version

    @property
    def concepts(self) -> str:
        return f"CS_{self.id}"

    @property
    def keys(self) -> tuple[Component, ...]:
        """The dimensions and, last, the time."""
        return (*self.dimensions, *(() if self.time is None else (self.time,)))

    @property
    def components(self) -> tuple[Component, ...]:
        return (*self.keys, self.measure, *self.attributes)


def provider_id(code: str) -> str:
    """An agency's code as SDMX may write it: `H10.12` → `H10_12`."""
    made = re.sub(r"[^A-Za-z0-9_-]", "_", code)
    return made if made[:1].isalpha() else f"A_{made}"


def code_of(value: object) -> str:
    """A value as a code. What a code may not hold (a full stop parts keys) stands as `$` and its bytes in hex: `PM2.5` → `PM2$2E5`."""
    return "".join(letter if _PLAIN.fullmatch(letter) else "".join(f"${byte:02X}" for byte in letter.encode()) for letter in str(value))


def value_of(code: str) -> str:
    """What `code_of` made a code of. A `$` that begins no escape stands for itself."""
    if "$" not in code:
        return code
    pieces, position = bytearray(), 0
    for found in _ESCAPED.finditer(code):
        pieces += code[position : found.start()].encode() + bytes([int(found.group(1), 16)])
        position = found.end()
    return (bytes(pieces) + code[position:].encode()).decode("utf-8", "replace")


def flow_of(contract: Contract, visible: Collection[str] | None = None) -> Flow | None:
    """The flow of a dataset as a caller sees it (`visible`: the fields seen whole); None where it is none: no aggregate, no measure, or a part of it the caller may not see whole."""
    if contract.layer is not Layer.AGGREGATE:
        return None
    time = _time(contract)
    measure = _measure(contract)
    if measure is None:
        return None
    dimensions = [p for p in _dimensions(contract) if p is not time and p is not measure]
    rest = [p for p in contract.properties if p not in dimensions and p is not time and p is not measure]
    if visible is not None:
        if any(p is not None and p.name not in visible for p in (*dimensions, time, measure)):
            return None
        rest = [p for p in rest if p.name in visible]
    if not dimensions:
        return None
    return Flow(
        contract,
        tuple(Component(p.name, p, _codes(contract, p)) for p in dimensions),
        None if time is None else Component(TIME, time),
        Component(MEASURE, measure),
        tuple(Component(UNIT if p.name in _UNIT_NAMES else p.name, p) for p in rest),
    )


def _dimensions(contract: Contract) -> list[Property]:
    return [p for p in contract.properties if p.statistic == "dimension" or (p.statistic is None and p.key_position is not None)]


def _time(contract: Contract) -> Property | None:
    """The property that says so; else the one of the key that is a date or is named like a time."""
    said = [p for p in contract.properties if p.statistic == "time"]
    signs = [p for p in contract.key if p.statistic is None and (p.logical_type in ("date", "timestamp") or p.name in _TIME_NAMES)]
    return next(iter(said or signs), None)


def _measure(contract: Contract) -> Property | None:
    """The property that says so; else `value`; else the first number outside the key. Other numbers are attributes."""
    said = [p for p in contract.properties if p.statistic == "measure"]
    numbers = [p for p in contract.properties if p.statistic is None and p.key_position is None and p.logical_type in ("number", "integer")]
    named = [p for p in numbers if p.name in ("value", "obs_value")]
    return next(iter(said or named or numbers), None)


def _codes(contract: Contract, p: Property) -> Codes | None:
    if p.logical_type not in ("string", "integer"):
        return None
    for rule in p.rules:
        if rule.kind == "reference":
            dataset, column, level = (str(rule.parameters.get(name) or "") for name in ("dataset", "column", "level"))
            return Codes(f"CL_{table_name(dataset)}_{level or column}", dataset, column, level)
    if p.standard == "admin_unit":
        level = str(p.standard_options.get("level") or "")
        return Codes(f"CL_{table_name(_UNITS_DATASET)}_{level or 'code'}", _UNITS_DATASET, "code", level)
    own = f"CL_{table_name(contract.id)}_{p.name}"
    values = p.standard_options.get("values") if p.standard == "code_list" else None
    if isinstance(values, Mapping) and values:
        return Codes(own, listed={str(code): str(words) for code, words in values.items()})
    for rule in p.rules:
        if rule.kind == "allowed":
            return Codes(own, listed={str(value): str(value) for value in rule.parameters.get("values", ())})
    return Codes(own)


@dataclass(frozen=True)
class Code:
    """One code of a list. Valid on [valid_from, valid_to): a code of one name may have had several lives, then `since` has a line for each."""

    id: str
    vi: str
    en: str = ""
    lives: tuple[tuple[date | None, date | None], ...] = ()


@dataclass(frozen=True)
class CodeList:
    id: str
    agency: str
    version: str
    title_vi: str
    title_en: str
    codes: tuple[Code, ...]
