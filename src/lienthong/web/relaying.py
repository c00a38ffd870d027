"""The duty that relays the stream to NATS JetStream, when there is one: a subsystem like any other, with rights like any other's.

Where it has no agreement only what has no content is relayed: that a version was published. An agreement that is suspended holds it back,
and it catches up. Each event is a message under `lienthong.<dataset>.<type>`; its id is `Nats-Msg-Id`, so what is sent again is kept once.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import nats
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from lienthong.clock import Clock
from lienthong.connectors.outward import NOT_REACHED, Sent
from lienthong.contracts import Contract
from lienthong.errors import SettingsError
from lienthong.pipeline import Workshop
from lienthong.settings import Settings
from lienthong.sharing import subscribing
from lienthong.sharing.cloud_events import ONE, encode_one
from lienthong.sharing.deliveries import Outcome, Post, Schedule
from lienthong.sharing.stream import Told
from lienthong.sharing.subscribing import Clerk
from lienthong.store import subscriptions as store
from lienthong.store.subscriptions import Subscription
from lienthong.web.delivering import Rounds, clerk_of, deliveries_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

ROAD = "nats"
STREAM = "LIENTHONG"
SUBJECTS = "lienthong.>"
DUPLICATE_WINDOW_SECONDS = 3_600.0  # how long JetStream remembers ids
ANSWER_SECONDS = 5.0
SCHEDULE = Schedule(waits=(1, 2, 5, 10, 30), pause_after=timedelta.max, is_endless=True)


def relay(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    """Relay until told to end. Raises SettingsError when nobody is named to act as."""
    if not settings.nats_subsystem:
        raise SettingsError("LIENTHONG_NATS_SUBSYSTEM: expected the subsystem the relay acts as, found nothing.")
    subscribe_all(settings, workshop)
    asyncio.run(_relay(settings, workshop, ended))


def subscribe_all(settings: Settings, workshop: Workshop) -> None:
    """A subscription of the relay to each dataset that has none, from now on."""
    clerk = clerk_of(settings, workshop)
    with clerk.database.connect() as connection:
        known = {each.dataset for each in store.some(connection, roads=[ROAD])}
    for contract in workshop.contracts.values():
        if contract.id not in known:
            _subscribe(clerk, settings, contract)


def _subscribe(clerk: Clerk, settings: Settings, contract: Contract) -> None:
    place = subscribing.newest(clerk)
    new = Subscription(
        subscription=f"nats_{contract.id}", caller=settings.nats_subsystem, official="lienthong", purpose=settings.nats_purpose,
        dataset=contract.id, sources=subscribing.sources_of(contract), road=ROAD,
    )  # fmt: skip
    subscribing.add_own(clerk, new, place)


async def _relay(settings: Settings, workshop: Workshop, ended: threading.Event) -> None:
    relayed = Relay(settings, workshop.clock)
    deliveries = replace(deliveries_of(settings, workshop, (ROAD,)), schedule=SCHEDULE, tells_without_right=True)
    try:
        await Rounds(deliveries, workshop, relayed.send, ended).go_on()
    finally:
        await relayed.close()


class Relay:
    """Publishes to JetStream, over one connection that comes back by itself."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._url = settings.nats_url
        self._base_url = settings.public_url
        self._clock = clock
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None
        self._opening = asyncio.Lock()

    async def send(self, post: Post) -> Outcome:
        """Publish the events of a delivery one after another; done when JetStream has kept them all."""
        began = self._clock()
        status, reason = 200, ""
        try:
            stream = await self._opened()
            for told in post.told:
                headers = {"Nats-Msg-Id": f"{told.dataset}/{told.id}", "Content-Type": ONE}
                await stream.publish(subject_of(told), encode_one(told, self._base_url), timeout=ANSWER_SECONDS, headers=headers)
        except (NatsError, OSError, TimeoutError):
            status, reason = 0, NOT_REACHED
            self._stream = None  # a server that came back empty has no stream: it is asked for anew
        at = self._clock()
        milliseconds = int((at - began).total_seconds() * 1000)
        return Outcome(post, Sent(status or None, reason, milliseconds), at)

    async def close(self) -> None:
        if self._client is not None:
            with suppress(NatsError, OSError):
                await self._client.close()

    async def _opened(self) -> JetStreamContext:
        async with self._opening:
            if self._client is None or self._client.is_closed:
                self._stream = None
                self._client = await nats.connect(
                    self._url, max_reconnect_attempts=-1, reconnect_time_wait=1, connect_timeout=3, allow_reconnect=True, error_cb=_quiet
                )
            if self._stream is None:
                stream = self._client.jetstream()
                with suppress(APIError):  # there is one of this name already, set up as the operator wishes
                    await stream.add_stream(name=STREAM, subjects=[SUBJECTS], duplicate_window=DUPLICATE_WINDOW_SECONDS)
                self._stream = stream
            return self._stream


def subject_of(told: Told) -> str:
    """`lienthong.civil.births.record.inserted`."""
    return f"lienthong.{told.dataset}.{told.type.replace(':', '.')}"


async def _quiet(_: Exception) -> None:
    """What fails is seen where it is published."""
