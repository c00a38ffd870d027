"""Two entities matched at once: neither waits for the other to let go of what both have read, and no number is given twice."""

from __future__ import annotations

import threading

from lienthong.store import Database
from lienthong.store.match_bulk import first_filling, reserve

INDEX = "select count(*) from pg_indexes where indexname = 'match_records_keys'"


def test_who_is_not_alone_at_the_records_fills_them_with_their_index(database_url: str) -> None:
    database = Database(database_url)
    with database.connect() as one, database.connect() as other:
        for each in (one, other):
            each.execute("set lock_timeout = '60s'")  # waiting for each other would end in an error, not in a hanging test
            each.execute("select count(*) from match_records")
        with first_filling(one), first_filling(other):
            assert one.execute(INDEX).fetchone() == (1,)


def test_who_is_alone_makes_the_index_afterwards(database_url: str) -> None:
    with Database(database_url).connect() as one:
        with first_filling(one):
            assert one.execute(INDEX).fetchone() == (0,)
        assert one.execute(INDEX).fetchone() == (1,)


def test_numbers_taken_at_once_by_many_are_nobody_else_s(database_url: str) -> None:
    database = Database(database_url)
    database.apply_schema()
    taken: list[int] = []

    def take() -> None:
        with database.connect() as connection:
            for _ in range(40):
                numbers = reserve(connection, "record", 50).tolist()
                assert numbers == sorted(numbers)
                taken.extend(numbers)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(set(taken))) == (4 * 40 * 50, 4 * 40 * 50)
    with database.connect() as connection:
        assert reserve(connection, "golden", 0).size == 0
