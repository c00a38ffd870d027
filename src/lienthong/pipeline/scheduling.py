"""Sources read when their contracts say so: each due time once, missed ones caught up by the newest, passing faults tried again.

What is to be done stands in a table of due times (ADR 27: duties, not jobs); whoever takes one has it alone, and the dataset's own lock keeps
a run begun by hand apart. A fault that passes (no answer, a time-out, a source not there yet) is tried again after 1, 5, 15, 60, 240 minutes;
a fault that stays (a wrong form, a password refused) is told at once and tried at the next due time.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import psycopg

from lienthong import quality
from lienthong.errors import DatabaseUnreachable, DatasetBusyError, HostileInputError, LienthongError
from lienthong.log import get_logger
from lienthong.pipeline.run import run_dataset
from lienthong.pipeline.workshop import RunOutcome, Workshop
from lienthong.store import schedules
from lienthong.store.schedules import Due

log = get_logger("schedule")
BUSY = timedelta(minutes=1)
PASSING = (
    OSError,
    httpx.TransportError,
    psycopg.OperationalError,
    DatabaseUnreachable,
    EOFError,
)  # sockets, time-outs, files not there yet


def take_up(workshop: Workshop) -> int:
    """Take up tries that were cut off; for who begins as the only one at work."""
    with workshop.database.connect() as connection:
        return schedules.take_up_cut_off(connection)


def run_due(workshop: Workshop) -> int:
    """Call for what is due and run it, one after another; how many were tried."""
    now = workshop.clock()
    with workshop.database.connect() as connection:
        for contract in list(workshop.contracts.values()):
            if contract.schedule is not None:
                due = quality.newest_due(contract.schedule, now, workshop.offices)
                late = due + timedelta(hours=contract.schedule.grace_hours)
                for source in contract.sources:
                    schedules.call(connection, contract.id, source.name, due, late, now)
    tried = 0
    while True:
        with workshop.database.connect() as connection:
            taken = schedules.take(connection, workshop.clock())
        if taken is None:
            return tried
        _try(workshop, taken)
        tried += 1


def _try(workshop: Workshop, due: Due) -> None:
    contract = workshop.contracts.get(due.dataset_id)
    if contract is None or due.source_name not in [source.name for source in contract.sources]:
        _settle(workshop, due, "missed", error="not_found")
        return
    try:
        outcome = run_dataset(workshop, contract, due.source_name)
    except DatasetBusyError:
        with workshop.database.connect() as connection:
            schedules.put_back(connection, due, workshop.clock() + BUSY)
    except LienthongError as error:
        _failed(workshop, due, error)
    else:
        _came(workshop, due, outcome)


def _came(workshop: Workshop, due: Due, outcome: RunOutcome) -> None:
    """What lay there may be the last delivery still: the new one has not come, and is looked for again."""
    with workshop.database.connect() as connection:
        is_the_last = outcome.state == "unchanged" and not schedules.landed(connection, outcome.run_id)
    if is_the_last:
        _again(workshop, due, "same", outcome.run_id, None)
    else:
        _settle(workshop, due, "come", outcome.run_id)


def _failed(workshop: Workshop, due: Due, error: LienthongError) -> None:
    log.warning("scheduled_run_failed", dataset=due.dataset_id, source=due.source_name, code=error.code, attempt=due.attempts)
    if is_passing(error):
        _again(workshop, due, "failed", None, error.code)
    else:
        _settle(workshop, due, "failed", error=error.code)


def _again(workshop: Workshop, due: Due, state: str, run_id: int | None, code: str | None) -> None:
    """Wait for the next try, or give up with `state`."""
    wait = quality.retry_after(due.attempts)
    if wait is None:
        _settle(workshop, due, state, run_id, code)
        return
    with workshop.database.connect() as connection:
        schedules.settle(connection, due, "waiting", run_id=run_id, error=code or state, next_at=workshop.clock() + wait)


def _settle(workshop: Workshop, due: Due, state: str, run_id: int | None = None, error: str | None = None) -> None:
    with workshop.database.connect() as connection:
        schedules.settle(connection, due, state, run_id=run_id, error=error, ended_at=workshop.clock())


def is_passing(error: BaseException) -> bool:
    """Whether an error, or what it came from, is of a kind that passes. What could do harm, and what is wrong in itself, is not."""
    if isinstance(error, HostileInputError):
        return False
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, PASSING) and not isinstance(seen, PermissionError):
            return True
        seen = seen.__cause__ or seen.__context__
    return bool(getattr(error, "facts", {}).get("has_not_come"))
