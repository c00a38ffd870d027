"""Access databases (.mdb, .accdb) through Debian's `mdbtools`: one table, exported by its program in a child with limits, never by a shell.

The program is not ours and need not be there: without it the connector says which package to install, and everything else works.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from lienthong.connectors import isolated
from lienthong.connectors.base import Batch, Position, ReadContext, row_numbers
from lienthong.connectors.csv_file import CsvOptions, read_csv_stream
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MAX_BYTES = 4 * 1024 * 1024 * 1024
MAGIC = (b"Standard Jet DB", b"Standard ACE DB")
NULL = "\\N"  # how the program is told to write a value that is not there
CHUNK = 1 << 20


class AccessFile:
    """Connector `access_file`. Options: `table`, `fonts`, `max_bytes` (of the exported table)."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        reader = _Reader(options.text("table"), options.number("max_bytes", MAX_BYTES, 1), context.batch_rows)
        fonts = take_fonts(options)
        options.close()
        return read_files(source, context, after, reading_fonts(reader.read, fonts))


@dataclass(frozen=True)
class _Reader:
    table: str
    max_bytes: int
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        with found.path.open("rb") as stream:
            if not stream.read(64)[4:].startswith(MAGIC):
                raise SourceError(f"`{name}`: không phải tệp Access / is not an Access database, or it is encrypted.")
        for program in ("mdb-tables", "mdb-export"):
            if shutil.which(program) is None:
                raise SourceError(
                    f"`{name}`: máy chủ chưa có `{program}` / the server has no `{program}`.",
                    hint="Install Debian's package `mdbtools`, or let the agency export the table as CSV.",
                )
        table = self._chosen(found)
        with tempfile.TemporaryFile() as spool:
            self._export(found, table, spool)
            options = CsvOptions(delimiter=",", quote='"', encoding="utf-8", header_row=1, columns=())
            done = 0 if at is None else int(at["rows"])
            for batch in read_csv_stream(found.file, spool, options, self.batch_rows, at):
                yield _as_a_table(batch, done)
                done += batch.table.num_rows

    def _chosen(self, found: FoundFile) -> str:
        path, name = str(found.path.resolve()), found.file.uri
        with isolated.output(["mdb-tables", "-1", "-t", "table", path], name) as data:
            tables = [line for line in data.read(CHUNK).decode("utf-8", "replace").splitlines() if line]
        if self.table in tables or (not self.table and len(tables) == 1):
            return self.table or tables[0]
        shown = ", ".join(f"`{table}`" for table in tables) or "none"
        said = f" `{self.table}`" if self.table else ""
        raise SourceError(f"`{name}`: cần một bảng / expected one table{said}, found {shown}.", hint="Name it in the option `table`.")

    def _export(self, found: FoundFile, table: str, spool: IO[bytes]) -> None:
        path, name = str(found.path.resolve()), found.file.uri
        argv = ["mdb-export", "-0", NULL, "-D", "%Y-%m-%d", "-T", "%Y-%m-%d %H:%M:%S", "-b", "hex", "-B", "--", path, table]
        written = 0
        with isolated.output(argv, name) as data:
            while chunk := data.read(CHUNK):
                written += len(chunk)
                if written > self.max_bytes:
                    raise HostileInputError(f"`{name}`, `{table}`: quá lớn / is larger than {self.max_bytes} bytes when exported.")
                spool.write(chunk)
        if not written:
            raise SourceError(f"`{name}`, `{table}`: không có gì / the program gave nothing; the file may be damaged.")


def _as_a_table(batch: Batch, done: int) -> Batch:
    """Values that are not there as null, and rows numbered as the table's, not as lines of a text."""
    columns = [pc.if_else(pc.equal(column, NULL), pa.scalar(None, pa.string()), column) for column in batch.table.columns]
    count = batch.table.num_rows
    table = pa.table(dict(zip(batch.table.column_names, columns, strict=True)))
    return replace(batch, table=table, source_rows=row_numbers(done + 1, count), position={**batch.position, "rows": done + count})
