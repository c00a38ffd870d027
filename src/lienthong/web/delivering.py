"""The duty that sends events to subscribers: rounds over the database in a thread, the sending between them all at once.

A subscriber has as many deliveries under way as its subscription has lanes, and no more; a slow one holds up nobody else. A notification of
the database begins a round at once; without one it is looked every second.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from lienthong.access import Register
from lienthong.access.sealing import Sealer
from lienthong.connectors.outward import Poster, read_networks
from lienthong.errors import SettingsError
from lienthong.pipeline import Workshop
from lienthong.pipeline.agreeing import rules_of
from lienthong.settings import Settings
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.deliveries import MOST_OF_A_ROUND, Deliveries, Outcome, Post, Schedule
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import VersionBook
from lienthong.sharing.register import RegisterReader
from lienthong.sharing.subscribing import Clerk
from lienthong.store import Connection
from lienthong.store import agreements as store
from lienthong.web.bell import Bell
from lienthong.web.keys import sealing_key, subject_key
from lienthong.web.register_watch import register_in

LOOK_SECONDS = 1.0
SECONDS_TO_END = 3.0
FEW_IN_HAND = 8  # of so few each is kept as it comes through; of more, what comes through together is kept together
SECONDS_TO_GATHER = 0.03


def clerk_of(settings: Settings, workshop: Workshop) -> Clerk:
    """Who keeps subscriptions under these settings."""
    return Clerk(
        workshop.database, workshop.signer, workshop.clock, Sealer(sealing_key(settings)), read_networks(settings.webhook_networks)
    )


def schedule_of(settings: Settings) -> Schedule:
    """How patient the settings are. Raises SettingsError."""
    try:
        waits = tuple(int(part) for part in settings.webhook_retry_seconds.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(
            f"LIENTHONG_WEBHOOK_RETRY_SECONDS: expected numbers with commas, found `{settings.webhook_retry_seconds}`."
        ) from error
    return Schedule(waits, timedelta(hours=settings.webhook_pause_hours))


def register_of(settings: Settings, workshop: Workshop) -> Callable[[Connection], Register]:
    """The agreements as a connection sees them, read again when one of them has changed."""
    reader = RegisterReader(workshop.contracts, rules_of(settings).offices)
    kept: list[tuple[int, Register]] = []

    def now(connection: Connection) -> Register:
        edge = store.edge(connection)
        if not kept or kept[0][0] != edge:
            kept[:] = [(edge, register_in(connection, reader, workshop.clock(), settings.environment))]
        return kept[0][1]

    return now


def deliveries_of(settings: Settings, workshop: Workshop, roads: tuple[str, ...] = ("webhook",)) -> Deliveries:
    """Who delivers by some roads under these settings."""
    return Deliveries(
        clerk=clerk_of(settings, workshop),
        desk=Desk(Cursors(workshop.signer.secret), VersionBook()),
        contracts=workshop.contracts,
        register=register_of(settings, workshop),
        subject_key=subject_key(settings),
        base_url=settings.public_url,
        schedule=schedule_of(settings),
        roads=roads,
    )


def deliver(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    """Send events to webhooks until told to end."""
    asyncio.run(_deliver(settings, workshop, ended))


async def _deliver(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    poster = Poster(read_networks(settings.webhook_networks), settings.webhook_timeout_seconds, workshop.clock)

    async def send(post: Post) -> Outcome:
        sent = await poster.post(post.subscription.url, post.headers(workshop.clock()), post.body)
        return Outcome(post, sent, workshop.clock())

    try:
        await Rounds(deliveries_of(settings, workshop), workshop, send, ended).go_on()
    finally:
        await poster.close()


class Rounds:
    """Round after round until told to end. `send` never raises for what the other side does."""

    def __init__(
        self, deliveries: Deliveries, workshop: Workshop, send: Callable[[Post], Awaitable[Outcome]], ended: threading.Event
    ) -> None:
        self._deliveries = deliveries
        self._workshop = workshop
        self._send = send
        self._ended = ended
        self._bell = Bell()
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._is_gathering = False

    async def go_on(self) -> None:
        self._bell.open(self._workshop.database.url)
        self._await_end()
        connection = await asyncio.to_thread(self._workshop.database.connect, autocommit=True)
        try:
            while not self._ended.is_set():
                rung = self._bell.rung
                posts = await self._round(connection)
                if len(posts) < MOST_OF_A_ROUND:
                    await self._bell.wait(LOOK_SECONDS, rung)
            await self._finish(connection)
        finally:
            for task in self._in_hand.values():
                task.cancel()
            await self._bell.close()
            connection.close()

    async def _round(self, connection: Connection) -> list[Post]:
        outcomes, self._outcomes = self._outcomes, []
        self._in_hand = {name: task for name, task in self._in_hand.items() if not task.done()}
        settled = {outcome.post.pending.delivery for outcome in outcomes}
        in_hand = [name for name in self._in_hand if name not in settled]
        posts = await asyncio.to_thread(self._deliveries.round, connection, outcomes, in_hand)
        for post in posts:
            self._in_hand[post.pending.delivery] = asyncio.create_task(self._one(post))
        return posts

    async def _one(self, post: Post) -> None:
        outcome = await self._send(post)
        self._outcomes.append(outcome)  # the list of now: a round takes what there is and leaves another
        if len(self._in_hand) <= FEW_IN_HAND:
            self._bell.ring()
        elif not self._is_gathering:  # a round for each of two hundred would keep the others from being sent
            self._is_gathering = True
            asyncio.get_running_loop().call_later(SECONDS_TO_GATHER, self._gathered)

    def _gathered(self) -> None:
        self._is_gathering = False
        self._bell.ring()

    async def _finish(self, connection: Connection) -> None:
        """Keep what becomes of deliveries that are almost through."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._in_hand.values(), return_exceptions=True), SECONDS_TO_END)
        await asyncio.to_thread(self._deliveries.settle, connection, self._outcomes)

    def _await_end(self) -> None:
        loop = asyncio.get_running_loop()

        def wake() -> None:
            self._ended.wait()
            with suppress(RuntimeError):  # the loop ended before
                loop.call_soon_threadsafe(self._bell.ring)

        threading.Thread(target=wake, daemon=True).start()
