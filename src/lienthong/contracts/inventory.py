"""The inventory sheet of an agency: which systems and databases it has, what each shares and how. The form provinces fill in since 2026.

A row is known by its agency and name. What is connected already is described by its contract; of such a row only the four decisions are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lienthong.standards import without_marks
from lienthong.standards.text import tidy

LONGEST_CELL = 2_000
MOST_ROWS = 5_000
_URL = re.compile(r"https?://[^\s<>\"]{3,500}", re.IGNORECASE)
_AGENCY = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
LEVELS = ("trung ương", "tỉnh", "xã")
DECISIONS = ("duplicate", "upgrade", "merge", "retire")
YES, NO = ("có", "x", "yes", "co", "1", "true"), ("không", "khong", "no", "0", "false", "")


@dataclass(frozen=True)
class Column:
    """A column of the sheet: its word here, its heading, and other headings it is known under (without marks)."""

    word: str
    heading: str
    english: str
    also: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column("number", "STT", "No.", ("tt",)),
    Column("id", "Mã trong danh mục", "Catalogue id", ("ma",)),
    Column("name", "Tên hệ thống, cơ sở dữ liệu", "Name", ("ten", "ten he thong", "ten co so du lieu", "ten csdl", "name")),
    Column("url", "Địa chỉ", "URL", ("url", "dia chi url", "link")),
    Column("level", "Cấp", "Level", ("cap", "cap quan ly")),
    Column("agency", "Mã cơ quan chủ quản", "Agency code", ("ma co quan", "ma dinh danh", "agency")),
    Column("department", "Cơ quan chủ quản", "Department", ("so, nganh", "so nganh", "co quan", "don vi chu quan")),
    Column("unit", "Đơn vị trực thuộc", "Sub-unit", ("don vi", "don vi van hanh")),
    Column("year", "Năm đưa vào sử dụng", "Year", ("nam", "nam dua vao su dung")),
    Column("bought", "Mua hay thuê", "Bought or rented", ("mua/thue", "hinh thuc", "hinh thuc dau tu")),
    Column("reviewed", "Tình trạng rà soát", "Review status", ("ra soat",)),
    Column("running", "Tình trạng hoạt động", "Running status", ("tinh trang", "hoat dong")),
    Column("shares", "Dữ liệu chia sẻ", "What is shared", ("du lieu", "noi dung chia se")),
    Column("method", "Phương thức chia sẻ", "Method", ("phuong thuc",)),
    Column("frequency", "Tần suất", "Frequency", ("tan suat cap nhat",)),
    Column("scope", "Phạm vi", "Scope", ("pham vi chia se",)),
    Column("details", "Chi tiết", "Details", ("ghi chu", "mo ta")),
    Column("connection", "Tình trạng kết nối", "Connection status", ("ket noi",)),
    Column("duplicate", "Trùng với hệ thống khác?", "Duplicate?", ("trung", "trung lap")),
    Column("upgrade", "Cần nâng cấp?", "Upgrade?", ("nang cap",)),
    Column("merge", "Cần hợp nhất?", "Merge?", ("hop nhat",)),
    Column("retire", "Dừng sử dụng?", "Retire?", ("dung", "thanh ly")),
)
KEPT = tuple(column.word for column in COLUMNS if column.word not in ("number", "id", "agency", "department", "connection"))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell: the row as a person counts it, the heading, and words in both languages."""

    row: int
    column: str
    vi: str
    en: str


@dataclass(frozen=True)
class InventoryRow:
    """A row that is well formed. `dataset` names a dataset that is connected; `facts`: what the sheet says, by word."""

    row: int
    item: str
    agency: str
    dataset: str
    facts: Mapping[str, str]


def item_key(agency: str, name: str) -> str:
    """What a row is known by: one key for all spellings of a name, so that the same row handed in again is the same item."""
    plain = re.sub(r"[^a-z0-9]+", "-", without_marks(tidy(name).casefold())).strip("-")
    return f"{agency}.{plain[:100]}"


def known_heading(heading: str) -> str | None:
    """The word of a heading, in any of its spellings."""
    plain = _plain(heading)
    for column in COLUMNS:
        if plain in {_plain(column.heading), _plain(column.english), *column.also} or plain == _plain(
            f"{column.heading} · {column.english}"
        ):
            return column.word
    return None


def count_known(headings: Sequence[str]) -> int:
    """How many of some headings are ours: the line where most are is the line of headings."""
    return sum(1 for heading in headings if known_heading(heading) is not None)


def read_rows(
    rows: Iterable[tuple[int, Mapping[str, str | None]]], datasets: Mapping[str, str], agencies: Mapping[str, str], own: str
) -> tuple[list[InventoryRow], list[Fault]]:
    """The rows that are well formed, and every fault of the others. `datasets`: id → agency; `agencies`: code → name.

    `own`: the agency whose sheet it is: rows of another are faults; empty: the whole province's sheet.
    """
    found: list[InventoryRow] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    by_name = {_plain(name): code for code, name in agencies.items()}
    for number, cells in rows:
        said = {word: value.strip() for heading, value in cells.items() if (word := known_heading(heading)) and value and value.strip()}
        if not any(word != "number" for word in said):
            continue  # a blank line
        wrong = list(_faults(number, said, datasets, by_name, agencies, own))
        agency = said.get("agency", by_name.get(_plain(said.get("department", "")), own))
        key = item_key(agency, said.get("name", ""))
        if not wrong and key in seen:
            wrong.append(_fault(number, "name", f"trùng với hàng {seen[key]}", f"the same as row {seen[key]}"))
        if wrong:
            faults += wrong
            continue
        seen[key] = number
        dataset = said.get("id", "") if said.get("id", "") in datasets else ""
        facts = {word: said[word] for word in KEPT if word in said}
        facts |= {word: "có" for word in DECISIONS if facts.get(word, "").casefold() in YES}
        facts = {word: value for word, value in facts.items() if word not in DECISIONS or value == "có"}
        found.append(InventoryRow(number, key, agency, dataset, facts))
    return found, faults


def _faults(
    number: int, said: Mapping[str, str], datasets: Mapping[str, str], by_name: Mapping[str, str], agencies: Mapping[str, str], own: str
) -> Iterable[Fault]:  # fmt: skip
    for word, value in said.items():
        if len(value) > LONGEST_CELL or "\0" in value:
            yield _fault(number, word, f"nhiều nhất {LONGEST_CELL} ký tự", f"at most {LONGEST_CELL} characters")
    if not said.get("name"):
        yield _fault(number, "name", "thiếu tên", "the name is missing")
    elif not re.search(r"[a-z0-9]", without_marks(said["name"].casefold())):
        yield _fault(number, "name", "tên phải có chữ hoặc số", "a name has letters or digits")
    agency = said.get("agency", by_name.get(_plain(said.get("department", "")), own))
    if not _AGENCY.fullmatch(agency) or len(agency) > 35:
        yield _fault(number, "agency", "cần mã định danh cơ quan, ví dụ H10.12", "expected the code of an agency, such as H10.12")
    elif agencies and agency not in agencies:
        yield _fault(number, "agency", f"không có cơ quan mang mã {agency}", f"there is no agency {agency}")
    elif own and agency != own:
        yield _fault(number, "agency", "hàng này thuộc cơ quan khác", "this row belongs to another agency")
    if said.get("id") and datasets.get(said["id"], agency) != agency:
        yield _fault(number, "id", "bộ dữ liệu này thuộc cơ quan khác", "this dataset is another agency's")
    if "year" in said and not (re.fullmatch(r"\d{4}(\.0)?", said["year"]) and 1980 <= int(said["year"][:4]) <= 2100):
        yield _fault(number, "year", "cần năm gồm bốn chữ số", "expected a year of four digits")
    if "url" in said and not _URL.fullmatch(said["url"]):
        yield _fault(
            number, "url", "cần địa chỉ bắt đầu bằng http:// hoặc https://", "expected an address that begins with http:// or https://"
        )
    if "level" in said and said["level"].casefold() not in LEVELS:
        yield _fault(number, "level", f"cần một trong: {', '.join(LEVELS)}", f"expected one of: {', '.join(LEVELS)}")
    for word in DECISIONS:
        if said.get(word, "").casefold() not in (*YES, *NO):
            yield _fault(number, word, "cần có hoặc không", "expected có (yes) or không (no)")


def _fault(row: int, word: str, vi: str, en: str) -> Fault:
    return Fault(row, heading_of(word), vi, en)


def heading_of(word: str) -> str:
    return next(column.heading for column in COLUMNS if column.word == word)


def _plain(text: str) -> str:
    return without_marks(tidy(text).casefold()).strip(" .:*?")
