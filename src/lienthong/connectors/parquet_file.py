"""Parquet files: rows as text, row group after row group, in a child process: the library trusts what a file says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lienthong.connectors import isolated
from lienthong.connectors.arrow_text import NESTED
from lienthong.connectors.base import Batch, Position, ReadContext, row_numbers
from lienthong.connectors.csv_dialect import checked_headings
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import SourceError

MAX_GROUP_BYTES = 1024 * 1024 * 1024
MAGIC = b"PAR1"


class ParquetFile:
    """Connector `parquet_file`. Options: `nested` (`refuse`, `flatten`, `json`), `max_group_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        reader = _Reader(
            options.choice("nested", NESTED, "refuse"), options.number("max_group_bytes", MAX_GROUP_BYTES, 1), context.batch_rows
        )
        options.close()
        return read_files(source, context, after, reader.read)


@dataclass(frozen=True)
class _Reader:
    nested: str
    group_bytes: int
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        with found.path.open("rb") as stream:
            if stream.read(4) != MAGIC:
                raise SourceError(f"`{name}`: không phải tệp Parquet / is not a Parquet file.")
        group, row, number = (0, 0, 0) if at is None else (int(at["group"]), int(at["row"]), int(at["number"]))
        any_batch = False
        batches = isolated.tables(
            "parquet_rows",
            name,
            path=str(found.path.resolve()),
            file_name=name,
            nested=self.nested,
            batch_rows=self.batch_rows,
            group=group,
            skip=row,
            group_bytes=self.group_bytes,
        )
        for batch in batches:
            names = batch.schema.names[:-2]
            if not any_batch:
                checked_headings(names, f"`{name}`")
            table = pa.Table.from_batches([batch.select(names)])
            if batch.num_rows:
                group, row = int(batch["\0group"][-1].as_py()), int(batch["\0row"][-1].as_py())
            yield Batch(
                found.file, table, row_numbers(number + 1, batch.num_rows), {"group": group, "row": row, "number": number + batch.num_rows}
            )
            number += batch.num_rows
            any_batch = True
