"""Splink, the engine: parameters trained without labels, and pairs scored in bulk, on DuckDB or Spark.

Only here is Splink spoken to. What leaves this file are plain numbers and frames of pairs.
"""

from __future__ import annotations

import atexit
import logging
import math
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import polars_hash as plh

from lienthong.masterdata.model import Model
from lienthong.masterdata.narrow import plain
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Comparison
from lienthong.masterdata.scoring import Rung

if TYPE_CHECKING:
    import duckdb
    from splink import Linker

DUCKDB_FUNCTIONS = {
    "edits": "damerau_levenshtein",
    "alike": "jaro_winkler_similarity",
    "words": "string_split",
    "in_common": "list_intersect",
    "count": "len",
}
_NEVER = 'l."unique_id" = r."unique_id"'  # Splink asks for a blocking rule; the pairs are ours
_LEAST_M, _LEAST_U = 5e-4, 1e-7  # a rung never seen in training: rare, not impossible
PAIRS_AT_ONCE = (
    100_000  # their records are copied to the engine: with more at once a million need well over 2 GiB; each part costs half a second
)
_ROUNDS = (25, 12, 6, 3)  # of EM at most: Splink's own limit, and fewer where a rung sinks
_CONVERGED = 1e-4  # Splink's own
_U_PAIRS = 200_000  # random pairs for u: rungs hardly ever seen among them fall to _LEAST_U


class _Quiet:
    """How many are at it: entities are matched side by side, and the first to end must not give the others' lines to the terminal."""

    lock = threading.Lock()
    users = 0
    before = logging.NOTSET


@contextmanager
def quiet() -> Iterator[None]:
    """Splink tells its training in hundreds of lines; ours go to our own log."""
    logger = logging.getLogger("splink")
    with _Quiet.lock:
        if _Quiet.users == 0:
            _Quiet.before = logger.level
        _Quiet.users += 1
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        with _Quiet.lock:
            _Quiet.users -= 1
            if _Quiet.users == 0:
                logger.setLevel(_Quiet.before)


def memory_database(memory_limit: str = "1GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that stays within its memory; what does not fit goes to a folder of this account's, emptied at the end."""
    import duckdb  # noqa: PLC0415 # see _linker

    connection = duckdb.connect()
    for name, value in (
        ("temp_directory", _spill_folder()),
        ("memory_limit", memory_limit),
        ("threads", threads),
        ("preserve_insertion_order", False),
        ("enable_progress_bar", False),
    ):
        connection.execute(f"set {name} = '{value}'")
    return connection


@cache
def _spill_folder() -> str:
    folder = tempfile.mkdtemp(prefix="lienthong-")  # 0700: records of persons may spill into it
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def settings(
    plan: Plan, functions: Mapping[str, str], prior: float, rungs: Sequence[Sequence[Rung]] | None = None, *, with_parts: bool = False
) -> dict[str, Any]:
    """The plan, trained or not, as Splink's settings."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "comparisons": [
            comparison_document(comparison, functions, None if rungs is None else rungs[n]) for n, comparison in enumerate(plan.comparisons)
        ],
        "blocking_rules_to_generate_predictions": [_NEVER],
        "retain_intermediate_calculation_columns": with_parts,
        "retain_matching_columns": False,
        "probability_two_random_records_match": prior,
    }


def comparison_document(comparison: Comparison, functions: Mapping[str, str], rungs: Sequence[Rung] | None) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [{"sql_condition": comparison.empty.sql(functions), "label_for_charts": "empty", "is_null_level": True}]
    for n, level in enumerate(comparison.levels):
        one: dict[str, Any] = {
            "sql_condition": "ELSE" if level.when is None else level.when.sql(functions),
            "label_for_charts": level.label,
        }
        if level.frequency_of is not None:
            one |= {"tf_adjustment_column": level.frequency_of, "tf_adjustment_weight": 1.0}
        if rungs is not None:
            one |= {"m_probability": rungs[n].m, "u_probability": rungs[n].u}
        levels.append(one)
    return {"output_column_name": comparison.name, "comparison_levels": levels}


class Trainer:
    """Splink's training over one sample of feature rows (with `unique_id`), held in DuckDB as table `records`."""

    def __init__(self, plan: Plan, features: pl.DataFrame, prior: float, seed: int = 1) -> None:
        self._plan = plan
        self._prior = prior
        self._seed = seed
        self._learnt: list[tuple[Sequence[str], int]] = []
        self._connection = memory_database()
        _load(self._connection, "records", features)
        self._linker = self._begun()

    def _begun(self) -> Linker:
        linker = _linker(_door(self._connection).register("records"), settings(self._plan, DUCKDB_FUNCTIONS, self._prior), log_level=None)
        with quiet():
            linker.training.estimate_u_using_random_sampling(max_pairs=_U_PAIRS, seed=self._seed, num_chunks=1)
        return linker

    def learn(self, columns: Sequence[str]) -> None:
        """One EM session on the pairs that agree in these columns; comparisons of other attributes learn from it.

        A rung that nobody who is one stands on sinks with every round, and below what a number can hold Splink ends the session half
        done. It is then taken again with fewer rounds, after those before it: what it teaches of all other rungs must not be lost.
        """
        for rounds in _ROUNDS:
            try:
                self._session(columns, rounds)
            except ValueError:
                self._linker = self._begun()
                for before in self._learnt:
                    self._session(*before)
            else:
                self._learnt.append((columns, rounds))
                return

    def _session(self, columns: Sequence[str], rounds: int) -> None:
        from splink.internals.settings import TrainingSettings  # noqa: PLC0415 # see _linker

        self._linker._settings_obj.training_settings = TrainingSettings(em_convergence=_CONVERGED, max_iterations=rounds)  # noqa: SLF001 # no public way for one session
        rule = " and ".join(f'l."{column}" = r."{column}"' for column in columns)
        with quiet():
            self._linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True, max_pairs=2_000_000
            )

    def parameters(self, ones: float = math.inf) -> list[list[tuple[float, float]]]:
        """(m, u) of every level, none zero, each summing to one over its comparison.

        `ones`: about how many pairs that are one it learnt from. A rung none of them stands on may still be that of half a pair more.
        """
        least_m = max(_LEAST_M, 0.5 / max(ones, 1.0))
        found = []
        for ours, comparison in zip(self._plan.comparisons, self._linker.misc.save_model_to_json()["comparisons"], strict=True):
            levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
            seen = [(level.get("m_probability") or 0.0, level.get("u_probability") or 0.0) for level in levels]
            m = [max(each, least_m) for each, _ in seen] if any(each for each, _ in seen) else _untaught(len(seen))
            u = [max(each, _LEAST_U) for _, each in seen]
            places = {level.label: n for n, level in enumerate(ours.levels)}
            for n, level in enumerate(ours.levels):
                if level.untaught_as is not None and min(seen[n]) <= 0:
                    like = places[level.untaught_as]
                    m[n], u[n] = least_m, max(least_m * u[like] / m[like], _LEAST_U)
            u[-1] = max(u[-1], m[-1] * sum(u[:-1]) / sum(m[:-1]))  # to differ never speaks for being one, however few differ by chance
            found.append([(a / sum(m), b / sum(u)) for a, b in zip(m, u, strict=True)])
        return found


def _untaught(rungs: int) -> list[float]:
    """The m of a comparison no session taught anything (there is nothing beside it): mostly the same, seldom different, the rest between."""
    return [0.8, *[0.15 / max(rungs - 2, 1)] * (rungs - 2), 0.05]


class Engine(Protocol):
    """What scores many pairs: DuckDB here, Spark in `spark.py`."""

    def weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`left`, `right` → with `bits` (as Splink adds them up) and `common` (what shared attributes gave of it)."""
        ...


class DuckDBEngine:
    """Splink on DuckDB, over one frame of features, narrow or not, whose row numbers name the records."""

    def __init__(self, model: Model, features: pl.DataFrame, connection: duckdb.DuckDBPyConnection) -> None:
        self._model = model
        self._connection = connection
        self._features = features.select(model.plan.columns)
        self._calls = 0

    def weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        parts = [self._weights(pairs[start : start + PAIRS_AT_ONCE]) for start in range(0, pairs.height, PAIRS_AT_ONCE)]
        return pl.concat(parts) if parts else _no_weights()

    def _weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        prior = 1 / (1 + 2.0**-self._model.prior_bits)
        document = settings(self._model.plan, DUCKDB_FUNCTIONS, prior, self._model.rungs, with_parts=bool(self._model.shared))
        self._calls += 1
        needed = pl.concat([pairs["left"], pairs["right"]]).unique().sort()
        suffix = f"_{self._calls}"
        records = plain(self._features[needed]).with_columns(needed.alias("unique_id"))
        _load(self._connection, "records" + suffix, records)
        rarity = rarity_tables(self._model, records)
        del records
        _load(
            self._connection,
            "pairs" + suffix,
            pairs.select(pl.lit("0").alias("match_key"), pl.col("left").alias("join_key_l"), pl.col("right").alias("join_key_r")),
        )
        with quiet():
            door = _door(self._connection)
            linker = _linker(door.register("records" + suffix), document, log_level=None)
            for column, table in rarity.items():
                _load(self._connection, f"rarity_{column}{suffix}", table)
                frequency = door.register(f"rarity_{column}{suffix}")
                linker.table_management.register_term_frequency_lookup(frequency, column)
            linker.table_management.register_blocked_pairs_for_predict(door.register("pairs" + suffix))
            scored = linker.inference.predict()
        query = f'select unique_id_l as "left", unique_id_r as "right", match_weight as bits, {self._common()} as common from {scored.physical_name}'
        frame = pl.DataFrame(pl.from_arrow(self._connection.sql(query).to_arrow_table()))
        for name in (
            scored.physical_name,
            *(f"{t}{suffix}" for t in ("records", "pairs", *(f"rarity_{c}" for c in rarity))),
        ):
            self._connection.execute(f'drop table if exists "{name}"')
        linker.table_management.invalidate_cache()  # type: ignore[no-untyped-call] # Splink does not type it
        return frame.cast({"left": pl.UInt32, "right": pl.UInt32})

    def _common(self) -> str:
        """The shared comparisons' columns, added in the model's order."""
        terms = []
        for comparison, rungs in zip(self._model.plan.comparisons, self._model.rungs, strict=True):
            if comparison.name in self._model.shared:
                terms.append(f'"mw_{comparison.name}"')
                if any(rung.frequency_of for rung in rungs):
                    terms.append(f'"mw_tf_adj_{comparison.name}"')
        return " + ".join(terms) or "cast(0 as double)"


def rarity_tables(model: Model, features: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """For every column whose rarity counts: the frozen frequency of each value that occurs in these records."""
    found = {}
    for column, frequencies in model.frequencies.items():
        values = features.select(pl.col(column).drop_nulls().unique())
        counted = values.with_columns(plh.col(column).nchash.xxh3_64().alias("hash")).join(
            frequencies.table, on="hash", how="left", maintain_order="left"
        )
        shares = {count: 2.0 ** frequencies.log2_of_count(count) for count in counted["count"].fill_null(1).unique()}
        share = counted["count"].fill_null(1).replace_strict(shares, return_dtype=pl.Float64)
        found[column] = values.with_columns(share.alias(f"tf_{column}"))
    return found


def _load(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("arriving", frame.to_arrow())
    connection.execute(f'create table "{name}" as select * from arriving')
    connection.unregister("arriving")


def _linker(*arguments: Any, **options: Any) -> Linker:
    """Splink's linker. Splink brings sqlglot and pandas: a second of each process that trains nothing, if loaded at once.

    The settings are of our own making: looking for misspelt columns in them took an eighth of weighing a batch (measured).
    """
    from splink import Linker  # noqa: PLC0415

    return Linker(*arguments, **{"validate_settings": False, **options})


def _door(connection: duckdb.DuckDBPyConnection) -> Any:
    """Splink's way to our tables; one for all of a weighing, for each opens a database of its own that nobody uses (20 ms, measured)."""
    from splink.backends.duckdb import DuckDBAPI  # noqa: PLC0415 # see _linker

    return DuckDBAPI(connection=connection)


def _no_weights() -> pl.DataFrame:
    return pl.DataFrame(schema={"left": pl.UInt32, "right": pl.UInt32, "bits": pl.Float64, "common": pl.Float64})
