"""An address and its parts: house, alley, street, hamlet, and the units it lies in, called as they were when it was written.

The text is made even (one comma between parts, kinds and names of units in full), never renewed: an address in units of before July 2025
keeps them. Where the text does not decide its commune the address is kept with a warning; `admin_unit` says what it may mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl

from lienthong.standards.admin_unit import LAST_DAY_OF_OLD_UNITS, end_of_address
from lienthong.standards.admin_units import MERGED, Unit, of_units
from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import TOO_LONG, Options, refuse_unknown
from lienthong.standards.text import tidy, without_marks
from lienthong.standards.unit_names import KINDS_OF_COMMUNES, kind_of, without_kind
from lienthong.standards.unit_search import LONGEST_ADDRESS, NEVER_UNITS, part_of, read_parts, split_address

_NUMBER = r"(?=[\s.:]*[0-9])"
_SHORT = (  # abbreviations written in full; the words themselves stay as they are
    (re.compile(rf"^(?:sn|số nhà|so nha|nhà số){_NUMBER}[\s.:]*", re.IGNORECASE), "Số "),
    (re.compile(rf"^số{_NUMBER}[\s.:]*", re.IGNORECASE), "Số "),
    (re.compile(r"^tdp(?=[\s.:0-9])[\s.:]*", re.IGNORECASE), "Tổ dân phố "),
    (re.compile(r"^kp(?=[\s.:0-9])[\s.:]*", re.IGNORECASE), "Khu phố "),
    (re.compile(rf"^(?:ql|quốc lộ){_NUMBER}[\s.:]*", re.IGNORECASE), "Quốc lộ "),
    (re.compile(rf"^(?:tl|tỉnh lộ){_NUMBER}[\s.:]*", re.IGNORECASE), "Tỉnh lộ "),
    (re.compile(r"^đ\.\s*", re.IGNORECASE), "Đường "),
)
_PARTS = tuple(
    (name, re.compile(rf"^(?:{words})(?=[\s.:0-9])", re.IGNORECASE))
    for name, words in (
        ("hamlet", "tổ dân phố|to dan pho|khu phố|khu pho|khu dân cư|thôn|thon|ấp|ap|tổ|to|khóm|khom|xóm|xom|bản|ban|làng|lang|buôn|buon|sóc|soc|phum|đội|cụm|khu"),
        ("alley", "ngách|ngach|ngõ|ngo|hẻm|hem|hẽm|kiệt|kiet"),
        ("street", "đường|duong|phố|pho|đại lộ|dai lo|quốc lộ|quoc lo|tỉnh lộ|tinh lo"),
        ("house", "số|so|lô|lo|căn hộ|can ho"),
    )
)  # fmt: skip
_HOUSE = re.compile(r"^(?:số |so )?([0-9]+[a-zđ]?(?:\s?[/-]\s?[0-9]+[a-zđ]?)*)(?:\s+(?=\S)|$)", re.IGNORECASE)
_EVEN = rf"^(?:(?i:{NEVER_UNITS.replace('|kp', '')}) [A-Za-zÀ-ỹ0-9/]+(?: [A-Za-zÀ-ỹ0-9/]+)*, )*$"


@dataclass(frozen=True)
class Address:
    """The parts of an address, '' where it has none. `below` is all that lies below the commune, as it was written and made even.

    `code` is the commune's, where the text decides it, in the time the address was written in.
    """

    house: str = ""
    alley: str = ""
    street: str = ""
    hamlet: str = ""
    commune: str = ""
    district: str = ""
    province: str = ""
    code: str = ""
    below: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.below, self.commune, self.district, self.province) if part)


def parse_address(text: str, on: date = LAST_DAY_OF_OLD_UNITS, within: str | None = None, *, strict: bool = False) -> Address:
    """The parts of an address that was written in the units of a day or of before it."""
    head, end = split_address(tidy(text))
    units, before = _units(", ".join(end), on, within, strict=strict)
    below = [_even(part) for part in (*head, *before)]
    return Address(**_below(below), **units, below=", ".join(below))


def address_parts(values: pl.Series, on: date = LAST_DAY_OF_OLD_UNITS, within: str | None = None) -> pl.DataFrame:
    """A column of texts for each part, null where there is none; as long as the input."""
    names = [part.name for part in fields(Address)]
    distinct = values.drop_nulls().unique()
    parsed = [asdict(parse_address(value, on, within)) if len(value) <= LONGEST_ADDRESS else {} for value in distinct.to_list()]
    parts = pl.DataFrame({name: [one.get(name) or None for one in parsed] for name in names}, schema=dict.fromkeys(names, pl.String))
    return values.to_frame("_").join(parts.with_columns(distinct.alias("_")), on="_", how="left", maintain_order="left").drop("_")


def _even(part: str) -> str:
    for written, full in _SHORT:
        part, changed = written.subn(full, part, count=1)
        if changed:
            break
    return part.strip()


def _below(parts: list[str]) -> dict[str, str]:
    """House, alley, street and hamlet among parts; the first of each but of hamlets, which stand beside each other (tổ, ấp)."""
    found: dict[str, list[str]] = {"house": [], "alley": [], "street": [], "hamlet": []}
    for part in parts:
        house = _HOUSE.match(part)
        rest = part
        if house is not None and not found["house"]:
            found["house"].append(house.group(1).replace(" ", ""))
            rest = part[house.end() :]
        if not rest:
            continue
        name = next((name for name, words in _PARTS if words.match(rest)), "street" if house is not None else "")
        if name and (name == "hamlet" or not found[name]):
            found[name].append(rest)
    return {name: ", ".join(said) for name, said in found.items()}


@of_units
@lru_cache(maxsize=65_536)
def _units(end: str, on: date, within: str | None, *, strict: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """Commune, district, province and code of the end of an address, and the parts of it that lie below the commune."""
    found = read_parts(end, on, "commune", within, strict=strict)
    parts = found.parts or tuple(part.strip() for part in end.split(","))
    codes = frozenset[str]() if found.is_elsewhere or found.is_several else {unit.code for unit in found.units}
    commune = found.units[0] if len(codes) == 1 else None
    if commune is None:
        first = next((n for n in range(len(parts) - 1, -1, -1) if kind_of(parts[n]) in KINDS_OF_COMMUNES), None)
        if first is None:
            return {"commune": "", **_around(parts[1:] if found.parts else (), None)}, (
                *found.before,
                *(parts[:1] if found.parts else parts),
            )
        return {"commune": _written(parts[first]), **_around(parts[first + 1 :], None)}, (*found.before, *parts[:first])
    return {"commune": commune.name, **_around(parts[1:], commune), "code": commune.code}, found.before


def _around(parts: tuple[str, ...], commune: Unit | None) -> dict[str, str]:
    """The district and province that parts name: by the register where they are the commune's own, else as they were written."""
    said = {"district": "", "province": ""}
    for n, text in enumerate(parts):
        exact, plain = part_of(text).of(frozenset({"district", "province"}))
        named = exact or plain
        level = "province" if n == len(parts) - 1 and any(unit.level == "province" for unit in named) else "district"
        own = "" if commune is None else commune.province_code if level == "province" else commune.district_code
        full = next((unit.name for unit in named if unit.code == own and _is_of_time(unit, commune)), "")
        if not said[level]:
            said[level] = full or _written(text)
        else:
            said[level] = f"{said[level]}, {_written(text)}"
    return said


def _is_of_time(unit: Unit, commune: Unit | None) -> bool:
    return commune is not None and (unit.valid_from < MERGED) == (commune.valid_from < MERGED)


def _written(part: str) -> str:
    """A part with its kind in full; its name as it was written."""
    kind = kind_of(part)
    return f"{kind.capitalize()} {without_kind(part).strip()}" if kind else part


@dataclass(frozen=True)
class AddressStandard:
    """An address made even; its row's date says in which units it may be written."""

    name: str = "address"
    dtype: pl.DataType = field(default_factory=pl.String)
    title_vi: str = "Địa chỉ"
    title_en: str = "Address"
    good: tuple[tuple[str, str], ...] = (
        ("SN 12, KP3, P. Tân Phú, TP Đồng Xoài, Bình Phước", "Số 12, Khu phố 3, Phường Tân Phú, Thành phố Đồng Xoài, Tỉnh Bình Phước"),
        ("12/5 Nguyễn Trãi,X.Tân Tiến ,H.Đồng Phú", "12/5 Nguyễn Trãi, Xã Tân Tiến, Huyện Đồng Phú"),
        ("Ấp 3 xã Đăk Ơ huyện Bù Gia Mập tỉnh Bình Phước", "Ấp 3, Xã Đak Ơ, Huyện Bù Gia Mập, Tỉnh Bình Phước"),
    )
    bad: tuple[tuple[str, str], ...] = (("Ấp 3", "address.no_commune"), ("Xã Tân Tiến, Bình Phước", "address.no_commune"))
    known_options: Mapping[str, str] = field(
        default_factory=lambda: {
            "within": "Code of the province in which a commune that stands alone is looked for first (`LIENTHONG_PROVINCE` if left out).",
            "strict": "`true`: such a commune is looked for in that province and nowhere else, among the units of either time.",
            "date": "Date by which rows that have none are read (`asOf` of the property goes before); `2025-06-30` if left out.",
        }
    )

    def clean(self, value: str | None, options: Options, on: date | None = None) -> Cleaned:
        """One address as of a date; without a date, as of the option `date`."""
        refuse_unknown(self.name, options, self.known_options)
        text = "" if value is None else tidy(value)
        if not text:
            return Cleaned(None)
        if len(text) > LONGEST_ADDRESS:
            return Cleaned(None, TOO_LONG)
        return _settled(text, on or _default_date(options), options.get("within"), strict=options.get("strict") is True)

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """Each distinct end of an address once; what lies before it is kept where it is even already, else the whole is read."""
        refuse_unknown(self.name, options, self.known_options)
        default = _default_date(options)
        dates = (
            pl.repeat(default, len(values), dtype=pl.Date, eager=True) if dated_by is None else dated_by.cast(pl.Date).fill_null(default)
        )
        is_merged = dates >= MERGED
        value, end = pl.col("value"), pl.col("end")
        frame = pl.DataFrame({"value": values, "merged": is_merged}).with_columns(end_of_address(value).alias("end"))
        head = value.str.slice(0, value.str.len_chars() - end.str.len_chars())
        frame = frame.with_columns(pl.when(head.str.contains(_EVEN)).then(head).alias("head"))
        asked = frame.select("head", pl.when(pl.col("head").is_not_null()).then(end).otherwise(value).alias("asked"), "merged")
        distinct = asked.select("asked", "merged").filter(pl.col("asked").is_not_null()).unique()
        cleaned = [self.clean(text, options, MERGED if merged else LAST_DAY_OF_OLD_UNITS) for text, merged in distinct.iter_rows()]
        lookup = distinct.with_columns(
            pl.Series("clean", [one.value for one in cleaned], dtype=pl.String),
            pl.Series("problem", [one.problem for one in cleaned], dtype=pl.String),
        )
        joined = asked.join(lookup, on=["asked", "merged"], how="left", maintain_order="left")
        return CleanedColumn(joined.select((pl.col("head").fill_null("") + pl.col("clean")).alias("value"))["value"], joined["problem"])

    def compare_key(self, value: Any) -> str | None:
        return None if value is None else re.sub(r"[^\w]+", " ", without_marks(str(value))).strip()

    def display(self, value: Any) -> str:
        return str(value or "")


def _default_date(options: Options) -> date:
    given = options.get("date", LAST_DAY_OF_OLD_UNITS)
    return given if isinstance(given, date) else date.fromisoformat(given)


_MOST_READINGS = 4


def _settled(text: str, on: date, within: str | None, *, strict: bool) -> Cleaned:
    """The address read until reading it again changes nothing; as it was written where that does not end."""
    read = text
    for _ in range(_MOST_READINGS):
        found = parse_address(read, on, within, strict=strict)
        if str(found) == read:
            return Cleaned(read, None if found.code else "address.no_commune")
        read = str(found)
        if not read:
            break
    return Cleaned(text, "address.no_commune")


ADDRESS = AddressStandard()
