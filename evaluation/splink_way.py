"""Splink as its documentation uses it: its ready-made comparisons, blocking rules, EM, connected components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import splink.comparison_library as cl
from numpy.typing import NDArray
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI
from splink.internals.exceptions import EMTrainingException

from evaluation.measures import Quality, quality
from evaluation.sets import LabelledSet
from lienthong.masterdata.grouping import components
from lienthong.masterdata.splinking import memory_database, quiet

DOCUMENTED = 0.95  # the cut of its tutorials
MANY = 500_000  # records
_COMPARISONS: Mapping[str, Callable[[str], Any]] = {
    "given_name": cl.NameComparison,
    "person_name": cl.NameComparison,
    "phone": lambda column: cl.LevenshteinAtThresholds(column, [1, 2]),
    "place": cl.ExactMatch,
    "surname": cl.NameComparison,
    "date": lambda column: cl.DateOfBirthComparison(column, input_is_string=True, invalid_dates_as_null=True),
    "address": lambda column: cl.JaroWinklerAtThresholds(column, [0.9, 0.7]),
    "text": lambda column: cl.JaroWinklerAtThresholds(column, [0.9, 0.7]),
    "code": lambda column: cl.LevenshteinAtThresholds(column, [1, 2]),
    "number": lambda column: cl.LevenshteinAtThresholds(column, [1, 2]),
    "identifier": lambda column: cl.LevenshteinAtThresholds(column, [1, 2]),
    "category": cl.ExactMatch,
    "organisation_name": lambda column: cl.JaroWinklerAtThresholds(column, [0.9, 0.7]),
    "other_name": cl.NameComparison,
    "year": lambda column: cl.LevenshteinAtThresholds(column, [1]),
}


def splink_clusters(given: LabelledSet) -> tuple[Quality, Quality, float]:
    """(at its documented cut, at the best cut, chosen with the labels, that cut in bits). Raises SplinkException where memory is too small."""
    edges = _edges(given)
    documented = quality(_clusters(given, edges, np.log2(DOCUMENTED / (1 - DOCUMENTED))), given.truth)
    best, at = documented, float(np.log2(DOCUMENTED / (1 - DOCUMENTED)))
    for cut in np.arange(-8.0, 30.0, 1.0):
        found = quality(_clusters(given, edges, float(cut)), given.truth)
        if found.f1 > best.f1:
            best, at = found, float(cut)
    return documented, best, at


def _clusters(given: LabelledSet, edges: pl.DataFrame, cut: float) -> list[int]:
    kept = edges.filter(pl.col("bits") >= cut).select("left", "right").to_numpy()
    found: NDArray[np.int64] = components(given.records.height, kept)
    return [int(one) for one in found]


def _edges(stranger: LabelledSet) -> pl.DataFrame:
    given = _plainly_named(stranger)
    dates = pl.col([name for name, kind in given.kinds.items() if kind == "date"] or [pl.Null])
    records = given.records.with_columns(
        dates.str.replace(r"^(\d{4})(\d{2})(\d{2})$", "$1-$2-$3"), pl.int_range(pl.len()).alias("unique_id")
    )
    names = [name for name, kind in given.kinds.items() if kind != "category"]
    strong = [
        name
        for name, kind in given.kinds.items()
        if kind in ("given_name", "person_name", "surname", "date", "identifier", "code", "number", "phone", "text")
    ][:7]
    rules: list[Any] = [block_on(a, b) for a, b in combinations(strong, 2)] + [
        block_on(n) for n, k in given.kinds.items() if k == "identifier"
    ]
    # Told what we are not: that nobody is twice in one of several registers, as its documentation does for two files.
    registers = sorted(set(given.sources))
    settings = SettingsCreator(
        link_type="link_only" if registers else "dedupe_only",
        comparisons=[_adjusted(_COMPARISONS[kind](name)) for name, kind in given.kinds.items()],
        blocking_rules_to_generate_predictions=rules,
    )
    connection = memory_database("4GB" if records.height < MANY else "14GB")
    parts = [records.filter(pl.Series(given.sources) == name) for name in registers] or [records]
    for n, part in enumerate(parts):
        connection.register(f"arriving_{n}", part.to_arrow())
        connection.execute(f"create table records_{n} as select * from arriving_{n}")
    database = DuckDBAPI(connection=connection)
    tables = [database.register(f"records_{n}") for n in range(len(parts))]
    told = [name for name in names if given.kinds[name] in ("date", "surname", "given_name", "person_name", "code", "number")][:4]
    with quiet():
        scored = _trained(tables, settings, strong, told).inference.predict(threshold_match_weight=-10)
    found = connection.sql(f"select unique_id_l, unique_id_r, match_weight from {scored.physical_name}").to_arrow_table()
    return pl.DataFrame(pl.from_arrow(found)).rename({"unique_id_l": "left", "unique_id_r": "right", "match_weight": "bits"})


def _trained(tables: list[Any], settings: Any, strong: list[str], sessions: list[str]) -> Linker:
    """Trained as its tutorials do. A session that Splink itself ends is left out by whoever meets it: all is begun anew without it."""
    linker = Linker(tables, settings, log_level=None)
    first: list[Any] = [block_on(a, b) for a, b in list(combinations(strong, 2))[:2]]
    linker.training.estimate_probability_two_random_records_match(first, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for name in sessions:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(name))
        except (ValueError, EMTrainingException):
            return _trained(tables, settings, strong, [each for each in sessions if each != name])
    return linker


def _plainly_named(given: LabelledSet) -> LabelledSet:
    """The same with headings that are no words of SQL: `by`, `order` and `group` are headings of strangers' files."""
    names = {name: f"c{n}" for n, name in enumerate(given.kinds)}
    return replace(given, records=given.records.rename(names), kinds={names[name]: kind for name, kind in given.kinds.items()})


def _adjusted(comparison: Any) -> Any:
    """With term frequencies where the comparison has an exact rung."""
    return comparison.configure(term_frequency_adjustments=True)
