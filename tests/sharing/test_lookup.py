"""Look-ups that wait at the same moment share a query, answers that wait share a commit, and none is lost when either fails."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import asyncpg
import pytest

from lienthong.access import AccessRequest, Operation, Register
from lienthong.errors import Denied
from lienthong.ledger import Entry, Event, Signer, encode
from lienthong.sharing.ledger_writer import ENOUGH, LedgerWriter
from lienthong.sharing.lookup import Found, LookUps
from lienthong.sharing.plans import Plan, PlanBook
from lienthong.store import Database, append_entries
from lienthong.store.hot import HotStore
from tests.conftest import fresh_database
from tests.sharing.publications import CONTRACT, Publisher
from tests.store.ledgers import entries_of, verdict_of
from tests.web.counters import make_agreement

T = TypeVar("T")
CALLER = "VN/GOV/H10.12/tra-cuu"
AT = datetime(2026, 7, 1, tzinfo=UTC)
SIGNER = Signer.new("test")
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

    async def ledger_append(self, bodies: str, *rest: Any) -> None:
        self.appends.append(len(bodies.splitlines()))
        await super().ledger_append(bodies, *rest)


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
    return LedgerWriter(store, signer)


def is_whole(url: str, signer: Signer) -> bool:
    verdict = verdict_of(Database(url), signer)
    return verdict.ok and not verdict.foreign


def looking_up(store: HotStore, url: str, signer: Signer) -> Callable[[str], asyncio.Future[Found | None]]:
    """Look-ups of a caller who may see everything, whose entries go to the real ledger."""
    look_ups = LookUps(store, writer(store, signer), lambda: AT, b"key")
    register = Register({}, (make_agreement(CALLER, dataset=CONTRACT.id),))
    asked = AccessRequest(CALLER, CONTRACT.id, Operation.LOOK_UP, "xet-tro-cap", "x")
    plan = Plan(asked, CONTRACT, register, AT.date())
    return lambda key: look_ups.ask(plan, key, "can-bo")


def values(found: Found | None) -> dict[str, Any] | None:
    return None if found is None else dict(json.loads(found.body)["values"])


def test_many_waiting_look_ups_are_two_queries_and_each_gets_its_own_row_and_entry(url: str) -> None:
    signer = SIGNER

    async def act(store: CountingStore) -> list[Found | None]:
        ask = looking_up(store, url, signer)
        first = ask("K000")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = await asyncio.gather(first, *(ask(key) for key in [*THINGS, "none", "K001"]))
        assert len(store.look_ups) <= 2
        assert sum(store.appends) == len(found)
        return found

    found = using(url, act)
    keys = ["K000", *THINGS, None, "K001"]
    assert [values(one) for one in found] == [key and {"no": key, "name": THINGS[key][0], "size": THINGS[key][1]} for key in keys]
    entries = entries_of(Database(url), signer)
    given = [hashlib.sha256(one.body).hexdigest() for one in found if one is not None]
    assert sorted(entry["answer_digest"] for entry in entries if entry["outcome"] == "given") == sorted(given)
    assert sum(entry["outcome"] == "missing" for entry in entries) == 1


def test_a_failed_query_fails_those_who_wait_and_nobody_after(url: str) -> None:
    async def act(store: CountingStore) -> list[Any]:
        ask = looking_up(store, url, SIGNER)
        bad = await asyncio.gather(*(ask(key) for key in ("K1", "\x00")), return_exceptions=True)
        return [*bad, await ask("K001")]

    *bad, good = using(url, act)
    assert all(isinstance(error, Exception) for error in bad)
    assert good.version == 1


def test_a_caller_who_leaves_takes_nobody_along(url: str) -> None:
    async def act(store: CountingStore) -> Any:
        ask = looking_up(store, url, SIGNER)
        leaving, staying = (ask("K005") for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert values(using(url, act)) == {"no": "K005", "name": "tên 5", "size": 5}


def test_a_plan_lives_as_long_as_its_register_and_its_day() -> None:
    book = PlanBook()
    register = Register({}, (make_agreement(CALLER, dataset=CONTRACT.id),))
    last_day = date(2026, 12, 31)

    def plan(known: Register, on: date) -> Plan:
        return book.plan(AccessRequest(CALLER, CONTRACT.id, Operation.LOOK_UP, "xet-tro-cap", "x"), CONTRACT, known, on)

    assert plan(register, last_day) is plan(register, last_day)
    for known, on in ((Register(), last_day), (register, date(2027, 1, 1))):
        with pytest.raises(Denied):
            plan(known, on)


def test_what_gathers_during_a_flush_is_the_next_flush(database_url: str) -> None:
    signer = SIGNER

    async def act(store: CountingStore) -> list[int]:
        book = writer(store, signer)
        await asyncio.gather(*(book.append(body(n)) for n in range(100)))
        return store.appends

    sizes = using(database_url, act)
    assert sum(sizes) == 100
    assert len(sizes) <= 2
    assert is_whole(database_url, signer)


def test_two_writers_of_one_ledger_lose_and_repeat_nothing(database_url: str) -> None:
    signer = SIGNER

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
    found = [entry["caller"] for entry in entries_of(Database(database_url), signer)]
    assert sorted(found) == sorted(f"caller {n}" for begin in (0, 1000, 2000) for n in range(begin, begin + 40))


def test_a_run_appends_beside_a_server(database_url: str) -> None:
    signer = SIGNER

    async def act(store: CountingStore) -> None:
        book = writer(store, signer)
        await book.append(body(1))
        with Database(database_url).connect() as connection:
            append_entries(connection, [Entry(AT, Event.RUN_PUBLISHED, "run")], signer)
            connection.commit()
        await book.append(body(2))

    using(database_url, act)
    assert is_whole(database_url, signer)


def test_an_entry_that_cannot_be_kept_lets_no_answer_leave(database_url: str) -> None:
    async def act(store: CountingStore) -> list[Any]:
        book = writer(store, SIGNER)
        with Database(database_url).connect() as connection:
            connection.execute("alter table lienthong.ledger_batches add constraint full_up check (false) not valid")
            connection.commit()
        return await asyncio.gather(*(book.append(body(n)) for n in range(3)), return_exceptions=True)

    assert all(isinstance(found, asyncpg.CheckViolationError) for found in using(database_url, act))


class SlowFirst(CountingStore):
    """The real store, whose first append takes as long as it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.has_begun = asyncio.Event()
        self.may_go = asyncio.Event()

    async def ledger_append(self, bodies: str, *rest: Any) -> None:
        is_first = not self.appends
        await super().ledger_append(bodies, *rest)
        if is_first:
            self.has_begun.set()
            await self.may_go.wait()


def test_many_entries_do_not_wait_for_a_slow_commit_and_few_go_with_the_next(url: str) -> None:
    async def run() -> tuple[list[int], list[int]]:
        store = SlowFirst(url)
        await store.open()
        try:
            ledger = writer(store, SIGNER)
            slow = asyncio.ensure_future(ledger.append(body(0)))
            await store.has_begun.wait()
            few = [asyncio.ensure_future(ledger.append(body(n))) for n in range(1, ENOUGH)]
            await asyncio.sleep(0)
            alone = list(store.appends)
            many = asyncio.ensure_future(ledger.append(body(ENOUGH)))
            await asyncio.gather(*few, many)
            assert not slow.done()
            store.may_go.set()
            await slow
            return alone, store.appends
        finally:
            await store.close()

    assert asyncio.run(run()) == ([1], [1, ENOUGH])
    assert is_whole(url, SIGNER)
