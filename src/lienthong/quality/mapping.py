"""What a field's mapping gives for the rows of a delivery: a column of texts, and for each row that has none, why.

Every function of `contracts.mapping` is here, columnar; all are total: whatever stands in a cell, the row has a value, no value, or an issue.
Values are worked out part by part, so that the time is that of the expression's size times the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from lienthong.contracts import Severity
from lienthong.contracts.mapping import Call, Heading, Kind, Node, Number, Text, factor_between, headings_of
from lienthong.contracts.mapping.functions import LONGEST_VALUE
from lienthong.quality.issue import ISSUE_SCHEMA, no_issues
from lienthong.standards import STANDARDS

RULE = "mapping"
LONGEST_FOUND = 300
_WORDS: Mapping[str, tuple[str, str]] = {
    "mapping.number": ("Số, ví dụ 1.234,5, để tính theo ánh xạ", "A number, such as 1.234,5, for the mapping to count with"),
    "mapping.divide": ("Số chia khác 0", "A divisor other than 0"),
    "mapping.too_large": ("Kết quả tính trong giới hạn của số", "A result within the bounds of numbers"),
    "mapping.too_long": (f"Kết quả không dài quá {LONGEST_VALUE} ký tự", f"A result of at most {LONGEST_VALUE} characters"),
    "mapping.unknown": ("Giá trị có trong bảng đổi của ánh xạ", "A value of the mapping's own table"),
    "mapping.not_found": ("Giá trị có trong bộ dữ liệu được tra", "A value of the dataset it is looked up in"),
    "mapping.several": ("Giá trị chỉ khớp một mục khi tra", "A value that fits one entry alone"),
    "mapping.unavailable": ("Bộ dữ liệu được tra đã công bố", "The dataset it is looked up in is published"),
}


@dataclass(frozen=True)
class MappingContext:
    """Other datasets' values (texts, as `reference_values` gives them) and the day codes are looked up at."""

    delivered_on: date
    references: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapped:
    """`values` (String) and `problems` (String, a code of `mapping.…`; null: none), as long as the rows."""

    values: pl.Series
    problems: pl.Series


def evaluate(node: Node, rows: pl.DataFrame, context: MappingContext) -> Mapped:
    """The value of an expression in each row. `rows` has a text column for each heading the expression reads; others are empty."""
    found = _Evaluator(rows, context).of(node)
    problems = found.why if found.why is not None else pl.repeat(None, rows.height, dtype=pl.String, eager=True)
    values = _as_text(found).values
    return Mapped(pl.select(pl.when(problems.is_null()).then(_blank_is_none(values))).to_series(), problems)


def issues_of_mapping(row_nos: pl.Series, column: str, node: Node, mapped: Mapped, rows: pl.DataFrame) -> pl.DataFrame:
    """An issue for each row whose value could not be made, with the cells it would have been made of."""
    there = mapped.problems.is_not_null()
    if not there.any():
        return no_issues()
    cells = [name for name in headings_of(node) if name in rows.columns]
    parts = (
        [pl.col(name).fill_null("") for name in cells]
        if len(cells) == 1
        else [pl.format(f"{_plain(name)}: {{}}", pl.col(name).fill_null("")) for name in cells]
    )
    found = rows.filter(there).select(
        (pl.concat_str(parts, separator="; ") if parts else pl.lit("")).str.head(LONGEST_FOUND).alias("found")
    )
    frame = pl.DataFrame({"row_no": row_nos.filter(there), "code": mapped.problems.filter(there)}).hstack(found)
    said = pl.DataFrame([(code, vi, en) for code, (vi, en) in _WORDS.items()], schema=["code", "expected_vi", "expected_en"], orient="row")
    return (
        frame.join(said, on="code", how="left", maintain_order="left")
        .with_columns(column_name=pl.lit(column), rule=pl.lit(RULE), severity=pl.lit(Severity.ERROR.value))
        .select(pl.col(name).cast(kind) for name, kind in ISSUE_SCHEMA.items())
    )


def _plain(name: str) -> str:
    return name.replace("{", "(").replace("}", ")")


@dataclass(frozen=True)
class _Found:
    """Values of a part, and the problem codes of rows that have none; `why` None: no row has a problem."""

    values: pl.Series
    why: pl.Series | None = None


class _Evaluator:
    def __init__(self, rows: pl.DataFrame, context: MappingContext) -> None:
        self._rows = rows
        self._context = context

    def of(self, node: Node) -> _Found:
        if isinstance(node, Heading):
            return _Found(self._column(node.name))
        if isinstance(node, Text):
            return _Found(self._all(node.value or None, pl.String()))
        if isinstance(node, Number):
            return _Found(self._all(node.value, pl.Float64()))
        return _DOES[node.function](self, node)

    def text(self, node: Node) -> _Found:
        return _as_text(self.of(node))

    def number(self, node: Node, comma: bool | None = None) -> _Found:
        found = self.of(node)
        if found.values.dtype == pl.Float64:
            return found
        options: dict[str, Any] = {} if comma is None else {"decimal_comma": comma}
        cleaned = STANDARDS["decimal"].clean_column(_as_text(found).values, options)
        why = pl.select(pl.when(cleaned.problems.is_not_null()).then(pl.lit("mapping.number"))).to_series()
        return _Found(cleaned.values.cast(pl.Float64), _first(found.why, why))

    def lookup(self, node: Call) -> _Found:
        asked = self.text(node.arguments[0])
        dataset, by, gives = (_word(each) for each in node.arguments[1:])
        table = _table(self._context.references.get(dataset), by, gives, self._context.delivered_on)
        if table is None:
            return _Found(self._all(None, pl.String()), _first(asked.why, _where(asked.values.is_not_null(), "mapping.unavailable")))
        keys = pl.DataFrame({"key": _folded(asked.values)})
        found = keys.join(table, on="key", how="left", maintain_order="left")
        missing, several = found["count"].is_null() & keys["key"].is_not_null(), (found["count"] > 1).fill_null(False)
        values = pl.select(pl.when(~several).then(found["value"])).to_series()
        return _Found(values, _first(asked.why, _where(missing, "mapping.not_found"), _where(several, "mapping.several")))

    def _column(self, name: str) -> pl.Series:
        if name not in self._rows.columns:
            return self._all(None, pl.String())
        return _blank_is_none(self._rows[name].cast(pl.String))

    def _all(self, value: Any, kind: pl.DataType) -> pl.Series:
        return pl.repeat(value, self._rows.height, dtype=kind, eager=True)


# Parts


def _as_text(found: _Found) -> _Found:
    values = found.values
    if values.dtype == pl.String:
        return found
    if values.dtype == pl.Boolean:
        words = pl.when(values).then(pl.lit("true")).when(~values).then(pl.lit("false"))
        return _Found(pl.select(words).to_series(), found.why)
    return _Found(_number_text(values), found.why)


def _number_text(values: pl.Series) -> pl.Series:
    """A number so written that every standard reads the same of it: a point, no groups, never exactly three decimals."""
    rounded = values.round_sig_figs(15)
    is_whole = (rounded == rounded.round(0)) & (rounded.abs() < 1e15)
    whole = pl.select(pl.when(is_whole).then(rounded)).to_series().cast(pl.Int64, strict=False).cast(pl.String)
    text = rounded.cast(pl.String).str.replace(r"\.0$", "").str.replace(r"\.(\d{3})$", ".${1}0")
    return pl.select(pl.when(is_whole).then(whole).otherwise(text)).to_series()


def _blank_is_none(values: pl.Series) -> pl.Series:
    return pl.select(pl.when(values.str.strip_chars() != "").then(values)).to_series()


def _first(*reasons: pl.Series | None) -> pl.Series | None:
    """The first reason of each row; None where no row has any."""
    there = [each for each in reasons if each is not None and each.null_count() < len(each)]
    if len(there) < 2:
        return there[0] if there else None
    return pl.select(pl.coalesce(there)).to_series()


def _where(mask: pl.Series, code: str) -> pl.Series | None:
    return pl.select(pl.when(mask).then(pl.lit(code))).to_series() if mask.any() else None


def _folded(values: pl.Series) -> pl.Series:
    """What counts when two texts are compared: neither case nor needless spaces nor the Unicode form."""
    return values.str.normalize("NFC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _table(reference: pl.DataFrame | None, by: str, gives: str, on: date) -> pl.DataFrame | None:
    """(key, value, count of different values) of what is in force on a day; None where there is nothing to look into."""
    if reference is None or reference.is_empty() or not {by, gives} <= set(reference.columns):
        return None
    held = reference
    for name in ("valid_from", "valid_to"):
        if name in held.columns:
            day = pl.col(name).cast(pl.String).str.to_date("%Y-%m-%d", strict=False)
            held = held.filter(day.is_null() | ((day <= on) if name == "valid_from" else (day > on)))
    pairs = pl.DataFrame({"key": _folded(held[by].cast(pl.String)), "value": held[gives].cast(pl.String)}).drop_nulls()
    return pairs.group_by("key").agg(pl.col("value").first(), pl.col("value").n_unique().alias("count"))


def _word(node: Node) -> str:
    return node.value if isinstance(node, Text) else ""


def _whole(node: Node) -> int:
    return int(node.value) if isinstance(node, Number) else 0


# Functions


def _of_text(change: Callable[[pl.Series, Call], pl.Series]) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        found = evaluator.text(node.arguments[0])
        return _Found(_blank_is_none(change(found.values, node)), found.why)

    return does


def _replace(evaluator: _Evaluator, node: Call) -> _Found:
    found, old, new = evaluator.text(node.arguments[0]), _word(node.arguments[1]), _word(node.arguments[2])
    grown = found.values.str.len_chars().cast(pl.Int64) + found.values.str.count_matches(old, literal=True).cast(pl.Int64) * (
        len(new) - len(old)
    )
    too_long = (grown > LONGEST_VALUE).fill_null(False)
    short = pl.select(pl.when(~too_long).then(found.values)).to_series()
    return _Found(_blank_is_none(short.str.replace_all(old, new, literal=True)), _first(found.why, _where(too_long, "mapping.too_long")))


def _join(evaluator: _Evaluator, node: Call) -> _Found:
    separator = _word(node.arguments[0])
    parts = [evaluator.text(each) for each in node.arguments[1:]]
    length = sum(
        (part.values.str.len_chars().cast(pl.Int64).fill_null(0) for part in parts[1:]),
        parts[0].values.str.len_chars().cast(pl.Int64).fill_null(0),
    )
    too_long = length + len(separator) * len(parts) > LONGEST_VALUE
    kept = [pl.select(pl.when(~too_long).then(part.values)).to_series() for part in parts]
    joined = pl.select(pl.concat_str([each.str.strip_chars() for each in kept], separator=separator, ignore_nulls=True)).to_series()
    return _Found(_blank_is_none(joined), _first(*(part.why for part in parts), _where(too_long, "mapping.too_long")))


def _first_of(evaluator: _Evaluator, node: Call) -> _Found:
    parts = _alike(node, [evaluator.of(each) for each in node.arguments])
    values, why = parts[-1].values, parts[-1].why
    for part in reversed(parts[:-1]):
        counts = part.values.is_not_null() if part.why is None else part.values.is_not_null() | part.why.is_not_null()
        values = pl.select(pl.when(counts).then(part.values).otherwise(values)).to_series()
        why = _chosen(counts, part.why, why)
    return _Found(values, why)


def _if(evaluator: _Evaluator, node: Call) -> _Found:
    asked = evaluator.of(node.arguments[0])
    yes, no = _alike(node, [evaluator.of(each) for each in node.arguments[1:]])
    values = pl.select(pl.when(asked.values).then(yes.values).otherwise(no.values)).to_series()
    return _Found(values, _first(asked.why, _chosen(asked.values, yes.why, no.why)))


def _alike(node: Call, parts: Sequence[_Found]) -> list[_Found]:
    return [_as_text(part) for part in parts] if node.kind is Kind.TEXT else list(parts)


def _chosen(mask: pl.Series, one: pl.Series | None, other: pl.Series | None) -> pl.Series | None:
    if one is None and other is None:
        return None
    none = pl.lit(None, pl.String)
    return _first(pl.select(pl.when(mask).then(none if one is None else one).otherwise(none if other is None else other)).to_series())


def _choose(evaluator: _Evaluator, node: Call) -> _Found:
    found = evaluator.text(node.arguments[0])
    words = [_word(each) for each in node.arguments[1:]]
    pairs, rest = (words, None) if len(words) % 2 == 0 else (words[:-1], words[-1])
    keys = _folded(pl.Series(pairs[::2], dtype=pl.String))
    table = pl.DataFrame({"key": keys, "value": pl.Series(pairs[1::2], dtype=pl.String), "is_known": True}).unique("key", keep="first")
    asked = pl.DataFrame({"key": _folded(found.values)}).join(table, on="key", how="left", maintain_order="left")
    strange = asked["is_known"].is_null() & asked["key"].is_not_null()
    if rest is not None:
        return _Found(_blank_is_none(pl.select(pl.when(strange).then(pl.lit(rest)).otherwise(asked["value"])).to_series()), found.why)
    return _Found(_blank_is_none(asked["value"]), _first(found.why, _where(strange, "mapping.unknown")))


def _of_numbers(node: Call, evaluator: _Evaluator) -> tuple[_Found, _Found]:
    left, right = (evaluator.number(each) for each in node.arguments)
    return left, right


def _counted(values: pl.Series, *reasons: pl.Series | None, code: str = "mapping.too_large") -> _Found:
    """A result of counting: what is no finite number is none, and says so."""
    strange = (~values.is_finite()).fill_null(False)
    return _Found(pl.select(pl.when(~strange).then(values)).to_series(), _first(*reasons, _where(strange, code)))


def _arithmetic(sign: str) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        left, right = _of_numbers(node, evaluator)
        if sign == "/":
            zero = (right.values == 0).fill_null(False) & left.values.is_not_null()
            divisor = pl.select(pl.when(right.values != 0).then(right.values)).to_series()
            return _counted(left.values / divisor, left.why, right.why, _where(zero, "mapping.divide"))
        made = left.values + right.values if sign == "+" else left.values - right.values if sign == "-" else left.values * right.values
        return _counted(made, left.why, right.why)

    return does


def _compare(sign: str) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        one, other = (evaluator.of(each) for each in node.arguments)
        is_counted = sign not in ("=", "!=") or pl.Float64 in (one.values.dtype, other.values.dtype)
        if is_counted:
            one, other = _of_numbers(node, evaluator)
            left, right = one.values, other.values
        else:
            left, right = _folded(_as_text(one).values), _folded(_as_text(other).values)
        made = {
            "=": lambda: left.eq_missing(right),
            "!=": lambda: left.ne_missing(right),
            "<": lambda: left < right,
            "<=": lambda: left <= right,
            ">": lambda: left > right,
            ">=": lambda: left >= right,
        }[sign]()
        return _Found(made.fill_null(False), _first(one.why, other.why))

    return does


def _convert(evaluator: _Evaluator, node: Call) -> _Found:
    found = evaluator.number(node.arguments[0])
    factor, offset = factor_between(_word(node.arguments[1]), _word(node.arguments[2])) or (1.0, 0.0)
    return _counted(found.values * factor + offset, found.why)


def _number(evaluator: _Evaluator, node: Call) -> _Found:
    comma = None if len(node.arguments) == 1 else _word(node.arguments[1]) == ","
    return evaluator.number(node.arguments[0], comma)


def _on_number(change: Callable[[pl.Series, Call], pl.Series]) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        found = evaluator.number(node.arguments[0])
        return _counted(change(found.values, node), found.why)

    return does


def _truths(both: bool) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        one, other = (evaluator.of(each) for each in node.arguments)
        made = one.values & other.values if both else one.values | other.values
        return _Found(made, _first(one.why, other.why))

    return does


def _asks(test: Callable[[pl.Series, Call], pl.Series]) -> Callable[[_Evaluator, Call], _Found]:
    def does(evaluator: _Evaluator, node: Call) -> _Found:
        found = evaluator.text(node.arguments[0])
        return _Found(test(found.values, node).fill_null(False), found.why)

    return does


def _between(values: pl.Series, node: Call) -> pl.Series:
    opening, closing = _word(node.arguments[1]), _word(node.arguments[2])
    rest = values.str.splitn(opening, 2).struct.field("field_1")
    return pl.select(
        pl.when(rest.str.contains(closing, literal=True)).then(rest.str.splitn(closing, 2).struct.field("field_0"))
    ).to_series()


def _part(values: pl.Series, node: Call) -> pl.Series:
    n = _whole(node.arguments[2])
    return values.str.split(_word(node.arguments[1])).list.get(n - 1 if n > 0 else n, null_on_oob=True).str.strip_chars()


def _at_last(values: pl.Series, node: Call, *, before: bool) -> pl.Series:
    sign = _word(node.arguments[1])
    parts = pl.lit(values).str.split(sign)
    last = parts.list.slice(0, parts.list.len().cast(pl.Int64) - 1).list.join(sign) if before else parts.list.last()
    return pl.select(last).to_series()


_DOES: Mapping[str, Callable[[_Evaluator, Call], _Found]] = {
    "trim": _of_text(lambda values, _: values.str.replace_all(r"\s+", " ").str.strip_chars()),
    "upper": _of_text(lambda values, _: values.str.to_uppercase()),
    "lower": _of_text(lambda values, _: values.str.to_lowercase()),
    "digits": _of_text(lambda values, _: values.str.replace_all(r"[^0-9]", "")),
    "replace": _replace,
    "part": _of_text(_part),
    "before": _of_text(lambda values, node: values.str.splitn(_word(node.arguments[1]), 2).struct.field("field_0").str.strip_chars()),
    "after": _of_text(lambda values, node: values.str.splitn(_word(node.arguments[1]), 2).struct.field("field_1").str.strip_chars()),
    "before_last": _of_text(lambda values, node: _at_last(values, node, before=True).str.strip_chars()),
    "after_last": _of_text(lambda values, node: _at_last(values, node, before=False).str.strip_chars()),
    "between": _of_text(lambda values, node: _between(values, node).str.strip_chars()),
    "first": _of_text(lambda values, node: values.str.head(_whole(node.arguments[1]))),
    "last": _of_text(lambda values, node: values.str.tail(_whole(node.arguments[1]))),
    "pad": _of_text(lambda values, node: values.str.pad_start(_whole(node.arguments[1]), _word(node.arguments[2]))),
    "join": _join,
    "first_of": _first_of,
    "choose": _choose,
    "lookup": lambda evaluator, node: evaluator.lookup(node),
    "number": _number,
    "convert": _convert,
    "round": _on_number(lambda values, node: values.round(_whole(node.arguments[1]), mode="half_away_from_zero")),
    "abs": _on_number(lambda values, _: values.abs()),
    "if": _if,
    "empty": _asks(lambda values, _: values.is_null()),
    "contains": _asks(lambda values, node: _folded(values).str.contains(_folded(pl.Series([_word(node.arguments[1])]))[0], literal=True)),
    "starts": _asks(lambda values, node: _folded(values).str.starts_with(_folded(pl.Series([_word(node.arguments[1])]))[0])),
    "not": lambda evaluator, node: _Found(~(found := evaluator.of(node.arguments[0])).values, found.why),
    "and": _truths(both=True),
    "or": _truths(both=False),
    **{sign: _compare(sign) for sign in ("=", "!=", "<", "<=", ">", ">=")},
    **{sign: _arithmetic(sign) for sign in ("+", "-", "*", "/")},
}
