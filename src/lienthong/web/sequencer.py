"""The process beside the server that gives the ledger's entries their order and signs its checkpoints (`store.sequencing`).

A process of its own (`companion`), because hashing and signing would take their time from answers. Several servers over one database
have one each, and these take turns.
"""

from __future__ import annotations

import threading

import psycopg
from psycopg import IsolationLevel

from lienthong.clock import system_clock
from lienthong.errors import LienthongError
from lienthong.ledger import Signer
from lienthong.log import get_logger
from lienthong.store.database import Database
from lienthong.store.sequencing import Sequencer
from lienthong.web.companion import begin
from lienthong.web.keys import ledger_signer

log = get_logger("sequencer")


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
    settings, ended = begin()
    keep(Database(settings.database_url), ledger_signer(settings), settings.checkpoint_milliseconds / 1000, ended)


if __name__ == "__main__":
    main()
