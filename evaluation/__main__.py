"""`make evaluate`: matching beside Splink on labelled sets, with a threshold nobody chose by looking at the labels.

`--set febrl3,hard,households,province`, `--seed 101`, `--persons 20000` of the made-up province, in some of its `--registers R1,R2`; `--home var` measures the index of a demo
as it stands beside the truth of its province; for a set of one's own:
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
from lienthong.errors import Unprocessable
from lienthong.masterdata.plan import plan_of_columns
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.training import train

PROVINCE = "province"
SEED = 101
SEEN_OF_SPLINK = {"FEBRL 3": 20, "FEBRL 4": 5}  # its best with the model of its documentation, as the target was set: F1 0.998 and 0.9995
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
    arguments.add_argument("--set", default=",".join((*SETS, PROVINCE)))
    arguments.add_argument("--persons", type=int, default=20_000, help="of the made-up province")
    arguments.add_argument("--registers", default="", help="of the made-up province, some of them: R1,R2,R3,R4,R5")
    arguments.add_argument("--seed", type=int, help="of what is made up; without it 101, and 7001 for the province")
    arguments.add_argument("--file", type=Path, action="append", default=[])
    arguments.add_argument("--truth", default="")
    arguments.add_argument("--source", default="")
    arguments.add_argument("--column", action="append", default=[], metavar="NAME=KIND")
    arguments.add_argument("--home", type=Path, help="of a demo whose index is measured as it stands")
    given = arguments.parse_args()
    if given.home:
        write({"standing": _standing(given.home)}, RESULTS)
        return
    if given.file:
        try:
            one, reasons = labelled_files(given.file, given.truth, given.column, given.source)
        except Unreadable as problem:
            sys.exit(str(problem))
        for line in reasons:
            sys.stdout.write(line + "\n")
        chosen = [one]
    else:
        chosen = [SETS[name](SEED if given.seed is None else given.seed) for name in given.set.split(",") if name != PROVINCE]
    table = Table("set", "who", "precision", "recall", "F1", "B³ F1", "entities exactly right", "seconds")
    measured = {one.name: _labelled(one, table) for one in chosen}
    if not given.file and PROVINCE in given.set.split(","):
        only = [name for name in given.registers.split(",") if name]
        measured[" ".join((f"{PROVINCE} {given.persons}", *([] if given.seed is None else [f"seed {given.seed}"]), *only))] = _province(
            given.persons, given.seed, only, table
        )
    Console(width=150).print(table)
    if not given.file:
        write(measured, RESULTS)


def _labelled(one: LabelledSet, table: Table) -> list[Row]:
    try:
        mine, seconds = ours(one)
    except (ValueError, Unprocessable) as problem:
        sys.exit(f"{one.name}: {problem}")
    began = time.perf_counter()
    try:
        documented, best, at = splink_clusters(one)
    except Exception as problem:  # whatever ends it: ours is told all the same
        _tell(table, one.name, (mine, seconds), None)
        table.add_row(one.name, f"Splink: {type(problem).__name__}: {str(problem).splitlines()[0][:120]}")
        return []
    took = time.perf_counter() - began
    _tell(table, one.name, (mine, seconds), ((documented, took), (best, took, at)))
    if one.name.startswith("FEBRL"):
        wrong, theirs = ((1 - found.f1) * 10_000 for found in (mine, best))
        named = f"{one.name}: 1 − F1 of clusters"
        seen = SEEN_OF_SPLINK.get(one.name)
        told = "Splink's best of this run, its cut chosen with labels" + ("" if seen is None else f" (seen before: {seen})")
        return [at_most(named, wrong, round(theirs, 1), "per 10,000", told, 3)]
    named = f"{one.name}: F1 above Splink's documented way"
    return [at_least(named, mine.f1 - documented.f1, 0.08, "", f"{mine.f1:.4f} / {documented.f1:.4f}", 3)]


def _province(persons: int, seed: int | None, only: list[str], table: Table) -> list[Row]:
    from evaluation import province_set  # noqa: PLC0415 # the whole platform, of which the other sets need nothing

    found = province_set.measure(persons, province_set.SEED if seed is None else seed, only=only)
    spent = found.splink_seconds
    if found.theirs is None:
        table.add_row(PROVINCE, f"Splink: no room in memory or on disk, after {spent:.0f} s")
    theirs = None if found.theirs is None else ((found.theirs[0], spent), (found.theirs[1], spent, found.theirs[2]))
    _tell(table, PROVINCE, (found.mine, found.seconds), theirs)
    if not only:
        province_set.write_details(found.details)
    return found.rows


def _standing(home: Path) -> list[Row]:
    from evaluation import standing  # noqa: PLC0415 # as above
    from lienthong.settings import Settings  # noqa: PLC0415
    from lienthong.store import Database  # noqa: PLC0415
    from lienthong.store.embedded import EmbeddedServer  # noqa: PLC0415
    from lienthong.web.services import make_workshop  # noqa: PLC0415

    settings = Settings(home=home, datasets=Path(__file__).parents[1] / "datasets", accept_synthetic_ids=True)
    place = make_workshop(settings, Database(EmbeddedServer(home).start()))
    found, rows = standing.measure(place, standing.province_of(home))
    sys.stdout.write(f"F1 {found.f1:.5f}, B³ F1 {found.b3_f1:.5f}, entities exactly right {found.exact:.5f}\n")
    return rows


def _tell(
    table: Table, name: str, mine: tuple[Quality, float], theirs: tuple[tuple[Quality, float], tuple[Quality, float, float]] | None
) -> None:  # fmt: skip
    lines = [("ours, no labels", *mine)]
    if theirs is not None:
        lines += [("Splink, documented cut", *theirs[0]), (f"Splink, best cut by labels ({theirs[1][2]:+.0f} bits)", *theirs[1][:2])]
    for who, found, spent in lines:
        figures = (f"{value:.4f}" for value in (found.precision, found.recall, found.f1, found.b3_f1, found.exact))
        table.add_row(name, who, *figures, f"{spent:.1f}")


if __name__ == "__main__":
    main()
