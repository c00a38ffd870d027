"""Code lists that the platform ships: entries with their days, and standards that turn a name in any usual spelling into its code.

Where each list comes from, and how much of it is here, is told in `data/lists/README.md`. Each is a dataset too (`datasets/code-lists/`).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
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
def _by_code(name: str) -> dict[str, ListEntry]:
    return {entry.code: entry for entry in entries(name)}


def _key(text: str, *, has_marks: bool) -> str:
    folded = tidy(text).casefold() if has_marks else without_marks(tidy(text))
    return re.sub(r"[^\w]+|_", "", folded)


@cache
def _by_name(name: str) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Codes by names with their marks, and without."""
    found: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for entry in entries(name):
        for spelling in (entry.name, *filter(None, (entry.name_en,)), *entry.spellings):
            for has_marks, keys in zip((True, False), found, strict=True):
                keys.setdefault(_key(spelling, has_marks=has_marks), set()).add(entry.code)
    marked, plain = ({key: frozenset(codes) for key, codes in keys.items()} for keys in found)
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


def _clean(name: str, value: str, options: Options) -> Cleaned:
    text = tidy(value)
    code = _code_in(name, text, options)
    if code is not None:
        return Cleaned(code)
    if name == "industries" and (deeper := _deeper(text)) is not None:
        return Cleaned(deeper, "code_list.deeper")
    before = _BEFORE.get(name)
    bare = text if before is None else before.sub("", text)
    marked, plain = _by_name(name)
    for spelling in dict.fromkeys((text, bare)):
        found = marked.get(_key(spelling, has_marks=True)) or plain.get(_key(spelling, has_marks=False), frozenset())
        if name == "industries" and len(found) == 2:  # a section and its only division bear one name: the section says no less
            found = frozenset(code for code in found if not _by_code(name)[code].parent)
        if found:
            return Cleaned(next(iter(found))) if len(found) == 1 else Cleaned(None, "code_list.ambiguous")
    return Cleaned(None, "code_list.unknown")


def _deeper(text: str) -> str | None:
    """A code of three to five digits below a division of the list (01110): kept, though its own name is not in the list here."""
    code = re.sub(r"[\s.]", "", text)
    is_code = code.isascii() and code.isdigit() and 2 < len(code) <= DEEPEST_INDUSTRY
    return code if is_code and code[:2] in _by_code("industries") else None


@dataclass(frozen=True)
class ListStandard(DistinctStandard):
    """A list with its row's date: an entry added later than the row, or ended by then, is kept with a warning."""

    list: str = ""

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        found = super().clean_column(values, options)
        if dated_by is None:
            return found
        first = min(entry.valid_from for entry in entries(self.list))  # what the first edition has was so before it
        begins = {entry.code: entry.valid_from for entry in entries(self.list) if entry.valid_from > first}
        ends = {entry.code: entry.valid_to for entry in entries(self.list) if entry.valid_to is not None}
        frame = pl.DataFrame({"code": found.values, "problem": found.problems, "on": dated_by.cast(pl.Date)})
        is_early = pl.col("on") < pl.col("code").replace_strict(begins, default=None, return_dtype=pl.Date) if begins else pl.lit(False)
        is_late = pl.col("on") >= pl.col("code").replace_strict(ends, default=None, return_dtype=pl.Date) if ends else pl.lit(False)
        is_other = (is_early.fill_null(False) | is_late.fill_null(False)) & pl.col("problem").is_null()
        problems = frame.select(pl.when(is_other).then(pl.lit("code_list.other_date")).otherwise(pl.col("problem")).alias("problem"))[
            "problem"
        ]
        return CleanedColumn(found.values, problems)


_GOOD: dict[str, tuple[tuple[str, str], ...]] = {
    "ethnic_groups": (("Kinh", "01"), ("dân tộc S'tiêng", "22"), ("M'Nông", "20"), ("5", "05"), ("Hmong", "08")),
    "religions": (("Phật giáo", "01"), ("đạo Tin Lành", "08"), ("3", "03")),
    "countries": (("Việt Nam", "VN"), ("kh", "KH"), ("Quốc tịch: Lào", "LA"), ("Hoa Kỳ", "US")),
    "industries": (("A", "A"), ("01", "01"), ("Xây dựng", "F")),
    "occupations": (("63", "63"), ("Nhà chuyên môn về giảng dạy", "23")),
    "relationships": (("Chủ hộ", "head"), ("Vợ", "spouse"), ("con dau", "child_in_law")),
    "education_levels": (("THPT", "upper_secondary"), ("Đại học", "6"), ("Thạc sỹ", "7")),
}
_BAD: dict[str, tuple[tuple[str, str], ...]] = {
    "ethnic_groups": (("99", "code_list.unknown"), ("Người sao Hoả", "code_list.unknown")),
    "religions": (("không", "code_list.unknown"),),
    "countries": (("XX", "code_list.unknown"),),
    "industries": (("01110", "code_list.deeper"), ("04", "code_list.unknown")),
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
    entry = _by_code(name).get(value or "")
    return value or "" if entry is None or name == "industries" else entry.name


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
