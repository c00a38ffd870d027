"""Looking through the list of data shared by default: an agency says what came of it; the platform says what changed since the last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from lienthong.access import Actor, Role
from lienthong.access.default_list import DefaultPart, part_of, shared_by_default
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import default_reviews as store

REVIEWERS = (Role.DATA_OFFICER, Role.OPERATOR)
LONGEST_WORDS = 2_000


def default_parts(connection: Connection, contracts: Iterable[Contract], months: int, today: date) -> list[DefaultPart]:
    """Each agency's part of the list, the one due first first. An agency that shares nothing by default any more is still told until it says so."""
    listed = shared_by_default(contracts)
    reviewed = store.newest(connection)
    since = store.in_force_since(connection, [each.id for part in listed.values() for each in part])
    found = []
    for agency in sorted({*listed, *(each.agency for each in reviewed.values() if each.datasets)}):
        datasets = [each.id for each in listed.get(agency, [])]
        last = reviewed.get(agency)
        first = min((vietnam_date(since[each]) for each in datasets if each in since), default=today)
        found.append(
            part_of(
                agency, datasets, None if last is None else last.datasets, None if last is None else vietnam_date(last.at), first, months
            )
        )
    return sorted(found, key=lambda each: (each.due_on, each.agency))


def review(workshop: Workshop, actor: Actor, agency: str, words: str, decision: str, months: int) -> DefaultPart:
    """Record that an agency's part of the list was looked through, and what came of it. Raises Denied, NotFound, Unprocessable."""
    if not actor.may(*REVIEWERS) or not (actor.is_of(agency) or (actor.may(Role.OPERATOR) and not actor.subsystem)):
        raise Denied("This part of the list is another agency's.", rule="other_agency", vi="Phần danh mục này của cơ quan khác.")
    for text, is_needed in ((words, True), (decision, False)):
        if (is_needed and not text.strip()) or len(text) > LONGEST_WORDS or "\x00" in text:
            raise Unprocessable(
                f"A review says in at most {LONGEST_WORDS} characters what came of it.",
                vi=f"Cần kết quả rà soát, tối đa {LONGEST_WORDS} ký tự.",
            )
    at = workshop.clock()
    today = vietnam_date(at)
    with workshop.database.connect() as connection:
        store.lock(connection, agency)
        part = _part(connection, workshop.contracts, agency, months, today)
        store.add(connection, agency, part.datasets, part.added, part.removed, words.strip(), decision.strip(), actor.name, at)
        details = {
            "agency": agency, "datasets": list(part.datasets), "added": list(part.added), "removed": list(part.removed),
            "decision": decision.strip(), "words": words.strip()[:500], "was_due_on": part.due_on.isoformat(),
        }  # fmt: skip
        caller = actor.subsystem or actor.agency or agency
        append_entries(
            connection, [Entry(at, Event.DEFAULT_LIST_REVIEWED, caller, actor.name, outcome="done", details=details)], workshop.signer
        )
        return _part(connection, workshop.contracts, agency, months, today)


def _part(connection: Connection, contracts: Mapping[str, Contract], agency: str, months: int, today: date) -> DefaultPart:
    for part in default_parts(connection, contracts.values(), months, today):
        if part.agency == agency:
            return part
    raise NotFound("This agency shares nothing by default.", vi="Cơ quan này không có dữ liệu chia sẻ mặc định.")


def part_document(part: DefaultPart, today: date) -> dict[str, Any]:
    """A part as pages and the API tell it."""
    return {
        "agency": part.agency, "datasets": list(part.datasets), "added": list(part.added), "removed": list(part.removed),
        "reviewed_on": part.reviewed_on, "due_on": part.due_on, "is_overdue": part.is_overdue(today),
    }  # fmt: skip
