"""The life of an agreement: which act leads from which state to which, who may do it, what it must say, and by when.

Clocks are those of NĐ 47/2020 art. 35, 43 as offices keep them (the decree is repealed; the terms are settings), counted in working days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lienthong.access.agreement import State
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Sharing
from lienthong.standards.working_days import WorkingDays


class Act(StrEnum):
    """What is done to an agreement. `declare` is the operator's file; `lapse` is the platform's, when the term is over."""

    REQUEST = "request"
    DECLARE = "declare"
    PROPOSE = "propose"
    GRANT = "grant"
    REFUSE = "refuse"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"
    LAPSE = "lapse"
    CONFIRM_DESTRUCTION = "confirm_destruction"
    DEMAND_USAGE = "demand_usage"
    REPORT_USAGE = "report_usage"


ACT_NAMES: Mapping[Act, tuple[str, str]] = {  # Vietnamese, English
    Act.REQUEST: ("đề nghị", "requested"),
    Act.DECLARE: ("khai trong thư mục", "declared in the folder"),
    Act.PROPOSE: ("đề xuất chấp thuận", "grant proposed"),
    Act.GRANT: ("chấp thuận", "granted"),
    Act.REFUSE: ("từ chối", "refused"),
    Act.ACTIVATE: ("cho có hiệu lực", "put in force"),
    Act.SUSPEND: ("tạm dừng", "suspended"),
    Act.RESUME: ("cho chạy lại", "resumed"),
    Act.END: ("kết thúc", "ended"),
    Act.LAPSE: ("hết hạn", "lapsed"),
    Act.CONFIRM_DESTRUCTION: ("xác nhận đã xử lý bản sao", "copies confirmed"),
    Act.DEMAND_USAGE: ("yêu cầu báo cáo sử dụng", "usage report demanded"),
    Act.REPORT_USAGE: ("báo cáo sử dụng", "usage reported"),
}


class Side(StrEnum):
    """Whose act it is."""

    PROVIDER = "provider"
    CONSUMER = "consumer"
    EITHER = "either"


@dataclass(frozen=True)
class Step:
    """One act: from which states, to which (None: it stays), whose it is, and which words it must carry."""

    before: frozenset[State]
    after: State | None
    side: Side
    needs: tuple[str, ...] = ()


def _step(before: str, after: State | None, side: Side, *needs: str) -> Step:
    return Step(frozenset(State(word) for word in before.split()), after, side, needs)


STEPS: Mapping[Act, Step] = {
    Act.PROPOSE: _step("requested", None, Side.PROVIDER),
    Act.GRANT: _step("requested", State.GRANTED, Side.PROVIDER),
    Act.REFUSE: _step("requested", State.REFUSED, Side.PROVIDER, "reason", "legal_text"),
    Act.ACTIVATE: _step("granted", State.ACTIVE, Side.PROVIDER),
    Act.SUSPEND: _step("active", State.SUSPENDED, Side.PROVIDER, "reason"),
    Act.RESUME: _step("suspended", State.ACTIVE, Side.PROVIDER, "reason"),
    Act.END: _step("requested granted active suspended", State.ENDED, Side.EITHER, "reason", "copies"),
    Act.LAPSE: _step("granted active suspended", State.ENDED, Side.PROVIDER),
    Act.CONFIRM_DESTRUCTION: _step("ended", None, Side.CONSUMER, "reason"),
    Act.DEMAND_USAGE: _step("active suspended ended", None, Side.PROVIDER, "reason"),
    Act.REPORT_USAGE: _step("active suspended ended", None, Side.CONSUMER, "reason"),
}
STATE_WORDS: Mapping[State, tuple[str, str]] = {
    State.REQUESTED: ("đang chờ trả lời", "requested"),
    State.GRANTED: ("đã chấp thuận", "granted"),
    State.ACTIVE: ("đang có hiệu lực", "active"),
    State.SUSPENDED: ("đang tạm dừng", "suspended"),
    State.ENDED: ("đã kết thúc", "ended"),
    State.REFUSED: ("đã từ chối", "refused"),
}


@dataclass(frozen=True)
class Clocks:
    """Terms in working days, but `reminder_days`, which are days of the calendar."""

    answer: int = 2  # of a request for data shared by default
    answer_other: int = 10  # of any other request
    stop_notice: int = 7
    usage: int = 5
    reminder_days: int = 30
    destruction_days: int = 30


def follows(act: Act, state: State) -> State | None:
    """The state an act leads to; None when it cannot be done from here."""
    step = STEPS.get(act)
    if step is None or state not in step.before:
        return None
    return step.after or state


def answer_due(contract: Contract | None, requested_at: datetime, offices: WorkingDays, clocks: Clocks) -> date:
    """The last day to grant or refuse."""
    is_default = contract is not None and contract.sharing in (Sharing.DEFAULT, Sharing.OPEN)
    return offices.add(vietnam_date(requested_at), clocks.answer if is_default else clocks.answer_other)


def earliest_stop(announced_at: datetime, offices: WorkingDays, clocks: Clocks) -> date:
    """The first day on which a stop announced now may begin."""
    return offices.add(vietnam_date(announced_at), clocks.stop_notice)
