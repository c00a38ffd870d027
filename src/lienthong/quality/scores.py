"""How good a delivery was, by dimension of quality: the share of rows without an issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.contracts import Contract
from lienthong.quality.check import promised_rules
from lienthong.quality.rules import RULES

CONFORMITY = "conformity"  # what a standard could not clean does not have the form it should
UNIQUENESS = "uniqueness"


@dataclass(frozen=True)
class Score:
    """One dimension: `percent` of `rows` that broke none of its rules (a row that broke two of them counts twice, never below 0)."""

    dimension: str
    rows: int
    issues: int

    @property
    def percent(self) -> float:
        return 100.0 if self.rows == 0 else max(0.0, round(100 * (1 - self.issues / self.rows), 2))


def score(contract: Contract, rows: int, issues_by_rule: Mapping[str, int]) -> tuple[Score, ...]:
    """Scores of every dimension the contract has rules for, from the number of issues of each rule id."""
    dimensions = {rule.id: RULES[rule.kind].dimension for rule in promised_rules(contract)} | {"key": UNIQUENESS}
    counted: dict[str, int] = dict.fromkeys([*dimensions.values(), CONFORMITY], 0)
    for rule_id, issues in issues_by_rule.items():
        counted[dimensions.get(rule_id, CONFORMITY)] += issues
    return tuple(Score(dimension, rows, issues) for dimension, issues in sorted(counted.items()))
