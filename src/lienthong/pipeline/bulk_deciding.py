"""Many pairs of the queue decided by one word: a pattern is previewed, and the decision holds for exactly what was seen.

What needs two persons (a large golden record, two valid identifiers), also where it would come about only by several of the pairs together,
is never decided in bulk: it is counted as left out and waits for its own decision.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, Unprocessable
from lienthong.ledger import Event
from lienthong.pipeline.matching import Cause, EntityIndex, Matched, Name, relink
from lienthong.pipeline.stewarding import HERE, LARGE, Through, Waiting, note, require_reason, waiting_from, word
from lienthong.pipeline.workshop import Workshop
from lienthong.standards import show_number
from lienthong.store import Connection
from lienthong.store import stewarding as store
from lienthong.store.matching import Index, StoredRecord

VERDICTS = ("same", "apart")
WHYS = ("weight", "identifier")
MOST_PAIRS = 1_000  # of one act: more is a narrower pattern first, so that a preview stays something a person can look through
SAMPLES = 20


@dataclass(frozen=True)
class Pattern:
    """Which pairs: all that is given must hold. `bits` reach from the first number up to, not with, the second; registers in either order.

    `alike`: attributes both records have and agree on; `differing`: attributes both have and do not agree on.
    """

    why: str | None = None
    registers: tuple[str, str] | None = None
    least_bits: float = -math.inf
    below_bits: float = math.inf
    alike: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


class TooManyPairs(Unprocessable):
    """More pairs fit a pattern than one act decides; none of them was read."""

    def __init__(self, pairs: int) -> None:
        super().__init__(
            f"{pairs:,} pairs fit; {MOST_PAIRS:,} may be decided at once.",
            hint="Narrow the pattern.",
            vi=f"{show_number(pairs)} cặp khớp; mỗi lần nhiều nhất {show_number(MOST_PAIRS)}. Hãy thu hẹp kiểu cặp.",
            hint_vi="Hãy thu hẹp kiểu cặp.",
        )
        self.pairs = pairs


@dataclass(frozen=True)
class Preview:
    """`pairs` would be decided, `left_out` fit the pattern but need two persons; `digest` names exactly these pairs as they stand."""

    verdict: str
    pairs: int
    left_out: int
    records: int
    digest: str
    samples: tuple[Waiting, ...]


def preview(
    workshop: Workshop, index: EntityIndex, pattern: Pattern, verdict: str, by: str, through: Through = HERE
) -> Preview:  # fmt: skip
    """What a bulk decision would decide, with samples spread evenly over the weights.

    Raises Unprocessable for another verdict, a reason, register or attribute the entity does not have, or a pattern that fits too many pairs.
    """
    _check(index, pattern, verdict)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        found, left_out, _ = _chosen(connection, index, pattern, verdict, by, at)
        note(workshop, connection, index, Event.QUEUE_READ, by, at, {"items": len(found), "left_out": left_out}, through)
    return _preview(found, left_out, verdict)


def decide_all(
    workshop: Workshop, index: EntityIndex, pattern: Pattern, verdict: str, digest: str, by: str, reason: str, through: Through = HERE
) -> Matched:  # fmt: skip
    """Decide what the preview of this digest showed: one act, one ledger entry, undone as one.

    Raises Conflict when the pairs are no longer those that were seen, Unprocessable as `preview` does and without a reason or any pair.
    """
    _check(index, pattern, verdict)
    require_reason(reason)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        index_store = Index(connection, index.entity.name)
        index_store.lock()
        found, left_out, records = _chosen(connection, index, pattern, verdict, by, at)
        if _preview(found, left_out, verdict).digest != digest:
            raise Conflict(
                "The pairs are no longer those of the preview.",
                hint="Look at the preview again.",
                vi="Các cặp không còn như lúc xem trước; hãy xem lại.",
                hint_vi="Hãy xem trước lại.",
            )
        if not found:
            raise Unprocessable("No pair fits.", hint="Widen the pattern.", vi="Không có cặp nào khớp.", hint_vi="Hãy mở rộng kiểu cặp.")
        act = index_store.add_act("decision", at, by, reason, details={"verdict": verdict, "pairs": len(found)})
        for pair in found:
            store.end_words(connection, pair.left, pair.right, act, at)
            store.settle(connection, pair.left, pair.right)
        index_store.add_judgements([word(pair.left, pair.right, verdict, by, reason) for pair in found], at, act)
        done = relink(connection, index, records, Cause("decision", by, at, vietnam_date(at), reason, act=act))
        told = {"act": act, "verdict": verdict, "pairs": len(found), "left_out": left_out, "records": len(done.golden)}
        note(workshop, connection, index, Event.JUDGEMENT_MADE, by, at, told, through)
    return done


def _check(index: EntityIndex, pattern: Pattern, verdict: str) -> None:
    if verdict not in VERDICTS:
        raise Unprocessable(
            f"`{verdict}` is no verdict for many pairs.",
            hint=f"One of {', '.join(VERDICTS)}.",
            vi=f"Không quyết định hàng loạt `{verdict}`.",
            hint_vi=f"Chọn một trong: {', '.join(VERDICTS)}.",
        )
    sources = [register.source for register in index.entity.registers]
    for kind, kind_vi, given, there in (
        ("reason to wait", "lý do chờ", () if pattern.why is None else (pattern.why,), WHYS),
        ("register", "nguồn", pattern.registers or (), sources),
        ("attribute", "thuộc tính", (*pattern.alike, *pattern.differing), sorted(p.name for p in index.master.properties)),
    ):
        for name in given:
            if name not in there:
                raise Unprocessable(
                    f"`{name}` is no {kind}.",
                    hint=f"One of {', '.join(there)}.",
                    vi=f"`{name}` không phải là {kind_vi}.",
                    hint_vi=f"Chọn một trong: {', '.join(there)}.",
                )


def _chosen(
    connection: Connection, index: EntityIndex, pattern: Pattern, verdict: str, by: str, at: datetime
) -> tuple[list[Waiting], int, list[StoredRecord]]:
    """The pairs to decide in order of their numbers, how many need two persons, the records of those to decide."""
    rows, fitting = store.fitting(connection, index.entity.name, by, at, asdict(pattern), MOST_PAIRS)
    if fitting > MOST_PAIRS:
        raise TooManyPairs(fitting)
    pairs = [waiting_from(row) for row in rows]
    index_store = Index(connection, index.entity.name)
    records = {(r.source, r.key): r for r in index_store.own(sorted({name for pair in pairs for name in (pair.left, pair.right)}))}
    alone = pairs if verdict == "apart" else _without_large(index, index_store, pairs, records)
    alone = sorted(alone, key=lambda pair: pair.item)
    named = sorted({name for pair in alone for name in (pair.left, pair.right)})
    return alone, len(pairs) - len(alone), [records[name] for name in named]


def _without_large(index: EntityIndex, index_store: Index, pairs: Sequence[Waiting], records: Mapping[Name, StoredRecord]) -> list[Waiting]:
    """Pairs that together make no golden record a second person would have to agree to."""
    together = _Together()
    for pair in pairs:
        together.join(records[pair.left].golden, records[pair.right].golden)
    members: dict[int, list[StoredRecord]] = defaultdict(list)
    for member in index_store.of_goldens({r.golden for r in records.values()}):
        members[together.head(member.golden)].append(member)
    places = index.matcher.rules.identifier_places
    refused = {
        head
        for head, ones in members.items()
        if len(ones) > LARGE or any(len({m.features[n] for m in ones if m.features[n] is not None}) > 1 for n in places)
    }
    return [pair for pair in pairs if together.head(records[pair.left].golden) not in refused]


class _Together:
    """Golden records that a set of decisions would make one."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def head(self, one: int) -> int:
        while (above := self._above.get(one, one)) != one:
            one = above
        return one

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.head(one), self.head(other)))
        if low != high:
            self._above[high] = low


def _preview(pairs: Sequence[Waiting], left_out: int, verdict: str) -> Preview:
    seen = sorted((pair.item, pair.left, pair.right, pair.left_golden, pair.right_golden, pair.bits, _content(pair)) for pair in pairs)
    by_weight = sorted(pairs, key=lambda pair: (pair.bits, pair.item))
    step = max(1, math.ceil(len(by_weight) / SAMPLES))
    names = {name for pair in pairs for name in (pair.left, pair.right)}
    digest = sha256(repr((verdict, seen)).encode()).hexdigest()
    return Preview(verdict, len(pairs), left_out, len(names), digest, tuple(by_weight[::step]))


def _content(pair: Waiting) -> str:
    return repr((sorted(pair.left_content.items()), sorted(pair.right_content.items())))
