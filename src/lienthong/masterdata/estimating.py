"""How right an index is, from a sample of its pairs that persons reviewed without knowing what it had decided.

Every reviewed pair stands for a number of pairs of the index: those of its stratum over those reviewed there. Precision is the share of
pairs joined that are one; recall, of pairs that are one, the share that was joined. Recall is told of pairs that the blocking keys bring
together at all; what no key finds is not in the sample.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Z95 = 1.959964  # of the standard normal: 95 % lie within
PRIOR_BITS = 4.0  # how far, as a rule, a model is off for one pair of registers: one standard deviation
_STEPS = 60
_LN2 = math.log(2)


class Said(NamedTuple):
    """A pair of a review: its stratum and how many pairs that has, and the verdicts on it (same, apart, unsure) in the order given, `by` whom."""

    stratum: str
    registers: str
    is_joined: bool
    by_weight: bool
    stratum_pairs: float
    bits: float
    verdicts: list[str]
    names: tuple[str, str, str, str] = ("", "", "", "")  # left source, key, right source, key
    by: Sequence[str] = ()  # as many as verdicts


@dataclass(frozen=True)
class Reviewed:
    """One pair with a verdict. `stands_for`: how many pairs of the index; `bits`: its weight; `by_weight`: its weight, no rule, decides."""

    stratum: str
    registers: str
    is_joined: bool
    is_same: bool
    stands_for: float
    bits: float = 0.0
    by_weight: bool = True
    names: tuple[str, str, str, str] = ("", "", "", "")


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval, from so many reviewed pairs."""

    value: float
    low: float
    high: float
    reviewed: int


@dataclass(frozen=True)
class Offset:
    """Bits to add to the model's weights so that they fit the verdicts, with their standard error, from so many reviewed pairs."""

    bits: float
    error: float
    reviewed: int


@dataclass(frozen=True)
class Reviewer:
    """One person's part of a review: pairs looked at, those of them that another looked at too, and where the other said the same."""

    looked: int
    twice: int
    equal: int


@dataclass(frozen=True)
class Estimate:
    """What a review says. `by_registers`: `a|b` → (precision, recall); `agreement`: (equal verdicts, kappa) where two looked.

    `by_reviewer`: each person's part of it, by name.

    `covered`: share of the pairs drawn from whose stratum has a verdict; the estimates speak of these alone.
    """

    pairs: int
    reviewed: int
    covered: float
    precision: Share | None
    recall: Share | None
    by_registers: Mapping[str, tuple[Share | None, Share | None]]
    agreement: tuple[float, float] | None
    by_reviewer: Mapping[str, Reviewer]


def estimate(said: Sequence[Said]) -> Estimate:
    """How right an index is by a review."""
    pairs = reviewed_of(said)
    drawn_from = {one.stratum: one.stratum_pairs for one in said}
    told_of = {pair.stratum for pair in pairs}
    return Estimate(
        len(said),
        len(pairs),
        sum(count for name, count in drawn_from.items() if name in told_of) / max(sum(drawn_from.values()), 1e-9),
        precision(pairs),
        recall(pairs),
        {name: (precision(pairs, name), recall(pairs, name)) for name in sorted({pair.registers for pair in pairs})},
        kappa((one.verdicts[0], one.verdicts[1]) for one in said if len(one.verdicts) > 1),
        by_reviewer(said),
    )


def reviewed_of(said: Iterable[Said]) -> list[Reviewed]:
    """Pairs with a verdict most reviewers share, each standing for its part of its stratum's pairs."""
    decided = [(one, verdict) for one in said if (verdict := _decided(one.verdicts)) is not None]
    reviewed = Counter(one.stratum for one, _ in decided)
    return [
        Reviewed(
            one.stratum, one.registers, one.is_joined, same, one.stratum_pairs / reviewed[one.stratum], one.bits, one.by_weight, one.names
        )
        for one, same in decided
    ]


def _decided(verdicts: Sequence[str]) -> bool | None:
    """Whether most said the two are one; None when nobody knew, or as many said one as the other."""
    same, apart = verdicts.count("same"), verdicts.count("apart")
    return None if same == apart else same > apart


def precision(pairs: Sequence[Reviewed], registers: str | None = None) -> Share | None:
    """Of pairs joined, the share that is one; None when none was reviewed. `registers`: of these two only."""
    inside = [pair.is_joined and registers in (None, pair.registers) for pair in pairs]
    return _share(pairs, inside, [pair.is_same for pair in pairs])


def recall(pairs: Sequence[Reviewed], registers: str | None = None) -> Share | None:
    """Of pairs that are one, the share that was joined; None when no reviewed pair is one. `registers`: of these two only."""
    inside = [pair.is_same and registers in (None, pair.registers) for pair in pairs]
    return _share(pairs, inside, [pair.is_joined for pair in pairs])


def kappa(twice: Iterable[tuple[str, str]]) -> tuple[float, float] | None:
    """(share of equal verdicts, Fleiss's kappa) of pairs reviewed by two; None when there are none.

    Fleiss (1971): reviewers are interchangeable, chance agreement comes from all verdicts together. Where there is one verdict only, 1.
    """
    pairs = list(twice)
    if not pairs:
        return None
    said = [verdict for pair in pairs for verdict in pair]
    equal = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum((said.count(verdict) / len(said)) ** 2 for verdict in set(said))
    return equal, 1.0 if chance >= 1 else (equal - chance) / (1 - chance)


def by_reviewer(said: Iterable[Said]) -> dict[str, Reviewer]:
    """Each person's part of a review, by name.

    Agreement is between the first two who looked at a pair, as in `kappa`: a third is asked only where those disagree, and would agree with one
    of them whatever was said. So the `equal` of all together are twice the pairs on which two said the same.
    """
    looked, twice, equal = Counter[str](), Counter[str](), Counter[str]()
    for one in said:
        looked.update(one.by)
        if len(one.verdicts) > 1:
            first_two = one.by[:2]
            twice.update(first_two)
            if one.verdicts[0] == one.verdicts[1]:
                equal.update(first_two)
    return {name: Reviewer(looked[name], twice[name], equal[name]) for name in sorted(looked)}


def offset(pairs: Iterable[Reviewed]) -> Offset:
    """How far weights are off: the most likely shift of the log odds, held near 0 by a normal prior of `PRIOR_BITS`.

    Pairs that no weight decides (an identifier joins them, a rule forbids them or asks a person) say nothing of weights and are left out.
    """
    seen = [(pair.bits * _LN2, pair.is_same) for pair in pairs if pair.by_weight]
    deviation = PRIOR_BITS * _LN2
    shift, curvature = 0.0, 1 / deviation**2
    for _ in range(_STEPS):  # Newton's method on a concave function; steps held short where it is flat
        chances = [_chance(logit + shift) for logit, _ in seen]
        slope = sum(is_same - chance for (_, is_same), chance in zip(seen, chances, strict=True)) - shift / deviation**2
        curvature = sum(chance * (1 - chance) for chance in chances) + 1 / deviation**2
        step = max(-2.0, min(2.0, slope / curvature))
        shift += step
        if abs(step) < 1e-9:
            break
    return Offset(shift / _LN2, 1 / math.sqrt(curvature) / _LN2, len(seen))


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def _share(pairs: Sequence[Reviewed], inside: Sequence[bool], counted: Sequence[bool]) -> Share | None:
    """A ratio over a stratified sample with Wilson's interval on the effective size of the sample.

    The variance is that of the linearised ratio within strata; the effective size is what a simple sample of that variance would have, at
    most Kish's for the weights (Franco, Little, Louis, Slud 2019, "Comparative study of confidence intervals for proportions in complex
    sample surveys").
    """
    weights = [pair.stands_for for pair, within in zip(pairs, inside, strict=True) if within]
    total = sum(weights)
    if not total:
        return None
    value = sum(p.stands_for for p, within, hit in zip(pairs, inside, counted, strict=True) if within and hit) / total
    by_stratum: dict[str, list[float]] = defaultdict(list)
    for pair, within, hit in zip(pairs, inside, counted, strict=True):
        by_stratum[pair.stratum].append(pair.stands_for * (hit - value) if within else 0.0)
    variance = sum(_spread(residuals) for residuals in by_stratum.values()) / total**2
    size = total**2 / sum(weight**2 for weight in weights)
    if variance > 0:
        size = min(size, value * (1 - value) / variance)
    low, high = wilson(value, size)
    return Share(value, low, high, len(weights))


def _spread(residuals: Sequence[float]) -> float:
    """A stratum's part of the variance of a total; one pair alone counts with its own square."""
    count = len(residuals)
    if count == 1:
        return residuals[0] ** 2
    mean = sum(residuals) / count
    return count / (count - 1) * sum((residual - mean) ** 2 for residual in residuals)


def wilson(value: float, size: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in a sample of `size` (E. B. Wilson 1927)."""
    squared = Z95**2
    middle = (value + squared / (2 * size)) / (1 + squared / size)
    reach = Z95 / (1 + squared / size) * math.sqrt(value * (1 - value) / size + squared / (4 * size**2))
    return max(0.0, min(value, middle - reach)), min(1.0, max(value, middle + reach))
