"""Backups: of one moment, put back whole, and named when they do not come back as they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lienthong.errors import Conflict, NotFound, StoreError
from lienthong.pipeline import Workshop, apply_contract, backing, run_dataset
from lienthong.pipeline.backing import Keeping
from lienthong.store import backing as store
from lienthong.store import operating
from tests.conftest import fresh_database
from tests.factories import make_contract, make_property, make_workshop
from tests.store.ledgers import written

FIELDS = (make_property("no", required=True, key_position=1), make_property("name"))


@pytest.fixture(scope="module")
def place(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = Path(tmp_path_factory.mktemp("source"))
    (folder / "list.csv").write_text("no,name\n" + "\n".join(f"{n},Tên số {n}" for n in range(200)) + "\n", "utf-8")
    with fresh_database(postgres_server) as url:
        contract = make_contract(id="test.list", properties=FIELDS, location=str(folder / "list.csv"))
        made = make_workshop(url, contract)
        apply_contract(made, contract)
        run_dataset(made, contract)
        yield made


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path / "backups")


def test_a_backup_is_put_back_whole_and_its_database_is_gone_again(place: Workshop, keeping: Keeping) -> None:
    made = backing.make(place, keeping, "van-hanh")
    file = keeping.folder / made.file_name
    assert (file.stat().st_mode & 0o777, keeping.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert made.datasets["test.list"] == (1, 200)
    done = backing.rehearse(place, keeping, "van-hanh")
    assert (done.is_whole, done.records, done.ledger_size) == (True, 200, made.ledger_size), done.said_en
    with place.database.connect() as connection:
        left = connection.execute("select count(*) from pg_database where datname like 'lienthong_dien_tap%'").fetchone()
        assert store.last_whole_rehearsal(connection) == done
    assert left == (0,)
    events = [entry["event"] for entry in written(place.database)]
    assert events[-2:] == ["backup:store:made", "backup:store:rehearsed"]


def test_a_backup_is_of_one_moment_while_others_write(place: Workshop, keeping: Keeping) -> None:
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            backing.ask(place, "verification", "khac")
            with place.database.connect() as connection:
                task = operating.take_task(connection, place.clock())
                assert task is not None
                operating.end_task(connection, task.task, place.clock(), "", "")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backing.make(place, keeping, "van-hanh")
    finally:
        ended.set()
        writer.join()
    assert backing.rehearse(place, keeping, "van-hanh").is_whole


def test_only_its_keepers_open_a_sealed_backup(place: Workshop, tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage")
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    sealed = Keeping(tmp_path, (str(mine.to_public()),), (str(other),))
    made = backing.make(place, sealed, "van-hanh")
    content = (tmp_path / made.file_name).read_bytes()
    assert content.startswith(b"age-encryption.org/v1")
    assert b"test.list" not in content
    assert "does not open" in backing.rehearse(place, sealed, "van-hanh").said_en
    assert backing.rehearse(place, Keeping(tmp_path, (), (str(mine),)), "van-hanh", made.backup).is_whole
    with pytest.raises(StoreError, match="age recipients"):
        backing.make(place, Keeping(tmp_path, ("age1khongphai",)), "van-hanh")


def test_a_changed_or_missing_file_is_named_and_recorded(place: Workshop, keeping: Keeping) -> None:
    made = backing.make(place, keeping, "van-hanh")
    file = keeping.folder / made.file_name
    file.write_bytes(file.read_bytes()[:-100])
    assert "changed" in backing.rehearse(place, keeping, "van-hanh").said_en
    file.unlink()
    done = backing.rehearse(place, keeping, "van-hanh", made.backup)
    assert (done.is_whole, done.said_en) == (False, "The file is not there any more.")
    with pytest.raises(NotFound):
        backing.rehearse(place, keeping, "van-hanh", 10**9)


def test_a_backup_that_lost_rows_is_told_by_dataset(place: Workshop, keeping: Keeping) -> None:
    made = backing.make(place, keeping, "van-hanh")
    with place.database.connect() as connection:  # what a rehearsal would find if the file held other rows than were counted
        connection.execute("update backups set datasets = %s where backup = %s", ('{"test.list": [1, 201]}', made.backup))
    assert "test.list" in backing.rehearse(place, keeping, "van-hanh").said_en


def test_a_backup_that_cannot_be_made_leaves_no_file(place: Workshop, keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_program", lambda *_: "/bin/false")
    with pytest.raises(StoreError, match="false failed"):
        backing.make(place, keeping, "van-hanh")
    assert list(keeping.folder.iterdir()) == []


def test_a_task_is_asked_for_once_done_by_the_worker_and_tells_why_not(place: Workshop, keeping: Keeping) -> None:
    backing.ask(place, "verification", "van-hanh")
    with pytest.raises(Conflict):
        backing.ask(place, "verification", "khac")
    backing.ask(place, "rehearsal", "van-hanh")
    assert backing.tend(place, keeping) == 2
    with place.database.connect() as connection:
        newest = operating.verifications(connection, 1)[0]
        assert operating.open_tasks(connection) == []
    assert (newest.is_whole, newest.by_whom) == (True, "van-hanh")
    with pytest.raises(NotFound):
        backing.ask(place, "cooking", "van-hanh")


def test_what_is_due_is_asked_for_by_itself_and_not_before(place: Workshop, keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    hourly = Keeping(keeping.folder, backup_hours=1, rehearse_days=1, verify_hours=1)
    assert backing.tend(place, Keeping(keeping.folder)) == 0
    at = place.clock() + timedelta(hours=2)
    later = replace(place, clock=lambda: at)
    kinds = []
    for kind in ("make", "rehearse", "verify"):
        monkeypatch.setattr(backing, kind, lambda *_, kind=kind: kinds.append(kind))
    assert backing.tend(later, hourly) == 2
    assert kinds == ["make", "verify"]
    assert backing.tend(later, hourly) == 0


def test_a_restore_needs_an_empty_database(place: Workshop) -> None:
    assert store.has_tables(place.database)
    with store.fresh_database(place.database) as empty:
        assert not store.has_tables(empty)
        url = empty.url
    with pytest.raises((StoreError, psycopg.Error)):
        store.has_tables(type(place.database)(url))
