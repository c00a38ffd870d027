"""A landed run that is to become a version: whose it is, by which road, on whose word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lienthong.contracts import Delivery
from lienthong.ledger import Event

API = "api"  # the source name of rows that came by POST
CORRECTION = "correction"  # the source name of rows put right in quarantine
WITHDRAWAL = "withdrawal"  # the source name of what a withdrawal puts back
UPLOAD = "upload"  # the source name of additions a data officer handed in as a file
PLATFORM = "lienthong"  # who acts when no person or subsystem does


@dataclass(frozen=True)
class Delivered:
    """A landed run that is to become a version. `approved_by` is set when a person let it pass its bounds."""

    run_id: int
    source_name: str
    delivery: Delivery
    delivered_on: date
    fingerprint: str | None = None
    caller: str = PLATFORM
    official: str = ""
    purpose: str = ""
    approved_by: str = ""
    reason: str = ""  # why it was approved
    corrects: Sequence[tuple[int, int | None]] = ()  # of a correction: (quarantine item, digest of its row as it came), row by row
    event: Event = Event.RUN_PUBLISHED
    touched: tuple[str, ...] | None = None  # of a single record written: only these values may change
    subject: str | None = None
    agreement: str = ""
    legal_basis: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    is_again: bool = False  # rows that landed before are judged anew, every one
    begins: tuple[
        int, ...
    ] = ()  # of several deliveries judged as one: the first row of each; of those that speak of a record the last counts
