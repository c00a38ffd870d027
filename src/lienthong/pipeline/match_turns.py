"""Acts of matching that follow one another: what the next must know is asked while this one is still at work.

What was asked before this act wrote is put right by what it wrote (`Written`). That nothing else changed in between is seen in the next
one's turn (`Turn.follows`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from lienthong.pipeline.match_words import Name
from lienthong.store.matching import Beginning, StoredRecord


@dataclass(frozen=True)
class Written:
    """What an act makes of the records it touches, by record number: those that came or changed, those that moved, those that are no more."""

    fresh: Mapping[int, StoredRecord] = field(default_factory=dict)
    known: Mapping[int, StoredRecord] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()

    @cached_property
    def _by_key(self) -> Mapping[int, Sequence[StoredRecord]]:
        found: dict[int, list[StoredRecord]] = defaultdict(list)
        for record in self.fresh.values():
            for key in record.keys:
                found[key].append(record)
        return found

    @cached_property
    def _by_name(self) -> Mapping[Name, StoredRecord]:
        return {(record.source, record.key): record for record in self.fresh.values()}

    def put_right(self, asked: Beginning, names: Iterable[Name], keys: Iterable[int]) -> Beginning:
        """An answer as it would be after the act. `names`, `keys`: of the records it was asked for."""
        own = [
            (self._now(record), content)
            for record, content in asked.own
            if record.record not in self.gone and record.record not in self.fresh
        ]
        came = [self._by_name[name] for name in names if name in self._by_name]
        own += [(record, json.dumps(record.content)) for record in came]
        near = {record.record: self._now(record) for record in asked.candidates if record.record not in self.gone}
        near |= {record.record: record for key in keys for record in self._by_key.get(key, ())}
        return Beginning(tuple(own), tuple(near.values()), asked.said)

    def _now(self, record: StoredRecord) -> StoredRecord:
        """A record as the act left it."""
        number = record.record
        if number in self.fresh:
            return self.fresh[number]
        moved = self.known.get(number)
        if moved is None:
            return record
        return replace(record, component=moved.component, golden=moved.golden, golden_id=moved.golden_id)
