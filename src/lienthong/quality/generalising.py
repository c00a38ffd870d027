"""How rows would have to be blurred before they may be opened: coarser values first, rows left out last, and what that costs.

Each quasi-identifier has a ladder by its kind: a date becomes its month, its year, five years, ten; a commune its district, its province;
a whole number a band of 5, 10, 20, 50; a measure fewer digits; anything else is left out. Greedy: from the rows as they are, the
step that brings the most rows into large enough classes for the least loss; then every step that proved needless is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Property
from lienthong.quality.disclosure import (
    CONTACTS,
    NAMES,
    Limits,
    Spread,
    confidential_fields,
    is_about_people,
    quasi_identifiers,
    spread_of,
)
from lienthong.standards.admin_units import Unit, units_by_code

LEFT_OUT = "left_out"
MOST_LEFT_OUT_PERCENT = 2.0  # rows that may be left out rather than blurring all others further
Blur = Callable[[pl.Expr], pl.Expr]
_WEIGHT = "_rows"
STEPS: Mapping[str, tuple[str, str]] = {
    "month": ("chỉ giữ tháng", "the month"),
    "year": ("chỉ giữ năm", "the year"),
    "years_5": ("nhóm 5 năm", "five years"),
    "years_10": ("nhóm 10 năm", "ten years"),
    "district": ("cấp huyện", "the district"),
    "province": ("cấp tỉnh", "the province"),
    "band_5": ("nhóm 5 đơn vị", "bands of 5"),
    "band_10": ("nhóm 10 đơn vị", "bands of 10"),
    "band_20": ("nhóm 20 đơn vị", "bands of 20"),
    "band_50": ("nhóm 50 đơn vị", "bands of 50"),
    "digits_2": ("làm tròn 2 chữ số", "two digits"),
    "digits_1": ("làm tròn 1 chữ số", "one digit"),
    LEFT_OUT: ("bỏ trường", "left out"),
}


@dataclass(frozen=True)
class Step:
    """What becomes of one column. `loss` from 0 (nothing) to 1 (everything): the share of the values that can no longer be told apart."""

    column: str
    to: str
    loss: float


@dataclass(frozen=True)
class Proposal:
    """`dropped`: fields that name somebody or may not be open at all. `after`: the spread of what is left; None without quasi-identifiers."""

    dropped: tuple[str, ...]
    steps: tuple[Step, ...]
    rows_left_out: int
    before: Spread | None
    after: Spread | None
    loss: float

    def document(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "dropped": list(self.dropped), "steps": [asdict(step) for step in self.steps]}


def propose(contract: Contract, rows: pl.DataFrame, limits: Limits, on: date) -> Proposal:
    """What to blur and to leave out so that every class holds k rows and the confidential values it must. `on` dates units' codes."""
    dropped = tuple(p.name for p in contract.properties if _must_go(p, contract))
    columns = [name for name in quasi_identifiers(contract) if name not in dropped]
    hidden = [name for name in confidential_fields(contract) if name not in dropped and name not in columns]
    if not columns or rows.is_empty():
        return Proposal(dropped, (), 0, None, None, 0.0)
    ladders = {name: _ladder(contract.property_named(name), contract, on) for name in columns}
    search = _Search(rows, columns, hidden, ladders, limits)
    levels = search.best()
    blurred = search.blurred(levels)
    kept = _large_enough(blurred, columns, hidden, limits)
    after = _spread(kept, columns, limits.k)
    steps = tuple(Step(name, ladders[name][level - 1][0], round(search.loss_of(name, level), 4)) for name, level in levels.items() if level)
    left_out = rows.height - after.rows
    loss = (sum(step.loss for step in steps) / len(columns)) * (1 - left_out / rows.height) + left_out / rows.height
    return Proposal(dropped, steps, left_out, spread_of(rows, columns, limits.k), after, round(loss, 4))


def apply(proposal: Proposal, contract: Contract, rows: pl.DataFrame, limits: Limits, on: date) -> pl.DataFrame:
    """The rows as the proposal would have them opened; columns and row order as they are, those that are left out missing."""
    names = quasi_identifiers(contract)
    steps = {step.column: step.to for step in proposal.steps}
    blurs = {name: dict(_ladder(contract.property_named(name), contract, on))[to] for name, to in steps.items()}
    columns = [name for name in names if name not in proposal.dropped]
    hidden = [name for name in confidential_fields(contract) if name not in proposal.dropped and name not in columns]
    blurred = rows.with_columns(blur(pl.col(name)).alias(name) for name, blur in blurs.items())
    kept = _large_enough(blurred, columns, hidden, limits) if columns else blurred
    gone = {*proposal.dropped, *(name for name, to in steps.items() if to == LEFT_OUT)}
    return kept.drop([name for name in gone if name in kept.columns])


def _must_go(p: Property, contract: Contract) -> bool:
    """A field that names somebody, or is personal and has no ladder to climb: key numbers of persons too."""
    about_people = is_about_people(contract)
    if p.standard in NAMES or (about_people and p.standard in CONTACTS):
        return True
    if p.quasi_identifier or p.confidential:
        return False
    return p.sensitivity in ("personal", "sensitive") or (about_people and p.key_position is not None)


class _Search:
    """The rows as distinct combinations with their number, so that every try is quick."""

    def __init__(
        self,
        rows: pl.DataFrame,
        columns: Sequence[str],
        hidden: Sequence[str],
        ladders: Mapping[str, Sequence[tuple[str, Blur]]],
        limits: Limits,
    ) -> None:
        self._columns, self._hidden, self._ladders, self._limits = list(columns), list(hidden), ladders, limits
        self._rows = rows.group_by([*self._columns, *self._hidden]).len(_WEIGHT)
        self._most = rows.height * MOST_LEFT_OUT_PERCENT / 100
        self._levels: dict[tuple[str, int], pl.Series] = {}

    def best(self) -> dict[str, int]:
        levels = dict.fromkeys(self._columns, 0)
        under = self.under(levels)
        while under > self._most:
            tries = [self._up(levels, name) for name in self._columns if levels[name] < len(self._ladders[name])]
            if not tries:
                break
            gained = [(self._gain(under, each, levels), -self._loss(each), n) for n, each in enumerate(tries)]
            levels = tries[max(gained)[2]]
            under = self.under(levels)
        return self._taken_back(levels)

    def _taken_back(self, levels: dict[str, int]) -> dict[str, int]:
        for name in sorted(levels, key=lambda name: -self.loss_of(name, levels[name])):
            while levels[name]:
                lower = {**levels, name: levels[name] - 1}
                if self.under(lower) > self._most:
                    break
                levels = lower
        return levels

    def _up(self, levels: Mapping[str, int], name: str) -> dict[str, int]:
        return {**levels, name: levels[name] + 1}

    def _gain(self, under: int, tried: Mapping[str, int], levels: Mapping[str, int]) -> float:
        """Rows brought into large enough classes for what is lost."""
        return (under - self.under(tried)) / max(self._loss(tried) - self._loss(levels), 1e-6)

    def _loss(self, levels: Mapping[str, int]) -> float:
        return sum(self.loss_of(name, level) for name, level in levels.items())

    def loss_of(self, name: str, level: int) -> float:
        """How many of the values can no longer be told apart, of those that could."""
        before, after = self._rows[name].n_unique(), self._column(name, level).n_unique()
        return (before - after) / (before - 1) if before > 1 else float(level > 0)

    def _column(self, name: str, level: int) -> pl.Series:
        if (name, level) not in self._levels:
            blur = self._ladders[name][level - 1][1] if level else _as_is
            self._levels[name, level] = self._rows.select(blur(pl.col(name)).alias(name))[name]
        return self._levels[name, level]

    def blurred(self, levels: Mapping[str, int]) -> pl.DataFrame:
        return self._rows.with_columns(self._column(name, level) for name, level in levels.items())

    def under(self, levels: Mapping[str, int]) -> int:
        """Rows that would have to be left out."""
        rows = self.blurred(levels)
        kept = _large_enough(rows, self._columns, self._hidden, self._limits)
        return _int(rows[_WEIGHT].sum()) - _int(kept[_WEIGHT].sum())


def _large_enough(rows: pl.DataFrame, columns: Sequence[str], hidden: Sequence[str], limits: Limits) -> pl.DataFrame:
    """The rows in classes of k rows or more with enough confidential values each."""
    size = pl.col(_WEIGHT).sum() if _WEIGHT in rows.columns else pl.len()
    enough = size.over(columns) >= limits.k
    for name in hidden:
        enough = enough & (pl.col(name).n_unique().over(columns) >= limits.diversity)
    return rows.filter(enough)


def _spread(rows: pl.DataFrame, columns: Sequence[str], k: int) -> Spread:
    """Of distinct combinations with their number."""
    sizes = rows.group_by(list(columns)).agg(pl.col(_WEIGHT).sum())[_WEIGHT]
    if sizes.is_empty():
        return Spread(tuple(columns), 0, 0, 0, 0, 0)
    small = sizes.filter(sizes < k)
    return Spread(tuple(columns), int(sizes.sum()), sizes.len(), _int(sizes.min()), _int(small.sum()), _int((sizes == 1).sum()))


def _int(value: Any) -> int:
    return int(value or 0)


def _ladder(p: Property, contract: Contract, on: date) -> list[tuple[str, Blur]]:
    """The steps up from a column's values, finest first; every one ends with the column left out."""
    if p.logical_type in ("date", "timestamp"):
        text: Blur = lambda value: value.dt.convert_time_zone("Asia/Ho_Chi_Minh").dt.strftime("%Y-%m-%d")  # noqa: E731 # one of two short ways to the same thing
        steps = _date_steps(text if p.logical_type == "timestamp" else lambda value: value.dt.strftime("%Y-%m-%d"))
    elif p.standard == "partial_date":
        steps = _date_steps(_as_is)
    elif _unit_level(p, contract) is not None:
        steps = _unit_steps(_unit_level(p, contract) or "", on)
    elif p.logical_type == "integer":
        steps = [(f"band_{size}", partial(_band, size=size)) for size in (5, 10, 20, 50)]
    elif p.logical_type == "number":
        steps = [(f"digits_{digits}", partial(_rounded, digits=digits)) for digits in (2, 1)]
    else:
        steps = []
    return [*steps, (LEFT_OUT, _nothing)]


def _as_is(value: pl.Expr) -> pl.Expr:
    return value


def _nothing(value: pl.Expr) -> pl.Expr:
    return value.is_null() & False


def _date_steps(text: Blur) -> list[tuple[str, Blur]]:
    """Of dates of any precision: what is known to the year only stays so."""
    return [
        ("month", lambda value: text(value).str.slice(0, 7)),
        ("year", lambda value: text(value).str.slice(0, 4)),
        ("years_5", lambda value: _band(text(value).str.slice(0, 4).cast(pl.Int64, strict=False), size=5)),
        ("years_10", lambda value: _band(text(value).str.slice(0, 4).cast(pl.Int64, strict=False), size=10)),
    ]


def _band(value: pl.Expr, size: int) -> pl.Expr:
    """`20-24` for 22."""
    first = (value // size) * size
    return pl.when(value.is_not_null()).then(pl.concat_str(first.cast(pl.String), pl.lit("-"), (first + size - 1).cast(pl.String)))


def _rounded(value: pl.Expr, digits: int) -> pl.Expr:
    return value.round_sig_figs(digits)


def _unit_level(p: Property, contract: Contract) -> str | None:
    """The level of the unit a column's codes name, where it names one: by its standard, or by the list it must agree with."""
    if p.standard == "admin_unit":
        return str(p.standard_options.get("level", "commune"))
    listed = [
        rule for rule in contract.all_rules if rule.kind == "reference" and rule.columns == (p.name,) and rule.parameters.get("level")
    ]
    return str(listed[0].parameters["level"]) if listed else None


def _unit_steps(level: str, on: date) -> list[tuple[str, Blur]]:
    """Districts ended on 1 July 2025: a code of after then has none above it, and goes straight to its province."""

    def above(wanted: str) -> Blur:
        return lambda value: value.replace_strict(_above(wanted, on), default=None, return_dtype=pl.String)

    return [(wanted, above(wanted)) for wanted in (("district", "province") if level == "commune" else ("province",))]


def _above(wanted: str, on: date) -> dict[str, str]:
    """Code → the district or province it lies in; the unit in force on the date, else the newest that had the code."""
    found: dict[str, str] = {}
    for code, units in units_by_code().items():
        unit = max(units, key=lambda unit: (unit.is_valid(on), unit.valid_from))
        found[code] = _code_above(unit, wanted)
    return found


def _code_above(unit: Unit, wanted: str) -> str:
    if wanted == "district" and unit.district_code:
        return unit.district_code
    return unit.province_code or unit.code
