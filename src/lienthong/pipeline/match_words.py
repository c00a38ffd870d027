"""What matching is asked and what it answers: records that arrive, the cause of an act, what the act did, an entity ready to be matched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.grouping import Matcher
from lienthong.masterdata.model import Model
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.survivorship import Policy, policy_of
from lienthong.pipeline.match_scores import scores
from lienthong.store.matching import GoldenVersion, Index

Name = tuple[str, str]  # (source, key)
Read = tuple[Features, tuple[int, ...]]  # what is compared of a record, and its blocking keys
GOLDEN, RECORD, ACT = 0, 1, 2
_BLOCK = 200  # numbers reserved at once


@dataclass(frozen=True)
class Arrival:
    """One record as its register has it now: attribute → value as text."""

    source: str
    key: str
    content: Mapping[str, Any]
    dated: date | None = None

    @property
    def name(self) -> Name:
        return self.source, self.key


@dataclass(frozen=True)
class Cause:
    """Why who is one may change: `kind` is arrival, decision, undo or override."""

    kind: str
    by: str
    at: datetime
    on: date
    reason: str = ""
    undoes: int | None = None
    act: int | None = None  # an act noted already
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Matched:
    """What an act did. `golden`: (source, key) → id of the golden record it is part of; `events`: kind → how many."""

    act: int | None
    golden: Mapping[Name, str]
    events: Mapping[str, int]
    version: GoldenVersion
    waiting: int = 0


Ending = Callable[[int | None, Mapping[Name, str]], None]  # with the act (None: nothing to do) and who its records are now


def left_open(act: int | None, who: Mapping[Name, str]) -> None:
    """No ending: the caller has more to do in the transaction."""


def nothing() -> None:
    """Nothing to do while the server works."""


class EntityIndex:
    """One entity ready to be matched: its model at work, its contracts, its rules of survivorship."""

    def __init__(self, entity: Entity, model: Model) -> None:
        self.entity = entity
        self.model = model
        self.matcher = Matcher(model)
        self.policy: Policy = policy_of(entity.master, scores)
        self._ahead: dict[int, tuple[Arrival, Read]] = {}  # by the arrival's own `id`
        self._numbers: tuple[deque[int], deque[int], deque[int]] = (deque(), deque(), deque())

    @property
    def master(self) -> Contract:
        return self.entity.master

    def read(self, arrival: Arrival) -> Read:
        """What is compared of a record, and its keys: as read ahead, or read now."""
        ahead = self._ahead.pop(id(arrival), None)
        if ahead is not None and ahead[0] is arrival:
            return ahead[1]
        features = self.model.plan.features(arrival.content)
        return features, self.keys(features)

    def keys(self, features: Features) -> tuple[int, ...]:
        return self.model.blocking.keys(features, self.matcher.places)

    def read_ahead(self, arrivals: Iterable[Arrival]) -> None:
        """Read records that are to come next, instead of those read ahead before. What cannot be read now is read in its turn."""
        self._ahead = {}
        with suppress(Exception):
            for arrival in arrivals:
                self._ahead[id(arrival)] = arrival, self.read(arrival)

    def number(self, store: Index, kind: int) -> int:
        """A number for a new identity (GOLDEN), record (RECORD) or act (ACT), from a block reserved before: gaps are harmless."""
        while True:
            try:
                return self._numbers[kind].popleft()
            except IndexError:  # others of this process take them too
                self._reserve(store, _BLOCK)

    def have_numbers(self, store: Index, count: int) -> None:
        """Reserve numbers where fewer than so many are left for records or identities, so that nobody waits for one amid other questions."""
        if min(len(self._numbers[RECORD]), len(self._numbers[GOLDEN])) < count:
            self._reserve(store, max(count, _BLOCK))

    def numbers(self, store: Index, kind: int, count: int) -> deque[int]:
        """So many of them; those that are not used may be given back."""
        return deque(self.number(store, kind) for _ in range(count))

    def give_back(self, kind: int, numbers: Iterable[int]) -> None:
        self._numbers[kind].extend(numbers)

    def _reserve(self, store: Index, count: int) -> None:
        """So many more of each kind of which fewer are left."""
        for kept, more in zip(self._numbers, store.reserve(count), strict=True):
            if len(kept) < count:
                kept.extend(more)
