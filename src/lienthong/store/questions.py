"""What a question asks of rows, as a tree of conditions, and the SQL of it. Whether it may be asked is decided above (`sharing.questions`).

Every door's language (OData, CQL2, CKAN, SDMX keys) becomes this tree; only shapes and names are composed here, values travel as parameters.
An empty value fits no comparison; who wants those rows too says `IsNull`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import sql

from lienthong.store.tables import box_column

Value = typing.Any
Bind = Callable[[Value], sql.Composable]  # a value's place in the statement


@dataclass(frozen=True)
class All:
    """Each of the parts holds; no parts: always."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Any:
    """At least one of the parts holds; no parts: never."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Not:
    part: Expression


@dataclass(frozen=True)
class Compare:
    """`op` is eq, ne, gt, ge, lt or le; `function`, where there is one, is applied to the column first."""

    column: str
    op: str
    value: Value
    function: str = ""


@dataclass(frozen=True)
class OneOf:
    column: str
    values: tuple[Value, ...]
    function: str = ""


@dataclass(frozen=True)
class Text:
    r"""`op` is contains, starts_with, ends_with or like (a pattern of `%` and `_`, with `\` before those that stand for themselves)."""

    column: str
    op: str
    value: str
    function: str = ""


@dataclass(frozen=True)
class IsNull:
    column: str


@dataclass(frozen=True)
class Within:
    """Whether a place meets a box (west, south, east, north), or a shape (GeoJSON) whose box that is.

    `columns` is one of GeoJSON, or two of numbers, longitude first. Exact and planar, borders included.
    """

    columns: tuple[str, ...]
    box: tuple[float, float, float, float]
    shape: str = ""


Expression = All | Any | Not | Compare | OneOf | Text | IsNull | Within
Leaf = Compare | OneOf | Text | IsNull | Within

COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_COMPARISONS = {name: sql.SQL(sign) for name, sign in COMPARISONS.items()}
_TEXTS = {
    "contains": sql.SQL("strpos({column}, {value}) > 0"),
    "starts_with": sql.SQL("starts_with({column}, {value})"),
    "ends_with": sql.SQL("right({column}, char_length({value})) = {value}"),
    "like": sql.SQL("{column} like {value}"),
}
# By the index first, which is generous by a millionth of a degree; what follows is exact. A box that lies inside needs no closer look, nor does
# a shape in one piece whose box lies between two sides: at some place it crosses the strip there. What is left are the corners.
_SHAPED = sql.SQL("({box} && box(point({west}, {south}), point({east}, {north})) and lienthong.geojson_meets({geometry}, {shape}))")
_BOXED = sql.SQL(
    "({box} && box(point({west}, {south}), point({east}, {north}))"
    " and (case when {box} is null then null"
    " when (({box})[1])[0] > {east} or (({box})[0])[0] < {west} or (({box})[1])[1] > {north} or (({box})[0])[1] < {south} then false"
    " when (({box})[1])[0] >= {west} and (({box})[0])[0] <= {east} and (({box})[1])[1] >= {south} and (({box})[0])[1] <= {north} then true"
    """ when {geometry} ~ '^{{"type":"(Point|LineString|Polygon)"' and ("""
    "(({box})[1])[0] >= {west} and (({box})[0])[0] <= {east} or (({box})[1])[1] >= {south} and (({box})[0])[1] <= {north}) then true"
    " else lienthong.geojson_meets({geometry}, {shape}) end))"
)
_FUNCTIONS = {
    "lower": sql.SQL("lower({})"),
    "upper": sql.SQL("upper({})"),
    "trim": sql.SQL("btrim({})"),
    "length": sql.SQL("char_length({})::bigint"),
    "year": sql.SQL("extract(year from {})::bigint"),
    "month": sql.SQL("extract(month from {})::bigint"),
    "day": sql.SQL("extract(day from {})::bigint"),
    "hour": sql.SQL("extract(hour from {})::bigint"),
    "minute": sql.SQL("extract(minute from {})::bigint"),
    "second": sql.SQL("floor(extract(second from {}))::bigint"),
    "date": sql.SQL("({})::date"),
    "floor": sql.SQL("floor({})::double precision"),
    "ceiling": sql.SQL("ceil({})::double precision"),
    "round": sql.SQL("round({})::double precision"),
}
TEXTS = tuple(_TEXTS)
FUNCTIONS = tuple(_FUNCTIONS)


def leaves(expression: Expression | None) -> Iterator[Leaf]:
    """The conditions of a tree, in order."""
    if isinstance(expression, All | Any):
        for part in expression.parts:
            yield from leaves(part)
    elif isinstance(expression, Not):
        yield from leaves(expression.part)
    elif expression is not None:
        yield expression


def columns_named(expression: Expression | None) -> tuple[str, ...]:
    """The columns a tree reads, each once."""
    found: dict[str, None] = {}
    for leaf in leaves(expression):
        found.update(dict.fromkeys(leaf.columns if isinstance(leaf, Within) else (leaf.column,)))
    return tuple(found)


def boxes_named(expression: Expression | None) -> tuple[str, ...]:
    """The columns of boxes a tree reads beside those, each once."""
    found = [box_column(leaf.columns[0]) for leaf in leaves(expression) if isinstance(leaf, Within) and len(leaf.columns) == 1]
    return tuple(dict.fromkeys(found))


def condition_of(expression: Expression, bind: Bind) -> sql.Composed:
    """A tree as SQL, in brackets."""
    if isinstance(expression, All | Any):
        word, nothing = (sql.SQL(" and "), sql.SQL("true")) if isinstance(expression, All) else (sql.SQL(" or "), sql.SQL("false"))
        parts = [condition_of(part, bind) for part in expression.parts]
        return sql.SQL("({})").format(word.join(parts) if parts else nothing)
    if isinstance(expression, Not):
        return sql.SQL("(not {})").format(condition_of(expression.part, bind))
    return _leaf(expression, bind)


def _leaf(leaf: Leaf, bind: Bind) -> sql.Composed:
    if isinstance(leaf, Within):
        return _within(leaf, bind)
    if isinstance(leaf, IsNull):
        return sql.SQL("({} is null)").format(sql.Identifier(leaf.column))
    column: sql.Composable = sql.Identifier(leaf.column)
    if leaf.function:
        column = _FUNCTIONS[leaf.function].format(column)
    if isinstance(leaf, OneOf):
        return sql.SQL("({} = any({}))").format(column, bind(list(leaf.values)))
    if isinstance(leaf, Text):
        return sql.SQL("({})").format(_TEXTS[leaf.op].format(column=column, value=bind(leaf.value)))
    return sql.SQL("({} {} {})").format(column, _COMPARISONS[leaf.op], bind(leaf.value))


def _within(leaf: Within, bind: Bind) -> sql.Composed:
    west, south, east, north = (bind(value) for value in leaf.box)
    if len(leaf.columns) == 1:
        shape = bind(leaf.shape or outline(leaf.box))
        return (_SHAPED if leaf.shape else _BOXED).format(
            box=sql.Identifier(box_column(leaf.columns[0])), geometry=sql.Identifier(leaf.columns[0]), west=west, south=south, east=east,
            north=north, shape=shape,
        )  # fmt: skip
    longitude, latitude = (sql.Identifier(name) for name in leaf.columns)
    within = sql.SQL("({} between {} and {} and {} between {} and {})").format(longitude, west, east, latitude, south, north)
    if not leaf.shape:
        return within
    return sql.SQL(
        "({} and lienthong.geojson_meets(jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array({}, {}))::text, {}))"
    ).format(within, longitude, latitude, bind(leaf.shape))


def outline(box: tuple[float, float, float, float]) -> str:
    """A box as a GeoJSON polygon."""
    west, south, east, north = box
    ring = ", ".join(f"[{x!r}, {y!r}]" for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south)))
    return f'{{"type": "Polygon", "coordinates": [[{ring}]]}}'
