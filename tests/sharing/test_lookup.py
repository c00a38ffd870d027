"""Look-ups that wait at the same moment share a query, answers that wait share a commit, and none is lost when either fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event, Signer, encode, verify
from lienthong.sharing.ledger_writer import LedgerWriter
from lienthong.sharing.lookup import Coalescer
from lienthong.sharing.quota import QuotaBook
from lienthong.store import Database, append_entries, ledger
from lienthong.store.hot import HotStore
from tests.conftest import fresh_database
from tests.sharing.publications import CONTRACT, Publisher

T = TypeVar("T")
AT = datetime(2026, 7, 1, tzinfo=UTC)
THINGS = {f"K{n:03}": (f"tên {n}", n) for n in range(200)}


class CountingStore(HotStore):
    """The real store, counting the statements it sends."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.look_ups: list[int] = []
        self.appends: list[int] = []

    async def rows_by_key(self, dataset_id: str, columns: Sequence[str], keys: Sequence[str]) -> Any:
        self.look_ups.append(len(keys))
        return await super().rows_by_key(dataset_id, columns, keys)

    async def ledger_append(self, expected: int, bodies: list[str], *rest: Any) -> int | None:
        self.appends.append(len(bodies))
        return await super().ledger_append(expected, bodies, *rest)


@pytest.fixture(scope="module")
def url(postgres_server: Any) -> Iterator[str]:
    with fresh_database(postgres_server) as made:
        with Database(made).connect() as connection:
            publisher = Publisher(connection)
            publisher.apply()
            publisher.publish(THINGS)
        yield made


def using(url: str, act: Callable[[CountingStore], Awaitable[T]]) -> T:
    async def run() -> T:
        store = CountingStore(url)
        await store.open()
        try:
            return await act(store)
        finally:
            await store.close()

    return asyncio.run(run())


def body(number: int) -> bytes:
    return encode(Entry(AT, Event.ANSWER_RECORD, f"caller {number}"))


def writer(store: HotStore, signer: Signer) -> LedgerWriter:
    return LedgerWriter(store, signer, lambda: AT, QuotaBook())


def is_whole(url: str, signer: Signer) -> bool:
    with Database(url).connect() as connection:
        head = ledger.read_head(connection)
        entries, batches = ledger.read_entries(connection), ledger.read_batches(connection)
        return verify(entries, batches, head, {signer.key_id: signer.public_key}, signer.origin).ok


def test_many_waiting_look_ups_are_two_queries_and_each_gets_its_own_row(url: str) -> None:
    async def act(store: CountingStore) -> list[Any]:
        look_ups = Coalescer(store, {CONTRACT.id: CONTRACT})
        first = asyncio.create_task(look_ups.row(CONTRACT.id, "K000"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = await asyncio.gather(first, *(look_ups.row(CONTRACT.id, key) for key in [*THINGS, "none", "K001"]))
        assert len(store.look_ups) <= 2
        return found

    rows = using(url, act)
    assert [row and row[0] for row in rows] == ["K000", *THINGS, None, "K001"]
    assert [row[3:] for row in rows[1:201]] == [(key, *value) for key, value in THINGS.items()]


def test_a_failed_query_fails_those_who_wait_and_nobody_after(url: str) -> None:
    async def act(store: CountingStore) -> list[Any]:
        look_ups = Coalescer(store, {CONTRACT.id: CONTRACT})
        bad = await asyncio.gather(*(look_ups.row(CONTRACT.id, key) for key in ("K1", "\x00")), return_exceptions=True)
        return [*bad, await look_ups.row(CONTRACT.id, "K001")]

    *bad, good = using(url, act)
    assert all(isinstance(error, Exception) for error in bad)
    assert good[0] == "K001"


def test_a_caller_who_leaves_takes_nobody_along(url: str) -> None:
    async def act(store: CountingStore) -> Any:
        look_ups = Coalescer(store, {CONTRACT.id: CONTRACT})
        leaving, staying = (asyncio.create_task(look_ups.row(CONTRACT.id, "K005")) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert using(url, act)[0] == "K005"


def test_what_gathers_during_a_flush_is_the_next_flush(database_url: str) -> None:
    signer = Signer.new("test")

    async def act(store: CountingStore) -> list[int]:
        book = writer(store, signer)
        await asyncio.gather(*(book.append(body(n)) for n in range(100)))
        return store.appends

    sizes = using(database_url, act)
    assert sum(sizes) == 100
    assert len(sizes) <= 2
    assert is_whole(database_url, signer)


def test_two_writers_of_one_ledger_lose_and_repeat_nothing(database_url: str) -> None:
    signer = Signer.new("test")

    async def act(store: CountingStore) -> None:
        other = CountingStore(database_url)
        await other.open()
        first, second = writer(store, signer), writer(other, signer)

        async def some(book: LedgerWriter, begin: int) -> None:
            for n in range(begin, begin + 40):
                await book.append(body(n))

        await asyncio.gather(some(first, 0), some(second, 1000), some(first, 2000))
        await other.close()

    using(database_url, act)
    assert is_whole(database_url, signer)
    with Database(database_url).connect() as connection:
        bodies = [found for _, found, _ in ledger.read_entries(connection)]
    assert sorted(bodies) == sorted(body(n) for begin in (0, 1000, 2000) for n in range(begin, begin + 40))


def test_a_head_moved_by_a_run_is_loaded_again(database_url: str) -> None:
    signer = Signer.new("test")

    async def act(store: CountingStore) -> None:
        book = writer(store, signer)
        await book.append(body(1))
        with Database(database_url).connect() as connection:
            append_entries(connection, [Entry(AT, Event.RUN_PUBLISHED, "run")], signer, AT)
            connection.commit()
        await book.append(body(2))

    using(database_url, act)
    assert is_whole(database_url, signer)


def test_an_entry_that_cannot_be_kept_lets_no_answer_leave(database_url: str) -> None:
    async def act(store: CountingStore) -> list[Any]:
        book = writer(store, Signer.new("test"))
        with Database(database_url).connect() as connection:
            connection.execute("delete from lienthong.ledger_head")
            connection.commit()
        return await asyncio.gather(*(book.append(body(n)) for n in range(3)), return_exceptions=True)

    assert all(isinstance(found, LedgerError) for found in using(database_url, act))
