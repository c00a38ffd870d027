"""Two entities filled for the first time at once: neither waits for the other to let go of what both have read."""

from __future__ import annotations

from lienthong.store import Database
from lienthong.store.match_bulk import first_filling

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
