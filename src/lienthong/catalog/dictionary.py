"""The data dictionary of everything, and how it compares with another province's or the national one: same, different, missing here, missing there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from lienthong.contracts import Contract, Property, Rule
from lienthong.quality.rules import RULES
from lienthong.quality.words import said
from lienthong.standards import STANDARDS, without_marks
from lienthong.standards.text import tidy

MOST_ELEMENTS = 50_000
TYPES = {"string": "chữ", "integer": "số nguyên", "number": "số", "boolean": "đúng/sai", "date": "ngày", "timestamp": "thời điểm"}
_TYPE_OF = {
    **dict.fromkeys(("chu", "string", "text", "varchar", "nvarchar", "char", "chuoi", "chuoi ky tu", "van ban"), "string"),
    **dict.fromkeys(("so nguyen", "integer", "int", "bigint", "smallint"), "integer"),
    **dict.fromkeys(("so", "number", "numeric", "decimal", "float", "double", "so thuc"), "number"),
    **dict.fromkeys(("dung/sai", "boolean", "bool", "logic", "co/khong"), "boolean"),
    **dict.fromkeys(("ngay", "date", "ngay thang nam"), "date"),
    **dict.fromkeys(("thoi diem", "timestamp", "datetime", "ngay gio", "date-time"), "timestamp"),
}
_YES = ("co", "x", "yes", "true", "1", "bat buoc")


@dataclass(frozen=True)
class Element:
    """One field of one dataset, as a dictionary says it."""

    dataset: str = ""
    dataset_title: str = ""
    agency: str = ""
    field: str = ""
    business_name: str = ""
    business_name_en: str = ""
    definition: str = ""
    technical_definition: str = ""
    rule: str = ""
    type: str = ""
    required: str = ""
    sensitivity: str = ""
    standard: str = ""
    authority: str = ""
    codes: str = ""


HEADINGS: Mapping[str, str] = {
    "dataset": "Mã bộ dữ liệu", "dataset_title": "Tên bộ dữ liệu", "agency": "Cơ quan chủ quản", "field": "Tên trường", "business_name": "Tên nghiệp vụ",
    "business_name_en": "Tên tiếng Anh", "definition": "Định nghĩa", "technical_definition": "Định nghĩa kỹ thuật", "rule": "Quy tắc", "type": "Kiểu dữ liệu",
    "required": "Bắt buộc", "sensitivity": "Mức nhạy cảm", "standard": "Chuẩn", "authority": "Nguồn tin cậy", "codes": "Mã và ý nghĩa",
}  # fmt: skip
_ALSO: Mapping[str, tuple[str, ...]] = {
    "dataset": ("bo du lieu", "ma tap du lieu", "dataset"), "dataset_title": ("ten tap du lieu", "ten co so du lieu"), "agency": ("co quan", "don vi"),
    "field": ("truong", "ma truong", "ten cot", "column", "field"), "business_name": ("ten phan tu du lieu", "ten thuat ngu", "ten truong thong tin", "business name"),
    "business_name_en": ("english name",), "definition": ("mo ta", "y nghia", "dinh nghia nghiep vu", "definition", "description"),
    "technical_definition": ("mo ta ky thuat", "technical definition"), "rule": ("quy tac du lieu", "rang buoc", "rule"), "type": ("kieu", "type", "data type"),
    "required": ("required",), "sensitivity": ("phan loai", "sensitivity"), "standard": ("tieu chuan", "standard"), "authority": ("nguon", "authority"),
    "codes": ("danh muc", "gia tri", "codes"),
}  # fmt: skip
COMPARED = ("business_name", "definition", "technical_definition", "rule", "type", "required", "codes")


def elements_of(contracts: Iterable[Contract]) -> list[Element]:
    """Every field of every dataset, in the order of datasets and fields."""
    return [_element(contract, p) for contract in contracts for p in contract.properties]


def as_row(element: Element) -> list[str]:
    return [str(getattr(element, each.name)) for each in fields(Element)]


def _element(contract: Contract, p: Property) -> Element:
    standard = STANDARDS.get(p.standard) if p.standard else None
    named = p.standard_options.get("values")
    rules = [rule for rule in contract.all_rules if p.name in rule.columns]
    return Element(
        dataset=contract.id,
        dataset_title=contract.title_vi,
        agency=contract.agency,
        field=p.name,
        business_name=p.title_vi,
        business_name_en=p.title_en,
        definition=p.description,
        technical_definition="; ".join(
            part for part in (TYPES[p.logical_type], standard.title_vi if standard else "", *_limits(p)) if part
        ),
        rule="; ".join(_rule_words(contract, rule) for rule in rules),
        type=TYPES[p.logical_type],
        required="có" if p.required or p.key_position is not None else "không",
        sensitivity=p.sensitivity.value,
        standard=p.standard or "",
        authority=contract.authority_of(p.name) if p.authoritative or p.authority else "",
        codes="; ".join(f"{code}: {title}" for code, title in named.items()) if isinstance(named, Mapping) else "",
    )


def _limits(p: Property) -> list[str]:
    found = []
    for rule in p.rules:
        if rule.kind == "pattern":
            found.append(f"mẫu {rule.parameters['pattern']}")
        if rule.kind == "length":
            found.append(f"{rule.parameters.get('min', 0)}–{rule.parameters.get('max', '∞')} ký tự")
    return found


def _rule_words(contract: Contract, rule: Rule) -> str:
    return said(rule, RULES[rule.kind].say(rule, contract))[0]


def known_heading(heading: str) -> str | None:
    """The word of a heading of a dictionary, in any of its spellings."""
    plain = _plain(heading)
    for word, ours in HEADINGS.items():
        if plain in (_plain(ours), word.replace("_", " "), word, *_ALSO[word]):
            return word
    return None


def count_known(headings: Sequence[str]) -> int:
    return sum(1 for heading in headings if known_heading(heading) is not None)


def read_elements(rows: Iterable[Mapping[str, Any]]) -> list[Element]:
    """The elements of another dictionary's rows, under whichever of our headings they stand. A row that names nothing is left out."""
    found = []
    for row in rows:
        said_here = {
            word: str(value).strip() for heading, value in row.items() if value is not None and (word := known_heading(str(heading)))
        }
        if said_here.get("field") or said_here.get("business_name"):
            found.append(Element(**said_here))
    return found


@dataclass(frozen=True)
class Different:
    """One element that both have and say differently: word → (here, there)."""

    here: Element
    there: Element
    words: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Comparison:
    """What two dictionaries have in common and not."""

    same: tuple[Element, ...]
    different: tuple[Different, ...]
    missing_here: tuple[Element, ...]
    missing_there: tuple[Element, ...]


def compare(here: Sequence[Element], there: Sequence[Element]) -> Comparison:
    """Compare two dictionaries. An element is known by dataset and field; else by its business name; else by the field alone, where one bears it."""
    by_place, by_name, by_field = _lookups(there)
    same: list[Element] = []
    different: list[Different] = []
    alone: list[Element] = []
    met: set[int] = set()
    for element in here:
        number = by_place.get((element.dataset, element.field), by_name.get(_plain(element.business_name), by_field.get(element.field)))
        if number is None:
            alone.append(element)
            continue
        met.add(number)
        words = differences(element, there[number])
        if words:
            different.append(Different(element, there[number], words))
        else:
            same.append(element)
    missing = tuple(element for number, element in enumerate(there) if number not in met)
    return Comparison(tuple(same), tuple(different), missing, tuple(alone))


def _lookups(there: Sequence[Element]) -> tuple[dict[tuple[str, str], int], dict[str, int], dict[str, int]]:
    """Numbers of elements by place, by name, by field; a name that two bear with different places is nobody's."""
    by_place: dict[tuple[str, str], int] = {}
    names: dict[str, list[int]] = {}
    columns: dict[str, list[int]] = {}
    for number, element in enumerate(there):
        if element.dataset and element.field:
            by_place.setdefault((element.dataset, element.field), number)
        if element.business_name:
            names.setdefault(_plain(element.business_name), []).append(number)
        if element.field:
            columns.setdefault(element.field, []).append(number)
    return (
        by_place,
        {name: found[0] for name, found in names.items() if len(found) == 1},
        {name: found[0] for name, found in columns.items() if len(found) == 1},
    )


def differences(here: Element, there: Element) -> dict[str, tuple[str, str]]:
    """What both say and say differently; what one of them leaves out is no difference."""
    found = {}
    for word in COMPARED:
        ours, theirs = getattr(here, word), getattr(there, word)
        if ours and theirs and _meant(word, ours) != _meant(word, theirs):
            found[word] = (ours, theirs)
    return found


def _meant(word: str, text: str) -> str:
    plain = tidy(text).casefold().strip(" .;")
    if word == "type":
        return _TYPE_OF.get(re.sub(r"\s*\(.*\)$", "", without_marks(plain)), plain)
    if word == "required":
        return "yes" if without_marks(plain) in _YES else "no"
    return re.sub(r"\s+", " ", plain)


def _plain(text: str) -> str:
    return without_marks(tidy(text).casefold()).strip(" .:*?")
