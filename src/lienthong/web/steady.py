"""Answers that take the same time whether a record is hidden or absent.

Who sees some rows of a dataset only is told of a hidden one what it is told of one that was never there. The database has a little more to
do for the hidden one (microseconds; a read of the disk, where its page is cold), and who asks often enough could tell. So what such a caller
is answered leaves at whole steps of time since it asked: both at the same one. Who sees all rows has nothing to learn and does not wait.
So does the answer that there is no such dataset: where there is one the caller may not know of, its refusal is an entry of the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from lienthong.sharing.ledger_writer import Waiter
from lienthong.sharing.lookup import Found

STEADY = "lienthong.steady"  # in a scope, and in copies of it: a Mark
LOOK_UP_STEP = 0.025  # seconds; more than a look-up takes, at rest and under load (99th percentile 17 ms)
STEP = 0.05  # of every other answer

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Mark:
    """Whether the answer of a request waits for a step."""

    is_set = False


def mark_steady(scope: Scope) -> None:
    """The caller of this request sees some rows only, or asks for a dataset that is not there for it."""
    mark = scope.get(STEADY)
    if mark is not None:
        mark.is_set = True


def until_step(began: float, now: float, step: float) -> float:
    """Seconds from now to the next whole step since `began`; both as `perf_counter` counts."""
    return step - (now - began) % step


def steadied(scope: Scope, send: Send) -> Send:
    """A `send` that lets an answer begin at a step, where its request turned out to be one of some rows only."""
    began = perf_counter()
    mark = scope[STEADY] = Mark()

    async def sending(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start" and mark.is_set:
            await asyncio.sleep(until_step(began, perf_counter(), STEP))
        await send(event)

    return sending


class SteadyWaiter:
    """Waits for a look-up in a caller's place: a record goes on at once, none at a step."""

    __slots__ = ("_began", "_waiter")

    def __init__(self, waiter: Waiter[Found | None]) -> None:
        self._waiter = waiter
        self._began = perf_counter()

    def done(self) -> bool:
        return self._waiter.done()

    def set_result(self, result: Found | None, /) -> None:
        if result is None:
            wait = until_step(self._began, perf_counter(), LOOK_UP_STEP)
            asyncio.get_running_loop().call_later(wait, self._tell_none)
        else:
            self._waiter.set_result(result)

    def set_exception(self, error: BaseException, /) -> None:
        self._waiter.set_exception(error)

    def _tell_none(self) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)
