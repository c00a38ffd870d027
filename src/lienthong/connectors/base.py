"""What every connector gives: batches of rows as they came, with where they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from lienthong.connectors.addresses import PRIVATE
from lienthong.connectors.arrow_memory import to_arrow
from lienthong.connectors.outward import Networks
from lienthong.contracts import Source

Position = Mapping[str, Any]  # JSON-able; given back to `read` to go on after the batch that carried it


@dataclass(frozen=True)
class SourceFile:
    """One file, sheet or query that rows came from. `sha256` is hex over the bytes as delivered, empty for databases and services."""

    uri: str  # no credentials, relative to the source's own folder where there is one
    sha256: str = ""
    size_bytes: int = 0
    encoding: str = ""  # python codec name or tcvn3, vni…; empty where there is none
    encoding_confidence: float = 1.0
    sheet: str = ""


@dataclass(frozen=True)
class BrokenRow:
    """A row that could not be split into columns: it goes to quarantine, never lost."""

    source_row: int
    text: str
    code: str  # stable: `row.columns`, `row.encoding`, …
    expected_vi: str
    expected_en: str


@dataclass(frozen=True)
class Note:
    """What a person should know of a file although nothing is wrong: rows left out by a rule, rows hidden but read. `code` is stable."""

    code: str
    count: int


@dataclass(frozen=True)
class Batch:
    """Up to `batch_rows` rows of one file. `table` columns are as named at the source; text stays text.

    `source_rows` (as long as the table) are the row numbers a person sees in the source: line, Excel row, element.
    """

    file: SourceFile
    table: pa.Table
    source_rows: pa.Int64Array
    position: Position
    broken: tuple[BrokenRow, ...] = ()
    ended: pa.BooleanArray | None = None  # deliveries of changes: rows that say that the record of their key ended; as long as the table
    on_landed: Callable[[], None] | None = field(default=None, compare=False, repr=False)  # called when the batch is safe in the landing
    typed: Mapping[str, pa.Array | pa.ChunkedArray] = field(
        default_factory=dict
    )  # column → its cells as they stood, where they were read as another font's; null: alike
    notes: tuple[Note, ...] = ()  # of the file or sheet, on its last batch


@dataclass(frozen=True)
class ReadContext:
    """What a connector may know beyond its source. `variables` fill `${NAME}` in locations and options.

    `spool`: a folder for fetched files, kept between processes; None: one of this process. `networks`: where sources may be besides the
    public internet. `only_looks`: nothing may be taken, acknowledged or left behind (preview, test). `as_it_arrives`: a file elsewhere is
    read while it is fetched; its hash then stands in its last batch alone.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    batch_rows: int = 65_536
    spool: Path | None = None
    networks: Networks = PRIVATE
    only_looks: bool = False
    as_it_arrives: bool = False


class Connector(Protocol):
    """Reads one kind of source. Raises SourceError (naming file and place) or HostileInputError; yields nothing half-read."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        """Hex digest of the whole content when cheap to know without reading rows (hash of files), else None."""
        ...

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        """Batches in a stable order, resuming after a position given earlier. An empty source yields one batch of no rows."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """A connector whose source keeps what was not taken yet, such as a log."""

    def resumes(self, source: Source, context: ReadContext, after: Position) -> bool:
        """Whether reading can go on after a position; where not, the source is read whole again. Raises SourceError."""
        ...

    def settle(self, source: Source, context: ReadContext, after: Position) -> None:
        """What was given up to a position is published and need not be kept. Raises SourceError; done again, it does no harm."""
        ...


def row_numbers(first: int, count: int) -> pa.Int64Array:
    """`count` row numbers from `first` on."""
    return to_arrow(np.arange(first, first + count, dtype=np.int64))
