"""The duty that pushes a room's events to its subscribers, signed as webhooks are: each decided anew, its entry before it leaves, again and again until its time is up."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from lienthong.access import AccessRequest, Operation, decide_call
from lienthong.clock import vietnam_date
from lienthong.connectors.outward import Poster, Sent, read_networks
from lienthong.pipeline import Workshop
from lienthong.settings import Settings
from lienthong.sharing import rooms
from lienthong.sharing.deliveries import Schedule
from lienthong.sharing.rooms import Room
from lienthong.sharing.signing import SHARED, sign
from lienthong.store import append_entries
from lienthong.store import rooms as store
from lienthong.store.rooms import Due
from lienthong.web.delivering import clerk_of, register_of, schedule_of

LOOK_SECONDS = 0.5
MOST_AT_ONCE = 100
HELD = timedelta(minutes=1)  # without a right: until it is asked again
BODIES_KEPT = timedelta(hours=1)
SECONDS_BETWEEN_CLEARINGS = 30.0


def push_rooms(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    """Push until told to end."""
    asyncio.run(_push(settings, workshop, ended))


async def _push(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    poster = Poster(read_networks(settings.webhook_networks), settings.webhook_timeout_seconds, workshop.clock)
    pusher = _Pusher(settings, workshop, poster)
    cleared = 0.0
    loop = asyncio.get_running_loop()
    try:
        while not ended.is_set():
            pushes = await asyncio.to_thread(pusher.next)
            await asyncio.gather(*(pusher.push(each) for each in pushes))
            if loop.time() - cleared > SECONDS_BETWEEN_CLEARINGS:
                await asyncio.to_thread(pusher.clear)
                cleared = loop.time()
            if len(pushes) < MOST_AT_ONCE:
                await asyncio.to_thread(ended.wait, LOOK_SECONDS)
    finally:
        await poster.close()


class _Pusher:
    def __init__(self, settings: Settings, workshop: Workshop, poster: Poster) -> None:
        self._workshop = workshop
        self._poster = poster
        self._clerk = clerk_of(settings, workshop)
        self._register = register_of(settings, workshop)
        self._schedule: Schedule = schedule_of(settings)

    def next(self) -> list[Due]:
        """What is to be pushed now; of each the entry is committed."""
        at, allowed = self._workshop.clock(), []
        with self._workshop.database.warm() as connection:
            register, entries = self._register(connection), []
            for push in store.due(connection, at, MOST_AT_ONCE):
                room = Room(*push.room.split("/", 1))
                asked = AccessRequest(push.subscriber, room.service, Operation.CALL, push.purpose, push.official, "", at)
                decision = decide_call(asked, room.agency, "POST", f"/api/v1/subs/{push.type}", register, vietnam_date(at))
                if decision.allowed or push.subscriber == room.identifier:
                    allowed.append(push)
                    entries.append(rooms.sent_entry(push, room, decision.agreement, decision.legal_basis, at))
                else:
                    store.settle(connection, push, delivered=False, status=None, at=at, next_at=at + HELD)
            if entries:
                append_entries(connection, entries, self._workshop.signer)
        return allowed

    async def push(self, push: Due) -> None:
        """Send one event, and keep what became of it."""
        body, at = rooms.push_body(push), self._workshop.clock()
        private = self._clerk.sealer.open(push.sealed, rooms.SECRET.format(push.subscription))
        stamp = int(at.timestamp())
        headers = {
            "Content-Type": "application/json", "Content-Length": str(len(body)), "User-Agent": "Lienthong-Webhooks/1.0",
            "webhook-id": str(push.event), "webhook-timestamp": str(stamp),
            "webhook-signature": sign([(SHARED, private)], str(push.event), stamp, body),
        }  # fmt: skip
        sent = await self._poster.post(push.url, headers, body)
        await asyncio.to_thread(self._settle, push, sent)

    def clear(self) -> None:
        """Let go of what is past its time."""
        at = self._workshop.clock()
        with self._workshop.database.connect() as connection:
            store.let_go(connection, at, at - BODIES_KEPT)

    def _settle(self, push: Due, sent: Sent) -> None:
        at = self._workshop.clock()
        delivered = sent.status is not None and 200 <= sent.status < 300
        wait = self._schedule.next_wait(min(push.attempts + 1, len(self._schedule.waits)), sent.retry_after) or 0.0
        with self._workshop.database.connect() as connection:
            store.settle(connection, push, delivered=delivered, status=sent.status, at=at, next_at=at + timedelta(seconds=wait))
