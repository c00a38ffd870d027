"""The process beside the server that gives the ledger's entries their order and signs its checkpoints (`store.sequencing`).

A process of its own, because hashing and signing would take their time from answers. It ends when the server does, however that ends:
it holds the other end of a pipe. Several servers over one database have one each, and these take turns.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import psycopg
from psycopg import IsolationLevel

from lienthong.clock import system_clock
from lienthong.errors import LienthongError
from lienthong.ledger import Signer
from lienthong.log import configure_logging, get_logger
from lienthong.settings import Settings, read_settings
from lienthong.store.database import Database
from lienthong.store.sequencing import Sequencer
from lienthong.web.keys import ledger_signer

SECONDS_TO_END = 10
log = get_logger("sequencer")


class SequencerProcess:
    """Starts the process, starts it again when it died, ends it."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._environment = {
            **os.environ,
            "LIENTHONG_DATABASE_URL": database_url,
            "LIENTHONG_HOME": str(settings.home),
            "LIENTHONG_INSTANCE": settings.instance,
            "LIENTHONG_CHECKPOINT_MILLISECONDS": str(settings.checkpoint_milliseconds),
            "LIENTHONG_LOG_LEVEL": settings.log_level,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Running after this, if it can be."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            log.warning("sequencer_started_again", ended_with=self._process.returncode)
        self._process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, env=self._environment)

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


def keep(database: Database, signer: Signer, seconds: float, ended: threading.Event) -> None:
    """A checkpoint every so many seconds, when there is something to order; once more at the end. The database may go away and come back."""
    while True:
        try:
            with database.connect(autocommit=True) as connection:
                connection.isolation_level = IsolationLevel.REPEATABLE_READ
                sequencer = Sequencer(database, signer, system_clock)
                while True:
                    is_last = ended.wait(seconds)
                    sequencer.catch_up_over(connection)
                    if is_last:
                        return
        except (psycopg.Error, LienthongError) as error:
            log.warning("checkpoint_not_made", error=type(error).__name__)
            if ended.wait(seconds):
                return


def main() -> None:
    """The process: until the pipe from the server is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides when we end
    settings = read_settings()
    configure_logging(settings.log_level)
    os.nice(10)
    ended = threading.Event()

    def await_end() -> None:
        sys.stdin.buffer.read()
        ended.set()

    threading.Thread(target=await_end, daemon=True).start()
    keep(Database(settings.database_url), ledger_signer(settings), settings.checkpoint_milliseconds / 1000, ended)


if __name__ == "__main__":
    main()
