"""Outbound syncs as a duty of the worker: looks four times a second for what is due, and does it, a few syncs at a time.

One slow target keeps no other waiting. What persons ask for (run, check, repair) and the regular check come the same way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from lienthong.access import Register
from lienthong.errors import DatasetBusyError, LienthongError, SyncError
from lienthong.log import get_logger
from lienthong.sharing import syncing
from lienthong.sharing.register import RegisterReader
from lienthong.sharing.sync_checking import check
from lienthong.sharing.sync_definitions import SyncDefinition, load_syncs, sync_variables
from lienthong.sharing.sync_view import now_for, right_now
from lienthong.store import Connection
from lienthong.store import agreements as agreements_store
from lienthong.store import syncs as store
from lienthong.store.syncs import SyncState
from lienthong.web.register_watch import register_in

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop
    from lienthong.settings import Settings

SECONDS_BETWEEN_LOOKS = 0.25
AT_A_TIME = 4
log = get_logger("syncs")


def keep_in_step(settings: Settings, workshop: Workshop, reader: RegisterReader, ended: threading.Event) -> None:
    """Do what is due until told to end."""
    round = SyncRound(settings, workshop, reader)
    with ThreadPoolExecutor(AT_A_TIME, "sync") as pool, workshop.database.connect(autocommit=True) as connection:
        while not ended.is_set():
            for definition, what in round.due(connection):
                pool.submit(round.do, definition, what)
            ended.wait(SECONDS_BETWEEN_LOOKS)


@dataclass
class SyncRound:
    """What is known between two looks: definitions and agreements in force, and which syncs are at work."""

    settings: Settings
    workshop: Workshop
    reader: RegisterReader
    definitions: Mapping[str, SyncDefinition] = field(default_factory=dict)
    register: Register = field(default_factory=Register)
    _stamp: object = None
    _edge: int = -1
    _anew: set[str] = field(default_factory=set)  # to be looked at, whatever their state
    _at_work: set[str] = field(default_factory=set)

    def due(self, connection: Connection) -> list[tuple[SyncDefinition, str]]:
        """What is to be done now: (definition, run | check | repair). Each is then marked as being at work."""
        self._refresh(connection)
        states = store.states(connection)
        newest = store.newest_versions(connection, sorted({d.dataset for d in self.definitions.values()}))
        found = []
        for definition in self.definitions.values():
            if definition.id in self._at_work:
                continue
            what = self._wanted(definition, states.get(definition.id), newest.get(definition.dataset, 0))
            if what:
                self._at_work.add(definition.id)
                self._anew.discard(definition.id)
                found.append((definition, what))
        return found

    def do(self, definition: SyncDefinition, what: str) -> None:
        """One pass or one check, whatever comes of it told in the sync's state or the log."""
        office = office_of(self.settings, self.workshop, self.register)
        try:
            if what == "run":
                self._answered(definition, "run")
                syncing.work(office, definition)
            else:
                self._answered(definition, what)
                check(office, definition, repair=what == "repair")
        except DatasetBusyError:  # a command is at it
            pass
        except LienthongError as error:
            log.warning("sync_not_checked", sync=definition.id, code=error.code)
        except psycopg.Error as error:
            log.warning("sync_interrupted", sync=definition.id, error=error.sqlstate or type(error).__name__)
        except Exception as error:  # the next look tries again
            log.exception("sync_failed", sync=definition.id, error=type(error).__name__)
        finally:
            self._at_work.discard(definition.id)

    def _answered(self, definition: SyncDefinition, what: str) -> None:
        with self.workshop.database.connect(autocommit=True) as connection:
            store.answered(connection, definition.id, what)

    def _wanted(self, definition: SyncDefinition, known: SyncState | None, newest: int) -> str:
        at = self.workshop.clock()
        if known is not None and known.asked:
            return known.asked
        if definition.id in self._anew:
            return "run"
        if definition.is_paused or (known is not None and known.state == "waiting"):
            return ""  # until a person changes something
        contract = self.workshop.contracts[definition.dataset]
        is_allowed = right_now(now_for(definition, self.register, at), contract, self.register, at).allowed
        is_stopped = known is not None and known.state == "stopped"
        if is_allowed == is_stopped:
            return "run"
        if is_stopped:
            return ""
        if syncing.is_due(definition, known, newest, at) and (newest or known is None):
            return "run"
        return self._regular(known)

    def _regular(self, known: SyncState | None) -> str:
        hours = self.settings.sync_check_hours
        if not hours or known is None or known.state != "following":
            return ""
        is_old = known.checked_at is None or known.checked_at + timedelta(hours=hours) <= self.workshop.clock()
        return "repair" if is_old else ""

    def _refresh(self, connection: Connection) -> None:
        folder = Path(self.settings.syncs)
        stamp = _stamp(folder)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self.definitions = load_syncs(folder, self.workshop.contracts)
                self._anew = set(self.definitions)
            except SyncError as error:
                log.warning("syncs_not_taken", error=error.message)
        edge = agreements_store.edge(connection)
        if edge != self._edge:
            self.register = register_in(connection, self.reader, self.workshop.clock(), self.settings.environment)
            self._edge = edge
            self._anew = set(self.definitions)


def office_of(settings: Settings, workshop: Workshop, register: Register) -> syncing.SyncOffice:
    """What a pass works with under these settings."""
    return syncing.SyncOffice(
        workshop.database,
        workshop.contracts,
        register,
        workshop.signer,
        workshop.clock,
        sync_variables(os.environ),
        settings.sync_notice_working_days,
    )


def _stamp(folder: Path) -> object:
    found = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            facts = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        found.append((path.name, facts.st_mtime_ns, facts.st_size))
    return tuple(found)
