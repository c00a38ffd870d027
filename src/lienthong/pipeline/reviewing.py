"""Reviews: pairs drawn by chance, looked at by persons who are not told what the index decided, and what follows from their words.

A review changes no golden record. It says how right the index is (`masterdata.estimating`), and how far the model's weights are off
between two registers; a person may then move the cut of those two registers, as a new version of the model.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.ledger import Event
from lienthong.masterdata.estimating import Offset, offset, reviewed_of
from lienthong.pipeline.match_models import adopt
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.pipeline.stewarding import HERE, VERDICTS, Through, note
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection
from lienthong.store import matching as index_store
from lienthong.store import reviewing as store
from lienthong.store.matching import Index, StoredRecord

SAMPLED = 5_000  # records of which pairs are looked for
SHARE_TWICE = 0.2  # of pairs go to two reviewers
FARTHEST_BITS = -16.0  # from the cut: what lies lower is left out, the model giving it less than one chance in ten thousand
LARGEST_MOVE = 6.0  # bits a cut is moved at once
_JOINED_BANDS = (("8", 8.0), ("0", 0.0), ("-∞", float("-inf")))  # bits from the cut, at least
_NEAR_BANDS = (("-3", -3.0), ("-8", -8.0), ("-16", FARTHEST_BITS))
_AT_A_TIME = 200


@dataclass(frozen=True)
class Item:
    """A pair to look at: both records as their registers have them, and nothing of what the index made of them."""

    item: int
    left: Name
    left_content: Mapping[str, Any]
    right: Name
    right_content: Mapping[str, Any]


@dataclass(frozen=True)
class SuggestedCut:
    """Where a pair of registers joins now, where the verdicts would have it, and how far the weights are off."""

    registers: str
    cut: float
    suggested: float
    offset: Offset


@dataclass(frozen=True)
class _Pair:
    left: StoredRecord
    right: StoredRecord
    is_joined: bool
    by_weight: bool
    bits: float
    cut: float

    @property
    def registers(self) -> str:
        return "|".join(sorted((self.left.source, self.right.source)))

    @property
    def band(self) -> str:
        if not self.by_weight:
            return "joined rule" if self.is_joined else "near rule"
        bands = _JOINED_BANDS if self.is_joined else _NEAR_BANDS
        band = next(name for name, least in bands if self.bits - self.cut >= least)
        return f"{'joined' if self.is_joined else 'near'} {band}"

    @property
    def doubt(self) -> float:
        """Standard deviation of the verdict the model expects: where it is large, more is to be learnt."""
        chance = min(max(1 / (1 + 2.0 ** min(-self.bits, 60.0)), 0.01), 0.99)
        return float((chance * (1 - chance)) ** 0.5)


def draw(workshop: Workshop, index: EntityIndex, size: int, seed: int, by: str, through: Through = HERE) -> int:
    """Draw about `size` pairs for review, half of those joined and half of those not; gives the review's number.

    The same index and seed give the same pairs. Raises Unprocessable for a size under ten, Conflict when there is nothing to draw from.
    """
    if size < 10:
        raise Unprocessable(f"Expected at least ten pairs, found {size}.", vi=f"Cần ít nhất 10 cặp, nhận được {size}.")
    at = workshop.clock()
    with workshop.database.connect() as connection:
        entity = index.entity.name
        records = index_store.standing(connection, entity)["records"]
        sampled = store.sample(connection, entity, SAMPLED, seed)
        chance = 1 - (1 - len(sampled) / max(records, 1)) ** 2  # that at least one record of a pair is among them
        strata = _strata(list(_pairs(connection, index, sampled)), size)
        if not strata:
            raise Conflict("There are no pairs to review.", hint=f"lienthong match run {entity}", vi="Chưa có cặp nào để rà soát.")
        items = _chosen(strata, size, random.Random(seed), chance)  # noqa: S311 # a sample, not a secret
        review = store.add(connection, entity, index.model.version, at, by, seed, records, len(sampled), items)
        note(workshop, connection, index, Event.REVIEW_DRAWN, by, at, {"review": review, "pairs": len(items)}, through)
    return review


def next_items(workshop: Workshop, index: EntityIndex, by: str, limit: int = 1, through: Through = HERE) -> list[Item]:
    """What this person has still to look at in the newest review. Raises NotFound when none was drawn."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        rows = store.next_items(connection, _latest(connection, index).review, by, limit)
        note(workshop, connection, index, Event.QUEUE_READ, by, at, {"items": len(rows), "review": True}, through)
    return [Item(row[0], (row[1], row[2]), row[3], (row[4], row[5]), row[6]) for row in rows]


def say(workshop: Workshop, index: EntityIndex, item: int, verdict: str, by: str, through: Through = HERE) -> None:
    """A person's verdict on a pair of a review; a second word replaces the first.

    Raises Unprocessable for another word, NotFound for a pair that is not there.
    """
    if verdict not in VERDICTS:
        raise Unprocessable(
            f"`{verdict}` is no verdict.",
            hint=f"One of {', '.join(VERDICTS)}.",
            vi=f"`{verdict}` không phải một kết luận.",
            hint_vi=f"Một trong {', '.join(VERDICTS)}.",
        )
    at = workshop.clock()
    with workshop.database.connect() as connection:
        if not store.say(connection, index.entity.name, item, by, verdict, at):
            raise NotFound(f"No review has a pair {item}.", vi=f"Không có cặp {item} trong đợt rà soát nào.")
        note(workshop, connection, index, Event.REVIEW_GIVEN, by, at, {"item": item}, through)


def suggest_cuts(workshop: Workshop, index: EntityIndex) -> list[SuggestedCut]:
    """For each pair of registers reviewed: its cut moved by what the weights are off. Nothing is changed.

    Raises NotFound when no review was drawn, Conflict when the newest was drawn under another model.
    """
    with workshop.database.connect() as connection:
        drawn = _latest(connection, index)
        if drawn.model != index.model.version:
            raise Conflict(
                f"Review {drawn.review} was drawn under model {drawn.model}; {index.model.version} is in force.",
                hint="Draw a new review.",
                vi="Đợt rà soát được lấy theo mô hình cũ; hãy lấy mẫu lại.",
                hint_vi="Hãy lấy mẫu cho đợt rà soát mới.",
            )
        pairs = reviewed_of(store.verdicts(connection, drawn.review))
    found = []
    for registers in sorted({pair.registers for pair in pairs if pair.by_weight}):
        off = offset(pair for pair in pairs if pair.registers == registers)
        left, right = registers.split("|")
        cut = index.model.cuts.join(left, right)
        moved = max(-LARGEST_MOVE, min(LARGEST_MOVE, off.bits))
        found.append(SuggestedCut(registers, cut, round(cut - moved, 2), off))
    return found


def adopt_cuts(workshop: Workshop, index: EntityIndex, registers: Sequence[str], by: str, through: Through = HERE) -> str:
    """Put the suggested cuts of these pairs of registers in force, as a new version of the model; gives the version.

    What was matched before stays until everything is matched again. Raises as `suggest_cuts`; Unprocessable for registers that were not
    reviewed.
    """
    suggested = {one.registers: one.suggested for one in suggest_cuts(workshop, index)}
    unknown = sorted(set(registers) - suggested.keys())
    if unknown or not registers:
        raise Unprocessable(
            f"Not reviewed: {', '.join(unknown) or 'no registers were named'}.", hint=f"Reviewed: {', '.join(suggested)}.",
            vi="Chưa rà soát cặp nguồn này.", hint_vi=f"Đã rà soát: {', '.join(suggested)}.",
        )  # fmt: skip
    cuts = index.model.cuts
    moved = replace(cuts, by_registers={**cuts.by_registers, **{name: suggested[name] for name in registers}})
    with workshop.database.connect() as connection:
        before = index_store.model_version(connection, index.entity.name) or "0"
    version = str(int(before) + 1) if before.isdigit() else f"{before}+"
    adopt(workshop, index.entity, replace(index.model, version=version, cuts=moved), by, through)
    return version


def _latest(connection: Connection, index: EntityIndex) -> store.Drawn:
    drawn = store.latest(connection, index.entity.name)
    if drawn is None:
        raise NotFound(
            f"No review of `{index.entity.name}` was drawn.", hint="lienthong match review draw", vi="Chưa lấy mẫu đợt rà soát nào."
        )
    return drawn


def _pairs(connection: Connection, index: EntityIndex, sampled: Sequence[StoredRecord]) -> Iterable[_Pair]:
    """Pairs of a sampled record with those it is joined with and those near it; each pair once."""
    entity, held = index.entity.name, Index(connection, index.entity.name)
    seen: set[tuple[int, int]] = set()
    for begins in range(0, len(sampled), _AT_A_TIME):
        some = sampled[begins : begins + _AT_A_TIME]
        mates: dict[int, list[StoredRecord]] = defaultdict(list)
        for mate in held.of_goldens({one.golden for one in some}):
            mates[mate.golden].append(mate)
        by_key: dict[int, list[StoredRecord]] = defaultdict(list)
        for other in store.sharing(connection, entity, [one.keys for one in some]):
            for key in other.keys:
                by_key[key].append(other)
        for one in some:
            beside = {other.record: other for key in one.keys for other in by_key[key] if other.golden != one.golden}
            for other in sorted((*mates[one.golden], *beside.values()), key=lambda r: r.record):
                names = (min(one.record, other.record), max(one.record, other.record))
                if one.record != other.record and names not in seen:
                    seen.add(names)
                    pair = _pair(index, one, other)
                    if pair.is_joined or pair.bits - pair.cut >= FARTHEST_BITS:
                        yield pair


def _strata(pairs: Sequence[_Pair], size: int) -> dict[str, list[_Pair]]:
    """Pairs by how far they lie from the cut and, where two of each would not fill the sample, by their registers."""
    fine: dict[str, list[_Pair]] = defaultdict(list)
    coarse: dict[str, list[_Pair]] = defaultdict(list)
    for pair in pairs:
        fine[f"{pair.band} {pair.registers}"].append(pair)
        coarse[pair.band].append(pair)
    return fine if 2 * len(fine) <= size / 2 else coarse


def _pair(index: EntityIndex, one: StoredRecord, other: StoredRecord) -> _Pair:
    left, right = sorted((one, other), key=lambda r: (r.source, r.key))
    is_joined, bits = one.golden == other.golden, index.matcher.scorer.score(left.features, right.features)
    return _Pair(left, right, is_joined, _by_weight(index, left, right), bits, index.model.cuts.join(left.source, right.source))


def _by_weight(index: EntityIndex, left: StoredRecord, right: StoredRecord) -> bool:
    """Whether the weight of two records decides; not where an identifier joins them, or a rule keeps them apart or asks a person."""
    rules, one, other = index.matcher.rules, left.features, right.features
    if rules.forbid(one, other, left.source, right.source) or rules.doubt(one, other):
        return False
    return not (rules.same_identifier(one, other) and rules.agree(one, other)) and not rules.replaced(one, other)


def _chosen(strata: Mapping[str, Sequence[_Pair]], size: int, chance: random.Random, included: float) -> list[dict[str, Any]]:
    """Pairs of each stratum by chance: two at least, more where there are many and the model is in doubt."""
    items = []
    for is_joined in (True, False):
        own = {name: pairs for name, pairs in sorted(strata.items()) if pairs[0].is_joined is is_joined}
        wish = {name: sum(pair.doubt for pair in pairs) for name, pairs in own.items()}
        total = sum(wish.values())
        for name, pairs in own.items():
            count = min(len(pairs), max(2, round(size / 2 * wish[name] / total)))
            ordered = sorted(pairs, key=lambda p: (p.left.source, p.left.key, p.right.source, p.right.key))
            for pair in chance.sample(ordered, count):
                items.append(_item(pair, name, len(pairs) / included, 2 if chance.random() < SHARE_TWICE else 1))
    return items


def _item(pair: _Pair, stratum: str, stratum_pairs: float, reviewers: int) -> dict[str, Any]:
    return {
        "left_source": pair.left.source,
        "left_key": pair.left.key,
        "right_source": pair.right.source,
        "right_key": pair.right.key,
        "is_joined": pair.is_joined,
        "by_weight": pair.by_weight,
        "stratum": stratum,
        "stratum_pairs": stratum_pairs,
        "registers": pair.registers,
        "bits": pair.bits,
        "cut_bits": pair.cut,
        "reviewers": reviewers,
    }
