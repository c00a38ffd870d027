"""Processes of ours without their start: forked from one that has loaded the application already, once for each process of tests.

Loading takes two to three seconds of a processor, and a served province is three such processes. What runs is the same code in processes of its
own, with an environment, a folder, signals and an exit of its own. What a test says of starting itself (a command, a companion that ends with
its server, memory) starts the real thing: `Popen` with `sys.executable`.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
PLACE = "LIENTHONG_TESTS_FORKING"  # where the one that forks listens; what it forked finds it there too
LOADED = ("lienthong.web.worker", "lienthong.web.sequencer", "lienthong.web.app", "lienthong.web.wire", "lienthong.web.serve", "uvloop")
PIPE = subprocess.PIPE
TimeoutExpired = subprocess.TimeoutExpired
SERVE = ("-c", "from lienthong.settings import read_settings; from lienthong.web.serve import serve; serve(read_settings())")


class Forked:
    """Like `subprocess.Popen` of this Python with these arguments (`-m module …` or `-c code …`), as much of it as tests and companions use."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdin: int | None = None,
        stdout: int = 1,
        stderr: int = 2,
    ) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        nice, rest = _of_python(self.args)
        asked = {"arguments": rest, "nice": nice, "environment": dict(os.environ if env is None else env), "cwd": str(cwd or Path.cwd())}
        read, write = os.pipe() if stdin == PIPE else (os.open(os.devnull, os.O_RDONLY), None)
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(_place())
        document = json.dumps(asked).encode()
        socket.send_fds(self._line, [len(document).to_bytes(8, "big")], [read, stdout, stderr])
        self._line.sendall(document)
        os.close(read)
        if write is not None:
            self.stdin = os.fdopen(write, "wb")
        self.pid = int(self._told())

    def _told(self) -> str:
        told = b""
        while not told.endswith(b"\n"):
            more = self._line.recv(64)
            if not more:  # the one that forks was killed, and what it forked with it
                return "-9"
            told += more
        return told.decode().strip()

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], 0)[0]:
            self.returncode = int(self._told())
            self._line.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self._line], [], [], timeout)[0]:
            raise TimeoutExpired(self.args, timeout or 0)
        self.poll()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Like `subprocess.run` to the end, what was said captured as text."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as blamed:
        code = Forked(arguments, env=env, cwd=cwd, stdout=told.fileno(), stderr=blamed.fileno()).wait()
        said = [_whole(each) for each in (told, blamed)]
    return subprocess.CompletedProcess(list(arguments), code, *said)


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _of_python(command: Sequence[str]) -> tuple[int, list[str]]:
    """How far it steps back (a companion's command begins with `nice -n …`), and what the interpreter is told."""
    head, rest = list(command[: command.index(sys.executable)]), list(command[command.index(sys.executable) + 1 :])
    assert head[:-1] in ([], ["nice", "-n"]), command
    assert rest[0] in ("-m", "-c"), rest
    return int(head[-1]) if head else 0, rest


def _place() -> str:
    """Where the one that forks listens; it is started when first asked, and ends with the process that started it."""
    if PLACE not in os.environ:
        place = str(Path(tempfile.mkdtemp(prefix="lienthong-forking-")) / "socket")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        listener.listen(128)
        owner, kept = os.pipe()
        command = [sys.executable, "-m", "tests.forking", str(listener.fileno()), str(owner)]
        environment = {**os.environ, PLACE: place, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno(), owner])
        listener.close()
        os.close(owner)
        os.environ[PLACE] = place
        atexit.register(_end, process, kept, place)
    return os.environ[PLACE]


def _end(process: subprocess.Popen[bytes], kept: int, place: str) -> None:
    os.close(kept)
    process.wait(120)
    Path(place).unlink(missing_ok=True)
    Path(place).parent.rmdir()


class Forker:
    """The process that has loaded everything and does nothing but fork: one thread, no connection, no work of its own."""

    def __init__(self, listener: int, owner: int) -> None:
        self._listener = socket.socket(fileno=listener)
        self._owner = owner
        self._lines: dict[int, socket.socket] = {}
        self._woken, woke = socket.socketpair()
        for each in (self._woken, woke):
            each.setblocking(False)
        self._woke = woke
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(woke.fileno(), warn_on_full_buffer=False)

    def await_work(self) -> list[str] | None:
        """In a forked process: what it is to do. In the one that forks: None, once its owner is gone."""
        while True:
            ready = select.select([self._listener.fileno(), self._owner, self._woken.fileno()], [], [])[0]
            if self._woken.fileno() in ready:
                self._woken.recv(4096)
                self._tell_ends()
            if self._owner in ready:
                return None
            if self._listener.fileno() in ready:
                work = self._take(self._listener.accept()[0])
                if work is not None:
                    return work

    def _take(self, line: socket.socket) -> list[str] | None:
        length, descriptors, _, _ = socket.recv_fds(line, 8, 3)
        with line.makefile("rb") as stream:
            asked = json.loads(stream.read(int.from_bytes(length, "big")))
        pid = os.fork()
        if pid == 0:
            return self._become(asked, line, descriptors)
        for each in descriptors:
            os.close(each)
        line.sendall(f"{pid}\n".encode())
        self._lines[pid] = line
        return None

    def _tell_ends(self) -> None:
        while self._lines:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            line = self._lines.pop(pid)
            with suppress(BrokenPipeError):
                line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            line.close()

    def _become(self, asked: Mapping[str, Any], line: socket.socket, descriptors: Sequence[int]) -> list[str]:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
        for ours in (self._listener, self._woken, self._woke, line, *self._lines.values()):
            ours.close()
        os.close(self._owner)
        for target, each in enumerate(descriptors):
            os.dup2(each, target)
            os.close(each)
        place = os.environ[PLACE]
        os.environ.clear()
        os.environ.update({**asked["environment"], PLACE: place})
        os.nice(asked["nice"])
        time.tzset()
        os.chdir(asked["cwd"])
        work: list[str] = asked["arguments"]
        return work


def _load() -> None:
    """What is loaded before the first fork; workers and companions of servers are forked too."""
    import importlib
    import multiprocessing

    import uvicorn._subprocess as starting

    for name in LOADED:
        importlib.import_module(name)
    from lienthong.web import companion
    from tests.patience import read_authorities_once

    read_authorities_once()
    started = starting.subprocess_started

    def begin(*arguments: Any, **named: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # the watching process's own are not the worker's
            signal.signal(number, signal.SIG_DFL)
        started(*arguments, **named)

    vars(starting).update(spawn=multiprocessing.get_context("fork"), subprocess_started=begin)
    vars(companion).update(subprocess=sys.modules[__name__])


Popen = Forked  # what `companion` asks `subprocess` for
Process = Forked | subprocess.Popen[bytes]


def _do(work: Sequence[str]) -> None:
    """As the interpreter would: `-m module …`, `-c code …`."""
    import runpy

    how, what, *rest = work
    sys.argv = [what if how == "-m" else "-c", *rest]
    if what in LOADED:
        sys.modules[what].main()
    elif how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 # the test's own


def main() -> None:
    import gc

    sys.modules.setdefault("tests.forking", sys.modules[__name__])
    listener, owner = map(int, sys.argv[1:])
    _load()
    gc.collect()
    gc.freeze()
    work = Forker(listener, owner).await_work()
    if work is not None:
        _do(work)


if __name__ == "__main__":
    main()
