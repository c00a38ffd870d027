"""Duplicates in a list too small to learn from: a few plain rules that an officer would use, instead of weights.

Sure: one valid number that name or birth does not speak against; or one name and one whole date of birth. Without names and births
(parcels, households): everything both rows have is the same, two things at least. Maybe: a step less than that. What the entity's
contracts keep apart (two different valid numbers; sex and year both different) is never sure nor maybe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import polars as pl

from lienthong.masterdata.blocking import Blocking, Recipe
from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.linkage import Pair
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.rules import Rules
from lienthong.masterdata.scoring import Rung, Scorer

ALL_PAIRS_UP_TO = 300  # rows; above it only pairs that share a key are looked at
_NAMES = ("person_name", "organisation_name")
_SAME_NAME = frozenset(("same", "same with its form", "regional spelling", "other order"))
_NEAR_NAME = frozenset(
    ("middle name missing", "part of the middle name missing", "other order, middle name missing", "one letter mistyped", "one letter", "alike",
     "goes by another name")
)  # fmt: skip
_NEAR_DATE = frozenset(("day and month swapped", "same year, day unknown", "one digit"))
_UNKNOWN = "empty"


class ListRules:
    """The rules of one plan. `labels` says how two rows compare, `judge` what follows: True sure, False maybe, None neither."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rules = Rules(plan)
        silent = tuple(tuple(Rung(level.label, 0.5, 0.5) for level in comparison.levels) for comparison in plan.comparisons)
        self.scorer = Scorer(plan.columns, plan.comparisons, silent, 0.0, frozenset(), -1000.0, {})
        self._kinds = {attribute.name: attribute.kind for attribute in plan.attributes}
        self._names = [a.name for a in plan.attributes if a.kind in _NAMES]
        self._births = [a.name for a in plan.attributes if a.kind == "date"]
        self._beside = {f"{name}_marks" for name in self._names}

    def labels(self, left: Features, right: Features) -> Mapping[str, str]:
        """Comparison → its rung, or `empty`."""
        return {part.comparison: part.label for part in self.scorer.explain(left, right)}

    def judge(self, left: Features, right: Features) -> bool | None:
        if self.rules.forbid(left, right, "", ""):
            return None
        if self.rules.same_identifier(left, right):
            return self.rules.agree(left, right)
        if self.rules.replaced(left, right):
            return True
        labels = self.labels(left, right)
        if any(labels[name] != _UNKNOWN for name in self._names):
            return self._by_name(labels, is_doubtful=self.rules.doubt(left, right))
        return self._by_all(labels)

    def _by_name(self, labels: Mapping[str, str], *, is_doubtful: bool) -> bool | None:
        name = next(labels[each] for each in self._names if labels[each] != _UNKNOWN)
        birth = next((labels[each] for each in self._births if labels[each] != _UNKNOWN), _UNKNOWN)
        more = any(label.endswith("same") and self._kinds.get(each) in ("phone", "identifier", "address") for each, label in labels.items())
        if name in _SAME_NAME:
            if birth == "same" and not is_doubtful:
                return True
            return False if birth in _NEAR_DATE or birth in ("same", _UNKNOWN) or more else None
        if name in _NEAR_NAME:
            return False if birth == "same" or (more and birth in (*_NEAR_DATE, _UNKNOWN)) else None
        return None

    def _by_all(self, labels: Mapping[str, str]) -> bool | None:
        filled = {each: label for each, label in labels.items() if label != _UNKNOWN and each not in self._beside}
        telling = [each for each in filled if self._kinds.get(each) != "category"]
        same = [each for each in filled if filled[each].endswith(("same", "same unit"))]
        if not set(telling) & set(same):
            return None
        if len(same) == len(filled):
            return len(same) > 1
        return False if len(same) > 1 and len(same) == len(filled) - 1 else None


def pairs_to_compare(plan: Plan, features: pl.DataFrame) -> Iterable[Pair]:
    """Every pair of a small list; of a larger one those that share a key."""
    if features.height <= ALL_PAIRS_UP_TO:
        return combinations(range(features.height), 2)
    found = candidate_pairs(plan, _keys(plan).frozen(features), features)
    return zip(found["left"].to_list(), found["right"].to_list(), strict=True)


def _keys(plan: Plan) -> Blocking:
    """Each number and name alone; any two attributes together."""
    columns = [(plan.attribute(name).kind, parts) for name, parts in plan.key_columns()]
    recipes: list[Sequence[str]] = [parts[:1] for kind, parts in columns if kind in ("identifier", "phone", *_NAMES)]
    recipes += [(a, b) for (_, left), (_, right) in combinations(columns, 2) for a in left for b in right]
    refine = tuple(parts[0] for _, parts in columns)
    return Blocking(tuple(Recipe(n, tuple(recipe)) for n, recipe in enumerate(recipes)), refine, otherwise=plan.otherwise)
