"""Attributes somebody has in hand → the golden records they may be of, nearest first, with reasons. Only reading."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lienthong.masterdata.entities import Entity
from lienthong.masterdata.model import Model
from lienthong.masterdata.own_list import MAYBE, SURE, probability_of
from lienthong.masterdata.waterfall import Line, waterfall
from lienthong.pipeline.list_index import Found, compared, only_seen
from lienthong.pipeline.listing import titles_of
from lienthong.pipeline.matching import EntityIndex
from lienthong.store import Connection
from lienthong.store.lists import sharing

MOST_CANDIDATES = 50


@dataclass(frozen=True)
class Candidate:
    """One golden record that may be meant. `bits`: from the cut; `lines` add up to the weight."""

    golden: str
    verdict: str
    bits: float
    probability: float
    lines: tuple[Line, ...]


def candidates(
    connection: Connection, entity: Entity, model: Model, values: Mapping[str, str], seen: Callable[[Sequence[str]], Container[str]],
    whole: Container[str],
) -> list[Candidate]:  # fmt: skip
    """At most MOST_CANDIDATES, those that reach the cut of review; `values`: attribute → value as registers carry it.

    `whole`: attributes the caller sees whole; nothing else of a record is compared.

    `seen` says which of some golden records the caller may see: the others neither take the place of one nor are looked at more closely.

    Of several records of one golden record the nearest speaks. Equal ones come in the order of their ids.
    """
    index = EntityIndex(entity, model)
    frame = pl.DataFrame({name: pl.Series([value], dtype=pl.String) for name, value in values.items()})
    asked = model.plan.feature_frame(frame).rows()[0]
    best: dict[str, Found] = {}
    sharers = sorted(sharing(connection, entity.name, [index.keys(asked)]), key=lambda record: record.record)
    for record in only_seen(model, sharers, whole):
        found = compared(index, asked, record)
        if found is not None and found.bits >= index.matcher.reach:
            known = best.get(record.golden)
            if known is None or (found.bits, found.weight) > (known.bits, known.weight):
                best[record.golden] = found
    own = seen(sorted(best))
    nearest = sorted(
        ((golden, found) for golden, found in best.items() if golden in own), key=lambda each: (-each[1].bits, -each[1].weight, each[0])
    )[:MOST_CANDIDATES]
    titles = titles_of(entity.master)
    return [
        Candidate(
            golden,
            SURE if found.bits >= 0 else MAYBE,
            found.weight - model.cuts.join_bits,
            probability_of(found.weight),
            waterfall(index.matcher.scorer, asked, found.record.features, titles),
        )
        for golden, found in nearest
    ]
