"""Look-ups of the same moment share one query: what gathers while one is under way is the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lienthong.contracts import Contract
from lienthong.store.hot import HotStore

Row = tuple[Any, ...]  # _key, _version, _valid_from, then the contract's properties in order


@dataclass
class _Waiting:
    keys: dict[str, list[asyncio.Future[Row | None]]]
    is_busy: bool = False


class Coalescer:
    """Gives the current row of a key, or None; never two queries of one dataset at the same time."""

    def __init__(self, store: HotStore, contracts: Mapping[str, Contract]) -> None:
        self._store = store
        self._columns = {dataset: tuple(p.name for p in contract.properties) for dataset, contract in contracts.items()}
        self._waiting = {dataset: _Waiting({}) for dataset in contracts}
        self._tasks: set[asyncio.Task[None]] = set()

    async def row(self, dataset_id: str, key: str) -> Row | None:
        """The current row of a key. Raises the database's error when the query fails."""
        waiting = self._waiting[dataset_id]
        found: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        waiting.keys.setdefault(key, []).append(found)
        if not waiting.is_busy:
            waiting.is_busy = True
            task = asyncio.create_task(self._fetch(dataset_id, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await found

    async def _fetch(self, dataset_id: str, waiting: _Waiting) -> None:
        try:
            while waiting.keys:
                asked, waiting.keys = waiting.keys, {}
                try:
                    rows = {row[0]: row for row in await self._store.rows_by_key(dataset_id, self._columns[dataset_id], list(asked))}
                except Exception as error:  # each who waits hears of it
                    for futures in asked.values():
                        for future in futures:
                            if not future.done():
                                future.set_exception(error)
                    continue
                for key, futures in asked.items():
                    row = rows.get(key)
                    for future in futures:
                        if not future.done():
                            future.set_result(row)
        finally:
            waiting.is_busy = False
