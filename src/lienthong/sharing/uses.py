"""Who used a citizen's data, when and what for, in plain words made from contracts and agreements: each line is an entry of the ledger.

What is shown follows the rule of the dataset's contract (`disclosure`), which is published; nothing else hides a use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lienthong.access import Register
from lienthong.contracts import Contract, Disclosure
from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event, SubjectKey, decode, mark_of, mark_of_whole, unpack_subjects
from lienthong.sharing.receipts import LATEST
from lienthong.store import Connection
from lienthong.store.citizens import Record
from lienthong.store.found import Found, found

AT_A_TIME = 500
OUT_OF_ORDER = timedelta(hours=1)  # entries stand in order of commit, which is that of time but for long transactions
MOST_LOOKED_AT = 20_000  # entries of one question: marks of whole registers may be many
WHOLE, PART = "whole", "part"


class Certainty(StrEnum):
    """How surely an entry was about this person."""

    NAMED = "named"  # their record, alone or in a list
    EVERYBODY = "everybody"  # a whole register they are in
    POSSIBLY = "possibly"  # a part of a register they are in; nobody counted whom it held


KINDS: Mapping[Event, tuple[str, str, str]] = {
    Event.ANSWER_RECORD: ("looked_up", "đã tra cứu", "looked up"),
    Event.ANSWER_MISSING: ("asked", "đã hỏi (không có hoặc không được xem)", "asked for (it is not there, or not theirs to see)"),
    Event.ANSWER_PAGE: ("listed", "đã nhận danh sách có", "got a list with"),
    Event.ANSWER_CHANGES: ("listed", "đã nhận các thay đổi, trong đó có", "got changes, among them"),
    Event.ANSWER_BULK_BEGUN: ("file", "đã nhận tệp dữ liệu có", "got a file with"),
    Event.LANDED_ROW_READ: ("delivered", "đã xem, như khi nhận,", "looked, as it was delivered, at"),
    Event.CORRECTION_PROPOSED: ("proposed", "đã đề nghị sửa", "proposed to correct"),
    Event.CORRECTION_ACCEPTED: ("corrected", "đã nhận đề nghị sửa", "accepted a correction of"),
    Event.CORRECTION_REFUSED: ("kept", "đã từ chối đề nghị sửa", "refused a correction of"),
    Event.RECORD_WRITTEN: ("written", "đã ghi", "wrote"),
    Event.ENTITY_ASKED: ("matched", "đã đối chiếu", "compared"),
}
CITIZEN = "citizen"
OURS = {CITIZEN: ("Bạn", "You"), "lienthong": ("Nền tảng", "The platform")}  # callers that are nobody's subsystem
OTHER = ("other", "đã xử lý", "handled")
NAMED_AT_MOST = 5  # fields of a sentence; all of them stand below it


@dataclass(frozen=True)
class Use:
    """One line. `shown_from`: since when the person sees it; `entry` as it stands in the ledger, the official's name taken out where it is hidden."""

    position: int
    body: str
    entry: Entry
    certainty: Certainty
    kind: str
    vi: str
    en: str
    shown_from: datetime


@dataclass(frozen=True)
class Mine:
    """A citizen's records, and what the ledger calls them."""

    records: frozenset[Record]
    subject_key: SubjectKey

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(self.subject_key.hash(dataset, key) for dataset, key in self.records)

    @property
    def datasets(self) -> frozenset[str]:
        return frozenset(dataset for dataset, _ in self.records)


@dataclass(frozen=True)
class Uses:
    """Lines, the newest first; `next`: where to go on, None at the end."""

    lines: tuple[Use, ...]
    next: int | None


@dataclass(frozen=True)
class Window:
    """Which lines are wanted: before a position, from one instant up to another, so many."""

    before: int | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    limit: int = 100
    with_whole: bool = True


def uses_of(
    connection: Connection, contracts: Mapping[str, Contract], register: Register, mine: Mine, window: Window, now: datetime
) -> Uses:
    """The lines of one citizen that may be shown now."""
    lines: list[Use] = []
    for entry_found, entry, certainty in _entries(connection, mine, window):
        if window.begins is not None and entry.at < window.begins:
            if entry.at < window.begins - OUT_OF_ORDER:
                break
            continue
        rule = contracts[entry.dataset].disclosure if entry.dataset in contracts else Disclosure()
        shown_from = shown_from_of(rule, entry)
        if shown_from is None or shown_from > now or (window.ends is not None and entry.at >= window.ends):
            continue
        if len(lines) == window.limit:
            return Uses(tuple(lines), lines[-1].position)
        lines.append(_line(entry_found, entry, certainty, shown_from, rule, contracts, register))
    return Uses(tuple(lines), None)


def use_at(
    connection: Connection, contracts: Mapping[str, Contract], register: Register, mine: Mine, position: int, now: datetime
) -> Use | None:
    """The line at a position, when it is one of this citizen's and may be shown."""
    found_here = uses_of(connection, contracts, register, mine, Window(before=position + 1, limit=1), now).lines
    return found_here[0] if found_here and found_here[0].position == position else None


def shown_from_of(rule: Disclosure, entry: Entry) -> datetime | None:
    """Since when a use is shown; None: never."""
    if entry.purpose and entry.purpose in rule.hidden_purposes:
        return None
    return entry.at + timedelta(days=rule.delayed_purposes.get(entry.purpose, rule.delay_days))


def _entries(connection: Connection, mine: Mine, window: Window) -> Iterator[tuple[Found, Entry, Certainty]]:
    """Entries that are about the citizen, the newest first, each once."""
    subjects = mine.subjects
    by_mark = {mark_of(subject) for subject in subjects}
    marks = [*by_mark, *(mark_of_whole(dataset) for dataset in mine.datasets if window.with_whole)]
    before, looked_at, last = LATEST if window.before is None else window.before, 0, -1
    while looked_at < MOST_LOOKED_AT:
        some = found(connection, marks, before, AT_A_TIME)
        for each in some:
            if each.position == last or each.body is None:
                continue
            try:
                entry = decode(each.body.encode())
            except LedgerError:  # an event of a newer platform; nothing can be said of it here
                continue
            certainty = _certainty(entry, subjects, by_mark, mine.datasets)
            if certainty is not None:
                last = each.position
                yield each, entry, certainty
        if len(some) < AT_A_TIME:
            return
        is_one = some[0].position == some[-1].position  # then nothing else of it is left out by going past it
        looked_at, before = looked_at + len(some), some[-1].position + (0 if is_one else 1)


def _certainty(entry: Entry, subjects: frozenset[str], by_mark: set[int], datasets: frozenset[str]) -> Certainty | None:
    """How an entry is about somebody; None when the mark only looked like theirs."""
    packed, scope = entry.details.get("subjects"), entry.details.get("scope")
    if entry.subject in subjects or (isinstance(packed, str) and not by_mark.isdisjoint(unpack_subjects(packed))):
        return Certainty.NAMED
    if scope in (WHOLE, PART) and entry.dataset in datasets:
        return Certainty.EVERYBODY if scope == WHOLE else Certainty.POSSIBLY
    return None


def _line(
    at: Found, entry: Entry, certainty: Certainty, shown_from: datetime, rule: Disclosure, contracts: Mapping[str, Contract], register: Register
) -> Use:  # fmt: skip
    kind, does_vi, does_en = KINDS.get(entry.event, OTHER)
    who_vi, who_en = name_of(register, entry.caller)
    what_vi, what_en = _what(contracts.get(entry.dataset), entry)
    why_vi, why_en = purpose_of(register, entry)
    vi, en = f"{who_vi} {does_vi} {what_vi}", f"{who_en} {does_en} {what_en}"
    if certainty is Certainty.EVERYBODY:
        vi, en = f"{vi} của mọi người trong sổ", f"{en} of everybody in the register"
    elif certainty is Certainty.POSSIBLY:
        vi, en = (
            f"{vi} của một phần sổ; không rõ có bạn hay không",
            f"{en} of a part of the register; it is not known whether you are in it",
        )
    if entry.caller == CITIZEN and not entry.purpose:  # one's own act needs no purpose
        vi, en = f"{vi}.", f"{en}."
    else:
        vi, en = f"{vi}. Mục đích: {why_vi}.", f"{en}. Purpose: {why_en}."
    shown = entry if rule.shows_official else _without_official(entry)
    return Use(at.position, at.body or "", shown, certainty, kind, vi, en, shown_from)


def _without_official(entry: Entry) -> Entry:
    return replace(entry, official="")


def name_of(register: Register, caller: str) -> tuple[str, str]:
    """A subsystem or agency in words (Vietnamese, English): its title, else its identifier."""
    known = register.subsystems.get(caller)
    if known is not None:
        return known.title_vi, known.title_en
    agency = register.agencies.by_code.get(caller)
    return OURS.get(caller, (caller, caller)) if agency is None else (agency.name, agency.name)


def purpose_of(register: Register, entry: Entry) -> tuple[str, str]:
    """The purpose in the agreement's own words, else its code."""
    for agreement in register.agreements:
        if agreement.id == entry.agreement and entry.purpose in agreement.purposes:
            return agreement.purposes[entry.purpose]
    return (entry.purpose or "không nêu", entry.purpose or "not stated")


def _what(contract: Contract | None, entry: Entry) -> tuple[str, str]:
    """Fields and dataset in words."""
    if contract is None:
        return (f"`{entry.dataset}`", f"`{entry.dataset}`")
    fields = titles(contract, entry.fields)
    named, more = (fields, 0) if len(fields) <= NAMED_AT_MOST else (fields[: NAMED_AT_MOST - 1], len(fields) - NAMED_AT_MOST + 1)
    vi = (
        f"{', '.join(vi for vi, _ in named)}{f' và {more} mục khác' if more else ''} của bạn trong " if fields else "dữ liệu của bạn trong "
    )
    en = f"your {', '.join(en for _, en in named)}{f' and {more} more' if more else ''} in " if fields else "your data in "
    return f"{vi}“{contract.title_vi}”", f"{en}“{contract.title_en}”"


def titles(contract: Contract, fields: Sequence[str]) -> list[tuple[str, str]]:
    """(Vietnamese, English) of fields, in their order."""
    known = {p.name: (p.title_vi, p.title_en) for p in contract.properties}
    return [known.get(name, (name, name)) for name in fields]
