"""What sees that a step was done: entries of the ledger, runs, rows, answers held against the state. Never a tick of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from lienthong.errors import LienthongError
from lienthong.ledger import Event, leaf_hash, root_from_inclusion
from lienthong.ledger.standalone import read_note
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.pipeline.training.lessons import Lesson
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, indicators, runs
from lienthong.store import training as store
from lienthong.store.answers import KEY, Ask, Condition, read_page
from lienthong.store.ledger import prove
from lienthong.store.training import Start

DECISIONS, ROWS = 3, 2
EVER = datetime.min.replace(tzinfo=UTC)
PERIODS = 3  # that the board may show as the newest


@dataclass(frozen=True)
class Seen:
    """Whether it was done, and the entries that show it (as bodies); `is_wrong`: an answer was given and is not right."""

    is_done: bool
    bodies: tuple[bytes, ...] = ()
    is_wrong: bool = False


@dataclass(frozen=True)
class Looking:
    """What a check may look at: this person's acts since the lesson was begun, the state, and what was typed for the step."""

    workshop: Workshop
    connection: Connection
    handle: str
    lesson: Lesson
    start: Start
    entries: Sequence[tuple[bytes, Mapping[str, Any]]]
    answer: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def acts(self, *events: Event, dataset: str = "", outcome: str = "") -> list[bytes]:
        """Bodies of this person's entries of these events, oldest first."""
        return [
            body for body, said in self.entries
            if said["event"] in events and (not dataset or said.get("dataset") == dataset) and (not outcome or said.get("outcome") == outcome)
        ]  # fmt: skip

    def of_citizen(self) -> list[bytes]:
        """Entries that the citizen one practises as looked."""
        mark = self.start.facts.get("citizen_subject")
        found = store.entries_with(self.connection, f'"subject":"{mark}"', self.start.at) if mark else []
        return [body for body, said in found if said["event"] == Event.USES_SHOWN]

    def newest_run(self) -> int | None:
        files = store.files_of(self.connection, self.handle, self.start.at)
        return files[-1][1] if files else None


Check = Callable[[Looking], Seen]


def at_least(count: int, bodies: Sequence[bytes]) -> Seen:
    return Seen(len(bodies) >= count, tuple(bodies[:count]))


def _answered(looking: Looking, right: Callable[[str], bool], bodies: Sequence[bytes] = ()) -> Seen:
    if not looking.answer.strip():
        return Seen(False)
    is_right = right(looking.answer.strip())
    return Seen(is_right, tuple(bodies), is_wrong=not is_right)


def _number(text: str) -> int | None:
    plain = text.replace(".", "").replace(",", "").replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else None


def file_taken_in(looking: Looking) -> Seen:
    received = looking.acts(Event.UPLOAD_RECEIVED, dataset=looking.lesson.dataset)
    return Seen(bool(received) and looking.newest_run() is not None, tuple(received[:1]))


def verdict_read(looking: Looking) -> Seen:
    """The rows that wait were looked at after the file was taken in."""
    received = looking.acts(Event.UPLOAD_RECEIVED, dataset=looking.lesson.dataset)
    if not received or looking.newest_run() is None:
        return Seen(False)
    order = [body for body, _ in looking.entries]
    looked = [
        body
        for body in looking.acts(Event.QUARANTINE_LISTED, dataset=looking.lesson.dataset)
        if order.index(body) > order.index(received[0])
    ]
    return at_least(1, looked)


def rows_that_wait(looking: Looking) -> Seen:
    run = looking.newest_run()
    found = None if run is None else runs.show(looking.connection, run)
    return Seen(False) if found is None else _answered(looking, lambda said: _number(said) == found.rows_quarantined)


def two_rows_mended(looking: Looking) -> Seen:
    """Corrections whose row went through."""
    mended = [
        body for body, said in looking.entries
        if said["event"] == Event.QUARANTINE_CORRECTED and said.get("dataset") == looking.lesson.dataset and not said["details"].get("quarantined", 0)
    ]  # fmt: skip
    return at_least(ROWS, mended)


def handed_in_again(looking: Looking) -> Seen:
    """A later file let rows through that had waited."""
    files = store.files_of(looking.connection, looking.handle, looking.start.at)
    through = [run for _, run in files[1:] if store.released_by(looking.connection, run)]
    received = looking.acts(Event.UPLOAD_RECEIVED, dataset=looking.lesson.dataset)
    return Seen(bool(through), tuple(received[-1:]))


def three_pairs_decided(looking: Looking) -> Seen:
    return at_least(DECISIONS, looking.acts(Event.JUDGEMENT_MADE))


def pair_decided(looking: Looking) -> Seen:
    return at_least(1, looking.acts(Event.JUDGEMENT_MADE))


def decision_undone(looking: Looking) -> Seen:
    return at_least(1, looking.acts(Event.JUDGEMENT_UNDONE))


def golden_read(looking: Looking) -> Seen:
    looked = [body for body, said in looking.entries if said["event"] == Event.QUEUE_READ and "records" in said["details"]]
    return at_least(1, looked)


def source_of_name(looking: Looking) -> Seen:
    """Held against the provenance that stands in the golden record."""
    golden, dataset = str(looking.start.facts.get("golden", "")), looking.lesson.dataset
    page = read_page(looking.connection, Ask(dataset, (PROVENANCE,), (Condition(KEY, "eq", golden),), limit=1))
    held = msgspec.json.decode(page.rows[0][3] or "{}") if page.rows else {}
    source = str(held.get("full_name", ("",))[0]).partition("#")[0]
    return _answered(looking, lambda said: bool(source) and said == source)


def request_answered(looking: Looking) -> Seen:
    wanted = looking.start.facts.get("agreement")
    answers = (Event.AGREEMENT_GRANTED, Event.AGREEMENT_REFUSED, Event.AGREEMENT_PROPOSED)
    return at_least(1, [body for body, said in looking.entries if said["event"] in answers and said.get("agreement") == wanted])


def looked_up(looking: Looking) -> Seen:
    return at_least(1, looking.acts(Event.ANSWER_RECORD, dataset=looking.lesson.dataset))


def listed(looking: Looking) -> Seen:
    return at_least(1, looking.acts(Event.ANSWER_PAGE, dataset=looking.lesson.dataset))


def refused(looking: Looking) -> Seen:
    return at_least(1, looking.acts(Event.REQUEST_DENIED, dataset=looking.lesson.dataset))


def rule_named(looking: Looking) -> Seen:
    rules = {said["outcome"] for _, said in looking.entries if said["event"] == Event.REQUEST_DENIED}
    return Seen(False) if not rules else _answered(looking, lambda said: said in rules)


def uses_read(looking: Looking) -> Seen:
    return at_least(1, looking.of_citizen())


def receipt_checked(looking: Looking) -> Seen:
    """The place named holds an answer this person had of the register, and its path leads to the signed root.

    One of an earlier lesson is as good, a list that held the citizen too: it stands first among the uses until the newest has its place.
    """
    now = looking.acts(Event.ANSWER_RECORD, dataset=looking.lesson.dataset)
    ever = store.entries_with(looking.connection, f'"official":"{looking.handle}"', EVER)
    own = {
        body
        for body, said in ever
        if said["event"] in (Event.ANSWER_RECORD, Event.ANSWER_PAGE) and said.get("dataset") == looking.lesson.dataset
    }
    if len(looking.of_citizen()) < 2:  # the list, and the proof
        return Seen(False)

    def is_proved(said: str) -> bool:
        position = _number(said)
        if position is None:
            return False
        try:
            proof = prove(looking.connection, looking.workshop.signer, position)
        except LienthongError:
            return False
        size, root = read_note(proof.checkpoint).checkpoint.size, read_note(proof.checkpoint).checkpoint.root
        return proof.body.encode() in own and root_from_inclusion(leaf_hash(proof.body.encode()), position, size, proof.path) == root

    return _answered(looking, is_proved, now[:1])


def figure_read(looking: Looking) -> Seen:
    """A figure of the indicator as the board shows it: the newest of its last periods."""
    newest = indicators.series(looking.connection, [looking.lesson.indicator])[looking.lesson.indicator][:PERIODS]
    totals = {round(figure.total) for figure in newest if figure.total is not None}
    return _answered(looking, lambda said: _number(said) in totals)


def explanation_asked(looking: Looking) -> Seen:
    wanted = looking.lesson.indicator
    return at_least(
        1,
        [body for body, said in looking.entries if said["event"] == Event.EXPLANATION_ASKED and said["details"].get("indicator") == wanted],
    )


def owner_named(looking: Looking) -> Seen:
    contract = looking.workshop.contracts[looking.lesson.dataset]
    return _answered(looking, lambda said: said.upper() == contract.agency)


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        file_taken_in, verdict_read, rows_that_wait, two_rows_mended, handed_in_again, three_pairs_decided, pair_decided, decision_undone,
        golden_read, source_of_name, request_answered, looked_up, listed, refused, rule_named, uses_read, receipt_checked, figure_read,
        owner_named, explanation_asked,
    )
}  # fmt: skip


def digest_of(body: bytes) -> str:
    """By which an entry is named in evidence: SHA-256 of its body."""
    return hashlib.sha256(body).hexdigest()
