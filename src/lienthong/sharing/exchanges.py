"""Records of exchanges on their way: what a handler tells of the request it answers, and what waits to be kept (`store.exchange_records`)."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from lienthong.store.exchange_records import FAILED, NONE_THERE, OK, Exchange, Gathered, Message, Run

if TYPE_CHECKING:
    from lienthong.sharing.plans import Plan

__all__ = ["FAILED", "NONE_THERE", "Asked", "Carried", "ExchangeBook", "LookedUp", "Tell"]

Carried = tuple[str, Message | None, str]  # the door a call came by, what its message said, the caller's `traceparent`
LookedUp = tuple["Plan", str, str, float, "Carried | None", int]  # plan, key, official, began, carried, bytes of the answer or what else
Tell = Callable[[list[LookedUp], float], None]

MOST_WAITING = 200_000  # of a server whose database is away: then the oldest are let go
MOST_READERS = 20_000  # callers and officials whose last key is remembered
LONGEST_NUMBER = 18
NEIGHBOURS = (1, -1)
_NUMBER = re.compile(r"(\d+)(\D*)$")


class Asked:
    """What a handler tells of the request it is answering; left in the request's scope under `ASKED`."""

    __slots__ = ("agreement", "caller", "key", "official", "operation", "provider", "purpose", "rule", "service")

    def __init__(self, service: str, provider: str, operation: str, caller: str, official: str, purpose: str) -> None:
        self.service = service
        self.provider = provider
        self.operation = operation
        self.caller = caller
        self.official = official
        self.purpose = purpose
        self.agreement = ""
        self.rule = ""
        self.key = ""


ASKED = "lienthong.asked"
CARRIED = "lienthong.carried"  # `Carried`, of a call another door handed on
DOOR = "api"


class ExchangeBook:
    """Records that wait to be kept; added from the loop and from threads, taken once a second.

    A look-up adds next to nothing on its way: what it was is put together when it is taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._single: list[tuple[Exchange, str]] = []
        self._looked_up: list[tuple[list[LookedUp], float]] = []
        self._unkept: list[Gathered] = []
        self._last: OrderedDict[tuple[str, str, str], tuple[str, int, str]] = OrderedDict()

    def add(self, exchange: Exchange, key: str = "") -> None:
        self._single.append((exchange, key))

    def add_look_ups(self, told: list[LookedUp], ended: float) -> None:
        """A batch of look-ups, all let go at one moment of the clock `perf_counter`."""
        self._looked_up.append((told, ended))

    def take(self) -> list[Gathered]:
        """All that waits, oldest first; none waits any longer."""
        with self._lock:
            single, self._single = self._single, []
            looked_up, self._looked_up = self._looked_up, []
            unkept, self._unkept = self._unkept, []
            for exchange, key in single:
                exchange.follows = bool(key) and self._follows((exchange.caller, exchange.official, exchange.service), key)
            runs = self._runs(looked_up)
        fresh = Gathered([exchange for exchange, _ in single], runs)
        return [*unkept, fresh] if len(fresh) else unkept

    def put_back(self, gathered: list[Gathered]) -> int:
        """Let them wait again; gives how many of the oldest had to go."""
        with self._lock:
            self._unkept = gathered + self._unkept
            lost = 0
            while self._unkept and sum(map(len, self._unkept)) > MOST_WAITING:
                lost += len(self._unkept.pop(0))
            return lost

    def _runs(self, looked_up: list[tuple[list[LookedUp], float]]) -> list[Run]:
        epoch = time.time() - time.perf_counter()
        runs: dict[tuple[int, str, int], Run] = {}
        numbers: dict[tuple[int, str, int], int] = {}  # the last key of each, where it is a number
        for told, ended in looked_up:
            for plan, key, official, began, carried, size in told:
                group = (id(plan), official, id(carried) if carried is not None else 0)
                run = runs.get(group)
                if run is None:
                    run = runs[group] = Run(_shared(plan, official, carried))
                if key.isdigit() and len(key) <= LONGEST_NUMBER:  # most keys: judged here, without a call for each
                    number = int(key)
                    before = numbers.get(group)
                    numbers[group] = number
                    if before is not None:
                        if number - before in NEIGHBOURS:
                            run.following.append(len(run.began_ms))
                    elif self._follows((plan.caller, official, plan.dataset), key):
                        run.following.append(len(run.began_ms))
                else:
                    numbers.pop(group, None)
                    if self._follows((plan.caller, official, plan.dataset), key):
                        run.following.append(len(run.began_ms))
                run.began_ms.append(int((epoch + began) * 1000))
                run.took_us.append(int((ended - began) * 1_000_000))
                run.bytes_out.append(size)
        for group, number in numbers.items():
            shared = runs[group].shared
            self._last[shared.caller, shared.official, shared.service] = ("", number, "")
        return list(runs.values())

    def _follows(self, reader: tuple[str, str, str], key: str) -> bool:
        """Whether a key is the neighbour of the one its reader asked for before."""
        if key.isdigit() and len(key) <= LONGEST_NUMBER:
            here = ("", int(key), "")
        else:
            found = _NUMBER.search(key[-100:])
            if found is None or len(found[1]) > LONGEST_NUMBER:
                return False
            here = (key[: len(key) - len(found[0])], int(found[1]), found[2])
        before = self._last.get(reader)
        self._last[reader] = here
        if before is None:
            if len(self._last) > MOST_READERS:
                self._last.popitem(last=False)
            return False
        return abs(here[1] - before[1]) == 1 and (before[0], before[2]) == (here[0], here[2])


def _shared(plan: Plan, official: str, carried: Carried | None) -> Exchange:
    door, message, trace = carried or (DOOR, None, "")
    return Exchange(
        0, 0, door, plan.provider, plan.dataset, "look_up", plan.caller, official, plan.purpose, plan.agreement, 200, OK, "", 0, 0,
        message=message, trace=trace,
    )  # fmt: skip
