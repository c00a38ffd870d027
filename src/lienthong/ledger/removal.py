"""What the ledger itself says of bodies that went: which positions, and that an archive of them went too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from lienthong.ledger.event import Event

BODIES_GONE = b'"event":"ledger:bodies:'  # in every entry that tells of them; cheaper to look for than to read every body


class Absent(NamedTuple):
    """Positions `begins` up to, not with, `ends`. `is_dropped`: the archive that held the bodies is gone too."""

    begins: int
    ends: int
    is_dropped: bool = False


class ToldArchive(NamedTuple):
    """What the ledger itself says of a file of bodies; a time is None where it was not told in the ledger's earlier days."""

    number: int
    digest: str
    begins: int
    ends: int
    at: datetime | None


@dataclass
class Told:
    """What entries tell of bodies that are elsewhere: ranges, the files, when files went, and what the index of the ranges adds up to."""

    gone: list[Absent] = field(default_factory=list)
    archives: list[ToldArchive] = field(default_factory=list)
    dropped_at: dict[int, datetime | None] = field(default_factory=dict)
    index: list[tuple[int, int, int]] = field(default_factory=list)
    unindexed: list[tuple[int, int]] = field(default_factory=list)  # ranges of which no entry tells what their index adds up to

    def read(self, body: bytes) -> None:
        """Take in what an entry tells; nothing when it is about something else."""
        if BODIES_GONE not in body:
            return
        entry = json.loads(body)
        event, details = entry.get("event"), entry.get("details", {})
        at = datetime.fromisoformat(details["at"]) if "at" in details else None
        if event == Event.BODIES_ARCHIVED:
            self.archives += [ToldArchive(details["archive"], details["digest"], begins, ends, at) for begins, ends in details["ranges"]]
        elif event == Event.BODIES_DROPPED:
            self.gone += [Absent(begins, ends, True) for begins, ends in details["ranges"]]
            self.dropped_at[details.get("archive", 0)] = at
        elif event == Event.BODIES_REMOVED:
            self.gone += [Absent(begins, ends) for begins, ends in details["ranges"]]
            if "index" in details:
                rows, marks, both = details["index"]
                self.index.append((int(rows), int(marks), int(both)))
            else:
                self.unindexed += [(begins, ends) for begins, ends in details["ranges"]]


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring ranges (in order) as one."""
    found: list[tuple[int, int]] = []
    for begins, ends in ranges:
        if found and found[-1][1] == begins:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return found
