"""Clusters → golden identities: an identity is for ever, whatever its records do.

Merged, the older identity stays and the younger redirects to it. Split, the part with most of the records keeps it, and the other
part gets back the identity it once had, or a new one.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u to be misread
_LENGTH = 15  # 75 bits: two alike among ten million have a chance of one in 10^9


def new_id(entity: str) -> str:
    """A new opaque identity, such as `person-7k3m9…`; it says nothing of who it stands for."""
    return f"{entity}-" + "".join(_LETTERS[byte & 31] for byte in secrets.token_bytes(_LENGTH))


@dataclass(frozen=True)
class Home:
    """The identity a record has once an act is undone, and whether it is the one it began with."""

    golden: int
    is_first: bool = False


@dataclass(frozen=True)
class Assigned:
    """`golden[n]`: the identity of cluster n, None: a new one. `merged`: identity → the one it redirects to from now on.

    `ended`: identities left without records. `revived`: identities that had ended and stand again.
    """

    golden: tuple[int | None, ...]
    merged: Mapping[int, int]
    ended: frozenset[int]
    revived: frozenset[int]


def assign(
    clusters: Sequence[Sequence[int]], before: Mapping[int, int], vanished: Mapping[int, int], former: Mapping[int, Sequence[int]],
    homes: Mapping[int, Home] | None = None,
) -> Assigned:  # fmt: skip
    """Give each cluster its identity.

    `clusters`: records, smallest first; `before`: record → identity it had; `vanished`: records that are no more → their identity;
    `former`: record → identities it had earlier and that have ended, each once; `homes`: where each record goes once an act is undone;
    who began with an identity comes before who came to it. Smaller identities are older.
    """
    homes = homes or {}
    claimed = {**before, **{record: home.golden for record, home in homes.items()}}
    claims: dict[int, tuple[int, int, int, int]] = {}  # identity → (−records that began with it, −records, smallest record, cluster)
    for number, cluster in enumerate(clusters):
        began = Counter(homes[record].golden for record in cluster if record in homes and homes[record].is_first)
        for golden, count in Counter(claimed[record] for record in cluster if record in claimed).items():
            claim = (-began[golden], -count, cluster[0], number)
            if golden not in claims or claim < claims[golden]:
                claims[golden] = claim
    won: dict[int, list[int]] = {}
    for golden, (*_, number) in claims.items():
        won.setdefault(number, []).append(golden)
    alive = {*before.values(), *vanished.values()}
    chosen: list[int | None] = [None] * len(clusters)
    merged: dict[int, int] = {}
    for number, goldens in won.items():
        chosen[number] = oldest = min(goldens)
        merged |= {golden: oldest for golden in goldens if golden != oldest and golden in alive}
    taken = {golden for golden in chosen if golden is not None}
    for number, cluster in enumerate(clusters):
        if chosen[number] is None:
            mine = [before[record] for record in cluster if record in before] if homes else []
            rest = Counter(golden for golden in mine if golden not in taken) or Counter(
                golden for record in cluster for golden in former.get(record, ()) if golden not in taken
            )
            if rest:
                chosen[number] = best = max(rest, key=lambda golden: (rest[golden], -golden))
                taken.add(best)
                merged.pop(best, None)
    return Assigned(tuple(chosen), merged, frozenset(alive - taken - merged.keys()), frozenset(taken - alive))
