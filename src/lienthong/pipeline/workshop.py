"""What every act of the pipeline needs, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienthong.clock import Clock, system_clock
from lienthong.connectors import ReadContext
from lienthong.contracts import Contract
from lienthong.ledger import Signer
from lienthong.standards.working_days import WorkingDays, read_working_days
from lienthong.store import Database


@dataclass(frozen=True)
class Progress:
    """How far a run has come: `step` is landing, cleaning, publishing or done; `rows` so far; `total` where it is known."""

    dataset_id: str
    step: str
    rows: int
    total: int | None = None


OnProgress = Callable[[Progress], None]


def no_progress(_: Progress) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Workshop:
    """The database, the contracts in force, who signs, what time it is."""

    database: Database
    contracts: Mapping[str, Contract]
    signer: Signer
    clock: Clock = system_clock
    read_context: ReadContext = field(default_factory=ReadContext)
    accept_synthetic_ids: bool = False
    province: str = ""  # code of the platform's own
    folder: Path | None = None  # of contracts, where new ones are written
    offices: WorkingDays = field(default_factory=read_working_days)


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended. rows_in = rows_published + rows_unchanged + rows_quarantined, unless `state` is waiting or failed.

    `waits_for` lists the bounds that were broken, each with what was found and what was expected.
    """

    run_id: int
    dataset_id: str
    source_name: str
    state: str
    rows_in: int = 0
    rows_published: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    rows_ended: int = 0
    warnings: int = 0
    version: int | None = None
    seconds: float = 0.0
    waits_for: tuple[Mapping[str, Any], ...] = ()
