"""A request's body as it arrives: counted, digested, looked at, and forwarded piece by piece without being kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from hashlib import sha256

from lienthong.errors import BadRequest, RequestError, TooLarge
from lienthong.standards import show_number

HELD = 65_536  # bodies up to this many bytes are held whole: they can be checked, digested and sent again


class Incoming:
    """`hold` first; then either `whole` is all of it, or `pieces` gives what was held and the rest."""

    def __init__(self, source: AsyncIterator[bytes] | None, length: int | None, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._length = length
        self._digest = sha256()
        self._held: list[bytes] = []
        self.size = 0
        self.is_whole = source is None or length == 0
        self.error: RequestError | None = None
        self.look: Callable[[bytes], None] | None = None  # sees every piece before it may be forwarded
        self.close: Callable[[], None] | None = None  # is told that the body has ended
        if length is not None and length > limit:
            raise _too_large(limit)

    async def hold(self, most: int = HELD) -> bool:
        """Read up to `most` bytes. True when that is all of it."""
        while not self.is_whole and self.size <= most:
            await self._next()
        return self.is_whole

    async def hold_until(self, is_enough: Callable[[], bool]) -> None:
        """Read until what is wanted was seen, or the end."""
        while not self.is_whole and not is_enough():
            await self._next()

    @property
    def whole(self) -> bytes:
        """All of it; only when `is_whole`."""
        return self._held[0] if len(self._held) == 1 else b"".join(self._held)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Everything, once. What goes wrong is kept in `error` too: whoever is being sent to tells only that something did."""
        try:
            held, self._held = self._held, []
            for piece in held:
                yield piece
            while not self.is_whole:
                await self._next()
                held, self._held = self._held, []
                for piece in held:
                    yield piece
        except RequestError as error:
            self.error = error
            raise

    @property
    def digest(self) -> str:
        """SHA-256 of what came, in hex; empty when nothing did."""
        return self._digest.hexdigest() if self.size else ""

    async def _next(self) -> None:
        assert self._source is not None
        try:
            piece = await anext(self._source)
        except StopAsyncIteration:
            if self._length is not None and self.size != self._length:
                raise BadRequest("The body ended before its announced length.", vi="Nội dung ngắn hơn độ dài đã báo.") from None
            self.is_whole = True
            if self.close is not None:
                self.close()
            return
        if not piece:
            return
        self.size += len(piece)
        if self.size > self._limit:
            raise _too_large(self._limit)
        if self.look is not None:
            self.look(piece)
        self._digest.update(piece)
        self._held.append(piece)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"Expected a body of at most {limit:,} bytes.", vi=f"Nội dung lớn hơn {show_number(limit)} byte.")
