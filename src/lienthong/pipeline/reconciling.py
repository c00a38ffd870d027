"""What a source says of itself held against what landed here: rows, sums of numbers, hashes of files and of
rows (of a table made by its database, of files by reading them once more); where it differs, in which range of keys, and row by row.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lienthong.connectors.control import Control, CountBetween, RowHashes, control_of
from lienthong.connectors.row_hash import BUCKET_DIGITS, Sums, bucket_sums, differing
from lienthong.contracts import Contract, Delivery, Sensitivity, Source
from lienthong.errors import RunError
from lienthong.ledger import Entry, Event
from lienthong.pipeline.believed import Believed, Names, last_words
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.rereading import Reread, name_by_place
from lienthong.pipeline.run import landed_by
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, reconciliations, runs
from lienthong.store.runs import StoredRun

MOST_QUESTIONS = 200  # to a source, to find where rows are missing
MOST_RANGES = 20
MOST_BUCKETS = 32  # of 4,096: looked into at once, so that of ten million rows no more than 80,000 are asked for one by one
MOST_ROWS = 50
SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Line:
    """One measure at both ends. `what`: rows, sum of a column, hash of a file, of all rows, or of one; rows of a range of keys."""

    what: str
    there: str
    here: str

    @property
    def is_equal(self) -> bool:
        return self.there == self.here


@dataclass(frozen=True)
class Reconciliation:
    """`lines` is empty where the source says nothing of itself."""

    run_id: int
    lines: Sequence[Line]

    @property
    def agrees(self) -> bool:
        return all(line.is_equal for line in self.lines)


def reconcile(workshop: Workshop, contract: Contract, source: Source, official: str = "") -> Reconciliation:
    """Hold what landed of a source against what the source says now, keep the outcome. Of increments and changes the last word on each record counts. Raises RunError before the first run, SourceError."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        done = runs.last_done(connection, contract.id, source.name)
        stored = None if done is None else runs.show(connection, done.run_id)
        if stored is None:
            raise RunError(f"`{contract.id}`, `{source.name}`: nothing has been taken in yet.", vi="Chưa có lần nạp nào.")
        with control_of(source, workshop.read_context, done.position if done is not None else None) as control:
            lines = _both_ends(workshop, connection, contract, source, stored, control)
        found = Reconciliation(stored.run_id, lines)
        document = [{"what": line.what, "there": line.there, "here": line.here} for line in lines]
        reconciliations.keep(connection, contract.id, source.name, stored.run_id, document, at, agrees=found.agrees if lines else None)
        details = {"run": stored.run_id, "source": source.name, "measures": len(lines), "differ": sum(not line.is_equal for line in lines)}
        outcome = "agrees" if lines and found.agrees else "differs" if lines else "unsaid"
        entry = Entry(at, Event.RUN_RECONCILED, PLATFORM, official, dataset=contract.id, outcome=outcome, details=details)
        append_entries(connection, [entry], workshop.signer)
    return found


def _both_ends(
    workshop: Workshop, connection: Connection, contract: Contract, source: Source, stored: StoredRun, control: Control | None
) -> list[Line]:  # fmt: skip
    is_whole, is_file = source.delivery is Delivery.SNAPSHOT, source.connector.endswith("_file")
    run_ids = [landed_by(connection, stored)] if is_whole else runs.deliveries(connection, contract.id, source.name)
    reread = Reread(contract, source, workshop.read_context) if is_file else None
    hashes: RowHashes | Reread | None = reread if control is None or control.hashes is None else control.hashes
    there = hashes.sums() if hashes is not None else None
    here = Believed(connection, run_ids)
    if not is_whole and reread is not None:
        here = last_words(connection, run_ids, name_by_place, of_files=reread.files)
    elif not is_whole and control is not None and hashes is not None:
        here = last_words(connection, run_ids, _name_by_key(hashes), control.to_come)
    lines = [] if control is None else _lines(here, control)
    if hashes is not None and there is not None:
        lines += _hash_lines(here, hashes, there, is_personal=_is_personal(contract))
    return lines


def _name_by_key(hashes: RowHashes | Reread) -> Names:
    return lambda batch, _: [key for key, _ in hashes.of_landed(batch.table)]


def _lines(here: Believed, control: Control) -> list[Line]:
    rows, sums, keys = _landed(here, control)
    lines = [] if control.rows is None else [Line("rows", str(control.rows), str(rows))]
    lines += [Line(f"sum {name}", _told(total), _told(sums[name])) for name, total in control.sums.items()]
    files = here.hashes_of_files()
    lines += [Line(f"sha256 {name}", told, files.get(name, "")) for name, told in control.sha256.items()]
    if control.count_between is not None and keys and control.rows != rows:
        lines += [
            Line(f"keys {begins} – {until - 1}", str(there), str(counted))
            for begins, until, there, counted in _ranges(control.count_between, keys)
        ]
    return lines


def _is_personal(contract: Contract) -> bool:
    return any(p.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE) for p in contract.key)


def _hash_lines(landed: Believed, hashes: RowHashes | Reread, there: Sums, *, is_personal: bool) -> list[Line]:
    """Whether all rows are alike at both ends; which are not, by their row number here, of those that are there alone by their key."""
    here = Sums()
    for _, batch in landed.batches():
        bucket_sums(hashes.of_landed(batch.table), here)
    differ = differing(there, here)
    lines = [Line("hash of rows", _digest(there), _digest(here))]
    if not differ:
        return lines
    looked_into = frozenset(differ[:MOST_BUCKETS])
    found = list(hashes.rows(sorted(looked_into)))
    waiting: dict[tuple[str, str], int] = {}
    for key, row, _ in found:
        waiting[key, row] = waiting.get((key, row), 0) + 1
    of_key = {key: row for key, row, _ in found}
    told = set[str]()
    for run, batch in landed.batches():
        for number, (key, row) in zip(batch.source_rows.to_pylist(), hashes.of_landed(batch.table), strict=True):
            if key[:BUCKET_DIGITS] not in looked_into:
                continue
            if waiting.get((key, row), 0):
                waiting[key, row] -= 1
            elif len(lines) <= MOST_ROWS:
                told.add(key)
                lines.append(Line(f"{run}row {number}", of_key.get(key, "")[:SHOWN_DIGITS], row[:SHOWN_DIGITS]))
    for key, row, text in found:
        if waiting[key, row] and key not in told and len(lines) <= MOST_ROWS:
            waiting[key, row] -= 1
            lines.append(Line(f"key {_shown(text, is_personal=is_personal)}", row[:SHOWN_DIGITS], ""))
    if len(differ) > len(looked_into) or len(lines) > MOST_ROWS:
        lines.append(Line("rows looked into", f"{len(looked_into)}/{len(differ)}", ""))
    return lines


def _digest(sums: Sums) -> str:
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()[:SHOWN_DIGITS]


def _shown(key: str, *, is_personal: bool) -> str:
    return f"…{key[-3:]}" if is_personal else key


def _landed(here: Believed, control: Control) -> tuple[int, dict[str, Decimal | None], list[int]]:
    """(rows, sum of each column the source sums, None where a value is no number; the keys in order where they are whole numbers)."""
    rows, keys = 0, list[int]()
    sums: dict[str, Decimal | None] = {name: Decimal() for name in control.sums}
    for _, batch in here.batches():
        rows += batch.table.num_rows
        for name, total in sums.items():
            sums[name] = _added(total, batch.table.column(name).to_pylist() if name in batch.table.column_names else [None])
        if control.key is not None and control.key in batch.table.column_names:
            keys += [
                int(value) for value in batch.table.column(control.key).to_pylist() if value is not None and value.lstrip("-").isdigit()
            ]
    return rows, sums, sorted(keys)


def _added(total: Decimal | None, values: Sequence[str | None]) -> Decimal | None:
    try:
        return None if total is None else sum((Decimal(value) for value in values if value), total)
    except InvalidOperation:
        return None


def _told(number: Decimal | None) -> str:
    """A number written one way: 1500, not 1500.00; `?` where a value was no number."""
    if number is None:
        return "?"
    return format(number.normalize(), "f")


def _ranges(count_between: CountBetween, keys: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """(from, up to, rows there, rows here) of the narrowest ranges of keys found to differ, halving while questions last."""
    waiting, asked = [(keys[0], keys[-1] + 1)], 0
    found: list[tuple[int, int, int, int]] = []
    while waiting and len(found) < MOST_RANGES:
        begins, until = waiting.pop()
        here = bisect_left(keys, until) - bisect_left(keys, begins)
        there, asked = count_between(begins, until), asked + 1
        if there == here:
            continue
        middle = (begins + until) // 2
        if until - begins <= 1 or asked >= MOST_QUESTIONS:
            found.append((begins, until, there, here))
        else:
            waiting += [(middle, until), (begins, middle)]
    return sorted(found)


def document_of(found: Reconciliation) -> Mapping[str, Any]:
    """As JSON."""
    return {"run": found.run_id, "agrees": found.agrees if found.lines else None, "lines": [vars(line) for line in found.lines]}
