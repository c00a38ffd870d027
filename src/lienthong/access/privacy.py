"""Files and requests about personal data: what kinds there are, by which clock each runs, and what may follow what. Nothing is stored here.

Sources: Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15 art. 21–23, NĐ 356/2025/NĐ-CP. Which of 10, 15 and 20 days belongs to which kind of
request is a setting with these defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from lienthong.clock import VIETNAM, vietnam_date
from lienthong.standards.working_days import WorkingDays

LAW = "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15"
DECREE = "NĐ 356/2025/NĐ-CP"
SINCE = date(2026, 1, 1)


class CaseKind(StrEnum):
    BREACH = "breach"
    IMPACT = "impact"
    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"


OF_PERSONS = (
    CaseKind.ACCESS, CaseKind.CORRECTION, CaseKind.ERASURE, CaseKind.RESTRICTION, CaseKind.OBJECTION, CaseKind.WITHDRAWAL,
)  # fmt: skip
TITLES: Mapping[CaseKind, tuple[str, str]] = {
    CaseKind.BREACH: ("Hồ sơ vi phạm bảo vệ dữ liệu cá nhân", "Breach file"),
    CaseKind.IMPACT: ("Hồ sơ đánh giá tác động xử lý dữ liệu cá nhân", "Impact file"),
    CaseKind.ACCESS: ("Yêu cầu xem, cung cấp dữ liệu", "Request to see one's data"),
    CaseKind.CORRECTION: ("Yêu cầu chỉnh sửa dữ liệu", "Request to correct data"),
    CaseKind.ERASURE: ("Yêu cầu xóa dữ liệu", "Request to erase data"),
    CaseKind.RESTRICTION: ("Yêu cầu hạn chế xử lý", "Request to restrict processing"),
    CaseKind.OBJECTION: ("Phản đối xử lý dữ liệu", "Objection to processing"),
    CaseKind.WITHDRAWAL: ("Rút lại sự đồng ý", "Withdrawal of consent"),
}


class CaseState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"  # the person was told that it is being dealt with, and until when
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ENDED = (CaseState.DONE, CaseState.REFUSED, CaseState.WITHDRAWN)
MOVES: Mapping[str, tuple[tuple[CaseState, ...], CaseState | None]] = {
    "note": ((CaseState.OPEN, CaseState.ANSWERED), None),
    "answer": ((CaseState.OPEN,), CaseState.ANSWERED),
    "done": ((CaseState.OPEN, CaseState.ANSWERED), CaseState.DONE),
    "refuse": ((CaseState.OPEN, CaseState.ANSWERED), CaseState.REFUSED),
    "withdraw": ((CaseState.OPEN, CaseState.ANSWERED), CaseState.WITHDRAWN),
}


ACT_DAYS: Mapping[CaseKind, int] = {
    CaseKind.ACCESS: 10,
    CaseKind.CORRECTION: 10,
    CaseKind.RESTRICTION: 15,
    CaseKind.OBJECTION: 15,
    CaseKind.WITHDRAWAL: 15,
    CaseKind.ERASURE: 20,
}


@dataclass(frozen=True)
class CaseClocks:
    """The terms of cases: hours to notify of a breach, days for an impact file, working days to answer a person, days to act by kind."""

    breach_hours: int = 72
    impact_days: int = 60
    answer_working_days: int = 2
    act_days: Mapping[CaseKind, int] = field(default_factory=lambda: ACT_DAYS)

    def dues(self, kind: CaseKind, begins_at: datetime, offices: WorkingDays) -> tuple[datetime | None, datetime]:
        """(until when the person must be answered, until when it must be done); the end of a day is its midnight in Vietnam."""
        day = vietnam_date(begins_at)
        if kind is CaseKind.BREACH:
            return None, begins_at + timedelta(hours=self.breach_hours)
        if kind is CaseKind.IMPACT:
            return None, _end_of(day + timedelta(days=self.impact_days))
        return _end_of(offices.add(day, self.answer_working_days)), _end_of(day + timedelta(days=self.act_days[kind]))


def basis_of(kind: CaseKind) -> str:
    """The law a case's clock comes from."""
    if kind is CaseKind.BREACH:
        return f"{LAW} điều 23"
    return f"{LAW} điều 21, 22" if kind is CaseKind.IMPACT else DECREE


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), VIETNAM)
