"""Watched sources: a dataset is taken in when something new lies where its agency delivers.

What is there is looked at without reading it (names, sizes and times of files; whether a stream has messages). What was seen last is in
memory alone: after a restart each source is run once, and a delivery published before is recognised by its content.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lienthong import connectors
from lienthong.contracts import Contract, Source
from lienthong.errors import DatasetBusyError, LienthongError
from lienthong.log import get_logger
from lienthong.pipeline.run import run_dataset
from lienthong.pipeline.workshop import RunOutcome, Workshop
from lienthong.store import runs

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
AT_A_TIME = 4
log = get_logger("sources")


@dataclass
class _Seen:
    """What lay there when it was last run, and when it may be tried again although nothing has changed."""

    sign: str | None = None
    failures: int = 0
    not_before: datetime | None = None
    trouble: str = ""


@dataclass
class Watch:
    """Looks at all watched sources of the contracts in force, several at once."""

    workshop: Workshop
    _seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    _at_work: dict[tuple[str, str], Future[RunOutcome | None]] = field(default_factory=dict)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_A_TIME, "watched"))

    def look(self, patience_seconds: float | None = None) -> list[RunOutcome]:
        """Run what has something new; what came of it within so long (None: until all is done).

        A source that cannot be looked at or run is told in the log and stops no other; one still at work is left to it.
        """
        for contract in list(self.workshop.contracts.values()):
            for source in contract.sources:
                key = (contract.id, source.name)
                if connectors.is_watched(source) and key not in self._at_work:
                    self._at_work[key] = self._pool.submit(self._take, contract, source)
        done, _ = wait(self._at_work.values(), patience_seconds)
        self._at_work = {key: future for key, future in self._at_work.items() if future not in done}
        return [outcome for outcome in (future.result() for future in done) if outcome is not None]

    def _take(self, contract: Contract, source: Source) -> RunOutcome | None:
        seen = self._seen.setdefault((contract.id, source.name), _Seen())
        now = self.workshop.clock()
        try:
            sign = self._sign(contract, source)
        except LienthongError as error:
            self._tell(seen, contract, source, error)
            return None
        if sign is None or (sign == seen.sign and (seen.not_before is None or now < seen.not_before)):
            return None
        try:
            outcome = run_dataset(self.workshop, contract, source.name)
        except DatasetBusyError:
            return None
        except LienthongError as error:
            wait = min(FIRST_WAIT * 2**seen.failures, LONGEST_WAIT) if sign == seen.sign else FIRST_WAIT
            seen.failures = seen.failures + 1 if sign == seen.sign else 1
            seen.sign, seen.not_before = sign, now + wait
            self._tell(seen, contract, source, error)
            return None
        seen.sign, seen.failures, seen.not_before, seen.trouble = sign, 0, None, ""
        return outcome

    def _sign(self, contract: Contract, source: Source) -> str | None:
        """What lies there; None when there is nothing to take. Messages that wait are always new."""
        with self.workshop.database.connect() as connection:
            done = runs.last_done(connection, contract.id, source.name)
        return connectors.sign_of(source, self.workshop.read_context, None if done is None else done.position)

    def _tell(self, seen: _Seen, contract: Contract, source: Source, error: LienthongError) -> None:
        """Once for each trouble: the next looks find the same."""
        if seen.trouble != error.message:
            log.warning("watched_source_not_taken", dataset=contract.id, source=source.name, code=error.code)
            seen.trouble = error.message
