"""A version just published → who its rows are, in the same transaction: nothing is shown before it is matched.

Entities without a model in force are left alone: their golden records come with the first `lienthong match run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import polars as pl

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity, Register, content_frame, entities_of
from lienthong.masterdata.model import Model
from lienthong.pipeline import match_models
from lienthong.pipeline.match_all import match_all_in
from lienthong.pipeline.matching import Arrival, Arrivals, Cause, EntityIndex, Matched, Name
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, match_bulk

PLATFORM = "lienthong"
MOST_ONE_BY_ONE = 20_000  # changed rows: above it everything is matched at once, which is quicker and gives the same clusters
_AT_ONCE = 500


@dataclass(frozen=True)
class Changed:
    """What a version changed of one register: records as they are now, and those that are no more."""

    arrivals: tuple[Arrival, ...]
    departures: tuple[Name, ...]


def match_published(
    workshop: Workshop, connection: Connection, contract: Contract, version: int, changed: int, by: str, at: datetime
) -> None:
    """Match what a version of `contract` changed; `changed`: how many rows that is. The caller commits after its ledger entry."""
    for role in contract.match:
        entity = _entities(workshop).get(role.entity)
        stamp = None if entity is None else match_models.stamp_of(connection, entity)
        if entity is None or stamp is None:
            continue
        index = _index(connection, entity, stamp)
        register = next(r for r in entity.registers if r.contract.id == contract.id and r.role == role)
        if changed > MOST_ONE_BY_ONE:
            match_all_in(connection, entity, index.model, at, by, f"{contract.id} {version}")
            continue
        found = changed_records(connection, entity, register, version)
        cause = Cause(
            "arrival",
            by or PLATFORM,
            at,
            vietnam_date(at),
            details={"dataset": contract.id, "version": version},
        )
        stream = Arrivals(connection, index)
        for start in range(0, max(len(found.arrivals), 1), _AT_ONCE):
            now, following = (found.arrivals[n : n + _AT_ONCE] for n in (start, start + _AT_ONCE))
            stream.take(now, found.departures if start == 0 else (), cause, following=following)
        stream.end()


def changed_records(connection: Connection, entity: Entity, register: Register, version: int) -> Changed:
    """What a version changed of a register. Rows that share a key with others (a household's) bring the whole record with them."""
    role = register.role
    columns = sorted(
        {name for each in role.attributes.values() for name in each}
        | set(role.by)
        | set(role.unless)
        | ({role.dated_by} if role.dated_by else set())
    )
    now = match_bulk.changed_rows(connection, register.contract.id, version, columns)
    before = match_bulk.left_rows(connection, register.contract.id, version, columns)
    if role.by:
        keys = sorted(set(_joined(now, role.by)) | set(_joined(before, role.by)))
        if not keys:
            return Changed((), ())
        now = match_bulk.rows_sharing(connection, register.contract.id, columns, role.by, keys)
        came = _arrivals(now, register, entity)
        gone = set(keys) - {arrival.key for arrival in came}
    else:
        came = _arrivals(now, register, entity)
        gone = (set(before["_key"]) | set(now["_key"])) - {arrival.key for arrival in came}
    return Changed(came, tuple((register.source, key) for key in sorted(gone)))


def _joined(rows: pl.DataFrame, by: Sequence[str]) -> list[str]:
    return rows.select(pl.concat_str([pl.col(name) for name in by], separator="|")).to_series().drop_nulls().to_list()


def _arrivals(rows: pl.DataFrame, register: Register, entity: Entity) -> tuple[Arrival, ...]:
    if register.role.dated_by is not None:
        rows = rows.with_columns(pl.col(register.role.dated_by).str.slice(0, 10).str.to_date(strict=False))
    found = []
    for row in content_frame(rows, register, entity.master).iter_rows(named=True):
        content: dict[str, Any] = {
            name: value for name, value in row.items() if name not in ("source", "key", "dated") and value is not None
        }
        if content:
            found.append(Arrival(row["source"], row["key"], content, row["dated"]))
    return tuple(found)


def _entities(workshop: Workshop) -> dict[str, Entity]:
    return entities_of(workshop.contracts)


def _index(connection: Connection, entity: Entity, stamp: match_models.Stamp) -> EntityIndex:
    """The entity's index, kept between publications while neither model nor contracts change."""
    known = _kept().get(entity.name)
    if known is not None and known[0] == stamp and known[1] == entity:
        return known[2]
    model: Model | None = match_models.in_force(connection, entity)
    assert model is not None  # its stamp was just read
    index = EntityIndex(entity, model)
    _kept()[entity.name] = (stamp, entity, index)
    return index


@lru_cache(maxsize=1)
def _kept() -> dict[str, tuple[match_models.Stamp, Entity, EntityIndex]]:
    return {}


__all__ = ["Changed", "Matched", "changed_records", "match_published"]
