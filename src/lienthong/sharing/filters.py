"""Reads what a request asks of a list: which rows, which fields, in which order, as of when.

    field=value  field.eq=value  field.in=a,b  field.gte=1  field.lte=9  field.starts_with=Ng
    sort=-field,field2  fields=a,b  limit=100  cursor=…  as_of=2025-06-30  known_at=2026-01-01T00:00:00Z

Nothing is guessed: an unknown parameter or a value of the wrong kind is refused, with the nearest name or the kind expected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from lienthong.clock import VIETNAM
from lienthong.contracts import Contract, Property
from lienthong.errors import BadRequest
from lienthong.store.answers import Condition, Sort

LIST_PARAMETERS = ("fields", "sort", "limit", "cursor", "as_of", "known_at", "bom")
OPERATORS = ("eq", "in", "gte", "lte", "starts_with")
DEFAULT_LIMIT = 100
MOST_ROWS = 1000
MOST_CONDITIONS = 100
MOST_VALUES = 200
LARGEST_INTEGER = 2**63 - 1
LARGEST_LIMIT = 1_000_000_000
VIETNAMESE = {
    "a whole number": "số nguyên",
    "a number": "số",
    "true or false": "true hoặc false",
    "a date like 2025-06-30": "ngày như 2025-06-30",
    "an instant like 2026-01-01T08:00:00+07:00": "thời điểm như 2026-01-01T08:00:00+07:00",
}


@dataclass(frozen=True)
class Wanted:
    """A list as it was asked for. `fields` empty: all; `limit` None: not said."""

    fields: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    sorts: tuple[Sort, ...] = ()
    limit: int | None = None
    cursor: str | None = None
    as_of: date | None = None
    known_at: datetime | None = None
    bom: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """Properties that filter or sort: they must be visible, or their order would tell what is withheld."""
        return tuple(dict.fromkeys([*(c.column for c in self.conditions), *(s.column for s in self.sorts)]))


def read_list(parameters: Iterable[tuple[str, str]], contract: Contract) -> Wanted:
    """What a list request asks for. Raises BadRequest naming the parameter, what was found and what was expected."""
    known: dict[str, str] = {}
    conditions: list[Condition] = []
    for name, text in parameters:
        refuse_control_characters(name, text)
        if name in LIST_PARAMETERS:
            if name in known:
                raise BadRequest(
                    f"`{name}` is given twice.",
                    hint="Give it once, with commas between values.",
                    vi=f"`{name}` có hai lần.",
                    hint_vi="Chỉ ghi một lần, các giá trị cách nhau bằng dấu phẩy.",
                )
            known[name] = text
        else:
            conditions.append(_condition(name, text, contract))
    if len(conditions) > MOST_CONDITIONS:
        raise BadRequest(
            f"Expected at most {MOST_CONDITIONS} filters, found {len(conditions)}.", vi=f"Nhiều nhất {MOST_CONDITIONS} điều kiện lọc."
        )
    return Wanted(
        fields=_fields(known.get("fields"), contract),
        conditions=tuple(conditions),
        sorts=_sorts(known.get("sort"), contract),
        limit=read_limit(known.get("limit")),
        cursor=known.get("cursor"),
        as_of=read_date("as_of", known["as_of"]) if "as_of" in known else None,
        known_at=read_instant("known_at", known["known_at"]) if "known_at" in known else None,
        bom=_boolean("bom", known["bom"]) if "bom" in known else False,
    )


def read_known(parameters: Iterable[tuple[str, str]], names: Sequence[str]) -> dict[str, str]:
    """Parameters of an operation that takes only `names`, each at most once."""
    found: dict[str, str] = {}
    for name, text in parameters:
        refuse_control_characters(name, text)
        if name not in names:
            raise BadRequest(f"Unknown parameter `{shown(name)}`.", vi=f"Không có tham số `{shown(name)}`.", **_nearest(name, names))
        if name in found:
            raise BadRequest(f"`{name}` is given twice.", vi=f"`{name}` có hai lần.")
        found[name] = text
    return found


def read_limit(text: str | None, most: int = LARGEST_LIMIT) -> int | None:
    """A limit, or None when none is given."""
    if text is None:
        return None
    limit = _integer("limit", text)
    if not 1 <= limit <= most:
        raise BadRequest(f"`limit`: expected 1 to {most}, found {limit}.", vi=f"`limit`: từ 1 đến {most}, nhận được {limit}.")
    return limit


def refuse_control_characters(name: str, text: str) -> None:
    """No name or value holds NUL: PostgreSQL keeps none."""
    if "\x00" in name or "\x00" in text:
        raise BadRequest("A parameter holds the character NUL.", vi="Một tham số có ký tự NUL.")


def shown(text: str) -> str:
    """What a caller sent, short enough to say back."""
    return text if len(text) <= 60 else text[:60] + "…"


def _condition(name: str, text: str, contract: Contract) -> Condition:
    names = [p.name for p in contract.properties]
    column, operator = name, "eq"
    if name not in names and "." in name:
        column, _, operator = name.rpartition(".")
    if column not in names:
        raise BadRequest(
            f"Unknown parameter `{shown(name)}`.",
            vi=f"Không có tham số `{shown(name)}`.",
            **_nearest(column, (*names, *LIST_PARAMETERS)),
        )
    if operator not in OPERATORS:
        raise BadRequest(
            f"`{shown(name)}`: unknown operator `{shown(operator)}`.",
            vi=f"`{shown(name)}`: không có phép so sánh `{shown(operator)}`.",
            **_nearest(operator, OPERATORS),
        )
    p = contract.property_named(column)
    if operator == "in":
        values = [read_value(name, part, p) for part in text.split(",")]
        if len(values) > MOST_VALUES:
            raise BadRequest(
                f"`{name}`: expected at most {MOST_VALUES} values, found {len(values)}.", vi=f"`{name}`: nhiều nhất {MOST_VALUES} giá trị."
            )
        return Condition(column, operator, values)
    if operator == "starts_with" and p.logical_type != "string":
        raise BadRequest(
            f"`{name}`: `starts_with` is for text, `{column}` is {p.logical_type}.", vi=f"`{name}`: `starts_with` chỉ dùng cho chữ."
        )
    return Condition(column, operator, read_value(name, text, p))


def read_value(name: str, text: str, p: Property) -> Any:
    """A value of the property's type, as text in a request says it."""
    return _READERS[p.logical_type](name, text)


def _fields(text: str | None, contract: Contract) -> tuple[str, ...]:
    if text is None:
        return ()
    names = [p.name for p in contract.properties]
    asked = [part.strip() for part in text.split(",")]
    for name in asked:
        if name not in names:
            raise BadRequest(
                f"`fields`: there is no `{shown(name)}`.", vi=f"`fields`: không có trường `{shown(name)}`.", **_nearest(name, names)
            )
    return tuple(dict.fromkeys(asked))


def _sorts(text: str | None, contract: Contract) -> tuple[Sort, ...]:
    if text is None:
        return ()
    names = [p.name for p in contract.properties]
    sorts: dict[str, Sort] = {}
    for part in text.split(","):
        name = part.strip().removeprefix("-")
        if name not in names:
            raise BadRequest(
                f"`sort`: there is no `{shown(name)}`.", vi=f"`sort`: không có trường `{shown(name)}`.", **_nearest(name, names)
            )
        sorts.setdefault(name, Sort(name, part.strip().startswith("-")))
    return tuple(sorts.values())


def _text(_: str, text: str) -> str:
    return text


def _integer(name: str, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19 or abs(int(text)) > LARGEST_INTEGER:
        raise _refused(name, "a whole number", text)
    return int(text)


def _number(name: str, text: str) -> float:
    try:
        value = float(text) if "_" not in text else float("nan")
    except ValueError:
        value = float("nan")
    if not math.isfinite(value):
        raise _refused(name, "a number", text)
    return value


def _boolean(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise _refused(name, "true or false", text)
    return text == "true"


def read_date(name: str, text: str) -> date:
    """A day."""
    try:
        if len(text) != len("2025-06-30"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise _refused(name, "a date like 2025-06-30", text) from error


def read_instant(name: str, text: str) -> datetime:
    """An instant; one without a zone is told in Vietnam's time."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
        return (found if found.tzinfo is not None else found.replace(tzinfo=VIETNAM)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(name, "an instant like 2026-01-01T08:00:00+07:00", text) from error


_READERS: dict[str, Callable[[str, str], Any]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": read_date,
    "timestamp": read_instant,
}


def _refused(name: str, expected: str, found: str) -> BadRequest:
    return BadRequest(
        f"`{shown(name)}`: expected {expected}, found `{shown(found)}`.",
        vi=f"`{shown(name)}`: cần {VIETNAMESE[expected]}, nhận được `{shown(found)}`.",
    )


def _nearest(name: str, names: Sequence[str]) -> dict[str, str]:
    """What may have been meant, or all there is: `hint` and `hint_vi` of an error."""
    near = get_close_matches(name, names, n=1)
    if near:
        return {"hint": f"Did you mean `{near[0]}`?", "hint_vi": f"Có phải là `{near[0]}`?"}
    return {"hint": f"Known: {', '.join(names)}.", "hint_vi": f"Đã biết: {', '.join(names)}."}
