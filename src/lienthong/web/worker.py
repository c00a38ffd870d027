"""The process beside the server that does what nobody waits for: one thread a duty (`web.duties`), each under a lock of its name.

Several servers over one database have one each; a duty runs in one of them at a time. An error is told and the duty goes on.
"""

from __future__ import annotations

import threading

import psycopg

from lienthong.errors import DatasetBusyError
from lienthong.log import get_logger
from lienthong.store import Database, dataset_lock
from lienthong.web.companion import begin
from lienthong.web.duties import DUTIES, Duty, Office
from lienthong.web.services import make_workshop

SECONDS_TO_NEXT_TRY = 2.0
log = get_logger("worker")


def work(office: Office, duties: tuple[Duty, ...], ended: threading.Event) -> None:
    """Do all duties until told to end; returns when each has come to a stop."""
    threads = [threading.Thread(target=_keep, args=(office, duty, ended), name=duty.name) for duty in duties]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep(office: Office, duty: Duty, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            with office.workshop.database.connect(autocommit=True) as connection, dataset_lock(connection, f"duty {duty.name}"):
                duty.do(office, ended)
        except DatasetBusyError:  # another server's worker does it
            pass
        except Exception as error:  # whatever it was, the other duties and the next try must go on
            log.warning("duty_failed", duty=duty.name, error=type(error).__name__, at=_place(error))
        ended.wait(SECONDS_TO_NEXT_TRY)


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
    work(Office(settings, make_workshop(settings, database)), DUTIES, ended)


if __name__ == "__main__":
    main()
