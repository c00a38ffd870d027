"""A transaction ended within a pipeline comes to its end, however much was sent before it."""

from __future__ import annotations

import threading

from lienthong.store import Database

SECONDS = 20
MUCH = "x" * 20_000_000  # more than fits between a program and its server at once


def test_a_transaction_that_sent_more_than_fits_between_us_and_the_server_is_committed(database_url: str) -> None:
    connection = Database(database_url).connect()
    done = threading.Event()

    def work() -> None:
        with connection.pipeline():
            connection.execute("create table much (content text)")
            for _ in range(3):
                connection.execute("insert into much values (%s)", (MUCH,))
            connection.commit()
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(SECONDS), f"nothing was committed after {SECONDS} s"
    found = connection.execute("select count(*), sum(length(content)) from much").fetchone()
    connection.close()
    assert found == (3, 3 * len(MUCH))
