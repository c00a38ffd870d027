"""A contract proposed from the rows of a stranger's list: what each column seems to be, and what in its values speaks for it.

A proposal is shown before anything is done with it, and every word of it can be changed. What it says of a column it can prove by
counts; of the values themselves it keeps none but the codes of a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import polars as pl

from lienthong.contracts.mapping.units import MONEY, unit_in
from lienthong.standards import PROBLEMS, STANDARDS, quantities, without_marks

LOOKED_AT = 5_000  # rows; enough to tell a hundredth apart
MOST_CODES, LEAST_ROWS_A_CODE = 25, 4
LONGEST_NAME = 50
MOST_KEY_COLUMNS = 6  # tried together
LAWS = (("Luật Dữ liệu 60/2024/QH15", "2025-07-01"),)
LAWS_OF_PERSONS = (("Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15", "2026-01-01"),)
TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
SENSITIVITIES = ("public", "internal", "personal", "sensitive")


@dataclass(frozen=True)
class Hint:
    """A kind of value: the headings it stands under, what share of its values must then be right, and what share without such a heading (None: never)."""

    standard: str
    headings: str
    share: float
    alone: float | None
    type: str
    sensitivity: str = "internal"
    mask: str = ""


# The narrower before the wider; headings without marks. Telephone numbers before tax codes: both are ten digits, and only one begins with 0 and a network.
_HINTS = (
    Hint("health_card", r"(ma |so |)(the )?(bhyt|bao hiem y te)", 0.5, None, "string", "personal", "last3"),
    Hint("citizen_id", r"cccd|cmnd|dinh danh ca nhan|so dinh danh|can cuoc|chung minh", 0.5, 0.98, "string", "personal", "last3"),
    Hint("insurance_no", r"bhxh|bhyt|bao hiem", 0.5, None, "string", "personal", "last3"),
    Hint("email", r"email|e mail|thu dien tu", 0.5, 0.98, "string", "personal"),
    Hint("licence_plate", r"bien (so|kiem soat)( xe|)", 0.6, None, "string", "personal"),
    Hint("document_no", r"so (ky hieu|quyet dinh|van ban)|quyet dinh so", 0.7, None, "string"),
    Hint("phone", r"dien thoai|sdt|so dt|di dong", 0.5, 0.98, "string", "personal", "last3"),
    Hint("tax_code", r"ma so thue|mst", 0.5, 0.98, "string"),
    Hint("agency_code", r"ma (dinh danh )?(co quan|don vi)", 0.8, 0.98, "string", "public"),
    Hint("enterprise_name", r"ten (doanh nghiep|cong ty|hop tac xa)", 0.6, None, "string", "public"),
    Hint("person_name", r"ho (va |)ten|ho ten|ten (nguoi|chu|ca nhan)|nguoi (dai dien|nop|dung ten)|chu (ho|so huu)", 0.6, None, "string", "personal", "initials"),
    Hint("sex", r"gioi tinh|phai", 0.6, None, "string", "personal"),
    Hint("admin_unit", r"(ma )?(xa|phuong|thi tran|huyen|don vi hanh chinh)( .*|)", 0.8, None, "string"),
    Hint("timestamp", r"thoi (diem|gian)", 0.9, None, "timestamp"),
    Hint("date", r"ngay", 0.6, 0.95, "date"),
    Hint("partial_date", r"ngay|nam sinh|sinh", 0.6, None, "string"),
    Hint("money", r"tien|kinh phi|von|gia tri|doanh thu|muc (dong|thu|huong)", 0.8, None, "integer"),
)  # fmt: skip
_SENSITIVE = re.compile(r"\b(benh|khuyet tat|ton giao|dan toc|hiv|tien an|chinh kien|suc khoe)\b")
_PERSONAL = re.compile(r"\b(sinh|dia chi|noi o|thuong tru|tam tru|email|thu dien tu|tai khoan|que quan)\b")
_FREE = re.compile(r"\b(ap|thon|buon|soc|xa|phuong|thi tran|khu pho|dia chi|noi|ten|ghi chu|mo ta)\b")  # few values today, others tomorrow
_KEY = re.compile(r"\b(ma|so|id|code|dinh danh|cccd|cmnd|mst|ky hieu)\b")
_NUMBERING = re.compile(r"(stt|tt|so thu tu|no)")
_DATED = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_DATE_FORMS: Mapping[tuple[str, str], str] = {
    ("ngày/tháng/năm", "day/month/year"): r"^\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\s*$",
    ("năm-tháng-ngày", "year-month-day"): r"^\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    ("số của Excel", "Excel's number"): r"^\s*[2-6]\d{4}\s*$",
    ("năm hai chữ số", "years of two digits"): r"^\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{2}\s*$",
    ("chỉ có tháng, năm", "month and year alone"): r"^\s*\d{1,2}[-/.]\d{4}\s*$",
    ("chỉ có năm", "the year alone"): r"^\s*\d{4}\s*$",
    ("viết bằng chữ", "in words"): r"(?i)tháng",
}
_LEADING_ZERO = r"^0\d"
_WORDS: Mapping[str, str] = {"cccd": "citizen_id", "so dinh danh": "citizen_id", "ho va ten": "full_name", "ho ten": "full_name", "ngay sinh": "born_on", "nam sinh": "born_on", "dia chi": "address", "gioi tinh": "sex", "dien thoai": "phone", "so dien thoai": "phone", "ma so thue": "tax_code", "ghi chu": "note"}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for a proposal, with its count."""

    vi: str
    en: str


@dataclass(frozen=True)
class Column:
    """One column as it is proposed; `name` empty: left out."""

    heading: str
    name: str
    title: str
    title_en: str
    type: str = "string"
    standard: str = ""
    required: bool = False
    key: int | None = None
    codes: tuple[str, ...] = ()
    sensitivity: str = "internal"
    mask: str = ""
    filled: int = 0
    rows: int = 0
    distinct: int = 0
    evidence: tuple[Evidence, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)  # of the standard
    mapping: str = ""  # the expression that makes the value; empty: it arrives under the heading
    unit: str = ""  # the unit the heading states
    confidence: int = 0  # per cent of the values that bear the proposal out


@dataclass(frozen=True)
class DraftSource:
    """The road the rows came by: what `sources` of the contract will say."""

    connector: str
    location: str
    options: dict[str, Any] = field(default_factory=dict)
    delivery: str = "snapshot"


@dataclass(frozen=True)
class Draft:
    """A whole proposal. `header_row`: in which row of the sheet the headings stand; `layout`: what was found about the file itself."""

    id: str
    agency: str
    title: str
    title_en: str
    columns: tuple[Column, ...]
    header_row: int = 1
    sharing: str = "on_request"
    laws: tuple[tuple[str, str], ...] = field(default=LAWS)
    source: DraftSource | None = None
    layout: tuple[Evidence, ...] = ()

    @property
    def kept(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.name)

    @property
    def is_about_persons(self) -> bool:
        return any(column.sensitivity in ("personal", "sensitive") for column in self.kept)


def draft(
    frame: pl.DataFrame, dataset: str, agency: str, title: str, titles_en: Mapping[str, str] | None = None, header_row: int = 1
) -> Draft:
    """Propose a contract for the rows of a list (all columns of text). `titles_en`: English titles known for Vietnamese ones."""
    known = titles_en or {}
    rows = frame.head(LOOKED_AT)
    columns: list[Column] = []
    taken: set[str] = set()
    for heading in rows.columns:
        column = _column(heading, rows[heading].cast(pl.String), known, taken)
        taken.add(column.name)
        columns.append(column)
    made = Draft(dataset, agency, title, known.get(title, words_of(dataset.partition(".")[2])), tuple(_with_key(columns, rows)), header_row)
    return replace(made, laws=(*LAWS, *LAWS_OF_PERSONS)) if made.is_about_persons else made


def header_row_of(grid: Sequence[Sequence[str | None]]) -> int:
    """Which of the first rows (from 1) holds the headings: the widest one of different words, above rows as wide as it is."""
    best, found = 0.0, 1
    for number, row in enumerate(grid[:15], 1):
        cells = [cell.strip() for cell in row if cell is not None and cell.strip()]
        letters = sum(1 for cell in cells if re.search(r"[^\W\d_]", cell) and len(cell) <= 120)
        below = [sum(1 for cell in each if cell is not None and cell.strip()) for each in grid[number : number + 3]]
        if len(cells) < 2 or len({cell.casefold() for cell in cells}) < len(cells) or not below:
            continue
        score = letters - 0.1 * number + 0.5 * min(sum(below) / len(below), len(cells))
        if score > best:
            best, found = score, number
    return found


def machine_name(text: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """A name for tables and addresses out of a heading: small letters, digits, underscores; another than those taken."""
    words = re.sub(r"[^a-z0-9]+", " ", without_marks(text)).strip()
    name = _WORDS.get(words) or words.replace(" ", "_")
    name = re.sub(r"^[^a-z]+", "", name)[:LONGEST_NAME].rstrip("_") or "cot"
    number, made = 2, name
    while made in taken:
        made, number = f"{name[: LONGEST_NAME - 4]}_{number}", number + 1
    return made


def standard_named(heading: str) -> str:
    """The standard a heading speaks of; empty when it speaks of none."""
    plain = re.sub(r"[^a-z0-9]+", " ", without_marks(heading)).strip()
    return next((hint.standard for hint in _HINTS if re.search(rf"\b({hint.headings})\b", plain)), "")


def words_of(name: str) -> str:
    """A machine name as words."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def document_of(made: Draft) -> dict[str, Any]:
    """The proposal as the document of a contract (ODCS)."""
    words: list[dict[str, Any]] = [
        {"property": "titleEn", "value": made.title_en},
        {"property": "agency", "value": made.agency},
        {"property": "layer", "value": "source"},
        {"property": "sharing", "value": made.sharing},
        {"property": "legalBasis", "value": [{"text": text, "validFrom": since} for text, since in made.laws]},
    ]
    if made.source is not None:
        road: dict[str, Any] = {
            "name": "file",
            "connector": made.source.connector,
            "location": made.source.location,
            "delivery": made.source.delivery,
        }
        words.append({"property": "sources", "value": [road | ({"options": dict(made.source.options)} if made.source.options else {})]})
    elif made.header_row != 1:
        form = {"name": "form", "connector": "excel_file", "location": f"{made.id}/*.xlsx", "options": {"header_rows": [made.header_row]}}
        words.append({"property": "sources", "value": [form]})
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": made.id,
        "name": made.title,
        "version": "1.0.0",
        "status": "active",
        "domain": made.id.partition(".")[0],
        "schema": [{"name": made.id.partition(".")[2].replace("-", "_"), "physicalType": "table", "properties": [_property(c) for c in made.kept]}],
        "team": {"name": "data-officer", "description": "Đầu mối dữ liệu của cơ quan chủ quản (vai trò, không phải tên người) · The owner agency's data officer (a role)."},
        "customProperties": words,
    }  # fmt: skip


def _property(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "businessName": column.title, "logicalType": column.type}
    if column.required or column.key is not None:
        found["required"] = True
    if column.key is not None:
        found |= {"primaryKey": True, "primaryKeyPosition": column.key}
    found["classification"] = column.sensitivity
    words: list[dict[str, Any]] = [{"property": "titleEn", "value": column.title_en}, {"property": "source", "value": column.heading}]
    if column.mapping:
        words.append({"property": "mapping", "value": column.mapping})
    if column.standard:
        words.append({"property": "standard", "value": column.standard})
    if column.standard and column.options:
        words.append({"property": "standardOptions", "value": dict(column.options)})
    if column.codes and not column.standard:
        words.append({"property": "standard", "value": "code_list"})
        words.append({"property": "standardOptions", "value": {"values": {code: code for code in column.codes}}})
    if column.mask:
        words.append({"property": "mask", "value": column.mask})
    return {**found, "customProperties": words}


def _column(heading: str, values: pl.Series, titles_en: Mapping[str, str], taken: set[str]) -> Column:
    values = values.str.strip_chars()
    filled = values.filter(values.is_not_null() & (values != ""))
    plain = re.sub(r"[^a-z0-9]+", " ", without_marks(heading)).strip()
    title = heading.rpartition(" / ")[2].strip() or heading
    column = Column(
        heading,
        machine_name(title, taken),
        title,
        titles_en.get(title, ""),
        filled=filled.len(),
        rows=values.len(),
        distinct=filled.n_unique(),
    )
    if _NUMBERING.fullmatch(plain):
        return replace(column, name="", evidence=(Evidence("Cột đánh số thứ tự: bỏ", "A column that numbers rows: left out"),))
    if not filled.len():
        return replace(column, title_en=column.title_en or words_of(column.name), evidence=(Evidence("Không có giá trị nào", "No value"),))
    column = _kind(column, plain, filled)
    if column.name in taken:  # a unit left its name
        column = replace(column, name=machine_name(column.name, taken))
    column = _notes(column, filled)
    if column.filled == column.rows:
        column = replace(column, required=True, evidence=(*column.evidence, Evidence("Hàng nào cũng có giá trị", "Every row has a value")))
    column = _classes(column, filled)
    return _sensitivity(replace(column, title_en=column.title_en or words_of(column.name)), plain)


def _kind(column: Column, plain: str, filled: pl.Series) -> Column:
    is_dated = filled.str.contains(_DATED).mean() == 1.0
    measured = _measured(column, filled)
    if measured is not None:
        return measured
    for hint in _HINTS:
        is_headed = re.search(rf"\b({hint.headings})\b", plain) is not None
        needed = hint.share if is_headed else hint.alone
        if needed is None:
            continue
        if not is_headed and hint.type == "string" and is_dated:  # a date's digits may pass for a number
            continue
        right = _right(hint.standard, filled, is_headed=is_headed)
        if right < needed * filled.len() or (not is_headed and filled.len() < 5):
            continue
        if hint.standard == "date" and _has_unsure_dates(filled, right):
            continue
        standard = STANDARDS[hint.standard]
        told = [_of(right, filled.len(), f"đúng chuẩn “{standard.title_vi}”", f"are right as “{standard.title_en}”")]
        if is_headed:
            told.append(Evidence(f"Tiêu đề “{column.title}” gợi ý điều đó", f"The heading “{column.title}” suggests it"))
        return replace(
            column,
            type=hint.type,
            standard="" if hint.standard in ("date", "timestamp") else hint.standard,
            sensitivity=hint.sensitivity,
            mask=hint.mask,
            evidence=tuple(told),
            confidence=_percent(right, filled),
        )
    return _plain_type(column, filled)


def _plain_type(column: Column, filled: pl.Series) -> Column:
    """Numbers are numbers, but not codes that begin with 0 or are too long to be counted with."""
    is_code = bool(filled.str.contains(_LEADING_ZERO).any()) or bool((filled.str.len_chars() > 15).any())
    for name, standard, needed, vi, en in (
        ("boolean", "boolean", 1.0, "có/không", "yes or no"),
        ("integer", "integer", 0.98, "số nguyên", "whole numbers"),
        ("number", "decimal", 0.98, "số", "numbers"),
    ):
        if is_code or (name == "boolean" and (column.distinct > 2 or bool(filled.str.contains(r"^\d+$").all()))):
            continue
        right = _right(standard, filled)
        if right >= needed * filled.len():
            return replace(
                column, type=name, evidence=(_of(right, filled.len(), f"là {vi}", f"are {en}"),), confidence=_percent(right, filled)
            )
    return replace(column, evidence=(Evidence("Giữ là chữ", "Kept as text"),), confidence=100)


def _percent(right: int, filled: pl.Series) -> int:
    return 100 * right // filled.len()


def _has_unsure_dates(filled: pl.Series, right: int) -> bool:
    """Whether many values are dates only if a month or a year alone is one."""
    return _right("partial_date", filled) - right > 0.02 * filled.len()


def _measured(column: Column, filled: pl.Series) -> Column | None:
    """A number whose heading states its unit."""
    unit = unit_in(column.heading)
    if not unit:
        return None
    factor = MONEY.get(unit)
    name, options = ("quantity", {"unit": unit, "assume": unit}) if factor is None else ("money", {"factor": factor} if factor > 1 else {})
    if factor is None and (unit not in quantities.UNITS or isinstance(quantities.UNITS[unit].factor, dict)):
        return None
    right = int(STANDARDS[name].clean_column(filled, options).values.is_not_null().sum())
    if right < 0.8 * filled.len():
        return None
    told = [
        _of(right, filled.len(), "là số", "are numbers"),
        Evidence(f"Tiêu đề ghi đơn vị “{unit}”", f"The heading states the unit “{unit}”"),
    ]
    if factor is not None and factor > 1:
        told.append(Evidence(f"Đổi ra đồng: nhân {factor}", f"Turned into đồng: times {factor}"))
    kind = "number" if factor is None else "integer"
    title = _without_unit(column.title) if factor is not None and factor > 1 else column.title
    base = machine_name(_without_unit(column.title))
    sign = re.sub(r"[^a-z0-9]", "", without_marks(unit)) if factor is None else ""
    column = replace(column, name=f"{base}_{sign}"[:LONGEST_NAME].rstrip("_"), title=title)
    return replace(column, type=kind, standard=name, options=options, unit=unit, evidence=tuple(told), confidence=_percent(right, filled))


def _without_unit(title: str) -> str:
    return re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", title).strip() or title


def _notes(column: Column, filled: pl.Series) -> Column:
    """What the values are like: which forms of dates, what was put right in them, what will wait; by counts, never by value."""
    name = column.standard or {"date": "date", "timestamp": "timestamp"}.get(column.type, "")
    if not name:
        return column
    told: list[Evidence] = []
    if name in ("date", "partial_date"):
        counts = {words: int(filled.str.contains(pattern).sum()) for words, pattern in _DATE_FORMS.items()}
        shown = [(words, count) for words, count in counts.items() if count]
        if len(shown) > 1:
            told.append(
                Evidence(
                    "Dạng ngày: " + ", ".join(f"{w[0]} ({n})" for w, n in shown),
                    "Forms of dates: " + ", ".join(f"{w[1]} ({n})" for w, n in shown),
                )
            )
    known = STANDARDS[name].known_options
    options = {**column.options, **{each: True for each in ("accept_synthetic",) if each in known}}
    problems = STANDARDS[name].clean_column(filled, options).problems.drop_nulls()
    for code, count in sorted(problems.value_counts().iter_rows()):
        said = PROBLEMS[str(code)]
        told.append(Evidence(f"{count} giá trị: {said.vi[:1].lower()}{said.vi[1:]}", f"{count} values: {said.en[:1].lower()}{said.en[1:]}"))
    return replace(column, evidence=(*column.evidence, *told))


def _classes(column: Column, filled: pl.Series) -> Column:
    """A list of codes, where few different texts come again and again."""
    if (
        column.type != "string"
        or column.standard
        or _FREE.search(re.sub(r"[^a-z0-9]+", " ", without_marks(column.title)))
        or not 1 < column.distinct <= MOST_CODES
        or filled.len() < LEAST_ROWS_A_CODE * column.distinct
    ):
        return column
    codes = _codes(filled)
    if any(len(code) > 60 for code in codes):
        return column
    told = Evidence(f"Chỉ có {len(codes)} giá trị khác nhau: danh mục", f"Only {len(codes)} different values: a list of codes")
    return replace(column, codes=codes, evidence=(*column.evidence, told))


def _codes(filled: pl.Series) -> tuple[str, ...]:
    """The values of a short list, each in its most frequent spelling."""
    counted = sorted(filled.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
    spelt: dict[str, str] = {}
    for value, _ in counted:
        spelt.setdefault(without_marks(" ".join(str(value).split())), str(value))
    return tuple(sorted(spelt.values()))


def _sensitivity(column: Column, plain: str) -> Column:
    if _SENSITIVE.search(plain):
        told = Evidence("Tiêu đề nói về dữ liệu cá nhân nhạy cảm", "The heading speaks of sensitive personal data")
        return replace(column, sensitivity="sensitive", evidence=(*column.evidence, told))
    if column.sensitivity not in ("personal", "sensitive") and _PERSONAL.search(plain):
        told = Evidence("Tiêu đề nói về dữ liệu cá nhân", "The heading speaks of personal data")
        mask = "year" if column.type == "date" or column.standard == "partial_date" else ""
        return replace(column, sensitivity="personal", mask=mask, evidence=(*column.evidence, told))
    return column


def _with_key(columns: Sequence[Column], rows: pl.DataFrame) -> list[Column]:
    """The first column whose values are all there and all different, one that is called a code or a number before others; else two together."""
    whole = [c for c in columns if c.name and c.rows and c.filled == c.rows and c.type in ("string", "integer", "date")]
    alone = [c for c in whole if c.distinct == c.rows and c.standard != "person_name"]
    alone.sort(key=lambda c: (not _KEY.search(without_marks(c.heading)), c.sensitivity == "personal"))
    chosen: list[Column] = alone[:1]
    told = Evidence("Giá trị không trùng nhau: dùng làm khóa", "No two values are the same: the key")
    if not chosen:
        named = [c for c in whole if _KEY.search(without_marks(c.heading)) or c.type == "date"][:MOST_KEY_COLUMNS]
        sets = (each for size in (2, 3) for each in combinations(named, size))
        chosen = next((list(each) for each in sets if rows.select(c.heading for c in each).n_unique() == rows.height), [])
        told = Evidence("Cùng nhau không trùng: dùng làm khóa", "Together no two are the same: the key")
    if not chosen:
        chosen, told = _nearly(columns)
    places = {c.heading: n for n, c in enumerate(chosen, 1)}
    return [replace(c, key=places[c.heading], codes=(), evidence=(*c.evidence, told)) if c.heading in places else c for c in columns]


def _nearly(columns: Sequence[Column]) -> tuple[list[Column], Evidence]:
    """A code that is nearly always there and nearly never twice: the rows in which it is not will wait."""
    near = [
        c
        for c in columns
        if c.name
        and _KEY.search(without_marks(c.heading))
        and c.filled >= 0.9 * c.rows
        and c.distinct >= 0.95 * c.filled
        and c.type in ("string", "integer")
    ]
    near.sort(key=lambda c: (c.sensitivity == "personal", -c.distinct))
    if not near:
        return [], Evidence("", "")
    best = near[0]
    empty, twice = best.rows - best.filled, best.filled - best.distinct
    return [best], Evidence(
        f"Gần như không trùng: khóa; {empty} hàng không có, {twice} hàng trùng sẽ chờ",
        f"Nearly never the same: the key; {empty} rows without it and {twice} repeats will wait",
    )


def _right(standard: str, filled: pl.Series, *, is_headed: bool = True) -> int:
    """How many values of a column are right under a standard; old forms of a number count only under a heading that speaks of it."""
    known = STANDARDS[standard].known_options
    options = {name: value for name, value in (("accept_synthetic", True), ("accept_cmnd", is_headed)) if name in known}
    return int(STANDARDS[standard].clean_column(filled, options).values.is_not_null().sum())


def _of(right: int, total: int, vi: str, en: str) -> Evidence:
    return Evidence(f"{right}/{total} giá trị {vi}", f"{right} of {total} values {en}")
