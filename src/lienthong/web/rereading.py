"""One look at the register, at once, for who names a key or a subsystem that is not known: it may have come since the last look.

All who ask at the same time share a look, one runs at a time, and two begin at least `REST` apart: whoever sends unknown names without
end costs the database no more than that. What is known never comes by here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lienthong.log import get_logger

REST = 0.2  # seconds
log = get_logger("web")


class Rereading:
    """Looks when it is asked to."""

    def __init__(self, look: Callable[[], Awaitable[object]]) -> None:
        self._look = look
        self._one = asyncio.Lock()
        self._coming: asyncio.Task[None] | None = None
        self._last = float("-inf")

    async def ask(self) -> None:
        """Returns when a look that began after this was asked has ended. One that fails is told in the log: what was known stays."""
        if self._coming is None:
            self._coming = asyncio.get_running_loop().create_task(self._soon())
        await asyncio.shield(self._coming)

    async def _soon(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._one:
            await asyncio.sleep(self._last + REST - loop.time())
            self._coming = None  # who asks from now on needs a later look
            self._last = loop.time()
            try:
                await self._look()
            except Exception as error:  # the database may be away: then the name stays unknown
                log.warning("register_not_reread", error=type(error).__name__)
