"""Opens files and requests about personal data and moves them on, each step with its entry in the ledger. No words of a person are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lienthong.access.privacy import ACT_DAYS, ENDED, MOVES, OF_PERSONS, CaseClocks, CaseKind, CaseState, basis_of
from lienthong.errors import Conflict, NotFound, SettingsError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.settings import Settings
from lienthong.standards.working_days import WorkingDays, read_working_days
from lienthong.store import Connection, append_entries, proposals
from lienthong.store import privacy as store
from lienthong.store.privacy import Case, Step, Which

CITIZEN = "citizen"
MOST_WORDS = 10_000
MOST_LIVE_OF_ONE = 50  # requests of one person that wait at a time


@dataclass(frozen=True)
class Registrar:
    """What acts on cases need: the store, the clocks, the calendar of offices."""

    workshop: Workshop
    clocks: CaseClocks = CaseClocks()
    offices: WorkingDays = field(default_factory=read_working_days)


@dataclass(frozen=True)
class Asking:
    """The person a request is of: the keyed hash of their number, and the number sealed."""

    subject: str
    sealed: bytes


def registrar_of(workshop: Workshop, settings: Settings) -> Registrar:
    """A registrar under the settings. Raises SettingsError for days that are no number."""
    days = dict(ACT_DAYS)
    for text in settings.privacy_act_days.split():
        name, _, count = text.partition("=")
        if name not in OF_PERSONS or not count.isdecimal():
            raise SettingsError(
                f"LIENTHONG_PRIVACY_ACT_DAYS: expected KIND=DAYS, found `{text[:40]}`.", hint=f"Kinds: {', '.join(OF_PERSONS)}."
            )
        days[CaseKind(name)] = int(count)
    clocks = CaseClocks(settings.breach_hours, settings.impact_days, settings.privacy_answer_working_days, days)
    return Registrar(workshop, clocks, read_working_days(Path(settings.holidays) if settings.holidays else None))


def open_case(
    registrar: Registrar, kind: CaseKind, agency: str, dataset: str, content: Mapping[str, Any], by_whom: str, *,
    begins_at: datetime | None = None, person: Asking | None = None,
) -> int:  # fmt: skip
    """Open a file or a request; its number. `begins_at`: since when the clock runs, now when it is not said.

    Raises Unprocessable for a time to come, or a request without a person.
    """
    now = registrar.workshop.clock()
    begins = now if begins_at is None else begins_at
    if begins > now:
        raise Unprocessable("The clock cannot begin in the future.", vi="Thời điểm bắt đầu không được ở tương lai.")
    if (person is None) is (kind in OF_PERSONS):
        raise Unprocessable("A request is of a person, a file is of an agency.", vi="Yêu cầu là của một người, hồ sơ là của cơ quan.")
    answer_by, act_by = registrar.clocks.dues(kind, begins, registrar.offices)
    subject, sealed = (None, None) if person is None else (person.subject, person.sealed)
    case = Case(0, kind, agency, dataset, subject, sealed, content, now, by_whom, begins, answer_by, act_by, basis_of(kind))
    with registrar.workshop.database.connect() as connection:
        if subject is not None and len(store.cases(connection, Which(subject=subject, is_live=True))) >= MOST_LIVE_OF_ONE:
            raise Conflict("Too many of your requests still wait.", vi="Bạn đang có quá nhiều yêu cầu chờ xử lý.")
        number = store.open_case(connection, case)
        store.add_step(connection, number, Step("open", CaseState.OPEN, now, by_whom))
        _note(registrar, connection, Event.PRIVACY_OPENED, case, number, by_whom, "opened")
    return number


def move(
    registrar: Registrar, number: int, act: str, by_whom: str, words: str, *, legal_text: str = "", agency: str | None = None,
    subject: str | None = None,
) -> Case:  # fmt: skip
    """Do the next step of a case; the case as it stands then. `agency`, `subject`: whose it must be, else it is as if it were not there.

    Raises NotFound, Conflict when the step does not follow from how it stands, Unprocessable without words, or for a refusal without law.
    """
    froms, state = MOVES[act]
    if not words.strip() or len(words) > MOST_WORDS or "\x00" in words:
        raise Unprocessable("The step needs words.", vi="Cần ghi rõ nội dung.")
    if act == "refuse" and not legal_text.strip():
        raise Unprocessable("A refusal needs the text of law it rests on.", vi="Từ chối phải nêu căn cứ pháp lý.")
    with registrar.workshop.database.connect() as connection:
        store.hold(connection, number)
        case = found(connection, number, agency, subject)
        if case.state not in froms:
            raise Conflict(f"The case is {case.state}.", vi="Vụ việc không còn ở trạng thái này.", state=case.state)
        after = CaseState(case.state) if state is None else state
        store.add_step(connection, number, Step(act, after, registrar.workshop.clock(), by_whom, words, legal_text))
        _note(registrar, connection, Event.PRIVACY_MOVED, case, number, by_whom, act)
        return found(connection, number, agency, subject)


def follow(registrar: Registrar, agency: str, proposal: int, by_whom: str, words: str) -> list[int]:
    """Move on the requests a decided proposal came from, once nothing of them is open: done where something was accepted, else answered.

    A request is refused only by words of law, which an answer to a proposal need not have. Gives the numbers of what was moved.
    """
    with registrar.workshop.database.connect() as connection:
        live = store.cases(connection, Which(agency=agency, is_live=True))
        of_it = [case for case in live if proposal in [int(n) for n in case.content.get("proposals") or []]]
        states = {case.case: {_state_of(connection, int(n)) for n in case.content["proposals"]} for case in of_it}
    moved = []
    for case in of_it:
        act = "done" if "accepted" in states[case.case] else "answer"
        if "open" not in states[case.case] and case.state in MOVES[act][0]:
            move(registrar, case.case, act, by_whom, words, agency=agency)
            moved.append(case.case)
    return moved


def _state_of(connection: Connection, proposal: int) -> str:
    held = proposals.find(connection, proposal)
    return "" if held is None else held.state


def found(connection: Connection, number: int, agency: str | None = None, subject: str | None = None) -> Case:
    """A case, when it is this agency's or this person's. Raises NotFound."""
    some = store.cases(connection, Which(case=number, agency=agency, subject=subject))
    if not some:
        raise NotFound("There is no such case among yours.", vi="Không có vụ việc này.")
    return some[0]


def has_ended(case: Case) -> bool:
    return case.state in ENDED


def _note(registrar: Registrar, connection: Connection, event: Event, case: Case, number: int, by_whom: str, outcome: str) -> None:
    is_late = case.is_overdue(registrar.workshop.clock())
    entry = Entry(
        registrar.workshop.clock(), event, case.agency, "" if by_whom == CITIZEN else by_whom, legal_basis=case.legal_basis,
        dataset=case.dataset, subject=case.subject, outcome=outcome, details={"case": number, "kind": case.kind, "overdue": is_late},
    )  # fmt: skip
    append_entries(connection, [entry], registrar.workshop.signer)
