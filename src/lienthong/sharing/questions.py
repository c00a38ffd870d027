"""Questions: one way to ask a dataset for rows, for every door.

A door turns its own language into a `Question`; here it is held against the contract, against bounds and against the caller's right,
and answered. What a right does not show whole neither filters nor sorts, and the agreement's rows are always and'ed to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any as Anything

import psycopg

from lienthong.access import mask
from lienthong.contracts import Contract, Property
from lienthong.errors import BadRequest, QuestionTooLong
from lienthong.sharing.filters import LARGEST_INTEGER, read_value, shown
from lienthong.sharing.pages import Desk
from lienthong.sharing.rights import Right
from lienthong.store.answers import (
    KEY,
    OURS,
    VERSION,
    Ask,
    Condition,
    Row,
    Sort,
    count_rows,
    newest_version,
    patience,
    read_distinct,
    read_page,
    stream_rows,
    version_known_at,
)
from lienthong.store.database import Connection
from lienthong.store.questions import (
    COMPARISONS,
    TEXTS,
    All,
    Any,
    Compare,
    Expression,
    IsNull,
    Leaf,
    Not,
    OneOf,
    Text,
    Within,
    columns_named,
)

__all__ = [
    "All",
    "Answer",
    "Any",
    "Compare",
    "Expression",
    "IsNull",
    "Not",
    "OneOf",
    "Question",
    "Sort",
    "Text",
    "Within",
    "checked",
    "give_answer",
    "give_distinct",
    "stream_answer",
]

LARGEST_PAGE = 10_000
LARGEST_OFFSET = 1_000_000
DEEPEST = 20
MOST_LEAVES = 200
MOST_VALUES = 1_000
MOST_SORTS = 10
LONGEST_TEXT = 1_000
STREAMED_AT_ONCE = 5_000
LONGEST_SHAPE = 50_000
# function → (types it takes, type it gives)
FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("lower", "upper", "trim"), (("string",), "string")),
    "length": (("string",), "integer"),
    **dict.fromkeys(("year", "month", "day"), (("date", "timestamp"), "integer")),
    **dict.fromkeys(("hour", "minute", "second"), (("timestamp",), "integer")),
    "date": (("timestamp",), "date"),
    **dict.fromkeys(("floor", "ceiling", "round"), (("number",), "number")),
}
WORDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "date": "a date",
    "timestamp": "an instant",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked of one dataset. `fields` empty: all that are seen; no `sorts`: the order of keys; `cursor`: `next` of the answer before;
    `updated_after`: only rows as they became known after an instant.
    """

    fields: tuple[str, ...] = ()
    where: Expression | None = None
    sorts: tuple[Sort, ...] = ()
    limit: int = 100
    offset: int = 0
    count: bool = False
    as_of: date | None = None
    known_at: datetime | None = None
    cursor: str | None = None
    updated_after: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """`rows` hold the values of `fields`, masked where they are; `keys` one for each row, None where the key is not seen whole.

    `total`: rows of the whole question, where it was asked; `next`: the cursor of the page after, None at the end.
    `subjects` is for the ledger.
    """

    fields: tuple[str, ...]
    rows: list[tuple[Anything, ...]]
    keys: list[str] | None
    version: int
    known_at: datetime | None
    total: int | None = None
    next: str | None = None
    withheld: tuple[str, ...] = ()
    not_delivered: tuple[str, ...] = ()
    subjects: str = ""


def give_answer(connection: Connection, desk: Desk, contract: Contract, question: Question, right: Right) -> Answer:
    """One page of rows.

    Raises BadRequest for what makes no sense of this dataset or is out of bounds, Denied for a filter or an order over what is not
    seen whole, QuestionTooLong when the database looks for too long (the connection's transaction is then over).
    """
    _check_bounds(contract, question)
    settled = _settle(connection, contract, question, right)
    ask = replace(settled.ask, limit=question.limit + 1)
    purpose = repr((contract.id, ask.where, ask.sorts, ask.as_of, question.known_at, "question"))
    if question.cursor is not None:
        version, *after = desk.cursors.open(purpose, question.cursor)
        ask = replace(ask, version=version, after=tuple(after), offset=0)
    with _looking(connection, desk):
        page = read_page(connection, ask)
        version = page.version or newest_version(connection, contract.id) or 0
        total = count_rows(connection, ask, version) if question.count else None
    rows, more = page.rows[: question.limit], len(page.rows) > question.limit
    return replace(
        _answer_of(connection, desk, contract, settled, page.version),
        rows=_masked(right, settled.ask.fields, rows),
        keys=[row[0] for row in rows] if right.sees_key(contract) else None,
        total=total,
        next=desk.cursors.seal(purpose, [page.version, *_place(ask, rows[-1])]) if more and rows else None,
        subjects=desk.subjects(contract, (row[0] for row in rows)),
    )


def give_distinct(connection: Connection, desk: Desk, contract: Contract, question: Question, right: Right) -> Answer:
    """The different values that the question's fields have together, in their order; no keys, no cursor. Its fields must be seen whole.

    Raises as `give_answer`.
    """
    _check_bounds(contract, question)
    right.require_whole(question.fields)
    settled = _settle(connection, contract, replace(question, sorts=()), right)
    with _looking(connection, desk):
        version = settled.ask.version or newest_version(connection, contract.id) or 0
        rows = read_distinct(connection, replace(settled.ask, limit=question.limit, offset=0), version) if version else []
    return replace(_answer_of(connection, desk, contract, settled, version), rows=rows)


def stream_answer(
    connection: Connection, desk: Desk, contract: Contract, question: Question, right: Right
) -> tuple[Answer, Iterator[list[tuple[Anything, ...]]]]:
    """Every row of a question, whatever its limit, some at a time; and what is to be known of them before the first. The connection is the stream's alone.

    Raises as `give_answer`; QuestionTooLong also while the rows are taken.
    """
    _check_bounds(contract, replace(question, limit=0))
    settled = _settle(connection, contract, question, right)
    ask = replace(settled.ask, limit=None)
    version = ask.version or newest_version(connection, contract.id) or 0

    def pieces() -> Iterator[list[tuple[Anything, ...]]]:
        with _looking(connection, desk):
            for rows in stream_rows(connection, ask, version, STREAMED_AT_ONCE) if version else ():
                yield _masked(right, ask.fields, rows)

    return _answer_of(connection, desk, contract, settled, version), pieces()


@dataclass(frozen=True)
class _Settled:
    """A question that may be asked: what the store is asked, and what of it is withheld."""

    ask: Ask
    withheld: tuple[str, ...]


def _settle(connection: Connection, contract: Contract, question: Question, right: Right) -> _Settled:
    where = None if question.where is None else checked(contract, question.where)
    right.require_whole(tuple(dict.fromkeys([*columns_named(where), *(sort.column for sort in question.sorts)])))
    fields, withheld = right.fields_of(contract, question.fields)
    where = None if where is None else _with_keys(contract, where)
    if question.updated_after is not None:
        newer = Compare(VERSION, "gt", version_known_at(connection, contract.id, question.updated_after))
        where = newer if where is None else All((where, newer))
    ask = Ask(
        contract.id,
        fields,
        tuple(_by_key(contract, condition) for condition in right.conditions),
        question.sorts,
        version=None if question.known_at is None else version_known_at(connection, contract.id, question.known_at),
        as_of=question.as_of,
        where=where,
        offset=question.offset,
    )
    return _Settled(ask, withheld)


@contextmanager
def _looking(connection: Connection, desk: Desk) -> Iterator[None]:
    """The database looks for only so long; what it cannot say is told in words."""
    try:
        with patience(connection, desk.question_seconds):
            yield
    except psycopg.errors.QueryCanceled as error:
        raise QuestionTooLong(
            f"The answer was not found within {desk.question_seconds:g} seconds.",
            hint="Ask for less: filter by the key, a shorter time or a smaller place; or take the whole dataset as a Parquet file.",
            vi=f"Không tìm xong câu trả lời trong {desk.question_seconds:g} giây.",
            hint_vi="Hãy hỏi hẹp hơn: lọc theo khóa, khoảng thời gian ngắn hơn hoặc khu vực nhỏ hơn; hoặc tải cả bộ dữ liệu dưới dạng tệp Parquet.",
        ) from error
    except psycopg.DataError as error:
        raise BadRequest(
            "A value is out of the range of its kind.", vi="Một giá trị nằm ngoài khoảng cho phép của kiểu dữ liệu."
        ) from error


def _answer_of(connection: Connection, desk: Desk, contract: Contract, settled: _Settled, version: int) -> Answer:
    """An answer without its rows."""
    fields = settled.ask.fields
    known_at = desk.book.facts(connection, contract.id, version).known_at if version else None
    missing = desk.book.undelivered(connection, contract.id, version, fields) if version else ()
    return Answer(fields, [], None, version, known_at, withheld=settled.withheld, not_delivered=tuple(fields[place] for place in missing))


def checked(contract: Contract, expression: Expression) -> Expression:
    """The tree with each value in its column's own type. Raises BadRequest naming what does not fit the contract, or the bound it breaks."""
    budget = [MOST_LEAVES]
    return _checked(contract, expression, DEEPEST, budget)


def _checked(contract: Contract, expression: Expression, depth: int, budget: list[int]) -> Expression:
    if depth == 0:
        raise _refused(f"Conditions stand more than {DEEPEST} deep in each other.", f"Điều kiện lồng nhau quá {DEEPEST} tầng.")
    if isinstance(expression, All | Any):
        return replace(expression, parts=tuple(_checked(contract, part, depth - 1, budget) for part in expression.parts))
    if isinstance(expression, Not):
        return Not(_checked(contract, expression.part, depth - 1, budget))
    budget[0] -= 1
    if budget[0] < 0:
        raise _refused(f"Expected at most {MOST_LEAVES} conditions.", f"Nhiều nhất {MOST_LEAVES} điều kiện.")
    return _checked_leaf(contract, expression)


def _checked_leaf(contract: Contract, leaf: Leaf) -> Leaf:
    if isinstance(leaf, Within):
        return _checked_box(contract, leaf)
    p = property_of(contract, leaf.column)
    if isinstance(leaf, IsNull):
        return leaf
    kind = _kind(p, leaf.function)
    if isinstance(leaf, OneOf):
        if len(leaf.values) > MOST_VALUES:
            raise _refused(f"`{p.name}`: expected at most {MOST_VALUES} values.", f"`{p.name}`: nhiều nhất {MOST_VALUES} giá trị.")
        return replace(leaf, values=tuple(_typed(p, kind, value) for value in leaf.values))
    if isinstance(leaf, Text):
        if kind != "string" or leaf.op not in TEXTS:
            raise _refused(f"`{p.name}`: `{leaf.op}` is for text, this is {WORDS[kind]}.", f"`{p.name}`: `{leaf.op}` chỉ dùng cho chữ.")
        text = _typed(p, kind, leaf.value)
        if leaf.op == "like" and (len(text) - len(text.rstrip("\\"))) % 2:
            raise _refused(f"`{p.name}`: the pattern ends in an escape.", f"`{p.name}`: mẫu kết thúc bằng dấu thoát.")
        return replace(leaf, value=text)
    if leaf.op not in COMPARISONS:
        raise _refused(f"`{p.name}`: unknown comparison `{shown(leaf.op)}`.", f"`{p.name}`: không có phép so sánh `{shown(leaf.op)}`.")
    return replace(leaf, value=_typed(p, kind, leaf.value))


def _checked_box(contract: Contract, leaf: Within) -> Within:
    kinds = [p.standard if p.standard == "geometry" else p.logical_type for p in (property_of(contract, name) for name in leaf.columns)]
    if kinds not in (["geometry"], ["number", "number"]):
        raise _refused(
            "A box is held against one column of geometry or two of numbers.", "Khung chỉ so với một cột hình học hoặc hai cột số."
        )
    west, south, east, north = (float(value) for value in leaf.box)
    if not all(math.isfinite(value) for value in (west, south, east, north)) or west > east or south > north:
        raise _refused("A box is west, south, east, north, each smaller before larger.", "Khung là tây, nam, đông, bắc; nhỏ trước lớn sau.")
    if len(leaf.shape) > LONGEST_SHAPE:
        raise _refused(f"A shape has at most {LONGEST_SHAPE} characters.", f"Hình có nhiều nhất {LONGEST_SHAPE} ký tự.")
    return replace(leaf, box=(west, south, east, north))


def property_of(contract: Contract, name: str) -> Property:
    """A property by its name. Raises BadRequest with the nearest one."""
    for p in contract.properties:
        if p.name == name:
            return p
    near = get_close_matches(name, [p.name for p in contract.properties], n=1)
    raise BadRequest(
        f"`{contract.id}` has no field `{shown(name)}`.",
        hint=f"Did you mean `{near[0]}`?" if near else "",
        vi=f"`{contract.id}` không có trường `{shown(name)}`.",
        hint_vi=f"Có phải là `{near[0]}`?" if near else "",
    )


def _kind(p: Property, function: str) -> str:
    if not function:
        return p.logical_type
    takes, gives = FUNCTIONS.get(function, ((), ""))
    if p.logical_type not in takes:
        raise _refused(
            f"`{shown(function)}` is not for `{p.name}`, which is {WORDS[p.logical_type]}.",
            f"`{shown(function)}` không dùng được cho `{p.name}`.",
        )
    return gives


def _typed(p: Property, kind: str, value: Anything) -> Anything:
    """A value as its column holds it; text is read the way a list's filter is."""
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise _refused(f"`{p.name}`: expected at most {LONGEST_TEXT} characters.", f"`{p.name}`: nhiều nhất {LONGEST_TEXT} ký tự.")
        if "\x00" in value or (not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise _refused(f"`{p.name}`: the value holds a character no text has.", f"`{p.name}`: giá trị có ký tự không hợp lệ.")
        return value if kind == "string" else read_value(p.name, value, replace(p, logical_type=kind))
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind == "integer" and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) > LARGEST_INTEGER or (isinstance(value, float) and not math.isfinite(value)):
            raise _wrong_kind(p, kind, value)
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "date" and isinstance(value, date) and not isinstance(value, datetime):
        return value
    if kind == "timestamp" and isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise _wrong_kind(p, kind, value)


def _wrong_kind(p: Property, kind: str, value: Anything) -> BadRequest:
    return _refused(
        f"`{p.name}`: expected {WORDS[kind]}, found `{shown(str(value))}`.", f"`{p.name}`: giá trị `{shown(str(value))}` không đúng kiểu."
    )


def _check_bounds(contract: Contract, question: Question) -> None:
    for name, value, least, most in (
        ("limit", question.limit, 0, LARGEST_PAGE),
        ("offset", question.offset, 0, LARGEST_OFFSET),
        ("sorts", len(question.sorts), 0, MOST_SORTS),
    ):
        if not least <= value <= most:
            raise BadRequest(
                f"`{name}`: expected {least} to {most}, found {shown(str(value))}.",
                hint="For everything at once ask for a file (Parquet, Arrow, CSV)." if name != "sorts" else "",
                vi=f"`{name}`: từ {least} đến {most}, nhận được {shown(str(value))}.",
                hint_vi="Muốn lấy tất cả một lần, hãy yêu cầu tệp (Parquet, Arrow, CSV)." if name != "sorts" else "",
            )
    for name in (*question.fields, *(sort.column for sort in question.sorts)):
        property_of(contract, name)


def _by_key(contract: Contract, condition: Condition) -> Condition:
    return replace(condition, column=KEY) if _is_whole_key(contract, condition.column) else condition


def _with_keys(contract: Contract, expression: Expression) -> Expression:
    """A key that is one text is the same as the stored key, which has an index."""
    if isinstance(expression, All | Any):
        return replace(expression, parts=tuple(_with_keys(contract, part) for part in expression.parts))
    if isinstance(expression, Not):
        return Not(_with_keys(contract, expression.part))
    if isinstance(expression, Compare | OneOf) and not expression.function and _is_whole_key(contract, expression.column):
        return replace(expression, column=KEY)
    return expression


def _is_whole_key(contract: Contract, name: str) -> bool:
    return len(contract.key) == 1 and contract.key[0].logical_type == "string" and contract.key[0].name == name


def _masked(right: Right, fields: tuple[str, ...], rows: Sequence[Row]) -> list[tuple[Anything, ...]]:
    end = OURS + len(fields)
    masks = [(place, right.masked[name]) for place, name in enumerate(fields) if name in right.masked]
    if not masks:
        return [row[OURS:end] for row in rows]
    hidden = []
    for row in rows:
        values = list(row[OURS:end])
        for place, kind in masks:
            values[place] = mask(kind, values[place])
        hidden.append(tuple(values))
    return hidden


def _place(ask: Ask, row: Row) -> list[Anything]:
    """The sort values and the key of a row."""
    places = {name: OURS + n for n, name in enumerate(ask.columns)}
    return [*(row[places[sort.column]] for sort in ask.sorts), row[0]]


def _refused(en: str, vi: str) -> BadRequest:
    return BadRequest(en, vi=vi)
