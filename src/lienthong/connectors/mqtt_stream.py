"""Readings that arrive over MQTT 5: taken under a session the broker keeps, acknowledged when they are safe in the landing.

The broker keeps what comes while nobody reads (QoS 1, a session of the name `client_id`). It sends no more than a window of messages
that are not acknowledged, and we read no more from the line than so many bytes, so a slow landing slows the broker, and memory is bounded.
What was not acknowledged when a connection broke off comes again: nothing is lost, and a message may come twice.
"""

from __future__ import annotations

import queue
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from lienthong.connectors.addresses import connected, judged
from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.folder_ftp import tls_context, tls_refused
from lienthong.connectors.landings import Landings
from lienthong.connectors.options import Options
from lienthong.connectors.outward import Networks
from lienthong.connectors.steps import Step, stage
from lienthong.connectors.stream_rows import BATCH_BYTES, Message, StreamOptions
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import LienthongError, SourceError
from lienthong.log import get_logger

WINDOW = 65_535  # largest Receive Maximum (MQTT 5 §3.1.2.11.3)
WAITING_BYTES = 32 * 1024 * 1024  # of messages taken from the line and not given on yet
DRAINED_SECONDS = 10.0  # at most, until what the broker has sent is read
QUIET_SECONDS = 0.3
LONGEST_KEEPALIVE = 65_535  # seconds (MQTT 5 §3.1.2.10)
ONE_MORE_SECONDS = 5.0  # after which one more is taken all the same, so that the line is looked after
log = get_logger("sources")


@dataclass(frozen=True)
class MqttOptions:
    host: str
    port: int
    is_tls: bool
    user: str
    password: str = field(repr=False)
    topics: tuple[str, ...]
    client_id: str
    keep_days: int
    ca: str
    stream: StreamOptions

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> MqttOptions:
        options = Options.of(source, context)
        place = urlsplit(expand(source.location, context.variables))
        if place.scheme not in ("mqtt", "mqtts") or not place.hostname:
            raise SourceError(f"Nguồn/source `{source.name}`: cần địa chỉ / expected a location such as mqtts://user@host.")
        taken = cls(
            place.hostname, place.port or (8883 if place.scheme == "mqtts" else 1883), place.scheme == "mqtts",
            unquote(place.username or ""), options.text("password") or unquote(place.password or ""),
            options.texts("topics"), options.text("client_id"), options.number("keep_days", 7, 1), options.text("ca"), StreamOptions.take(options),
        )  # fmt: skip
        options.close()
        for name in ("topics", "client_id"):
            if not getattr(taken, name):
                raise options.required(name)
        return taken

    @property
    def where(self) -> str:
        return f"mqtt{'s' if self.is_tls else ''}://{self.host}:{self.port}"


class MqttStream:
    """Connector `mqtt_stream`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:  # noqa: ARG002 # a stream has no content to know beforehand
        return None

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = MqttOptions.take(source, context)
        with _session(options, context) as session:
            for _ in session.opening():
                pass
            yield from session.batches(context.batch_rows, int((after or {}).get("received", 0)))

    def waits(self, source: Source, context: ReadContext, after: Position | None) -> bool:  # noqa: ARG002 # the broker knows
        """Whether the session has messages: one is waited for and given back, for it is not acknowledged."""
        options = MqttOptions.take(source, context)
        with _session(options, context) as session:
            for _ in session.opening():
                pass
            return session.has_any(options.stream.quiet_seconds)

    def probe(self, source: Source, context: ReadContext) -> Iterator[Step]:
        """Under a name of its own, so that nothing is taken from the session messages wait in."""
        options = MqttOptions.take(source, context)
        yield stage("variables")
        with _session(options, context) as session:
            for code in session.opening():
                yield stage(code)
            batch = next(iter(session.batches(100, 0)))
        told = f"{batch.table.num_rows + len(batch.broken)}"
        yield Step(
            True, f"{told} tin đến khi chờ {options.stream.quiet_seconds:g} giây", f"{told} messages came in {options.stream.quiet_seconds:g} seconds",
            "" if batch.table.num_rows else "Nothing came meanwhile: are topics written right, does anybody publish now?",
        )  # fmt: skip


class _Client(mqtt.Client):
    """Connects to an address that was judged, each time anew."""

    networks: Networks = ()

    def _create_socket_connection(self) -> socket.socket:
        try:
            return connected(self._host, self._port, judged(self._host, self._port, self.networks), 10.0)
        except SourceError as error:
            raise ConnectionError(error.message) from error  # what the library tries again after


class _Inbox:
    """Messages that came, of so many bytes: who brings one waits for room, and longest so long."""

    def __init__(self) -> None:
        self._messages: deque[mqtt.MQTTMessage] = deque()
        self._held = 0
        self._count = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._held < WAITING_BYTES or self._is_closed, ONE_MORE_SECONDS)
            self._count += 1
            if not self._is_closed:
                self._messages.append(message)
                self._held += len(message.payload)
            self._changed.notify_all()

    def get(self, seconds: float) -> mqtt.MQTTMessage | None:
        """The next one; None when none comes in so long."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._messages), seconds):
                return None
            message = self._messages.popleft()
            self._held -= len(message.payload)
            self._changed.notify_all()
            return message

    def close(self, seconds: float) -> None:
        """Nobody waits any more; what comes is let go of, until nothing comes or so long has passed."""
        with self._changed:
            is_any, self._is_closed = bool(self._messages), True
            self._messages.clear()
            self._changed.notify_all()
            until = time.monotonic() + seconds
            while is_any and time.monotonic() < until:
                before = self._count
                is_any = self._changed.wait_for(lambda before=before: self._count > before, QUIET_SECONDS)  # type: ignore[misc] # mypy cannot tell the default's type


@contextmanager
def _session(options: MqttOptions, context: ReadContext) -> Iterator[_Session]:
    session = _Session(options, context)
    try:
        yield session
    finally:
        session.close()


class _Session:
    def __init__(self, options: MqttOptions, context: ReadContext) -> None:
        self._options, self._context = options, context
        self._inbox = _Inbox()
        self._told: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()  # (stage or refusal, words)
        self._landings = Landings()
        self._waiting: set[int] = set()  # ids given and not acknowledged
        self._is_subscribed = False
        self._is_quiet = False  # nothing came for a while, though there was room for it
        self._lost_since: float | None = None
        looks = context.only_looks
        name = f"{options.client_id}-look-{secrets.token_hex(4)}" if looks else options.client_id
        self._client = client = _Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5, manual_ack=True)
        client.networks = context.networks
        client.reconnect_delay_set(1, 5)
        if options.user:
            client.username_pw_set(options.user, options.password)
        if options.is_tls:
            client.tls_set_context(tls_context(options.ca))
        client.on_connect, client.on_disconnect, client.on_subscribe = self._on_connect, self._on_disconnect, self._on_subscribe
        client.on_message = self._on_message

    @property
    def window(self) -> int:
        """Messages under way and not acknowledged: as many as two batches hold."""
        return min(2 * self._context.batch_rows, WINDOW)

    def opening(self) -> Iterator[str]:
        """Raises SourceError, HostileInputError."""
        options = self._options
        addresses = judged(options.host, options.port, self._context.networks)
        yield "resolved"
        connected(options.host, options.port, addresses, options.stream.timeout_seconds).close()
        yield "connected"
        asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # of the library
        asked.ReceiveMaximum = self.window
        asked.SessionExpiryInterval = 0 if self._context.only_looks else options.keep_days * 86_400
        try:
            # The line is not read while a landing takes long: an answer to its being alive is not missed meanwhile.
            keepalive = min(max(30, 2 * int(options.stream.landing_seconds)), LONGEST_KEEPALIVE)
            self._client.connect(options.host, options.port, keepalive=keepalive, clean_start=self._context.only_looks, properties=asked)
        except OSError as error:
            raise self._unreachable(error) from error
        self._client.loop_start()
        for expected in ("signed_in", "subscribed"):
            try:
                what, words = self._told.get(timeout=options.stream.timeout_seconds)
            except queue.Empty:
                raise SourceError(f"`{options.where}`: máy chủ tin không trả lời / the broker does not answer.") from None
            if what != expected:
                raise self._refused(words)
            if what == "signed_in" and options.is_tls:
                yield "encrypted"
            yield what

    def batches(self, batch_rows: int, received: int) -> Iterator[Batch]:
        stream, file = self._options.stream, SourceFile(uri=f"{self._options.where}/{','.join(self._options.topics)}")
        most, until, given = min(batch_rows, self.window), time.monotonic() + stream.max_seconds, 0
        while True:
            taken = self._gather(min(most, stream.max_rows - given), until)
            if not taken and given:
                break
            numbered = [Message(received + n, each.topic, bytes(each.payload)) for n, each in enumerate(taken, 1)]
            received, given = received + len(taken), given + len(taken)
            on_landed = None if self._context.only_looks else self._landings.given(lambda taken=taken: self._acknowledge(taken))  # type: ignore[misc] # mypy cannot tell the default's type
            yield stream.batch(file, numbered, {"received": received}, on_landed)
            if not taken or self._is_quiet or given >= stream.max_rows or time.monotonic() > until:
                break
        if given and not self._context.only_looks and not self._landings.wait(stream.landing_seconds):
            log.warning("stream_not_landed", source=self._options.where)  # it comes again

    def has_any(self, seconds: float) -> bool:
        """Whether a message comes within so long."""
        return self._inbox.get(seconds) is not None

    def close(self) -> None:
        self._inbox.close(DRAINED_SECONDS)  # a line closed with bytes unread is reset, and acknowledgements on their way are lost
        self._client.disconnect()
        self._client.loop_stop()

    def _gather(self, most: int, until: float) -> list[mqtt.MQTTMessage]:
        """Messages until there are enough, or a quiet while, or the time is over. Raises SourceError when the broker stays away and nothing came."""
        taken: list[mqtt.MQTTMessage] = []
        held = 0
        quiet_at = time.monotonic() + self._options.stream.quiet_seconds
        while len(taken) < most and held < BATCH_BYTES:
            left = min(quiet_at, until) - time.monotonic()
            message = self._inbox.get(max(min(left, 0.25), 0.001))
            if message is None:
                if self._is_lost() and left > 0:
                    quiet_at = time.monotonic() + self._options.stream.quiet_seconds  # nothing can come: it is not quiet
                elif left <= 0:
                    self._is_quiet = len(self._waiting) < self.window
                    break
                continue
            quiet_at = time.monotonic() + self._options.stream.quiet_seconds
            if message.mid and message.qos and message.mid in self._waiting:
                continue  # sent again over a new connection, and in hand already
            if message.qos:
                self._waiting.add(message.mid)
            taken.append(message)
            held += len(message.payload)
        if not taken and self._lost_since is not None:
            self._refuse_lost()
        while not taken and not self._told.empty():
            what, words = self._told.get()
            if what == "refused":
                raise self._refused(words)
        return taken

    def _refused(self, words: str) -> SourceError:
        return SourceError(
            f"`{self._options.where}`: máy chủ tin từ chối / the broker refuses ({words}).",
            hint="Check user, password and what this account may subscribe to.",
        )

    def _is_lost(self) -> bool:
        if self._lost_since is not None and time.monotonic() - self._lost_since > self._options.stream.timeout_seconds:
            self._refuse_lost()
        return self._lost_since is not None

    def _refuse_lost(self) -> None:
        raise SourceError(
            f"`{self._options.where}`: máy chủ tin ngắt kết nối / the broker went away and did not come back.",
            hint="Run again: what is not acknowledged comes again.",
        )

    def _acknowledge(self, messages: list[mqtt.MQTTMessage]) -> None:
        for message in messages:
            self._waiting.discard(message.mid)
            self._client.ack(message.mid, message.qos)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._told.put(("refused", str(reason)))
            return
        self._lost_since = None
        self._told.put(("signed_in", ""))
        client.subscribe([(topic, SubscribeOptions(qos=0 if self._context.only_looks else 1)) for topic in self._options.topics])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [str(each) for each in reasons if each.is_failure]
        if refused:
            self._told.put(("refused", ", ".join(refused)))
        else:
            self._tell_subscribed()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        """What the session kept may come before the broker says that we subscribe, and be more than there is room for."""
        self._tell_subscribed()
        self._inbox.put(message)

    def _tell_subscribed(self) -> None:
        if not self._is_subscribed:
            self._is_subscribed = True
            self._told.put(("subscribed", ""))

    def _on_disconnect(self, *_: Any) -> None:
        self._lost_since = self._lost_since or time.monotonic()

    def _unreachable(self, error: OSError) -> LienthongError:
        import ssl  # noqa: PLC0415 # only to tell one failure from another

        if isinstance(error, ssl.SSLError):
            return tls_refused(f"`{self._options.where}`", error)
        return SourceError(f"`{self._options.where}`: không kết nối được / cannot be reached ({type(error).__name__}).")
