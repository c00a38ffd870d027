"""What was agreed, as values: who may use which fields of which rows of which dataset, for which purposes, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from lienthong.access.agency import NO_AGENCIES, Agencies
from lienthong.access.legal import Citation
from lienthong.clock import VIETNAM
from lienthong.standards.working_days import WorkingDays

Network = IPv4Network | IPv6Network


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
    """Most answers a minute and a day; None: no such limit. `deliveries`: what is sent unasked counts too (webhooks, streams, relays, copies)."""

    per_minute: int | None = None
    per_day: int | None = None
    deliveries: bool = False


@dataclass(frozen=True)
class Hours:
    """When answers are given, on Vietnam's clock: `days` are weekdays (0: Monday), None the working days of offices; the last minute is not part."""

    days: frozenset[int] | None
    begins: time
    ends: time

    def include(self, at: datetime, offices: WorkingDays) -> bool:
        local = at.astimezone(VIETNAM)
        is_day = offices.is_working(local.date()) if self.days is None else local.weekday() in self.days
        return is_day and self.begins <= local.time() < self.ends


@dataclass(frozen=True)
class Stop:
    """A time during which a dataset answers nobody, announced beforehand or forced."""

    id: int
    dataset: str
    begins_at: datetime
    ends_at: datetime
    is_forced: bool = False

    def includes(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at


@dataclass(frozen=True)
class Agreement:
    """One agreement between a provider and a subsystem about one dataset, or one brokered service (then `dataset` is the service's id).

    `fields` None: all. `purposes`: code → (Vietnamese, English). `endpoints`: `VERB /pattern` each, of a service.
    `officials`, `networks` and `hours` narrow it further where they are given. `document` is the whole agreement as it was written.
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
    officials: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    hours: Hours | None = None
    citations: tuple[Citation, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def depends(self) -> bool:
        """Whether what it allows depends on more than who asks for what and why: on the official, the place or the time."""
        return bool(self.officials or self.networks or self.hours)

    def lets_in(self, address: str) -> bool:
        """Whether a caller at this address is at an agreed place; one whose address is not known is not."""
        found = _address(address)
        return not self.networks or (found is not None and any(found in network for network in self.networks))

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
    """All subsystems and agreements there are; `stops` that are not over; the calendar by which working days are counted.

    `unopened`: datasets on the list of open data that are not given to everybody now, whatever their contracts say.
    """

    subsystems: Mapping[str, Subsystem] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()
    stops: tuple[Stop, ...] = ()
    offices: WorkingDays = field(default_factory=WorkingDays, compare=False)
    agencies: Agencies = NO_AGENCIES
    unopened: frozenset[str] = frozenset()

    def between(self, consumer: str, dataset: str) -> list[Agreement]:
        """Agreements of a subsystem about a dataset, in order of id."""
        return self._between.get((consumer, dataset), [])

    def depends(self, consumer: str | None, dataset: str) -> bool:
        """Whether what this subsystem gets of this dataset depends on the official, the place or the time of a request."""
        return dataset in self._stopping or (consumer, dataset) in self._depending

    def heir_of(self, identifier: str, on: date) -> str:
        """What a subsystem goes by on a day: of one whose agency has merged, the subsystem under the agency in its place that bears one of its keys.

        A merger carries keys over, so no other can be taken for it. Its own name where there is none, or more than one.
        """
        own = self.subsystems.get(identifier)
        if own is None or not self.agencies.is_closed(own.agency, on):
            return identifier
        places, keys = self.agencies.replaced_by(own.agency, on), [key.jwk for key in own.keys]
        heirs = [
            each.identifier for each in self.subsystems.values() if each.agency in places and any(jwk in keys for jwk in each.keys_on(on))
        ]
        return heirs[0] if len(heirs) == 1 else identifier

    @cached_property
    def _between(self) -> Mapping[tuple[str, str], list[Agreement]]:
        found: dict[tuple[str, str], list[Agreement]] = {}
        for agreement in self.agreements:
            found.setdefault((agreement.consumer, agreement.dataset), []).append(agreement)
        return found

    @cached_property
    def _depending(self) -> frozenset[tuple[str | None, str]]:
        return frozenset((a.consumer, a.dataset) for a in self.agreements if a.depends)

    @cached_property
    def _stopping(self) -> frozenset[str]:
        return frozenset(stop.dataset for stop in self.stops)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; one of IPv4 in IPv6's clothes is what it is."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped
