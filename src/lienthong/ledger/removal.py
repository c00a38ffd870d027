"""What the ledger itself says of bodies that went: which positions, and that an archive of them went too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from lienthong.ledger.event import Event

BODIES_GONE = b'"event":"ledger:bodies:'  # in every entry that tells of them; cheaper to look for than to read every body


class Gone(NamedTuple):
    """Positions `begins` up to, not with, `ends`. `is_dropped`: the archive that held the bodies is gone too."""

    begins: int
    ends: int
    is_dropped: bool = False


def told_gone(body: bytes) -> list[Gone]:
    """The ranges an entry tells of; none when it is about something else."""
    if BODIES_GONE not in body:
        return []
    entry = json.loads(body)
    event = entry.get("event")
    if event not in (Event.BODIES_REMOVED, Event.BODIES_DROPPED):
        return []
    return [Gone(begins, ends, event == Event.BODIES_DROPPED) for begins, ends in entry["details"]["ranges"]]


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring ranges (in order) as one."""
    found: list[tuple[int, int]] = []
    for begins, ends in ranges:
        if found and found[-1][1] == begins:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return found
