"""Units that occur in the headings of offices' lists, each with what one of it is in the first unit of its quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Legal units: Nghị định 86/2012/NĐ-CP; `sào` and `công` are left out, for they are not the same everywhere.
UNITS: Mapping[str, Mapping[str, float]] = {
    "length": {"m": 1, "km": 1_000, "dm": 0.1, "cm": 0.01, "mm": 0.001},
    "area": {"m2": 1, "km2": 1_000_000, "ha": 10_000, "dm2": 0.01, "cm2": 0.0001},
    "volume": {"m3": 1, "l": 0.001, "ml": 0.000001, "dm3": 0.001},
    "mass": {"kg": 1, "g": 0.001, "mg": 0.000001, "µg": 0.000000001, "tạ": 100, "tấn": 1_000, "yến": 10},
    "money": {"đồng": 1, "nghìn đồng": 1_000, "triệu đồng": 1_000_000, "tỷ đồng": 1_000_000_000},
    "time": {"s": 1, "phút": 60, "giờ": 3_600, "ngày": 86_400},
    "power": {"w": 1, "kw": 1_000, "mw": 1_000_000},
    "energy": {"wh": 1, "kwh": 1_000, "mwh": 1_000_000},
    "part": {"1": 1, "%": 0.01, "‰": 0.001},
}
_ALIASES: Mapping[str, str] = {
    "m²": "m2", "km²": "km2", "dm²": "dm2", "cm²": "cm2", "m³": "m3", "dm³": "dm3", "lít": "l", "lit": "l", "hecta": "ha", "héc ta": "ha", "gam": "g",
    "đ": "đồng", "vnđ": "đồng", "vnd": "đồng", "ngàn đồng": "nghìn đồng", "1000đ": "nghìn đồng", "1.000đ": "nghìn đồng", "1.000 đồng": "nghìn đồng",
    "1000 đồng": "nghìn đồng", "trđ": "triệu đồng", "tr.đ": "triệu đồng", "trđồng": "triệu đồng", "tr đồng": "triệu đồng", "tỉ đồng": "tỷ đồng", "ug": "µg",
    "tan": "tấn", "h": "giờ", "giây": "s", "phần trăm": "%",
}  # fmt: skip
_BRACKETED = re.compile(
    r"[(\[]\s*(?:đvt\s*:?\s*|đơn vị(?: tính)?\s*:?\s*|tính bằng\s*)?([^()\[\]]{1,20}?)\s*[)\]]|\bđvt\s*:\s*(\S[^,;)]{0,19})", re.IGNORECASE
)
_QUANTITY = {unit: quantity for quantity, units in UNITS.items() for unit in units}


def unit_named(text: str) -> str:
    """Our word for a unit as it is written; empty for what is none."""
    plain = " ".join(text.casefold().split())
    found = _ALIASES.get(plain, plain)
    return found if found in _QUANTITY else ""


def unit_in(heading: str) -> str:
    """The unit a heading states in brackets, such as `Diện tích (m²)`; empty where it states none."""
    for match in _BRACKETED.finditer(heading):
        unit = unit_named(match[1] or match[2] or "")
        if unit and unit != "1":
            return unit
    return ""


def factor_between(one: str, other: str) -> float | None:
    """What a number in `one` is multiplied by to be in `other`; None where they are no units of one quantity."""
    here, there = unit_named(one), unit_named(other)
    if not here or not there or _QUANTITY[here] != _QUANTITY[there]:
        return None
    units = UNITS[_QUANTITY[here]]
    return units[here] / units[there]
