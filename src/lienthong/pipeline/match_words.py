"""What matching is asked and what it answers: records that arrive, the cause of an act, what the act did, an entity ready to be matched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
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


class EntityIndex:
    """One entity ready to be matched: its model at work, its contracts, its rules of survivorship."""

    def __init__(self, entity: Entity, model: Model) -> None:
        self.entity = entity
        self.model = model
        self.matcher = Matcher(model)
        self.policy: Policy = policy_of(entity.master, scores)
        self._numbers: tuple[deque[int], deque[int], deque[int]] = (deque(), deque(), deque())

    @property
    def master(self) -> Contract:
        return self.entity.master

    def features(self, content: Mapping[str, Any]) -> Features:
        return self.model.plan.features(content)

    def keys(self, features: Features) -> tuple[int, ...]:
        return self.model.blocking.keys(features, self.matcher.places)

    def number(self, store: Index, kind: int) -> int:
        """A number for a new identity (GOLDEN), record (RECORD) or act (ACT), from a block reserved before: gaps are harmless."""
        if not self._numbers[kind]:
            for kept, more in zip(self._numbers, store.reserve(_BLOCK), strict=True):
                kept.extend(more)
        return self._numbers[kind].popleft()
