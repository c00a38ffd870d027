"""One pair scored by the model: the same rungs, probabilities and rarities as Splink's, without a database.

A weight is in bits: log2 of how much likelier the pair is under "one entity" than under "two", the prior being part of it.
Attributes that a household shares (family name, address, phone) cannot say more than that two records share a household: their bits
together are held under `-kin_bits`, because kin, too, agree on all of them (docs/explanation/matching.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from lienthong.masterdata.predicates import Comparison, Features

Rarity = Callable[[str], float]
WEIGHT_PLACES = 6  # bits are rounded, so that a sum in another order decides nothing


@dataclass(frozen=True)
class Rung:
    """What one rung says: `bits` = log2(m/u); where rarity counts, `base_bits` = log2(u of the rung on which the value is the same)."""

    label: str
    m: float
    u: float
    frequency_of: str | None = None
    base_bits: float = 0.0

    @property
    def bits(self) -> float:
        return log2(self.m / self.u)


@dataclass(frozen=True)
class Part:
    """One comparison's share of a weight: `rung` is its number from the top, -1 when a side is empty; `rarity_bits` is within `bits`."""

    comparison: str
    rung: int
    label: str
    bits: float
    rarity_bits: float
    is_shared: bool


class Scorer:
    """The model as functions. `rarity[column]` gives log2 of a value's frequency; `shared`: names of comparisons a household shares."""

    def __init__(
        self, columns: Sequence[str], comparisons: Sequence[Comparison], rungs: Sequence[Sequence[Rung]], prior_bits: float,
        shared: frozenset[str], kin_bits: float, rarity: Mapping[str, Rarity],
    ) -> None:  # fmt: skip
        places = {column: n for n, column in enumerate(columns)}
        self.prior_bits = prior_bits
        self.kin = 2.0**kin_bits
        self._comparisons = tuple(comparisons)
        self._labels = tuple(tuple(rung.label for rung in each) for each in rungs)
        self._steps = [
            (
                comparison.empty.test(places),
                tuple(
                    (
                        _always if level.when is None else level.when.test(places),
                        rung.bits,
                        -1 if rung.frequency_of is None else places[rung.frequency_of],
                        rung.base_bits,
                        _no_rarity if rung.frequency_of is None else rarity[rung.frequency_of],
                    )
                    for level, rung in zip(comparison.levels, each, strict=True)
                ),
                comparison.name in shared,
            )
            for comparison, each in zip(comparisons, rungs, strict=True)
        ]

    def score(self, left: Features, right: Features) -> float:
        """The weight of a pair in bits."""
        own, common = self.prior_bits, 0.0
        for empty, steps, is_shared in self._steps:
            if empty(left, right):
                continue
            for test, bits, place, base, rarity in steps:
                if test(left, right):
                    if place >= 0:
                        bits += base - _rarer(left[place], right[place], rarity, base)
                    if is_shared:
                        common += bits
                    else:
                        own += bits
                    break
        return round(own + held_under(common, self.kin), WEIGHT_PLACES)

    def splink_weight(self, left: Features, right: Features) -> float:
        """The weight as Splink adds it up, without regard to households."""
        return self.prior_bits + sum(part.bits for part in self.explain(left, right))

    def explain(self, left: Features, right: Features) -> tuple[Part, ...]:
        """What each comparison says, in the model's order; the prior and the household's limit are not among them."""
        parts = []
        for comparison, labels, (empty, steps, is_shared) in zip(self._comparisons, self._labels, self._steps, strict=True):
            if empty(left, right):
                parts.append(Part(comparison.name, -1, "empty", 0.0, 0.0, is_shared))
                continue
            for n, (test, bits, place, base, rarity) in enumerate(steps):
                if test(left, right):
                    extra = 0.0 if place < 0 else base - _rarer(left[place], right[place], rarity, base)
                    parts.append(Part(comparison.name, n, labels[n], bits + extra, extra, is_shared))
                    break
        return tuple(parts)


def held_under(common_bits: float, kin: float) -> float:
    """Bits of shared attributes against the chance `kin` that two people share a household: never more than log2(1/kin)."""
    return -log2(2.0**-common_bits + kin)


def _always(left: Features, right: Features) -> bool:  # noqa: ARG001 a test takes both sides
    return True


def _no_rarity(value: str) -> float:  # noqa: ARG001 never asked
    return 0.0


def _rarer(left: str | None, right: str | None, rarity: Rarity, otherwise: float) -> float:
    """log2 of the frequency of the more frequent of two values: rarity counts only as far as both are rare."""
    if left is None:
        return otherwise if right is None else rarity(right)
    if right is None or left == right:
        return rarity(left)
    return max(rarity(left), rarity(right))
