"""The first week after a production key: what a system does is watched until a week of it is without fault.

Judged from the counts of exchanges by day, so nothing of its own is kept and nothing can be ticked off: the watch is over on the first day
that ends such a week, or after `LONGEST_DAYS`, whatever was seen. Who reads what unusually is the other alerts' affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.contracts import LegalBasis
from lienthong.pipeline.alert_rules import Rule
from lienthong.store import Connection
from lienthong.store import onboarding as store

LONGEST_DAYS = 28  # of a watch: who is not right by then needs a person, not another look
KIND = "first_week"


@dataclass(frozen=True)
class Term:
    """How many days of the calendar are watched, and by which text."""

    days: int
    legal_basis: LegalBasis


# No text names the week: these ask that who is connected is connected safely and in time, the regulation of the platform says how long is looked.
TERMS: tuple[Term, ...] = (
    Term(7, LegalBasis("NĐ 47/2020/NĐ-CP điều 35.3; quy chế vận hành nền tảng", date(2020, 5, 25), date(2025, 8, 18))),
    Term(7, LegalBasis("NĐ 194/2025/NĐ-CP điều 40.3; NĐ 69/2024/NĐ-CP điều 18.1; quy chế vận hành nền tảng", date(2025, 8, 19))),
)
STATES: Mapping[str, tuple[str, str]] = {
    "watching": ("đang theo dõi", "watched"),
    "trouble": ("có vấn đề", "in trouble"),
    "passed": ("đã qua", "passed"),
    "unsettled": ("hết thời gian theo dõi mà chưa ổn", "watched to the end, not settled"),
}
FAULTS: Mapping[str, tuple[str, str]] = {
    "silent": ("chưa có lượt gọi nào", "it has not called"),
    "refused": ("bị từ chối nhiều", "it is refused often"),
    "failed": ("lỗi nhiều", "its calls fail often"),
}


@dataclass(frozen=True)
class Limits:
    """From when a system is in trouble: days without a call, and shares of its calls, judged from `least_calls` on."""

    quiet_days: float = 2
    least_calls: float = 20
    refused_percent: float = 20
    failed_percent: float = 10


@dataclass(frozen=True)
class Day:
    """What a system asked on a day; `failed`: not understood, or an error."""

    on: date
    calls: int
    refused: int
    failed: int


@dataclass(frozen=True)
class Week:
    """How the watch over a system stands: from the day of its first production key, until `due`; figures are of the days judged."""

    identifier: str
    agency: str
    since: date
    due: date
    state: str
    passed_on: date | None
    calls: int
    refused: int
    failed: int
    faults: tuple[str, ...]
    legal_basis: str

    @property
    def is_watched(self) -> bool:
        return self.state in ("watching", "trouble")

    @property
    def evidence(self) -> str:
        return f"{self.calls}/{self.refused}/{self.failed}"


def term_on(day: date) -> Term:
    """The longest term in force on a day; before there was any, the first."""
    known = [term for term in TERMS if term.legal_basis.is_in_force(day)]
    return max(known, key=lambda term: term.days, default=TERMS[0])


def limits_of(rules: Sequence[Rule]) -> Limits:
    """The thresholds of the first rule of this kind, the built-in ones where there is none."""
    found = next((rule for rule in rules if rule.kind == KIND), None)
    return Limits() if found is None else Limits(**found.limits)


def judge(identifier: str, agency: str, since: date, today: date, days: Sequence[Day], limits: Limits) -> Week:
    """How a watch that began on a day stands today."""
    term = term_on(since)
    length, due = timedelta(days=term.days), since + timedelta(days=term.days)
    last = min(today, since + timedelta(days=LONGEST_DAYS))
    ends = due
    while ends <= last:
        whole = _sum(days, ends - length, ends)
        if not _faults(whole, term.days, limits):
            return Week(identifier, agency, since, due, "passed", ends, *whole, (), term.legal_basis.text)
        ends += timedelta(days=1)
    begins = max(since, last - length)
    whole = _sum(days, begins, last + timedelta(days=1))
    faults = _faults(whole, (last - begins).days, limits)
    state = "unsettled" if today > last else "trouble" if faults else "watching"
    return Week(identifier, agency, since, due, state, None, *whole, faults, term.legal_basis.text)


def _sum(days: Sequence[Day], begins: date, ends: date) -> tuple[int, int, int]:
    """(calls, refused, failed) of the days from one up to, not with, another."""
    among = [day for day in days if begins <= day.on < ends]
    return sum(day.calls for day in among), sum(day.refused for day in among), sum(day.failed for day in among)


def _faults(whole: tuple[int, int, int], elapsed_days: int, limits: Limits) -> tuple[str, ...]:
    calls, refused, failed = whole
    found = {
        "silent": calls == 0 and elapsed_days >= limits.quiet_days,
        "refused": calls >= limits.least_calls and 100 * refused >= limits.refused_percent * calls,
        "failed": calls >= limits.least_calls and 100 * failed >= limits.failed_percent * calls,
    }
    return tuple(name for name, is_so in found.items() if is_so)


def weeks(connection: Connection, today: date, limits: Limits, identifier: str | None = None) -> list[Week]:
    """The watch over one open system, or over each that ever had a production key: in trouble first, then the newest."""
    days: dict[str, list[Day]] = {}
    for caller, at, calls, refused, failed in store.calls_of_new(connection, identifier):
        days.setdefault(caller, []).append(Day(vietnam_date(at), calls, refused, failed))
    found = [
        judge(name, agency, vietnam_date(since), today, days.get(name, ()), limits)
        for name, agency, since in store.first_keys(connection, identifier)
    ]
    order = list(STATES)
    return sorted(found, key=lambda week: (week.state != "trouble", order.index(week.state), -week.since.toordinal(), week.identifier))


def week_of(connection: Connection, identifier: str, today: date, rules: Sequence[Rule]) -> Week | None:
    """The watch over one system; None before its first production key."""
    return next(iter(weeks(connection, today, limits_of(rules), identifier)), None)


def document(week: Week) -> dict[str, Any]:
    """A watch as data: with what it stands on."""
    vi, en = STATES[week.state]
    return {
        "subsystem": week.identifier, "agency": week.agency, "since": week.since, "due": week.due, "state": week.state, "said": vi, "said_en": en,
        "passed_on": week.passed_on, "calls": week.calls, "refused": week.refused, "failed": week.failed,
        "faults": [{"fault": name, "vi": FAULTS[name][0], "en": FAULTS[name][1]} for name in week.faults], "legal_basis": week.legal_basis,
    }  # fmt: skip
