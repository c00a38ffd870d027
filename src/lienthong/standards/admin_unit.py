"""A unit of administration as a value: its code as recorded, checked against the units in force on the row's date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from lienthong.standards.admin_units import BEGINNING, Unit, name_on, successors, units, units_by_code
from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import Options, refuse_unknown
from lienthong.standards.text import tidy
from lienthong.standards.unit_search import LONGEST_ADDRESS, NEVER_UNITS, Found, Reading, is_code, read_unit

LAST_DAY_OF_OLD_UNITS = date(2025, 6, 30)
_LONGEST_SHOWN = 60
ASKED = ("admin_unit.ambiguous", "admin_unit.split", "admin_unit.elsewhere")  # problems a person settles by choosing
MOST_CHOICES = 5  # told beside an issue
_SHOWN = re.compile(r"\S \(([0-9]{2}|[0-9]{3}|[0-9]{5})\)\s*$")  # as `display` writes it: Phường Bình Phước (25195)


@dataclass(frozen=True)
class AdminUnitStandard:
    """A unit's code as recorded, checked against the units in force on the row's date; a name in any usual spelling becomes a code.

    A code is kept as it was written. A name that is no longer in use becomes the code of the unit that took its place, with a warning,
    because the old code may by then name another unit; where several took its place, that is an issue. Nothing is guessed.
    """

    name: str = "admin_unit"
    dtype: pl.DataType = field(default_factory=pl.String)
    title_vi: str = "Đơn vị hành chính"
    title_en: str = "Unit of administration"
    good: tuple[tuple[str, str], ...] = (
        ("25195", "25195"),
        ("P. Tân Phú, TP Đồng Xoài, Bình Phước", "25195"),
        ("Xa Dak O, huyen Bu Gia Map, tinh Binh Phuoc", "25225"),
        ("Xã Đăk Ơ huyện Bù Gia Mập tỉnh Bình Phước", "25225"),
    )
    bad: tuple[tuple[str, str], ...] = (
        ("Xã Tân Tiến", "admin_unit.ambiguous"),
        ("Xã Không Có", "admin_unit.unknown"),
        ("99999", "admin_unit.unknown"),
    )
    known_options: Mapping[str, str] = field(
        default_factory=lambda: {
            "level": "`commune`, `district` or `province`; gives back lost leading zeros and keeps other levels out.",
            "within": "Code of the province in which a name that stands alone is looked for first (`LIENTHONG_PROVINCE` if left out).",
            "strict": "`true`: such a name is looked for in that province and nowhere else, among the units of either time; what it may mean is asked, not chosen.",
            "date": "Date by which rows that have none are read (`asOf` of the property goes before); `2025-06-30` if left out.",
        }
    )

    def clean(self, value: str | None, options: Options, on: date | None = None) -> Cleaned:
        """One value as of a date; without a date, as of the option `date`."""
        refuse_unknown(self.name, options, self.known_options)
        if value is None or not tidy(value):
            return Cleaned(None)
        on = on or _default_date(options)
        value = _code_shown(value)
        found = read_unit(value, on, options.get("level"), options.get("within"), strict=options.get("strict") is True)
        return _judged(found, on, was_code=is_code(tidy(value)))

    def choices(self, value: str, options: Options, on: date | None = None) -> tuple[str, ...]:
        """The units a value may mean, code and name, for the person who decides."""
        on = on or _default_date(options)
        named = read_unit(_code_shown(value), on, options.get("level"), options.get("within"), strict=options.get("strict") is True)
        found = [new for unit in named.units for new in (successors(unit, on) or [unit])]
        return tuple(sorted({f"{unit.code} {unit.name}{_place(unit)}" for unit in found}))

    def choices_column(self, values: pl.Series, problems: pl.Series, options: Options, dated_by: pl.Series | None = None) -> pl.Series:
        """Beside each value that may mean several units: the first of them, code and name; null beside every other."""
        default = _default_date(options)
        dates = (
            pl.repeat(default, len(values), dtype=pl.Date, eager=True) if dated_by is None else dated_by.cast(pl.Date).fill_null(default)
        )
        is_asked = problems.is_in(ASKED) & values.is_not_null()
        frame = pl.DataFrame({"value": values, "on": _begin_of_period(dates)})
        distinct = frame.filter(is_asked).unique(maintain_order=True)
        told = [_shown(self.choices(value, options, on)) for value, on in distinct.iter_rows()]
        lookup = distinct.with_columns(pl.Series("choices", told, dtype=pl.String))
        found = frame.join(lookup, on=["value", "on"], how="left", maintain_order="left")["choices"]
        return found.set(~is_asked.fill_null(False), None)

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """Each distinct (end of the text, set of units in force) once: a house number makes no other unit."""
        refuse_unknown(self.name, options, self.known_options)
        default = _default_date(options)
        dates = (
            pl.repeat(default, len(values), dtype=pl.Date, eager=True) if dated_by is None else dated_by.cast(pl.Date).fill_null(default)
        )
        frame = pl.DataFrame({"value": values, "on": _begin_of_period(dates)})
        told = frame.filter(pl.col("value").is_not_null()).unique()
        ends = told.with_columns(end_of_address(pl.col("value")).alias("end"))
        distinct = ends.select("end", "on").unique()
        cleaned = [self.clean(value, options, on) for value, on in distinct.iter_rows()]
        lookup = distinct.with_columns(
            pl.Series("clean", [one.value for one in cleaned], dtype=pl.String),
            pl.Series("problem", [one.problem for one in cleaned], dtype=pl.String),
        )
        by_value = ends.join(lookup, on=["end", "on"], how="left")
        joined = frame.join(by_value, on=["value", "on"], how="left", maintain_order="left")
        return CleanedColumn(joined["clean"].alias("value"), joined["problem"])

    def compare_key(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def display(self, value: Any) -> str:
        """The newest name of a code, with the code."""
        found = units_by_code().get(value, [])
        return f"{name_on(found[-1], date.max)} ({value})" if found else str(value or "")


def _shown(choices: tuple[str, ...]) -> str | None:
    more = f"; … ({len(choices) - MOST_CHOICES})" if len(choices) > MOST_CHOICES else ""
    return "; ".join(choices[:MOST_CHOICES]) + more if choices else None


def _code_shown(value: str) -> str:
    """The code, of a text as `display` writes it."""
    shown = _SHOWN.search(value[-_LONGEST_SHOWN:])
    return value if shown is None else shown.group(1)


def end_of_address(value: pl.Expr) -> pl.Expr:
    """An address without the parts before its commune that are plain to see, as `last_parts` leaves them out too: many rows become few."""
    is_short = value.str.len_bytes() <= LONGEST_ADDRESS
    below = value.str.replace(rf"^(?: *(?i:{NEVER_UNITS}) [^,;]*[,;] *)+", "")
    house = below.str.extract(r"^ *[0-9][^,;]*[,;] *((?:(?i:phường|xã|thị trấn|đặc khu) |(?i:p|x|tt)\.).*)$")
    end = pl.coalesce(house, below)
    return pl.when(is_short & end.str.contains(r"[^ ,;.]")).then(end).otherwise(value)


def _judged(found: Found, on: date, *, was_code: bool) -> Cleaned:
    """What a text that names units is on a date: the one unit, or why there is none."""
    if found.is_elsewhere:
        return Cleaned(None, "admin_unit.elsewhere")
    if found.is_several:
        return Cleaned(None, "admin_unit.ambiguous")
    codes = {unit.code for unit in found.units}
    if len(codes) > 1 and not was_code and not any(unit.is_valid(on) for unit in found.units):  # all of them may have become one
        after = {new.code for unit in found.units for new in successors(unit, on)}
        if len(after) == 1 and all(successors(unit, on) for unit in found.units):
            return Cleaned(after.pop(), "admin_unit.replaced")
    if len(codes) != 1:
        return Cleaned(None, "admin_unit.ambiguous" if codes else "admin_unit.unknown")
    unit = found.units[0]
    if unit.is_valid(on):
        return Cleaned(unit.code, "admin_unit.respelled" if found.reading is Reading.RESPELLED else None)
    return Cleaned(unit.code, "admin_unit.other_date") if was_code else _of_another_date(unit, on)


def _default_date(options: Options) -> date:
    given = options.get("date", LAST_DAY_OF_OLD_UNITS)
    return given if isinstance(given, date) else date.fromisoformat(given)


def _of_another_date(unit: Unit, on: date) -> Cleaned:
    """The code of a unit that was named on a date when it was not in force."""
    new = successors(unit, on)
    if len(new) == 1:
        return Cleaned(new[0].code, "admin_unit.replaced")
    if new:
        return Cleaned(None, "admin_unit.split")
    reused = any(other.is_valid(on) for other in units_by_code()[unit.code])
    return Cleaned(None, "admin_unit.reused") if reused else Cleaned(unit.code, "admin_unit.other_date")


def _place(unit: Unit) -> str:
    """The units around a unit, for telling it from others of its name."""
    around = [
        other
        for code in (unit.district_code, unit.province_code)
        for other in units_by_code().get(code, [])
        if other.valid_from == unit.valid_from
    ]
    return "".join(f", {other.name}" for other in around)


def _begin_of_period(dates: pl.Series) -> pl.Series:
    """Each date as the first day of the period in which the same units were in force."""
    begins = pl.Series("on", sorted({BEGINNING, *(unit.valid_from for unit in units())}), dtype=pl.Date)
    place = begins.search_sorted(dates, side="right").cast(pl.Int64) - 1
    return begins.gather(place.clip(lower_bound=0)).alias("on")


ADMIN_UNIT = AdminUnitStandard()
