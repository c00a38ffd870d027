"""`make evaluate`: matching beside Splink on labelled sets, with a threshold nobody chose by looking at the labels.

`--set febrl3,hard,households`, `--seed 101`; for a set of one's own:
`python -m evaluation --file people.csv [--file more.csv] --truth cluster [--column dob=date …] [--source register]`.
Without `--column` the kinds are guessed and the guess is printed. See docs/how-to/measure-matching.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.report import Row, at_least, at_most, write
from evaluation import sets
from evaluation.files import Unreadable, labelled_files
from evaluation.measures import Quality, quality
from evaluation.sets import LabelledSet
from evaluation.splink_way import splink_clusters
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--set", default=",".join(SETS))
    arguments.add_argument("--seed", type=int, default=101)
    arguments.add_argument("--file", type=Path, action="append", default=[])
    arguments.add_argument("--truth", default="")
    arguments.add_argument("--source", default="")
    arguments.add_argument("--column", action="append", default=[], metavar="NAME=KIND")
    given = arguments.parse_args()
    if given.file:
        try:
            one, reasons = labelled_files(given.file, given.truth, given.column, given.source)
        except Unreadable as problem:
            sys.exit(str(problem))
        for line in reasons:
            sys.stdout.write(line + "\n")
        chosen = [one]
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
            wrong, theirs = ((1 - found.f1) * 10_000 for found in (mine, best))
            rows.append(
                at_most(
                    f"{one.name}: 1 − F1 of clusters", wrong, round(theirs, 1), "per 10,000", "Splink's best, cut chosen with labels", 3
                )
            )
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
    if not given.file:
        write(rows, RESULTS)


if __name__ == "__main__":
    main()
