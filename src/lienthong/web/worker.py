"""The process beside the server that does what nobody waits for: one thread a duty (`web.duties`), each under a lock of its name.

Several servers over one database have one each; a duty runs in one of them at a time. An error is told and the duty goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import psycopg

from lienthong.errors import DatabaseUnreachable, DatasetBusyError, LienthongError
from lienthong.log import get_logger
from lienthong.memory import keep_what_is_loaded
from lienthong.store import Database, dataset_lock
from lienthong.store.alerts import beat
from lienthong.store.operating import note_failure
from lienthong.web.companion import begin
from lienthong.web.duties import DUTIES, SECONDS_BETWEEN_BEATS, Duty, Office
from lienthong.web.services import make_workshop

SECONDS_TO_NEXT_TRY = 2.0
LONGEST_TO_NEXT_TRY = 60.0  # of a duty that fails again and again: what is wrong is put right by people
log = get_logger("worker")


def work(office: Office, duties: tuple[Duty, ...], ended: threading.Event) -> None:
    """Do all duties until told to end; returns when each has come to a stop."""
    threads = [threading.Thread(target=_keep, args=(office, duty, ended), name=duty.name) for duty in duties]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep(office: Office, duty: Duty, ended: threading.Event) -> None:
    seen = _seen(office, duty.name)
    office = replace(office, beat=seen)
    failures = 0
    while not ended.is_set():
        began = time.monotonic()
        try:
            with office.workshop.database.connect(autocommit=True) as connection, dataset_lock(connection, f"duty {duty.name}"):
                seen()
                duty.do(office, ended)
        except DatasetBusyError:  # another server's worker does it
            pass
        except Exception as error:  # whatever it was, the other duties and the next try must go on
            is_new = time.monotonic() - began > LONGEST_TO_NEXT_TRY or isinstance(error, psycopg.Error | DatabaseUnreachable)
            failures = 1 if is_new else failures + 1  # a database that was away is asked again soon
            log.warning("duty_failed", duty=duty.name, error=type(error).__name__, at=_place(error))
            _note_failure(office, duty.name, f"{type(error).__name__} {_place(error)}".strip())
        ended.wait(seconds_to_next_try(failures))


def seconds_to_next_try(failures: int) -> float:
    """How long a duty waits that has failed so many times one after the other."""
    return min(SECONDS_TO_NEXT_TRY * 2.0 ** min(max(failures - 1, 0), 10), LONGEST_TO_NEXT_TRY)


def _seen(office: Office, name: str) -> Callable[[], None]:
    """Says, not more often than is worth a write, that the duty is at work."""
    last = float("-inf")

    def seen() -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_BEATS:
            with office.workshop.database.warm() as connection:
                beat(connection, name, office.workshop.clock())
            last = time.monotonic()

    return seen


def _note_failure(office: Office, name: str, what: str) -> None:
    """For who looks at the duties; where the database is away there is nobody to tell."""
    with suppress(psycopg.Error, LienthongError), office.workshop.database.connect() as connection:
        note_failure(connection, name, office.workshop.clock(), what)


def _place(error: BaseException) -> str:
    """Where it was raised; what it says may hold personal data and is not told."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate or ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"


def main() -> None:
    """The process: until the pipe from the server is closed."""
    settings, ended = begin()
    database = Database(settings.database_url)
    office = Office(settings, make_workshop(settings, database))
    keep_what_is_loaded()
    work(office, DUTIES, ended)


if __name__ == "__main__":
    main()
