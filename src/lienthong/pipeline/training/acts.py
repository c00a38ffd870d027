"""Joining, taking a seat, beginning a lesson, and looking whether it is done. Each is an act with its entry; all of it only in a sandbox."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from lienthong.access import Actor, Person, Register, Role, SignedIn, State
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import agreeing
from lienthong.pipeline.agreeing import AgreementRules
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.sandbox import PRACTICE_AGENCY, PURPOSE
from lienthong.pipeline.training.checks import CHECKS, Looking, Seen, digest_of
from lienthong.pipeline.training.lessons import Lesson
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, people, sandbox
from lienthong.store import training as store
from lienthong.store.answers import Ask, read_page
from lienthong.store.training import Learner
from lienthong.synthetic import invent, with_faults, written

ROLES = (Role.DATA_OFFICER, Role.STEWARD, Role.INTEGRATOR, Role.LEADER)
GIVEN_BY, SECONDED_BY = "sandbox", "sandbox: practice"  # nobody decides on practice roles: the two words stand for two persons
LONGEST_NAME = 100
PRACTICE_ROWS, PRACTICE_FAULTS = 40, 5
CHOICES = 50  # records of which a learner is given one


@dataclass(frozen=True)
class Classroom:
    """What lessons are held with. `subject`: the keyed hash of a citizen, as the ledger has it."""

    workshop: Workshop
    lessons: Mapping[str, Lesson]
    rules: AgreementRules
    register: Callable[[], Register]
    subject: Callable[[str], str]
    trainers: frozenset[str] = frozenset()

    def lesson(self, id: str) -> Lesson:
        """Raises NotFound for one that is not there, or whose dataset this province does not have."""
        found = self.lessons.get(id)
        if found is None or found.dataset not in self.workshop.contracts:
            raise NotFound("There is no such lesson.", vi="Không có bài học này.")
        return found

    def offered(self) -> list[Lesson]:
        return [lesson for lesson in self.lessons.values() if lesson.dataset in self.workshop.contracts]

    def teaches(self, actor: Actor) -> bool:
        return actor.name in self.trainers or actor.may(Role.OPERATOR)


@dataclass(frozen=True)
class Progress:
    """How far a lesson is: `seen` by step (None where a step has no check)."""

    lesson: Lesson
    begun_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[Seen | None, ...] = ()
    completed_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        return bool(self.seen) and all(seen is None or seen.is_done for seen in self.seen)


def handle_of(who: SignedIn) -> str:
    """What the sandbox calls somebody: no name, no number."""
    return "hv-" + hashlib.sha256(f"{who.issuer}\n{who.subject}".encode()).hexdigest()[:10]


def join(room: Classroom, who: SignedIn, name: str, agency: str) -> str:
    """Somebody learns here, with the roles of practice; gives their handle. Raises Unprocessable for no name, Denied where this is no sandbox."""
    name, agency = " ".join(name.split()), " ".join(agency.split())
    if not 2 <= len(name) <= LONGEST_NAME or not 2 <= len(agency) <= LONGEST_NAME or not (name + agency).isprintable():
        raise Unprocessable("Write your name and your agency.", vi="Hãy ghi họ tên và cơ quan.")
    at = room.workshop.clock()
    with room.workshop.database.connect() as connection:
        _require_sandbox(connection)
        person = people.by_subject(connection, who.issuer, who.subject)
        entries = []
        if person is None:
            number = people.register(connection, handle_of(who), who, PRACTICE_AGENCY, at)
            person = Person(number, handle_of(who), name, PRACTICE_AGENCY, frozenset())
            entries = [_entry(at, Event.PERSON_REGISTERED, person.handle, {"handle": person.handle, "agency": PRACTICE_AGENCY})]
        _give_roles(connection, person, at)
        store.join(connection, person.handle, name, agency, at)
        entries.append(_entry(at, Event.LEARNER_JOINED, person.handle, {"agency": PRACTICE_AGENCY}))
        append_entries(connection, entries, room.workshop.signer)
    return person.handle


def seat(room: Classroom, handle: str, agency: str) -> None:
    """From now on one practises as an official of this agency."""
    at = room.workshop.clock()
    with room.workshop.database.connect() as connection:
        _require_sandbox(connection)
        person = _known(connection, handle)
        if person.agency == agency and set(ROLES) <= person.roles:
            return
        people.move(connection, person.number, agency, GIVEN_BY, at)
        _give_roles(connection, Person(person.number, handle, person.name, agency, frozenset()), at)
        append_entries(connection, [_entry(at, Event.LEARNER_JOINED, handle, {"agency": agency})], room.workshop.signer)


def begin(room: Classroom, handle: str, id: str, citizen: str) -> None:
    """Begin a lesson, or begin it anew: what it needs is made ready. Raises NotFound."""
    lesson = room.lesson(id)
    seat(room, handle, room.workshop.contracts[lesson.dataset].agency)
    facts = {
        "citizen_subject": room.subject(citizen) if citizen else "",
        **_PREPARING.get(lesson.prepare, _nothing)(room, lesson, handle, citizen),
    }
    at = room.workshop.clock()
    with room.workshop.database.connect() as connection:
        store.start(connection, handle, id, at, facts)
        append_entries(connection, [_entry(at, Event.LESSON_BEGUN, handle, {"lesson": id})], room.workshop.signer)


def look(room: Classroom, handle: str, id: str, answers: Mapping[str, str]) -> Progress:
    """How far a lesson is; complete the first time every check holds. `answers`: check → what was typed."""
    lesson = room.lesson(id)
    with room.workshop.database.connect() as connection:
        start = store.newest_start(connection, handle, id)
        done = next((each.at for each in store.completions(connection, handle) if each.lesson == id), None)
        if start is None:
            return Progress(lesson, completed_at=done)
        entries = store.entries_with(connection, f'"official":"{handle}"', start.at)
        seen: list[Seen | None] = []
        for step in lesson.steps:
            if not step.check:
                seen.append(None)
                continue
            seen.append(CHECKS[step.check](Looking(room.workshop, connection, handle, lesson, start, entries, answers.get(step.check, ""))))
        progress = Progress(lesson, start.at, start.facts, tuple(seen), done)
        if progress.is_whole and done is None:
            at = room.workshop.clock()
            evidence = [digest_of(body) for each in seen if each is not None for body in each.bodies]
            if store.complete(connection, handle, id, at, evidence):
                entry = _entry(at, Event.LESSON_COMPLETED, handle, {"lesson": id, "evidence": evidence})
                append_entries(connection, [entry], room.workshop.signer)
            progress = Progress(lesson, start.at, start.facts, tuple(seen), at)
    return progress


def practice_file(room: Classroom, id: str, handle: str) -> tuple[str, pl.DataFrame]:
    """The file a lesson is practised with, of its own for each learner and lesson: (name, rows as an office writes them)."""
    lesson = room.lesson(id)
    contract = room.workshop.contracts[lesson.dataset]
    seed = zlib.crc32(f"{handle} {id}".encode())
    rows = invent(contract, PRACTICE_ROWS, seed, vietnam_date(room.workshop.clock()))
    texts, _ = with_faults(_with_new_keys(rows, contract, seed), contract, PRACTICE_FAULTS, seed)
    return f"{lesson.id}-{contract.id}", texts


def _with_new_keys(rows: pl.DataFrame, contract: Contract, seed: int) -> pl.DataFrame:
    """Parcels nobody has yet, so that nothing that stands is changed by practising."""
    for p in contract.key:
        if p.standard == "parcel_id":
            numbers = [
                f"{key.split('-')[0]}-{100 + seed % 700}-{1 + (seed // 700 + n) % 8000}" for n, key in enumerate(rows[p.name].to_list())
            ]
            rows = rows.with_columns(pl.Series(p.name, numbers, dtype=pl.String))
    return written(rows, contract)


def citizen_number(room: Classroom, handle: str) -> str:
    """The invented citizen one is, where a lesson asks for one; empty where the province has no register of persons."""
    for contract in room.workshop.contracts.values():
        names = [p.name for p in contract.properties if p.standard == "citizen_id" and p.authoritative]
        if names:
            with room.workshop.database.connect() as connection:
                rows = _records(connection, contract, names[0])
            return str(rows[zlib.crc32(handle.encode()) % len(rows)][1]) if rows else ""
    return ""


def _records(connection: Connection, contract: Contract, name: str) -> list[tuple[str, Any]]:
    """(key, a value) of the first records that have the value."""
    page = read_page(connection, Ask(contract.id, (name,), limit=CHOICES))
    return [(row[0], row[3]) for row in page.rows if row[3] is not None]


# What lessons are begun with


def _nothing(_: Classroom, __: Lesson, ___: str, ____: str) -> dict[str, Any]:
    return {}


def _record(room: Classroom, lesson: Lesson, handle: str, _: str) -> dict[str, Any]:
    contract = room.workshop.contracts[lesson.dataset]
    with room.workshop.database.connect() as connection:
        rows = _records(connection, contract, contract.key[0].name)
    return {"key": rows[zlib.crc32(handle.encode()) % len(rows)][0]}


def _own_record(room: Classroom, lesson: Lesson, _: str, citizen: str) -> dict[str, Any]:
    contract = room.workshop.contracts[lesson.dataset]
    name = next(p.name for p in contract.properties if p.standard == "citizen_id")
    with room.workshop.database.connect() as connection:
        found = [key for key, number in _records(connection, contract, name) if number == citizen]
    if not found:
        raise Conflict("The invented citizen is gone: enter the room again.", vi="Công dân giả định không còn; hãy vào lại phòng học.")
    return {"key": found[0]}


def _golden(room: Classroom, lesson: Lesson, handle: str, _: str) -> dict[str, Any]:
    contract = room.workshop.contracts[lesson.dataset]
    with room.workshop.database.connect() as connection:
        rows = _records(connection, contract, "full_name")
    return {"golden": rows[zlib.crc32(handle.encode()) % len(rows)][0]}


def _request(room: Classroom, lesson: Lesson, handle: str, _: str) -> dict[str, Any]:
    """A request from the practice agency that waits for this learner: one of before, else a new one."""
    contract = room.workshop.contracts[lesson.dataset]
    actor = Actor("don-vi-thuc-hanh", PRACTICE_AGENCY, frozenset({Role.DATA_OFFICER}))
    today = vietnam_date(room.workshop.clock())
    consumer = f"{_part(room)}/{PRACTICE_AGENCY}/{handle}-{int(room.workshop.clock().timestamp()) % 10**7}"
    document = {
        "consumer": consumer, "dataset": contract.id, "operations": ["look_up"], "fields": [contract.key[0].name],
        "purposes": {PURPOSE: {"vi": "Đối chiếu hồ sơ khi giải quyết thủ tục", "en": "Checking files of a procedure"}},
        "legal_basis": "Nghị định 278/2025/NĐ-CP", "term": {"from": today.isoformat(), "to": today.replace(year=today.year + 1, day=1).isoformat()},
        "quota": {"per_minute": 60, "per_day": 1000}, "content": f"{contract.title_vi} (giả định)", "place": "Trung tâm dữ liệu của tỉnh",
        "users": "Cán bộ một cửa", "method": "online_request", "processing": "Chỉ dùng để giải quyết thủ tục", "conditions": "Không chia sẻ lại",
        "commitment": "Tuân thủ pháp luật về dữ liệu", "security": {"transfer": "TLS", "storage": "Không lưu", "access": "Có nhật ký"},
        "storage": {"during": "Không lưu", "after": "Không lưu"}, "deletion": {"method": "Không lưu", "days": 1},
    }  # fmt: skip
    kept = agreeing.request(room.workshop, room.rules, room.register(), actor, document)
    if kept.state is not State.REQUESTED:
        raise Conflict("The request was answered by rule: nothing is left to practise.", vi="Yêu cầu đã được trả lời theo quy tắc.")
    return {"agreement": kept.id}


def _part(room: Classroom) -> str:
    """Instance and member class, as the practice subsystem has them."""
    found = next((name for name in room.register().subsystems if f"/{PRACTICE_AGENCY}/" in name), "VN/GOV/")
    return "/".join(found.split("/")[:2])


_PREPARING: Mapping[str, Callable[[Classroom, Lesson, str, str], dict[str, Any]]] = {
    "record": _record, "own_record": _own_record, "golden_record": _golden, "request_for_access": _request,
}  # fmt: skip


def _give_roles(connection: Connection, person: Person, at: datetime) -> None:
    for role in ROLES:
        if role not in person.roles:
            people.grant(connection, person.number, role, GIVEN_BY, SECONDED_BY, at)


def _known(connection: Connection, handle: str) -> Person:
    person = people.by_handle(connection, handle)
    if person is None:
        raise NotFound("There is no such learner.", vi="Không có người học này.")
    return person


def _require_sandbox(connection: Connection) -> None:
    if not sandbox.is_marked(connection):
        raise Denied("Lessons are done in a sandbox.", rule="no_sandbox", vi="Bài học chỉ làm trong vùng thực hành.")


def _entry(at: datetime, event: Event, handle: str, details: Mapping[str, Any]) -> Entry:
    return Entry(at, event, PLATFORM, handle, outcome="done", details=details)


def progress_of(room: Classroom) -> list[tuple[Learner, dict[str, datetime], dict[str, datetime]]]:
    """Each learner with the lessons begun and completed, by agency and name."""
    with room.workshop.database.connect() as connection:
        begun, done = store.starts(connection), store.completions(connection)
        found = store.learners(connection)
    return [
        (
            each,
            {lesson: at for (handle, lesson), at in begun.items() if handle == each.handle},
            {one.lesson: one.at for one in done if one.handle == each.handle},
        )
        for each in found
    ]


__all__ = ["Classroom", "Progress", "begin", "citizen_number", "handle_of", "join", "look", "practice_file", "progress_of", "seat"]
