"""Everything matched at once: rows of all registers → records, clusters, identities, golden records. One transaction.

Used for the first time, after a new model, and whenever a steward of the index wants it; what arrives in between is matched as it
arrives (`matching.py`). Killed before the commit, nothing was seen; done again, the partition is the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.ledger import Entry, Event
from lienthong.masterdata.blocking import Blocking
from lienthong.masterdata.entities import Entity, content_frame
from lienthong.masterdata.grouping import Judged
from lienthong.masterdata.identity import assign, new_id
from lienthong.masterdata.model import Model
from lienthong.masterdata.narrow import narrow, plain
from lienthong.masterdata.resolve import MakeEngine, Resolution, duckdb_engine, resolve, rule_names
from lienthong.masterdata.rules import Rules
from lienthong.masterdata.survivorship import policy_of
from lienthong.masterdata.survivorship_frame import golden_frames
from lienthong.pipeline.match_scores import scores
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, VersionWriter, append_entries, match_bulk, runs
from lienthong.store.matching import GoldenVersion, Index
from lienthong.store.runs import Counts

OnStep = Callable[[str, int], None]
_ROWS_AT_ONCE = 10_000  # written at a time: as the server's binary rows a record takes 2 KB, and several parts are on their way
PLATFORM = "lienthong"
SOURCE = "matching"  # the source name of runs that publish golden records


@dataclass(frozen=True)
class MatchedAll:
    """What matching everything did. `counts` holds records, candidate pairs, clusters, common and dropped keys, what waits."""

    entity: str
    act: int
    version: GoldenVersion
    counts: Mapping[str, int] = field(default_factory=dict)


def read_register_rows(connection: Connection, entity: Entity) -> pl.DataFrame:
    """All records of an entity as its registers have them: `source`, `key`, `dated` and every attribute, sorted by (source, key)."""
    frames = []
    for register in entity.registers:
        role = register.role
        columns = (
            {name for sources in role.attributes.values() for name in sources}
            | set(role.by)
            | set(role.unless)
            | ({role.dated_by} if role.dated_by else set())
        )
        rows = match_bulk.read_rows(connection, register.contract.id, sorted(columns))
        if role.dated_by is not None:
            rows = rows.with_columns(pl.col(role.dated_by).str.slice(0, 10).str.to_date(strict=False))
        says_something = pl.any_horizontal(pl.exclude("source", "key", "dated").is_not_null())
        frames.append(content_frame(rows, register, entity.master).filter(says_something))
    frame = pl.concat(frames)
    return frame if _is_in_order(frame) else frame.sort("source", "key")


def _is_in_order(frame: pl.DataFrame) -> bool:
    """Whether rows are sorted by source and key: as a rule they come so, and sorting takes their room once more."""
    source, key = pl.col("source"), pl.col("key")
    later = (source > source.shift()) | ((source == source.shift()) & (key >= key.shift()))
    return bool(frame.select(later.all()).item())


def match_all(
    workshop: Workshop, entity: Entity, model: Model, official: str = "", reason: str = "", on_step: OnStep = lambda _name, _rows: None,
    make_engine: MakeEngine = duckdb_engine,
) -> MatchedAll:  # fmt: skip
    """Match every record of the entity and publish its golden records. Raises like a publication; nothing is half done."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        done = match_all_in(connection, entity, model, at, official, reason, on_step, make_engine)
        entry = Entry(
            at=at,
            event=Event.ENTITIES_MATCHED,
            caller=PLATFORM,
            official=official,
            dataset=entity.master.id,
            version=done.version.version,
            outcome="matched",
            details={"act": done.act, "entity": entity.name, "model": model.version, **done.counts},
        )
        append_entries(connection, [entry], workshop.signer)
    return done


def match_all_in(
    connection: Connection, entity: Entity, model: Model, at: datetime, official: str = "", reason: str = "",
    on_step: OnStep = lambda _name, _rows: None, make_engine: MakeEngine = duckdb_engine,
) -> MatchedAll:  # fmt: skip
    """The same within the caller's transaction, who commits after a ledger entry."""
    store = Index(connection, entity.name)
    store.lock_for_all()
    on_step("reading", 0)
    rows = read_register_rows(connection, entity)
    on_step("comparing", rows.height)
    features = narrow(model.plan.feature_frame(rows))
    before = match_bulk.read_records(connection, entity.name)
    judged, names, packed = judged_of(store, rows), rows.select("source", "key"), _Packed(rows)
    del rows  # weighing pairs needs the room and looks at features alone; writing needs a few rows at a time
    resolution = resolve(model, features, names["source"], judged, make_engine)
    on_step("writing", names.height)
    act = store.add_act("bulk", at, official or PLATFORM, reason, details={"model": model.version, **resolution.counts})
    goldens = _Writer(connection, store, entity, model, names, packed, features, resolution, at, act).write(before)
    found, waiting = resolution.counts, len(resolution.near)
    del features, resolution, before  # the largest frames: choosing values needs the room
    version = _publish(connection, entity.master, packed, goldens, at, on_step)
    match_bulk.count_anew(connection)
    counts = {**found, "waiting": waiting, "goldens": pl.Series(goldens.numbers).n_unique()}
    return MatchedAll(entity.name, act, version, counts)


class _Packed:
    """The rows in a fifth of their room, to be read again: `parts` of some thousand rows; at the end `taken`, all of them."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._none = rows.clear()
        self._packed = []
        for part in rows.iter_slices(_ROWS_AT_ONCE):
            data = io.BytesIO()
            part.write_ipc(data, compression="lz4")
            self._packed.append(data.getvalue())

    def parts(self) -> Iterator[pl.DataFrame]:
        for data in self._packed:
            yield pl.read_ipc(data)

    def taken(self) -> pl.DataFrame:
        """All rows; none is kept here after this."""
        found = [self._none]
        while self._packed:
            found.append(pl.read_ipc(self._packed.pop(0)))
        return pl.concat(found)


def judged_of(store: Index, rows: pl.DataFrame) -> Judged:
    """Stewards' words in force about these rows (`source`, `key`), by their places."""
    said = store.all_judged()
    names = said.records
    if not names:
        return Judged()
    wanted = pl.DataFrame(sorted(names), schema={"source": pl.String, "key": pl.String}, orient="row")
    found = rows.select("source", "key").with_row_index("n").join(wanted, on=["source", "key"])
    return said.among({(source, key): n for n, source, key in found.rows()})


@dataclass(frozen=True)
class _Goldens:
    """The identity of each row, and the public names of all of them."""

    numbers: NDArray[np.int64]
    ids: pl.DataFrame  # golden, id


class _Writer:
    def __init__(
        self, connection: Connection, store: Index, entity: Entity, model: Model, names: pl.DataFrame, rows: _Packed, features: pl.DataFrame,
        resolution: Resolution, at: datetime, act: int,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._store = store
        self._entity = entity
        self._model = model
        self._names = names  # `source`, `key` of each row
        self._rows = rows
        self._features = features
        self._resolution = resolution
        self._at = at
        self._act = act

    def write(self, before: pl.DataFrame) -> _Goldens:
        """Identities, records, judgements, the queue, events."""
        held = self._names.join(before, on=["source", "key"], how="left", maintain_order="left")
        gone = before.join(self._names, on=["source", "key"], how="anti")
        numbers, new, merged, ended, revived = self._identities(held, gone)
        if new:
            names = pl.DataFrame({"golden": list(new), "id": list(new.values())}, schema={"golden": pl.Int64, "id": pl.String})
            stamped = names.with_columns(pl.lit(self._entity.name).alias("entity"), pl.lit(self._at).alias("made_at"))
            match_bulk.put(self._connection, "match_goldens", match_bulk.GOLDENS, stamped)
        self._store.revive_goldens(revived)
        if merged or ended:
            self._store.end_goldens({**merged, **dict.fromkeys(ended)}, self._at)
        self._close(held, gone, numbers)
        kept = match_bulk.kept_words(self._connection, self._entity.name, self._at)
        match_bulk.forget(self._connection, self._entity.name, self._at, self._act)
        records = self._record_numbers(held)
        self._put_records(records, numbers, held)
        self._put_judgements()
        self._put_queue(records)
        match_bulk.put_back_words(self._connection, self._entity.name, self._at, kept)
        known = self._store.golden_ids({*before["golden"].to_list(), *revived}) if before.height else {}
        ids = known | new
        self._tell(ids, numbers, held, new, merged, ended, revived)
        return _Goldens(
            numbers, pl.DataFrame({"golden": list(ids), "id": list(ids.values())}, schema={"golden": pl.Int64, "id": pl.String})
        )

    def _identities(
        self, held: pl.DataFrame, gone: pl.DataFrame
    ) -> tuple[NDArray[np.int64], dict[int, str], dict[int, int], set[int], set[int]]:  # fmt: skip
        """Identity of each row: clusters that are as they were keep theirs without more ado, the others are weighed."""
        cluster = self._resolution.cluster
        numbers = np.full(len(cluster), -1, np.int64)
        old = held["golden"].fill_null(-1).to_numpy()
        frame = pl.DataFrame({"cluster": cluster, "old": old, "row": np.arange(len(cluster))})
        by_cluster = frame.group_by("cluster").agg(pl.col("old").min().alias("least"), pl.col("old").max().alias("most"))
        by_old = frame.filter(pl.col("old") >= 0).group_by("old").agg(pl.col("cluster").n_unique().alias("clusters"))
        steady = by_cluster.filter((pl.col("least") == pl.col("most")) & (pl.col("least") >= 0)).join(
            by_old.filter(pl.col("clusters") == 1), left_on="least", right_on="old"
        )
        lost = set(gone["golden"].to_list())
        steady_clusters = set(steady["cluster"].to_list())
        fresh = by_cluster.filter(pl.col("most") == -1)["cluster"].to_numpy()
        moved = frame.filter(
            ~pl.col("cluster").is_in(np.fromiter(steady_clusters, np.int64, len(steady_clusters))) & ~pl.col("cluster").is_in(fresh)
        )
        steady_golden = dict(steady.select("cluster", "least").rows())
        if steady_golden:
            mask = frame["cluster"].is_in(list(steady_golden)).to_numpy()
            numbers[mask] = old[mask]
        new: dict[int, str] = {}
        given = match_bulk.reserve(self._connection, "golden", fresh.size)
        ordered = np.sort(fresh)
        places = np.searchsorted(ordered, cluster)
        places[places == ordered.size] = 0
        is_fresh = ordered[places] == cluster if ordered.size else np.zeros(len(cluster), np.bool_)
        numbers[is_fresh] = given[places[is_fresh]]
        new |= {golden: new_id(self._entity.name) for golden in given.tolist()}
        groups = [part["row"].to_list() for part in moved.sort("row").partition_by("cluster", maintain_order=True)]
        known = {row: int(old[row]) for group in groups for row in group if old[row] >= 0}
        vanished = {-1 - n: golden for n, golden in enumerate(gone["golden"].to_list()) if golden not in set(steady_golden.values())}
        assigned = assign(groups, known, vanished, self._former(groups, known))
        for group, golden in zip(groups, assigned.golden, strict=True):
            if golden is None:
                golden = int(match_bulk.reserve(self._connection, "golden", 1)[0])
                new[golden] = new_id(self._entity.name)
            numbers[group] = golden
        ended = set(assigned.ended) | (lost - set(numbers.tolist() if lost else ()) - assigned.merged.keys())
        return numbers, new, dict(assigned.merged), ended, set(assigned.revived)

    def _former(self, groups: list[list[int]], known: Mapping[int, int]) -> dict[int, list[int]]:
        names = {(self._names["source"][row], self._names["key"][row]): row for group in groups for row in group if row in known}
        found: dict[int, list[int]] = {}
        for source, key, golden in self._store.former(list(names)) if names else ():
            found.setdefault(names[source, key], []).append(golden)
        return found

    def _close(self, held: pl.DataFrame, gone: pl.DataFrame, numbers: NDArray[np.int64]) -> None:
        """Memberships that end now."""
        moved = held.with_columns(pl.Series("now", numbers)).filter(pl.col("golden").is_not_null() & (pl.col("golden") != pl.col("now")))
        closing = pl.concat([moved.select("source", "key", "golden", "since"), gone.select("source", "key", "golden", "since")])
        if closing.height:
            frame = closing.rename({"since": "from_at"}).with_columns(
                pl.lit(self._at).alias("to_at"), pl.lit(self._act, pl.Int64).alias("ended_by")
            )
            match_bulk.put(self._connection, "match_memberships", match_bulk.MEMBERSHIPS, frame)

    def _record_numbers(self, held: pl.DataFrame) -> NDArray[np.int64]:
        given = held["record"].fill_null(-1).to_numpy().copy()
        missing = np.flatnonzero(given < 0)
        given[missing] = match_bulk.reserve(self._connection, "record", missing.size)
        return np.asarray(given, np.int64)

    def _put_records(self, records: NDArray[np.int64], numbers: NDArray[np.int64], held: pl.DataFrame) -> None:
        """COPY the records, a part at a time: features, keys and content are built as they go."""
        component = pl.DataFrame({"c": self._resolution.component, "r": records}).select(pl.col("r").min().over("c")).to_series()
        kept = (held["golden"].fill_null(-1).to_numpy() == numbers) & held["since"].is_not_null().to_numpy()
        since = pl.select(pl.when(pl.Series(kept)).then(held["since"]).otherwise(pl.lit(self._at))).to_series()
        table = match_bulk.records_table()
        filling = match_bulk.first_filling(self._connection)
        with filling, match_bulk.CopyIn(self._connection, table, match_bulk.RECORDS) as copy:
            start = 0
            for rows in self._rows.parts():
                size = rows.height
                features = plain(self._features[start : start + size])
                part = pl.DataFrame(
                    {
                        "record": records[start : start + size],
                        "entity": [self._entity.name] * size,
                        "source": rows["source"],
                        "key": rows["key"],
                        "features": features.select(pl.concat_list(self._model.plan.columns)).to_series(),
                        "keys": _keys_of(self._model.blocking, features),
                        "content": _as_json(rows.drop("source", "key", "dated")),
                        "dated": rows["dated"],
                        "golden": numbers[start : start + size],
                        "component": component[start : start + size],
                        "since": since[start : start + size],
                    }
                )
                copy.add(part)
                start += size

    def _put_judgements(self) -> None:
        joins = self._resolution.joins
        if not joins.height:
            return
        names = self._names
        a, b = names[joins["left"]], names[joins["right"]]
        frame = pl.DataFrame(
            {
                "left_source": a["source"],
                "left_key": a["key"],
                "right_source": b["source"],
                "right_key": b["key"],
                "bits": joins["bits"],
                "reason": joins["rule"].replace_strict(
                    dict(enumerate(rule_names(Rules(self._model.plan)))), default="", return_dtype=pl.String
                ),
            }
        ).with_columns(
            pl.lit(self._entity.name).alias("entity"),
            pl.lit("same").alias("verdict"),
            pl.when(pl.col("bits").is_null()).then(pl.lit("rule")).otherwise(pl.lit("model")).alias("kind"),
            pl.lit(PLATFORM).alias("by_whom"),
            pl.lit(self._model.version).alias("model"),
            pl.lit(self._at).alias("from_at"),
            pl.lit(self._act, pl.Int64).alias("act"),
        )
        match_bulk.put(self._connection, "match_judgements", match_bulk.JUDGEMENTS, frame)

    def _put_queue(self, records: NDArray[np.int64]) -> None:
        cluster = self._resolution.cluster
        items = {}
        for near in self._resolution.near:
            if cluster[near.left] != cluster[near.right]:
                items[tuple(sorted((int(records[near.left]), int(records[near.right]))))] = (near.why, near.bits)
        if not items:
            return
        frame = pl.DataFrame(
            [(a, b, why, bits) for (a, b), (why, bits) in sorted(items.items())],
            schema={"left_record": pl.Int64, "right_record": pl.Int64, "why": pl.String, "bits": pl.Float64},
            orient="row",
        ).with_columns(pl.lit(self._entity.name).alias("entity"), pl.lit(self._at).alias("since"))
        match_bulk.put(self._connection, "match_queue", match_bulk.QUEUE, frame)

    def _tell(
        self, ids: Mapping[int, str], numbers: NDArray[np.int64], held: pl.DataFrame, new: Mapping[int, str], merged: Mapping[int, int],
        ended: set[int], revived: set[int],
    ) -> None:  # fmt: skip
        """Events of what changed; the golden records of a first matching are read from the dataset instead."""
        if not held["golden"].is_not_null().any():
            return
        moved = held.with_columns(pl.Series("now", numbers)).filter(pl.col("golden").is_null() | (pl.col("golden") != pl.col("now")))
        arrived: dict[int, list[str]] = {}
        left: dict[int, set[int]] = {}
        for row in moved.iter_rows(named=True):
            arrived.setdefault(row["now"], []).append(f"{row['source']}/{row['key']}")
            if row["golden"] is not None and row["golden"] not in merged:
                left.setdefault(row["golden"], set()).add(row["now"])
        events: list[dict[str, Any]] = [_event("created", ids[g], (), arrived.get(g, ())) for g in sorted(new)]
        events += [_event("revived", ids[g], (), arrived.get(g, ())) for g in sorted(revived)]
        for survivor in sorted(set(merged.values())):
            losers = [ids[loser] for loser, into in merged.items() if into == survivor]
            events.append(_event("merged", ids[survivor], losers, arrived.get(survivor, ())))
        told = {*new, *revived, *merged.values()}
        events += [_event("joined", ids[g], (), arrived[g]) for g in sorted(set(arrived) - told)]
        events += [_event("split", ids[g], [ids[o] for o in left[g]], ()) for g in sorted(set(left) - ended)]
        events += [_event("ended", ids[g], (), ()) for g in sorted(ended)]
        if events:
            self._store.add_events(events, self._at, self._act)


def _event(kind: str, id: str, others: Any, records: Any) -> dict[str, Any]:
    return {"kind": kind, "id": id, "others": sorted(others), "records": sorted(records)}


def _keys_of(blocking: Blocking, features: pl.DataFrame) -> pl.Series:
    """The blocking keys of each of these records, sorted; an empty list for one that has none."""
    keys = blocking.key_frame(features).with_columns(pl.col("key").reinterpret(signed=True)).sort("record", "key")
    listed = keys.group_by("record", maintain_order=True).agg(pl.col("key").alias("keys"))
    wanted = pl.DataFrame({"record": pl.int_range(features.height, dtype=pl.UInt32, eager=True)})
    found = wanted.join(listed, on="record", how="left", maintain_order="left")["keys"]
    return found.fill_null(pl.Series([[]], dtype=pl.List(pl.Int64)).implode().explode()) if found.null_count() else found


def _as_json(content: pl.DataFrame) -> pl.Series:
    """One JSON object a row, without the attributes that are empty."""
    parts = [
        pl.when(pl.col(name).is_not_null()).then(
            pl.concat_str([pl.lit(f'"{name}":"'), _escaped(name), pl.lit('"')])
        )
        for name in content.columns
    ]  # fmt: skip
    return content.select(pl.concat_str([pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}")])).to_series()


def _escaped(name: str) -> pl.Expr:
    return (
        pl.col(name)
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all('"', '\\"', literal=True)
        .str.replace_all(r"[\x00-\x1f]", " ")
    )


def _publish(
    connection: Connection, master: Contract, rows: _Packed, goldens: _Goldens, at: datetime, on_step: OnStep
) -> GoldenVersion:  # fmt: skip
    """The golden records as one version of the master dataset: what differs from the last is versioned, the rest costs nothing."""
    on_step("choosing", goldens.ids.height)
    today: date = vietnam_date(at)
    overrides = Index(connection, "").all_overrides(today)
    run_id = runs.begin(connection, master.id, SOURCE, "snapshot", master.digest, None, at, today)
    writer = VersionWriter(connection, master)
    versions = [] if writer.is_first_fill else list(range(1, writer.version))
    members = rows.taken().with_columns(pl.Series("golden", goldens.numbers))
    height = 0
    with writer.open_stage(None, versions) as stage:
        for chosen in golden_frames(members, policy_of(master, scores)):
            frame = _as_master(_overridden(chosen, overrides).join(goldens.ids, on="golden"), master, writer.version, today)
            for part in frame.iter_slices(_ROWS_AT_ONCE):
                stage.add(part)
            height += frame.height
    del members
    on_step("publishing", height)
    same = writer.settle_same()
    published = writer.publish(today, end_missing=True)
    counts = Counts(rows_in=height, rows_published=published.inserted + published.updated, rows_unchanged=same, rows_ended=published.ended)
    version = writer.version if published.any else None
    if version is not None:
        writer.record(run_id, at, [p.name for p in master.properties], published)
    runs.finish(connection, run_id, "published" if version is not None else "unchanged", at, counts, master.digest, version)
    return GoldenVersion(version, published.inserted, published.updated, published.ended)


def _overridden(chosen: pl.DataFrame, said: Sequence[tuple[int, str, Any]]) -> pl.DataFrame:
    """The chosen values with stewards' values (identity, attribute, value) in their place."""
    for attribute in {name for _, name, _ in said if name in chosen.columns}:
        values = {golden: None if value is None else str(value) for golden, name, value in said if name == attribute}
        table = pl.DataFrame({"golden": list(values), "said": list(values.values())}, schema={"golden": pl.Int64, "said": pl.String})
        both = chosen.join(table.with_columns(pl.lit(value=True).alias("is_said")), on="golden", how="left", maintain_order="left")
        chosen = both.with_columns(
            pl.when(pl.col("is_said").fill_null(value=False)).then(pl.col("said")).otherwise(pl.col(attribute)).alias(attribute)
        ).drop("said", "is_said")
    return chosen


def _as_master(chosen: pl.DataFrame, master: Contract, version: int, today: date) -> pl.DataFrame:
    types = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}
    columns = [
        pl.col("id").alias("_key"),
        pl.lit(0, pl.Int64).alias("_digest"),
        pl.lit(version, pl.Int32).alias("_version"),
        pl.lit(0, pl.Int64).alias("_row"),
        pl.lit(today, pl.Date).alias("_valid_from"),
    ]
    for p in master.properties:
        if p.key_position is not None:
            columns.append(pl.col("id").alias(p.name))
        elif p.name not in chosen.columns:
            columns.append(pl.lit(None, types[p.logical_type]).alias(p.name))
        elif p.logical_type == "boolean":
            columns.append(pl.col(p.name).eq("true").alias(p.name))
        elif p.logical_type == "date":
            columns.append(pl.col(p.name).cast(pl.String).str.to_date(strict=False).alias(p.name))
        else:
            columns.append(pl.col(p.name).cast(types[p.logical_type], strict=False).alias(p.name))
    return chosen.select(columns)
