"""The few statements of the hot path, asynchronous: look-ups by many keys at once, one append for many entries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg

from lienthong.access import Quota
from lienthong.errors import DatabaseUnreachable, LedgerError
from lienthong.store.database import WEB_ROLE
from lienthong.store.tables import table_name

CONNECTIONS = 8
_STANDING = "select size, lienthong.ledger_waiting() from lienthong.ledger_edge"
_CHECKPOINT = """
select size, root, at, signature, array(select line from lienthong.ledger_cosignatures as said where said.size = checkpoint.size order by witness)
from lienthong.ledger_checkpoints as checkpoint
where size = coalesce(
    (
        select size from lienthong.ledger_cosignatures
        where $2 > 0 and witness = any($1::text[])
        group by size
        having count(*) >= $2
        order by size desc
        limit 1
    ),
    (select max(size) from lienthong.ledger_checkpoints)
)
"""
_APPEND = "select lienthong.ledger_append($1, $2)"
_LEASE = "select given, wait_seconds from lienthong.quota_lease($1, $2, $3, $4, $5, $6)"
_CLOCK_AND_BEAT = """
select extract(epoch from $1::timestamptz - clock_timestamp())::float8,
    (select extract(epoch from clock_timestamp() - max(at))::float8 from lienthong.duty_beats)
"""
_ADD_EXCHANGES = "insert into lienthong.exchange_batches (server, first_at, last_at, records, body) values ($1, $2, $3, $4, $5)"


class HotStore:
    """A small pool of asyncpg connections under the web role."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._lookups: dict[tuple[str, tuple[str, ...]], str] = {}
        self._held: dict[str, Any] = {}
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._url, min_size=2, max_size=CONNECTIONS, init=_take_role, reset=_keep, server_settings={"timezone": "UTC"}
            )
        except (OSError, asyncpg.PostgresError) as error:
            raise DatabaseUnreachable(
                f"PostgreSQL does not answer: {type(error).__name__}.", hint="Check LIENTHONG_DATABASE_URL."
            ) from error

    async def close(self) -> None:
        if self._pool is None:
            return
        held, self._held = self._held, {}
        for connection in held.values():
            await self._pool.release(connection)
        await self._pool.close()

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        assert self._pool is not None  # opened before the first request
        return self._pool

    async def rows_by_key(self, dataset_id: str, columns: Sequence[str], keys: Sequence[str]) -> list[asyncpg.Record]:
        """Current rows (_key, _version, _valid_from, *columns) of keys that exist, in no order."""
        shape = (dataset_id, tuple(columns))
        statement = self._lookups.get(shape)
        if statement is None:
            named = ", ".join(_quoted(name) for name in ("_key", "_version", "_valid_from", *columns))
            statement = f"select {named} from data.{_quoted(table_name(dataset_id))} where _key = any($1)"  # noqa: S608 # names are quoted, of the contract
            self._lookups[shape] = statement
        async with self._reading:
            found: list[asyncpg.Record] = await (await self._connection("reader")).fetch(statement, list(keys))
        return found

    async def _connection(self, use: str) -> Any:
        """A connection kept for one use of the hot path: taking one from the pool each time costs a tenth of a look-up (measured)."""
        held = self._held.pop(use, None)
        if held is not None and _is_gone(held):
            await self.pool.release(held)
            held = None
        if held is None:
            held = await self.pool.acquire()
        self._held[use] = held
        return held

    async def delivered_columns(self, dataset_id: str) -> dict[int, frozenset[str]]:
        """Version → properties its source delivered."""
        rows = await self.pool.fetch("select version, delivered_columns from lienthong.versions where dataset_id = $1", dataset_id)
        return {row[0]: frozenset(row[1]) for row in rows}

    async def ledger_standing(self) -> tuple[int, float]:
        """(entries in the tree, seconds the oldest entry outside waits). Raises LedgerError when nothing says so."""
        row = await self.pool.fetchrow(_STANDING)
        if row is None:
            raise LedgerError("The ledger has no edge.", hint="The row of lienthong.ledger_edge was removed.")
        return row[0], row[1]

    async def ledger_checkpoint(self, witnesses: Sequence[str], needed: int) -> tuple[int, bytes, datetime, bytes, list[str]] | None:
        """(size, root, at, signature, lines of witnesses) of the newest checkpoint; None before the first.

        Where witnesses are needed it is the newest one that enough of them signed, or before there is one, the newest of all.
        """
        row = await self.pool.fetchrow(_CHECKPOINT, list(witnesses), needed)
        return None if row is None else (row[0], bytes(row[1]), row[2], bytes(row[3]), row[4])

    async def ledger_witnesses(self) -> list[tuple[str, str]]:
        """(key, state) of the witnesses that did not sign when they were last asked."""
        rows = await self.pool.fetch("select witness, state from lienthong.ledger_witnesses where state <> 'signed' order by witness")
        return [(row[0], row[1]) for row in rows]

    async def ledger_tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile of the ledger's tree, none when it has not begun."""
        found = await self.pool.fetchval("select hashes from lienthong.ledger_tiles where level = $1 and number = $2", level, number)
        return b"" if found is None else bytes(found)

    async def ledger_append(self, bodies: str, seal: bytes, lane: int = 0) -> None:
        """Keep a batch of entries, one a line. Of each lane one at a time; lanes do not wait for each other."""
        await (await self._connection(f"writer {lane}")).execute(_APPEND, bodies, seal)

    async def clock_and_beat(self, now: datetime) -> tuple[float, float | None]:
        """(seconds our clock is ahead of the database's, seconds since the worker was last seen at work; None: never)."""
        row = await self.pool.fetchrow(_CLOCK_AND_BEAT, now)
        assert row is not None  # a statement without a table has one row
        return float(row[0]), None if row[1] is None else float(row[1])

    async def add_exchanges(self, server: str, first_at: datetime, last_at: datetime, records: int, body: bytes) -> None:
        """Keep the packed records of exchanges."""
        await self.pool.execute(_ADD_EXCHANGES, server, first_at, last_at, records, body)

    async def use_assertion(self, issuer: str, jti: str, expires_at: datetime) -> bool:
        """Remember an assertion; False when it was used before. Forgets the long expired."""
        await self.pool.execute("delete from lienthong.used_assertions where expires_at < now() - interval '10 minutes'")
        done = await self.pool.execute(
            "insert into lienthong.used_assertions (issuer, jti, expires_at) values ($1, $2, $3) on conflict do nothing",
            issuer,
            jti,
            expires_at,
        )
        return bool(done == "INSERT 0 1")

    async def revoked(self) -> frozenset[str]:
        """Tokens that must no longer be taken."""
        return frozenset(row[0] for row in await self.pool.fetch("select jti from lienthong.revoked_tokens where expires_at > now()"))

    async def quota_lease(self, agreement: str, today: date, quota: Quota, wanted: int, returned: int) -> tuple[int, float]:
        """(answers given of an agreement's quota, seconds to wait when none are); `returned` of those given before were not used."""
        row = await self.pool.fetchrow(_LEASE, agreement, today, quota.per_minute, quota.per_day, wanted, returned)
        assert row is not None
        return row[0], row[1]


def _is_gone(held: Any) -> bool:
    try:
        return bool(held.is_closed())
    except asyncpg.InterfaceError:  # the server ended it, and the pool has it back already
        return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _keep(_: Any) -> None:
    """Nothing to undo when a connection comes back: no statement here leaves anything behind, and undoing would cost a round trip."""


async def _take_role(connection: Any) -> None:
    """Work under the role that can read what is shared and only append to the ledger, where there is one."""
    await connection.execute(
        "select set_config('role', $1, false) where exists (select from pg_roles where rolname = $1)"
        " and pg_has_role(current_user, $1, 'member')",
        WEB_ROLE,
    )
