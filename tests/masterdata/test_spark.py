"""Spark gives what DuckDB gives: the same likeness of words, the same pairs, the same weights, the same clusters."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.errors import SettingsError
from lienthong.masterdata import spark
from lienthong.masterdata.model import Cuts, Model
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.splinking import DUCKDB_FUNCTIONS, DuckDBEngine, memory_database
from lienthong.pipeline import Workshop, match_all, match_models
from tests.masterdata.people import FAMILIES, GIVENS, Village, marks_dropped
from tests.registers import model_of, person_entity

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.driver.memory": "1g",
    "spark.sql.codegen.wholeStage": "false",  # compiling what runs once on a few hundred rows takes longer than running it
    "spark.sql.adaptive.enabled": "false",
}
BRIEF = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData"  # a machine of Java that lives a minute earns back no deep compiling
WORKERS = "local-cluster[2,1,1024]"  # two machines in small, each a process of its own: all that either works on was sent to it
OTHERS = (
    "local-cluster[1,2,1024]",  # one, whose threads work side by side
    "local[2]",
)  # tried by `make test-deep`: each process of Spark takes ten seconds of a processor to start

pytest.importorskip("pyspark", reason="the extra lienthong[spark] is not installed")
needs_java = pytest.mark.skipif(
    shutil.which("java") is None and "JAVA_HOME" not in os.environ, reason="Java is missing (Debian: openjdk-17-jre-headless)"
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "session" in metafunc.fixturenames:
        deep = metafunc.config.getoption("--hypothesis-profile") is not None
        metafunc.parametrize("session", [WORKERS, *OTHERS] if deep else [WORKERS], indirect=True, scope="module")


@pytest.fixture(scope="module")
def session(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", BRIEF)
        running = spark.spark_session(request.param, SMALL)
        yield running
        running.stop()


class Watched:
    """Spark's engine, and what it was asked and answered."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self.pairs = self.weighed = pl.DataFrame()

    def __call__(self, model: Model, features: pl.DataFrame) -> Watched:
        self._engine = spark.SparkEngine(model, features, self._session)
        return self

    def weights(self, pairs: pl.DataFrame) -> pl.DataFrame:
        self.pairs, self.weighed = pairs, self._engine.weights(pairs)
        return self.weighed


@needs_java
def test_spark_finds_pairs_weights_and_clusters_as_duckdb_does(session: SparkSession, model: Model, village: Village) -> None:
    watched = Watched(session)
    there = resolve(model, village.features, village.sources, make_engine=watched)
    here = resolve(model, village.features, village.sources)
    assert there.cluster.tolist() == here.cluster.tolist()
    assert there.near == here.near

    weighed = watched.weighed.sort("left", "right")
    expected = DuckDBEngine(model, village.features, memory_database()).weights(watched.pairs).sort("left", "right")
    assert weighed.select("left", "right").equals(expected.select("left", "right"))
    for column in ("bits", "common"):
        assert np.abs(weighed[column].to_numpy() - expected[column].to_numpy()).max() < 1e-9

    sources = pl.Series("source", village.sources)
    assert spark.candidate_pairs(session, village.plan, model.blocking, village.features, sources).equals(watched.pairs)


@needs_java
def test_everything_matched_through_spark_at_the_terminal_ends_in_the_golden_records_duckdb_gives(
    session: SparkSession, matched_province: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entity, strict = person_entity(matched_province), model_of(matched_province).with_cuts(Cuts(40.0, 40.0))
    match_models.adopt(matched_province, entity, replace(strict, version="2"))
    expected = match_models.compare(matched_province, entity, strict)
    assert expected.splitting > 50
    for name, value in {"DATABASE_URL": matched_province.database.url, "HOME": str(tmp_path), "DATASETS": str(ROOT / "datasets")}.items():
        monkeypatch.setenv(f"LIENTHONG_{name}", value)
    watched = Watched(session)
    monkeypatch.setattr(spark, "spark_engine", lambda _: watched)
    ran = CliRunner().invoke(app, ["match", "run", "person", "--spark", str(session.sparkContext.master)])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    assert watched.weighed.height > 100
    assert match_all.match_all(matched_province, entity, strict).version.version is None  # DuckDB finds nothing to change
    left = match_models.compare(matched_province, entity, strict)
    assert (left.merging, left.splitting) == (0, 0)


@needs_java
def test_ten_thousand_pairs_of_words_are_as_alike_on_spark_as_on_duckdb(session: SparkSession, model: Model, village: Village) -> None:
    if session.sparkContext.master != WORKERS:
        return  # a word is a word on every worker
    words = _pairs_of_words(10_000).to_arrow()
    asked = "select n, {edits}(a, b) as edits, {alike}(a, b) as alike, {count}({in_common}({words}(a, ' '), {words}(b, ' '))) as common from words"
    spark.register_functions(session)
    session.createDataFrame(words).createOrReplaceTempView("words")
    there = pl.DataFrame(pl.from_arrow(session.sql(asked.format(**spark.FUNCTIONS)).toArrow())).sort("n")
    database = memory_database()
    database.register("words", words)
    here = pl.DataFrame(pl.from_arrow(database.sql(asked.format(**DUCKDB_FUNCTIONS)).to_arrow_table())).sort("n")
    assert there["edits"].to_list() == here["edits"].to_list()
    assert there["common"].to_list() == here["common"].to_list()
    assert np.abs(there["alike"].to_numpy() - here["alike"].to_numpy()).max() < 1e-9


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)
    with pytest.raises(SettingsError, match="lienthong\\[spark\\]"):
        spark.spark_session()


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="openjdk"):
        spark.spark_session()


def _pairs_of_words(count: int) -> pl.DataFrame:
    """Names, numbers and nothing, each beside itself damaged or beside another."""
    chance = random.Random(5)
    given = [name for names in GIVENS.values() for name in names]
    rows: list[tuple[int, str, str]] = []
    for n in range(count):
        words = [marks_dropped(chance.choice(FAMILIES)), marks_dropped(chance.choice(given)), marks_dropped(chance.choice(given))]
        one = f"{chance.randrange(10**8):08d}" if n % 5 == 0 else " ".join(words[: n % 4]).lower()
        letters = list(one)
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(letters) + 1)
            letters[place : place + chance.randrange(3)] = chance.choice(("", "a", "n", "7", " ", "gh"))
        rows.append((n, one, "".join(letters) if n % 3 else " ".join(reversed(words)).lower()))
    return pl.DataFrame(rows, schema={"n": pl.Int64, "a": pl.String, "b": pl.String}, orient="row")
