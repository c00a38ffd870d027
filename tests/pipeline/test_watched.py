"""Watched sources: something new is taken in by itself, once; trouble is told once and tried again later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from lienthong.contracts import Contract, Delivery, Source
from lienthong.pipeline import RunOutcome, Workshop
from lienthong.pipeline.watched import Watch
from tests.factories import TickingClock, make_contract, make_workshop, write_people

ANNA = ("P1", "Nguyễn Thị An", "07/03/1980", 2)
BINH = ("P2", "Trần Văn Bình", "12/11/1975", 3)


def watched(folder: Path, **more: Any) -> Contract:
    source = Source("file", "csv_file", str(folder / "*.csv"), Delivery.INCREMENTAL, {"folder": {"watch": True, **more}})
    return make_contract(sources=(source, Source("other", "csv_file", str(folder / "other.csv"))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    return place


def test_what_newly_lies_there_is_taken_once_when_it_has_wholly_come(database_url: str, folder: Path) -> None:
    watch = Watch(make_workshop(database_url, watched(folder, done_marker="*.done")))
    assert watch.look() == []
    write_people(folder / "1.csv", [ANNA])
    assert watch.look() == []
    (folder / "1.csv.done").touch()
    assert [(each.source_name, each.rows_published) for each in watch.look()] == [("file", 1)]
    assert watch.look() == []
    write_people(folder / "2.csv", [BINH])
    (folder / "2.done").touch()
    assert [each.rows_published for each in watch.look()] == [1]
    again = Watch(watch.workshop)  # the server began anew
    assert [each.rows_published for each in again.look()] == [0]
    assert again.look() == []


def test_trouble_is_told_once_and_tried_again_after_a_while_or_when_something_new_lies_there(database_url: str, folder: Path) -> None:
    workshop: Workshop = make_workshop(database_url, watched(folder))
    watch = Watch(workshop)
    (folder / "1.csv").write_text("khác\n1\n", encoding="utf-8")
    with structlog.testing.capture_logs() as told:
        assert (watch.look(), watch.look()) == ([], [])
    assert [each["event"] for each in told].count("watched_source_not_taken") <= 1
    runs_before = _runs(workshop)
    assert watch.look() == []
    assert _runs(workshop) == runs_before
    clock = workshop.clock
    assert isinstance(clock, TickingClock)
    clock.now += timedelta(minutes=6)
    watch.look()
    assert _runs(workshop) == runs_before + 1
    write_people(folder / "1.csv", [ANNA])
    assert [each.rows_published for each in watch.look()] == [1]


def _runs(workshop: Workshop) -> int:
    with workshop.database.connect() as connection:
        found = connection.execute("select count(*) from runs").fetchone()
    assert found is not None
    return int(found[0])


def test_a_source_that_takes_long_keeps_no_other_waiting(database_url: str, folder: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    contract = watched(folder)
    long = Source("slow", "csv_file", str(slow / "*.csv"), Delivery.INCREMENTAL, {"folder": {"watch": True, "still_seconds": 1.5}})
    watch = Watch(make_workshop(database_url, replace(contract, sources=(*contract.sources, long))))
    write_people(slow / "1.csv", [BINH])
    write_people(folder / "1.csv", [ANNA])
    first: list[RunOutcome] = []
    while not first:
        first = watch.look(patience_seconds=0.05)
    assert [each.source_name for each in first] == ["file"]
    assert [each.source_name for each in watch.look()] == ["slow"]
