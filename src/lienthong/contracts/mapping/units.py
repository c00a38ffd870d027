"""What a number of one unit is multiplied by to be in another, and the unit a heading states; the units are those of `standards`, and multiples of đồng."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from lienthong.standards import quantities

MONEY: Mapping[str, int] = {"đồng": 1, "nghìn đồng": 1_000, "triệu đồng": 1_000_000, "tỷ đồng": 1_000_000_000}
_SPELLED: Mapping[str, str] = {
    "đ": "đồng", "vnđ": "đồng", "vnd": "đồng", "ngàn đồng": "nghìn đồng", "1000đ": "nghìn đồng", "1.000đ": "nghìn đồng", "1.000 đồng": "nghìn đồng", "1000 đồng": "nghìn đồng",
    "trđ": "triệu đồng", "tr.đ": "triệu đồng", "tr. đồng": "triệu đồng", "trđồng": "triệu đồng", "tr đồng": "triệu đồng", "tỉ đồng": "tỷ đồng",
}  # fmt: skip
_STATED = re.compile(
    r"[(\[]\s*(?:đvt\s*:?\s*|đơn vị(?: tính)?\s*:?\s*|tính bằng\s*)?([^()\[\]]{1,20}?)\s*[)\]]|\bđvt\s*:\s*(\S[^,;)]{0,19})", re.IGNORECASE
)
UNITS: Mapping[str, tuple[str, ...]] = {
    **{kind: tuple(name for name, unit in quantities.UNITS.items() if unit.kind == kind and not isinstance(unit.factor, dict)) for kind in dict.fromkeys(unit.kind for unit in quantities.UNITS.values())},
    "money": tuple(MONEY),
}  # fmt: skip


def unit_named(text: str) -> str:
    """Our word for a unit as it is written; empty for what is none."""
    plain = " ".join(text.casefold().split())
    if plain in MONEY:
        return plain
    return _SPELLED.get(plain) or quantities.unit_named(text.strip()) or ""


def unit_in(heading: str) -> str:
    """The unit a heading states in brackets, such as `Diện tích (m²)`; empty where it states none."""
    for match in _STATED.finditer(heading):
        unit = unit_named(match[1] or match[2] or "")
        if unit:
            return unit
    return ""


def factor_between(one: str, other: str) -> tuple[float, float] | None:
    """(factor, offset) that turn a number in `one` into one in `other`; None where they are no units of one kind, or differ by region."""
    here, there = _measure(one), _measure(other)
    if here is None or there is None or here[0] != there[0]:
        return None
    return float(here[1] / there[1]), float((here[2] - there[2]) / there[1])


def _measure(text: str) -> tuple[str, Decimal, Decimal] | None:
    name = unit_named(text)
    if name in MONEY:
        return "money", Decimal(MONEY[name]), Decimal(0)
    unit = quantities.UNITS.get(name)
    return None if unit is None or isinstance(unit.factor, dict) else (unit.kind, unit.factor, unit.offset)
