"""Tries a source step by step and says in words what works: nothing is taken, acknowledged or left behind.

A connector may bring a `probe` of its own (same arguments, gives steps); else files are looked at where they lie, hosts are resolved and
connected to, and the first rows are read.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from lienthong.connectors.addresses import close_quietly, connected
from lienthong.connectors.base import Batch, ReadContext
from lienthong.connectors.files import list_folder, listed_files, nothing_found
from lienthong.connectors.folder import FolderOptions, Lying, is_remote, open_folder, read_address
from lienthong.connectors.options import is_of_files
from lienthong.connectors.registry import get_connector
from lienthong.connectors.steps import Step, stage
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import LienthongError, SourceError

LOOKED_AT = 64 << 20  # a first file larger than this is not fetched only to be looked at
USUAL_PORTS = {
    "http": 80,
    "https": 443,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mssql": 1433,
    "sqlserver": 1433,
    "oracle": 1521,
}


def probe(source: Source, context: ReadContext) -> Iterator[Step]:
    """Steps in their order; the first that fails is the last."""
    looking = replace(context, only_looks=True)
    try:
        connector = get_connector(source.connector)
        own: Callable[[Source, ReadContext], Iterator[Step]] | None = getattr(connector, "probe", None)
        if own is not None:
            yield from own(source, looking)
        elif is_of_files(source):
            yield from _of_files(source, looking)
        else:
            yield from _of_host(source, looking)
            yield _read(source, looking)
    except LienthongError as error:
        yield Step(False, error.message, error.message, error.hint)


def preview(source: Source, context: ReadContext, rows: int) -> tuple[pa.Table, Sequence[int]]:
    """The first rows as they come (a table of texts), and their numbers at the source. Raises SourceError."""
    for batch in _first(source, replace(context, only_looks=True, batch_rows=max(rows, 1))):
        numbers = batch.source_rows.to_pylist()[:rows]
        return batch.table.slice(0, rows), numbers
    raise SourceError(f"Nguồn/source `{source.name}`: không đưa ra gì / gave nothing.")


def _of_files(source: Source, context: ReadContext) -> Iterator[Step]:
    location = expand(source.location, context.variables)
    options = FolderOptions.of(source, context)
    if is_remote(location):
        address = read_address(source, context)
        folder = open_folder(address, options, context)
        yield stage("variables")
        try:
            for code in folder.opening():
                yield stage(code)
            found = list_folder(folder, address.wanted if address.is_pattern else glob.escape(address.wanted), options, None)
        finally:
            folder.close()
        if not found:
            raise nothing_found(f"{address.where.rstrip('/')}/{address.wanted}")
    else:
        found = listed_files(source, context)
    size = sum(max(each.size, 0) for each in found)
    named = ", ".join(f"`{each.name}`" for each in found[:3]) + (", …" if len(found) > 3 else "")
    yield Step(True, f"{len(found)} tệp khớp ({size:,} byte): {named}", f"{len(found)} files fit ({size:,} bytes): {named}")
    yield from _first_file(source, context, found)


def _first_file(source: Source, context: ReadContext, found: Sequence[Lying]) -> Iterator[Step]:
    if found[0].size > LOOKED_AT:
        yield Step(
            True, "Tệp đầu quá lớn để tải thử; xem bằng preview", "the first file is too large to be fetched for this; preview shows it"
        )
        return
    yield _read(source, context)


def _of_host(source: Source, context: ReadContext) -> Iterator[Step]:
    place = urlsplit(expand(source.location, context.variables))
    yield stage("variables")
    port = place.port or USUAL_PORTS.get(place.scheme, 0)
    if place.hostname and port:
        close_quietly(connected(place.hostname, port, [place.hostname], 10.0))
        yield stage("connected")


def _read(source: Source, context: ReadContext) -> Step:
    batch = next(_first(source, replace(context, batch_rows=100)))
    names = ", ".join(f"`{name}`" for name in batch.table.column_names)
    told = f" ({batch.file.encoding})" if batch.file.encoding else ""
    return Step(
        True,
        f"Đọc được{told}: {batch.table.num_columns} cột: {names}; {_rows(batch)} hàng đầu",
        f"read{told}: {batch.table.num_columns} columns: {names}; {_rows(batch)} first rows",
        _broken_hint(batch),
    )


def _rows(batch: Batch) -> int:
    return int(batch.table.num_rows)


def _broken_hint(batch: Batch) -> str:
    return f"{len(batch.broken)} of the first rows could not be split into columns ({batch.broken[0].code})." if batch.broken else ""


def _first(source: Source, context: ReadContext) -> Iterator[Batch]:
    batches: Any = get_connector(source.connector).read(source, context, None)
    try:
        yield from batches
    finally:
        batches.close()
