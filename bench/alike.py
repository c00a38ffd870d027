"""Whether two classes of requests can be told apart by how long their answers take.

Both are asked on a kept connection, one after the other in random order; where each answer waits for a step of time, on several at once: the
server has nothing to do meanwhile, and asking one after the other took half an hour. The slowest tenth of all is left out, as in dudect (Reparaz,
Balasch, Verbauwhede: Dude, is my code constant time?, 2017), and the two are compared by Welch's t (above 4.5: they differ) and by the
difference of their medians with the bounds within which it lies for 99 of 100 shuffles of the labels.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from threading import Lock, Thread
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from bench import serving
from bench.report import Row, at_most

ISSUE = 4
WARM = 100
FIRST = 10  # pairs, asked one after the other: they tell whether answers wait for a step
WAITS = 0.04  # seconds
LANES = 12  # connections where they do
KEPT = 0.9  # of the quickest
SHUFFLES = 2_000
SURE = 4.5  # dudect's bound of t


class Ask(NamedTuple):
    """One request. `name` is what of it an answer may repeat: it is left out where answers are held against each other."""

    path: str
    name: str
    body: bytes | None = None


Asks = tuple[Sequence[Ask], Sequence[Ask]]  # (for what is hidden, for what is absent), as many of each


def asks_of(address: Callable[[str], str], hidden: Sequence[str], absent: Sequence[str], *, is_repeated: bool) -> Asks:
    """Both classes, read at an address made from what is asked for; `is_repeated`: the answer may say it."""
    first, second = ([Ask(address(each), each if is_repeated else "") for each in names] for names in (hidden, absent))
    return first, second


def compare(said: str, base: str, headers: Mapping[str, str], asks: Asks, statuses: set[int], lanes: int = LANES) -> Row:
    """A row of the report: what the times of the two classes, hidden and absent, tell. The first WARM of each are asked and not counted.

    `lanes`: at most so many at once, where answers wait for a step. Raises AssertionError where the answers themselves tell, or a status is
    none of those expected.
    """
    asking = _Asking(base, headers, asks)
    asking.ask(FIRST)
    is_waiting = statistics.median(asking.first) > WAITS
    several = [Thread(target=asking.ask) for _ in range(lanes if is_waiting else 1)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    assert not asking.failed, f"{said}: {asking.failed[0]}"
    assert len(asking.answers) == 1, f"{said}: {asking.answers}"  # the answers themselves must not tell
    assert {status for status, _ in asking.answers} <= statuses, f"{said}: {asking.answers}"
    return _row(said, *asking.times)


class _Asking:
    """Pairs of requests, each asked by whoever is free; `times`: seconds of each answer (for what is hidden, for what is absent)."""

    def __init__(self, base: str, headers: Mapping[str, str], asks: Asks) -> None:
        self._parts = urlsplit(base)
        self._headers = headers
        self._pairs = iter(enumerate(zip(*asks, strict=True)))
        self._chance = random.Random(asks[0][0].path)
        self._one = Lock()
        self.times: tuple[list[float], list[float]] = ([], [])
        self.first: list[float] = []
        self.answers: set[tuple[int, int]] = set()
        self.failed: list[Exception] = []

    def ask(self, most: int = 1_000_000) -> None:
        """Ask pairs on a connection of its own, until there are no more."""
        connection = HTTPConnection(str(self._parts.hostname), self._parts.port)
        try:
            for _ in range(most):
                if self.failed or not self._ask_next(connection):
                    return
        except (OSError, HTTPException) as error:
            self.failed.append(error)
        finally:
            connection.close()

    def _ask_next(self, connection: HTTPConnection) -> bool:
        with self._one:
            place, pair = next(self._pairs, (0, None))
            order = self._chance.sample((0, 1), 2)
        if pair is None:
            return False
        for which in order:
            took, status, length = _ask(connection, pair[which], self._headers)
            with self._one:
                self.answers.add((status, length))
                if place < FIRST:
                    self.first.append(took)
                if place >= WARM:
                    self.times[which].append(took)
        return True


def _ask(connection: HTTPConnection, ask: Ask, headers: Mapping[str, str]) -> tuple[float, int, int]:
    """(seconds, status, length without what an answer may repeat)."""
    more = {} if ask.body is None else {"Content-Type": "application/json"}
    began = perf_counter()
    connection.request("GET" if ask.body is None else "POST", ask.path, ask.body, {**headers, **more})
    answer = connection.getresponse()
    body = answer.read()
    took = perf_counter() - began
    return took, answer.status, len(body.replace(ask.name.encode(), b"")) if ask.name else len(body)


def _row(name: str, hidden: list[float], absent: list[float]) -> Row:
    """What the two classes look like from outside."""
    limit = np.quantile(np.array(hidden + absent), KEPT)
    one, other = (np.array([value for value in values if value <= limit]) * 1e6 for values in (hidden, absent))
    t = abs(float((one.mean() - other.mean()) / np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)))
    apart, bound = float(np.median(one) - np.median(other)), _bound(one, other)
    said = f"medians {statistics.median(one):,.0f} and {statistics.median(other):,.0f} µs: {apart:+.1f} µs apart, by chance ±{bound:.1f}; {len(hidden):,} of each"
    return at_most(f"hidden or absent, told by time ({name}): Welch's t", t, SURE, "", said, ISSUE)


def _bound(one: Any, other: Any) -> float:
    """How far apart the medians are in 99 of 100 shuffles of the labels."""
    chance, both = np.random.default_rng(1), np.concatenate([one, other])
    found = []
    for _ in range(SHUFFLES):
        chance.shuffle(both)
        found.append(abs(float(np.median(both[: one.size]) - np.median(both[one.size :]))))
    return float(np.quantile(found, 0.99))


def headers_of(base: str, caller: str, private: Any) -> dict[str, str]:
    """What a caller sends at any door."""
    return {
        "Authorization": f"Bearer {_token(base, caller, private)}", "Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo",
        "X-Road-Client": caller, "X-Road-UserId": "can-bo", "X-Road-Issue": "tra-cuu",
    }  # fmt: skip


def _token(base: str, caller: str, private: Any) -> str:
    named, serving.SUBSYSTEM = serving.SUBSYSTEM, caller
    try:
        return serving._token(base, private)
    finally:
        serving.SUBSYSTEM = named
