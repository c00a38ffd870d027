"""Models: trained from the registers as they stand, looked at before they are used, then put in force.

A trained model is a file. Nothing changes until it is adopted: `compare` says beforehand which golden records would merge or split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import polars as pl

from lienthong.clock import vietnam_date
from lienthong.ledger import Entry, Event
from lienthong.masterdata.cutting import choose_cuts
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.estimating import reviewed_of
from lienthong.masterdata.labels import SamePair
from lienthong.masterdata.model import Model, document_of, frequencies_of, model_of
from lienthong.masterdata.narrow import narrow
from lienthong.masterdata.plan import Plan, Successors
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.training import train
from lienthong.pipeline.match_all import judged_of, read_register_rows
from lienthong.pipeline.match_words import Name
from lienthong.pipeline.stewarding import HERE, Through
from lienthong.pipeline.workshop import Workshop
from lienthong.standards.admin_units import one_successors
from lienthong.store import Connection, append_entries, match_bulk, reviewing
from lienthong.store import matching as store

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Difference:
    """What a new model would change: how many golden records merge, split or stay, and some of each by id."""

    records: int
    same: int
    merging: int
    splitting: int
    examples: tuple[tuple[str, ...], ...]


def train_entity(workshop: Workshop, entity: Entity, on_step: OnStep = lambda _: None) -> Model:
    """A model from the registers' current rows. Raises Unprocessable like `train`."""
    with workshop.database.connect() as connection:
        on_step("reading")
        rows = read_register_rows(connection, entity)
        before = store.model_version(connection, entity.name)
        said = _said(connection, entity)
    version = str(1 if before is None or not before.isdigit() else int(before) + 1)
    plan = with_units(entity.plan, vietnam_date(workshop.clock()))
    features = plan.feature_frame(rows)
    model = train(plan, features, version, rows["source"], on_step, labels=_labels(said, rows, features.select(plan.columns)))
    on_step("cuts")
    return model.with_cuts(choose_cuts(model, features, rows["source"]))


def with_units(plan: Plan, on: date) -> Plan:
    """The plan with what became of administrative units until a day, as it is known now."""
    return plan.with_successors(Successors(on, one_successors(on))) if plan.follows_units else plan


def _said(connection: Connection, entity: Entity) -> dict[tuple[Name, Name], float | None]:
    """Pairs of records that are one by stewards' words in force (None) or by the newest review (how many pairs each stands for)."""
    said: dict[tuple[Name, Name], float | None] = {
        _in_order(left, right): None
        for _, left, right, verdict in store.Index(connection, entity.name).all_judged().pairs
        if verdict == "same"
    }
    drawn = reviewing.latest(connection, entity.name)
    for one in [] if drawn is None else reviewed_of(reviewing.verdicts(connection, drawn.review)):
        if one.is_same:
            said[_in_order(one.names[:2], one.names[2:])] = one.stands_for
    return said


def _in_order(one: Name, other: Name) -> tuple[Name, Name]:
    """A pair is one pair, whichever record was named first."""
    return (one, other) if one <= other else (other, one)


def _labels(said: Mapping[tuple[Name, Name], float | None], rows: pl.DataFrame, features: pl.DataFrame) -> list[SamePair]:
    """What was said of records that are still there, by what they say today."""
    names = sorted({name for pair in said for name in pair})
    asked = pl.DataFrame(names, schema={"source": pl.String, "key": pl.String}, orient="row")
    found = rows.select("source", "key").with_row_index("n").join(asked, on=["source", "key"], how="inner")
    places = {(source, key): n for n, source, key in found.select("n", "source", "key").rows()}
    return [
        SamePair(features.row(places[left]), features.row(places[right]), weight)
        for (left, right), weight in said.items()
        if left in places and right in places
    ]


def adopt(workshop: Workshop, entity: Entity, model: Model, official: str = "", through: Through = HERE) -> None:
    """Put a model in force. What was matched by the one before stays until everything is matched again."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        store.put_model(connection, entity.name, model.version, document_of(model), frequencies_of(model), at)
        entry = Entry(
            at=at,
            event=Event.MODEL_TRAINED,
            caller=through.caller,
            official=official,
            purpose=through.purpose,
            dataset=entity.master.id,
            outcome="adopted",
            details={"entity": entity.name, "model": model.version, "records": model.records_seen},
        )
        append_entries(connection, [entry], workshop.signer)


Place = tuple[str, int, str, str]  # a database and an entity there
Stamp = tuple[Place, str, datetime]

# What was read of a model is kept by a process while it is in force: its frequencies are all the names of a province, and every page of a
# steward's desk asks for it.
_held: dict[Place, tuple[Stamp, Model]] = {}


def stamp_of(connection: Connection, entity: Entity) -> Stamp | None:
    """What tells the model in force from every other: where, its version, since when (a version may be adopted again, with other cuts)."""
    found = store.model_stamp(connection, entity.name)
    return None if found is None else ((connection.info.host, connection.info.port, connection.info.dbname, entity.name), *found)


def in_force(connection: Connection, entity: Entity) -> Model | None:
    """The model in force, reading the registers' promises from today's contracts; None when none was adopted."""
    stamp = stamp_of(connection, entity)
    if stamp is None:
        return None
    place = stamp[0]
    held = _held.get(place)
    if held is None or held[0] != stamp:
        stored = store.model(connection, entity.name)
        if stored is None:
            return None
        held = _held[place] = (stamp, model_of(stored[1], stored[2]))
    return _of_today(held[1], entity)


def _of_today(model: Model, entity: Entity) -> Model:
    """The model with what today's contracts promise of the registers."""
    return replace(model, plan=replace(model.plan, unique_sources=entity.plan.unique_sources))


def standing(workshop: Workshop, entity: Entity) -> dict[str, int]:
    """`records`, `goldens` and `waiting` (pairs a person should look at) of an entity's index."""
    with workshop.database.connect() as connection:
        return store.standing(connection, entity.name)


def compare(workshop: Workshop, entity: Entity, model: Model) -> Difference:
    """What would change if everything were matched by this model: nothing is written."""
    model = _of_today(model, entity)
    with workshop.database.connect() as connection:
        index = store.Index(connection, entity.name)
        rows = read_register_rows(connection, entity)
        judged = judged_of(index, rows)
        held = match_bulk.read_records(connection, entity.name)
        ids = index.golden_ids(held["golden"].unique().to_list()) if held.height else {}
    resolution = resolve(model, narrow(model.plan.feature_frame(rows)), rows["source"], judged)
    joined = (
        rows.select("source", "key").with_columns(pl.Series("cluster", resolution.cluster)).join(held, on=["source", "key"], how="inner")
    )
    by_cluster = joined.group_by("cluster").agg(pl.col("golden").unique().alias("goldens"))
    by_golden = joined.group_by("golden").agg(pl.col("cluster").n_unique().alias("clusters"))
    merging = by_cluster.filter(pl.col("goldens").list.len() > 1).sort("cluster")
    splitting = by_golden.filter(pl.col("clusters") > 1).sort("golden")
    touched: Sequence[int] = (
        np.unique(np.concatenate([merging["goldens"].explode().to_numpy(), splitting["golden"].to_numpy()])).tolist() if held.height else []
    )
    examples = [tuple(ids[golden] for golden in goldens) for goldens in merging["goldens"].head(10).to_list()]
    examples += [(ids[golden],) for golden in splitting["golden"].head(10).to_list()]
    return Difference(rows.height, by_golden.height - len(touched), merging.height, splitting.height, tuple(examples))
