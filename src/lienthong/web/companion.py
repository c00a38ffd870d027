"""A process beside the server. It ends when the server does, however that ends: it holds the other end of a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import fields
from pathlib import Path

from lienthong.log import configure_logging, get_logger
from lienthong.settings import PREFIX, Settings, read_settings

SECONDS_TO_END = 10
log = get_logger("companion")


class Companion:
    """Starts a module as a process, starts it again when it died, ends it."""

    def __init__(self, module: str, settings: Settings, database_url: str) -> None:
        self._module = module
        self._environment = {**os.environ, **_environment_of(settings), PREFIX + "DATABASE_URL": database_url}
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Running after this, if it can be."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            log.warning("companion_started_again", module=self._module, ended_with=self._process.returncode)
        self._process = subprocess.Popen([sys.executable, "-m", self._module], stdin=subprocess.PIPE, env=self._environment)

    def stop(self) -> None:
        """Let it finish what it has and wait for its end."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
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
    os.nice(10)
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
