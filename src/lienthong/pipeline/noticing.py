"""Breaking changes of contracts: announced to whoever reads, both versions answered while the notice runs, the old one ended by itself (ADR 37)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, LiveContracts, Retiring, Verdict, compare, verdict
from lienthong.contracts.load import build
from lienthong.contracts.noticing import Notice, in_force, merged, removed_fields
from lienthong.errors import Conflict, LienthongError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.log import get_logger
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.standards.working_days import WorkingDays
from lienthong.store import Connection, agreements, append_entries, changing, events, tables

LONGEST = timedelta(days=400)
log = get_logger("noticing")


def announce(workshop: Workshop, contract: Contract, reason: str, by: str, earliest: date, ends_on: date | None = None) -> Notice:
    """Begin the notice of a breaking change. `earliest`: the first day the old version may end; it does then unless a later one is given.

    Where only fields go, the new version is in force at once beside them; else on the day the notice ends. Raises Conflict when nothing breaks, a notice
    runs already or the major version is not raised, Unprocessable for a day too early, UnsafeMigration where the tables could not be carried over.
    """
    at = workshop.clock()
    last_day = ends_on or earliest
    if not reason.strip():
        raise Unprocessable("A notice says why.", vi="Thông báo phải nêu lý do.")
    if not earliest <= last_day <= vietnam_date(at) + LONGEST:
        raise Unprocessable(f"The old version can end on {earliest.isoformat()} at the earliest.", vi=f"Sớm nhất là {earliest:%d/%m/%Y}.")
    with workshop.database.connect() as connection:
        changing.lock(connection, contract.id)
        if any(each.dataset == contract.id for each in changing.running(connection)):
            raise Conflict(f"A notice of `{contract.id}` runs already.", vi="Đang có thông báo thay đổi của bộ dữ liệu này.")
        old = _applied(connection, contract)
        changes = compare(old, contract)
        if verdict(changes) is not Verdict.BREAKING:
            raise Conflict(
                f"Nothing of `{contract.id}` breaks what readers wrote.",
                hint="lienthong contract apply",
                vi="Thay đổi này không cần thông báo.",
            )
        if int(contract.version.split(".")[0]) <= int(old.version.split(".")[0]):
            raise Conflict(
                f"`{contract.id}`: {old.version} → {contract.version}, and readers may break: the first number must rise.",
                hint="lienthong contract edit … --raise major", vi="Thay đổi phá vỡ: phải nâng số phiên bản đầu tiên.",
            )  # fmt: skip
        retires = removed_fields(old, contract)
        number = changing.announce(
            connection, contract.id, old.document, contract.document, contract.version, retires, at, by, reason.strip(), last_day
        )
        notice = Notice(number, old, contract, Retiring(at, last_day, contract.version, retires))
        if notice.is_side_by_side:
            tables.apply_tables(connection, merged(old, contract))
        else:
            tables.migration_of(connection, contract)  # what could not be done on the last day is refused today
        details = {"notice": number, "from": old.version, "to": contract.version, "ends_on": last_day.isoformat(), "retires": list(retires), "changes": [change.what for change in changes if change.verdict is Verdict.BREAKING]}  # fmt: skip
        events.append(connection, "schema:announced", contract.id, str(number), details)
        agreements.move_edge(connection)
        entry = Entry(at, Event.CONTRACT_NOTICED, PLATFORM, by, dataset=contract.id, outcome="announced", details=details)
        append_entries(connection, [entry], workshop.signer)
    return notice


def withdraw(workshop: Workshop, dataset: str, reason: str, by: str) -> Notice:
    """Take back a change that was announced: the old version goes on alone. What the new one brought beside it stays in the tables, as history.

    Raises Conflict where no notice runs or its day has come, Unprocessable without a reason.
    """
    at = workshop.clock()
    if not reason.strip():
        raise Unprocessable("Taking a notice back says why.", vi="Rút thông báo phải nêu lý do.")
    with workshop.database.connect() as connection:
        changing.lock(connection, dataset)
        notice = next((each for each in _running(connection) if each.new.id == dataset), None)
        if notice is None:
            raise Conflict(f"No notice of `{dataset}` runs.", vi="Không có thông báo thay đổi nào đang chạy.")
        if notice.retiring.ends_on <= vietnam_date(at):
            raise Conflict(f"The notice of `{dataset}` has come to its day: the new version is answered.", vi="Thông báo đã đến ngày: phiên bản mới đã có hiệu lực.")  # fmt: skip
        leaves = removed_fields(notice.new, notice.old) if notice.is_side_by_side else ()
        changing.withdraw(connection, notice.number, at, by, reason.strip(), leaves)
        if notice.is_side_by_side:
            tables.keep_retired(connection, notice.old, leaves, notice.number)
            tables.apply_tables(connection, notice.old)
        details = {"notice": notice.number, "stays": notice.old.version, "withdrawn": notice.new.version, "leaves": list(leaves)}
        events.append(connection, "schema:withdrawn", dataset, str(notice.number), details)
        agreements.move_edge(connection)
        entry = Entry(at, Event.CONTRACT_NOTICE_WITHDRAWN, PLATFORM, by, dataset=dataset, outcome="withdrawn", details=details)
        append_entries(connection, [entry], workshop.signer)
    return notice


def end_due(workshop: Workshop) -> list[int]:
    """End every notice whose last day has come: from now on the new version alone is answered. What went stays in the tables, as history."""
    at = workshop.clock()
    ended = []
    with workshop.database.warm() as connection:
        due = [each for each in changing.running(connection) if each.ends_on <= vietnam_date(at)]
    for each in due:
        try:
            with workshop.database.connect() as connection:
                changing.lock(connection, each.dataset)
                if not changing.end(connection, each.notice, at):
                    continue
                contract = build(each.new, each.dataset)
                tables.keep_retired(connection, contract, each.retires, each.notice)
                applied = tables.apply_tables(connection, contract)
                details = {
                    "notice": each.notice,
                    "contract_version": contract.version,
                    "contract_digest": contract.digest,
                    "retires": each.retires,
                }
                events.append(connection, "schema:changed", each.dataset, str(each.notice), {"notice": each.notice, "version": contract.version, "retires": each.retires})  # fmt: skip
                agreements.move_edge(connection)
                entry = Entry(at, Event.CONTRACT_APPLIED, PLATFORM, dataset=each.dataset, outcome=applied.outcome, details=details)
                append_entries(connection, [entry], workshop.signer)
            ended.append(each.notice)
        except LienthongError as error:  # a person must see to it; the old version is answered on, and the others go on
            log.warning("notice_not_ended", notice=each.notice, error=error.code)
    return ended


def running(workshop: Workshop) -> list[Notice]:
    """Notices that run."""
    with workshop.database.connect() as connection:
        return _running(connection)


def beside(contracts: Mapping[str, Contract], connection: Connection, today: date) -> dict[str, Contract]:
    """The contracts of the folder as they are in force: where a notice runs, both versions, or the old one."""
    notices = {notice.new.id: notice for notice in _running(connection)}
    return {name: in_force(notices[name], today) if name in notices else contract for name, contract in contracts.items()}


def take_up(workshop: Workshop) -> list[str]:
    """Put in force, in this process, what notices begun or ended by any process mean; the datasets whose contract is another now."""
    if not isinstance(workshop.contracts, LiveContracts):
        return []
    today = vietnam_date(workshop.clock())
    with workshop.database.warm() as connection:
        if not changing.newest(connection) and not any(c.retiring for c in workshop.contracts.values()):
            return []
        notices = {notice.new.id: notice for notice in _running(connection)}
        over = {
            c.id: held.document
            for c in workshop.contracts.values()
            if c.retiring and c.id not in notices and (held := changing.applied(connection, c.id))
        }
    found = {name: in_force(notice, today) for name, notice in notices.items() if name in workshop.contracts}
    found |= {name: build(document, name) for name, document in over.items()}
    changed = [name for name, contract in found.items() if contract != workshop.contracts[name]]
    for name in changed:
        workshop.contracts.add(found[name])
    return changed


def earliest_end(workshop: Workshop, offices: WorkingDays, working_days: int) -> date:
    """The first day a version may end whose end is announced now."""
    return offices.add(vietnam_date(workshop.clock()), working_days)


def _running(connection: Connection) -> list[Notice]:
    return [
        Notice(each.notice, build(each.old, each.dataset), build(each.new, each.dataset), Retiring(each.announced_at, each.ends_on, each.version, tuple(each.retires)))
        for each in changing.running(connection)
    ]  # fmt: skip


def _applied(connection: Connection, contract: Contract) -> Contract:
    held = changing.applied(connection, contract.id)
    if held is None:
        raise Conflict(
            f"`{contract.id}` is not applied yet: nobody reads it.", hint="lienthong contract apply", vi="Bộ dữ liệu chưa được áp dụng."
        )
    return build(held.document, f"{contract.id}, as applied")
