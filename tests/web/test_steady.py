"""A record that is hidden and one that is not there are answered at the same steps of time; no other answer waits."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.sharing.lookup import Found
from lienthong.web.steady import STEP, SteadyWaiter, mark_steady, steadied, until_step

FOUND = Found(b"{}", 1)


@given(st.floats(0, 1e6), st.floats(0, 1e3), st.sampled_from([0.025, STEP]))
def test_an_answer_leaves_at_a_whole_step_since_it_was_asked(began: float, took: float, step: float) -> None:
    wait = until_step(began, began + took, step)
    assert 0 < wait <= step
    steps = ((began + took) - began + wait) / step
    assert steps == pytest.approx(round(steps), abs=1e-6)


def test_a_record_goes_on_at_once_none_later_and_a_fault_at_once() -> None:
    async def told(result: Found | None) -> tuple[bool, Any]:
        future: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        SteadyWaiter(future).set_result(result)
        return future.done(), await future

    assert asyncio.run(told(FOUND)) == (True, FOUND)
    assert asyncio.run(told(None)) == (False, None)

    async def failed() -> bool:
        future: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        waiter = SteadyWaiter(future)
        waiter.set_exception(RuntimeError())
        return waiter.done() and isinstance(future.exception(), RuntimeError)

    assert asyncio.run(failed())


def test_who_has_gone_meanwhile_is_told_nothing() -> None:
    async def gone() -> bool:
        future: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        waiter = SteadyWaiter(future)
        waiter.set_result(None)
        future.cancel()
        await asyncio.sleep(STEP * 2)
        return waiter.done()

    assert asyncio.run(gone())


@pytest.mark.parametrize("sees_some_rows", [True, False])
def test_only_who_sees_some_rows_waits_and_copies_of_a_scope_tell_it_too(*, sees_some_rows: bool) -> None:
    async def first_turn() -> bool:
        sent: list[MutableMapping[str, Any]] = []

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event)

        scope: dict[str, Any] = {}
        sending = steadied(scope, send)
        if sees_some_rows:
            mark_steady({**scope})
        task = asyncio.ensure_future(sending({"type": "http.response.start"}))
        await asyncio.sleep(0)
        is_sent = bool(sent)
        await task
        await sending({"type": "http.response.body"})
        assert len(sent) == 2
        return is_sent

    assert asyncio.run(first_turn()) is not sees_some_rows


def test_a_scope_no_answer_is_steadied_for_is_left_alone() -> None:
    scope: dict[str, Any] = {}
    mark_steady(scope)
    assert scope == {}
