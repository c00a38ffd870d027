"""What every kind of target of a sync can do, and the values that travel to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from lienthong.connectors.row_hash import Column, Sums
from lienthong.errors import TargetError, TargetMoved

__all__ = ["Delta", "Place", "TableTarget", "TargetError", "TargetMoved", "TargetOptions", "in_pieces"]


@dataclass(frozen=True)
class Place:
    """How far a copy has come; kept in the target itself, written with the rows in one transaction where it has transactions.

    `phase` fill: rows of `version` with keys up to `key` are there. `phase` feed: everything through `version` is there when `key` is None,
    else everything before it and its changes of keys up to `key`. `view` is a digest of what was agreed when the copy was made equal to it.
    """

    phase: str
    version: int
    key: str | None
    columns: tuple[Column, ...]
    view: str

    @property
    def is_whole(self) -> bool:
        """Whether the copy is some one version, whole."""
        return self.phase == "feed" and self.key is None


@dataclass(frozen=True)
class Delta:
    """Rows to be there as they are (as `row_hash.arrow_schema` of the place's columns), and keys to be gone."""

    rows: pa.Table
    gone: Sequence[str] = ()


@dataclass(frozen=True)
class TargetOptions:
    """What a definition says of its target: `location` and `password` filled from the operator's variables."""

    kind: str
    location: str
    password: str = field(default="", repr=False)
    more: Mapping[str, Any] = field(default_factory=dict)


class TableTarget(Protocol):
    """A table in an agency's database. `before` in each change is the place it begins from: raises TargetMoved when it is not there."""

    def place(self) -> Place | None:
        """Where the copy is; None when there is none yet."""

    def holds_rows(self) -> bool:
        """Whether the table is there and holds rows."""

    def begin(self, place: Place) -> None:
        """Make the table and the place, or take an empty table with the right columns."""

    def load(self, rows: pa.Table, before: Place, after: Place) -> None:
        """Add rows of a first fill."""

    def apply(self, delta: Delta, before: Place, after: Place) -> None:
        """Make rows be as they should, in one transaction with the new place."""

    def reshape(self, add: Sequence[Column], drop: Sequence[str], before: Place, after: Place) -> None:
        """Add empty columns and drop others."""

    def sums(self, columns: Sequence[Column]) -> Sums:
        """Count and hash by bucket."""

    def hashes(self, columns: Sequence[Column], buckets: Sequence[str]) -> dict[str, str]:
        """Key → hash of the rows of some buckets."""

    def rows(self, columns: Sequence[Column], keys: Sequence[str]) -> pa.Table:
        """Rows by key, for saying what differs."""

    def close(self) -> None:
        """Give the connection back."""


def in_pieces(table: pa.Table, size: int) -> Iterator[pa.Table]:
    """The rows a few at a time."""
    for at in range(0, table.num_rows, size):
        yield table.slice(at, size)
