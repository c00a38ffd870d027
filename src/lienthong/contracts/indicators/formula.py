"""A formula: one `select` over published data, read into a tree, held against what it may do, and written anew from the tree.

What runs is what was checked, never the text of the file. Everything not named here is refused: a formula reads the tables it names under
`reads`, with aggregates, comparisons, dates and arithmetic. Fields about persons may be counted and compared, never selected out.
The database holds the same bounds a second time (`store.indicators`: a role that sees these tables alone, read only, a time-out).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlglot
from sqlglot import exp

from lienthong.contracts.faults import Faults, nearest
from lienthong.contracts.indicators.formula_model import OUTPUTS, PLACE, PLACED_ON, VALUE, Formula, tables_of
from lienthong.contracts.model import Contract, Sensitivity

LONGEST = 10_000
PARAMETERS = ("begins_on", "until", "year")
OWN_COLUMNS = ("_valid_from", "_valid_to", "_version", "_version_to", "_ended", "_row")
CLOSED = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)
TYPES = ("DATE", "DOUBLE", "INT", "BIGINT", "DECIMAL", "BOOLEAN", "TEXT", "VARCHAR", "TIMESTAMP", "TIMESTAMPTZ")
_PREDICATES = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Exists, exp.And, exp.Or, exp.Not,
)  # fmt: skip
_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Round, exp.Abs, exp.Greatest, exp.Least, exp.Floor, exp.Ceil)
_DATES = (exp.TimestampTrunc, exp.DateTrunc, exp.Extract, exp.Interval, exp.Cast, exp.DataType, exp.AtTimeZone)
_SHAPE = (
    exp.Select, exp.Union, exp.With, exp.CTE, exp.TableAlias, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Filter, exp.Alias,
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Placeholder, exp.Paren, exp.Subquery, exp.Case, exp.If, exp.Coalesce,
    exp.Nullif, exp.Distinct, exp.Star, exp.Var, exp.Table, exp.Tuple,
)  # fmt: skip
ALLOWED = frozenset((*_PREDICATES, *_AGGREGATES, *_ARITHMETIC, *_DATES, *_SHAPE))


def check_formula(text: str, reads: tuple[str, ...], contracts: Mapping[str, Contract], faults: Faults, place: str) -> Formula | None:
    """The formula of a text; None, with every fault noted, for one that may not run."""
    before = len(faults.found)
    tree = _parsed(text, faults, place)
    if tree is None:
        return None
    for name in reads:
        if name not in contracts:
            faults.add("reads", f"there is no dataset `{name}`", nearest(name, contracts))
    known = {name: contracts[name] for name in reads if name in contracts}
    for what in sorted(set(_strange(tree))):
        faults.add(place, f"{what} is not allowed in a formula", "see docs/reference/indicators.md")
    _check_tables(tree, known, faults, place)
    _check_columns(tree, known, faults, place)
    outputs = _outputs(tree, faults, place)
    if len(faults.found) > before:
        return None
    return Formula(text.strip(), _written(tree), reads, outputs)


def _parsed(text: str, faults: Faults, place: str) -> exp.Query | None:
    if not text.strip() or len(text) > LONGEST:
        faults.add(place, f"expected SQL of 1 to {LONGEST:,} characters")
        return None
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="postgres") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        line = found[0].get("line")
        faults.add(f"{place}, line {line}" if line else place, f"not readable as SQL: {found[0].get('description', 'unknown form')}")
        return None
    except RecursionError:
        faults.add(place, "nested too deep")
        return None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select | exp.Union):
        faults.add(place, "expected exactly one `select`")
        return None
    return trees[0]


def _strange(tree: exp.Query) -> Iterator[str]:
    """What is not on the list, in the words of SQL."""
    for node in tree.walk():
        if type(node) not in ALLOWED:
            yield f"`{node.name or node.key}`" if isinstance(node, exp.Anonymous) else f"`{node.key}`"
        elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            yield "`*`"
        elif isinstance(node, exp.DataType) and node.this.name not in TYPES:
            yield f"the type `{node.sql(dialect='postgres').lower()}`"
        elif isinstance(node, exp.Placeholder) and node.name not in PARAMETERS:
            yield f"the parameter `:{node.name}`"
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            yield "`recursive`"
        elif isinstance(node, exp.Join) and not (node.args.get("on") or node.args.get("using")):
            yield "a join without `on`"


def _check_tables(tree: exp.Query, known: Mapping[str, Contract], faults: Faults, place: str) -> None:
    named = {table: dataset for dataset in known for table in tables_of(dataset)}
    steps = {cte.alias for cte in tree.find_all(exp.CTE)}
    read: set[str] = set()
    for table in tree.find_all(exp.Table):
        name = table.name
        if table.catalog or table.db not in ("", "data") or (not table.db and name not in steps):
            faults.add(
                place, f"`{_full(table)}` is no table of published data", nearest(f"data.{name}", [f"data.{each}" for each in named])
            )
        elif table.db and name not in named:
            faults.add(place, f"`data.{name}` is not among what is read", "name its dataset under `reads`")
        elif table.db:
            read.add(named[name])
    for dataset in known:
        if dataset not in read:
            faults.add("reads", f"`{dataset}` is not read by the formula")


def _full(table: exp.Table) -> str:
    return ".".join(part for part in (table.catalog, table.db, table.name) if part)


def _check_columns(tree: exp.Query, known: Mapping[str, Contract], faults: Faults, place: str) -> None:
    columns = {p.name for contract in known.values() for p in contract.properties}
    personal = {
        p.name
        for contract in known.values()
        for p in contract.properties
        if p.sensitivity in CLOSED and p.standard != "admin_unit"
    } | {"_key"}  # fmt: skip
    given = {alias.alias for alias in tree.find_all(exp.Alias)}
    renamed = {column.name for alias in tree.find_all(exp.TableAlias) for column in alias.args.get("columns") or ()}
    if renamed:
        faults.add(place, "columns of a step are named in its `select`, by `as`")
    for column in tree.find_all(exp.Column):
        name = column.name
        if isinstance(column.this, exp.Star) or (column.table and column.args.get("db")):
            faults.add(place, "columns are named one by one")
        elif name in personal and not _is_counted(column):
            faults.add(place, f"`{name}` is about persons: it may be counted or compared, not selected")
        elif name not in {*columns, *OWN_COLUMNS, *given, "_key"}:
            faults.add(place, f"there is no column `{name}`", nearest(name, columns))


def _is_counted(column: exp.Column) -> bool:
    """Whether a column is only counted, compared, or asked of in a condition, within its own `select`."""
    child: exp.Expr = column
    node = column.parent
    while node is not None:
        if isinstance(node, (*_PREDICATES, exp.Count, exp.Where, exp.Having)):
            return True
        if isinstance(node, exp.Join):
            return child is not node.this
        if isinstance(node, exp.Select | exp.Subquery | exp.CTE | exp.Union) and not _is_asked_in(node):
            return False
        child, node = node, node.parent
    return False


def _is_asked_in(node: exp.Expr) -> bool:
    """Whether a `select` stands inside a condition: `x in (select …)`, `exists (select …)`."""
    parent = node.parent
    while isinstance(parent, exp.Subquery | exp.Paren | exp.Union):
        parent = parent.parent
    return isinstance(parent, exp.In | exp.Exists)


def _outputs(tree: exp.Query, faults: Faults, place: str) -> tuple[str, ...]:
    first: exp.Expr = tree
    while isinstance(first, exp.Union):
        first = first.this
    while isinstance(first, exp.Subquery):
        first = first.this
    names = tuple(each.alias_or_name for each in first.expressions) if isinstance(first, exp.Select) else ()
    for name in names:
        if name not in OUTPUTS:
            faults.add(
                place, f"`{name or 'a column without a name'}` is no output", nearest(name, OUTPUTS) or f"expected {', '.join(OUTPUTS)}"
            )
    if VALUE not in names or len(set(names)) != len(names):
        faults.add(place, "expected one column named `value`")
    if PLACED_ON in names and PLACE not in names:
        faults.add(place, "`placed_on` dates a `place`")
    return names


def _written(tree: exp.Query) -> str:
    """The tree as a statement; a percent sign inside a text is no parameter."""
    copy = tree.copy()
    for literal in copy.find_all(exp.Literal):
        if literal.is_string and "%" in literal.this:
            literal.set("this", literal.this.replace("%", "%%"))
    return copy.sql(dialect="postgres", comments=False)
