"""Matching spread over more than one machine: Splink on Spark joins the pairs and weighs them, and the clusters are the same.

`pyspark` is an extra (`lienthong[spark]`) and needs Java. Nothing imports this file unless Spark is asked for. What is not spread:
reading features, making keys, and linking components; those take the smaller part of the time and stay where the records are.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from lienthong.errors import SettingsError
from lienthong.masterdata.blocking import Blocking
from lienthong.masterdata.candidates import without_two_numbers
from lienthong.masterdata.model import Model
from lienthong.masterdata.narrow import plain
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import Rules
from lienthong.masterdata.splinking import quiet, rarity_tables, settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Splink's own `jaro_winkler` for Spark counts half a letter out of place where DuckDB and RapidFuzz round down: `do hong duc` and
# `dr hong duc` are 0.9005 alike there, 0.9155 here. Edits agree. So likeness is RapidFuzz's own, on every worker.
FUNCTIONS = {"edits": "damerau_levenshtein", "alike": "lienthong_alike", "words": "split", "in_common": "array_intersect", "count": "size"}
_PAIRS_AT_ONCE = 20_000_000  # weights fetched in one piece: about 640 MB
_JOINED = (pl.col("left").alias("join_key_l"), pl.col("right").alias("join_key_r"))
_names = count()


def spark_session(master: str = "local[*]", options: Mapping[str, str] | None = None) -> SparkSession:
    """A session that has Splink's functions; `master` as Spark writes it (`local[2]`, `spark://host:7077`, `yarn`).

    Raises SettingsError, saying what to install, where pyspark or Java is missing.
    """
    _need_pyspark()
    _need_java()
    from pyspark.sql import SparkSession  # noqa: PLC0415 an extra
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415 imports pyspark

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    given = {
        "spark.jars": similarity_jar_location(),
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "lienthong-spark"),  # nothing is kept there, but Spark makes it
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.maxResultSize": "4g",
        "spark.log.level": "ERROR",
        **(options or {}),
    }
    builder = SparkSession.builder.master(master).appName("lienthong")
    for name, value in given.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def register_functions(session: SparkSession) -> None:
    """Make `FUNCTIONS` known to the session."""
    from splink.backends.spark import SparkAPI  # noqa: PLC0415 imports pyspark

    with quiet():
        SparkAPI(spark_session=session, break_lineage_method="persist")  # type: ignore[no-untyped-call] # Splink does not type it
    session.udf.register(FUNCTIONS["alike"], _alike())


def spark_engine(session: SparkSession) -> Callable[[Model, pl.DataFrame], SparkEngine]:
    """What `resolve(make_engine=…)` asks for."""
    return lambda model, features: SparkEngine(model, features, session)


def candidate_pairs(
    session: SparkSession, plan: Plan, blocking: Blocking, features: pl.DataFrame, sources: pl.Series | None = None
) -> pl.DataFrame:
    """The same pairs as `candidates.candidate_pairs` gives, joined by Spark: `left` < `right`, each pair once, sorted."""
    rules = Rules(plan)
    columns = [pl.int_range(features.height, dtype=pl.UInt32, eager=True).alias("record")]
    kept = ["l.record < r.record"]
    columns += [features[column].alias(f"own_{n}") for n, column in enumerate(rules.slip_columns)]
    slips = " and ".join(f"coalesce(l.own_{n} = r.own_{n}, false)" for n in range(len(rules.slip_columns))) or "false"
    for n, name in enumerate(plan.identifiers):
        columns.append(features[plan.same_column(name)].alias(f"bar_{n}"))
        kept.append(f"(l.bar_{n} is null or r.bar_{n} is null or l.bar_{n} = r.bar_{n} or ({slips}))")
    apart = rules.apart_columns
    if apart:
        columns += [features[column].alias(f"apart_{n}") for n, column in enumerate(apart)]
        kept.append(f"not ({' and '.join(f'coalesce(l.apart_{n} <> r.apart_{n}, false)' for n in range(len(apart)))})")
    if sources is not None and plan.unique_sources:
        columns.append(pl.select(pl.when(sources.is_in(sorted(plan.unique_sources))).then(sources)).to_series().alias("register"))
        kept.append("(l.register is null or r.register is null or l.register <> r.register)")
    keys = blocking.key_frame(features).with_columns(pl.col("key").reinterpret(signed=True))  # Spark has no unsigned numbers
    view = _view(session, "keys", keys.join(pl.DataFrame(columns), on="record"))
    query = (
        f"select distinct l.record as `left`, r.record as `right` from {view} l join {view} r on l.key = r.key where {' and '.join(kept)}"
    )
    found = _fetched(session.sql(query))
    session.catalog.dropTempView(view)
    return without_two_numbers(plan, features, found.cast({"left": pl.UInt32, "right": pl.UInt32}).sort("left", "right"))


class SparkEngine:
    """Splink on Spark, over one frame of features whose row numbers name the records."""

    def __init__(self, model: Model, features: pl.DataFrame, session: SparkSession) -> None:
        self._model = model
        self._session = session
        register_functions(session)
        features = plain(features)
        self._rows = _view(session, "features", features.select(model.plan.columns).with_row_index("unique_id"))
        session.table(self._rows).persist()
        prior = 1 / (1 + 2.0**-model.prior_bits)
        self._settings = _in_spark(settings(model.plan, FUNCTIONS, prior, model.rungs, with_parts=bool(model.shared)))
        self._rarity = rarity_tables(model, features)

    def weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`left`, `right` → with `bits` and `common`, as `DuckDBEngine.weights`."""
        parts = [self._weights(pairs[start : start + _PAIRS_AT_ONCE]) for start in range(0, max(pairs.height, 1), _PAIRS_AT_ONCE)]
        return pl.concat(parts)

    def _weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        from splink import Linker  # noqa: PLC0415 beside the next line
        from splink.backends.spark import SparkAPI  # noqa: PLC0415 imports pyspark

        session, views = self._session, [_view(self._session, "pairs", pairs.select(pl.lit("0").alias("match_key"), *_JOINED))]
        partitions = int(session.conf.get("spark.sql.shuffle.partitions") or 200)
        with quiet():
            api = SparkAPI(  # type: ignore[no-untyped-call] # Splink does not type it
                spark_session=session,
                break_lineage_method="persist",
                num_partitions_on_repartition=partitions,
                register_udfs_automatically=False,
            )
            linker = Linker(api.register(session.table(self._rows)), self._settings, log_level=None)
            for column, table in self._rarity.items():
                views.append(_view(session, "rarity", table))
                linker.table_management.register_term_frequency_lookup(api.register(session.table(views[-1])), column)
            linker.table_management.register_blocked_pairs_for_predict(api.register(session.table(views[0])))
            scored = linker.inference.predict()
        query = f"select unique_id_l as `left`, unique_id_r as `right`, match_weight as bits, {self._common()} as common from {scored.physical_name}"
        frame = _fetched(session.sql(query))
        for kept in linker._intermediate_table_cache.values():  # noqa: SLF001 what Splink persisted would stay in the workers' memory
            session.table(kept.physical_name).unpersist()
            session.catalog.dropTempView(kept.physical_name)
        linker.table_management.invalidate_cache()  # type: ignore[no-untyped-call] # Splink does not type it
        for view in views:
            session.catalog.dropTempView(view)
        return frame.cast({"left": pl.UInt32, "right": pl.UInt32})

    def _common(self) -> str:
        """The shared comparisons' columns, added in the model's order."""
        terms = []
        for comparison, rungs in zip(self._model.plan.comparisons, self._model.rungs, strict=True):
            if comparison.name in self._model.shared:
                terms.append(f"`mw_{comparison.name}`")
                if any(rung.frequency_of for rung in rungs):
                    terms.append(f"`mw_tf_adj_{comparison.name}`")
        return " + ".join(terms) or "cast(0 as double)"


def _alike() -> Any:
    """Jaro-Winkler for SQL. Made inside a function, so that it travels whole and a worker needs RapidFuzz but not Lienthong."""
    from pyspark.sql.functions import udf  # noqa: PLC0415 an extra

    def alike(left: str | None, right: str | None) -> float | None:
        from rapidfuzz.distance import JaroWinkler  # noqa: PLC0415 on the worker

        if left is None or right is None:
            return None
        return JaroWinkler.similarity(left, right) if left or right else 0.0  # two empty texts: as DuckDB says

    return udf(alike, "double", useArrow=True)


def _in_spark(document: Any) -> Any:
    """Settings whose names are quoted as Spark quotes them: in double quotes it reads a text."""
    if isinstance(document, dict):
        return {name: _in_spark(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_in_spark(value) for value in document]
    return document.replace('"', "`") if isinstance(document, str) else document


def _view(session: SparkSession, kind: str, frame: pl.DataFrame) -> str:
    """The frame as a view of the session, under a name of its own."""
    name = f"lienthong_{kind}_{next(_names)}"
    signed = frame.with_columns(pl.col(pl.UInt32, pl.UInt64).cast(pl.Int64))
    spread = session.createDataFrame(signed.to_arrow())
    spread.repartition(max(spread.rdd.getNumPartitions(), session.sparkContext.defaultParallelism)).createOrReplaceTempView(name)
    return name


def _fetched(spread: DataFrame) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(spread.toArrow()))


def _need_pyspark() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise SettingsError("Matching on Spark needs pyspark, which is not installed.", hint="pip install 'lienthong[spark]'")


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    found = (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is not None
    if not found:
        raise SettingsError(
            "Spark needs Java 17 or later, and none is on this machine.",
            hint="apt install openjdk-17-jre-headless, or set JAVA_HOME.",
        )
