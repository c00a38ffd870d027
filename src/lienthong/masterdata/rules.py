"""What no weight decides: records that are one because a valid identifier says so, and records that never are.

An identifier joins only where name or birth does not speak against it: one number is typed for a whole family, and a wrong digit
is another person's number. Two different valid identifiers are kept apart, whatever else agrees, until a steward says otherwise.
"""

from __future__ import annotations

import polars as pl
from rapidfuzz.distance import DamerauLevenshtein

from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Features

_GUARDS = {"person_name": ("given", "sorted"), "given_name": ("flat", "sound"), "organisation_name": ("core",), "date": ("year",)}
_NAME_PARTS = ("flat", "given", "loose", "sorted", "ends", "turned")
_GENERATION_YEARS = 12
_APART = {"date": "year"}  # a day typed wrong does not keep two records apart; another year does
MOST_PER_IDENTIFIER = 50  # records under one number before it is a habit of typing rather than a number


class Rules:
    """The rules of one plan, as tests of feature tuples and as expressions over frames of pairs (columns and columns ending `_r`)."""

    def __init__(self, plan: Plan, most_per_identifier: int = MOST_PER_IDENTIFIER) -> None:
        places = {column: n for n, column in enumerate(plan.columns)}
        self.most_per_identifier = most_per_identifier
        self.guards = [a.column(part) for a in plan.attributes for part in _GUARDS.get(a.kind, ())]
        self._guard_places = [places[column] for column in self.guards]
        self.identifier_places = [places[plan.same_column(name)] for name in plan.identifiers]
        self.apart_columns = [self._apart_column(plan, name) for name in plan.apart]
        self._apart = [places[column] for column in self.apart_columns]
        self._unique = plan.unique_sources
        self._names = [tuple(a.column(part) for part in _NAME_PARTS) for a in plan.attributes if a.kind == "person_name"]
        self._name_places = [tuple(places[column] for column in columns) for columns in self._names]
        dates = [a for a in plan.attributes if a.kind == "date"] if self._names else []
        self._births = [(a.column("ymd"), a.column("year")) for a in dates]
        self._birth_places = [(places[whole], places[year]) for whole, year in self._births]
        own = [*self._names, *self._births]
        doubted = [*(plan.same_column(name) for name in plan.identifiers), *self.guards, *(column for columns in own for column in columns)]
        self.doubt_columns = list(dict.fromkeys(doubted))
        self.forbid_columns = [*(plan.same_column(name) for name in plan.identifiers), *self.apart_columns]
        self._identifier_columns = [plan.same_column(name) for name in plan.identifiers]

    @staticmethod
    def _apart_column(plan: Plan, name: str) -> str:
        attribute = plan.attribute(name)
        part = _APART.get(attribute.kind)
        return plan.same_column(name) if part is None else attribute.column(part)

    def same_identifier(self, left: Features, right: Features) -> bool:
        """Whether the two have a valid identifier in common."""
        return any(left[n] is not None and left[n] == right[n] for n in self.identifier_places)

    def doubt(self, left: Features, right: Features) -> bool:
        """Whether a person must look before the two are joined by weight: twins and kin of one name agree in nearly everything.

        A common identifier that neither name nor birth bears out; without one, given names that are not the same name spelt
        otherwise, or births a generation apart.
        """
        if self.same_identifier(left, right):
            return not self.agree(left, right)
        for whole, given, loose, ordered, ends, turned in self._name_places:
            a, b = left[given], right[given]
            if a is None or b is None or a == b or left[loose] == right[loose] or left[ordered] == right[ordered]:
                continue
            if left[ends] == right[turned] or left[turned] == right[ends]:
                continue
            if DamerauLevenshtein.distance(left[whole] or "", right[whole] or "", score_cutoff=1) > 1:
                return True
        for whole, year in self._birth_places:
            a, b = left[whole], right[whole]
            if a is None or b is None or abs(int(left[year] or 0) - int(right[year] or 0)) < _GENERATION_YEARS:
                continue
            if DamerauLevenshtein.distance(a, b, score_cutoff=1) > 1:
                return True
        return False

    def undoubted_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """Of a frame of pairs (`doubt_columns`), those of which `doubt` is surely false; the others must be asked. Most are."""
        is_same = pl.any_horizontal(
            pl.lit(value=False), *((pl.col(c) == pl.col(f"{c}_r")).fill_null(value=False) for c in self._identifier_columns)
        )
        fine = [pl.lit(value=True)]
        for _, given, loose, ordered, ends, turned in self._names:
            unknown = pl.col(given).is_null() | pl.col(f"{given}_r").is_null()
            alike = [
                pl.col(a).eq_missing(pl.col(f"{b}_r"))
                for a, b in ((given, given), (loose, loose), (ordered, ordered), (ends, turned), (turned, ends))
            ]
            fine.append(pl.any_horizontal(unknown, *alike))
        for whole, year in self._births:
            years = [pl.col(name).cast(pl.Int64).fill_null(0) for name in (year, f"{year}_r")]
            fine.append(pl.col(whole).is_null() | pl.col(f"{whole}_r").is_null() | ((years[0] - years[1]).abs() < _GENERATION_YEARS))
        told = pairs.with_columns(self.agree_frame(pairs).alias("agrees"))
        return told.select(pl.when(is_same).then(pl.col("agrees")).otherwise(pl.all_horizontal(fine)).alias("undoubted")).to_series()

    def agree(self, left: Features, right: Features) -> bool:
        """Whether name or birth agree somewhere, or neither is known on both sides."""
        compared = False
        for n in self._guard_places:
            if left[n] is not None and right[n] is not None:
                if left[n] == right[n]:
                    return True
                compared = True
        return not compared

    def agree_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """`agree` for a frame of pairs."""
        if not self.guards or not pairs.height:
            return pl.Series([True] * pairs.height, dtype=pl.Boolean)
        same = pl.any_horizontal([(pl.col(c) == pl.col(f"{c}_r")).fill_null(value=False) for c in self.guards])
        compared = pl.any_horizontal([pl.col(c).is_not_null() & pl.col(f"{c}_r").is_not_null() for c in self.guards])
        return pairs.select((same | ~compared).alias("agrees")).to_series()

    def forbid_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """`forbid` for a frame of pairs with `source` and `source_r`."""
        tests = [(pl.col(c) != pl.col(f"{c}_r")).fill_null(value=False) for c in self._identifier_columns]
        if self._unique:
            tests.append((pl.col("source") == pl.col("source_r")) & pl.col("source").is_in(sorted(self._unique)))
        if self.apart_columns:
            tests.append(pl.all_horizontal([(pl.col(c) != pl.col(f"{c}_r")).fill_null(value=False) for c in self.apart_columns]))
        return (
            pairs.select(pl.any_horizontal(tests).alias("forbidden")).to_series()
            if tests
            else pl.Series([False] * pairs.height, dtype=pl.Boolean)
        )

    def forbid(self, left: Features, right: Features, left_source: str, right_source: str) -> bool:
        """Whether the two can never be one without a steward's word."""
        for n in self.identifier_places:
            if left[n] is not None and right[n] is not None and left[n] != right[n]:
                return True
        if left_source == right_source and left_source in self._unique:
            return True
        return bool(self._apart) and all(left[n] is not None and right[n] is not None and left[n] != right[n] for n in self._apart)
