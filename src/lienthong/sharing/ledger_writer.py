"""Appends entries for many answers at once: what gathers during one flush is the next flush, with one insert and one seal.

Three may be under way: a commit is mostly waiting for the disk, and what has gathered need not wait for the one before to end. Which is
committed first is of no account: the ledger's order is given afterwards.

An answer leaves only after its entry is committed: `append` returns, and what is held is let go, only then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from lienthong.clock import system_clock
from lienthong.ledger import Signer
from lienthong.store.hot import HotStore

MOST_AT_ONCE = 2_000  # entries of one flush: a burst must not become one long statement
LANES = 3  # flushes under way at the same time
ENOUGH = 20  # entries that are worth a flush beside another; fewer wait for it (measured)

Answer = TypeVar("Answer")
Given_contra = TypeVar("Given_contra", contravariant=True)


class Waiter(Protocol[Given_contra]):
    """Who waits for a commit: an asyncio future, or a connection that sends what it gets."""

    def done(self) -> bool: ...

    def set_result(self, result: Given_contra, /) -> None: ...

    def set_exception(self, error: BaseException, /) -> None: ...


Held = tuple[str, Waiter[Answer], Answer]  # an entry's body, who waits for its commit, what it then gets


class Writer(Protocol):
    """What the hot path needs of a ledger."""

    async def append(self, body: bytes) -> None: ...

    def hold(self, held: Sequence[Held[Any]]) -> None: ...


class LedgerWriter:
    """Writes the entries of a serving process; others may write beside it, none waits for another."""

    def __init__(self, store: HotStore, signer: Signer) -> None:
        self._store = store
        self._signer = signer
        self._waiting: list[Held[Any]] = []
        self._free = list(range(LANES))
        self._flushers: set[asyncio.Task[None]] = set()

    async def append(self, body: bytes) -> None:
        """Returns when the entry is committed. Raises the database's error when it is not: then no answer may leave."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.hold([(body.decode(), done, None)])
        await done

    def hold(self, held: Sequence[Held[Any]]) -> None:
        """Append entries; each future gets its answer when its entry is committed, or the error that kept it from being."""
        self._waiting += held
        if self._waiting and (len(self._free) == LANES or (self._free and len(self._waiting) >= ENOUGH)):
            flusher = asyncio.get_running_loop().create_task(self._flush(self._free.pop()))
            self._flushers.add(flusher)
            flusher.add_done_callback(self._flushers.discard)

    async def _flush(self, lane: int) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # a turn of the loop: answers that are ready come along instead of waiting for the next commit
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                if not batch:  # the other lane took them
                    return
                try:
                    await self._commit("\n".join([body for body, _, _ in batch]), lane)
                except Exception as error:  # every waiting answer hears of it; none leaves
                    for _, done, _ in batch:
                        if not done.done():
                            done.set_exception(error)
                else:
                    for _, done, answer in batch:
                        if not done.done():
                            done.set_result(answer)
        finally:
            self._free.append(lane)

    async def _commit(self, bodies: str, lane: int) -> None:
        await self._store.ledger_append(bodies, self._signer.seal(bodies.encode(), system_clock()), lane)
