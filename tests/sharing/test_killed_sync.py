"""A sync killed at any step loses nothing and repeats nothing; and after anything at all the copy is equal, byte for byte."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from lienthong.sharing import syncing
from lienthong.sharing.sync_checking import check
from tests import forking
from tests.conftest import fresh_database
from tests.sharing.syncs import definition_of, make_source, rows

ROOT = Path(__file__).parents[2]
NAMES = st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\x00"), min_size=1, max_size=6))
THINGS = st.dictionaries(
    st.sampled_from("ABCDEFGHIJKLMNOP"),
    st.tuples(NAMES, st.one_of(st.none(), st.integers(-(2**60), 2**60)), st.none(), st.none(), st.none(), st.none()),
    min_size=1,
    max_size=16,
)
DAMAGE = (
    "update things set name = 'tay'",
    "delete from things where lienthong_key < 'F'",
    "insert into things (lienthong_key) values ('ZZ')",
)
STEPS = st.lists(st.one_of(THINGS, st.sampled_from([*DAMAGE, "outage", "sync"])), min_size=2, max_size=6)


@pytest.fixture(scope="module")
def target(postgres_server: Any) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def ours(postgres_server: Any) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


def held(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute('select * from things order by lienthong_key collate "C"').fetchall()


def forget(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("things", "lienthong_syncs"):
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(table)))


@pytest.mark.parametrize(("step", "times"), [("begun", 1), ("announced", 2), ("loaded", 1), ("loaded", 3), ("applied", 1), ("applied", 2)])
def test_killed_at_any_step_nothing_is_lost_and_nothing_twice(
    database_url: str, target: str, tmp_path: Path, step: str, times: int
) -> None:
    forget(target)
    source = make_source(database_url, tmp_path)
    source.publish(rows(100))
    if step == "applied":
        source.sync(definition_of("postgresql", target))
        source.publish(rows(110, 15))
    command = [sys.executable, "-m", "tests.sharing.killed_sync", database_url, str(tmp_path), "postgresql", target, "", step, str(times)]
    assert forking.run(command, cwd=ROOT).returncode == -9
    assert source.sync(definition_of("postgresql", target)).state == "following"
    assert held(target) == source.expected()


def test_after_any_changes_outages_and_damage_the_copy_is_equal(ours: str, target: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    forget(target)
    source = make_source(ours, tmp_path_factory.mktemp("source"))
    source.publish(rows(5))
    definition = definition_of("postgresql", target)
    source.sync(definition)

    @given(steps=STEPS)
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def stays_equal(steps: list[Any]) -> None:
        for step in steps:
            if isinstance(step, dict):
                source.publish(step)
            elif step == "sync":
                source.sync(definition)
            elif step == "outage":
                assert source.sync(definition_of("postgresql", "postgresql://kho@127.0.0.1:1/none")).state == "failing"
            else:
                with psycopg.connect(target, autocommit=True) as connection:
                    connection.execute("delete from things where lienthong_key = 'ZZ'")
                    connection.execute(step)
        check(source.office(), definition, repair=True)
        assert held(target) == source.expected()

    old, syncing.CHANGES = syncing.CHANGES, 3
    try:
        stays_equal()
    finally:
        syncing.CHANGES = old
