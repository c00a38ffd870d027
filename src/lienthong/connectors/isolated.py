"""Readers written in C and Rust, run where they can do no harm: a child process with bounded memory and time, one for each file.

A hostile workbook, map or Parquet file can make such a library crash or ask for all memory; in a child that is a file refused, not a
worker lost. Children are forked from one small process of ours that has the libraries loaded already (a fork takes milliseconds), and give
their rows as an Arrow stream through a pipe: nothing is held whole, and a slow taker slows the child. Nothing is handed over but paths and
options; what a child says on failing is a `LienthongError` of ours, or it died and said nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from lienthong.errors import HostileInputError, SourceError

MAX_MEMORY_BYTES = 3 * 1024 * 1024 * 1024  # of address space: libraries map more than they use
MAX_CPU_SECONDS = 3600
MAX_WRITTEN_BYTES = 0  # a child writes no files
_ERRORS = {kind.__name__: kind for kind in (SourceError, HostileInputError)}
# The package itself is not imported: every connector it names would come with it, a second of a processor instead of three tenths (measured).
_SERVE = """
import sys, types
package = types.ModuleType("lienthong.connectors")
package.__path__ = [sys.argv[1]]
sys.modules[package.__name__] = package
from lienthong.connectors.isolated import serve
serve(int(sys.argv[2]))
"""
_PRELOAD = ("pyarrow.parquet", "fastexcel", "lienthong.connectors.excel_cells", "lienthong.connectors.isolated_jobs")


@dataclass(frozen=True)
class Limits:
    memory_bytes: int = MAX_MEMORY_BYTES
    cpu_seconds: int = MAX_CPU_SECONDS


def prepare() -> None:
    """Have the process of ours load its libraries while the caller still does something else."""
    _nursery.begin()


def tables(job: str, name: str, limits: Limits | None = None, **arguments: Any) -> Iterator[pa.RecordBatch]:
    """Batches a job of `isolated_jobs` yields in a child. Raises its SourceError, or one of our own when the child died.

    `name` is the file's, for the words. The first batch comes with the schema; a job of no rows gives one batch of none.
    """
    with _asked({"job": job, "arguments": arguments}, name, limits or Limits()) as (data, check):
        try:
            reader = pa.ipc.open_stream(pa.PythonFile(data))
            yield from reader
        except (pa.ArrowInvalid, OSError, EOFError):
            check(ended=False)
            raise
        check(ended=True)


def tables_apart(job: str, name: str, limits: Limits | None = None, **arguments: Any) -> Iterator[pa.Table]:
    """As `tables`, each batch with columns of its own."""
    with _asked({"job": job, "arguments": arguments, "apart": True}, name, limits or Limits()) as (data, check):
        try:
            while data.peek(1):
                yield pa.ipc.open_stream(pa.PythonFile(data)).read_all()
        except (pa.ArrowInvalid, OSError, EOFError):
            check(ended=False)
            raise
        check(ended=True)


@contextlib.contextmanager
def output(argv: Sequence[str], name: str, limits: Limits | None = None) -> Iterator[BinaryIO]:
    """What a program writes, as it writes it; no shell, no files written. On leaving raises SourceError when it failed or was stopped."""
    with _asked({"argv": list(argv)}, name, limits or Limits()) as (data, check):
        yield data
        check(ended=True)


@contextlib.contextmanager
def _asked(job: Mapping[str, Any], name: str, limits: Limits) -> Iterator[tuple[io.BufferedReader, Callable[..., None]]]:
    rows_in, rows_out = os.pipe()
    words_in, words_out = os.pipe()
    with os.fdopen(rows_in, "rb") as data, os.fdopen(words_in, "rb") as words:
        try:
            _nursery.send({**job, "memory": limits.memory_bytes, "cpu": limits.cpu_seconds}, (rows_out, words_out))
        finally:
            os.close(rows_out)
            os.close(words_out)

        def check(*, ended: bool) -> None:
            said = words.read()
            if said == b"done" and ended:
                return
            _raise(said, name)

        yield data, check


def _raise(said: bytes, name: str) -> NoReturn:
    if said in (b"", b"done"):
        raise HostileInputError(
            f"`{name}`: chương trình đọc bị dừng / the library that reads it was stopped: it crashed, or wanted too much memory or time.",
            hint="Open the file in the program it comes from, save it anew, and deliver it again.",
        )
    told = json.loads(said)
    if told["kind"] in _ERRORS:
        raise _ERRORS[told["kind"]](told["message"], hint=told["hint"])
    raise SourceError(f"`{name}`: không đọc được / cannot be read ({told['message']}).", hint="The file may be damaged or cut off.")


class _Nursery:
    """The process children are forked from: started when first needed, once for each process of ours, gone when that ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it if it does not run."""
        with self._lock:
            if self._owner != os.getpid() or self._process is None or self._process.poll() is not None:
                self._start()

    def send(self, job: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        message = json.dumps(job).encode()
        self.begin()
        with self._lock:
            assert self._socket is not None
            socket.send_fds(self._socket, [message], list(descriptors))

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(Path(__file__).parent), str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C in a terminal reaches us; it ends when our end of the socket is closed
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._socket, self._owner = ours, os.getpid()


_nursery = _Nursery()


class _Without:
    """Finds no such module: whoever can do without it does."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(name=name)


def serve(descriptor: int) -> None:
    """Fork a child for each job that comes through a socket, until whoever started us is gone."""
    connection = socket.socket(fileno=descriptor)
    sys.meta_path.insert(0, _Without("pandas"))  # pyarrow would load it in each child, a third of a second, to know its values
    for module in _PRELOAD:
        importlib.import_module(module)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # our parent decides
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        if not message:
            return
        if os.fork() == 0:
            connection.close()
            _child(json.loads(message), *descriptors)
        for each in descriptors:
            os.close(each)


def _child(job: Mapping[str, Any], rows: int, words: int) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu"], job["cpu"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN_BYTES, MAX_WRITTEN_BYTES))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    code = 1
    try:
        if "argv" in job:
            _run(job["argv"], rows)
        else:
            _give(job["job"], job["arguments"], rows, apart=job.get("apart", False))
        os.write(words, b"done")
        code = 0
    except BrokenPipeError:
        pass  # whoever asked has left
    except BaseException as error:  # a panic in Rust is no Exception; all a child can do is say so
        told = {"kind": type(error).__name__, "message": getattr(error, "message", str(error))[:2000], "hint": getattr(error, "hint", "")}
        with contextlib.suppress(OSError):
            os.write(words, json.dumps(told).encode())
    os._exit(code)


def _give(job: str, arguments: Mapping[str, Any], rows: int, *, apart: bool) -> None:
    function = importlib.import_module("lienthong.connectors.isolated_jobs").JOBS[job]
    writer = None
    with os.fdopen(rows, "wb", closefd=False) as stream:
        for batch in function(**arguments):
            if writer is None:
                writer = pa.ipc.new_stream(stream, batch.schema)
            writer.write_batch(batch)
            stream.flush()
            if apart:
                writer.close()
                stream.flush()
                writer = None
        if writer is not None:
            writer.close()


def _run(argv: Sequence[str], rows: int) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=rows, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ChildProcessError(f"{argv[0]} ended with {done.returncode}: {said[-1] if said else ''}")
