"""Writes one version of a dataset inside the caller's transaction: stage, compare, close the old, begin the new.

Invariant kept here: a key has at most one current row, and the states a key had do not overlap on either axis.
Whatever begins a state closes the one before it in the same statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql

from lienthong.contracts import Contract
from lienthong.store.copying import CopyIn, copy_frames
from lienthong.store.database import Connection, queries
from lienthong.store.tables import ARROW_TYPES, changes, columns_of, current, drop_box_indexes, history, index_boxes, key_name

STAGE = sql.Identifier("stage")
OUR_COLUMNS = (
    ("_key", pa.string()),
    ("_digest", pa.int64()),
    ("_version", pa.int32()),
    ("_row", pa.int64()),
    ("_valid_from", pa.date32()),
)


@dataclass(frozen=True)
class Published:
    inserted: int
    updated: int
    ended: int

    @property
    def any(self) -> bool:
        return bool(self.inserted or self.updated or self.ended)


@dataclass(frozen=True)
class Conflict:
    """A staged row whose key a row delivered unchanged already holds; `is_same` when both say the same."""

    row_no: int
    key: str
    is_same: bool


def arrow_schema(contract: Contract) -> pa.Schema:
    """The columns of the stage, ours first, in the order of `OUR_COLUMNS` and the contract."""
    return pa.schema([*OUR_COLUMNS, *((p.name, ARROW_TYPES[p.logical_type]) for p in contract.properties)])


class VersionWriter:
    """One publication in progress. The caller owns the transaction and the dataset's lock, and commits after the ledger entry."""

    def __init__(self, connection: Connection, contract: Contract) -> None:
        self._connection = connection
        self._contract = contract
        row = connection.execute(queries("versions")["next_version"], {"dataset": contract.id}).fetchone()
        assert row is not None  # the contract is applied before a run begins
        self.version: int = row[0]
        self.is_first_fill = self.version == 1
        self._columns = columns_of(contract)
        self._versions: list[int] = []
        self._filled: int | None = None  # records of a first fill, once they were counted
        self._stage: sql.Identifier = current(contract.id) if self.is_first_fill else STAGE

    def current_digests(self) -> NDArray[np.int64]:
        """Digests of the rows, as they came, behind the current records; in no order."""
        if self.is_first_fill:
            return np.empty(0, np.int64)
        row = self._connection.execute(self._query("digests"), binary=True).fetchone()
        assert row is not None  # an aggregate
        return np.frombuffer(row[0], ">i8").astype(np.int64)

    def open_stage(self, gone: NDArray[np.int64] | None, versions: Sequence[int], ended: Sequence[str] | None = None) -> CopyIn:
        """Where new and changed rows go. `gone`: digests no longer delivered; None: judge every current record again.

        `ended`: of a delivery of changes, the keys of records that it says have ended; absence then ends nothing.

        Only records of `versions` can end or stand in conflict: those that came by the same road.

        The first fill goes straight into the current table, whose key is made after it: half the work of staging (measured).
        """
        if self.is_first_fill:
            statement = sql.SQL("alter table {} drop constraint {}").format(current(self._contract.id), key_name(self._contract.id))
            self._connection.execute(statement)
            drop_box_indexes(self._connection, self._contract)
        else:
            self._versions = list(versions) if ended is None else []
            self._connection.execute(self._query("make_stage"))
            if ended is not None:
                self._connection.execute(self._query("keys_told"), {"keys": list(ended), "versions": list(versions)})
            elif gone is None:
                self._connection.execute(self._query("keys_of_all"), {"versions": self._versions})
            elif not len(gone):
                self._connection.execute(self._query("no_keys"))  # looking for none would read every record
            else:
                self._connection.execute(self._query("keys_of_digests"), {"digests": gone.tolist(), "versions": self._versions})
        self._connection.execute(self._query("make_held_back"))
        return CopyIn(self._connection, self._stage, arrow_schema(self._contract))

    def overtake_waiting(
        self, keys: Sequence[str], released: Sequence[int], held_digests: Sequence[int], run_id: int, at: datetime
    ) -> None:
        """End what waits in quarantine about records a delivery of changes has a newer word on: those staged, and those of `keys`."""
        values = {
            "dataset": self._contract.id, "keys": list(keys), "released": list(released), "held_digests": list(held_digests), "run": run_id, "at": at,
        }  # fmt: skip
        self._connection.execute(queries("quarantine")["overtake"].format(stage=self._stage), values)

    def hold_back(self, keys: Sequence[str]) -> None:
        """Keys of rows that wait in quarantine: their records stay as they are."""
        frame = pl.DataFrame({"key": list(keys)}, schema={"key": pl.String})
        copy_frames(self._connection, sql.Identifier("held_back"), pa.schema([("key", pa.string())]), [frame])

    def take_off(self, row_nos: Sequence[int]) -> None:
        """Take rows off the stage again: they will not be published."""
        if not row_nos:
            return
        self._filled = None
        self._connection.execute(self._query("unstage"), {"rows": list(row_nos)})

    def staged_rows(self, row_nos: Sequence[int]) -> list[tuple[int, str, int]]:
        """(row number, key, fingerprint of its values) of staged rows."""
        return self._connection.execute(self._query("staged_rows"), {"rows": list(row_nos)}).fetchall()

    def conflicts(self) -> list[Conflict]:
        """Staged rows whose key belongs to a record delivered again unchanged (snapshots only)."""
        if self.is_first_fill:
            return []
        return [Conflict(*row) for row in self._connection.execute(self._query("stage_conflicts"), {"versions": self._versions})]

    def repeats(self, columns: Sequence[str]) -> list[tuple[int, str]]:
        """(row number, values) of staged rows whose values of `columns` (none empty) stand in another staged row or in a record that stays."""

        def equal(other: str) -> sql.Composed:
            pair = sql.SQL("stage.{0} = {1}.{0}")
            return sql.SQL(" and ").join(pair.format(sql.Identifier(name), sql.Identifier(other)) for name in columns)

        query = queries("publish")["repeated_in_first_fill" if self.is_first_fill else "repeated"].format(
            current=current(self._contract.id),
            named=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
            staged=sql.SQL(", ").join(sql.Identifier("stage", name) for name in columns),
            same_as_other=equal("other"),
            same_as_held=equal("held"),
        )
        return self._connection.execute(query).fetchall()

    def settle_same(self) -> int:
        """Take rows off the stage that mean what is already published; gives how many."""
        return 0 if self.is_first_fill else self._count("mark_same")

    def staged(self) -> tuple[int, int]:
        """(records that would change, records that would be new)."""
        if self.is_first_fill:
            return 0, self._count_filled()
        row = self._connection.execute(self._query("count_staged")).fetchone()
        assert row is not None  # an aggregate
        return row[0], row[1]

    def count_current(self) -> int:
        """How many records there are before this version."""
        return self._count("count_current")

    def missing(self) -> int:
        """How many records would end because the snapshot no longer holds them."""
        return 0 if self.is_first_fill else self._count("count_missing")

    def stage_before(self, withdrawn: int) -> int:
        """Stage what records were before a version, those that changed since left alone; what began with it will end. Gives how many of its changes stay."""
        row = self._connection.execute(queries("versions")["counts"], {"dataset": self._contract.id, "version": withdrawn}).fetchone()
        assert row is not None  # the run published it
        changed, was_first_fill = row
        values = {"withdrawn": withdrawn, "version": self.version, "is_first_fill": was_first_fill}
        self._connection.execute(self._query("make_stage"))
        self._connection.execute(self._query("make_held_back"))
        restored = self._connection.execute(self._query("stage_before"), values).rowcount
        ended = self._connection.execute(self._query("gone_of_version"), values).rowcount
        return int(changed) - restored - ended

    def closed_touched(self, column: str, until: date, *, is_year: bool, ends: bool) -> list[tuple[date, int]]:
        """(day that dates them, rows) of what would change before `until`, by a property that is a date or, `is_year`, a year."""
        if self.is_first_fill:
            return []

        def dated(table: str) -> sql.Composed:
            return sql.SQL("make_date({}::integer, 1, 1)" if is_year else "{}::date").format(sql.Identifier(table, column))

        statement = queries("publish")["closed_touched"].format(
            current=current(self._contract.id), period=dated("stage"), held_period=dated("held"), stage_period=dated("stage")
        )
        return self._connection.execute(statement, {"until": until, "ends": ends}).fetchall()

    def publish(self, delivered_on: date, *, end_missing: bool) -> Published:
        """Close what ends, replace what changed, begin what is new. Gives the counts; nothing is visible before the commit."""
        if self.is_first_fill:
            inserted = self._count_filled()
            statement = sql.SQL("alter table {} add constraint {} primary key (_key)")
            self._connection.execute(statement.format(current(self._contract.id), key_name(self._contract.id)))
            index_boxes(self._connection, self._contract)
            return Published(inserted, 0, 0)
        values = {"version": self.version, "delivered_on": delivered_on}
        ended = self._count("end_missing", values) if end_missing else 0
        self._connection.execute(self._query("close_corrected_past"), values)
        updated = self._count("update_changed", values)
        inserted = self._count("insert_new", values)
        return Published(inserted, updated, ended)

    def record(self, run_id: int, at: datetime, delivered_columns: Sequence[str], published: Published) -> None:
        """Add the version, point the dataset at it and leave its event."""
        values = {
            "dataset": self._contract.id,
            "version": self.version,
            "run": run_id,
            "at": at,
            "contract_version": self._contract.version,
            "delivered_columns": list(delivered_columns),
            "inserted": published.inserted,
            "updated": published.updated,
            "ended": published.ended,
            "is_first_fill": self.is_first_fill,
        }
        self._connection.execute(queries("versions")["add"], values)
        self._connection.execute(queries("versions")["point_to"], values)
        self._connection.execute(queries("versions")["tell"], values)

    def _count_filled(self) -> int:
        """How many records a first fill brought, counted once: it takes a look at every one."""
        if self._filled is None:
            self._filled = self._count("count_current")
        return self._filled

    def _count(self, name: str, values: dict[str, object] | None = None) -> int:
        row = self._connection.execute(self._query(name), values).fetchone()
        return 0 if row is None else int(row[0])

    def _query(self, name: str) -> sql.Composed:
        names = [p.name for p in self._contract.properties]
        return queries("publish")[name].format(
            current=current(self._contract.id),
            history=history(self._contract.id),
            changes=changes(self._contract.id),
            stage=self._stage,
            columns=self._columns,
            past_columns=sql.SQL(", ").join(sql.Identifier("past", name) for name in names),
            same=sql.SQL(" and ").join(sql.SQL("stage.{0} is not distinct from held.{0}").format(sql.Identifier(name)) for name in names),
            assignments=sql.SQL(", ").join(sql.SQL("{0} = stage.{0}").format(sql.Identifier(name)) for name in names),
        )
