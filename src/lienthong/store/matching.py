"""Keeps who is one: records with their keys, golden identities, judgements, events, the queue. Rules live in `masterdata`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property, lru_cache
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Json

from lienthong.contracts import Contract
from lienthong.masterdata.grouping import Judged
from lienthong.masterdata.linkage import Pair
from lienthong.store.database import Connection, queries
from lienthong.store.pipelines import Answer, Statement, ask, numbered, send_held, text_array
from lienthong.store.tables import SQL_TYPES, changes, columns_of, current, history


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it stands. `content` and `dated` are there only where asked for."""

    record: int
    source: str
    key: str
    features: tuple[str | None, ...]
    keys: tuple[int, ...]
    component: int
    golden: int
    golden_id: str = ""
    content: Mapping[str, Any] | None = None
    dated: date | None = None
    since: datetime | None = None
    is_overridden: bool = False  # a steward's value stands on its golden record
    is_waiting: bool = False  # its component has something in the queue
    is_judged: bool = False  # a steward spoke of it


@dataclass(frozen=True)
class Putting:
    """A record to be written."""

    record: int
    source: str
    key: str
    features: Sequence[str | None]
    keys: Sequence[int]
    content: Mapping[str, Any]
    dated: date | None
    golden: int
    component: int

    def as_row(self) -> dict[str, Any]:
        return {**self.__dict__, "dated": None if self.dated is None else self.dated.isoformat()}


@dataclass(frozen=True)
class Noted:
    """An act to be noted."""

    kind: str
    by: str
    reason: str
    undoes: int | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class GoldenVersion:
    """What publishing golden records did; `changed` are the ids of those whose values changed. `version` None: nothing did."""

    version: int | None
    inserted: int
    updated: int
    ended: int
    changed: tuple[str, ...] = ()


Name = tuple[str, str]  # (source, key)


@dataclass(frozen=True)
class Said:
    """Stewards' words in force. `pairs`: act, left record, right record, verdict; `partings`: act, and the part of each record it speaks of."""

    pairs: Sequence[tuple[int, Name, Name, str]] = ()
    partings: Sequence[tuple[int, Mapping[Name, int]]] = ()

    @property
    def records(self) -> set[Name]:
        """Every record spoken of."""
        return {name for _, left, right, _ in self.pairs for name in (left, right)}.union(*(parts for _, parts in self.partings))

    def among(self, numbers: Mapping[Name, int]) -> Judged:
        """What is said of these records, by their numbers. Of two records the last word on them alone counts before a parting made earlier."""
        said: dict[Pair, list[tuple[int, str]]] = defaultdict(list)
        for act, left, right, verdict in self.pairs:
            a, b = numbers.get(left), numbers.get(right)
            if a is not None and b is not None:
                said[(a, b) if a < b else (b, a)].append((act, verdict))
        same = {pair for pair, words in said.items() for _, verdict in words if verdict == "same"}
        apart = {pair for pair, words in said.items() for _, verdict in words if verdict == "apart"}
        for act, parts in self.partings:
            here = [(numbers[name], part) for name, part in parts.items() if name in numbers]
            for n, (a, part) in enumerate(here):
                for b, other in here[n + 1 :]:
                    if part != other:
                        pair = (a, b) if a < b else (b, a)
                        if pair not in said or all(later < act for later, _ in said[pair]):
                            apart.add(pair)
        return Judged(frozenset(same), frozenset(apart))


@dataclass(frozen=True)
class Beginning:
    """What a part of an arrival must know first. `own`: with the content as text."""

    own: tuple[tuple[StoredRecord, str], ...]
    candidates: tuple[StoredRecord, ...]
    said: Said


_ASKED = (
    "entity text", "keys text[]", "sources text[]", "source_keys text[]", "numbers text[]", "names text[]", "births text[]",
    "place integer", "name_place integer", "birth_place integer",
)  # fmt: skip
_WRITTEN = ("entity text", "at timestamptz", "act bigint", "acts json", "goldens json", "records json", "judgements json")
_PUBLISHED = (
    "rows json", "gone text[]", "on date", "dataset text", "contract_digest text", "at timestamptz", "contract_version text",
    "delivered_columns text[]", "entity text", "act bigint", "events json",
)  # fmt: skip
Seeking = tuple[Sequence[int], tuple[str | None, ...]]  # the blocking keys of a record that came; its number, whole name and birth
Asking = tuple[Sequence[Name], Sequence[Seeking]]  # records that come or leave, and what those that come look for


class Index:
    """The index of one entity on one connection, inside the caller's transaction."""

    def __init__(self, connection: Connection, entity: str) -> None:
        self._connection = connection
        self._entity = entity
        self._queries = queries("matching")

    def lock(self) -> None:
        """Nobody else changes this entity's index until the transaction ends. For what looks at some records."""
        self._execute("lock", entity=self._entity)

    def lock_for_all(self) -> None:
        """The same for what reads every record."""
        self._execute("lock_for_all", entity=self._entity)

    def lock_for_arrival(self, after: int | None = None) -> Turn:
        """The same for an arrival, asked for and not waited for. `after`: the act that what was asked before rests on."""
        lock = ask(self._connection, _raw("lock_for_arrival", ("entity text",)), [self._entity])
        return Turn(lock, None if after is None else ask(self._connection, _raw("stands", ("act bigint",)), [str(after)]))

    def plan_freely(self) -> None:
        """After arrivals: other statements of this transaction may read tables whole."""
        self._execute("plan_freely")

    def ask_for(self, parts: Iterable[Asking], places: Sequence[int | None]) -> list[Answer]:
        """What an arrival must know first, a `beginning` each part: its own records, candidates, stewards' words.

        `parts`: of the arrival, all sent one after the other, so that the server looks for one while the next is made. `places`: where
        among the features the one number stands of which two valid ones are never one, and the name and birth that let a person be asked
        about two; None where there is no such.
        """
        sent = []
        for names, seeking in parts:
            sent.append(self._ask(names, seeking, places))
            send_held(self._connection, sent[-1])
        return sent

    def _ask(self, names: Sequence[Name], seeking: Sequence[Seeking], places: Sequence[int | None]) -> Answer:
        return ask(
            self._connection,
            _begin(),
            [
                self._entity,
                text_array([as_array(keys) for keys, _ in seeking]),
                text_array([source for source, _ in names]),
                text_array([key for _, key in names]),
                *(text_array([own[n] for _, own in seeking]) for n in range(len(places))),
                *(None if place is None else str(place + 1) for place in places),
            ],
        )

    def own(self, names: Sequence[tuple[str, str]]) -> list[StoredRecord]:
        """The records of these (source, key)."""
        rows = self._run("own", **_split(names))
        return [StoredRecord(r[0], r[1], r[2], tuple(r[3]), tuple(r[4]), r[5], r[6], r[7]) for r in rows]

    def members(self, components: Iterable[int]) -> list[StoredRecord]:
        return self._whole("members", components)

    def of_goldens(self, goldens: Iterable[int]) -> list[StoredRecord]:
        return self._whole("of_goldens", goldens)

    def judged(self, names: Sequence[tuple[str, str]]) -> Said:
        """Stewards' words in force about these records."""
        return _heard(self._named("judged", names))

    def all_judged(self) -> Said:
        return _heard(self._run("all_judged", entity=self._entity))

    def former(self, names: Sequence[tuple[str, str]]) -> list[tuple[str, str, int]]:
        """(source, key, identity) that ended, the oldest first."""
        return [(source, key, golden) for source, key, golden in self._named("former", names)]

    def reserve(self, count: int) -> tuple[list[int], list[int], list[int]]:
        """(numbers for goldens, numbers for records, numbers for acts)."""
        row = self._run("reserve", count=count)[0]
        return list(row[0]), list(row[1]), list(row[2])

    def add_act(
        self, kind: str, at: datetime, by: str, reason: str = "", undoes: int | None = None, details: Mapping[str, Any] | None = None
    ) -> int:
        """Note an act; gives its number."""
        values = {"kind": kind, "at": at, "by": by, "reason": reason, "undoes": undoes, "details": Json(dict(details or {}))}
        return int(self._run("add_act", entity=self._entity, **values)[0][0])

    def write(
        self, act: int, at: datetime, noted: Noted | None, goldens: Mapping[int, str], records: Sequence[Putting],
        judgements: Sequence[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        """What most acts write, in one statement: the act (None: it was noted before), new identities, records, judgements."""
        acts = [] if noted is None else [{**noted.__dict__, "details": dict(noted.details)}]
        made = [{"golden": golden, "id": id} for golden, id in goldens.items()]
        rows = [acts, made, [record.as_row() for record in records], judgements]
        ask(self._connection, _raw("write", _WRITTEN), [self._entity, at.isoformat(), str(act), *map(_json, rows)])
        send_held(self._connection)

    def move(self, moves: Sequence[tuple[int, int, int]], at: datetime, act: int) -> None:
        """(record, identity, component) of records that stay as they are otherwise."""
        records, goldens, components = (list(column) for column in zip(*moves, strict=True))
        self._execute("move_records", records=records, goldens=goldens, components=components, at=at, act=act)

    def remove(self, records: Sequence[int], at: datetime, act: int) -> None:
        self._execute("remove_records", records=list(records), at=at, act=act)

    def end_goldens(self, ending: Mapping[int, int | None], at: datetime) -> None:
        """Identity → the one it redirects to, None: it only ended."""
        self._execute("end_goldens", goldens=list(ending), into=list(ending.values()), at=at)

    def revive_goldens(self, goldens: Iterable[int]) -> None:
        self._execute("revive_goldens", goldens=list(goldens))

    def golden_ids(self, goldens: Iterable[int]) -> dict[int, str]:
        return dict(self._run("golden_ids", goldens=list(goldens)))

    def add_judgements(self, judgements: Sequence[Mapping[str, Any]], at: datetime, act: int) -> None:
        """Each: left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model."""
        self._execute("add_judgements", entity=self._entity, judgements=_json(judgements), at=at, act=act)

    def end_joins(self, names: Sequence[tuple[str, str]], at: datetime, act: int) -> None:
        self._execute("end_joins", **_split(names), at=at, act=act)

    def add_events(self, events: Sequence[Mapping[str, Any]], at: datetime, act: int) -> None:
        """Each: kind, id, others, records."""
        self._execute("add_events", entity=self._entity, events=_json(events), at=at, act=act)

    def requeue(self, records: Iterable[int], changed: Iterable[int], items: Sequence[Mapping[str, Any]], at: datetime) -> None:
        """What waits of these records, in place of what waited. Each item: left_record, right_record, why, bits."""
        self._execute("requeue", entity=self._entity, records=list(records), changed=list(changed), items=_json(items), at=at)

    def overrides(self, goldens: Iterable[int]) -> list[tuple[int, str, Any, str, str, date | None]]:
        """(identity, attribute, value, by whom, reason, until)."""
        return [tuple(row) for row in self._run("overrides", goldens=list(goldens))]

    def all_overrides(self, today: date) -> list[tuple[int, str, Any]]:
        """(identity, attribute, value) of every steward's value in force today, the oldest first."""
        return [tuple(row) for row in self._run("all_overrides", today=today)]

    def _whole(self, name: str, numbers: Iterable[int]) -> list[StoredRecord]:
        rows = ask(self._connection, _raw(name, ("numbers bigint[]",)), [as_array(numbers)]).rows()
        return [StoredRecord(r[0], r[1], r[2], tuple(r[3]), tuple(r[4]), r[5], r[6], r[7], _decoded(r[8]), *r[9:]) for r in rows]

    def _named(self, name: str, names: Sequence[Name]) -> list[tuple[Any, ...]]:
        """Rows about these records; what was asked behind it is not waited for."""
        given = [text_array([source for source, _ in names]), text_array([key for _, key in names])]
        return ask(self._connection, _raw(name, ("sources text[]", "keys text[]")), given).rows()

    def _run(self, name: str, **values: Any) -> list[Any]:
        return self._connection.execute(self._queries[name], values).fetchall()

    def _execute(self, name: str, **values: Any) -> None:
        self._connection.execute(self._queries[name], values)


class Turn:
    """A lock that was asked for, and whether an act stands, where one was named."""

    def __init__(self, lock: Answer, standing: Answer | None) -> None:
        self._lock = lock
        self._standing = standing

    @cached_property
    def number(self) -> int:
        """Which turn this is, of all entities; waits for the lock."""
        return int(self._lock.rows()[0][-1])

    def follows(self, before: int) -> bool:
        """Whether nobody had the lock since that turn, and the act stands that was named."""
        return self.number == before + 1 and (self._standing is None or bool(self._standing.rows()[0][0]))


class _Heard:
    """Words as rows of the server give them, gathered."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, Name, Name, str]] = []
        self._partings: dict[int, tuple[int, dict[Name, int]]] = {}

    def pair(self, act: int, left: Name, right: Name, verdict: str) -> None:
        self._pairs.append((act, left, right, verdict))

    def part(self, parting: int, act: int, name: Name, part: int) -> None:
        self._partings.setdefault(parting, (act, {}))[1][name] = part

    def whole(self) -> Said:
        return Said(self._pairs, list(self._partings.values()))


def beginning(answer: Answer) -> Beginning:
    """An answer to `ask_for`, waited for."""
    own: list[tuple[StoredRecord, str]] = []
    near: list[StoredRecord] = []
    said = _Heard()
    for part, record, source, key, features, held_keys, component, golden, id, content in answer.rows():
        if part == "said":
            said.pair(record, (source, key), (features[0], features[1]), features[2])
        elif part == "parted":
            said.part(component, record, (source, key), golden)
        elif part == "own":
            own.append((StoredRecord(record, source, key, tuple(features), tuple(held_keys), component, golden, id), content))
        else:
            near.append(StoredRecord(record, source, key, tuple(features), tuple(held_keys), component, golden))
    return Beginning(tuple(own), tuple(near), said.whole())


def _heard(rows: Iterable[tuple[Any, ...]]) -> Said:
    heard = _Heard()
    for act, source, key, other_source, other_key, verdict, parting, part in rows:
        if parting is None:
            heard.pair(act, (source, key), (other_source, other_key), verdict)
        else:
            heard.part(parting, act, (source, key), part)
    return heard.whole()


def put_model(connection: Connection, entity: str, version: str, document: Mapping[str, Any], frequencies: bytes, at: datetime) -> None:
    """Put a model in force; what was before is kept."""
    connection.execute(queries("matching")["retire_models"], {"entity": entity})
    values = {"entity": entity, "version": version, "document": Json(dict(document)), "frequencies": frequencies, "at": at}
    connection.execute(queries("matching")["add_model"], values)


def model(connection: Connection, entity: str) -> tuple[str, Mapping[str, Any], bytes] | None:
    """(version, document, frequencies) of the model in force; None when none was trained."""
    row = connection.execute(queries("matching")["model"], {"entity": entity}).fetchone()
    return None if row is None else (row[0], row[1], bytes(row[2]))


def standing(connection: Connection, entity: str) -> dict[str, int]:
    """How an entity's index stands: `records`, `goldens`, `waiting`."""
    row = connection.execute(queries("matching")["counts"], {"entity": entity}).fetchone()
    assert row is not None  # an aggregate
    return {"records": row[0], "goldens": row[1], "waiting": row[2]}


def model_stamp(connection: Connection, entity: str) -> tuple[str, datetime] | None:
    """Version of the model in force and when it was put in force; None when none was trained."""
    row = connection.execute(queries("matching")["model_stamp"], {"entity": entity}).fetchone()
    return None if row is None else (row[0], row[1])


def model_version(connection: Connection, entity: str) -> str | None:
    row = connection.execute(queries("matching")["model_version"], {"entity": entity}).fetchone()
    return None if row is None else row[0]


class Publication:
    """A version of golden records on its way. It was sent; `read` waits for the server's word on it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def read(self) -> GoldenVersion:
        """What it did. In pipeline mode whatever was sent after it has gone the same way."""
        (counted,) = self._answer.rows()  # the contract is applied
        version, inserted, updated, ended, changed = counted
        if not inserted + updated + ended:
            return GoldenVersion(None, 0, 0, 0)
        return GoldenVersion(version, inserted, updated, ended, tuple(changed))


def publish_goldens(
    connection: Connection, master: Contract, rows: Sequence[Mapping[str, Any]], gone: Sequence[str], act: int,
    events: Sequence[Mapping[str, Any]], at: datetime, on: date,
) -> Publication:  # fmt: skip
    """One version of golden records. `rows`: `_key` and every property; `gone`: ids that end. Unchanged rows cost nothing.

    `events` of the act, each of kind, id, others, records, are told with it, and `changed` for a record whose values alone did. All of
    one day are published under one run. The caller holds the entity's lock: whoever changes golden records takes it first.
    """
    names = [p.name for p in master.properties]
    values = [
        _json(rows), text_array(gone), on.isoformat(), master.id, master.digest, at.isoformat(), master.version, text_array(names),
        master.entity, str(act), _json(events),
    ]  # fmt: skip
    return Publication(ask(connection, _publish_statement(master), values))


@lru_cache(maxsize=64)
def _statement(contract_id: str, columns: tuple[tuple[str, str], ...]) -> Statement:
    names = [sql.Identifier(name) for name, _ in columns]
    statement = queries("matching")["publish_goldens"].format(
        current=current(contract_id),
        history=history(contract_id),
        changes=changes(contract_id),
        columns=sql.SQL(", ").join(names),
        typed=sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(SQL_TYPES[t])) for n, t in columns),
        typed_columns=sql.SQL(", ").join([sql.Identifier("_key"), *names]),
        same=sql.SQL(" and ").join(sql.SQL("incoming.{0} is not distinct from held.{0}").format(n) for n in names),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = incoming.{0}").format(n) for n in names),
    )
    return numbered(statement.as_string(None), _PUBLISHED)


@cache
def _raw(name: str, parameters: tuple[str, ...]) -> Statement:
    return numbered(queries("matching")[name].as_string(None), parameters)


@cache
def _begin() -> Statement:
    known = queries("matching")
    statement = known["begin"].format(candidates=known["candidates"])
    return numbered(statement.as_string(None), _ASKED)


def as_array(numbers: Iterable[int]) -> str:
    """Numbers as the server reads an array of them."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _json(rows: Sequence[Any]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _publish_statement(contract: Contract) -> Statement:
    return _statement(contract.id, tuple((p.name, p.logical_type) for p in contract.properties))


def _split(names: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in names], "keys": [key for _, key in names]}


__all__ = ["GoldenVersion", "Index", "Putting", "StoredRecord", "columns_of", "model", "model_version", "publish_goldens", "put_model"]
