"""Rings when somebody left an event: one connection that listens, for all who wait in this process. Who waits also looks by itself now and then."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from lienthong.log import get_logger
from lienthong.store.events import CHANNEL

SECONDS_TO_NEXT_TRY = 1.0
log = get_logger("bell")


class Bell:
    """`ring` wakes all who wait; `listen` rings at every notification of the database."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_closed = False

    @property
    def rung(self) -> asyncio.Event:
        """Set at the next ring: taken before looking, it tells of what came while it was looked."""
        return self._rung

    async def wait(self, seconds: float, rung: asyncio.Event | None = None) -> None:
        """Until it rings, at most so long; with `rung`, if it has not rung since that was taken."""
        rung = rung or self._rung
        with suppress(TimeoutError):
            await asyncio.wait_for(rung.wait(), seconds)

    def ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    def open(self, database_url: str) -> None:
        """Begin to listen, once."""
        if self._task is None and not self.is_closed:
            self._task = asyncio.create_task(self._listen(database_url))

    async def close(self) -> None:
        """Wake all who wait for the last time."""
        self.is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.ring()

    async def _listen(self, database_url: str) -> None:
        while True:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(database_url)
                try:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, lambda *_: self.ring())
                    self.ring()  # what came while nobody listened
                    await lost.wait()
                finally:
                    with suppress(Exception):
                        await connection.close(timeout=1)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("bell_away", error=type(error).__name__)
            await asyncio.sleep(SECONDS_TO_NEXT_TRY)
