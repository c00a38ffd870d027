"""Messages of a NATS JetStream stream: in their order, from after the last one that was published, acknowledged when they are safe in the landing.

The position is the stream's own sequence, so nothing is lost and nothing comes twice: the consumer is made anew at each reading, from the
message after the position on. A stream that gives up what was acknowledged (a work queue) is read from what it still has; what landed
already is acknowledged and passed over. A stream made anew under its old name is read from its beginning.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from lienthong.connectors.addresses import connected, judged
from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.folder_ftp import tls_context, tls_refused
from lienthong.connectors.landings import Landings
from lienthong.connectors.options import Options
from lienthong.connectors.steps import Step, stage
from lienthong.connectors.stream_rows import BATCH_BYTES, Message, StreamOptions
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import SourceError
from lienthong.log import get_logger

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

MOST_AT_ONCE = 1_000  # messages of one pull
PULLED_BYTES = 256 * 1024 * 1024  # that they may have at most, each as large as the server lets it be
IDLE_SECONDS = 3_600.0  # after which the server forgets a consumer nobody uses
Result = TypeVar("Result")
_BENIGN = "returning true from eof_received() has no effect when using ssl"  # asyncio says so of nats-py at each goodbye
logging.getLogger("asyncio").addFilter(lambda record: record.getMessage() != _BENIGN)
log = get_logger("sources")


@dataclass(frozen=True)
class NatsOptions:
    host: str
    port: int
    is_tls: bool
    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    credentials_file: str
    stream: str
    subject: str
    consumer: str
    ca: str
    common: StreamOptions

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> NatsOptions:
        options = Options.of(source, context)
        place = urlsplit(expand(source.location, context.variables))
        if place.scheme not in ("nats", "tls") or not place.hostname:
            raise SourceError(f"Nguồn/source `{source.name}`: cần địa chỉ / expected a location such as tls://user@host.")
        taken = cls(
            place.hostname, place.port or 4222, place.scheme == "tls", unquote(place.username or ""),
            options.text("password") or unquote(place.password or ""), options.text("token"), options.text("credentials_file"),
            options.text("stream"), options.text("subject"), options.text("consumer", "lienthong"), options.text("ca"), StreamOptions.take(options),
        )  # fmt: skip
        options.close()
        if not taken.stream:
            raise options.required("stream")
        return taken

    @property
    def where(self) -> str:
        return f"{'tls' if self.is_tls else 'nats'}://{self.host}:{self.port}/{self.stream}"


class NatsStream:
    """Connector `nats_stream`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:  # noqa: ARG002 # a stream has no content to know beforehand
        return None

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = NatsOptions.take(source, context)
        with _conversation(options, context) as talk:
            for _ in talk.opening():
                pass
            yield from talk.batches(after)

    def waits(self, source: Source, context: ReadContext, after: Position | None) -> bool:
        """Whether the stream has messages after the position."""
        options = NatsOptions.take(source, context)
        with _conversation(options, context) as talk:
            for _ in talk.opening():
                pass
            return talk.has_after(after)

    def probe(self, source: Source, context: ReadContext) -> Iterator[Step]:
        options = NatsOptions.take(source, context)
        yield stage("variables")
        with _conversation(options, context) as talk:
            for code in talk.opening():
                yield stage(code)
            told = talk.call(talk.stream_state())
            first, last, count = told.state.first_seq, told.state.last_seq, told.state.messages
            yield Step(True, f"Dòng tin có {count} tin ({first}–{last})", f"the stream has {count} messages ({first}–{last})")
            batch = next(iter(talk.batches(None)))
        names = ", ".join(f"`{name}`" for name in batch.table.column_names)
        hint = f"{len(batch.broken)} of the first messages are no JSON objects." if batch.broken else ""
        yield Step(True, f"Đọc được {batch.table.num_rows} hàng đầu: {names}", f"read {batch.table.num_rows} first rows: {names}", hint)


@contextmanager
def _conversation(options: NatsOptions, context: ReadContext) -> Iterator[_Conversation]:
    talk = _Conversation(options, context)
    try:
        yield talk
    finally:
        talk.close()


_PATIENCE = 5  # times of quiet before the first message, while the server has some: a busy machine is given more


class _Conversation:
    """nats-py knows asyncio alone: its loop runs in a thread of its own, and is asked from here."""

    def __init__(self, options: NatsOptions, context: ReadContext) -> None:
        self._options, self._context = options, context
        self._landings = Landings()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats-source", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        self._pulling: Any = None
        self._is_quiet = False  # nothing came for a while, and nothing waited

    def call(self, act: Coroutine[Any, Any, Result], seconds: float | None = None) -> Result:
        """What a coroutine gives. Raises SourceError in words for what NATS raises; TimeoutError is the caller's to judge."""
        from nats.errors import Error as NatsError  # noqa: PLC0415 # loads asyncio machinery only these sources need
        from nats.js.errors import NotFoundError  # noqa: PLC0415 # as above

        what = f"`{self._options.where}`"
        if self._loop.is_closed():
            act.close()
            raise SourceError(f"{what}: đã ngắt kết nối / the connection is closed.")
        future = asyncio.run_coroutine_threadsafe(act, self._loop)
        try:
            return future.result(seconds or self._options.common.timeout_seconds)
        except TimeoutError as error:  # NATS' own, and Python's, which its library lets through on a slow machine
            if future.done():
                raise TimeoutError from None
            raise _unanswered(what, error) from error
        except NotFoundError as error:
            raise SourceError(f"{what}: không có dòng tin này / there is no such stream.", hint="Is `stream` written right?") from error
        except ssl.SSLError as error:
            raise tls_refused(what, error) from error
        except (NatsError, OSError, ValueError) as error:
            said = str(error).lower()
            if "authorization" in said or "authentication" in said:
                raise SourceError(f"{what}: máy chủ không nhận tài khoản / the server does not take this account.", hint="Check user, password, token or credentials.") from error  # fmt: skip
            raise _unanswered(what, error) from error
        finally:
            future.cancel()

    def opening(self) -> Iterator[str]:
        options = self._options
        addresses = judged(options.host, options.port, self._context.networks)
        yield "resolved"
        probe = connected(options.host, options.port, addresses, options.common.timeout_seconds)
        at = str(probe.getpeername()[0])
        probe.close()
        yield "connected"
        try:
            self.call(self._connect(at))
        except TimeoutError:
            raise SourceError(f"`{options.where}`: máy chủ không trả lời / the server does not answer.") from None
        if options.is_tls:
            yield "encrypted"
        yield "signed_in"

    async def stream_state(self) -> Any:
        return await self._jetstream.stream_info(self._options.stream)

    def batches(self, after: Position | None) -> Iterator[Batch]:
        common, options = self._options.common, self._options
        state = self.call(self.stream_state())
        created = _created(state)
        reached = self._reached(state, created, after)
        self.call(self._consume(state, reached))
        file = SourceFile(uri=options.where)
        until, given = time.monotonic() + common.max_seconds, 0
        while True:
            taken = self._gather(min(self._context.batch_rows, common.max_rows - given), reached, until, is_first=not given)
            if not taken and given:
                break
            reached = taken[-1].metadata.sequence.stream if taken else reached
            given += len(taken)
            on_landed = None if self._context.only_looks else self._landings.given(lambda taken=taken: self._acknowledge(taken))  # type: ignore[misc] # mypy cannot tell the default's type
            yield common.batch(file, [_message(each) for each in taken], {"sequence": reached, "created": created}, on_landed)
            if not taken or self._is_quiet or given >= common.max_rows or time.monotonic() > until:
                break
        if given and not self._context.only_looks and not self._landings.wait(common.landing_seconds):
            log.warning("stream_not_landed", source=options.where)  # it is given again

    def has_after(self, after: Position | None) -> bool:
        """Whether there are messages that were not published yet."""
        state = self.call(self.stream_state())
        return bool(state.state.messages) and state.state.last_seq > self._reached(state, _created(state), after)

    def close(self) -> None:
        with suppress(SourceError, TimeoutError):
            self.call(self._leave(), 5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._loop.is_running():
            self._loop.close()

    @property
    def _jetstream(self) -> Any:
        assert self._client is not None  # it is opened before it is used
        return self._client.jetstream(timeout=self._options.common.timeout_seconds)

    async def _connect(self, at: str) -> None:
        import nats  # noqa: PLC0415 # loads asyncio machinery only these sources need

        options = self._options
        more: dict[str, Any] = {"user": options.user or None, "password": options.password or None, "token": options.token or None}
        if options.credentials_file:
            more["user_credentials"] = options.credentials_file
        if options.is_tls:
            more |= {"tls": tls_context(options.ca), "tls_hostname": options.host}
        host = f"[{at}]" if ":" in at else at
        where = f"{'tls' if options.is_tls else 'nats'}://{host}:{options.port}"
        first = await nats.connect(
            where, error_cb=_quiet, connect_timeout=10, allow_reconnect=False, **more
        )  # says at once what keeps us out
        await first.close()
        self._client = await nats.connect(
            where, name="lienthong", error_cb=_quiet, connect_timeout=10, max_reconnect_attempts=max(int(options.common.timeout_seconds), 1),
            reconnect_time_wait=1, **more,
        )  # fmt: skip

    def _reached(self, state: Any, created: str, after: Position | None) -> int:
        """The sequence published last; 0 of a stream that was made anew since."""
        if after is None:
            return 0
        reached = int(after["sequence"])
        if reached > state.state.last_seq or after.get("created", created) != created:
            log.warning("stream_made_anew", source=self._options.where)
            return 0
        if state.state.messages and reached and state.state.first_seq > reached + 1 and state.config.retention != "workqueue":
            log.warning("stream_messages_gone", source=self._options.where, messages=state.state.first_seq - reached - 1)
        return reached

    async def _consume(self, state: Any, reached: int) -> None:
        """A consumer that begins after what was reached: made anew, for an old one gives out again, out of order, what was not acknowledged."""
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy  # noqa: PLC0415 # as above
        from nats.js.errors import NotFoundError  # noqa: PLC0415 # as above

        options, looks, is_queue = self._options, self._context.only_looks, state.config.retention == "workqueue"
        if looks and is_queue:
            raise SourceError(
                f"`{options.where}`: hàng đợi không xem trước được / a work queue cannot be looked at without taking from it."
            )
        if not looks:
            with suppress(NotFoundError):
                await self._jetstream.delete_consumer(options.stream, options.consumer)
        begins_anew = is_queue or not reached
        config = ConsumerConfig(
            durable_name=None if looks else options.consumer,
            deliver_policy=DeliverPolicy.ALL if begins_anew else DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=None if begins_anew else reached + 1,
            ack_policy=AckPolicy.NONE if looks else AckPolicy.EXPLICIT,
            ack_wait=None if looks else 2 * options.common.landing_seconds + options.common.max_seconds,
            max_ack_pending=None if looks else 3 * self._context.batch_rows,
            filter_subject=options.subject or None,
            inactive_threshold=30.0 if looks else None,
        )
        made = await self._jetstream.add_consumer(options.stream, config)
        self._pulling = await self._jetstream.pull_subscribe_bind(consumer=made.name, stream=options.stream)

    def _waits(self) -> bool:
        """Whether the server has messages for us that it did not send yet."""
        try:
            return bool(self.call(self._pulling.consumer_info()).num_pending)
        except TimeoutError:
            return True

    def _gather(self, most: int, reached: int, until: float, *, is_first: bool) -> list[Msg]:
        """Messages in their order until there are enough or none came for a while. What landed before is acknowledged and passed over."""
        taken: list[Msg] = []
        quiet, held = self._options.common.quiet_seconds, 0
        patience = _PATIENCE if is_first else 0
        while len(taken) < most and held < BATCH_BYTES and time.monotonic() < until:
            try:
                found = self.call(
                    self._pulling.fetch(min(most - len(taken), self._at_once), timeout=quiet),
                    quiet + self._options.common.timeout_seconds,
                )
            except TimeoutError:
                if not taken and patience and self._waits():  # it is slow, and not quiet
                    patience -= 1
                    continue
                self._is_quiet = bool(taken) and not taken[-1].metadata.num_pending  # what waits comes when there is room for it
                break
            except SourceError:
                if taken or not is_first:  # what came is whole; the rest comes with the next reading
                    log.warning("stream_broke_off", source=self._options.where)
                    break
                raise
            last = taken[-1].metadata.sequence.stream if taken else reached
            known = [each for each in found if each.metadata.sequence.stream <= last]
            if known and not self._context.only_looks:
                self._acknowledge([each for each in known if each.metadata.sequence.stream <= reached])
            taken += (new := [each for each in found if each.metadata.sequence.stream > last])
            held += sum(len(each.data) for each in new)
        return taken

    @property
    def _at_once(self) -> int:
        assert self._client is not None  # it is opened before it is used
        return max(1, min(MOST_AT_ONCE, PULLED_BYTES // max(1, self._client.max_payload)))

    def _acknowledge(self, messages: list[Msg]) -> None:
        """Nothing is lost when it fails: what has landed is known by its sequence."""
        try:
            self.call(self._acknowledge_all(messages))
        except (SourceError, TimeoutError):
            log.warning("stream_not_acknowledged", source=self._options.where)

    async def _acknowledge_all(self, messages: list[Msg]) -> None:
        assert self._client is not None  # messages came over it
        for each in messages:
            await each.ack()
        await self._client.flush()

    async def _leave(self) -> None:
        if self._client is not None:
            await self._client.close()


def _created(state: Any) -> str:
    """When the stream was made, where the library tells it."""
    return str(getattr(state, "created", "") or "")


def _message(found: Msg) -> Message:
    return Message(found.metadata.sequence.stream, found.subject, found.data, found.metadata.timestamp.isoformat())


def _unanswered(what: str, error: Exception) -> SourceError:
    return SourceError(
        f"{what}: máy chủ không trả lời đúng / the server does not answer as it should ({type(error).__name__}).",
        hint="Run again: it goes on after the last message published.",
    )


async def _quiet(_: Exception) -> None:
    """What fails is seen by who asks."""
