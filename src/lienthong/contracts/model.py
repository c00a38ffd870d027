"""What a dataset promises, as frozen values. Nothing here reads files or judges rows.

The words are those of the Open Data Contract Standard v3.1; what it lacks comes from `customProperties`
(documented in `docs/reference/contract.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lienthong.contracts.indicators.periods import PeriodType

from lienthong.contracts.mapping.tree import Node, headings_of


class Sharing(StrEnum):
    OPEN = "open"
    DEFAULT = "default"
    ON_REQUEST = "on_request"
    RESTRICTED = "restricted"


class Sensitivity(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


class Layer(StrEnum):
    SOURCE = "source"
    MASTER = "master"
    CODE_LIST = "code_list"
    TRANSACTION = "transaction"
    AGGREGATE = "aggregate"
    OPEN = "open"


class Severity(StrEnum):
    ERROR = "error"  # the row goes to quarantine
    WARNING = "warning"  # the row is kept, the issue is recorded


class Delivery(StrEnum):
    SNAPSHOT = "snapshot"  # the whole dataset each time: what is missing has ended
    INCREMENTAL = "incremental"  # new and changed rows only: nothing ends by absence
    CHANGES = "changes"  # first the whole, then what changed, in order: the last word on a record counts, and a row may say that it ended


@dataclass(frozen=True)
class Rule:
    """One promise about values, as data. `kind` is one of `quality.RULES`; `columns` are the properties it reads."""

    id: str
    kind: str
    columns: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    message_vi: str = ""
    message_en: str = ""


@dataclass(frozen=True)
class MatchSpec:
    """How an attribute of a master entity is compared: `kind` is one of `vocabulary.KINDS`, options as documented there."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SurvivorshipRule:
    """One appeal in choosing among values: authority (with `of`), recent, complete, frequent, longest, prefer, largest, smallest, expression (with `score`)."""

    rule: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MatchRole:
    """What a row of this dataset says of one master entity. `attributes`: attribute → properties, the first with a value counts.

    `unique`: the register promises one row an entity. `dated_by`: the property with the source's own date. `by`: rows that share
    these properties are one record; without it each row is one.
    """

    entity: str
    role: str = ""
    unique: bool = False
    dated_by: str | None = None
    by: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unless: Mapping[str, str] = field(default_factory=dict)  # property → pattern: rows it fits are no record of the entity


@dataclass(frozen=True)
class Property:
    """One column. `logical_type` is one of string, integer, number, boolean, date, timestamp."""

    name: str
    logical_type: str
    title_vi: str
    title_en: str
    description: str = ""
    required: bool = False
    unique: bool = False
    key_position: int | None = None  # 1-based place in the primary key
    standard: str | None = None  # which entry of `standards` cleans it
    standard_options: Mapping[str, Any] = field(default_factory=dict)
    source_names: tuple[str, ...] = ()  # headers under which it arrives; default: its own name
    sensitivity: Sensitivity = Sensitivity.INTERNAL
    authoritative: bool = False
    authority: str | None = None  # the agency that is the one trusted source, where it is not the owner of the dataset
    as_of: str | None = None  # property (or "delivery") that dates this code
    mask: str | None = None  # how `masked` fields show: last2, last3, year, initials
    examples: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    quasi_identifier: bool = False  # with others like it, it may tell who a row is about
    confidential: bool = False  # must not become known of whoever is recognised
    statistic: str | None = None  # of an aggregate: dimension, time, measure or attribute; None: by the usual signs
    counts: str | None = None  # of an aggregate: what the value is a number of
    match: MatchSpec | None = None  # of a master contract: how the attribute is compared
    survivorship: tuple[SurvivorshipRule, ...] = ()  # of a master contract: whose value is chosen
    mapping: Node | None = None  # what makes the value of delivered columns; None: it arrives ready

    @property
    def reads(self) -> tuple[str, ...]:
        """The delivered columns its mapping reads."""
        return () if self.mapping is None else headings_of(self.mapping)


@dataclass(frozen=True)
class LegalBasis:
    """A text of law, in force on [valid_from, valid_to]."""

    text: str
    valid_from: date | None = None
    valid_to: date | None = None

    def is_in_force(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class Disclosure:
    """What a person is shown of how their data was used, and when. Lines of `hidden_purposes` are not shown; those of `delayed_purposes`
    (purpose → days) so much later than `delay_days`. `shows_official`: whether the official's name is in the line.
    """

    delay_days: int = 0
    hidden_purposes: tuple[str, ...] = ()
    delayed_purposes: Mapping[str, int] = field(default_factory=dict)
    shows_official: bool = True
    legal_basis: str = ""


@dataclass(frozen=True)
class Place:
    """Where and when a row is: `geometry`, or `longitude` and `latitude`, or only a `unit` of administration; names of properties, empty: none."""

    geometry: str = ""
    longitude: str = ""
    latitude: str = ""
    unit: str = ""
    time: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The properties a place is read from."""
        return tuple(name for name in (self.geometry, self.longitude, self.latitude, self.unit) if name)


@dataclass(frozen=True)
class Expect:
    """Bounds past which a run waits for a person; None means no bound. Percentages are of the published rows."""

    rows_min: int | None = None
    rows_max: int | None = None
    changed_max_percent: float | None = None
    ended_max_percent: float | None = None
    quarantined_max_percent: float | None = None
    last_min_percent: float | None = None  # None: `quality.LAST_MIN_PERCENT`
    drift_max_psi: float | None = None
    empty_max_points: float | None = None
    new_values_max: int | None = None

    @property
    def bounds_drift(self) -> bool:
        """Whether a run is held against what earlier versions looked like."""
        return not (self.drift_max_psi is None and self.empty_max_points is None and self.new_values_max is None)


@dataclass(frozen=True)
class Closing:
    """When the periods its rows belong to close: so many working days after their last. `type` is one of `PeriodType`."""

    column: str
    type: PeriodType
    working_days: int = 10


@dataclass(frozen=True)
class Schedule:
    """When sources are read, on Vietnam's clock. `every` is hour, day, working_day, week or month; `day` a weekday from 1 (Monday) or a day of
    the month; `shift` where a day goes that is no working day: after, before, none.
    """

    every: str
    at: time = time(6)
    day: int = 1
    shift: str = "none"
    grace_hours: float = 24.0


@dataclass(frozen=True)
class Source:
    """One road by which a dataset arrives. `location` may hold `${NAME}`, filled from the environment."""

    name: str
    connector: str
    location: str
    delivery: Delivery = Delivery.SNAPSHOT
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Retiring:
    """A version that is answered no longer from a day on: since when that is known, what goes, and the version that stays."""

    since: datetime
    ends_on: date
    version: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """Everything one dataset promises. `digest` (hex SHA-256) changes with any change that could change a row."""

    id: str
    version: str
    status: str
    title_vi: str
    title_en: str
    description_vi: str
    description_en: str
    agency: str  # agency code of the owner
    domain: str
    properties: tuple[Property, ...]
    rules: tuple[Rule, ...] = ()  # cross-field rules
    sources: tuple[Source, ...] = ()
    entity: str | None = None
    layer: Layer = Layer.SOURCE
    sharing: Sharing = Sharing.ON_REQUEST
    legal_basis: tuple[LegalBasis, ...] = ()
    valid_from: str | None = None  # the property that says since when the row is true; None: the delivery's date
    expect: Expect = Expect()
    closing: Closing | None = None  # None: its periods never close
    schedule: Schedule | None = None  # None: nobody reads its sources by a calendar
    disclosure: Disclosure = Disclosure()
    place: Place | None = None  # None: its rows are nowhere
    match: tuple[MatchRole, ...] = ()
    licence: str | None = None  # a code of `LICENCES`
    digest: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)  # the ODCS document as read
    retiring: Retiring | None = None  # a breaking change is announced: this version ends

    @property
    def key(self) -> tuple[Property, ...]:
        """The primary key's properties in order; never empty in a checked contract."""
        return tuple(sorted((p for p in self.properties if p.key_position is not None), key=lambda p: p.key_position or 0))

    def property_named(self, name: str) -> Property:
        """The property of that name. Raises KeyError when there is none."""
        for candidate in self.properties:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    @property
    def is_hidden(self) -> bool:
        """Whether its very entry is not for everybody (`catalogueEntry: restricted`): who has no part in it hears that there is no such dataset."""
        words = self.document.get("customProperties") or ()
        return any(each.get("property") == "catalogueEntry" and each.get("value") == "restricted" for each in words)

    @property
    def is_about_persons(self) -> bool:
        """Whether a value of it is personal or sensitive."""
        return any(p.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE) for p in self.properties)

    def authority_of(self, name: str) -> str:
        """The agency that may change a property's value: the one the contract names, else the owner. Raises KeyError when there is none."""
        return self.property_named(name).authority or self.agency

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Rules of the columns, then those across columns."""
        return tuple(rule for p in self.properties for rule in p.rules) + self.rules


def source_name(contract: Contract, role: MatchRole) -> str:
    """What records of this role are called everywhere: the dataset, or `dataset#role` where it speaks of several entities."""
    return f"{contract.id}#{role.role}" if role.role else contract.id
