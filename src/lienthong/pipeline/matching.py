"""Records that arrive, change or leave → who is one, golden records, events: within the caller's transaction.

What is touched is linked anew, nothing else: the components that a new record reaches, and those a changed or departed one was in.
The result is the one matching everything at once would give (`masterdata/resolve.py`), because both link components the same way.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from lienthong.contracts import Contract
from lienthong.errors import NotFound
from lienthong.masterdata.entities import Entity, as_text
from lienthong.masterdata.golden_values import golden_row
from lienthong.masterdata.grouping import Judged, Matcher, components
from lienthong.masterdata.identity import assign, new_id
from lienthong.masterdata.linkage import Linked, Pair
from lienthong.masterdata.model import Model
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.survivorship import Override, Policy, policy_of
from lienthong.store import Connection
from lienthong.store.matching import Beginning, GoldenVersion, Index, Putting, StoredRecord, publish_goldens

Name = tuple[str, str]  # (source, key)
PLATFORM = "lienthong"
GOLDEN, RECORD, ACT = 0, 1, 2
_BLOCK = 200


@dataclass(frozen=True)
class Arrival:
    """One record as its register has it now: attribute → value as text."""

    source: str
    key: str
    content: Mapping[str, Any]
    dated: date | None = None

    @property
    def name(self) -> Name:
        return self.source, self.key


@dataclass(frozen=True)
class Cause:
    """Why who is one may change: `kind` is arrival, decision, undo or override."""

    kind: str
    by: str
    at: datetime
    on: date
    run_id: int
    reason: str = ""
    undoes: int | None = None
    act: int | None = None  # an act noted already
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Matched:
    """What an act did. `golden`: (source, key) → id of the golden record it is part of; `events`: kind → how many."""

    act: int | None
    golden: Mapping[Name, str]
    events: Mapping[str, int]
    version: GoldenVersion
    waiting: int = 0


class EntityIndex:
    """One entity ready to be matched: its model at work, its contracts, its rules of survivorship."""

    def __init__(self, entity: Entity, model: Model) -> None:
        self.entity = entity
        self.model = model
        self.matcher = Matcher(model)
        self.policy: Policy = policy_of(entity.master)
        self._numbers: tuple[deque[int], deque[int], deque[int]] = (deque(), deque(), deque())

    @property
    def master(self) -> Contract:
        return self.entity.master

    def features(self, content: Mapping[str, Any]) -> Features:
        return self.model.plan.features(content)

    def keys(self, features: Features) -> tuple[int, ...]:
        return self.model.blocking.keys(features, self.matcher.places)

    def number(self, store: Index, kind: int) -> int:
        """A number for a new identity (GOLDEN), record (RECORD) or act (ACT), from a block reserved before: gaps are harmless."""
        if not self._numbers[kind]:
            for kept, more in zip(self._numbers, store.reserve(_BLOCK), strict=True):
                kept.extend(more)
        return self._numbers[kind].popleft()


def arrive(
    connection: Connection, index: EntityIndex, arrivals: Sequence[Arrival], departures: Sequence[Name], cause: Cause
) -> Matched:  # fmt: skip
    """Match records that came, changed or left. The caller commits, after its ledger entry."""
    with connection.pipeline():
        work = _Work(Index(connection, index.entity.name), index, cause)
        work.take(arrivals, departures)
        return work.finish(connection)


def relink(
    connection: Connection, index: EntityIndex, records: Sequence[StoredRecord], cause: Cause, wanted: Mapping[int, int] | None = None
) -> Matched:  # fmt: skip
    """Link the components of these records anew, as judgements now stand. `wanted`: record → identity an undone act took from it."""
    with connection.pipeline():
        store = Index(connection, index.entity.name)
        store.lock()
        work = _Work(store, index, cause)
        work.touch(records, wanted or {})
        return work.finish(connection)


class _Work:
    """One act: what arrives, what it touches, what becomes of it."""

    def __init__(self, store: Index, index: EntityIndex, cause: Cause) -> None:
        self._store = store
        self._index = index
        self._matcher = index.matcher
        self._cause = cause
        self._fresh: dict[int, Arrival] = {}  # new or changed records
        self._old: dict[int, StoredRecord] = {}  # changed records as they were
        self._departed: dict[int, StoredRecord] = {}
        self._records: dict[int, StoredRecord] = {}  # all that is linked anew
        self._edges: list[Pair] = []
        self._clashes: dict[Pair, int] = {}  # one number, nothing else in common: the pair → the other's golden record
        self._wanted: Mapping[int, int] = {}
        self._unchanged: dict[Name, str] = {}
        self._is_torn: set[int] = set()  # components that may fall apart
        self._has_words = False  # whether a steward spoke of a fresh record

    def take(self, arrivals: Sequence[Arrival], departures: Sequence[Name]) -> None:
        leaving = set(departures)
        coming = {arrival.name: arrival for arrival in arrivals if arrival.name not in leaving}
        read = {name: (features := self._index.features(arrival.content), self._index.keys(features)) for name, arrival in coming.items()}
        seeking = sorted({key for _, keys in read.values() for key in keys})
        beginning = self._store.begin([*coming, *departures], seeking)
        held = {(record.source, record.key): (record, content) for record, content in beginning.own}
        self._departed = {held[name][0].record: held[name][0] for name in leaving if name in held}
        for name, arrival in coming.items():
            self._receive(arrival, *read[name], held.get(name))
        self._reach(set(seeking), beginning)

    def touch(self, records: Sequence[StoredRecord], wanted: Mapping[int, int]) -> None:
        """Records whose judgements changed: their components are linked anew, whole."""
        self._wanted = wanted
        self._is_torn = {record.component for record in records}
        members = self._store.members(self._is_torn)
        judged = self._store.judged([(m.source, m.key) for m in members])
        partners = {(row[0], row[1]) for row in judged} | {(row[2], row[3]) for row in judged}
        missing = partners - {(m.source, m.key) for m in members}
        if missing:
            self._is_torn |= {record.component for record in self._store.own(sorted(missing))}
            members = self._store.members(self._is_torn)
        self._records = {m.record: m for m in members}

    def _receive(self, arrival: Arrival, features: Features, keys: tuple[int, ...], held: tuple[StoredRecord, str] | None) -> None:
        content = {name: as_text(value) for name, value in arrival.content.items() if value is not None}
        if held is not None:
            old, old_content = held
            if old.features == features and _same_content(old_content, content):
                self._unchanged[arrival.name] = old.golden_id
                return
            number, golden, component, id = old.record, old.golden, old.component, old.golden_id
            if old.features != features:
                self._old[number] = old
        else:
            number, golden, id = self._index.number(self._store, RECORD), 0, ""
            component = number
        self._fresh[number] = replace(arrival, content=content)
        self._records[number] = StoredRecord(
            number, arrival.source, arrival.key, features, keys, component, golden, id, content, arrival.dated
        )

    def _reach(self, seeking: set[int], beginning: Beginning) -> None:
        """Find what the fresh records touch, and bring it in."""
        known = {record.record: record for record in beginning.candidates if record.record not in self._departed}
        known |= {number: self._records[number] for number in self._fresh}
        by_key: dict[int, list[int]] = defaultdict(list)
        for record in known.values():
            for key in record.keys:
                if key in seeking:
                    by_key[key].append(record.record)
        touched: set[int] = set()
        for number in sorted(self._fresh):
            mine = self._records[number]
            for other in sorted({found for key in mine.keys for found in by_key[key]} - {number}):
                if other in self._fresh and other < number:
                    continue  # seen from the other side
                if self._belong(mine, known[other]):
                    self._edges.append((number, other))
                    touched.add(known[other].component)
                elif self._clash(mine, known[other]):
                    self._clashes[number, other] = known[other].golden
        self._is_torn = {record.component for record in (*self._old.values(), *self._departed.values())}
        self._has_words = bool(beginning.judged)
        partners = {(row[0], row[1]) for row in beginning.judged} | {(row[2], row[3]) for row in beginning.judged}
        if partners:
            touched |= {record.component for record in self._store.own(sorted(partners))}
        touched |= {self._records[number].component for number in self._fresh if self._records[number].golden}
        wanted = touched | self._is_torn
        stored = self._store.members(wanted) if wanted else []
        self._records = {m.record: m for m in stored if m.record not in self._departed} | {n: self._records[n] for n in self._fresh}

    def _belong(self, left: StoredRecord, right: StoredRecord) -> bool:
        """Whether a pair that shares a key holds a component together."""
        rules = self._matcher.rules
        if rules.forbid(left.features, right.features, left.source, right.source):
            return False
        if rules.same_identifier(left.features, right.features) and rules.agree(left.features, right.features):
            return True
        return self._matcher.weight(left.features, right.features, left.source, right.source) >= self._matcher.reach

    def _clash(self, left: StoredRecord, right: StoredRecord) -> bool:
        """Whether two records carry one number that neither name nor birth bears out."""
        rules = self._matcher.rules
        return rules.same_identifier(left.features, right.features) and not rules.agree(left.features, right.features)

    def finish(self, connection: Connection) -> Matched:
        """Link, give identities, choose values, write."""
        if not self._records and not self._departed:
            return Matched(None, self._unchanged, {}, GoldenVersion(None, 0, 0, 0))
        judged = self._judged()
        groups = self._groups(judged)
        linked = [self._link(group, judged) for group in groups]
        clusters = [cluster for each in linked for cluster in each.clusters]
        before = {number: record.golden for number, record in self._records.items() if record.golden}
        vanished = {number: record.golden for number, record in self._departed.items()}
        assigned = assign(clusters, before, vanished, self._former(clusters, before), self._wanted)
        cause = self._cause
        act = cause.act
        if act is None:
            act = self._index.number(self._store, ACT)
            self._store.put_act(act, cause.kind, cause.at, cause.by, cause.reason, cause.undoes, cause.details)
        new: dict[int, str] = {}
        golden_of: dict[int, int] = {}
        for cluster, golden in zip(clusters, assigned.golden, strict=True):
            if golden is None:
                golden = self._index.number(self._store, GOLDEN)
                new[golden] = new_id(self._index.entity.name)
            golden_of |= dict.fromkeys(cluster, golden)
        component_of = {number: group[0] for group in groups for number in group}
        ids = {r.golden: r.golden_id for r in (*self._records.values(), *self._departed.values()) if r.golden} | new
        if assigned.revived:
            ids |= self._store.golden_ids(assigned.revived)
        self._write(act, new, assigned.revived, golden_of, component_of, before)
        ending: dict[int, int | None] = {**assigned.merged, **dict.fromkeys(assigned.ended)}
        if ending:
            self._store.end_goldens(ending, self._cause.at)
        waiting = self._queue(linked, component_of, golden_of)
        self._judge(act, groups, linked, golden_of, before)
        touched = {golden_of[n] for n in self._fresh}
        touched |= {golden_of[n] for n, golden in before.items() if golden_of[n] != golden}
        touched |= {golden for n, golden in before.items() if golden_of[n] != golden and golden in golden_of.values()}
        touched |= {golden for golden in vanished.values() if golden in golden_of.values()} | assigned.revived
        version = self._publish(connection, touched, ids, golden_of, ending)
        events = self._events(ids, new, before, vanished, golden_of, assigned.merged, assigned.ended, assigned.revived, version)
        if events:
            self._store.add_events(events, self._cause.at, act)
        counted: dict[str, int] = defaultdict(int)
        for event in events:
            counted[event["kind"]] += 1
        named = {
            (r.source, r.key): ids[golden_of[n]] for n, r in self._records.items() if n in self._fresh or self._wanted or self._is_torn
        }
        return Matched(act, {**self._unchanged, **named}, dict(counted), version, waiting)

    # Linking

    def _judged(self) -> Judged:
        names = {(record.source, record.key): number for number, record in self._records.items()}
        if not self._has_words and not any(record.is_judged for record in self._records.values()):
            return Judged()
        same: set[Pair] = set()
        apart: set[Pair] = set()
        for row in self._store.judged(list(names)):
            left, right = names.get((row[0], row[1])), names.get((row[2], row[3]))
            if left is not None and right is not None:
                (same if row[4] == "same" else apart).add((min(left, right), max(left, right)))
        return Judged(frozenset(same), frozenset(apart))

    def _groups(self, judged: Judged) -> list[list[int]]:
        """The components now, each sorted by record number."""
        numbers = sorted(self._records)
        place = {number: n for n, number in enumerate(numbers)}
        pairs = [(place[a], place[b]) for a, b in (*self._edges, *judged.same) if a in place and b in place]
        whole: dict[int, list[int]] = defaultdict(list)
        for number in numbers:
            record = self._records[number]
            if number not in self._fresh or (record.golden and number not in self._old):
                whole[record.component].append(number)
        for component, members in whole.items():
            if component in self._is_torn:
                pairs += [(place[a], place[b]) for a, b in self._inner_edges(members)]
            else:
                pairs += [(place[members[0]], place[other]) for other in members[1:]]
        parent = components(len(numbers), pairs)
        groups: dict[int, list[int]] = defaultdict(list)
        for n, number in enumerate(numbers):
            groups[int(parent[n])].append(number)
        return [sorted(group) for group in groups.values()]

    def _inner_edges(self, members: Sequence[int]) -> Iterable[Pair]:
        """What still holds a torn component together."""
        by_key: dict[int, list[int]] = defaultdict(list)
        for number in members:
            for key in self._records[number].keys:
                by_key[key].append(number)
        seen: set[Pair] = set()
        for sharing in by_key.values():
            for n, a in enumerate(sharing):
                for b in sharing[n + 1 :]:
                    pair = (min(a, b), max(a, b))
                    if pair not in seen:
                        seen.add(pair)
                        if self._belong(self._records[pair[0]], self._records[pair[1]]):
                            yield pair

    def _link(self, group: Sequence[int], judged: Judged) -> Linked:
        if len(group) == 1:
            return Linked(((group[0],),), (), (), ())
        ordered = sorted(group, key=lambda number: (self._records[number].source, self._records[number].key))
        place = {number: n for n, number in enumerate(ordered)}
        features = {n: self._records[number].features for n, number in enumerate(ordered)}
        sources = {n: self._records[number].source for n, number in enumerate(ordered)}
        local = Judged(_renumbered(judged.same, place), _renumbered(judged.apart, place))
        ruled, conflicts = self._rule_pairs(features)
        linked = self._matcher.link(features, sources, ruled, {}, local)

        def back(pair: Pair) -> Pair:
            return ordered[pair[0]], ordered[pair[1]]

        return Linked(
            tuple(tuple(sorted(ordered[n] for n in cluster)) for cluster in linked.clusters),
            tuple(replace(join, left=ordered[join.left], right=ordered[join.right]) for join in linked.joins),
            tuple(back(pair) for pair in (*conflicts, *linked.conflicts)),
            tuple((ordered[a], ordered[b], bits) for a, b, bits in linked.near),
        )

    def _rule_pairs(self, features: Mapping[int, Features]) -> tuple[list[Pair], list[Pair]]:
        """(pairs joined by an identifier, pairs whose identifier agrees while all else differs)."""
        rules = self._matcher.rules
        ruled: set[Pair] = set()
        conflicts: set[Pair] = set()
        for column in rules.identifier_places:
            holders: dict[str, list[int]] = defaultdict(list)
            for n, each in features.items():
                value = each[column]
                if value is not None:
                    holders[value].append(n)
            for sharing in holders.values():
                if len(sharing) <= rules.most_per_identifier:
                    for i, a in enumerate(sharing):
                        for b in sharing[i + 1 :]:
                            (ruled if rules.agree(features[a], features[b]) else conflicts).add((a, b))
        return sorted(ruled), sorted(conflicts - ruled)

    # Identity and writing

    def _former(self, clusters: Sequence[Sequence[int]], before: Mapping[int, int]) -> Mapping[int, Sequence[int]]:
        """Identities records had and lost: asked for only where a cluster of known records may need one."""
        goldens = [{before[n] for n in cluster if n in before} for cluster in clusters]
        shared = [g for n, g in enumerate(goldens) if g and any(g & other for m, other in enumerate(goldens) if m != n)]
        if not shared:
            return {}
        names = {(r.source, r.key): n for n, r in self._records.items() if r.golden}
        found: dict[int, list[int]] = defaultdict(list)
        for source, key, golden in self._store.former(list(names)):
            found[names[source, key]].append(golden)
        return found

    def _write(
        self, act: int, new: Mapping[int, str], revived: Iterable[int], golden_of: Mapping[int, int], component_of: Mapping[int, int],
        before: Mapping[int, int],
    ) -> None:  # fmt: skip
        at = self._cause.at
        if new:
            self._store.add_goldens(new, at)
        if revived := list(revived):
            self._store.revive_goldens(revived)
        if self._departed:
            self._store.remove(list(self._departed), at, act)
        if self._fresh:
            putting = [
                Putting(n, r.source, r.key, r.features, r.keys, r.content or {}, r.dated, golden_of[n], component_of[n])
                for n in self._fresh
                for r in (self._records[n],)
            ]
            self._store.put(putting, at, act)
        moves = [
            (n, golden_of[n], component_of[n])
            for n, record in self._records.items()
            if n not in self._fresh and (golden_of[n] != before[n] or component_of[n] != record.component)
        ]
        if moves:
            self._store.move(moves, at, act)

    def _queue(self, linked: Sequence[Linked], component_of: Mapping[int, int], golden_of: Mapping[int, int]) -> int:
        items = {}
        for each in linked:
            for a, b, bits in each.near:
                if golden_of[a] != golden_of[b]:
                    items[min(a, b), max(a, b)] = ("weight", bits)
            for a, b in each.conflicts:
                if golden_of[a] != golden_of[b]:
                    items[min(a, b), max(a, b)] = ("identifier", 0.0)
        for (a, b), golden in self._clashes.items():
            if golden_of[a] != golden_of.get(b, golden):
                items.setdefault((min(a, b), max(a, b)), ("identifier", 0.0))
        rows = [
            {"left_record": a, "right_record": b, "why": why, "bits": bits, "component": component_of.get(a, component_of.get(b, a))}
            for (a, b), (why, bits) in sorted(items.items())
        ]
        clear = {record.component for record in self._records.values()} | {r.component for r in self._departed.values()}
        if rows or self._departed or self._old or any(record.is_waiting for record in self._records.values()):
            self._store.requeue(clear | set(component_of.values()), rows, self._cause.at)
        return len(rows)

    def _judge(
        self, act: int, groups: Sequence[Sequence[int]], linked: Sequence[Linked], golden_of: Mapping[int, int], before: Mapping[int, int]
    ) -> None:
        """What joined the records of groups whose members moved: old joins end, those of today are noted with their weight."""
        moved = [
            (group, each)
            for group, each in zip(groups, linked, strict=True)
            if len(group) > 1 and any(before.get(n) != golden_of[n] or n in self._old for n in group)
        ]
        if not moved and not self._departed:
            return
        shaken = [group for group, _ in moved if any(n in self._old or before.get(n, golden_of[n]) != golden_of[n] for n in group)]
        names = [(self._records[n].source, self._records[n].key) for group in shaken for n in group]
        names += [(record.source, record.key) for record in self._departed.values()]
        if names:
            self._store.end_joins(names, self._cause.at, act)
        anew = {n for group in shaken for n in group} | {n for n in golden_of if n not in before}
        joins = [join for _, each in moved for join in each.joins if join.left in anew or join.right in anew]
        rows = [
            {
                "left_source": self._records[join.left].source,
                "left_key": self._records[join.left].key,
                "right_source": self._records[join.right].source,
                "right_key": self._records[join.right].key,
                "verdict": "same",
                "kind": "rule" if join.mean_bits is None else "model",
                "by_whom": PLATFORM,
                "reason": "",
                "bits": join.mean_bits,
                "model": self._index.model.version,
            }
            for join in joins
        ]
        if rows:
            self._store.add_judgements(rows, self._cause.at, act)

    def _publish(
        self,
        connection: Connection,
        touched: set[int],
        ids: Mapping[int, str],
        golden_of: Mapping[int, int],
        ending: Mapping[int, int | None],
    ) -> GoldenVersion:
        members: dict[int, list[StoredRecord]] = defaultdict(list)
        for number, golden in golden_of.items():
            if golden in touched:
                members[golden].append(self._records[number])
        overrides: dict[int, list[Override]] = defaultdict(list)
        if any(record.is_overridden for record in self._records.values()):
            for golden, attribute, value, by, reason, until in self._store.overrides(touched):
                if until is None or until >= self._cause.on:
                    overrides[golden].append(Override(attribute, value, by, reason, until))
        rows = [golden_row(ids[g], members[g], self._index.policy, self._index.master, overrides[g]) for g in sorted(touched) if members[g]]
        gone = [ids[golden] for golden in ending]
        return publish_goldens(connection, self._index.master, rows, gone, self._cause.run_id, self._cause.at, self._cause.on)

    def _events(
        self, ids: Mapping[int, str], new: Mapping[int, str], before: Mapping[int, int], vanished: Mapping[int, int],
        golden_of: Mapping[int, int], merged: Mapping[int, int], ended: Iterable[int], revived: Iterable[int], version: GoldenVersion,
    ) -> list[dict[str, Any]]:  # fmt: skip
        arrived: dict[int, list[str]] = defaultdict(list)
        left: dict[int, list[int]] = defaultdict(list)
        came_from: dict[int, set[int]] = defaultdict(set)
        for number, golden in golden_of.items():
            old = before.get(number)
            if old == golden:
                continue
            arrived[golden].append(_named(self._records[number]))
            if old is not None and old not in merged:
                left[old].append(number)
                came_from[old].add(golden)
        for number, golden in vanished.items():
            left[golden].append(number)
        events: list[dict[str, Any]] = []

        def tell(kind: str, golden: int, others: Iterable[int] = (), records: Iterable[str] = ()) -> None:
            events.append({"kind": kind, "id": ids[golden], "others": sorted(ids[o] for o in others), "records": sorted(records)})

        for golden in sorted(new):
            tell("created", golden, (), arrived[golden])
        for golden in sorted(revived):
            tell("revived", golden, (), arrived[golden])
        for survivor in sorted(set(merged.values())):
            tell("merged", survivor, (loser for loser, into in merged.items() if into == survivor), arrived[survivor])
        for golden in sorted(set(arrived) - set(new) - set(revived) - set(merged.values())):
            tell("joined", golden, (), arrived[golden])
        for golden in sorted(came_from):
            tell("split", golden, came_from[golden], ())
        for golden in sorted(set(left) - set(came_from) - set(ended)):
            tell("left", golden, (), ())
        for golden in sorted(ended):
            tell("ended", golden)
        told = {event["id"] for event in events}
        events += [{"kind": "changed", "id": id, "others": [], "records": []} for id in version.changed if id not in told]
        return events


def split_name(text: str) -> Name:
    """`source/key` as events and commands write a record's name; a key may hold `/` itself."""
    source, _, key = text.partition("/")
    return source, key


def _named(record: StoredRecord) -> str:
    return f"{record.source}/{record.key}"


def _renumbered(pairs: Iterable[Pair], place: Mapping[int, int]) -> frozenset[Pair]:
    found = ((place[a], place[b]) for a, b in pairs if a in place and b in place)
    return frozenset((min(pair), max(pair)) for pair in found)


def _same_content(stored: str, content: Mapping[str, Any]) -> bool:
    import json  # noqa: PLC0415 only here

    return bool(json.loads(stored) == dict(content))


def index_of(entities: Mapping[str, Entity], name: str, model: Model | None) -> EntityIndex:
    """The entity's index. Raises NotFound when no contract describes it or no model was trained."""
    if name not in entities:
        raise NotFound(f"No master contract describes the entity `{name}`.", hint=f"Known: {', '.join(entities) or 'none'}.")
    if model is None:
        raise NotFound(f"No model of `{name}` was trained.", hint=f"lienthong match train {name}")
    return EntityIndex(entities[name], model)
