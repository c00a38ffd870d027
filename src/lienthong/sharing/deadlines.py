"""What is due, and by when: answers to requests, usage reports, word on copies; and which agreements are soon to be renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lienthong.access import Act, Agreement, Clocks, Identity, Instruments, State, faults_of_basis, read_agreement
from lienthong.sharing.way_out import renewal_for
from lienthong.store import Connection
from lienthong.store import agreements as store
from lienthong.store.agreements import Kept

WHAT: Mapping[str, tuple[str, str]] = {
    "answer": ("trả lời yêu cầu", "answer the request"),
    "usage": ("báo cáo tình hình sử dụng", "report on usage"),
    "destruction": ("xác nhận xử lý bản sao", "confirm what became of copies"),
}
ACTS = (Act.REQUEST, Act.DEMAND_USAGE, Act.REPORT_USAGE, Act.END, Act.LAPSE, Act.CONFIRM_DESTRUCTION)


@dataclass(frozen=True)
class Deadline:
    """One thing that is due; `agency` must do it."""

    agreement: str
    dataset: str
    what: str
    agency: str
    due_on: date


def deadlines(connection: Connection, agency: str | None = None) -> list[Deadline]:
    """Everything open, the earliest first; of the agreements an agency has part in, or of all."""
    last = store.last_steps(connection, ACTS)
    found = [each for kept in _of(connection, agency) for each in _of_one(kept, last)]
    return sorted(found, key=lambda each: (each.due_on, each.agreement, each.what))


def renewals(
    connection: Connection, agency: str | None, today: date, clocks: Clocks, instruments: Instruments
) -> list[dict[str, Any]]:  # fmt: skip
    """Agreements in force that end soon, or whose legal basis no longer stands; each with the request that renews it."""
    found = []
    for kept in _of(connection, agency, [State.ACTIVE, State.SUSPENDED]):
        agreement = read_agreement(kept.document, kept.id, [], kept.state)
        if agreement is None:
            continue
        reasons = _reasons(agreement, today, clocks, instruments)
        if reasons:
            ends_on = None if agreement.ends_on is None else agreement.ends_on.isoformat()
            request = renewal_for(agreement, today)
            found.append(
                {
                    "id": kept.id,
                    "dataset": kept.dataset,
                    "consumer": kept.consumer,
                    "ends_on": ends_on,
                    "reasons": reasons,
                    "request": request,
                }
            )
    return found


def _of(connection: Connection, agency: str | None, states: list[State] | None = None) -> list[Kept]:
    if agency is None:
        return store.standing(connection, states=states)
    both = (*store.standing(connection, provider=agency, states=states), *store.standing(connection, consumer=agency, states=states))
    return [*{kept.id: kept for kept in both}.values()]


def _of_one(kept: Kept, last: Mapping[tuple[str, str], tuple[int, str, Mapping[str, Any], Any]]) -> list[Deadline]:
    consumer = Identity.parse(kept.consumer).agency

    def step(*acts: Act) -> tuple[int, Mapping[str, Any]]:
        newest = max((last[kept.id, act] for act in acts if (kept.id, act) in last), key=lambda found: found[0], default=None)
        return (0, {}) if newest is None else (newest[0], newest[2])

    def due(what: str, agency: str, details: Mapping[str, Any], word: str) -> list[Deadline]:
        return [Deadline(kept.id, kept.dataset, what, agency, date.fromisoformat(details[word]))] if details.get(word) else []

    if kept.state is State.REQUESTED:
        return due("answer", kept.provider, step(Act.REQUEST)[1], "due_on")
    demanded, reported = step(Act.DEMAND_USAGE), step(Act.REPORT_USAGE)
    found = due("usage", consumer, demanded[1], "due_on") if demanded[0] > reported[0] else []
    ended = step(Act.END, Act.LAPSE)
    if kept.state is State.ENDED and ended[0] > step(Act.CONFIRM_DESTRUCTION)[0]:
        found += due("destruction", consumer, ended[1], "confirm_by")
    return found


def _reasons(agreement: Agreement, today: date, clocks: Clocks, instruments: Instruments) -> list[dict[str, str]]:
    reasons = []
    if agreement.ends_on is not None and agreement.ends_on <= today + timedelta(days=clocks.reminder_days):
        left = (agreement.ends_on - today).days
        reasons.append({"vi": f"còn {left} ngày là hết hạn", "en": f"{left} days to its end"})
    cited = [words for words in faults_of_basis(agreement, instruments, today) if agreement.citations]
    reasons += [{"vi": vi, "en": en} for vi, en in cited]
    return reasons
