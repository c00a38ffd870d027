"""The supervisor: it starts, joins, survives `kill -9`, and says in words why it cannot."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from lienthong.errors import SettingsError, StoreError
from lienthong.store import embedded
from lienthong.store.embedded import EmbeddedServer, _failure
from lienthong.store.processes import is_running, processes_working_in


def one(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def wait_until_gone(process_id: int) -> None:
    while is_running(process_id):
        time.sleep(0.01)


def test_starts_stops_and_keeps_what_it_held(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as n")
    process_id = server.process_id
    server.stop()
    assert process_id is not None
    assert not is_running(process_id)
    again = EmbeddedServer(open_path)
    assert one(again.start(), "select n from kept") == 1
    again.stop()


def test_a_second_user_joins_and_the_last_one_out_stops_it(open_path: Path) -> None:
    first, second = EmbeddedServer(open_path), EmbeddedServer(open_path)
    url = first.start()
    assert second.start() == url
    assert second.process_id == first.process_id
    first.stop()
    assert one(url, "select 1") == 1
    process_id = second.process_id
    second.stop()
    assert process_id is not None
    assert not is_running(process_id)


def test_two_processes_that_start_together_share_one_server(open_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from lienthong.store.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start(); print(server.process_id, flush=True); time.sleep(1)"
    )
    command = [sys.executable, "-c", program, str(open_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {child.communicate(timeout=120)[0] for child in both}
    assert len(answers) == 1
    wait_until_gone(int(answers.pop()))


def test_a_killed_server_is_started_again_with_everything_committed(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGKILL)  # the zombie stays ours: nobody has asked how it ended
    again = EmbeddedServer(open_path)
    assert one(again.start(), "select count(*) from kept") == 1000
    again.stop()
    server.stop()


def test_a_server_that_will_not_stop_is_stopped_all_the_same(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_WAYS_TO_STOP", ((signal.SIGINT, 0.2), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 5.0)))
    server = EmbeddedServer(open_path)
    with psycopg.connect(server.start()) as connection:
        connection.execute("create table kept as select 1 as n")
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGSTOP)  # deaf to all but the last word
    server.stop()
    again = EmbeddedServer(open_path)
    assert one(again.start(), "select n from kept") == 1
    again.stop()


def test_a_pid_file_that_names_another_living_process_does_not_stop_a_start(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    server.start()
    server.stop()
    (open_path / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n", "utf-8")
    assert one(server.start(), "select 1") == 1
    server.stop()


def test_a_server_whose_socket_was_swept_away_is_started_again(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    server.start()
    for file in (open_path / "postgres" / "socket").iterdir():
        file.unlink()
    again = EmbeddedServer(open_path)
    assert one(again.start(), "select 1") == 1
    again.stop()
    server.stop()


def test_a_user_killed_without_warning_leaves_no_claim_behind(open_path: Path) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path; from lienthong.store.embedded import EmbeddedServer\n"
        "EmbeddedServer(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(open_path)], check=False, timeout=120)
    server = EmbeddedServer(open_path)
    server.start()
    process_id = server.process_id
    assert process_id is not None
    server.stop()
    assert not is_running(process_id)


def test_a_killed_initdb_leaves_nothing_that_looks_whole(open_path: Path) -> None:
    unfinished = open_path / "postgres" / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n", "utf-8")
    server = EmbeddedServer(open_path)
    assert one(server.start(), "select 1") == 1
    server.stop()


def test_a_deep_home_gets_a_socket_with_a_short_name(open_path: Path) -> None:
    deep = open_path / ("x" * 60) / ("y" * 60)
    server = EmbeddedServer(deep)
    assert one(server.start(), "select 1") == 1
    assert EmbeddedServer(deep).start() == server.url()
    server.stop()


def test_only_its_own_account_can_read_its_files_and_it_listens_on_no_port(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    url = server.start()
    base = open_path / "postgres"
    assert stat.S_IMODE(base.stat().st_mode) == 0o700
    assert stat.S_IMODE((base / "password").stat().st_mode) == 0o600
    assert one(url, "show listen_addresses") == ""
    assert one(url, "show synchronous_commit") == "on"
    password = (base / "password").read_text("utf-8")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(password, "guess"))
    server.stop()


def test_folders_above_keep_their_permissions(open_path: Path) -> None:
    before = stat.S_IMODE(open_path.stat().st_mode)
    server = EmbeddedServer(open_path / "home")
    server.start()
    server.stop()
    assert stat.S_IMODE(open_path.stat().st_mode) == before


@pytest.mark.usefixtures("postgres_server")
def test_text_compares_by_code_point_whatever_the_machine_speaks(database_url: str) -> None:
    assert one(database_url, "select string_agg(w, '' order by w) from unnest(array['đ', 'e', 'd', 'Z']) w") == "Zdeđ"
    assert one(database_url, "select upper('đặng')") == "ĐẶNG"


def test_a_home_behind_a_closed_folder_is_left_closed(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, elsewhere = open_path / "closed", open_path / "elsewhere"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("lienthong.store.embedded.FALLBACK", elsewhere)
    server = EmbeddedServer(closed / "home")
    assert one(server.start(), "select 1") == 1
    assert server.process_id is not None
    server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    # Only root starts the server under another account, which may not pass; anybody else may enter a folder of their own.
    assert [path.name for path in (closed / "home").iterdir()] == ([] if os.geteuid() == 0 else ["postgres"])


def test_a_full_disk_is_told_in_words(open_path: Path) -> None:
    said = "initdb: error: could not write: No space left on device"
    told = _failure("PostgreSQL could not make its data folder", "PostgreSQL không tạo được thư mục dữ liệu", said, open_path)
    assert "the disk under" in told.message
    assert "đã đầy" in told.facts["vi"]


def test_missing_binaries_name_the_way_out(open_path: Path) -> None:
    with pytest.raises(SettingsError, match="LIENTHONG_DATABASE_URL"):
        EmbeddedServer(open_path, binaries=open_path / "nothing").start()


def test_data_of_another_postgresql_is_refused_in_words(open_path: Path) -> None:
    server = EmbeddedServer(open_path)
    server.start()
    server.stop()
    (open_path / "postgres" / "data" / "PG_VERSION").write_text("14\n", "utf-8")
    with pytest.raises(StoreError, match=r"PostgreSQL 14, this is PostgreSQL 18"):
        server.start()


def test_a_broken_configuration_is_told_in_the_servers_words(open_path: Path) -> None:
    server = EmbeddedServer(open_path, options={"shared_buffers": "many"})
    with pytest.raises(StoreError, match="shared_buffers"):
        server.start()
    assert processes_working_in(open_path / "postgres" / "data") == []


def test_debian_postgresql_15_runs_the_same_way(postgres15_url: str) -> None:
    assert str(one(postgres15_url, "show server_version")).startswith("15")
    assert one(postgres15_url, "select count(*) from lienthong.schema_versions") == 1
