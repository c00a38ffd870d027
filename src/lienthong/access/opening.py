"""The list of open data: the eight states of an entry, which act leads where, who may do it, what it must say, and by when things are due.

The list is approved by the head of the province, then there is a plan, then the data is open; the list is looked through, and what is open is
refreshed, within terms. The terms are settings; the law they come from stands here with its dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from lienthong.access.actor import Role
from lienthong.contracts import LegalBasis

LEGAL_BASIS: tuple[LegalBasis, ...] = (
    LegalBasis("Luật Dữ liệu 60/2024/QH15", date(2025, 7, 1)),
    LegalBasis("Nghị định 194/2025/NĐ-CP về chia sẻ dữ liệu và dữ liệu mở của cơ quan nhà nước", date(2025, 8, 19)),
)
SOON_DAYS = 30  # so long ahead a term is told as one that comes


class OpenState(StrEnum):
    PROPOSED = "proposed"
    REFUSED = "refused"
    APPROVED = "approved"
    PLANNED = "planned"
    OPEN = "open"
    REFRESHING = "refreshing"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


STATE_WORDS: Mapping[OpenState, tuple[str, str]] = {
    OpenState.PROPOSED: ("đề xuất mở", "proposed"),
    OpenState.REFUSED: ("không đưa vào danh mục", "refused"),
    OpenState.APPROVED: ("đã phê duyệt vào danh mục", "approved"),
    OpenState.PLANNED: ("đã có kế hoạch công bố", "planned"),
    OpenState.OPEN: ("đang mở", "open"),
    OpenState.REFRESHING: ("đang mở, đang cập nhật hoàn thiện", "open, being refreshed"),
    OpenState.SUSPENDED: ("tạm dừng công bố", "suspended"),
    OpenState.WITHDRAWN: ("đã rút khỏi danh mục", "withdrawn"),
}
GIVEN = frozenset({OpenState.OPEN, OpenState.REFRESHING})  # its data is given to everybody
UNGOVERNED = frozenset({None, OpenState.PROPOSED})  # the list does not decide yet: its data is given or not as its contract says
LISTED = frozenset({OpenState.APPROVED, OpenState.PLANNED, OpenState.OPEN, OpenState.REFRESHING, OpenState.SUSPENDED})


class OpenAct(StrEnum):
    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    PLAN = "plan"
    OPEN = "open"
    REVIEW = "review"
    REFRESH = "refresh"
    REFRESHED = "refreshed"
    SUSPEND = "suspend"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Step:
    """One act: from which states (None: from no entry), to which (None: it stays), in which roles, and which words it must carry.

    A data officer acts on the own agency's data alone, the other roles on all.
    """

    before: frozenset[OpenState | None]
    after: OpenState | None
    roles: tuple[Role, ...]
    needs: tuple[str, ...] = ()


def _step(before: str, after: OpenState | None, roles: tuple[Role, ...], *needs: str) -> Step:
    return Step(frozenset(None if word == "none" else OpenState(word) for word in before.split()), after, roles, needs)


_OWNER, _HEAD, _ANY = (Role.DATA_OFFICER,), (Role.LEADER,), (Role.DATA_OFFICER, Role.LEADER, Role.OPERATOR)
STEPS: Mapping[OpenAct, Step] = {
    OpenAct.PROPOSE: _step("none refused withdrawn", OpenState.PROPOSED, _OWNER),
    OpenAct.APPROVE: _step("proposed", OpenState.APPROVED, _HEAD, "decision"),
    OpenAct.REFUSE: _step("proposed", OpenState.REFUSED, _HEAD, "words", "legal_text"),
    OpenAct.PLAN: _step("approved planned", OpenState.PLANNED, _OWNER, "publish_on"),
    OpenAct.OPEN: _step("approved planned suspended", OpenState.OPEN, _OWNER),
    OpenAct.REVIEW: _step("approved planned open refreshing suspended", None, (Role.LEADER, Role.OPERATOR)),
    OpenAct.REFRESH: _step("open", OpenState.REFRESHING, _ANY, "words"),
    OpenAct.REFRESHED: _step("refreshing", OpenState.OPEN, _OWNER),
    OpenAct.SUSPEND: _step("open refreshing", OpenState.SUSPENDED, _ANY, "words"),
    OpenAct.WITHDRAW: _step("proposed approved planned open refreshing suspended", OpenState.WITHDRAWN, (Role.DATA_OFFICER, Role.LEADER), "words"),
}  # fmt: skip
ACT_WORDS: Mapping[OpenAct, tuple[str, str]] = {
    OpenAct.PROPOSE: ("Đề xuất", "Propose"),
    OpenAct.APPROVE: ("Phê duyệt", "Approve"),
    OpenAct.REFUSE: ("Từ chối", "Refuse"),
    OpenAct.PLAN: ("Lập kế hoạch", "Plan"),
    OpenAct.OPEN: ("Mở dữ liệu", "Open"),
    OpenAct.REVIEW: ("Rà soát", "Review"),
    OpenAct.REFRESH: ("Yêu cầu cập nhật", "Ask for a refresh"),
    OpenAct.REFRESHED: ("Đã cập nhật", "Refreshed"),
    OpenAct.SUSPEND: ("Tạm dừng", "Suspend"),
    OpenAct.WITHDRAW: ("Rút khỏi danh mục", "Withdraw"),
}


@dataclass(frozen=True)
class OpenClocks:
    """Terms in months of the calendar."""

    review: int = 6
    refresh: int = 3


@dataclass(frozen=True)
class Due:
    """Something that must be done by a day (the last one). `what`: review, refresh, publish."""

    what: str
    by: date

    def is_overdue(self, today: date) -> bool:
        return self.by < today


DUE_WORDS: Mapping[str, tuple[str, str]] = {
    "review": ("rà soát danh mục", "review the list"),
    "refresh": ("cập nhật, hoàn thiện dữ liệu", "refresh the data"),
    "publish": ("công bố theo kế hoạch", "publish as planned"),
}


def follows(act: OpenAct, state: OpenState | None) -> OpenState | None:
    """The state an act leads to; None when it cannot be done from here."""
    step = STEPS[act]
    if state not in step.before:
        return None
    return step.after or state


def dues(
    state: OpenState, looked_at: date, state_since: date, publish_on: date | None, updated_on: date | None, promised_days: int | None,
    clocks: OpenClocks,
) -> tuple[Due, ...]:  # fmt: skip
    """What must be done with an entry and by when, nearest first.

    `looked_at`: the day of its last review, or of its approval. Open data is refreshed in the term, or as often as it promises where that is rarer.
    """
    found = []
    if state in LISTED:
        found.append(Due("review", months_after(looked_at, clocks.review)))
    if state is OpenState.REFRESHING:
        found.append(Due("refresh", months_after(state_since, clocks.refresh)))
    elif state is OpenState.OPEN:
        last = max(state_since, updated_on) if updated_on is not None else state_since
        promised = last + timedelta(days=promised_days) if promised_days is not None else date.min
        found.append(Due("refresh", max(months_after(last, clocks.refresh), promised)))
    if state is OpenState.PLANNED and publish_on is not None:
        found.append(Due("publish", publish_on))
    return tuple(sorted(found, key=lambda due: due.by))


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is no such day."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError  # every month has 28 days
