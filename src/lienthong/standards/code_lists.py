"""Code lists that the platform ships: entries with their days, and standards that turn a name in any usual spelling into its code.

Where each list comes from, and how much of it is here, is told in `data/lists/README.md`. Each is a dataset too (`datasets/code-lists/`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources

import polars as pl

from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

LISTS = {
    "ethnic_groups": ("ethnic_group", "Dân tộc", "Ethnic group"),
    "religions": ("religion", "Tôn giáo", "Religion"),
    "countries": ("country", "Quốc gia, quốc tịch", "Country or nationality"),
    "industries": ("industry", "Ngành kinh tế (VSIC)", "Industry (VSIC)"),
    "occupations": ("occupation", "Nghề nghiệp", "Occupation"),
    "relationships": ("relationship", "Quan hệ với chủ hộ", "Relationship to the head of household"),
    "education_levels": ("education_level", "Trình độ học vấn, đào tạo", "Level of education"),
}
# The codes of 2008 (Decision 1019/QĐ-TCTK, annex E of QCVN 109:2017) that could be read; where they differ, a bare code means another group.
_ETHNIC_2008 = {
    f"{n:02}": code
    for n, code in enumerate(
        ["01", "02", "03", "06", "05", "04", "07", "08", "09", "10", "12", "13", "15", "17", "16", "14", "18", "19", "21", "20"], 1
    )
}  # as the source lists them
_BEFORE = {
    "ethnic_groups": re.compile(r"^(?:dân tộc|dan toc|người|nguoi)\s+", re.IGNORECASE),
    "religions": re.compile(r"^(?:tôn giáo|ton giao)\s*:?\s*", re.IGNORECASE),
    "countries": re.compile(r"^(?:nước|nuoc|quốc tịch|quoc tich)\s*:?\s*", re.IGNORECASE),
    "education_levels": re.compile(r"^(?:tốt nghiệp|trình độ|tn)\s+", re.IGNORECASE),
}
DEEPEST_INDUSTRY = 5
VSIC_2025 = date(2025, 11, 15)  # Decision 36/2025/QĐ-TTg; of VSIC 2018 before it levels 1 and 2 are here


@dataclass(frozen=True)
class ListEntry:
    """One entry of a list, in force on `[valid_from, valid_to)`."""

    code: str
    parent: str
    name: str
    name_en: str
    spellings: tuple[str, ...]
    valid_from: date
    valid_to: date | None

    def is_in_force(self, on: date | None) -> bool:
        """On a day; of no day: whether it stands."""
        return self.valid_to is None if on is None else self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@cache
def entries(name: str) -> tuple[ListEntry, ...]:
    """The entries of a list, in its own order."""
    text = resources.files("lienthong.standards").joinpath("data", "lists", f"{name}.csv").read_text("utf-8")
    return tuple(
        ListEntry(
            row["code"],
            row["parent"],
            row["name"],
            row["name_en"],
            tuple(spelling for spelling in row["spellings"].split("|") if spelling),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    )


@cache
def _by_code(name: str) -> Mapping[str, tuple[ListEntry, ...]]:
    found: dict[str, tuple[ListEntry, ...]] = {}
    for entry in entries(name):
        found[entry.code] = (*found.get(entry.code, ()), entry)
    return found


@cache
def _days(name: str) -> tuple[date, ...]:
    """The days on which a list changed, its first among them."""
    return tuple(sorted({day for entry in entries(name) for day in (entry.valid_from, entry.valid_to) if day is not None}))


def _key(text: str, *, has_marks: bool) -> str:
    folded = tidy(text).casefold() if has_marks else without_marks(tidy(text))
    return re.sub(r"[^\w]+|_", "", folded)


@cache
def _by_name(name: str) -> tuple[Mapping[str, tuple[ListEntry, ...]], Mapping[str, tuple[ListEntry, ...]]]:
    """Entries by names with their marks, and without."""
    marked: dict[str, tuple[ListEntry, ...]] = {}
    plain: dict[str, tuple[ListEntry, ...]] = {}
    for entry in entries(name):
        for spelling in filter(None, (entry.name, entry.name_en, *entry.spellings)):
            for has_marks, keys in ((True, marked), (False, plain)):
                key = _key(spelling, has_marks=has_marks)
                keys[key] = (*(other for other in keys.get(key, ()) if other != entry), entry)
    return marked, plain


def _code_in(name: str, text: str, options: Options) -> str | None:
    """The code a text writes, with the nought that a spreadsheet takes away."""
    code = text.removesuffix(".0").strip("'").upper() if name != "relationships" else text
    if name == "ethnic_groups" and code.isdigit():
        code = code.zfill(2)
        return _ETHNIC_2008.get(code) if str(options.get("edition", "1979")) == "2008" else code if code in _by_code(name) else None
    if name == "religions" and code.isdigit():
        code = code.zfill(2)
    return next((known for known in (code, text) if known in _by_code(name)), None)


def _clean(name: str, value: str, options: Options, on: date | None = None) -> Cleaned:
    text = tidy(value)
    code = _code_in(name, text, options)
    if code is not None and any(entry.is_in_force(on) for entry in _by_code(name)[code]):
        return Cleaned(code)
    if name == "industries" and (deeper := _deeper(text)) is not None:
        return Cleaned(deeper, "code_list.deeper" if on is not None and on < VSIC_2025 else "code_list.other_date")
    if code is not None:
        return Cleaned(code, "code_list.other_date")
    before = _BEFORE.get(name)
    bare = text if before is None else before.sub("", text)
    marked, plain = _by_name(name)
    for spelling in dict.fromkeys((text, bare)):
        found = marked.get(_key(spelling, has_marks=True)) or plain.get(_key(spelling, has_marks=False), ())
        if found:
            return _named(found, on)
    return Cleaned(None, "code_list.unknown")


def _named(found: Iterable[ListEntry], on: date | None) -> Cleaned:
    """The code of entries of one name: of those in force where there are any, else of the others, which is told.

    Of entries one below another the uppermost: a section and its only division bear one name, and the section says no less.
    """
    standing = [entry for entry in found if entry.is_in_force(on)]
    named = standing or list(found)
    codes = {entry.code for entry in named}
    uppermost = {entry.code for entry in named if entry.parent not in codes}
    if len(uppermost) > 1:
        return Cleaned(None, "code_list.ambiguous")
    return Cleaned(uppermost.pop(), None if standing else "code_list.other_date")


def _deeper(text: str) -> str | None:
    """A code of three to five digits below a division of either edition (01310): kept, though its own name is not in the list here."""
    code = re.sub(r"[\s.]", "", text)
    is_code = code.isascii() and code.isdigit() and 2 < len(code) <= DEEPEST_INDUSTRY
    return code if is_code and code[:2] in _by_code("industries") else None


@dataclass(frozen=True)
class ListStandard(DistinctStandard):
    """A list read as it stood on its row's day: what was added later, or had ended by then, is kept with a warning.

    What the first edition has was so before it. A value without a day is read in the list that stands.
    """

    list: str = ""

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        if dated_by is None or dated_by.null_count() == len(dated_by):
            return super().clean_column(values, options)
        days = _days(self.list)
        dates = dated_by.cast(pl.Date)
        reached = pl.Series(days, dtype=pl.Date).search_sorted(dates.fill_null(days[0]), side="right")
        turns = pl.select(pl.when(dates.is_not_null()).then((reached.cast(pl.Int64) - 1).clip(0))).to_series()
        cleaned = pl.repeat(None, len(values), dtype=pl.String, eager=True)
        problems = cleaned.clone()
        for turn in turns.unique().to_list():
            rows = (turns.is_null() if turn is None else (turns == turn).fill_null(False)).arg_true()
            found = self._on(None if turn is None else days[turn]).clean_column(values.gather(rows), options)
            cleaned, problems = cleaned.scatter(rows, found.values), problems.scatter(rows, found.problems)
        return CleanedColumn(cleaned.alias("value"), problems)

    def _on(self, day: date | None) -> ListStandard:
        """The same, reading whatever it is given as of one day."""
        return replace(self, clean_one=lambda value, options: _clean(self.list, value, options, day))


_GOOD: dict[str, tuple[tuple[str, str], ...]] = {
    "ethnic_groups": (("Kinh", "01"), ("dân tộc S'tiêng", "22"), ("M'Nông", "20"), ("5", "05"), ("Hmong", "08")),
    "religions": (("Phật giáo", "01"), ("đạo Tin Lành", "08"), ("3", "03")),
    "countries": (("Việt Nam", "VN"), ("kh", "KH"), ("Quốc tịch: Lào", "LA"), ("Hoa Kỳ", "US")),
    "industries": (("A", "A"), ("01", "01"), ("Xây dựng", "F"), ("01110", "01110"), ("Trồng lúa", "0111")),
    "occupations": (("63", "63"), ("Nhà chuyên môn về giảng dạy", "23")),
    "relationships": (("Chủ hộ", "head"), ("Vợ", "spouse"), ("con dau", "child_in_law")),
    "education_levels": (("THPT", "upper_secondary"), ("Đại học", "6"), ("Thạc sỹ", "7")),
}
_BAD: dict[str, tuple[tuple[str, str], ...]] = {
    "ethnic_groups": (("99", "code_list.unknown"), ("Người sao Hoả", "code_list.unknown")),
    "religions": (("không", "code_list.unknown"),),
    "countries": (("XX", "code_list.unknown"),),
    "industries": (("01310", "code_list.other_date"), ("Nuôi tôm", "code_list.ambiguous"), ("04", "code_list.unknown")),
    "occupations": (("77", "code_list.unknown"),),
    "relationships": (("bạn", "code_list.unknown"),),
    "education_levels": (("Sơ cấp", "code_list.unknown"),),
}
_OPTIONS = {
    "ethnic_groups": {
        "edition": "Whose codes bare numbers are: `1979` (Decision 121-TCTK/PPCĐ; if left out) or `2008` (1019/QĐ-TCTK, codes 01–20)."
    }
}


def _shown(name: str, value: str | None) -> str:
    known = _by_code(name).get(value or "")
    return value or "" if known is None or name == "industries" else known[-1].name


def _standard(name: str) -> ListStandard:
    standard, title_vi, title_en = LISTS[name]
    return ListStandard(
        standard,
        pl.String(),
        title_vi,
        title_en,
        lambda value, options: _clean(name, value, options),
        good=_GOOD[name],
        bad=_BAD[name],
        known_options=_OPTIONS.get(name, {}),
        show=lambda value: _shown(name, value),
        list=name,
    )


CODE_LISTS = tuple(map(_standard, LISTS))
