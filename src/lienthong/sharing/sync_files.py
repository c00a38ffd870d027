"""A copy kept as one current file in a folder: written whole for each new version, checked by its hash."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from lienthong.connectors.row_hash import KEY
from lienthong.connectors.target_folder import PIECE, FolderTarget, Manifest
from lienthong.errors import Conflict, SyncError
from lienthong.ledger import Event
from lienthong.sharing.formats import CSV, PARQUET, Tally, write_stream
from lienthong.sharing.sync_checking import Checked, shaped_rows
from lienthong.sharing.sync_view import AgreedView
from lienthong.sharing.syncing import Courier
from lienthong.standards import show_number
from lienthong.store import syncs as store
from lienthong.store.syncs import Drift, reading

MOST_SHEET_ROWS = 1_048_575  # of one sheet, below its headings


class FileCourier(Courier):
    """One pass of one sync into a folder."""

    def work(self) -> None:
        view = self.agreed()
        if view is None:
            return
        newest = self.newest()
        if newest == 0:
            self.note("filling", vi="Bộ dữ liệu chưa có phiên bản nào.", en="The dataset has no version yet.")
            return
        target = FolderTarget(self.definition.options(self.office.variables))
        try:
            self.step("connected")
            latest = target.latest()
            if latest is None or latest.version < newest or latest.view != self._digest(view):
                self._put(target, view, newest)
        finally:
            target.close()
        self.note("following", version=newest, worked_at=self.office.clock())

    def check(self, *, repair: bool) -> Checked:
        """Whether the current file is there as it was written; made anew when asked to."""
        self.work()
        view = self.agreed()
        known = store.state(self.connection, self.definition.id)
        if view is None or known is None or known.version is None:
            raise Conflict(f"`{self.definition.id}` cannot be checked now.", vi=f"`{self.definition.id}` chưa đối chiếu được.")
        target = FolderTarget(self.definition.options(self.office.variables))
        try:
            latest = target.latest()
            sealed = None if known.checked is None else known.checked.get("sha256")
            is_whole = latest is not None and latest.sha256 == sealed and target.is_whole(latest)
            found = Checked(self.office.clock(), known.version, 0 if latest is None else latest.rows, is_repaired=repair and not is_whole)
            if not is_whole:
                found.changed = 1
                name = self.definition.more["name"] if latest is None else latest.file
                found.drifts.append(Drift(found.at, str(name), "changed", (), found.at if repair else None))
                if repair:
                    sealed = self._put(target, view, known.version).sha256
        finally:
            target.close()
        with self.connection.transaction():
            store.note_check(self.connection, self.definition.id, found.at, {**found.counts, "sha256": sealed})
            store.add_drifts(self.connection, self.definition.id, found.drifts)
            event = Event.SYNC_REPAIRED if found.is_repaired else Event.SYNC_CHECKED
            self.append(event, "equal" if is_whole else "differs", view, found.counts, version=found.version)
        return found

    def _digest(self, view: AgreedView) -> str:
        """A file's columns are part of what was agreed for it: there is nothing to add them to."""
        return f"{view.digest}:{self.definition.more['format']}:{','.join(f'{c.name} {c.kind}' for c in view.columns)}"

    def _put(self, target: FolderTarget, view: AgreedView, version: int) -> Manifest:
        self._append_file(view, version, "begun", {}, "")
        tally = Tally()
        suffix = str(self.definition.more["format"])
        with reading(self.office.database.url, view.store) as reader:
            batches = (batch for table in shaped_rows(view, reader, version) for batch in _batches(table.drop_columns([KEY])))
            more = {
                "sync": self.definition.id,
                "dataset": self.contract.id,
                "contract_version": self.contract.version,
                "agreement": view.right.agreement,
                "fields": [c.name for c in view.columns],
                "made_at": self.office.clock().isoformat(),
            }
            manifest = target.put(suffix, _WRITERS[suffix](batches, tally), version, self._digest(view), lambda: tally.rows, more)
        self.step("put")
        self._append_file(view, version, "complete", {"rows": manifest.rows, "bytes": manifest.bytes}, manifest.sha256)
        store.note_check(
            self.connection, self.definition.id, self.office.clock(), {"version": version, "rows": manifest.rows, "sha256": manifest.sha256}
        )
        return manifest

    def _append_file(self, view: AgreedView, version: int, outcome: str, details: dict[str, Any], digest: str) -> None:
        with self.connection.transaction():
            rows = details.get("rows", 0)
            store.note_delivery(self.connection, self.definition.id, self.contract.id, self.definition.consumer, "filling", rows)
            self.append(
                Event.SYNC_DELIVERED, outcome, view, {"format": self.definition.more["format"], **details}, version=version, digest=digest
            )


def _batches(table: pa.Table) -> list[pa.RecordBatch]:
    """At least one batch: a file of no rows still has its columns."""
    batches: list[pa.RecordBatch] = table.to_batches()
    return batches or [pa.RecordBatch.from_pylist([], schema=table.schema)]


def _csv(batches: Iterator[pa.RecordBatch], tally: Tally) -> Iterator[bytes]:
    return write_stream(CSV, batches, {}, tally)


def _parquet(batches: Iterator[pa.RecordBatch], tally: Tally) -> Iterator[bytes]:
    return write_stream(PARQUET, batches, {}, tally)


def _xlsx(batches: Iterator[pa.RecordBatch], tally: Tally) -> Iterator[bytes]:
    """A workbook of one sheet, written row by row; texts stay texts and no text is a formula."""
    import xlsxwriter  # noqa: PLC0415 # only for this format

    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(
            file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "remove_timezone": True}
        )  # fmt: skip
        sheet = book.add_worksheet()
        day, instant = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for batch in batches:
            if tally.rows == 0:
                sheet.write_row(0, 0, batch.schema.names)
            if tally.rows + batch.num_rows > MOST_SHEET_ROWS:
                raise SyncError(
                    f"A sheet holds at most {MOST_SHEET_ROWS:,} rows.", hint="Use csv or parquet.", vi=f"Một trang tính chứa tối đa {show_number(MOST_SHEET_ROWS)} hàng.", hint_vi="Hãy dùng csv hoặc parquet."
                )  # fmt: skip
            for row in batch.to_pylist():
                tally.rows += 1
                for place, value in enumerate(row.values()):
                    _write_cell(sheet, tally.rows, place, value, day, instant)
        book.close()
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _write_cell(sheet: Any, row: int, place: int, value: Any, day: Any, instant: Any) -> None:
    if value is None:
        return
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float):
        if isinstance(value, int) and abs(value) > 2**53:  # a sheet's number would round it
            sheet.write_string(row, place, str(value))
        else:
            sheet.write_number(row, place, value)
    else:
        sheet.write_datetime(row, place, value, instant if hasattr(value, "hour") else day)


_WRITERS: dict[str, Callable[[Iterator[pa.RecordBatch], Tally], Iterator[bytes]]] = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}
