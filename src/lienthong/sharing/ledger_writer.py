"""Appends entries for many answers at once: what gathers during one flush is the next flush, with one insert and one signature.

An answer leaves only after its entry is committed: `append` returns, and what is held is let go, only then.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from lienthong.clock import Clock
from lienthong.errors import LedgerError
from lienthong.ledger import Frontier, Signer, leaf_hash
from lienthong.sharing.quota import QuotaBook
from lienthong.store.hot import HotStore

MOST_TRIES = 20  # each retry means that another writer committed in between; runs do so a few times a minute
MOST_AT_ONCE = 2_000  # entries of one flush: a burst must not become one long statement
_LONGEST_WAIT = 0.001  # seconds, times the tries lost

Answer = TypeVar("Answer")
Held = tuple[str, "asyncio.Future[Answer]", Answer]  # an entry's body, who waits for its commit, what it then gets


class Writer(Protocol):
    """What the hot path needs of a ledger."""

    async def append(self, body: bytes) -> None: ...

    def hold(self, held: Sequence[Held[Any]]) -> None: ...


class LedgerWriter:
    """The one writer of a serving process. Keeps the tree's edge in memory and reloads it when another process was first."""

    def __init__(self, store: HotStore, signer: Signer, clock: Clock, quotas: QuotaBook) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._quotas = quotas
        self._frontier: Frontier | None = None
        self._waiting: list[Held[Any]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def append(self, body: bytes) -> None:
        """Returns when the entry is committed. Raises LedgerError or the database's error when it is not: then no answer may leave."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.hold([(body.decode(), done, None)])
        await done

    def hold(self, held: Sequence[Held[Any]]) -> None:
        """Append entries; each future gets its answer when its entry is committed, or the error that kept it from being."""
        self._waiting += held
        if self._flusher is None and self._waiting:
            self._flusher = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # a turn of the loop: answers that are ready come along instead of waiting for the next commit
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                try:
                    await self._commit([body for body, _, _ in batch])
                except Exception as error:  # every waiting answer hears of it; none leaves
                    self._frontier = None
                    for _, done, _ in batch:
                        if not done.done():
                            done.set_exception(error)
                else:
                    for _, done, answer in batch:
                        if not done.done():
                            done.set_result(answer)
        finally:
            self._flusher = None

    async def _commit(self, bodies: Sequence[str]) -> None:
        leaves = [leaf_hash(body.encode()) for body in bodies]
        used = self._quotas.take_unsaved()
        try:
            for lost in range(MOST_TRIES):
                if lost > 1:  # two writers in step would take turns at losing: whoever lost waits a little, by chance
                    await asyncio.sleep(random.uniform(0, _LONGEST_WAIT * lost))  # noqa: S311 # nothing is hidden by it
                if self._frontier is None:
                    self._frontier = Frontier(*await self._store.ledger_head())
                after = self._frontier.append(leaves)
                root, at = after.root, self._clock()
                signature = self._signer.sign_checkpoint(after.size, root, at)
                found = await self._store.ledger_append(
                    self._frontier.size, bodies, leaves, list(after.peaks), root, at, self._signer.key_id, signature, used
                )
                if found is None:
                    self._frontier = after
                    return
                self._frontier = None
            raise LedgerError("The ledger's head moved on at every try.", hint="Other writers are very busy; try again.")
        except BaseException:
            self._quotas.put_back(used)
            raise
