"""What no weight decides: records that are one because a valid identifier says so, and records that never are.

An identifier joins only where name or birth does not speak against it: one number is typed for a whole family, and a wrong digit
is another person's number. Two different valid identifiers are kept apart, whatever else agrees, until a steward says otherwise.
An earlier number (a CMND) joins whom its bearer's new number (a CCCD) is known of: where one record brings both, and name and birth agree.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import xxhash
from rapidfuzz.distance import DamerauLevenshtein

from lienthong.masterdata.kinds import other_names
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Features

IsCommon = Callable[[str, str], bool]
_GUARDS = {"person_name": ("given", "sorted"), "given_name": ("flat", "sound"), "organisation_name": ("core",), "date": ("year",)}
_NAME_PARTS = ("flat", "given", "loose", "sorted", "ends", "turned")
_GENERATION_YEARS = 12
STEWARD = "steward"  # the rule of what a person said
_APART = {"date": "year"}  # a day typed wrong does not keep two records apart; another year does
MOST_PER_IDENTIFIER = 50  # records under one number, when a model is learnt, before it is a habit of typing rather than a number


class Rules:
    """The rules of one plan, as tests of feature tuples and as expressions over frames of pairs (columns and columns ending `_r`)."""

    def __init__(self, plan: Plan, crowded: frozenset[int] = frozenset(), is_common: IsCommon | None = None) -> None:
        """`crowded`: hashes of numbers so many records carry that they say nothing (`Model.crowded`). `is_common`: of a feature's column and value."""
        places = {column: n for n, column in enumerate(plan.columns)}
        self.crowded = crowded
        self.guards = [a.column(part) for a in plan.attributes for part in _GUARDS.get(a.kind, ())]
        self._guard_places = [places[column] for column in self.guards]
        others = other_names(plan.attributes)
        self._also = {a.name: (a.column("flat"), others[a.name].column("flat")) for a in plan.attributes if a.name in others}
        self._also_places = [(places[name], places[other]) for name, other in self._also.values()]
        self.agree_columns = list(dict.fromkeys([*self.guards, *(column for pair in self._also.values() for column in pair)]))
        replaced = (f"{old}>{new}" for old, new in plan.earlier_numbers)
        self.names = (*plan.identifiers, *replaced)  # of what joins: a number in common, or one that says what replaced the other
        self._own = [(a.name, [a.column(part) for part in _GUARDS[a.kind]]) for a in plan.attributes if a.kind in _GUARDS]
        self._own_places = [(name in others, [places[column] for column in columns]) for name, columns in self._own]
        self.replaced_columns = [(plan.same_column(old), plan.same_column(new)) for old, new in plan.earlier_numbers]
        self.replaced_places = [(places[old], places[new]) for old, new in self.replaced_columns]
        self.identifier_places = [places[plan.same_column(name)] for name in plan.identifiers]
        self.apart_columns = [self._apart_column(plan, name) for name in plan.apart]
        self._apart = [places[column] for column in self.apart_columns]
        self._unique = plan.unique_sources
        self._names = [tuple(a.column(part) for part in _NAME_PARTS) for a in plan.attributes if a.kind == "person_name"]
        self._name_places = [tuple(places[column] for column in columns) for columns in self._names]
        self._given = [columns[1] for columns in self._names]
        self._is_common = is_common
        self._name_also = [self._also.get(a.name) for a in plan.attributes if a.kind == "person_name"]
        dates = [a for a in plan.attributes if a.kind == "date"] if self._names else []
        self._births = [(a.column("ymd"), a.column("year")) for a in dates]
        self._birth_places = [(places[whole], places[year]) for whole, year in self._births]
        whole_names, whole_births = [columns[0] for columns in self._names], [whole for whole, _ in self._births]
        self.slip_columns = [*whole_names, *whole_births] if len(whole_names) == len(whole_births) == 1 else []
        self.slip_places = [places[column] for column in self.slip_columns]
        own = [*self._names, *self._births]
        doubted = [*(plan.same_column(name) for name in plan.identifiers), *self.agree_columns, *(c for columns in own for c in columns)]
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

    def speaks(self, number: str) -> bool:
        """Whether a number that two records have in common says anything."""
        return not self.crowded or xxhash.xxh3_64_intdigest(number.encode()) not in self.crowded

    def joined(self, left: Features, right: Features) -> bool:
        """Whether an identifier says that the two are one, or would if name and birth bore it out."""
        return any(
            number is not None and number == right[n] and self.speaks(number) for n in self.identifier_places for number in (left[n],)
        )

    def slip(self, left: Features, right: Features, left_source: str, right_source: str) -> bool:
        """Whether all that keeps the two apart is one sign of their numbers: name and whole birth are known and the very same.

        They stay apart; a person is asked which number is right.
        """
        if not self.slip_places or any(left[n] is None or left[n] != right[n] for n in self.slip_places):
            return False
        if left_source == right_source and left_source in self._unique:
            return False
        differing = [
            (a, b) for n in self.identifier_places for a, b in ((left[n], right[n]),) if a is not None and b is not None and a != b
        ]
        return bool(differing) and all(DamerauLevenshtein.distance(a, b, score_cutoff=1) <= 1 for a, b in differing)

    def doubt(self, left: Features, right: Features) -> bool:
        """Whether a person must look before the two are joined by weight: twins and kin of one name agree in nearly everything.

        Two valid identifiers; a common one that neither name nor birth bears out; without any, given names that are not the same name
        spelt otherwise (one letter apart is a slip, but for twins), or births a generation apart.
        """
        if any(left[n] is not None and right[n] is not None and left[n] != right[n] for n in self.identifier_places):
            return True
        if self.same_identifier(left, right):
            return not self.agree(left, right)
        for (whole, given, loose, ordered, ends, turned), column in zip(self._name_places, self._given, strict=True):
            a, b = left[given], right[given]
            if a is None or b is None or a == b or left[loose] == right[loose] or left[ordered] == right[ordered]:
                continue
            if left[ends] == right[turned] or left[turned] == right[ends] or self.goes_by(left, right):
                continue
            if self._may_be_twins(column, left, right, a, b):
                return True
            if DamerauLevenshtein.distance(left[whole] or "", right[whole] or "", score_cutoff=1) > 1:
                return True
        for whole, year in self._birth_places:
            a, b = left[whole], right[whole]
            if a is None or b is None or abs(int(left[year] or 0) - int(right[year] or 0)) < _GENERATION_YEARS:
                continue
            if DamerauLevenshtein.distance(a, b, score_cutoff=1) > 1:
                return True
        return False

    def _may_be_twins(self, column: str, left: Features, right: Features, a: str, b: str) -> bool:
        """Whether two given names are no slip of one another (Tài, Trí: many bear either) and the day of birth is the same."""
        if self._is_common is None or not any(left[whole] is not None and left[whole] == right[whole] for whole, _ in self._birth_places):
            return False
        return self._is_common(column, a) and self._is_common(column, b)

    def undoubted_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """Of a frame of pairs (`doubt_columns`), those of which `doubt` is surely false; the others must be asked. Most are."""
        is_same = pl.any_horizontal(
            pl.lit(value=False), *((pl.col(c) == pl.col(f"{c}_r")).fill_null(value=False) for c in self._identifier_columns)
        )
        one_number = [(pl.col(c) == pl.col(f"{c}_r")).fill_null(value=True) for c in self._identifier_columns]
        fine = [pl.lit(value=True)]
        for (_, given, loose, ordered, ends, turned), also in zip(self._names, self._name_also, strict=True):
            unknown = pl.col(given).is_null() | pl.col(f"{given}_r").is_null()
            alike = [
                pl.col(a).eq_missing(pl.col(f"{b}_r"))
                for a, b in ((given, given), (loose, loose), (ordered, ordered), (ends, turned), (turned, ends))
            ]
            fine.append(pl.any_horizontal(unknown, *alike, *(_goes_by_frame(*also) if also is not None else ())))
        for whole, year in self._births:
            years = [pl.col(name).cast(pl.Int64).fill_null(0) for name in (year, f"{year}_r")]
            fine.append(pl.col(whole).is_null() | pl.col(f"{whole}_r").is_null() | ((years[0] - years[1]).abs() < _GENERATION_YEARS))
        told = pairs.with_columns(self.agree_frame(pairs).alias("agrees"))
        undoubted = pl.when(is_same).then(pl.col("agrees")).otherwise(pl.all_horizontal(fine))
        return told.select(pl.all_horizontal(undoubted, *one_number).alias("undoubted")).to_series()

    def agree(self, left: Features, right: Features) -> bool:
        """Whether name or birth agree somewhere, or neither is known on both sides."""
        compared = False
        for n in self._guard_places:
            if left[n] is not None and right[n] is not None:
                if left[n] == right[n]:
                    return True
                compared = True
        return not compared or self.goes_by(left, right)

    def goes_by(self, left: Features, right: Features) -> bool:
        """Whether the name of one is the other name the other goes by, or both go by the same."""
        for name, other in self._also_places:
            a, b = left[other], right[other]
            if (a is not None and a in (right[name], b)) or (b is not None and b == left[name]):
                return True
        return False

    def sure(self, left: Features, right: Features) -> bool:
        """Whether name and birth both agree: each is known of both, and is the same in one way at least."""
        for may_go_by, columns in self._own_places:
            if any(left[n] is not None and left[n] == right[n] for n in columns):
                continue
            if not (may_go_by and self.goes_by(left, right)):
                return False
        return bool(self._own_places)

    def replaced(self, left: Features, right: Features) -> bool:
        """Whether one record says which number replaced the other's: both have the earlier number, one the new one, name and birth agree.

        That two such records name two new numbers is not seen here: who asks must look at all that have the earlier one.
        """
        for old, new in self.replaced_places:
            number = left[old]
            if number is None or number != right[old] or (left[new] is None) == (right[new] is None):
                continue
            if self.speaks(number) and self.sure(left, right):
                return True
        return False

    def sure_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """`sure` for a frame of pairs."""
        agreeing = []
        for name, columns in self._own:
            same = [(pl.col(c) == pl.col(f"{c}_r")).fill_null(value=False) for c in columns]
            agreeing.append(pl.any_horizontal(*same, *(_goes_by_frame(*self._also[name]) if name in self._also else ())))
        return pairs.select((pl.all_horizontal(agreeing) if agreeing else pl.lit(value=False)).alias("sure")).to_series()

    def agree_frame(self, pairs: pl.DataFrame) -> pl.Series:
        """`agree` for a frame of pairs."""
        if not self.guards or not pairs.height:
            return pl.Series([True] * pairs.height, dtype=pl.Boolean)
        also = [each for pair in self._also.values() for each in _goes_by_frame(*pair)]
        same = pl.any_horizontal([(pl.col(c) == pl.col(f"{c}_r")).fill_null(value=False) for c in self.guards] + also)
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


def _goes_by_frame(name: str, other: str) -> tuple[pl.Expr, ...]:
    """`goes_by` for one name of a frame of pairs."""
    both = ((name, other), (other, name), (other, other))
    return tuple((pl.col(a) == pl.col(f"{b}_r")).fill_null(value=False) for a, b in both)
