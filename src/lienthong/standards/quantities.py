"""Amounts with a unit of measure, turned to the unit a dataset keeps.

Units that differ by region (sào, mẫu, công) need the region said in the contract, for a northern sào is 360 m² and a southern one 1,000:
without it the value waits for a person.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbers import DECIMAL_COMMA, parse_number, show_number
from lienthong.standards.text import tidy

REGIONS = ("north", "centre", "south")


@dataclass(frozen=True)
class Measure:
    """One unit: what it measures, and value × factor + offset in the first unit of that kind. A factor per region where it differs."""

    kind: str
    factor: Decimal | dict[str, Decimal]
    offset: Decimal = Decimal(0)


def _units(kind: str, **factors: str) -> dict[str, Measure]:
    return {name.replace("_", " "): Measure(kind, Decimal(factor)) for name, factor in factors.items()}


def _by_region(kind: str, north: str, centre: str, south: str) -> Measure:
    return Measure(kind, dict(zip(REGIONS, map(Decimal, (north, centre, south)), strict=True)))


# Statutory units (Decree 86/2012) and the customary ones that land and harvests are still told in.
UNITS: dict[str, Measure] = {
    **_units("area", m2="1", dm2="0.01", cm2="0.0001", km2="1000000", ha="10000", a="100"),
    "sào": _by_region("area", "360", "500", "1000"),
    "mẫu": _by_region("area", "3600", "5000", "10000"),
    "thước": _by_region("area", "24", "33.3333333333", "24"),
    "công": Measure("area", {"south": Decimal(1000)}),
    **_units("length", m="1", km="1000", dm="0.1", cm="0.01", mm="0.001"),
    **_units("mass", kg="1", g="0.001", mg="0.000001", tấn="1000", tạ="100", yến="10", lạng="0.1"),
    **_units("volume", m3="1", l="0.001", ml="0.000001", dm3="0.001", cm3="0.000001"),
    "µg/m³": Measure("concentration", Decimal(1)), "mg/m³": Measure("concentration", Decimal(1000)), "ng/m³": Measure("concentration", Decimal("0.001")), "g/m³": Measure("concentration", Decimal(1_000_000)),
    "mg/l": Measure("concentration", Decimal(1_000_000)), "µg/l": Measure("concentration", Decimal(1000)),
    "°C": Measure("temperature", Decimal(1)),
    "K": Measure("temperature", Decimal(1), Decimal("-273.15")),
    "°F": Measure("temperature", Decimal(5) / Decimal(9), Decimal(-160) / Decimal(9)),
    "m³/s": Measure("flow", Decimal(1)), "l/s": Measure("flow", Decimal("0.001")), "m³/h": Measure("flow", 1 / Decimal(3600)), "m³/ngày": Measure("flow", 1 / Decimal(86400)),
    "m/s": Measure("speed", Decimal(1)), "km/h": Measure("speed", 1 / Decimal("3.6")),
    **_units("energy", kWh="1", Wh="0.001", MWh="1000", GWh="1000000"),
    **_units("power", kW="1", W="0.001", MW="1000"),
    "tạ/ha": Measure("yield", Decimal(100)), "tấn/ha": Measure("yield", Decimal(1000)), "kg/ha": Measure("yield", Decimal(1)),
    "hPa": Measure("pressure", Decimal(100)), "Pa": Measure("pressure", Decimal(1)), "kPa": Measure("pressure", Decimal(1000)), "mmHg": Measure("pressure", Decimal("133.322387415")),
    "%": Measure("share", Decimal(1)), "‰": Measure("share", Decimal("0.1")),
}  # fmt: skip
_SPELLED = {
    "m²": "m2", "m^2": "m2", "mét vuông": "m2", "met vuong": "m2", "hecta": "ha", "héc ta": "ha", "hec ta": "ha", "héc-ta": "ha", "km²": "km2", "ki lô mét vuông": "km2", "kilômét vuông": "km2",
    "dm²": "dm2", "cm²": "cm2", "sao": "sào", "mau": "mẫu", "công đất": "công", "cong": "công",
    "mét": "m", "met": "m", "kilômét": "km", "ki lô mét": "km", "cây số": "km", "xentimét": "cm", "milimét": "mm",
    "kilôgam": "kg", "ki lô gam": "kg", "ký": "kg", "kí": "kg", "cân": "kg", "gam": "g", "gram": "g", "tan": "tấn", "t": "tấn", "ta": "tạ", "yen": "yến", "lang": "lạng",
    "m³": "m3", "m^3": "m3", "mét khối": "m3", "met khoi": "m3", "khối": "m3", "lít": "l", "lit": "l", "dm³": "dm3", "cm³": "cm3", "cc": "cm3",
    "µg/m3": "µg/m³", "ug/m3": "µg/m³", "μg/m3": "µg/m³", "μg/m³": "µg/m³", "microgam/m3": "µg/m³", "mg/m3": "mg/m³", "ng/m3": "ng/m³", "g/m3": "g/m³", "ug/l": "µg/l", "μg/l": "µg/l",
    "°c": "°C", "oc": "°C", "ºc": "°C", "độ c": "°C", "do c": "°C", "độ": "°C", "℃": "°C", "k": "K", "°f": "°F", "of": "°F", "ºf": "°F",
    "m3/s": "m³/s", "m3/h": "m³/h", "m3/giờ": "m³/h", "m³/giờ": "m³/h", "m3/ngày": "m³/ngày", "m3/ngày đêm": "m³/ngày", "m³/ngày đêm": "m³/ngày", "m3/nđ": "m³/ngày", "lít/s": "l/s", "lít/giây": "l/s", "m/giây": "m/s", "km/giờ": "km/h",
    "kwh": "kWh", "wh": "Wh", "mwh": "MWh", "gwh": "GWh", "kw": "kW", "w": "W", "mw": "MW", "hpa": "hPa", "mbar": "hPa", "pa": "Pa", "kpa": "kPa", "mmhg": "mmHg", "ta/ha": "tạ/ha", "tan/ha": "tấn/ha",
}  # fmt: skip
_AMOUNT = re.compile(r"([+\-−]?[0-9][0-9.,\s]*(?:[eE][+\-]?[0-9]{1,3})?)\s*(\S.*)?")


def unit_named(text: str) -> str | None:
    """The unit a text writes, in its usual sign."""
    text = text.strip(" .")
    folded = text.casefold()
    return text if text in UNITS else _SPELLED.get(folded) or next((name for name in (folded,) if name in UNITS), None)


def in_first_unit(number: Decimal, unit: str, region: str | None) -> Decimal | None:
    """A number of a unit in the first unit of its kind; None where the unit needs a region that is not said."""
    measure = UNITS[unit]
    factor = measure.factor.get(region or "") if isinstance(measure.factor, dict) else measure.factor
    return None if factor is None else number * factor + measure.offset


def _clean_quantity(value: str, options: Options) -> Cleaned:
    target, region = str(options.get("unit", "m2")), options.get("region")
    wanted = UNITS[target]
    found = _AMOUNT.fullmatch(tidy(value))
    number = None if found is None else parse_number(found.group(1), options.get("decimal_comma"))
    if found is None or number is None:
        return Cleaned(None, "quantity.unreadable")
    unit = str(options.get("assume", target)) if found.group(2) is None else unit_named(found.group(2))
    if unit is None or UNITS[unit].kind != wanted.kind:
        return Cleaned(None, "quantity.unit")
    if unit == target:
        return _finite(float(number))
    base = in_first_unit(number, unit, region)
    to = wanted.factor.get(region or "") if isinstance(wanted.factor, dict) else wanted.factor
    if base is None or to is None:
        return Cleaned(None, "quantity.region")
    return _finite(float((base - wanted.offset) / to))


def _finite(number: float) -> Cleaned:
    return Cleaned(number) if math.isfinite(number) else Cleaned(None, "quantity.unreadable")


def _quick_quantity(value: pl.Expr, options: Options) -> pl.Expr:
    if options.get("assume", options.get("unit", "m2")) != options.get("unit", "m2"):
        return pl.lit(None, pl.Float64)
    shape = r"^-?[0-9]{1,15}(\.[0-9]{1,2}|\.[0-9]{4,15})?$"  # three digits after the sign can be read two ways: left to `parse_number`
    return pl.when(value.str.contains(shape)).then(value).cast(pl.Float64, strict=False)


QUANTITY = DistinctStandard(
    "quantity",
    pl.Float64(),
    "Số đo có đơn vị",
    "Amount with a unit of measure",
    _clean_quantity,
    good=(("1,5 ha", "15000.0"), ("1.250 m²", "1.25"), ("2 km2", "2000000.0"), ("360", "360.0"), ("820.5 mét vuông", "820.5")),
    bad=(("2 sào", "quantity.region"), ("5 kg", "quantity.unit"), ("3 gang", "quantity.unit"), ("nhiều", "quantity.unreadable")),
    quick=_quick_quantity,
    known_options=DECIMAL_COMMA
    | {
        "unit": f"The unit kept; one of {', '.join(f'`{unit}`' for unit in UNITS)}; `m2` if left out.",
        "assume": "The unit of numbers that have none; the unit kept if left out.",
        "region": "`north`, `centre` or `south`: what a sào, mẫu, thước or công is.",
    },
    show=show_number,
)
