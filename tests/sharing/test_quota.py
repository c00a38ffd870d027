"""A quota is one for all server processes: N of them do not each grant the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import TypeVar

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.access import Quota
from lienthong.errors import QuotaExceeded
from lienthong.sharing.quota import SECONDS_KEPT, QuotaBook
from lienthong.store.hot import HotStore

TODAY = date(2026, 11, 25)
T = TypeVar("T")


class Seconds:
    """A clock of seconds that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def using(url: str, act: Callable[[list[HotStore]], Awaitable[T]], processes: int = 1) -> T:
    async def run() -> T:
        stores = [HotStore(url) for _ in range(processes)]
        for store in stores:
            await store.open()
        try:
            return await act(stores)
        finally:
            for store in stores:
                await store.close()

    return asyncio.run(run())


async def take_all(book: QuotaBook, quota: Quota, asked: int, on: date = TODAY) -> int:
    async def one() -> bool:
        try:
            await book.take("TT-1", quota, on)
        except QuotaExceeded:
            return False
        return True

    return sum(await asyncio.gather(*(one() for _ in range(asked))))


@pytest.mark.parametrize("quota", [Quota(per_day=40), Quota(per_minute=40), Quota(per_minute=1_000, per_day=40)])
def test_four_processes_together_give_what_was_agreed(database_url: str, quota: Quota) -> None:
    async def act(stores: list[HotStore]) -> int:
        return sum(await asyncio.gather(*(take_all(QuotaBook(store), quota, 30) for store in stores)))

    given = using(database_url, act, 4)
    assert given >= 40
    if quota.per_minute != 40:
        assert given == 40
    else:
        assert given <= 40 + 40  # the bucket fills again while they ask, but never beyond a minute's worth


def test_what_was_not_used_is_given_back(database_url: str) -> None:
    async def act(stores: list[HotStore]) -> tuple[int, int]:
        (store,) = stores
        seconds = Seconds()
        quota, book = Quota(per_day=2_000), QuotaBook(store, seconds)
        for _ in range(5):  # a portion of several is held in the end
            await book.take("TT-1", quota, TODAY)
        seconds.now += SECONDS_KEPT + 1
        await book.give_back()
        return 5, await take_all(QuotaBook(store), quota, 2_000)

    assert using(database_url, act) == (5, 1_995)


def test_another_day_begins_anew(database_url: str) -> None:
    async def act(stores: list[HotStore]) -> list[int]:
        book = QuotaBook(stores[0])
        return [await take_all(book, Quota(per_day=3), 5, TODAY + timedelta(days=n)) for n in range(3)]

    assert using(database_url, act) == [3, 3, 3]


def test_an_exhausted_quota_is_told_with_its_clause(database_url: str) -> None:
    async def act(stores: list[HotStore]) -> QuotaExceeded:
        book = QuotaBook(stores[0])
        await book.take("TT-1", Quota(per_minute=1), TODAY)
        with pytest.raises(QuotaExceeded) as refused:
            await book.take("TT-1", Quota(per_minute=1), TODAY)
        return refused.value

    error = using(database_url, act)
    assert (error.facts["agreement"], error.facts["clause"]) == ("TT-1", "quota")
    assert 1 <= error.facts["retry_after"] <= 61


def test_a_changed_quota_counts_at_once(database_url: str) -> None:
    async def act(stores: list[HotStore]) -> list[int]:
        book = QuotaBook(stores[0])
        return [await take_all(book, Quota(per_day=limit), 10) for limit in (4, 6, 5)]

    assert using(database_url, act) == [4, 2, 0]


def test_many_answers_need_few_statements(database_url: str) -> None:
    class Counting(HotStore):
        asked = 0

        async def quota_lease(self, *args: object) -> tuple[int, float]:
            Counting.asked += 1
            return await super().quota_lease(*args)  # type: ignore[arg-type] # as they came

    async def run() -> int:
        store = Counting(database_url)
        await store.open()
        try:
            book = QuotaBook(store)
            for _ in range(2_000):
                if not book.take_held("TT-1", Quota(per_minute=60_000), TODAY):
                    await book.take("TT-1", Quota(per_minute=60_000), TODAY)
        finally:
            await store.close()
        return Counting.asked

    assert asyncio.run(run()) <= 40


class Bucket:
    """The store's function as it is written, in Python: one count, however many books."""

    def __init__(self, per_day: int) -> None:
        self.left = per_day

    async def quota_lease(self, agreement: str, today: date, quota: Quota, wanted: int, returned: int) -> tuple[int, float]:
        del agreement, today, quota
        self.left += returned
        given = min(wanted, self.left)
        self.left -= given
        await asyncio.sleep(0)
        return given, 60.0


@given(st.integers(1, 300), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40), st.floats(0, 8)), max_size=25))
@settings(deadline=None, max_examples=60)
def test_whatever_is_asked_in_whatever_order_no_more_than_the_quota_is_given(per_day: int, asked: list[tuple[int, int, float]]) -> None:
    async def run() -> tuple[int, int, int]:
        store, seconds = Bucket(per_day), Seconds()
        books = [QuotaBook(store, seconds) for _ in range(3)]
        given = 0
        for place, count, later in asked:
            seconds.now += later
            given += await take_all(books[place], Quota(per_day=per_day), count)
        for book in books:
            await book.give_back(everything=True)
        return given, store.left, sum(count for _, count, _ in asked)

    given, left, wanted = asyncio.run(run())
    assert given <= per_day
    assert left == per_day - given  # nothing is lost when all is given back
    assert given <= wanted


def test_the_serving_role_can_only_take(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("set role lienthong_web")
        connection.execute("select lienthong.quota_lease('TT-1', '2026-11-25', 5, 5, 1, 0)")
        for statement in ("update lienthong.quota_days set used = 0", "update lienthong.quota_buckets set tokens = 1000"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
