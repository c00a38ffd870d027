"""One pass of one sync: right, place, first fill, changes in order. Killed anywhere, the next pass goes on from where the copy itself says it is.

The entry of a delivery is committed before its rows leave; the place of the copy moves in the transaction of the rows. So what is delivered is in
the ledger, nothing is skipped, and rows sent twice have the effect of once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from lienthong.access import Decision, Register
from lienthong.clock import Clock, vietnam_date
from lienthong.connectors.row_hash import ARROW_KINDS, KEY
from lienthong.connectors.target import Delta, Place, TableTarget, TargetError, TargetMoved
from lienthong.connectors.target_postgresql import PostgresTarget
from lienthong.connectors.target_rest import RestTarget
from lienthong.connectors.target_tables import DriverTarget
from lienthong.contracts import Contract
from lienthong.errors import LienthongError, NotFound, QuotaExceeded, SyncError
from lienthong.ledger import Entry, Event, Signer
from lienthong.sharing.quota import count_delivery
from lienthong.sharing.sync_definitions import FOLDERS, SyncDefinition
from lienthong.sharing.sync_view import AgreedView, Reshaping, now_for, reshaping, right_now, view_of
from lienthong.store import Connection, Database, append_entries, dataset_lock, events
from lienthong.store import syncs as store
from lienthong.store.answers import STATE, Ask, read_changes
from lienthong.store.syncs import SyncState, ViewReader, reading

FILL_ROWS = 50_000
CHANGES = 5_000
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
OnStep = Callable[[str], None]


def no_step(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class SyncOffice:
    """What passes work with. `notice_days`: working days a new column is announced ahead."""

    database: Database
    contracts: Mapping[str, Contract]
    register: Register
    signer: Signer
    clock: Clock
    variables: Mapping[str, str]
    notice_days: int = 7
    on_step: OnStep = no_step


def work(office: SyncOffice, definition: SyncDefinition) -> SyncState:
    """Bring a copy up to date; gives how it stands then. What keeps it from that is in the state, in words, with the time of the next try.

    Raises DatasetBusyError when another process is at it.
    """
    from lienthong.sharing.sync_files import FileCourier  # noqa: PLC0415 # it is a courier too

    with office.database.connect(autocommit=True) as connection, dataset_lock(connection, f"sync {definition.id}"):
        kind = FileCourier if definition.kind in FOLDERS else Courier
        courier = kind(office, definition, connection)
        try:
            courier.work()
        except TargetMoved:  # the next pass begins from where the copy is now
            courier.note("following", next_try_at=office.clock())
        except QuotaExceeded as error:
            courier.wait(error)
        except LienthongError as error:
            courier.fail(error)
        found = store.state(connection, definition.id)
        assert found is not None  # every way out notes one
        return found


class Courier:
    """One pass of one sync into a table."""

    def __init__(self, office: SyncOffice, definition: SyncDefinition, connection: Connection) -> None:
        self.office = office
        self.definition = now_for(definition, office.register, office.clock())
        self.connection = connection
        self.contract = office.contracts[definition.dataset]
        self.before = store.state(connection, definition.id)

    def work(self) -> None:
        view = self.agreed()
        if view is None:
            return
        newest = self.newest()
        if newest == 0:
            self.note("filling", vi="Bộ dữ liệu chưa có phiên bản nào.", en="The dataset has no version yet.")
            return
        target = open_target(self.office, self.definition)
        try:
            self._keep(target, view, newest)
        finally:
            target.close()

    def agreed(self) -> AgreedView | None:
        """The agreed view; None when there is none to be delivered, which is then noted."""
        if self.definition.is_paused:
            self.note("paused", vi="Tạm nghỉ theo định nghĩa.", en="Paused by its definition.")
            return None
        decision = right_now(self.definition, self.contract, self.office.register, self.office.clock())
        if not decision.allowed:
            self._stop(decision)
            return None
        view = view_of(self.definition, self.contract, decision)
        if not view.fields or not view.right.sees_key(self.contract):
            self.note(
                "waiting",
                vi="Thỏa thuận không cho xem trọn khóa của bản ghi nên không giữ được bản sao bằng nhau.",
                en="The agreement does not show the records' key whole, and without it no copy can be kept equal.",
            )
            return None
        return view

    def newest(self) -> int:
        return store.newest_versions(self.connection, [self.contract.id]).get(self.contract.id, 0)

    def _keep(self, target: TableTarget, view: AgreedView, newest: int) -> None:
        from lienthong.sharing.sync_checking import reconcile  # noqa: PLC0415 # it works with couriers

        self.step("connected")
        place = target.place()
        if place is None:
            place = self._begin(target, view, newest)
        change = reshaping(place.columns, view.columns)
        if change.any:
            if not self._is_due(change):
                if change.breaks:
                    return
                view = view.within(place.columns)
            else:
                place = self._reshape(target, place, view, change)
        elif self.before is not None and self.before.announced:
            store.announce(self.connection, self.definition.id, None)
        with reading(self.office.database.url, view.store) as reader:
            if place.phase == "fill":
                place = self._fill(target, view, reader, place)
            place = self._follow(target, view, place)
            if place.view != view.digest:
                reconcile(self, target, view, reader, place, is_expected=True)
        self.note("following", version=place.version, worked_at=self.office.clock())

    def _begin(self, target: TableTarget, view: AgreedView, newest: int) -> Place:
        if target.holds_rows() and not self.definition.adopts:
            raise SyncError(
                f"`{self.definition.id}`: the table there holds rows that this sync did not write.",
                hint="Name another table, empty this one, or write `adopt: true` to have its rows made equal.",
                vi=f"`{self.definition.id}`: bảng ở đích đã có hàng không do đồng bộ này ghi.",
                hint_vi="Nêu tên bảng khác, làm rỗng bảng này, hoặc ghi `adopt: true` để các hàng ở đó được làm cho khớp.",
            )
        adopted = target.holds_rows()
        place = Place("feed" if adopted else "fill", newest, None, view.columns, "" if adopted else view.digest)
        target.begin(place)
        self.step("begun")
        return place

    # Columns

    def _is_due(self, change: Reshaping) -> bool:
        """Whether announced columns may change now; announces them first. What breaks waits for a person's word."""
        said: dict[str, Any] = {"add": [f"{c.name} {c.kind}" for c in change.add], "drop": list(change.drop)}
        announced = None if self.before is None else self.before.announced
        if announced is None or {name: announced.get(name) for name in said} != said:
            due = self.office.register.offices.add(vietnam_date(self.office.clock()), self.office.notice_days)
            announced = {**said, "due_on": due.isoformat()}
            with self.connection.transaction():
                self.note_quietly()
                store.announce(self.connection, self.definition.id, announced)
                told = {"consumer": self.definition.consumer, "sync": self.definition.id, **announced}
                events.append(self.connection, "schema:changed", self.contract.id, self.definition.id, told)
                self.append(Event.SYNC_ANNOUNCED, "announced", None, announced)
        if announced.get("accepted_by") or (
            not change.breaks and vietnam_date(self.office.clock()) >= date.fromisoformat(announced["due_on"])
        ):
            return True
        if change.breaks:
            self.note(
                "waiting",
                vi=f"Cột thay đổi: bỏ {', '.join(change.drop)}. Chờ người đồng ý: lienthong sync accept {self.definition.id}.",
                en=f"Columns change: {', '.join(change.drop)} will go. It waits for a person: lienthong sync accept {self.definition.id}.",
            )
        return False

    def _reshape(self, target: TableTarget, place: Place, view: AgreedView, change: Reshaping) -> Place:
        after = replace(place, columns=view.columns, view="" if place.phase == "feed" else view.digest)
        if place.phase == "fill":  # what is there lacks the new columns: begin again
            after = replace(after, phase="feed", key=None, view="")
        target.reshape(change.add, change.drop, place, after)
        self.step("reshaped")
        announced = {} if self.before is None else self.before.announced or {}
        details = {"add": [c.name for c in change.add], "drop": list(change.drop), "accepted_by": announced.get("accepted_by", "")}
        with self.connection.transaction():
            store.announce(self.connection, self.definition.id, None)
            self.append(Event.SYNC_RESHAPED, "changed", None, details)
        return after

    # Rows

    def _fill(self, target: TableTarget, view: AgreedView, reader: ViewReader, place: Place) -> Place:
        """Rows of one version in key order; the next are read while these are written."""
        with ThreadPoolExecutor(1, "read-ahead") as ahead:
            waiting = ahead.submit(reader.rows, place.version, place.key or "", FILL_ROWS)
            while place.phase == "fill":
                rows = waiting.result()
                if rows.num_rows < FILL_ROWS:
                    after = replace(place, phase="feed", key=None)
                else:
                    after = replace(place, key=rows.column(0)[-1].as_py())
                    waiting = ahead.submit(reader.rows, after.version, after.key or "", FILL_ROWS)
                shaped = view.shaped(rows)
                self.announce_delivery(view, Delta(shaped), after, "filling")
                target.load(shaped, place, after)
                self.step("loaded")
                place = after
        return place

    def _follow(self, target: TableTarget, view: AgreedView, place: Place) -> Place:
        """Changes after the place, in order, until there are none."""
        while True:
            newest = self.newest()
            if place.is_whole and place.version >= newest:
                return place
            begin = (place.version + 1, "") if place.key is None else (place.version, place.key)
            changed = read_changes(self.connection, Ask(self.contract.id, view.fields, view.right.conditions), *begin, newest, CHANGES)
            delta = _delta(view, changed)
            if len(changed) < CHANGES:
                after = replace(place, version=newest, key=None)
            else:
                after = replace(place, version=changed[-1][STATE + 1], key=changed[-1][STATE])
            if delta.rows.num_rows or delta.gone:
                self.announce_delivery(view, delta, after, "following")
            target.apply(delta, place, after)
            self.step("applied")
            place = after

    def announce_delivery(self, view: AgreedView, delta: Delta, after: Place, state: str) -> None:
        """Commit the entry of rows that are about to leave, counted where the agreement's quota counts them. Raises QuotaExceeded."""
        details = {"rows": delta.rows.num_rows, "gone": len(delta.gone), "phase": after.phase, "whole": after.is_whole}
        with self.connection.transaction():
            count_delivery(self.connection, view.right, vietnam_date(self.office.clock()))
            store.note_delivery(self.connection, self.definition.id, self.contract.id, self.definition.consumer, state, delta.rows.num_rows)
            self.append(Event.SYNC_DELIVERED, "sent", view, details, version=after.version, digest=_digest(delta))
        self.step("announced")

    # What is remembered

    def append(
        self,
        event: Event,
        outcome: str,
        view: AgreedView | None,
        details: Mapping[str, Any],
        *,
        version: int | None = None,
        digest: str = "",
    ) -> None:
        """The entry of an act of this sync, as the last statement of a transaction of `connection`."""
        definition = self.definition
        entry = Entry(
            at=self.office.clock(),
            event=event,
            caller=definition.consumer,
            official=definition.official,
            purpose=definition.purpose,
            legal_basis="" if view is None else view.right.legal_basis,
            agreement="" if view is None else view.right.agreement,
            dataset=self.contract.id,
            version=version,
            fields=() if view is None else view.fields,
            answer_digest=digest,
            outcome=outcome,
            details={"sync": definition.id, **details},
        )
        append_entries(self.connection, [entry], self.office.signer)

    def note(self, state: str, **more: Any) -> None:
        store.note(self.connection, self.definition.id, self.contract.id, self.definition.consumer, state, **more)

    def note_quietly(self) -> None:
        """That there is such a sync, when nothing is known of it yet."""
        if self.before is None:
            self.note("filling")

    def fail(self, error: LienthongError) -> None:
        """In words, and when it is tried again: later each time."""
        failures = 1 if self.before is None else self.before.failures + 1
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_WAIT_SECONDS)
        vi = str(error.facts.get("vi") or error.message)
        said = f"{error.message} {error.hint}".strip()
        self.note("failing", vi=vi, en=said, failures=failures, next_try_at=self.office.clock() + timedelta(seconds=wait))

    def wait(self, error: QuotaExceeded) -> None:
        """The quota counts what is delivered and there is none left: go on from here when there is."""
        seconds = int(error.facts.get("retry_after") or 1)
        state = store.state(self.connection, self.definition.id)
        vi = str(error.facts.get("vi") or error.message)
        self.note(
            "filling" if state is None else state.state,
            vi=vi,
            en=error.message,
            next_try_at=self.office.clock() + timedelta(seconds=seconds),
        )

    def step(self, name: str) -> None:
        self.office.on_step(name)

    def _stop(self, decision: Decision) -> None:
        """Nothing more is delivered; what the agreement demands of the copy is said."""
        vi_copies, en_copies = self._demanded(decision.agreement)
        vi = f"{decision.vi}. {vi_copies}"
        if self.before is not None and self.before.state == "stopped" and self.before.said_vi == vi:
            return
        with self.connection.transaction():
            self.note("stopped", vi=vi, en=f"{decision.en}. {en_copies}")
            told = {
                "consumer": self.definition.consumer,
                "sync": self.definition.id,
                "rule": decision.rule,
                "agreement": decision.agreement,
            }
            events.append(self.connection, "sync:stopped", self.contract.id, self.definition.id, told)
            self.append(Event.SYNC_STOPPED, decision.rule, None, {"agreement": decision.agreement})

    def _demanded(self, id: str) -> tuple[str, str]:
        agreement = next((a for a in self.office.register.agreements if a.id == id), None)
        said = "" if agreement is None else "; ".join(_parts_about_copies(agreement.document)) or agreement.retention
        if not said:
            return (
                "Bản sao: thỏa thuận không nêu; hỏi cơ quan cung cấp trước khi dùng tiếp.",
                "The copy: the agreement does not say; ask the provider before using it further.",
            )
        return f"Bản sao đã giữ: {said}.", f"The copy that is held: {said}."


def _parts_about_copies(document: Mapping[str, Any]) -> list[str]:
    """What an agreement's document says of copies after its term."""
    found = []
    for whole, part in (("storage", "after"), ("deletion", "method")):
        held = document.get(whole)
        said = held.get(part) if isinstance(held, Mapping) else None
        if isinstance(said, Mapping):
            said = said.get("vi") or next(iter(said.values()), None)
        if isinstance(said, str) and said.strip():
            found.append(said.strip().rstrip("."))
    return found


def open_target(office: SyncOffice, definition: SyncDefinition) -> TableTarget:
    """The target of a sync into a table or an endpoint. Raises TargetError in words."""
    options = definition.options(office.variables)
    if definition.kind == "postgresql":
        return PostgresTarget(definition.id, options)
    if definition.kind == "rest":
        return RestTarget(definition.id, options)
    return DriverTarget(definition.id, options)


def accept(office: SyncOffice, definition: SyncDefinition, official: str) -> None:
    """A person lets the announced columns change now. Raises NotFound when none are announced."""
    with office.database.connect(autocommit=True) as connection:
        found = store.state(connection, definition.id)
        if found is None or not found.announced:
            raise NotFound(
                f"`{definition.id}` has no change of columns that waits.", vi=f"`{definition.id}` không có thay đổi cột nào đang chờ."
            )
        with connection.transaction():
            announced = {**found.announced, "accepted_by": official}
            store.announce(connection, definition.id, announced)
            store.ask(connection, definition.id, "run", official)
            Courier(office, definition, connection).append(Event.SYNC_ANNOUNCED, "accepted", None, announced)


def _delta(view: AgreedView, changed: Sequence[tuple[Any, ...]]) -> Delta:
    """The last word of each key: its row within the view, or that it is gone."""
    last: dict[str, tuple[Any, ...] | None] = {}
    for op, is_within, was_within, key, _, _, *values in changed:
        if op != "e" and is_within:
            last[key] = tuple(values)
        elif was_within or key in last:
            last[key] = None
    rows = [(key, *values) for key, values in last.items() if values is not None]
    kinds = [pa.string(), *(ARROW_KINDS[kind] for kind in view.store.kinds)]
    names = [KEY, *view.fields]
    table = pa.Table.from_arrays([pa.array([row[n] for row in rows], kind) for n, kind in enumerate(kinds)], names=names)
    return Delta(view.shaped(table), [key for key, values in last.items() if values is None])


def _digest(delta: Delta) -> str:
    """Of what leaves: the rows as an Arrow stream, then the keys to be gone."""
    digest = hashlib.sha256()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, delta.rows.schema) as writer:
        writer.write_table(delta.rows)
    digest.update(sink.getvalue())
    digest.update("\x1f".join(delta.gone).encode())
    return digest.hexdigest()


def is_due(definition: SyncDefinition, known: SyncState | None, newest: int, at: datetime) -> bool:
    """Whether there is something to do for a sync: never worked, behind, or to be tried again."""
    del definition
    if known is None:
        return True
    if known.next_try_at is not None and known.next_try_at > at:
        return False
    return known.state in ("failing", "filling") or known.version is None or known.version < newest


__all__ = ["Courier", "SyncOffice", "TargetError", "accept", "is_due", "open_target", "work"]
