"""A dataset published version by version, straight through the store, and what each version must then say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Property
from lienthong.store import Connection, VersionWriter, runs, tables
from lienthong.store.publishing import arrow_schema
from lienthong.store.tables import POLARS_TYPES

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def make_property(name: str, logical_type: str = "string", **more: Any) -> Property:
    return Property(name, logical_type, name, name, **more)


CONTRACT = Contract(
    id="test.things", version="1.0.0", status="active", title_vi="Thứ", title_en="Things", description_vi="", description_en="",
    agency="H10.02", domain="test",
    properties=(make_property("no", key_position=1, required=True), make_property("name"), make_property("size", "integer")),
    digest="0" * 64, document={"schema": [{"properties": []}]},
)  # fmt: skip

Values = Mapping[str, tuple[str | None, int | None]]  # key → (name, size)


@dataclass
class Publisher:
    """Publishes snapshots and remembers them: `states[version]` is what was true then."""

    connection: Connection
    contract: Contract = CONTRACT
    states: dict[int, dict[str, tuple[str | None, int | None]]] = field(default_factory=dict)
    days: dict[int, date] = field(default_factory=dict)

    def apply(self) -> None:
        tables.apply_tables(self.connection, self.contract)
        self.connection.commit()

    def publish(self, rows: Values) -> int | None:
        """Publish a snapshot; gives the version, None when nothing changed."""
        day = date(2026, 1, 1) + timedelta(days=len(self.days))
        at = BEGIN + timedelta(days=len(self.days))
        run = runs.begin(self.connection, self.contract.id, "file", "snapshot", "0" * 64, None, at, day)
        writer = VersionWriter(self.connection, self.contract)
        everything = [row[0] for row in self.connection.execute("select version from versions").fetchall()]
        with writer.open_stage(None, everything) as stage:
            stage.add(self._frame(rows, writer.version, day))
        writer.settle_same()
        published = writer.publish(day, end_missing=not writer.is_first_fill)
        if not published.any:
            self.connection.rollback()
            return None
        writer.record(run, at, ["no", "name"], published)
        self.connection.commit()
        self.states[writer.version], self.days[writer.version] = dict(rows), day
        return writer.version

    def _frame(self, rows: Values, version: int, day: date) -> pl.DataFrame:
        frame = pl.DataFrame(
            [(key, hash((key, value)), version, n, day, key, *value) for n, (key, value) in enumerate(rows.items(), 1)],
            schema=["_key", "_digest", "_version", "_row", "_valid_from", *(p.name for p in self.contract.properties)],
            orient="row",
            infer_schema_length=None,
        )
        types = {p.name: POLARS_TYPES[p.logical_type] for p in self.contract.properties}
        ours: dict[str, Any] = {"_digest": pl.Int64, "_version": pl.Int32, "_row": pl.Int64, "_valid_from": pl.Date, "_key": pl.String}
        return frame.select(pl.col(name).cast({**ours, **types}[name]) for name in arrow_schema(self.contract).names)
