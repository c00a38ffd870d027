"""A run killed anywhere loses nothing and shows nothing half done; the next one finishes it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lienthong.errors import DatasetBusyError
from lienthong.pipeline import RunOutcome, run_dataset
from lienthong.store import dataset_lock
from tests import forking
from tests.factories import make_contract, make_workshop, write_people
from tests.pipeline.test_run import fates, rows_of

ROOT = Path(__file__).parents[2]
PEOPLE = [(f"P{n}", f"Người {n}", "07/03/1980", n % 5) for n in range(3500)]
CHANGED = [(key, name, born, 9 if int(key[1:]) % 7 == 0 else children) for key, name, born, children in PEOPLE[50:]]


def kill_at(url: str, file: Path, step: str, times: int) -> int:
    """Run and die; gives the exit code, -9 when it was killed."""
    command = [sys.executable, "-m", "tests.pipeline.killed_run", url, str(file), step, str(times)]
    return forking.run(command, cwd=ROOT).returncode


@pytest.mark.parametrize(("step", "times"), [("landing", 1), ("landing", 3), ("cleaning", 1), ("cleaning", 4), ("publishing", 1)])
def test_a_first_fill_killed_at_any_step_is_finished_by_the_next_run(database_url: str, tmp_path: Path, step: str, times: int) -> None:
    file = write_people(tmp_path / "people.csv", PEOPLE)
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    assert kill_at(database_url, file, step, times) == -9
    assert rows_of(workshop.database, "select count(*) from data.test_people") == [(0,)]
    outcome = run_dataset(workshop, contract)
    assert (outcome.state, fates(outcome)) == ("published", (3500, 3500, 0, 0, 0))
    landed = "select count(distinct run_id), sum(row_count) from lienthong.landing_batches"
    assert rows_of(workshop.database, landed) == [(1, 3500)]


@pytest.mark.parametrize(("step", "times"), [("landing", 2), ("landing", 4), ("cleaning", 1), ("publishing", 1)])
def test_an_update_killed_at_any_step_leaves_the_old_version_whole(database_url: str, tmp_path: Path, step: str, times: int) -> None:
    file = write_people(tmp_path / "people.csv", PEOPLE)
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    before = rows_of(workshop.database, "select * from data.test_people order by _key")
    write_people(file, CHANGED)
    assert kill_at(database_url, file, step, times) == -9
    assert rows_of(workshop.database, "select * from data.test_people order by _key") == before
    assert rows_of(workshop.database, "select count(*) from data.test_people_history") == [(0,)]
    outcome = run_dataset(workshop, contract)
    updated = sum(1 for row in CHANGED if row[3] == 9)
    assert fates(outcome) == (3450, updated, 3450 - updated, 0, 50)


def test_an_update_killed_before_any_of_its_statements_shows_the_old_or_the_new_rows_whole(database_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.pipeline.killed_anywhere", database_url, str(tmp_path / "people.csv"), "9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [kill for kill in kills if kill["seen"] == "torn" or not kill["finished"]] == []
    seen = [kill["seen"] for kill in kills]
    assert seen == sorted(seen, reverse=True)  # once it is shown, it stays: one commit decides
    assert (seen[0], seen[-1], kills[-1]["killed"]) == ("before", "after", False)


def test_a_source_replaced_after_the_kill_is_read_anew(database_url: str, tmp_path: Path) -> None:
    file = write_people(tmp_path / "people.csv", PEOPLE)
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    assert kill_at(database_url, file, "landing", 2) == -9
    write_people(file, PEOPLE[:10])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (10, 10, 0, 0, 0)
    assert rows_of(workshop.database, "select state from lienthong.runs order by run_id") == [("failed",), ("published",)]


def test_two_runs_of_one_dataset_started_together_publish_once(database_url: str, tmp_path: Path) -> None:
    file = write_people(tmp_path / "people.csv", PEOPLE)
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    outcomes: list[RunOutcome | DatasetBusyError] = []

    def run() -> None:
        try:
            outcomes.append(run_dataset(workshop, contract))
        except DatasetBusyError as busy:
            outcomes.append(busy)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [outcome.state for outcome in outcomes if isinstance(outcome, RunOutcome)]
    assert states.count("published") == 1
    assert rows_of(workshop.database, "select count(*), max(_version) from data.test_people") == [(3500, 1)]


def test_a_held_dataset_is_named_to_who_comes_second(database_url: str, tmp_path: Path) -> None:
    file = write_people(tmp_path / "people.csv", PEOPLE[:5])
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    with (
        workshop.database.connect(autocommit=True) as connection,
        dataset_lock(connection, contract.id),
        pytest.raises(DatasetBusyError, match=r"test\.people"),
    ):
        run_dataset(workshop, contract)
