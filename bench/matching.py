"""Matching: everything at once, one record at a time, small batches, undoing; persons of five registers, names by published frequencies.

Records are put straight into the tables of the province's own datasets: loading is measured elsewhere. Matching everything runs in a
process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong.clock import system_clock, vietnam_date
from lienthong.contracts import Contract, load_all
from lienthong.ledger import Entry, Event, Signer
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.model import Model
from lienthong.memory import keep_what_is_loaded
from lienthong.pipeline import Workshop, apply_contract, match_all, match_models, stewarding
from lienthong.pipeline.matching import Arrival, Arrivals, Cause, EntityIndex
from lienthong.store import Connection, Database, append_entries
from lienthong.store.copying import copy_frames
from lienthong.store.publishing import arrow_schema
from lienthong.store.tables import current

ROOT = Path(__file__).parents[1]
NAMES = ROOT / "src" / "lienthong" / "synthetic" / "data"
SHARES = {
    "population.persons": 0.5,
    "social-insurance.participants": 0.42,
    "poor-households.members": 0.03,
    "land.holders": 0.03,
    "enterprises.register": 0.02,
}
COMMUNES = [str(25195 + 3 * n) for n in range(90)]
PUSHES = 1500
LARGE_CLUSTER = 50
SPLITS = 20


def people(count: int, seed: int = 11) -> pl.DataFrame:
    """So many made-up persons: names by frequency, births, numbers, homes shared by households of four."""
    r = np.random.default_rng(seed)
    given, middle, family = (pl.read_csv(NAMES / f"{name}.csv.gz") for name in ("given_names", "middle_names", "surnames"))

    def drawn(frame: pl.DataFrame, column: str, weight: str) -> pl.Series:
        weights = frame[weight].to_numpy().astype(float) + 0.01
        return frame[column][r.choice(frame.height, count, p=weights / weights.sum())]

    house = np.arange(count) // 4
    home = np.random.default_rng(seed + 1)
    sex = r.integers(0, 2, count)
    born = pl.Series(r.integers(-14_600, 20_000, count)).cast(pl.Int32).cast(pl.Date)
    year = born.dt.year().to_numpy()
    number = pl.Series(np.arange(count)).cast(pl.String).str.zfill(6).str.slice(-6)
    century = np.where(year < 2000, sex, 2 + sex)
    place = np.where(np.arange(count) < 1_000_000, "097", "098")
    return pl.DataFrame(
        {
            "full_name": drawn(family, "surname", "south") + " " + drawn(middle, "middle", "count") + " " + drawn(given, "given", "count"),
            "born": born,
            "sex": pl.Series(np.where(sex == 0, "male", "female")),
            "citizen_id": pl.Series(place)
            + pl.Series(century).cast(pl.String)
            + pl.Series(year % 100).cast(pl.String).str.zfill(2)
            + number,
            "commune_code": pl.Series(COMMUNES)[home.integers(0, len(COMMUNES), house[-1] + 1)[house]],
            "address": "Số "
            + pl.Series(home.integers(1, 900, house[-1] + 1)[house]).cast(pl.String)
            + ", ấp "
            + pl.Series(house % 9).cast(pl.String),
            "phone": "06" + pl.Series(r.integers(0, 10**8, count)).cast(pl.String).str.zfill(8),
            "household_code": "H" + pl.Series(house).cast(pl.String),
        }
    )


def observed(persons: pl.DataFrame, share: float, seed: int, damage: float) -> pl.DataFrame:
    """Part of the persons as a register wrote them: marks lost, numbers missing, births by year, at `damage`."""
    r = np.random.default_rng(seed)
    some = persons[np.sort(r.choice(persons.height, int(persons.height * share), replace=False))]
    lost = [r.random(some.height) < damage * factor for factor in (0.4, 1.0, 0.3, 0.5, 0.5)]
    plain = pl.col("full_name").str.normalize("NFD").str.replace_all(r"\p{M}", "").str.replace_all("đ", "d").str.replace_all("Đ", "D")
    return some.with_columns(
        pl.when(pl.Series(lost[0])).then(plain).otherwise(pl.col("full_name")).alias("full_name"),
        pl.when(~pl.Series(lost[1])).then(pl.col("citizen_id")).alias("citizen_id"),
        pl.when(pl.Series(lost[2]))
        .then(pl.col("born").dt.year().cast(pl.String))
        .otherwise(pl.col("born").cast(pl.String))
        .alias("born_on"),
        pl.when(~pl.Series(lost[3])).then(pl.col("phone")).alias("phone"),
        pl.when(~pl.Series(lost[4])).then(pl.col("address")).alias("address"),
    )


def fill(place: Workshop, records: int) -> None:
    """The five registers, `records` rows together, straight into their tables."""
    persons = people(int(records * SHARES["population.persons"]))
    for seed, (dataset, share) in enumerate(SHARES.items()):
        part = min(1.0, share / SHARES["population.persons"])
        rows = observed(persons, part, seed, 0.0 if dataset == "population.persons" else 0.08 if dataset.startswith("social") else 0.3)
        put(place, place.contracts[dataset], rows)


def put(place: Workshop, contract: Contract, rows: pl.DataFrame) -> None:
    with place.database.connect() as connection:
        copy_frames(connection, current(contract.id), arrow_schema(contract), [rows_of(place, contract, rows)])


def rows_of(place: Workshop, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Persons as rows of a dataset's first version, ours and the contract's columns."""
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    key = number.cast(pl.String).str.zfill(10)
    own = {
        "record_no": key, "insurance_no": key, "tax_code": key, "parcel_id": key, "household_code": pl.col("household_code"), "member_no": pl.lit(1, pl.Int64),
        "holder_no": pl.lit(1, pl.Int64), "representative": pl.col("full_name"), "representative_id": pl.col("citizen_id"), "name": pl.lit("Công ty mẫu"),
        "birth_year": pl.col("born").dt.year().cast(pl.Int64), "born_on": pl.col("born") if contract.id == "population.persons" else pl.col("born_on"),
        "updated_on": pl.lit(vietnam_date(place.clock())), "residence_state": pl.lit("permanent"),
    }  # fmt: skip
    schema = arrow_schema(contract)
    ours = {
        "_key": key,
        "_digest": number,
        "_version": pl.lit(1, pl.Int32),
        "_row": number,
        "_valid_from": pl.lit(vietnam_date(place.clock())),
    }
    columns = [ours.get(name, own.get(name, pl.col(name) if name in rows.columns else pl.lit(None))).alias(name) for name in schema.names]
    return rows.select(columns)


def workshop(url: str) -> Workshop:
    place = Workshop(Database(url), load_all(ROOT / "datasets"), Signer.new("bench"), system_clock, accept_synthetic_ids=True)
    place.database.apply_schema()
    return place


def person(place: Workshop) -> Entity:
    return entities_of(place.contracts)["person"]


def in_force(place: Workshop) -> Model:
    with place.database.connect() as connection:
        model = match_models.in_force(connection, person(place))
    assert model is not None
    return model


def match_once(url: str) -> dict[str, float]:
    """Match everything; seconds and peak memory (GiB) of this process."""
    place = workshop(url)
    model = in_force(place)
    began = time.perf_counter()
    done = match_all.match_all(place, person(place), model)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "peak_gib": own_peak_mib() / 1024,
        **{k: float(v) for k, v in done.counts.items()},
    }


def prepared(url: str, records: int) -> dict[str, float]:
    """Registers filled, a model learnt, everything matched in a process of its own."""
    place = workshop(url)
    for contract in place.contracts.values():
        apply_contract(place, contract)
    fill(place, records)
    entity = person(place)
    match_models.adopt(place, entity, match_models.train_entity(place, entity))
    done = subprocess.run([sys.executable, "-m", "bench.matching", "--url", url], capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(url: str, records: int) -> list[Row]:
    """Rows of issue 3 with one index: all at once, pushes, undoing."""
    found = prepared(url, records)
    peak = at_most(f"match all: peak memory, {int(found['records']):,} records", found["peak_gib"], 2.0, "GiB", "process's own peak", 3)
    return [_minutes(found, 5), peak, *pushes(url), *unmerging(url)]


def measure_larger(url_of: Callable[[str], str], records: int, large: int) -> list[Row]:
    """Whether time per record stays: twice as many records, and `large`."""
    once, twice, many = (prepared(url_of(name), count) for name, count in (("once", records), ("twice", 2 * records), ("many", large)))
    ratio = (many["seconds"] / many["records"]) / (once["seconds"] / once["records"])
    told = f"{many['seconds']:.0f} s, {many['peak_gib']:.2f} GiB"
    return [_minutes(twice, 10), at_most(f"match all: time per record, {large:,} against {records:,}", ratio, 1.3, "×", told, 3)]


def _minutes(found: Mapping[str, float], minutes: int) -> Row:
    told = f"{int(found['records']):,} records of five registers → {int(found['goldens']):,} golden records"
    reference = f"{int(found['candidate_pairs']):,} pairs compared, {found['peak_gib']:.2f} GiB"
    return at_most(f"match all: {told}", found["seconds"] / 60, minutes, "minutes", reference, 3)


def pushes(url: str) -> list[Row]:
    """One record at a time and in small batches, among all those known: taken out first, so that each comes as new."""
    place = workshop(url)
    index = EntityIndex(person(place), in_force(place))
    keep_what_is_loaded()  # as the server's processes do
    _settle(place)
    with place.database.connect() as connection:
        found = connection.execute(
            "select source, key, content::text, dated from match_records where entity = 'person' order by md5(key) limit %s",
            (PUSHES,),
        ).fetchall()
        known = connection.execute("select count(*) from match_records where entity = 'person'").fetchone()
        assert known is not None
        arrivals = [Arrival(source, key, json.loads(content), dated) for source, key, content, dated in found]
        random.Random(3).shuffle(arrivals)
        _push(place, Arrivals(connection, index), [], [a.name for a in arrivals])
        single = []
        for arrival in arrivals:
            at = time.perf_counter()
            _push(place, Arrivals(connection, index), [arrival], [])
            single.append((time.perf_counter() - at) * 1000)
        rates = {}
        for size in (1, 100):  # a load: what follows is known, each act a transaction
            _push(place, Arrivals(connection, index), [], [a.name for a in arrivals])
            began = time.perf_counter()
            arriving = Arrivals(connection, index)
            for start in range(0, len(arrivals), size):
                _push(place, arriving, arrivals[start : start + size], [], arrivals[start + size : start + 2 * size])
            rates[size] = len(arrivals) / (time.perf_counter() - began)
    among = f"{known[0]:,} known"
    loaded = f"{among}; a load, each act committed"
    alone = f"; with nothing known to follow {1000 / float(np.mean(single)):.0f} per s"
    return [
        at_most("one record pushed, matched, published, committed: p50", float(np.percentile(single, 50)), 5, "ms", among, 3),
        at_most("one record pushed, matched, published, committed: p95", float(np.percentile(single, 95)), 15, "ms", among, 3),
        at_least("strictly one at a time, durable, with ids and history", rates[1], 500, "per s", loaded + alone, 3),
        at_least("in batches of 100, durable, with ids and history", rates[100], 2000, "per s", loaded, 3),
    ]


def _settle(place: Workshop) -> None:
    """What autovacuum does within minutes of a first filling is done before measuring, as pgbench does: an index that stands has it behind it."""
    with place.database.connect(autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


def unmerging(url: str) -> list[Row]:
    """A golden record of fifty is split in two and the split undone, among all those known; the earlier state must come back exactly."""
    place = workshop(url)
    index = EntityIndex(person(place), in_force(place))
    with place.database.connect() as connection:
        found = connection.execute(
            "select content::text, dated from match_records where source = 'population.persons' and content ->> 'citizen_id' is not null order by md5(key) limit 1"
        ).fetchone()
        assert found is not None
        names = [("land.holders", f"bench-{n:03}") for n in range(LARGE_CLUSTER)]
        _push(place, Arrivals(connection, index), [Arrival(*name, json.loads(found[0]), found[1]) for name in names], [])
        before = _homes(connection, names)
    assert len(set(before)) == 1, "the fifty are not one"
    half = LARGE_CLUSTER // 2
    splits, undos = [], []
    for _ in range(SPLITS):
        at = time.perf_counter()
        done = stewarding.split(place, index, [names[:half], names[half:]], "bench", "đo")
        splits.append((time.perf_counter() - at) * 1000)
        assert done.act is not None
        at = time.perf_counter()
        stewarding.undo(place, index, done.act, "bench", "đo")
        undos.append((time.perf_counter() - at) * 1000)
    with place.database.connect() as connection:
        assert _homes(connection, names) == before, "the earlier state did not come back"
    told = f"median {np.median(splits):.0f} ms, {SPLITS} times"
    return [
        at_most(f"split of a golden record of {LARGE_CLUSTER}: p95", float(np.percentile(splits, 95)), 50, "ms", told, 3),
        at_most("its undoing, the exact earlier state back: p95", float(np.percentile(undos, 95)), 50, "ms", f"median {np.median(undos):.0f} ms", 3),
    ]  # fmt: skip


def _homes(connection: Connection, names: Sequence[tuple[str, str]]) -> list[str]:
    """The golden id of each record, in the order of the names."""
    rows = connection.execute(
        "select source, key, id from match_records join match_goldens using (golden) where source = any(%s) and key = any(%s)",
        ([source for source, _ in names], [key for _, key in names]),
    ).fetchall()
    found = {(source, key): id for source, key, id in rows}
    return [found[name] for name in names]


def _push(
    place: Workshop, arriving: Arrivals, arrivals: Sequence[Arrival], gone: Sequence[tuple[str, str]], following: Sequence[Arrival] = ()
) -> None:
    at = place.clock()

    def end(act: int | None, _: Mapping[tuple[str, str], str]) -> None:
        entry = Entry(
            at=at,
            event=Event.RECORDS_MATCHED,
            caller="bench",
            dataset=arriving.index.master.id,
            outcome="matched",
            details={"act": act or 0},
        )
        append_entries(arriving.connection, [entry], place.signer)
        arriving.connection.commit()

    arriving.take(arrivals, gone, Cause("arrival", "bench", at, vietnam_date(at)), end, following)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    print(json.dumps(match_once(parser.parse_args().url)))
