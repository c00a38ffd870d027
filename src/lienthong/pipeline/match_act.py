"""One act of matching: what arrives, what it touches, what becomes of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lienthong.masterdata.entities import as_text
from lienthong.masterdata.golden_values import golden_row
from lienthong.masterdata.grouping import Judged
from lienthong.masterdata.identity import Home, assign, new_id
from lienthong.masterdata.linkage import Linked, Pair
from lienthong.masterdata.survivorship import Override
from lienthong.pipeline.match_linking import Touched, belong, clash, clashes, groups_of, link_group
from lienthong.pipeline.match_telling import Settled, counted, tell
from lienthong.pipeline.match_turns import Written
from lienthong.pipeline.match_words import ACT, GOLDEN, RECORD, Arrival, Cause, Ending, EntityIndex, Matched, Name, Read, nothing
from lienthong.store import Connection
from lienthong.store.matching import (
    Asking,
    GoldenVersion,
    Index,
    Noted,
    Publication,
    Putting,
    Said,
    StoredRecord,
    beginning,
    publish_goldens,
)
from lienthong.store.pipelines import Answer, while_waiting

PLATFORM = "lienthong"
_ASKED_AT_ONCE = 34  # a third of a usual batch: the server looks for some while the next are read


@dataclass
class _Asked:
    """A part of what comes: what was read of each record, and the answer to what was asked for them."""

    read: Mapping[Name, Read]
    answer: Answer | None = None

    @property
    def keys(self) -> set[int]:
        return {key for _, keys in self.read.values() for key in keys}


def _marked(fresh: StoredRecord, known: StoredRecord | None) -> StoredRecord:
    """A record that came, with what stands on the one it changes: a steward's value, something that waits."""
    if known is None:
        return fresh
    return replace(fresh, is_overridden=known.is_overridden, is_waiting=known.is_waiting, is_judged=known.is_judged)


class Act:
    """Begun by `ask`, `receive` and `take`, or by `touch`; done by `finish`, within the caller's transaction and its pipeline mode.

    What arrives may be asked for and received before its turn, while another act is at work.
    """

    def __init__(self, connection: Connection, index: EntityIndex) -> None:
        self._connection = connection
        self._store = Index(connection, index.entity.name)
        self._index = index
        self._matcher = index.matcher
        self._asked: list[_Asked] = []
        self._coming: Mapping[Name, Arrival] = {}
        self._leaving: frozenset[Name] = frozenset()
        self._numbers: deque[int] = deque()  # for those that turn out to be new
        self._partners: set[Name] = set()  # those of whom stewards spoke together with records that come
        self._touched: set[int] = set()  # components that fresh records reach
        self._fresh: dict[int, Arrival] = {}  # new or changed records
        self._old: dict[int, StoredRecord] = {}  # changed records as they were
        self._departed: dict[int, StoredRecord] = {}
        self._records: dict[int, StoredRecord] = {}  # all that is linked anew
        self._edges: list[Pair] = []
        self._weights: dict[Pair, float] = {}  # worked out on the way, smaller number first
        self._clashes: dict[Pair, int] = {}  # one number, nothing else in common: the pair → the other's golden record
        self._homes: Mapping[int, Home] = {}
        self._unchanged: dict[Name, str] = {}
        self._is_torn: set[int] = set()  # components that may fall apart
        self._has_words = False  # whether a steward spoke of a fresh record
        self._said: Said | None = None  # what stewards said of the records, where it was asked for already

    # Beginning

    def ask(self, arrivals: Sequence[Arrival], departures: Sequence[Name]) -> None:
        """Ask for what must be known of records that come, change or leave; not waited for."""
        self._leaving = frozenset(departures)
        self._coming = {arrival.name: arrival for arrival in arrivals if arrival.name not in self._leaving}
        if self._coming:
            self._index.have_numbers(self._store, len(self._coming))
            self._numbers = self._index.numbers(self._store, RECORD, len(self._coming))
        answers = self._store.ask_for(self._asking(departures), self._places)
        for asked, answer in zip(self._asked, answers, strict=True):
            asked.answer = answer

    def _asking(self, departures: Sequence[Name]) -> Iterator[Asking]:
        """What is to be asked of the records that come, some at a time, and of those that leave."""
        places = self._places
        leaving = list(departures)
        every = list(self._coming)
        for start in range(0, max(len(every), 1), _ASKED_AT_ONCE):
            names = every[start : start + _ASKED_AT_ONCE]
            asked = _Asked({name: self._index.read(self._coming[name]) for name in names})
            self._asked.append(asked)
            seeking = [
                (keys, tuple(None if place is None else features[place] for place in places))
                for features, keys in asked.read.values()
                if keys
            ]
            yield [*names, *leaving], seeking
            leaving = []

    def receive(self, before: Written) -> None:
        """Compare what came with what is known. `before`: what the act writes that was at work when this was asked."""
        meeting: dict[int, StoredRecord] = {}  # known records that were found, and come themselves
        for asked in self._asked:
            assert asked.answer is not None  # `ask` was called
            begun = before.put_right(beginning(asked.answer), asked.read, asked.keys)
            asked.answer = None  # its rows need not be kept twice
            held = {(record.source, record.key): (record, content) for record, content in begun.own}
            self._departed |= {held[name][0].record: held[name][0] for name in self._leaving if name in held}
            came = (self._receive(self._coming[name], read, held.get(name)) for name, read in asked.read.items())
            fresh = [number for number in came if number is not None]
            known = {r.record: r for r in begun.candidates if r.record not in self._departed}
            meeting |= {number: record for number, record in known.items() if (record.source, record.key) in self._coming}
            self._touched |= self._compare(fresh, {number: record for number, record in known.items() if number not in meeting})
            self._partners |= begun.said.records
        self._index.give_back(RECORD, self._numbers)
        if len(self._fresh) > 1 or meeting:
            self._touched |= self._compare(self._fresh, meeting | {number: self._records[number] for number in self._fresh})

    def take(self, meanwhile: Callable[[], None] = nothing) -> None:
        """All that the fresh records reach. Only under the lock. `meanwhile` may be done while the server looks for it."""
        self._is_torn = {record.component for record in (*self._old.values(), *self._departed.values())}
        self._has_words = bool(self._partners)
        touched = set(self._touched)
        if self._partners:
            touched |= {record.component for record in self._store.own(sorted(self._partners))}
        touched |= {self._records[number].component for number in self._fresh if self._records[number].golden}
        wanted = touched | self._is_torn
        if wanted:
            while_waiting(self._connection, meanwhile)
        stored = self._store.members(wanted) if wanted else []
        known = {m.record: m for m in stored if m.record not in self._departed}
        self._records = known | {n: _marked(self._records[n], known.get(n)) for n in self._fresh}

    def touch(self, records: Sequence[StoredRecord], homes: Mapping[int, Home]) -> None:
        """Records whose judgements changed: their components are linked anew, whole."""
        self._homes = homes
        self._is_torn = {record.component for record in records}
        members = self._store.members(self._is_torn)
        self._said = self._store.judged([(m.source, m.key) for m in members])
        missing = self._said.records - {(m.source, m.key) for m in members}
        if missing:
            self._is_torn |= {record.component for record in self._store.own(sorted(missing))}
            members = self._store.members(self._is_torn)
            self._said = None
        self._records = {m.record: m for m in members}

    @property
    def _places(self) -> tuple[int | None, ...]:
        """Where among the features stand the one number that keeps apart, and the name and birth of one whose number may be mistyped."""
        rules = self._matcher.rules
        place = rules.identifier_places[0] if len(rules.identifier_places) == 1 else None
        return (place, *(rules.slip_places or (None, None)))

    def _receive(self, arrival: Arrival, read: Read, held: tuple[StoredRecord, str] | None) -> int | None:
        """The number of a record that came; None where it is held as it is."""
        features, keys = read
        content = {name: as_text(value) for name, value in arrival.content.items() if value is not None}
        if held is not None:
            old, old_content = held
            if old.features == features and json.loads(old_content) == content:
                self._unchanged[arrival.name] = old.golden_id
                return None
            number, golden, component, id = old.record, old.golden, old.component, old.golden_id
            if old.features != features:
                self._old[number] = old
        else:
            number, golden, id = self._numbers.popleft(), 0, ""
            component = number
        self._fresh[number] = arrival
        self._records[number] = StoredRecord(
            number, arrival.source, arrival.key, features, keys, component, golden, id, content, arrival.dated
        )
        return number

    def _compare(self, fresh: Collection[int], known: Mapping[int, StoredRecord]) -> set[int]:
        """Compare fresh records with those known that share a key; gives the components they reach (their own numbers for new ones)."""
        seeking = {key for number in fresh for key in self._records[number].keys}
        by_key: dict[int, list[int]] = defaultdict(list)
        for record in known.values():
            for key in record.keys:
                if key in seeking:
                    by_key[key].append(record.record)
        touched: set[int] = set()
        for number in sorted(fresh):
            mine = self._records[number]
            for other in sorted({found for key in mine.keys for found in by_key[key]} - {number}):
                if other in self._fresh and other < number:
                    continue  # seen from the other side
                if belong(self._matcher, mine, known[other], self._weights):
                    self._edges.append((number, other))
                    touched.add(known[other].component)
                elif clash(self._matcher, mine, known[other]):
                    self._clashes[number, other] = known[other].golden
        return touched

    # Finishing

    def finish(self, cause: Cause, ending: Ending, meanwhile: Callable[[Written], None] | None = None) -> Matched:
        """Link, give identities, choose values, write; then whatever ends the transaction, in the same trip to the server.

        `meanwhile` is done while the server writes, and told what.
        """
        self._cause = cause
        if not self._records and not self._departed:
            ending(None, self._unchanged)
            return Matched(None, self._unchanged, {}, GoldenVersion(None, 0, 0, 0))
        judged = self._judged()
        groups = groups_of(
            self._matcher, Touched(self._records, self._loose(), self._edges, frozenset(self._is_torn), judged), self._weights
        )
        linked = [link_group(self._matcher, group, self._records, judged, self._weights) for group in groups]
        settled = self._settle([cluster for each in linked for cluster in each.clusters])
        component_of = {number: group[0] for group in groups for number in group}
        act = self._cause.act if self._cause.act is not None else self._index.number(self._store, ACT)
        events = tell(settled, self._records)
        left = self._left(settled)
        moved = [
            (group, each)
            for group, each in zip(groups, linked, strict=True)
            if len(group) > 1
            and any(settled.before.get(n) != settled.golden_of[n] or n in self._old or settled.before.get(n) in left for n in group)
        ]
        shaken = {n for group, _ in moved if any(self._is_shaken(n, settled) for n in group) for n in group}
        shaken |= {n for n, golden in settled.before.items() if golden in left}
        self._write(act, settled, component_of, self._joins([each for _, each in moved], shaken, settled))
        self._end_joins(act, shaken)
        waiting = self._queue(linked, settled.golden_of, judged)
        publication = self._publish(act, settled, events)
        named = {
            (r.source, r.key): settled.ids[settled.golden_of[n]]
            for n, r in self._records.items()
            if n in self._fresh or self._homes or self._is_torn
        }
        who = {**self._unchanged, **named}
        if meanwhile is not None:
            written = self._written(settled, component_of)
            while_waiting(self._connection, partial(meanwhile, written))
        ending(act, who)
        version = publication.read()
        return Matched(act, who, counted(events, version.changed), version, waiting)

    def _written(self, settled: Settled, component_of: Mapping[int, int]) -> Written:
        now = {
            n: replace(record, component=component_of[n], golden=settled.golden_of[n], golden_id=settled.ids[settled.golden_of[n]])
            for n, record in self._records.items()
        }
        return Written({n: now[n] for n in self._fresh}, now, frozenset(self._departed))

    def _loose(self) -> frozenset[int]:
        return frozenset(n for n in self._fresh if not self._records[n].golden or n in self._old)

    def _judged(self) -> Judged:
        if not self._has_words and not any(record.is_judged for record in self._records.values()):
            return Judged()
        names = {(record.source, record.key): number for number, record in self._records.items()}
        said = self._store.judged(list(names)) if self._said is None else self._said
        return said.among(names)

    def _settle(self, clusters: Sequence[Sequence[int]]) -> Settled:
        """Give each cluster its identity."""
        before = {number: record.golden for number, record in self._records.items() if record.golden}
        vanished = {number: record.golden for number, record in self._departed.items()}
        assigned = assign(clusters, before, vanished, self._former(clusters, before), self._homes)
        new: dict[int, str] = {}
        golden_of: dict[int, int] = {}
        for cluster, golden in zip(clusters, assigned.golden, strict=True):
            if golden is None:
                golden = self._index.number(self._store, GOLDEN)
                new[golden] = new_id(self._index.entity.name)
            golden_of |= dict.fromkeys(cluster, golden)
        ids = {r.golden: r.golden_id for r in (*self._records.values(), *self._departed.values()) if r.golden} | new
        if assigned.revived:
            ids |= self._store.golden_ids(assigned.revived)
        return Settled(assigned, golden_of, before, vanished, new, ids)

    def _former(self, clusters: Sequence[Sequence[int]], before: Mapping[int, int]) -> Mapping[int, Sequence[int]]:
        """Identities records had and lost: asked for only where a cluster of known records may need one."""
        claims = Counter(golden for cluster in clusters for golden in {before[n] for n in cluster if n in before})
        if all(count == 1 for count in claims.values()):
            return {}
        names = {(r.source, r.key): n for n, r in self._records.items() if r.golden}
        found: dict[int, list[int]] = defaultdict(list)
        for source, key, golden in self._store.former(list(names)):
            found[names[source, key]].append(golden)
        return found

    def _write(
        self, act: int, settled: Settled, component_of: Mapping[int, int], joins: Sequence[Mapping[str, Any]]
    ) -> None:  # fmt: skip
        """Everything but what waits, the golden records and what is told: the common part in one statement, the rest where there is any."""
        cause, store, assigned = self._cause, self._store, settled.assigned
        putting = [
            Putting(n, r.source, r.key, r.features, r.keys, r.content or {}, r.dated, settled.golden_of[n], component_of[n])
            for n in self._fresh
            for r in (self._records[n],)
        ]
        noted = None if cause.act is not None else Noted(cause.kind, cause.by, cause.reason, cause.undoes, cause.details)
        store.write(act, cause.at, noted, settled.new, putting, joins)
        if assigned.revived:
            store.revive_goldens(assigned.revived)
        if self._departed:
            store.remove(list(self._departed), cause.at, act)
        moves = [
            (n, settled.golden_of[n], component_of[n])
            for n, record in self._records.items()
            if n not in self._fresh and (settled.golden_of[n] != settled.before[n] or component_of[n] != record.component)
        ]
        if moves:
            store.move(moves, cause.at, act)
        if settled.ending:
            store.end_goldens(settled.ending, cause.at)

    def _left(self, settled: Settled) -> set[int]:
        """Identities that a known record left, or in which one is not what it was: what joined any two of their records is said anew."""
        return {golden for n, golden in settled.before.items() if self._is_shaken(n, settled)} | {*settled.vanished.values()}

    def _is_shaken(self, number: int, settled: Settled) -> bool:
        """Whether what was said of a known record's group no longer holds."""
        return number in self._old or settled.before.get(number, settled.golden_of[number]) != settled.golden_of[number]

    def _end_joins(self, act: int, shaken: set[int]) -> None:
        """What rules and the model said of records that were linked anew, or are no more."""
        gone = [*(self._records[n] for n in sorted(shaken)), *self._departed.values()]
        if gone:
            self._store.end_joins([(record.source, record.key) for record in gone], self._cause.at, act)

    def _joins(self, moved: Sequence[Linked], shaken: set[int], settled: Settled) -> list[dict[str, Any]]:
        """What joined the records of groups whose members moved, with its weight."""
        records = self._records
        anew = shaken | {n for n in settled.golden_of if n not in settled.before}
        return [
            {
                "left_source": records[join.left].source,
                "left_key": records[join.left].key,
                "right_source": records[join.right].source,
                "right_key": records[join.right].key,
                "verdict": "same",
                "kind": "rule" if join.mean_bits is None else "model",
                "by_whom": PLATFORM,
                "reason": join.rule,
                "bits": join.mean_bits,
                "model": self._index.model.version,
            }
            for each in moved
            for join in each.joins
            if join.left in anew or join.right in anew
        ]

    def _queue(self, linked: Sequence[Linked], golden_of: Mapping[int, int], judged: Judged) -> int:
        """What waits for a person now, in place of what waited of these records; gives how many pairs."""
        items: dict[Pair, tuple[str, float]] = {}
        for each in linked:
            items |= {(min(a, b), max(a, b)): ("weight", bits) for a, b, bits in each.near if golden_of[a] != golden_of[b]}
            items |= {(min(a, b), max(a, b)): ("identifier", 0.0) for a, b in each.conflicts if golden_of[a] != golden_of[b]}
        is_waiting = any(record.is_waiting for record in self._records.values())
        if is_waiting or self._old or self._departed:
            within = clashes(self._matcher, self._records, golden_of)
            self._clashes |= {pair: golden_of[pair[1]] for pair in within}
        for a, b in judged.unsaid(self._clashes):
            if golden_of[a] != golden_of.get(b, self._clashes[a, b]):
                items.setdefault((min(a, b), max(a, b)), ("identifier", 0.0))
        rows = [{"left_record": a, "right_record": b, "why": why, "bits": bits} for (a, b), (why, bits) in sorted(items.items())]
        if rows or is_waiting or self._old or self._departed:
            self._store.requeue([*self._records, *self._departed], [*self._old, *self._departed], rows, self._cause.at)
        return len(rows)

    def _publish(self, act: int, settled: Settled, events: Sequence[Mapping[str, Any]]) -> Publication:
        touched = settled.touched(self._fresh)
        members: dict[int, list[StoredRecord]] = defaultdict(list)
        for number, golden in settled.golden_of.items():
            if golden in touched:
                members[golden].append(self._records[number])
        overrides: dict[int, list[Override]] = defaultdict(list)
        if any(record.is_overridden for record in self._records.values()):
            for golden, attribute, value, by, reason, until in self._store.overrides(touched):
                if until is None or until >= self._cause.on:
                    overrides[golden].append(Override(attribute, value, by, reason, until))
        policy, master = self._index.policy, self._index.master
        rows = [golden_row(settled.ids[g], members[g], policy, master, overrides[g]) for g in sorted(touched) if members[g]]
        gone = [settled.ids[golden] for golden in settled.ending]
        return publish_goldens(self._connection, master, rows, gone, act, events, self._cause.at, self._cause.on)
