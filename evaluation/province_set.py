"""The generated province as a labelled set: quality of the automatic joins, of the queue, beside Splink, and where it goes wrong.

Nothing here is tuned on it: its seed is not the demo's, and the model, its cuts and Splink's alike are learnt from the records alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from bench.report import Row, at_least, at_most
from demo.province import generate
from evaluation.measures import Quality, quality
from evaluation.province import Told, persons_told, take_in
from evaluation.sets import LabelledSet
from evaluation.throwaway import throwaway_databases
from lienthong.masterdata.cutting import choose_cuts
from lienthong.masterdata.kinds import OTHER_NAME
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.resolve import Resolution, resolve
from lienthong.masterdata.training import train
from lienthong.pipeline.match_models import with_units

SEED = 7001  # not the demo's
UNITS_ON = date(2026, 7, 1)  # within the months of which its registers are
DETAILS = Path(__file__).parent / "results" / "province.json"
NAMES = 100
_SPLINK_ORDER = ("person_name", "date", "phone", "address", "place", "category", "identifier")


@dataclass(frozen=True)
class Measured:
    """`mine` and Splink's at its documented and best cut (None where it had no room), with seconds; `rows` for the report; `details` the long lists."""

    mine: Quality
    seconds: float
    theirs: tuple[Quality, Quality, float] | None
    splink_seconds: float
    rows: list[Row]
    details: dict[str, Any]


def measure(persons: int, seed: int = SEED, only: Collection[str] = ()) -> Measured:
    """Make a province, take it in on the platform's road, match it without labels, and hold the result against the truth.

    `only`: some of its registers, by the names of `evaluation.province.REGISTERS`.
    """
    with tempfile.TemporaryDirectory(prefix="lienthong-evaluation-") as name:
        folder = Path(name) / "province"
        generate(folder, persons, seed)
        with throwaway_databases() as (database, population, home):
            told = persons_told(take_in(folder, database, population, home, only), folder)
        truth = {each: pl.read_parquet(folder / "truth" / f"{each}.parquet") for each in ("persons", "errors")}
    began = time.perf_counter()
    found = matched(told)
    seconds = time.perf_counter() - began
    judged = Judged(told, found, truth["persons"], truth["errors"])
    mine = quality(found.cluster.tolist(), told.records["entity"].to_list())
    named = f"province, {persons:,} persons" + (f" in {', '.join(sorted(only))}" if only else "")
    rows = promised(judged, named)
    for row in rows:
        sys.stdout.write(f"{row.measure}: {row.value:g} {row.unit}\n")  # what follows takes as long again, and may find no room
    details = judged.details(persons, seed)
    del judged, found
    began = time.perf_counter()
    theirs = _beside(told)
    if theirs is not None:
        ratio, figures = (1 - mine.f1) / max(1 - theirs[0].f1, 1e-9), f"{mine.f1:.4f} / {theirs[0].f1:.4f}"
        rows.append(at_most(f"{named}: 1 − F1 beside Splink's documented way", ratio, 0.5, "×", figures, 3))
    return Measured(mine, seconds, theirs, time.perf_counter() - began, rows, details)


def _beside(told: Told) -> tuple[Quality, Quality, float] | None:
    """Splink's on the same records; None where memory or disk is too small for it."""
    from splink.internals.exceptions import SplinkException  # noqa: PLC0415 # Splink takes seconds to import: who only matches waits for none

    from evaluation.splink_way import splink_clusters  # noqa: PLC0415

    try:
        return splink_clusters(_for_splink(told))
    except SplinkException as error:
        if any(words in str(error) for words in ("Out of Memory", "No space left on device")):
            return None
        raise


def matched(told: Told) -> Resolution:
    """Who is one, as the platform finds it: a model learnt from the records, cuts by the weights themselves."""
    plan, records = with_units(told.entity.plan, UNITS_ON), told.records
    features = plan.feature_frame(records)
    model = train(plan, features, "evaluation", records["source"])
    return resolve(model.with_cuts(choose_cuts(model, features, records["source"])), features, records["source"])


def _for_splink(told: Told) -> LabelledSet:
    """The same records for Splink: what its documentation would compare with, names and births first. Of names beside the name it says nothing."""
    given = [(a.name, a.kind) for a in told.entity.plan.attributes if a.kind != OTHER_NAME]
    kinds = sorted(given, key=lambda pair: _SPLINK_ORDER.index(pair[1]))
    return LabelledSet(
        "province", told.records.select(name for name, _ in kinds), [str(e) for e in told.records["entity"]], dict(kinds)
    )  # fmt: skip


class Judged:
    """The result beside the truth: every pair joined, and every pair that should have been."""

    def __init__(self, told: Told, found: Resolution, persons: pl.DataFrame, errors: pl.DataFrame) -> None:
        self._plan: Plan = told.entity.plan
        self._found = found
        self._persons = persons
        self.records = told.records.with_columns(pl.Series("cluster", found.cluster)).with_row_index("n")
        side = self.records.select("n", "cluster", "entity", "register", "row")
        self.joined = side.join(side, on="cluster", suffix="_r").filter(pl.col("n") < pl.col("n_r"))
        self.true = side.join(side, on="entity", suffix="_r").filter(pl.col("n") < pl.col("n_r"))
        self.wrong = self.joined.filter(pl.col("entity") != pl.col("entity_r"))
        self.missed = self.true.filter(pl.col("cluster") != pl.col("cluster_r"))
        waiting = pl.DataFrame(
            {"a": [int(found.cluster[near.left]) for near in found.near], "b": [int(found.cluster[near.right]) for near in found.near]},
            schema={"a": pl.Int64, "b": pl.Int64},
        ).select(pl.min_horizontal("a", "b").alias("a"), pl.max_horizontal("a", "b").alias("b")).unique()  # fmt: skip
        ends = self.missed.with_columns(
            pl.min_horizontal("cluster", "cluster_r").alias("a"), pl.max_horizontal("cluster", "cluster_r").alias("b")
        )
        self.asked = ends.join(waiting, on=["a", "b"], how="semi")
        self._waiting = set(waiting.rows())
        self._codes = errors.group_by("register", "row").agg(pl.col("code").unique())

    @property
    def precision(self) -> float:
        return 1 - self.wrong.height / max(self.joined.height, 1)

    @property
    def recall(self) -> float:
        return 1 - self.missed.height / max(self.true.height, 1)

    @property
    def recall_with_queue(self) -> float:
        return 1 - (self.missed.height - self.asked.height) / max(self.true.height, 1)

    @property
    def grey(self) -> float:
        """Questions a record."""
        return len(self._found.near) / self.records.height

    def two_numbers(self) -> int:
        """Clusters that hold two different valid identifiers of one kind."""
        features = self._plan.feature_frame(self.records).with_columns(self.records["cluster"])
        many = [pl.col(self._plan.same_column(name)).drop_nulls().n_unique() > 1 for name in self._plan.identifiers]
        return int(features.group_by("cluster").agg(pl.any_horizontal(many).alias("two"))["two"].sum()) if many else 0

    def details(self, persons: int, seed: int) -> dict[str, Any]:
        return {
            "persons": persons,
            "seed": seed,
            "records": self.records.height,
            "pairs_joined": self.joined.height,
            "pairs_true": self.true.height,
            "wrong": self.wrong.height,
            "missed": self.missed.height,
            "missed_and_asked": self.asked.height,
            "questions": len(self._found.near),
            "by_registers": self._by_registers(),
            "missed_by_error": self._by_error(self.missed),
            "wrong_by_error": self._by_error(self.wrong),
            "twins": self._twins(),
            "frequent_names": self._names(),
        }

    def _by_registers(self) -> list[dict[str, Any]]:
        counts = {
            what: Counter("|".join(sorted(pair)) for pair in frame.select("register", "register_r").rows())
            for what, frame in (
                ("joined", self.joined),
                ("true", self.true),
                ("wrong", self.wrong),
                ("missed", self.missed),
                ("asked", self.asked),
            )
        }
        names = sorted(counts["true"] | counts["joined"])
        return [{"registers": name, **{what: each[name] for what, each in counts.items()}} for name in names]

    def _by_error(self, pairs: pl.DataFrame) -> dict[str, int]:
        """How many of the pairs have an error of a kind on either side; `none`: on neither."""
        coded = pairs.join(self._codes, on=["register", "row"], how="left").join(
            self._codes, left_on=["register_r", "row_r"], right_on=["register", "row"], how="left", suffix="_right"
        )
        found: Counter[str] = Counter()
        for left, right in coded.select("code", "code_right").rows():
            found.update({*(left or ()), *(right or ())} or {"none"})
        return dict(found.most_common())

    def _twins(self) -> list[dict[str, Any]]:
        """Every twin and the one born before: whether a cluster holds both, or a person is asked."""
        clusters = {entity: set(own) for entity, own in self.records.group_by("entity").agg(pl.col("cluster").unique()).rows()}
        told = []
        for (twin,) in self._persons.filter(pl.col("is_twin")).select("person").rows():
            one, other = clusters.get(twin - 1, set()), clusters.get(twin, set())
            if one and other:
                asked = any((min(a, b), max(a, b)) in self._waiting for a in one for b in other)
                told.append({"persons": [twin - 1, twin], "outcome": "joined" if one & other else "asked" if asked else "apart"})
        return told

    def _names(self) -> list[dict[str, Any]]:
        """The most frequent names: how many bear each, and how right their records' pairs are."""
        often = self._persons["name"].value_counts(sort=True).head(NAMES).sort("count", "name", descending=[True, False])
        name_of = dict(self._persons.select("person", "name").iter_rows())
        counts: dict[str, Counter[str]] = {}
        for what, frame in (("joined", self.joined), ("wrong", self.wrong), ("true", self.true), ("missed", self.missed)):
            right = frame["entity_r"] if "entity_r" in frame.columns else frame["entity"]
            pairs = zip(frame["entity"].to_list(), right.to_list(), strict=True)
            counts[what] = Counter(name for left, other in pairs for name in {name_of[left], name_of[other]})
        return [{"name": name, "persons": count, **{what: each[name] for what, each in counts.items()}} for name, count in often.rows()]


def write_details(details: dict[str, Any]) -> None:
    """The long lists, a line an item."""
    lines = [
        f" {json.dumps(name)}: [\n" + ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n ]"
        if isinstance(value, list)
        else f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in details.items()
    ]
    DETAILS.parent.mkdir(parents=True, exist_ok=True)
    DETAILS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def promised(judged: Judged, named: str) -> list[Row]:
    """What is promised of a province's joins whatever others do."""
    found = f"{judged.records.height:,} records, {judged.wrong.height:,} wrong pairs"
    return [
        at_least(f"{named}: precision of automatic joins", 100 * judged.precision, 99.95, "%", found, 3),
        at_least(f"{named}: recall without the queue", 100 * judged.recall, 97, "%", f"{judged.missed.height:,} missed pairs", 3),
        at_least(f"{named}: recall with the queue", 100 * judged.recall_with_queue, 98.5, "%", f"{judged.asked.height:,} of them wait", 3),
        at_most(f"{named}: questions to a person", 100 * judged.grey, 1, "% of records", "", 3),
        at_most(f"{named}: clusters with two valid identifiers", judged.two_numbers(), 0, "", "", 3),
    ]
