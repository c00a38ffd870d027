"""An indicator as a value, and what state one of its figures is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from lienthong.clock import VIETNAM
from lienthong.contracts.indicators.formula_model import Formula
from lienthong.contracts.indicators.periods import Period, PeriodType
from lienthong.contracts.model import LegalBasis


class Direction(StrEnum):
    """Which way is good."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


class Level(StrEnum):
    """Of what units a formula's places are."""

    COMMUNE = "commune"
    DISTRICT = "district"
    NONE = "none"


class Empty(StrEnum):
    """What a formula without rows means: that there is no data, or that there was nothing to count."""

    MISSING = "missing"
    ZERO = "zero"


class State(StrEnum):
    """`estimate`: its period or its closing time is not over. `late`: it is, and the figure is not what was promised. `final`."""

    ESTIMATE = "estimate"
    LATE = "late"
    FINAL = "final"


@dataclass(frozen=True)
class Closing:
    """A figure closes so many days after the period's last day, at a time in Vietnam."""

    days: int = 0
    at: time = time(17, 0)

    def instant(self, period: Period) -> datetime:
        """When the figures of a period close."""
        return datetime.combine(period.until + timedelta(days=self.days - 1), self.at, VIETNAM).astimezone(UTC)


@dataclass(frozen=True)
class Quality:
    """What must hold for a figure to be final. `delivered_after_end`: each dataset it reads was taken in after the period's last day."""

    delivered_after_end: bool = True
    quarantined_max_percent: float | None = None


@dataclass(frozen=True)
class ReadStanding:
    """A dataset as it stood when it was read. `delivered_at`: the newest run that ended well; `quarantined_percent` of its rows wait."""

    dataset: str
    version: int
    contract_version: str
    contract_digest: str
    delivered_at: datetime | None
    quarantined_percent: float


@dataclass(frozen=True)
class Indicator:
    """One indicator. A `formula` or a `measure` of the platform itself says how it is reckoned.

    With `has_base` a figure is `scale` × sum of values ÷ sum of bases, so that figures of places add up however borders are drawn; without, a sum.
    `order`: its place on the board's first screen, 0 when it is not there.
    """

    id: str
    title_vi: str
    title_en: str
    definition_vi: str
    definition_en: str
    owner: str
    unit_vi: str
    unit_en: str
    period: PeriodType
    owner_name: str = ""
    contact: str = ""
    decimals: int = 0
    direction: Direction = Direction.NEUTRAL
    level: Level = Level.NONE
    order: int = 0
    closing: Closing = field(default_factory=Closing)
    keeps: int = 8
    formula: Formula | None = None
    measure: str = ""
    has_base: bool = False
    scale: float = 1.0
    targets: Mapping[str, float] = field(default_factory=dict)
    quality: Quality = field(default_factory=Quality)
    legal_basis: tuple[LegalBasis, ...] = ()
    drill_down: str = ""
    empty: Empty = Empty.MISSING
    is_public: bool = False
    digest: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        return self.formula.reads if self.formula else ()

    def target(self, period: Period) -> float | None:
        """The target of a period: its own, else its year's."""
        return self.targets.get(period.code, self.targets.get(str(period.year)))

    def total(self, value: float | None, base: float | None) -> float | None:
        """The figure of sums; None where there is nothing to speak of."""
        if value is None:
            return None
        if not self.has_base:
            return self.scale * value
        return self.scale * value / base if base else None


FAULTS: Mapping[str, tuple[str, str]] = {
    "no_value": ("Không có số liệu trong kỳ", "There is no data in the period"),
    "not_delivered": ("Nguồn chưa giao dữ liệu sau ngày cuối kỳ", "The source has not delivered since the period's last day"),
    "quarantined": ("Quá nhiều dòng của nguồn còn chờ sửa", "Too many rows of the source wait to be mended"),
}


def judge(
    indicator: Indicator, period: Period, now: datetime, reads: Sequence[ReadStanding], *, has_value: bool
) -> tuple[State, tuple[tuple[str, str], ...]]:  # fmt: skip
    """The state of a figure reckoned now, and what is missing for it to be final: (a word of `FAULTS`, dataset)."""
    ended = datetime.combine(period.until, time(), VIETNAM)
    faults: list[tuple[str, str]] = [] if has_value else [("no_value", "")]
    most = indicator.quality.quarantined_max_percent
    for each in reads:
        if indicator.quality.delivered_after_end and (each.delivered_at is None or each.delivered_at < ended):
            faults.append(("not_delivered", each.dataset))
        if most is not None and each.quarantined_percent > most:
            faults.append(("quarantined", each.dataset))
    if now < max(ended, indicator.closing.instant(period)):
        return State.ESTIMATE, tuple(faults)
    return (State.LATE if faults else State.FINAL), tuple(faults)
