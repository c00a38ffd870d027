"""`$filter` and `$orderby` as the engine's tree. `odata-query` reads the grammar; what the tree has no word for is refused with 501."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from datetime import date, datetime
from typing import Any as Anything

from odata_query import ast
from odata_query.exceptions import ArgumentCountException, ODataException, UnknownFunctionException
from odata_query.grammar import ODataLexer, ODataParser

from lienthong.errors import BadRequest, NotOffered
from lienthong.sharing.questions import All, Any, Compare, Expression, IsNull, Not, OneOf, Sort, Text

LONGEST = 8_000
DEEPEST = 60  # of the text's own nesting; the tree it makes has the engine's bound
_COMPARISONS: dict[type, tuple[str, str]] = {  # comparator → our word, and the word with its sides changed
    ast.Eq: ("eq", "eq"), ast.NotEq: ("ne", "ne"), ast.Gt: ("gt", "lt"), ast.GtE: ("ge", "le"), ast.Lt: ("lt", "gt"), ast.LtE: ("le", "ge"),
}  # fmt: skip
_FUNCTIONS = {
    "tolower": "lower", "toupper": "upper", "trim": "trim", "length": "length", "year": "year", "month": "month", "day": "day", "hour": "hour",
    "minute": "minute", "second": "second", "date": "date", "floor": "floor", "ceiling": "ceiling", "round": "round",
}  # fmt: skip
_TEXTS = {"contains": "contains", "startswith": "starts_with", "endswith": "ends_with"}
_NULL = object()


def _token(pattern: str, make: Callable[[str], Anything]) -> Callable[[Anything, Anything], Anything]:
    def read(_: Anything, token: Anything) -> Anything:
        token.value = make(token.value)
        return token

    read.pattern = f"({pattern})"  # type: ignore[attr-defined] # how SLY finds a token's rule
    return read


class _Lexer(ODataLexer):
    """The lexer with the words' ends minded: `allowed` is a name, not `all` and `owed`; and `not(…)` needs no space."""

    tokens = ODataLexer.tokens
    BOOLEAN = _token(r"(?:true|false)\b", ast.Boolean)
    NULL = _token(r"null\b", lambda _: ast.Null())
    NOT = _token(r"not(?:\s+|(?=\())", lambda _: ast.Not())
    ANY = _token(r"any(?=\s*\()", lambda _: ast.Any())
    ALL = _token(r"all(?=\s*\()", lambda _: ast.All())


def read_filter(text: str) -> Expression:
    """The tree of a `$filter`. Raises BadRequest where it is not one, NotOffered for what this service cannot look for."""
    if len(text) > LONGEST:
        raise BadRequest(f"$filter: expected at most {LONGEST} characters.", vi=f"$filter: nhiều nhất {LONGEST} ký tự.")
    try:
        found = ODataParser().parse(_with_commas(_Lexer().tokenize(text)))
    except UnknownFunctionException as error:
        raise _not_offered(f"the function `{error.function_name[:60]}`") from error
    except ArgumentCountException as error:
        raise BadRequest(
            f"$filter: `{error.function_name}` takes another number of arguments.", vi=f"$filter: `{error.function_name}` sai số tham số."
        ) from error
    except (
        ODataException,
        NotImplementedError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:  # odata-query's own actions raise them
        raise BadRequest(
            "$filter is not an OData expression.",
            hint="Text stands in single quotes.",
            hint_vi="Chữ đặt trong dấu nháy đơn.",
            vi="$filter không đúng cú pháp.",
        ) from error
    if found is None:
        raise BadRequest("$filter is empty.", vi="$filter rỗng.")
    return _condition(found, DEEPEST)


def read_order(text: str) -> tuple[Sort, ...]:
    """The sorts of an `$orderby`: names, each with `asc` or `desc`."""
    sorts: dict[str, Sort] = {}
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
            raise BadRequest("$orderby: expected names, each with `asc` or `desc`.", vi="$orderby: cần tên trường, kèm `asc` hoặc `desc`.")
        if not words[0].isidentifier():
            raise _not_offered("$orderby by an expression")
        sorts.setdefault(words[0], Sort(words[0], words[1:] == ["desc"]))
    return tuple(sorts.values())


def _with_commas(tokens: Iterator[Anything]) -> Iterator[Anything]:
    """`in ('a')` is a list of one in OData; the grammar read here wants a comma in it."""
    depth, last_in, inside, is_list = 0, False, -1, False
    for token in tokens:
        if token.type == "(":
            depth += 1
            if last_in:
                inside, is_list = depth, False
        elif token.type == "," and depth == inside:
            is_list = True
        elif token.type == ")":
            if depth == inside:
                inside = -1
                if not is_list:
                    yield _comma(token)
            depth -= 1
        last_in = token.type == "IN"
        yield token


def _comma(token: Anything) -> Anything:
    made = copy(token)
    made.type = made.value = ","
    return made


def _condition(node: Anything, depth: int) -> Expression:
    if depth == 0:
        raise BadRequest("$filter is nested too deep.", vi="$filter lồng nhau quá sâu.")
    if isinstance(node, ast.BoolOp):
        parts = tuple(_condition(part, depth - 1) for part in _chain(node))
        return All(parts) if isinstance(node.op, ast.And) else Any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Not(_condition(node.operand, depth - 1))
    if isinstance(node, ast.Boolean):
        return All(()) if node.py_val else Any(())
    if isinstance(node, ast.Identifier):
        return Compare(_name(node), "eq", value=True)
    if isinstance(node, ast.Call) and _function(node) in _TEXTS:
        return _text(node)
    if isinstance(node, ast.Compare):
        return _comparison(node, depth)
    raise _not_offered(f"`{type(node).__name__}` in $filter")


def _chain(node: Anything) -> list[Anything]:
    """The parts of `a and b and c …`, in order; a long chain is no deep one."""
    parts, kind = [], type(node.op)
    while isinstance(node, ast.BoolOp) and isinstance(node.op, kind):
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def _comparison(node: Anything, depth: int) -> Expression:
    if isinstance(node.comparator, ast.In):
        column, function = _operand(node.left)
        values = tuple(_literal(item) for item in node.right.val)
        if any(value is _NULL for value in values):
            raise _not_offered("null in a list")
        return OneOf(column, values, function)
    word, turned = _COMPARISONS[type(node.comparator)]
    left, right = node.left, node.right
    if _is_literal(left) and not _is_literal(right):
        left, right, word = right, left, turned
    if _is_literal(left):
        raise _not_offered("a comparison of two values")
    if not _is_literal(right):
        raise _not_offered("a comparison of two fields")
    value = _literal(right)
    if isinstance(value, bool) and not isinstance(left, ast.Identifier):  # contains(a, 'b') eq true
        if word not in ("eq", "ne"):
            raise BadRequest("$filter: true and false have no order.", vi="$filter: true và false không có thứ tự.")
        inner = _condition(left, depth - 1)
        return inner if value == (word == "eq") else Not(inner)
    column, function = _operand(left)
    if value is _NULL:
        if word not in ("eq", "ne"):
            return Any(())  # OData 4.0 §5.1.1.1: null is neither more nor less than anything
        return IsNull(column) if word == "eq" else Not(IsNull(column))
    compared = Compare(column, word, value, function)
    return Any((compared, IsNull(column))) if word == "ne" else compared  # §5.1.1.1.2: null is not equal to a value


def _text(node: Anything) -> Text:
    column, function = _operand(node.args[0])
    value = _literal(node.args[1]) if _is_literal(node.args[1]) else None
    if not isinstance(value, str):
        raise _not_offered(f"`{node.func.name}` with anything but a text")
    return Text(column, _TEXTS[_function(node)], value, function)


def _operand(node: Anything) -> tuple[str, str]:
    """(field, function applied to it)."""
    if isinstance(node, ast.Identifier):
        return _name(node), ""
    if isinstance(node, ast.Call):
        name = _function(node)
        if name in _FUNCTIONS and len(node.args) == 1 and isinstance(node.args[0], ast.Identifier):
            return _name(node.args[0]), _FUNCTIONS[name]
        raise _not_offered(f"`{name[:60]}` like this")
    raise _not_offered(f"`{type(node).__name__}` in $filter")


def _function(node: Anything) -> str:
    return ".".join((*node.func.namespace, node.func.name)).lower()


def _name(node: Anything) -> str:
    if node.namespace:
        raise _not_offered("a name with a namespace")
    return str(node.name)


def _is_literal(node: Anything) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Null | ast.Integer | ast.Float | ast.Boolean | ast.String | ast.Date | ast.DateTime)


def _literal(node: Anything) -> str | int | float | bool | date | datetime | object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Integer | ast.Float):
        return -node.operand.py_val
    if isinstance(node, ast.Null):
        return _NULL
    if not _is_literal(node) or isinstance(node, ast.UnaryOp):
        raise _not_offered(f"`{type(node).__name__}` as a value")
    try:
        if isinstance(node, ast.Integer) and len(node.val) > 20:
            raise ValueError
        value: str | float | bool | date | datetime = node.py_val
    except (ValueError, OverflowError) as error:
        raise BadRequest("$filter: a value is not of its kind.", vi="$filter: có giá trị sai.") from error
    if isinstance(value, datetime) and value.tzinfo is None:
        raise BadRequest("$filter: an instant needs its zone, like 2026-01-01T00:00:00Z.", vi="$filter: thời điểm phải có múi giờ.")
    return value


def _not_offered(what: str) -> NotOffered:
    return NotOffered(f"This service does not offer {what}.", vi=f"Dịch vụ này không có: {what}.")
