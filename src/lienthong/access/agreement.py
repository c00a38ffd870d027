"""What was agreed, as values: who may use which fields of which rows of which dataset, for which purposes, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The life of an agreement (Decree 194/2025; the mechanics of Decree 47/2020 art. 35–44)."""

    REQUESTED = "requested"
    GRANTED = "granted"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"
    REFUSED = "refused"


class Operation(StrEnum):
    LOOK_UP = "look_up"
    LIST = "list"
    CHANGES = "changes"
    BULK = "bulk"
    SUBMIT = "submit"
    CALL = "call"


@dataclass(frozen=True)
class RowCondition:
    """A row is seen when `field` `operator` `value` holds; operators: eq, in, starts_with, gte, lte. A row without the value is not seen."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Quota:
    """Most answers a minute and a day; None: no such limit."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True)
class Agreement:
    """One agreement between a provider and a subsystem about one dataset, or one brokered service (then `dataset` is the service's id).

    `fields` None: all. `purposes`: code → (Vietnamese, English). `endpoints`: `VERB /pattern` each, of a service.
    """

    id: str
    provider: str
    consumer: str
    dataset: str
    state: State
    fields: tuple[str, ...] | None
    masked: tuple[str, ...]
    row_filter: tuple[RowCondition, ...]
    purposes: Mapping[str, tuple[str, str]]
    operations: frozenset[Operation]
    legal_basis: str
    begins_on: date
    ends_on: date | None
    quota: Quota = Quota()
    officials_required: bool = True
    place: str = ""
    retention: str = ""
    endpoints: tuple[str, ...] = ()

    def is_in_term(self, on: date) -> bool:
        """The last day is part of the term."""
        return self.begins_on <= on and (self.ends_on is None or on <= self.ends_on)


@dataclass(frozen=True)
class PublicKey:
    """A key of a subsystem (a JWK), good on [valid_from, valid_to]."""

    jwk: Mapping[str, Any]
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class Subsystem:
    """A part of an agency's systems that sends or asks for data."""

    identifier: str
    agency: str
    title_vi: str
    title_en: str
    keys: tuple[PublicKey, ...]
    is_active: bool = True

    def keys_on(self, on: date) -> list[Mapping[str, Any]]:
        """The public JWKs good on a day; none when the subsystem is closed."""
        return [key.jwk for key in self.keys if key.is_valid(on)] if self.is_active else []


@dataclass(frozen=True)
class Register:
    """All subsystems and agreements there are."""

    subsystems: Mapping[str, Subsystem] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()

    def between(self, consumer: str, dataset: str) -> list[Agreement]:
        """Agreements of a subsystem about a dataset, in order of id."""
        return [a for a in self.agreements if a.consumer == consumer and a.dataset == dataset]
