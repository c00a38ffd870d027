"""One person, one record, told from arrival to undoing: four registers in a province's proportions, and everyone acts over HTTP.

Population, insurance, poor households and owners of enterprises are filled and matched. Then the insurer sends late records, each with one sign
of its number wrong; a steward says that one of them and the person it speaks of are one, and a second steward says so too; a consumer that follows
golden records finds the merge in its feed; an auditor takes the decision back, and records, golden records, what waits and stewards' words are
what they were before, which the consumer finds too. Whatever is not so stops the story. The same is told small by a test
(`tests/acceptance/test_one_person_one_record.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
import polars as pl
from psycopg import sql

from bench import matching, serving
from bench.report import Row, at_most
from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.pipeline import Workshop, apply_contract, match_all, match_models
from lienthong.settings import Settings
from lienthong.store import Database, VersionWriter, runs
from lienthong.store.embedded import EmbeddedServer
from lienthong.store.runs import Counts
from lienthong.store.tables import current
from lienthong.web.services import make_workshop

POPULATION, INSURANCE = "population.persons", "social-insurance.participants"
REGISTERS = {  # the share of the population each knows, and how often what it writes is damaged
    POPULATION: (1.0, 0.0),
    INSURANCE: (0.85, 0.08),
    "poor-households.members": (0.06, 0.3),
    "enterprises.register": (0.045, 0.3),
}
INSURER, KEEPER, CONSUMER = "VN/GOV/G12.70.01/he-thong", "VN/GOV/H10.11/quan-tri", "VN/GOV/H10.12/tro-cap"
FIRST_STEWARD, SECOND_STEWARD, AUDITOR = "can-bo-a", "can-bo-b", "kiem-toan"
AGREEMENT = {
    "id": "TT-BAN-GHI-GOC", "provider": "H10.11", "consumer": CONSUMER, "dataset": "master.person", "state": "active",
    "operations": ["look_up", "list", "changes"], "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}},
    "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
}  # fmt: skip
LATE = 20  # persons whose records come late, each decided and undone
ROWS_AT_ONCE = 10_000
QUEUE_SHOWN = 100
PATIENCE_SECONDS = 120.0

# All that must come back, whatever order rows are read in: how many, and the sum of what each says.
RECORDS = """
select count(*), sum(hashtextextended(concat_ws('|', r.source, r.key, g.id, r.dated, r.content::text, r.features, r.keys), 0))
from match_records as r join match_goldens as g using (golden) where r.entity = 'person'"""
IDENTITIES = """
select count(*), sum(hashtextextended(concat_ws('|', g.id, g.ended_at, h.id), 0))
from match_goldens as g left join match_goldens as h on h.golden = g.merged_into where g.entity = 'person'"""
WAITING = """
select count(*), sum(hashtextextended(concat_ws('|', q.why, q.bits, l.source, l.key, r.source, r.key), 0))
from match_queue as q join match_records as l on l.record = q.left_record join match_records as r on r.record = q.right_record
where q.entity = 'person'"""
WORDS = """
select count(*), sum(hashtextextended(concat_ws('|', left_source, left_key, right_source, right_key, verdict), 0))
from match_judgements where entity = 'person' and kind = 'steward' and to_at is null"""
GOLDENS = "select count(*), sum(hashtextextended(concat_ws('|', {}), 0)) from {}"
WAITS = """
select count(*) from match_queue as q join match_records as l on l.record = q.left_record join match_records as r on r.record = q.right_record
where q.entity = 'person' and %s in (l.source || '/' || l.key, r.source || '/' || r.key) and %s in (l.source || '/' || l.key, r.source || '/' || r.key)"""

Name = tuple[str, str]


@dataclass(frozen=True)
class Late:
    """A record that comes late: as the insurer sends it, and the record of the same person the population register has."""

    row: Mapping[str, Any]
    known: Name

    @property
    def name(self) -> Name:
        return INSURANCE, self.row["insurance_no"]


@dataclass(frozen=True)
class Province:
    """Four registers matched, and who may come over HTTP. `took`: seconds of each step."""

    place: Workshop
    home: Path
    keys: Mapping[str, Any]
    late: Sequence[Late]
    records: int
    goldens: int
    took: Mapping[str, float]


@dataclass
class Told:
    """What each step of the story took, in milliseconds, once for each late record."""

    arrived: list[float] = field(default_factory=list)
    decided: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    undone: list[float] = field(default_factory=list)


def measure(server: EmbeddedServer, folder: Path, population: int) -> list[Row]:
    """The story at its size, a row for each step."""
    url = server.create_database("story")
    province = prepare(url, folder / "story", population, LATE)
    with serving._serving(url, province.home, "lienthong.web.serve:application", matching.ROOT / "datasets") as base:
        told = tell(province, base)
    known = f"{province.records:,} records of four registers known"
    times = f"{LATE} times, over HTTP, {known}"

    def p95(values: Sequence[float]) -> tuple[float, str]:
        return float(np.percentile(values, 95)), f"median {np.median(values):.0f} ms, {times}"

    (arrived, arrived_told), (decided, decided_told), (seen, seen_told), (undone, undone_told) = (
        p95(values) for values in (told.arrived, told.decided, told.seen, told.undone)
    )
    filled = (
        f"{province.goldens:,} golden records; filled in {province.took['filled']:.0f} s, model learnt in {province.took['learnt']:.0f} s"
    )
    return [
        at_most(f"story: {province.records:,} records of four registers matched", province.took["matched"] / 60, 10, "minutes", filled, 3),
        at_most("story: a late record sent, judged, matched, answered: p95", arrived, 500, "ms", arrived_told, 3),
        at_most("story: the second steward's word, two golden records are one: p95", decided, 50, "ms", decided_told, 3),
        at_most("story: from that answer until the consumer has the merge from its feed: p95", seen, 500, "ms", seen_told, 3),
        at_most("story: the auditor's undoing: p95", undone, 50, "ms", undone_told, 3),
        at_most("story: undone decisions after which anything is not what it was", 0, 0, "of " + str(LATE), f"each record and golden record, {known}", 3),
    ]  # fmt: skip


def prepare(url: str, home: Path, population: int, late: int) -> Province:
    """The registers filled as first versions of their datasets, a model learnt from them, everything matched; keys and an agreement as files."""
    keys = _agree(home)
    Database(url).apply_schema()
    settings = Settings(
        database_url=url, home=home, datasets=matching.ROOT / "datasets", agreements=home / "agreements", accept_synthetic_ids=True
    )
    place = make_workshop(settings, Database(url))
    for contract in place.contracts.values():
        apply_contract(place, contract)
    persons = matching.people(population)
    took = {}
    began = time.perf_counter()
    for seed, (dataset, (share, damage)) in enumerate(REGISTERS.items()):
        known = persons if share == 1 else persons.head(population - late)  # those who come late are in the population register alone
        _publish(place, place.contracts[dataset], matching.observed(known, share, seed, damage))
    took["filled"] = time.perf_counter() - began
    entity = matching.person(place)
    began = time.perf_counter()
    match_models.adopt(place, entity, match_models.train_entity(place, entity))
    took["learnt"] = time.perf_counter() - began
    began = time.perf_counter()
    done = match_all.match_all(place, entity, matching.in_force(place))
    took["matched"] = time.perf_counter() - began
    counts = done.counts
    return Province(place, home, keys, _late(persons, late), counts["records"], counts["goldens"], took)


def tell(province: Province, base: str) -> Told:
    """The story at a served province. Raises AssertionError where it goes otherwise."""
    told = Told()
    with (
        _Caller(base, INSURER, province) as insurer,
        _Caller(base, KEEPER, province) as keeper,
        _Caller(base, CONSUMER, province) as consumer,
    ):
        consumer.begin(province.place)
        for each in province.late:
            told.arrived.append(_arrive(province, insurer, each))
        shown = keeper.get("/v1/stewardship/person/queue", FIRST_STEWARD, limit=QUEUE_SHOWN)["items"]
        pairs = {frozenset(_name(item[side]) for side in ("left", "right")) for item in shown}
        for each in province.late:
            assert len(shown) == QUEUE_SHOWN or {each.name, each.known} in pairs, "a late record waits and is not shown"
        came = [event["kind"] for event in consumer.follow()]
        assert came.count("entity:created") == len(province.late), came
        before = _state(province.place)
        for each in province.late:
            _decide_and_undo(keeper, consumer, each, told)
            if each is province.late[0]:
                _same_state(province.place, before)
        _same_state(province.place, before)
    return told


def _arrive(province: Province, insurer: _Caller, late: Late) -> float:
    """A record comes; once it is answered it is somebody, and somebody must say whether it is the person with nearly its number."""
    at = time.perf_counter()
    answer = insurer.post(f"/v1/datasets/{INSURANCE}/records", {"records": [late.row]}, "can-bo", {"Idempotency-Key": late.name[1]})
    took = (time.perf_counter() - at) * 1000
    assert [verdict["fate"] for verdict in answer["verdicts"]] == ["published"], answer
    with province.place.database.connect() as connection:
        row = connection.execute(WAITS, ("/".join(late.name), "/".join(late.known))).fetchone()
    assert row == (1,), f"{late.name} does not wait beside {late.known}"
    return took


def _decide_and_undo(keeper: _Caller, consumer: _Caller, late: Late, told: Told) -> None:
    start = datetime.now(UTC)
    said = {"left": _named(late.name), "right": _named(late.known), "verdict": "same", "reason": "Gõ sai một chữ số, đã xem thẻ"}
    two = keeper.call("POST", "/v1/stewardship/person/decisions", FIRST_STEWARD, said)
    assert two.status_code == 409, f"one steward joined two valid numbers: {two.status_code}"
    at = time.perf_counter()
    done = keeper.post("/v1/stewardship/person/decisions", said, SECOND_STEWARD)
    answered = time.perf_counter()
    events = consumer.follow()
    told.seen.append((time.perf_counter() - answered) * 1000)
    told.decided.append((answered - at) * 1000)
    [merged] = [event for event in events if event["kind"] == "entity:merged"]
    [lost] = merged["others"]
    assert {each["golden_id"] for each in done["goldens"]} == {merged["id"]}, done
    moved = consumer.call("GET", f"/v1/entities/person/{lost}")
    assert (moved.status_code, moved.headers["location"]) == (308, f"/v1/entities/person/{merged['id']}")
    one = consumer.get(f"/v1/entities/person/{merged['id']}")
    then = [consumer.get(f"/v1/entities/person/{id}", known_at=start.isoformat()) for id in (merged["id"], lost)]
    assert one["sources_withheld"] == sum(each["sources_withheld"] for each in then)
    at = time.perf_counter()
    keeper.post(f"/v1/stewardship/person/acts/{done['act']}/undo", {"reason": "Hai người khác nhau"}, AUDITOR)
    told.undone.append((time.perf_counter() - at) * 1000)
    after = consumer.follow()
    assert {(event["kind"], event["id"]) for event in after} >= {("entity:split", merged["id"]), ("entity:revived", lost)}, after
    for each in then:
        now = consumer.get(f"/v1/entities/person/{each['id']}")
        assert _lasting(now) == _lasting(each), f"{each['id']} is not what it was"


def _lasting(golden: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in golden.items() if name in ("id", "values", "provenance", "sources", "sources_withheld")}


def _same_state(place: Workshop, before: Mapping[str, Any]) -> None:
    now = _state(place)
    assert now == before, {name: (before[name], now[name]) for name in now if now[name] != before[name]}


def _state(place: Workshop) -> dict[str, Any]:
    """What must come back when a decision is undone."""
    master = matching.person(place).master
    columns = sql.SQL(", ").join(sql.Identifier(p.name) for p in master.properties)
    asked: dict[str, sql.SQL | sql.Composed] = {"goldens": sql.SQL(GOLDENS).format(columns, current(master.id))}
    asked |= {"records": sql.SQL(RECORDS), "identities": sql.SQL(IDENTITIES), "waiting": sql.SQL(WAITING), "words": sql.SQL(WORDS)}
    with place.database.connect() as connection:
        return {name: connection.execute(query).fetchone() for name, query in asked.items()}


# The registers


def _publish(place: Workshop, contract: Contract, rows: pl.DataFrame) -> None:
    """Rows as the first version of a dataset."""
    at = place.clock()
    today = vietnam_date(at)
    frame = matching.rows_of(place, contract, rows)
    with place.database.connect() as connection:
        run = runs.begin(connection, contract.id, "story", "snapshot", contract.digest, None, at, today)
        writer = VersionWriter(connection, contract)
        with writer.open_stage(None, []) as stage:
            for part in frame.iter_slices(ROWS_AT_ONCE):
                stage.add(part)
        published = writer.publish(today, end_missing=False)
        writer.record(run, at, [p.name for p in contract.properties], published)
        counts = Counts(rows_in=frame.height, rows_published=published.inserted, rows_unchanged=0, rows_ended=0)
        runs.finish(connection, run, "published", at, counts, contract.digest, writer.version)


def _late(persons: pl.DataFrame, count: int) -> list[Late]:
    """The last persons of the population register as the insurer writes them: one sign of the number is wrong, and nobody has it so."""
    numbers = set(persons["citizen_id"])
    found = []
    for n, person in enumerate(persons.tail(count).iter_rows(named=True)):
        number = person["citizen_id"]
        wrong = next(w for d in "0123456789" for w in (number[:-1] + d, number[:-2] + d + number[-1]) if w != number and w not in numbers)
        row = {
            "insurance_no": f"99{n:08}", "full_name": person["full_name"], "born_on": str(person["born"]),
            "sex": "Nam" if person["sex"] == "male" else "Nữ", "citizen_id": wrong, "address": person["address"], "phone": person["phone"],
            "clinic": "Trạm y tế", "insured_from": "2025-09-01",
        }  # fmt: skip
        found.append(Late(row, (POPULATION, f"{persons.height - count + n:010}")))
    return found


# Who comes over HTTP


def _agree(home: Path) -> dict[str, Any]:
    """Subsystems and the consumer's agreement as files; gives the private keys."""
    keys = {}
    documents: dict[str, Any] = {"agreements/consumer.yaml": AGREEMENT}
    for caller in (INSURER, KEEPER, CONSUMER):
        keys[caller], public = new_key_pair()
        said = {"identifier": caller, "title_vi": "Hệ thống", "title_en": "A system", "keys": [{"jwk": public}]}
        documents[f"subsystems/{caller.rsplit('/', 1)[-1]}.yaml"] = said
    for name, document in documents.items():
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return keys


class _Caller:
    """A subsystem with a token of its own; a consumer keeps how far it has read its feed."""

    def __init__(self, base: str, name: str, province: Province) -> None:
        self._client = httpx.Client(base_url=base, timeout=PATIENCE_SECONDS)
        endpoint = f"{base}/oauth/token"
        assertion = make_assertion(province.keys[name], name, endpoint, datetime.now(UTC))
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        token = self._client.post(endpoint, data=form).raise_for_status().json()["access_token"]
        self._client.headers.update({"Authorization": f"Bearer {token}", "Lienthong-Purpose": "tra-cuu"})
        self._read = "0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(
        self, method: str, path: str, official: str = "can-bo", document: Any = None, more: Mapping[str, str] | None = None, **asked: Any
    ) -> httpx.Response:
        headers = {"Lienthong-Official": official, **(more or {})}
        return self._client.request(method, path, json=document, headers=headers, params=asked)

    def get(self, path: str, official: str = "can-bo", **asked: Any) -> Any:
        return self._given(self.call("GET", path, official, **asked))

    def post(self, path: str, document: Any, official: str, more: Mapping[str, str] | None = None) -> Any:
        return self._given(self.call("POST", path, official, document, more))

    def begin(self, place: Workshop) -> None:
        """Follow from here on, as who has just taken a whole copy does."""
        with place.database.connect() as connection:
            row = connection.execute("select coalesce(max(event), 0) from match_events where entity = 'person'").fetchone()
        assert row is not None  # an aggregate
        self._read = str(row[0])

    def follow(self) -> list[dict[str, Any]]:
        """What became of golden records since it last asked."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            answer = self.get("/v1/entities/person/changes", after=self._read, limit=1000)
            found += answer["events"]
            self._read, more = answer["next"], answer["more"]
        return found

    @staticmethod
    def _given(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, (answer.request.url, answer.status_code, answer.text)
        return answer.json()


def _named(name: Name) -> dict[str, str]:
    return {"source": name[0], "key": name[1]}


def _name(record: Mapping[str, Any]) -> Name:
    return record["source"], record["key"]
