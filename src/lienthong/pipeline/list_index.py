"""Rows that are no records: which golden record each of them would belong to, by the index as it stands. Only reading."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lienthong.errors import Conflict
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.grouping import HELD_BITS
from lienthong.masterdata.kinds import columns_of
from lienthong.masterdata.model import Model
from lienthong.masterdata.own_list import MAYBE, SURE, HeldRow, in_words, probability_of
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.waterfall import waterfall
from lienthong.pipeline.listing import titles_of
from lienthong.pipeline.matching import EntityIndex
from lienthong.store import Connection
from lienthong.store.lists import Candidate, sharing

_AT_ONCE = 500  # rows whose candidates are asked for together
_BY_RULE_BITS = 1000.0  # above any weight


@dataclass(frozen=True)
class Found:
    """The nearest record of the index. `bits` above the cut, for a number both carry more than any weight; `weight` in bits."""

    record: Candidate
    bits: float
    weight: float


def look_up(
    connection: Connection, entity: Entity, model: Model | None, values: pl.DataFrame, seen: Container[str] | None = None
) -> list[HeldRow]:
    """What the index knows of each row. Raises Conflict when the entity was never matched.

    `seen`: attributes of golden records the caller sees whole; None: all.
    """
    if model is None:
        raise Conflict(
            f"`{entity.name}` has no index yet: no model is in force.",
            hint=f"lienthong match train {entity.name} --adopt",
            vi=f"Chưa có chỉ mục của `{entity.name}`: chưa có mô hình nào được dùng.",
        )
    index = EntityIndex(entity, model)
    features = model.plan.feature_frame(values).rows()
    found: list[Found | None] = []
    for start in range(0, len(features), _AT_ONCE):
        found += _nearest(connection, index, features[start : start + _AT_ONCE], seen)
    titles = titles_of(entity.master)
    return [_told(index, row, each, titles) for row, each in zip(features, found, strict=True)]


def _nearest(connection: Connection, index: EntityIndex, rows: Sequence[Features], seen: Container[str] | None) -> list[Found | None]:
    keys = [index.keys(row) for row in rows]
    by_key: dict[int, list[Candidate]] = {}
    for record in only_seen(index.model, sharing(connection, index.entity.name, keys), seen):
        for key in record.keys:
            by_key.setdefault(key, []).append(record)
    return [
        _best(index, row, {record.record: record for key in each for record in by_key.get(key, ())})
        for row, each in zip(rows, keys, strict=True)
    ]


def only_seen(model: Model, records: Iterable[Candidate], seen: Container[str] | None) -> Iterator[Candidate]:
    """The records without what the caller does not see: a name asked about is compared with another name of a record, too."""
    hidden = [] if seen is None else [column for a in model.plan.attributes if a.name not in seen for column in columns_of(a)]
    places = {place for place, column in enumerate(model.plan.columns) if column in hidden}
    for record in records:
        yield replace(record, features=tuple(None if n in places else each for n, each in enumerate(record.features))) if places else record


def _best(index: EntityIndex, row: Features, records: Mapping[int, Candidate]) -> Found | None:
    reach = index.matcher.reach
    best: Found | None = None
    for number in sorted(records):
        found = compared(index, row, records[number])
        if found is not None and found.bits >= reach and (best is None or (found.bits, found.weight) > (best.bits, best.weight)):
            best = found
    return best


def compared(index: EntityIndex, row: Features, record: Candidate) -> Found | None:
    """As matching itself would: a number both carry joins, unless name and birth speak against it; then a person must look."""
    rules = index.matcher.rules
    if rules.forbid(row, record.features, "", "") and not rules.slip(row, record.features, "", ""):
        return None
    weight = index.matcher.scorer.score(row, record.features)
    bits = weight - index.model.cuts.join_bits
    if rules.same_identifier(row, record.features):
        return Found(record, _BY_RULE_BITS if rules.agree(row, record.features) else HELD_BITS, weight)
    return Found(record, HELD_BITS if bits >= 0 and rules.doubt(row, record.features) else bits, weight)


def _told(index: EntityIndex, row: Features, found: Found | None, titles: Mapping[str, str]) -> HeldRow:
    if found is None:
        return HeldRow()
    vietnamese, english = in_words(waterfall(index.matcher.scorer, row, found.record.features, dict(titles)))
    return HeldRow(SURE if found.bits >= 0 else MAYBE, found.record.golden, probability_of(found.weight), vietnamese, english)
