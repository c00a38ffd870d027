"""A provider's answer: short enough to be held until its entry is committed, or a stream between two entries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Protocol

from lienthong.sharing.broker.case import Case
from lienthong.sharing.broker.forwarding import Reply

NO_BODY = frozenset({204, 304})


class Ends(Protocol):
    """Who writes how a call ended."""

    async def end(self, case: Case, outcome: str, status: int, size: int, digest: str) -> None: ...

    def end_later(self, case: Case, outcome: str, status: int, size: int, digest: str) -> None: ...


class Passing:
    """A long answer on its way: the last piece is kept back until the entry that it has ended is committed."""

    def __init__(self, ends: Ends, case: Case, reply: Reply, held: list[bytes], source: AsyncIterator[bytes]) -> None:
        self._ends, self._case, self._reply, self._source = ends, case, reply, source
        self._ready = held
        self._digest = sha256()
        self._size = 0
        self._is_done = False
        for piece in held:
            self._count(piece)

    def __aiter__(self) -> Passing:
        return self

    async def __anext__(self) -> bytes:
        try:
            while not self._is_done and len(self._ready) < 2:
                try:
                    piece = await anext(self._source)
                except StopAsyncIteration:
                    await self._ends.end(self._case, "answered", self._reply.status, self._size, self._digest.hexdigest())
                    self._close()
                else:
                    self._count(piece)
                    self._ready.append(piece)
        except Exception:
            if not self._is_done:
                self._close()
                self._ends.end_later(self._case, "broken", self._reply.status, self._size, self._digest.hexdigest())
            raise
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.pop(0)

    async def aclose(self) -> None:
        """Whoever read has stopped: when that was before the end, the ledger says so."""
        if not self._is_done:
            self._close()
            self._ends.end_later(self._case, "abandoned", self._reply.status, self._size, self._digest.hexdigest())

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        self._digest.update(piece)

    def _close(self) -> None:
        self._is_done = True
        self._reply.close()


async def hold(reply: Reply, source: AsyncIterator[bytes], verb: str, most: int) -> tuple[list[bytes], bool]:
    """(the first pieces of an answer's body, whether that is all of it)."""
    if verb == "HEAD" or reply.status in NO_BODY:
        return [], True
    if reply.length is not None and reply.length <= most:
        return [await reply.read()], True
    held, size = [], 0
    async for piece in source:
        held.append(piece)
        size += len(piece)
        if size > most:
            return held, False
    return held, True
