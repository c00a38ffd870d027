"""What became of identities in one act, as the events consumers follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lienthong.masterdata.identity import Assigned
from lienthong.store.matching import StoredRecord


@dataclass(frozen=True)
class Settled:
    """Who the records are now. By record number: `golden_of`, `before` (who they were), `vanished` (who those were that are no more).

    `new`: identity → its public id; `ids`: the public ids of all identities spoken of.
    """

    assigned: Assigned
    golden_of: Mapping[int, int]
    before: Mapping[int, int]
    vanished: Mapping[int, int]
    new: Mapping[int, str]
    ids: Mapping[int, str]

    @property
    def ending(self) -> dict[int, int | None]:
        """Identity that ends → the one it redirects to."""
        return {**self.assigned.merged, **dict.fromkeys(self.assigned.ended)}

    def touched(self, fresh: Iterable[int]) -> set[int]:
        """Identities whose golden record may change: of fresh records, of records that moved, of what they left."""
        standing = set(self.golden_of.values())
        found = {self.golden_of[n] for n in fresh} | {g for g in self.vanished.values() if g in standing} | self.assigned.revived
        for number, old in self.before.items():
            now = self.golden_of[number]
            if now != old:
                found.add(now)
                if old in standing:
                    found.add(old)
        return found


def tell(settled: Settled, records: Mapping[int, StoredRecord]) -> list[dict[str, Any]]:
    """Events of one act, each of kind, id, others, records; those of changed values alone are told as they are published."""
    assigned, ids = settled.assigned, settled.ids
    arrived: dict[int, list[str]] = defaultdict(list)
    left: set[int] = set(settled.vanished.values())
    went_to: dict[int, set[int]] = defaultdict(set)
    for number, golden in settled.golden_of.items():
        old = settled.before.get(number)
        if old == golden:
            continue
        arrived[golden].append(f"{records[number].source}/{records[number].key}")
        if old is not None and old not in assigned.merged:
            went_to[old].add(golden)
    events: list[dict[str, Any]] = []

    def say(kind: str, golden: int, others: Iterable[int] = ()) -> None:
        came = arrived[golden] if kind in ("created", "revived", "merged", "joined") else []
        events.append({"kind": kind, "id": ids[golden], "others": sorted(ids[o] for o in others), "records": sorted(came)})

    survivors = set(assigned.merged.values())
    for golden in sorted(settled.new):
        say("created", golden)
    for golden in sorted(assigned.revived):
        say("revived", golden)
    for golden in sorted(survivors):
        say("merged", golden, (loser for loser, into in assigned.merged.items() if into == golden))
    for golden in sorted(set(arrived) - set(settled.new) - set(assigned.revived) - survivors):
        say("joined", golden)
    for golden in sorted(went_to):
        say("split", golden, went_to[golden])
    for golden in sorted(left - set(went_to) - assigned.ended):
        say("left", golden)
    for golden in sorted(assigned.ended):
        say("ended", golden)
    return events


def counted(events: Iterable[Mapping[str, Any]], changed: Iterable[str]) -> Counter[str]:
    """Kind → how many events, with those of golden records whose values changed and of which nothing else is told."""
    told = list(events)
    known = {event["id"] for event in told}
    found = Counter(event["kind"] for event in told)
    found.update("changed" for id in changed if id not in known)
    return found
