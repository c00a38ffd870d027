"""A process beside the server. It ends when the server does, however that ends: it holds the other end of a pipe."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TextIO

from lienthong.log import configure_logging, get_logger
from lienthong.settings import PREFIX, Settings, read_settings

SECONDS_TO_END = 10
LOCK = "companions.lock"
log = get_logger("companion")


class Companions:
    """What runs beside a server: of its workers one, whichever holds the lock file of its home, starts them."""

    def __init__(self, modules: Sequence[str], settings: Settings, database_url: str) -> None:
        self._started = [Companion(module, settings, database_url) for module in modules]
        self._place = settings.home / LOCK
        self._lock: TextIO | None = None

    def ensure(self) -> None:
        """Each running after this, if it is for us to run them. Raises OSError when no process or lock can be made."""
        if self._started and self._is_ours():
            for each in self._started:
                each.ensure()

    def stop(self) -> None:
        """Let each finish what it has, and another worker take its place."""
        for each in self._started:
            each.close()
        for each in self._started:
            each.wait()
        if self._lock is not None:
            self._lock.close()

    def _is_ours(self) -> bool:
        if self._lock is not None:
            return True
        self._place.parent.mkdir(parents=True, exist_ok=True)
        lock = self._place.open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True


class Companion:
    """Starts a module as a process, starts it again when it died, ends it."""

    def __init__(self, module: str, settings: Settings, database_url: str) -> None:
        self._module = module
        self._environment = {**os.environ, **_environment_of(settings), PREFIX + "DATABASE_URL": database_url}
        # `nice` becomes the process itself, which so steps back from its first instruction on: loading takes two seconds of a processor.
        self._command = ["nice", "-n", str(max(0, settings.worker_nice)), sys.executable, "-m", module]
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Running after this, if it can be."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            log.warning("companion_started_again", module=self._module, ended_with=self._process.returncode)
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=self._environment)

    def close(self) -> None:
        """Tell it to end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self) -> None:
        """Let it finish what it has."""
        if self._process is None:
            return
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def begin() -> tuple[Settings, threading.Event]:
    """What such a process begins with: its settings, and an event that is set when the server has closed the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides when we end
    settings = read_settings()
    configure_logging(settings.log_level)
    ended = threading.Event()

    def await_end() -> None:
        sys.stdin.buffer.read()
        ended.set()

    threading.Thread(target=await_end, daemon=True).start()
    return settings, ended


def _environment_of(settings: Settings) -> dict[str, str]:
    return {PREFIX + spec.name.upper(): _text(getattr(settings, spec.name)) for spec in fields(Settings)}


def _text(value: bool | int | str | Path) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
