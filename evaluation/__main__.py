"""`make evaluate`: matching beside Splink on labelled sets, with a threshold nobody chose by looking at the labels.

`--set febrl3,hard,households`, `--seed 101`; for a set of one's own:
`python -m evaluation --file people.csv --truth cluster --column first_name=given_name --column dob=date [--source register]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from bench.report import Row, at_least, write
from evaluation import sets
from evaluation.measures import Quality, quality
from evaluation.sets import LabelledSet
from evaluation.splink_way import splink_clusters
from lienthong.masterdata.kinds import KINDS
from lienthong.masterdata.plan import plan_of_columns
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.training import train

RESULTS = Path(__file__).parent / "results" / "latest.json"
SETS: dict[str, Callable[[int], LabelledSet]] = {
    "febrl1": lambda _: sets.febrl(1),
    "febrl2": lambda _: sets.febrl(2),
    "febrl3": lambda _: sets.febrl(3),
    "febrl4": lambda _: sets.febrl(4),
    "hard": lambda seed: sets.hard(seed=seed),
    "households": lambda seed: sets.households(seed=seed),
}


def ours(given: LabelledSet) -> tuple[Quality, float]:
    """What our matching makes of it, cut and all learnt from the records alone, and how long that took."""
    began = time.perf_counter()
    plan = plan_of_columns(given.kinds)
    names = list(given.sources) or ["one"] * given.records.height
    features = plan.feature_frame(given.records)
    found = resolve(train(plan, features, "evaluation", names), features, names)
    return quality(found.cluster.tolist(), given.truth), time.perf_counter() - began


def own_file(path: Path, truth: str, columns: dict[str, str], source: str) -> LabelledSet:
    """A stranger's labelled file. Ends with words when a column or kind is not there."""
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
    elif path.suffix in (".xlsx", ".xls"):
        frame = pl.read_excel(path)
    else:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    missing = [name for name in [truth, *columns, *([source] if source else [])] if name not in frame.columns]
    wrong = [kind for kind in columns.values() if kind not in KINDS]
    if missing or wrong or not columns or not frame.height:
        sys.exit(
            f"{path.name}: columns {frame.columns}; missing {missing}; kinds unknown {wrong}, known {sorted(KINDS)}; at least one --column is needed."
        )
    frame = frame.with_columns(pl.all().cast(pl.String)).with_columns(pl.when(pl.all().str.strip_chars() != "").then(pl.all()))
    return LabelledSet(path.name, frame.select(list(columns)), frame[truth].to_list(), columns, frame[source].to_list() if source else ())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--set", default=",".join(SETS))
    arguments.add_argument("--seed", type=int, default=101)
    arguments.add_argument("--file", type=Path)
    arguments.add_argument("--truth", default="")
    arguments.add_argument("--source", default="")
    arguments.add_argument("--column", action="append", default=[], metavar="NAME=KIND")
    given = arguments.parse_args()
    if given.file is not None:
        chosen = [own_file(given.file, given.truth, dict(pair.split("=", 1) for pair in given.column), given.source)]
    else:
        chosen = [SETS[name](given.seed) for name in given.set.split(",")]
    table = Table("set", "who", "precision", "recall", "F1", "B³ F1", "entities exactly right", "seconds")
    rows: list[Row] = []
    for one in chosen:
        mine, seconds = ours(one)
        began = time.perf_counter()
        documented, best, at = splink_clusters(one)
        took = time.perf_counter() - began
        for who, found, spent in (
            ("ours, no labels", mine, seconds),
            ("Splink, documented cut", documented, took),
            (f"Splink, best cut by labels ({at:+.0f} bits)", best, took),
        ):
            table.add_row(
                one.name,
                who,
                *(f"{value:.4f}" for value in (found.precision, found.recall, found.f1, found.b3_f1, found.exact)),
                f"{spent:.1f}",
            )
        if one.name.startswith("FEBRL"):
            rows.append(at_least(f"{one.name}: F1 of clusters", mine.f1, round(best.f1, 4), "", "Splink's best, cut chosen with labels", 3))
        else:
            rows.append(
                at_least(
                    f"{one.name}: F1 above Splink's documented way",
                    mine.f1 - documented.f1,
                    0.08,
                    "",
                    f"{mine.f1:.4f} / {documented.f1:.4f}",
                    3,
                )
            )
    Console(width=150).print(table)
    if given.file is None:
        write(rows, RESULTS)


if __name__ == "__main__":
    main()
