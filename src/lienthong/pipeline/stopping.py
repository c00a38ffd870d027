"""Stops of a dataset for all its users: announced working days ahead with the time it answers again, or forced (NĐ 47/2020 art. 43, repealed; kept)."""

from __future__ import annotations

from datetime import datetime, timedelta

from lienthong.access import Actor, Role, Stop, earliest_stop
from lienthong.clock import vietnam_date
from lienthong.errors import Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.agreeing import AgreementRules
from lienthong.pipeline.workshop import Workshop
from lienthong.store import agreements as store
from lienthong.store import append_entries, events

LONGEST = timedelta(days=31)


def announce(
    workshop: Workshop, rules: AgreementRules, actor: Actor, dataset: str, provider: str, begins_at: datetime, ends_at: datetime, reason: str,
    *, is_forced: bool = False,
) -> int:  # fmt: skip
    """Announce a stop; gives its number. In force by itself when its time comes.

    Raises Denied for who does not own the dataset, Unprocessable when it comes too soon (unless forced), is over, or too long.
    """
    at = workshop.clock()
    _require_owner(actor, provider)
    if not reason.strip():
        raise Unprocessable("A stop needs a reason.", vi="Cần nêu lý do tạm dừng.")
    if ends_at <= max(begins_at, at) or ends_at - begins_at > LONGEST:
        raise Unprocessable(
            f"A stop ends after it begins, in the future, and lasts at most {LONGEST.days} days.",
            vi=f"Thời điểm khôi phục phải sau thời điểm dừng, ở tương lai, và đợt dừng dài nhất {LONGEST.days} ngày.",
        )
    earliest = earliest_stop(at, rules.offices, rules.clocks)
    if not is_forced and vietnam_date(begins_at) < earliest:
        raise Unprocessable(
            f"A planned stop is announced {rules.clocks.stop_notice} working days ahead: not before {earliest.isoformat()}.",
            hint="When it cannot wait, say that it is forced, and why.",
            vi=f"Phải thông báo trước {rules.clocks.stop_notice} ngày làm việc: sớm nhất là {earliest:%d/%m/%Y}.",
            hint_vi="Nếu không thể chờ, hãy nêu là bất khả kháng và lý do.",
        )
    with workshop.database.connect() as connection:
        stop = Stop(0, dataset, max(begins_at, at) if is_forced else begins_at, ends_at, is_forced)
        number = store.add_stop(connection, stop, provider, reason.strip(), actor.name, at)
        store.move_edge(connection)
        details = {"stop": number, "begins_at": stop.begins_at.isoformat(), "ends_at": ends_at.isoformat(), "forced": is_forced}
        events.append(connection, "stop:planned", dataset, str(number), details)
        entry = Entry(
            at, Event.STOP_ANNOUNCED, actor.subsystem or actor.agency or "platform", actor.name, dataset=dataset, outcome="announced",
            details=details,
        )  # fmt: skip
        append_entries(connection, [entry], workshop.signer)
    return number


def withdraw(workshop: Workshop, actor: Actor, provider: str, stop: int, reason: str) -> None:
    """The stop does not take place, or is over early. Raises NotFound when there is no such stop still to come or under way."""
    at = workshop.clock()
    _require_owner(actor, provider)
    if not reason.strip():
        raise Unprocessable("Withdrawing a stop needs a reason.", vi="Cần nêu lý do rút thông báo dừng.")
    with workshop.database.connect() as connection:
        dataset = store.withdraw_stop(connection, stop, provider, reason.strip(), at)
        if dataset is None:
            raise NotFound(f"No stop {stop} of your agency is to come or under way.", vi=f"Không có đợt dừng {stop} của cơ quan bạn.")
        store.move_edge(connection)
        events.append(connection, "stop:withdrawn", dataset, str(stop), {"stop": stop})
        entry = Entry(
            at, Event.STOP_WITHDRAWN, actor.subsystem or actor.agency or "platform", actor.name, dataset=dataset, outcome="withdrawn",
            details={"stop": stop},
        )  # fmt: skip
        append_entries(connection, [entry], workshop.signer)


def _require_owner(actor: Actor, provider: str) -> None:
    if not (actor.is_of(provider) and actor.may(Role.DATA_OFFICER, Role.LEADER)) and not actor.may(Role.OPERATOR):
        raise Denied(
            "Only the owner of the data, or the platform's operator, may do this.",
            rule="not_the_owner",
            vi="Chỉ cơ quan chủ quản dữ liệu hoặc người vận hành nền tảng được làm việc này.",
        )
