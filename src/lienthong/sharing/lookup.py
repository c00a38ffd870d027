"""Look-ups of the same moment share one query, and go on together to the ledger: what gathers while one is under way is the next.

A look-up waits once: its answer is made and its entry handed to the ledger where the rows come in, and only the commit lets it go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from time import perf_counter
from typing import NamedTuple

from lienthong.clock import Clock
from lienthong.ledger import SubjectKey
from lienthong.sharing.exchanges import FAILED, NONE_THERE, Carried, LookedUp, Tell
from lienthong.sharing.ledger_writer import Held, Waiter, Writer
from lienthong.sharing.plans import Plan, Row
from lienthong.store.hot import HotStore

_DIGEST_OF_NOTHING = sha256(b"").hexdigest()


Shape = tuple[str, tuple[str, ...]]  # a dataset and its columns: what a contract of now makes of them


class Found(NamedTuple):
    """An answer whose entry is committed."""

    body: bytes
    version: int
    retiring: tuple[tuple[str, str], ...] = ()  # headers of a version that ends


class _Asked(NamedTuple):
    plan: Plan
    key: str
    official: str
    done: Waiter[Found | None]
    began: float
    carried: Carried | None


class _Last:
    """The waiter of a batch's last look-up: lets it go, and then tells of the whole batch."""

    __slots__ = ("_done", "_tell", "_told")

    def __init__(self, done: Waiter[Found | None], told: list[LookedUp], tell: Tell) -> None:
        self._done = done
        self._told = told
        self._tell = tell

    def done(self) -> bool:
        return False  # who asked may have gone; the batch is told of all the same

    def set_result(self, result: Found | None, /) -> None:
        if not self._done.done():
            self._done.set_result(result)
        self._tell(self._told, perf_counter())

    def set_exception(self, error: BaseException, /) -> None:
        if not self._done.done():
            self._done.set_exception(error)
        self._tell([(*looked_up[:5], FAILED) for looked_up in self._told], perf_counter())


@dataclass
class _Waiting:
    asked: list[_Asked] = field(default_factory=list)
    is_busy: bool = False


class LookUps:
    """Gives records by key, each with its entry in the ledger; never two queries of one dataset at the same time."""

    def __init__(
        self,
        store: HotStore,
        ledger: Writer,
        clock: Clock,
        subject_key: bytes,
        tell: Tell = lambda _, __: None,
    ) -> None:
        self._tell = tell
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._subject = SubjectKey(subject_key).hash
        self._waiting: dict[Shape, _Waiting] = {}
        self._delivered: dict[str, dict[int, frozenset[str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, plan: Plan, key: str, official: str, carried: Carried | None = None) -> asyncio.Future[Found | None]:
        """The record of a key among those the plan lets see, None when there is none; done when its entry is committed.

        Fails with the database's error when a statement fails, with LedgerError when the entry cannot be kept.
        """
        done: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self.ask_for(done, plan, key, official, carried)
        return done

    def ask_for(self, done: Waiter[Found | None], plan: Plan, key: str, official: str, carried: Carried | None = None) -> None:
        """The same for whoever waits."""
        waiting = self._waiting.get(plan.shape)
        if waiting is None:
            waiting = self._waiting[plan.shape] = _Waiting()
        waiting.asked.append(_Asked(plan, key, official, done, perf_counter(), carried))
        if not waiting.is_busy:
            waiting.is_busy = True
            task = asyncio.get_running_loop().create_task(self._fetch(plan.shape, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fetch(self, shape: Shape, waiting: _Waiting) -> None:
        dataset_id, columns = shape
        try:
            while waiting.asked:
                await asyncio.sleep(0)  # a turn of the loop: requests that have arrived come along instead of waiting for the next query
                batch, waiting.asked = waiting.asked, []
                try:
                    keys = list({asked.key for asked in batch})
                    found = await self._store.rows_by_key(dataset_id, columns, keys)
                    delivered = await self._delivered_by(dataset_id, {row[1] for row in found})
                except Exception as error:  # each who waits hears of it
                    for asked in batch:
                        if not asked.done.done():
                            asked.done.set_exception(error)
                    self._tell(
                        [(asked.plan, asked.key, asked.official, asked.began, asked.carried, FAILED) for asked in batch], perf_counter()
                    )
                    continue
                self._answer(batch, {row[0]: row for row in found}, delivered)
        finally:
            waiting.is_busy = False

    async def _delivered_by(self, dataset_id: str, versions: set[int]) -> Mapping[int, frozenset[str]]:
        """Version → the properties its source delivered. A version never changes, so it is read once."""
        known = self._delivered.get(dataset_id, {})
        if not versions <= known.keys():
            known = self._delivered[dataset_id] = await self._store.delivered_columns(dataset_id)
        return known

    def _answer(self, batch: Sequence[_Asked], rows: Mapping[str, Row], delivered: Mapping[int, frozenset[str]]) -> None:
        """Make the answers of a batch and hand them, with their entries, to the ledger. Its entries tell of one moment."""
        at = self._clock().isoformat()
        held: list[Held[Found | None]] = []
        told: list[LookedUp] = []
        for plan, key, official, done, began, carried in batch:
            try:
                row = rows.get(key)
                given, missing = plan.forms(official)
                subject = self._subject(plan.dataset, key)
                if row is None or not plan.lets_see(row):
                    held.append((missing.fill(at, None, subject, _DIGEST_OF_NOTHING), done, None))
                    told.append((plan, key, official, began, carried, NONE_THERE))
                    continue
                body = plan.body(row, delivered.get(row[1], frozenset()))
                held.append((given.fill(at, row[1], subject, sha256(body).hexdigest()), done, Found(body, row[1], plan.retiring)))
                told.append((plan, key, official, began, carried, len(body)))
            except Exception as error:  # one that cannot be answered takes nobody along
                if not done.done():
                    done.set_exception(error)
                self._tell([(plan, key, official, began, carried, FAILED)], perf_counter())
        if held:
            body_of_last, done, found = held[-1]
            held[-1] = (body_of_last, _Last(done, told, self._tell), found)
        self._ledger.hold(held)
