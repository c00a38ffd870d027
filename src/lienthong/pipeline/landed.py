"""A row as it was delivered: of which file, sheet and line, every cell as it came, and what became of it. Nothing is changed here.

Who may see it, and that it was seen, is asked and written by who shows it: the key found here is what the ledger calls the record by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Property
from lienthong.errors import NotFound, SourceError, Unprocessable
from lienthong.pipeline.columns import BROKEN_EN, BROKEN_TEXT, BROKEN_VI, ENDED, OURS, TYPED, ColumnMatcher, own_names
from lienthong.pipeline.judge import Judge, cleaning, reference_columns
from lienthong.pipeline.picked import Rows
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, landing, quarantine, references, runs, writes
from lienthong.store.landing import LandedFile, OriginalRow, RecordState
from lienthong.store.runs import StoredRun

MOST_STATES = 20


@dataclass(frozen=True)
class LandedCell:
    """A delivered cell. `field`: the property it arrives for; `stood`: as it stood in the file, where it was read as an old font's."""

    column: str
    field: Property | None
    came: str | None
    stood: str | None = None


@dataclass(frozen=True)
class BrokenLine:
    """A line that could not be split into cells, and why."""

    text: str
    expected_vi: str
    expected_en: str


@dataclass(frozen=True)
class LandedRow:
    """`file` is None where the run names none; `key` None where the row has none that is clean.

    `states`: of the record of that key, the newest first; `made`: property → value in words, of the state this very row was made into.
    `item`: (number, state) of the waiting row it is or was. `says_ended`: the row says that the record of its key ended.
    """

    run: StoredRun
    file: LandedFile | None
    row_no: int
    source_row: int | None
    cells: tuple[LandedCell, ...]
    broken: BrokenLine | None
    says_ended: bool
    key: str | None
    states: tuple[RecordState, ...]
    made: Mapping[str, str]
    item: tuple[int, str] | None
    issues: Sequence[Mapping[str, Any]]


def show_landed(workshop: Workshop, contract: Contract, run_id: int, row_no: int) -> LandedRow:
    """A row of a run of a dataset. Raises NotFound, also for a run of another dataset."""
    with workshop.database.connect() as connection:
        run = runs.show(connection, run_id)
        original = landing.original_row(connection, run_id, row_no) if run is not None and run.dataset_id == contract.id else None
        if run is None or original is None:
            raise NotFound(f"Run {run_id} has no row {row_no}.", vi=f"Lần nạp {run_id} không có hàng {row_no}.")
        key = _key_of_row(workshop, connection, contract, run, row_no, original)
        states = tuple(landing.states(connection, contract.id, key, MOST_STATES)) if key is not None else ()
        own = next((state for state in states if (state.run_id, state.row_no) == (run_id, row_no)), None)
        return LandedRow(
            run,
            next((file for file in landing.files(connection, run_id) if file.file_no == original.file_no), None),
            row_no,
            original.source_row,
            tuple(_cells(contract, original.cells)),
            _broken(original.cells),
            original.cells.get(ENDED) is not None,
            key,
            states,
            {} if own is None or key is None else _made(connection, contract, key, own),
            quarantine.item_of_row(connection, run_id, row_no),
            quarantine.issues_of_row(connection, run_id, row_no),
        )


def key_typed(workshop: Workshop, contract: Contract, typed: Mapping[str, str]) -> str:
    """The key a person means who types its parts, by property, as they would stand in a file. Raises Unprocessable for what is no key."""
    cells = {own[0]: typed.get(p.name) for p in contract.properties if (own := own_names(p))}
    with workshop.database.connect() as connection:
        key = _key(workshop, connection, contract, pa.table({name: pa.array([value], pa.string()) for name, value in cells.items()}))
    if key is None:
        names = ", ".join(p.title_vi for p in contract.key)
        english = ", ".join(p.title_en for p in contract.key)
        raise Unprocessable(f"Expected a right value of: {english}.", vi=f"Cần giá trị đúng của: {names}.")
    return key


def states_of(workshop: Workshop, contract: Contract, key: str) -> list[RecordState]:
    """The states of a record, the newest first; empty where there never was one."""
    with workshop.database.connect() as connection:
        return landing.states(connection, contract.id, key, MOST_STATES)


def _cells(contract: Contract, cells: Mapping[str, str | None]) -> list[LandedCell]:
    """The cells of a row in the order they stood; marks of ours are none of them."""
    if cells.get(BROKEN_TEXT) is not None:
        return []
    there = [name for name in cells if name not in OURS and not name.startswith(TYPED)]
    fields = _fields(contract, there)
    return [LandedCell(name, fields.get(name), cells[name], cells.get(f"{TYPED}{name}")) for name in there]


def _fields(contract: Contract, headings: Sequence[str]) -> dict[str, Property]:
    """Delivered column → the property it arrives for, ready or to be mapped; none where the headings no longer fit the contract."""
    try:
        columns = ColumnMatcher(contract, "landing").match(headings)
    except SourceError:
        return {}
    named = {p.name: p for p in contract.properties}
    found = {column: named[name] for name, read in columns.mapped.items() for column in read.values()}
    return {**found, **{column: named[name] for name, column in columns.by_property.items()}}


def _broken(cells: Mapping[str, str | None]) -> BrokenLine | None:
    text = cells.get(BROKEN_TEXT)
    return None if text is None else BrokenLine(text, cells.get(BROKEN_VI) or "", cells.get(BROKEN_EN) or "")


def _made(connection: Connection, contract: Contract, key: str, state: RecordState) -> dict[str, str]:
    """The values of a state in words."""
    if state.is_current:
        standing = writes.record(connection, contract, key)
        values = None if standing is None or standing.version != state.version else standing.values
    else:
        values = writes.record_then(connection, contract, key, state.version)
    if values is None:
        return {}
    return {p.name: _in_words(p, values[p.name]) for p in contract.properties}


def _in_words(p: Property, value: Any) -> str:
    """A published value as people read it; a code by its title where the contract names it."""
    listed = p.standard_options.get("values")
    if isinstance(listed, Mapping) and isinstance(value, str) and value in listed:
        return str(listed[value])
    return cleaning(p, accept_synthetic_ids=True)[0].display(value)


def _key_of_row(
    workshop: Workshop, connection: Connection, contract: Contract, run: StoredRun, row_no: int, row: OriginalRow
) -> str | None:
    """The key a landed row means; as it was noted where the row waits."""
    noted = quarantine.key_of_row(connection, run.run_id, row_no)
    if noted is not None or row.cells.get(BROKEN_TEXT) is not None:
        return noted
    cells = {name: value for name, value in row.cells.items() if name not in OURS and not name.startswith(TYPED)}
    try:
        return _key(workshop, connection, contract, pa.table({name: pa.array([value], pa.string()) for name, value in cells.items()}), run)
    except SourceError:  # its headings are of a contract before this one
        return None


def _key(workshop: Workshop, connection: Connection, contract: Contract, table: pa.Table, run: StoredRun | None = None) -> str | None:
    day = vietnam_date(workshop.clock()) if run is None else run.delivered_on
    wanted = reference_columns(contract) if any(p.mapping is not None for p in contract.key) else {}
    held = {dataset: references.reference_values(connection, dataset, names) for dataset, names in wanted.items()}
    judge = Judge(
        contract, ColumnMatcher(contract, "landing"), 1, day, held, {}, workshop.accept_synthetic_ids, province=workshop.province
    )  # fmt: skip
    one = np.ones(1, np.int64)
    return judge.keys(Rows(table, one, one, np.ones(1, np.int32), None))[0]  # type: ignore[no-any-return] # of a column of text
