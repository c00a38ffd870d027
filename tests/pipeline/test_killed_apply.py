"""`contract apply` killed between steps: what was not whole is not there, and applying again makes it whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lienthong.contracts import build
from lienthong.pipeline import Workshop, apply_contract, changing
from tests.contracts.factories import make_document
from tests.factories import make_workshop
from tests.forking import Forked

ROOT = Path(__file__).parents[2]
BLOCKED = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
GONE = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"


def documents(version: str, *more: str) -> list[dict[str, Any]]:
    found = []
    for name in ("test.first", "test.second"):
        made = make_document()
        made |= {"id": name, "version": version}
        made["schema"][0]["properties"] += [{"name": each, "logicalType": "string"} for each in more]
        found.append(made)
    return found


@pytest.fixture
def workshop(database_url: str) -> Workshop:
    made = make_workshop(database_url, *[build(each, each["id"]) for each in documents("1.0.0")])
    assert len(told(made)) == 2
    return made


def told(workshop: Workshop) -> list[str]:
    """The datasets of whose application the ledger tells, in the order they were written."""
    with workshop.database.connect() as connection:
        bodies = connection.execute("select bodies from lienthong.ledger_batches order by id").fetchall()
    entries = [json.loads(line) for (body,) in bodies for line in body.splitlines()]
    return [entry["dataset"] for entry in entries if entry["event"] == "contract:dataset:applied"]


def columns(workshop: Workshop, dataset: str) -> bool:
    with workshop.database.connect() as connection:
        names = {
            name
            for (name,) in connection.execute(
                "select column_name from information_schema.columns where table_schema = 'data' and table_name = %s", (dataset,)
            ).fetchall()
        }
    return "remark" in names


def killed_while(url: str, how: str, file: Path, hold: str) -> None:
    """Apply in another process, and kill it where it waits for what `hold` keeps from it."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        holder.execute(hold)
        process = Forked([sys.executable, "-m", "tests.pipeline.killed_apply", url, how, str(file)], cwd=ROOT)
        try:
            while watcher.execute(BLOCKED).fetchone() == (0,):
                assert process.poll() is None
        finally:
            process.kill()
            process.wait()
        holder.rollback()
        while watcher.execute(GONE).fetchone() != (0,):  # until the server has seen that nobody is there
            pass


def test_contracts_killed_before_their_entry_are_not_applied_at_all(database_url: str, workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    file.write_text(json.dumps(documents("1.1.0", "remark"), default=str), "utf-8")
    killed_while(database_url, "planned", file, "lock table lienthong.ledger_batches in exclusive mode")
    assert [columns(workshop, name) for name in ("test_first", "test_second")] == [False, False]
    assert len(told(workshop)) == 2
    contracts = [build(each, each["id"]) for each in documents("1.1.0", "remark")]
    plans = changing.plan(workshop, contracts)
    assert [each.outcome for each in plans] == ["migrated", "migrated"]
    changing.apply_planned(workshop, contracts, changing.digest_of(plans))
    assert [columns(workshop, name) for name in ("test_first", "test_second")] == [True, True]
    assert told(workshop)[2:] == ["test.first", "test.second"]


def test_of_contracts_killed_between_two_each_is_whole_or_not_there(database_url: str, workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    file.write_text(json.dumps(documents("1.1.0", "remark"), default=str), "utf-8")
    killed_while(database_url, "each", file, "lock table data.test_second in access exclusive mode")
    assert [columns(workshop, name) for name in ("test_first", "test_second")] == [True, False]
    assert told(workshop)[2:] == ["test.first"]
    for each in documents("1.1.0", "remark"):
        apply_contract(workshop, build(each, each["id"]))
    assert [columns(workshop, name) for name in ("test_first", "test_second")] == [True, True]
    assert told(workshop)[2:] == ["test.first", "test.second"]  # once each
