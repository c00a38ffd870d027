"""Statements sent to the server many at a time: psycopg's pipeline mode with fewer trips, and statements that are known to the server already.

What is private to psycopg (3.3) and used here is used nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.abc import Transformer as Reader
from psycopg.adapt import Transformer
from psycopg.errors import PipelineAborted, error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

TYPES = {
    "text": 25,
    "bigint": 20,
    "integer": 23,
    "date": 1082,
    "timestamptz": 1184,
    "json": 114,
    "text[]": 1009,
    "bigint[]": 1016,
    "bytea": 17,
}  # pg_type.dat


@dataclass(frozen=True)
class Statement:
    """A statement that is sent often: its text with `$1` …, and the types of these, each a key of TYPES."""

    text: bytes
    types: tuple[str, ...]


Value = str | bytes | None  # as the server reads it: a text of its type, bytes as they are where the type is bytea


class _Pipeline(psycopg.Pipeline):
    """Psycopg's, but what is sent waits until an answer is wanted or `send_held` is called, and a transaction begins and the mode ends
    without a trip of their own.

    Psycopg asks the socket before each command, waits for the server's word on BEGIN, and once more at the end. When a transaction ends it
    waits for the answer alone: what did not fit between us and the server then stays here, and both wait for ever.
    """

    is_begun = False  # BEGIN was sent, and libpq does not know it yet: it learns of it where commands are in step again
    meanwhile: Callable[[], None] | None = None  # done once: when all was sent, before its answers are waited for

    def _communicate_gen(self) -> PQGen[None]:
        """Nothing yet: `send_gen` sends all that waits at once."""
        yield from ()

    def send_gen(self) -> PQGen[None]:
        while self.command_queue:
            self.command_queue.popleft()()
        yield from send(self.pgconn)

    def answers_gen(self, until: Answer) -> PQGen[None]:
        """The answers to what was sent, up to this one; all of them where something failed."""
        if not until.is_due:
            self.ask_for_answers()
        yield from self._send_and_read_gen(until)

    def ask_for_answers(self) -> None:
        """The server is to send what it has, and not to wait for more."""
        self.command_queue.append(self.pgconn.send_flush_request)

    def sync_gen(self) -> PQGen[None]:
        return self._sync_gen()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        if self.result_queue and flush:
            self.ask_for_answers()
        yield from self._send_and_read_gen()

    def _send_and_read_gen(self, until: Answer | None = None) -> PQGen[None]:
        yield from self.send_gen()
        if self.meanwhile is not None:
            work, self.meanwhile = self.meanwhile, None
            work()
        failed = None
        while self.result_queue and (failed or until is None or not until.is_there):
            results = yield from fetch_many(self.pgconn)
            if not results:  # what was sent since is not answered yet
                break
            try:
                self._process_results(self.result_queue.popleft(), results)
            except psycopg.Error as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _sync_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        yield from self._fetch_gen(flush=False)
        self.is_begun = False

    def _exit_gen(self) -> PQGen[None]:
        if self.is_begun or self._conn.autocommit or self.command_queue or self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from self._sync_gen()


class PipelinedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose pipeline mode is ours."""

    ours: _Pipeline | None = None  # while its mode is on
    _known: dict[Statement, bytes]
    _reader: Reader | None = None

    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        if self._pipeline is not None:
            with super().pipeline() as pipeline:
                yield pipeline
            return
        self.ours = self._pipeline = _Pipeline(self)
        try:
            with super().pipeline() as pipeline:
                yield pipeline
        finally:
            self.ours = None

    def _start_query(self) -> PQGen[None]:
        if self.ours is None or self.autocommit:
            yield from super()._start_query()
        elif not self.ours.is_begun and self.pgconn.transaction_status == TransactionStatus.IDLE:
            yield from self._exec_command(self._get_tx_start_command())
            self.ours.is_begun = True

    def _commit_gen(self) -> PQGen[None]:
        if self.ours is not None and self.ours.is_begun:
            yield from self._exec_command(b"COMMIT")
            yield from self.ours.sync_gen()
        else:
            yield from super()._commit_gen()

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """Psycopg forgets all statements after a rollback: ours go with them."""
        if name is None:
            self.known.clear()
        yield from super()._deallocate(name)

    @property
    def known(self) -> dict[Statement, bytes]:
        """The names of the statements prepared on this connection."""
        if "_known" not in self.__dict__:
            self._known = {}
        return self._known

    @property
    def reader(self) -> Reader:
        """Reads rows; it knows the types that came before."""
        if self._reader is None:
            self._reader = Transformer(self)
        return self._reader

    def ask(self, statement: Statement, values: Sequence[Value]) -> Answer:
        """Put a statement into the pipeline, which must be on; it is prepared once a connection."""
        pipeline = self.ours
        assert pipeline is not None  # asked in pipeline mode alone
        if not pipeline.is_begun:
            self.wait(self._start_query())
        commands, results = pipeline.command_queue, pipeline.result_queue
        name = self.known.get(statement)
        if name is None:
            name = self.known[statement] = b"lt_%d" % len(self.known)
            oids = [TYPES[each] for each in statement.types]
            commands.append(partial(self.pgconn.send_prepare, name, statement.text, param_types=oids))
            results.append((_Preparing(self, statement), None))  # type: ignore[arg-type] # what psycopg asks of a cursor there
        given = [value.encode() if isinstance(value, str) else value for value in values]
        formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in values]
        commands.append(partial(self.pgconn.send_query_prepared, name, given, param_formats=formats, result_format=Format.BINARY))
        answer = Answer(self)
        results.append((answer, None))  # type: ignore[arg-type] # as above
        return answer


class Answer:
    """The rows of a statement that was sent; `rows` waits for them."""

    __slots__ = ("_connection", "_result", "is_due")

    def __init__(self, connection: PipelinedConnection) -> None:
        self._connection = connection
        self._result: PGresult | None = None
        self.is_due = False  # the server was asked to send it as soon as it has it

    @property
    def is_there(self) -> bool:
        return self._result is not None

    def rows(self) -> list[tuple[Any, ...]]:
        connection = self._connection
        if self._result is None and connection.ours is not None:
            connection.wait(connection.ours.answers_gen(self))
        assert self._result is not None  # else its failure was raised
        connection.reader.set_pgresult(self._result)
        return connection.reader.load_rows(0, self._result.ntuples, tuple)

    def _check_results(self, results: list[PGresult]) -> None:
        refuse_failed(self._connection, results)

    def _set_results(self, results: list[PGresult]) -> None:
        self._result = results[-1]


class _Preparing:
    """The server's word on a statement it was to prepare: where it failed, or was not reached, the statement is not known."""

    def __init__(self, connection: PipelinedConnection, statement: Statement) -> None:
        self._connection = connection
        self._statement = statement

    def _check_results(self, results: list[PGresult]) -> None:
        try:
            refuse_failed(self._connection, results)
        except psycopg.Error:
            self._connection.known.pop(self._statement, None)
            raise

    def _set_results(self, results: list[PGresult]) -> None:
        """Nothing more to do."""


def refuse_failed(connection: psycopg.Connection[Any], results: Sequence[PGresult]) -> None:
    """Raises what the server said went wrong, PipelineAborted where it did not come to this."""
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding=connection.info.encoding)
        if result.status == ExecStatus.PIPELINE_ABORTED:
            raise PipelineAborted("pipeline aborted")


def is_pipelined(connection: psycopg.Connection[Any]) -> bool:
    """Whether our pipeline mode is on."""
    return isinstance(connection, PipelinedConnection) and connection.ours is not None


def send_held(connection: psycopg.Connection[Any], wanted: Answer | None = None) -> None:
    """Send what waits in pipeline mode, so that the server works on it while we go on. `wanted`: to come back as soon as it is there."""
    if isinstance(connection, PipelinedConnection) and connection.ours is not None:
        if wanted is not None:
            connection.ours.ask_for_answers()
            wanted.is_due = True
        connection.wait(connection.ours.send_gen())


def while_waiting(connection: psycopg.Connection[Any], work: Callable[[], None]) -> None:
    """Work to be done while the server works: when the next answer is waited for; at once outside of pipeline mode.

    It may read answers to what was asked before, and must ask for nothing itself: the connection is locked while it commits. It must not
    raise but what the server said.
    """
    if isinstance(connection, PipelinedConnection) and connection.ours is not None:
        connection.ours.meanwhile = work
    else:
        work()


def ask(connection: psycopg.Connection[Any], statement: Statement, values: Sequence[Value]) -> Answer:
    """Put a statement into the connection's pipeline; outside of that mode it is answered at once."""
    assert isinstance(connection, PipelinedConnection)  # as `Database` makes them
    if connection.ours is not None:
        return connection.ask(statement, values)
    with connection.pipeline():
        return connection.ask(statement, values)


def text_array(texts: Sequence[str | None]) -> str:
    """Texts as the server reads an array of them."""
    return "{" + ",".join("NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def numbered(text: str, parameters: Sequence[str]) -> Statement:
    """A statement with `$1` … for its named parameters, each given as `name type`, in their order."""
    named = [parameter.split() for parameter in parameters]
    for number, (name, _) in enumerate(named, 1):
        text = text.replace(f"%({name})s", f"${number}")
    return Statement(text.encode(), tuple(kind for _, kind in named))
