"""Files of an SSH server: only of the one whose key is known."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lienthong.connectors import coming, let_go, read
from lienthong.connectors.files import fingerprint_files
from lienthong.connectors.folder import FolderOptions, read_address
from lienthong.connectors.folder_sftp import SftpFolder
from lienthong.connectors.sftp_lane import Lane, NoLane, Way, lane
from lienthong.errors import HostileInputError, SourceError
from lienthong.pipeline import run_dataset
from lienthong.store import landing, runs
from tests import forking
from tests.connectors.folders import ROOT, EveryFolder, Served, peak_of
from tests.factories import make_contract, make_workshop, write_people
from tests.servers import SshServer, cut_off, sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def served(server: SshServer, tmp_path: Path) -> Served:
    root = tmp_path / "xuất"
    return Served(root, f"{server.url}{root}", {"host_key": server.host_key, "key_file": str(server.key_file)})


class TestSftp(EveryFolder):
    pass


def test_a_server_with_another_key_is_told_nothing(served: Served, server: SshServer) -> None:
    served.write("a.csv", "1")
    another = (server.key_file.parent / "own.pub").read_text("utf-8").strip()
    with pytest.raises(HostileInputError, match="another host key"):
        served.read(served.source("a.csv", host_key=another))
    with pytest.raises(SourceError, match=r"`folder.host_key` is required"):
        served.read(served.source("a.csv", host_key=""))


def test_an_account_that_is_not_known_is_told_in_words(served: Served) -> None:
    served.write("a.csv", "1")
    with pytest.raises(SourceError, match="does not take this account") as told:
        served.read(served.source("a.csv", key_file="", password="mật-khẩu-sai"))
    assert "mật-khẩu-sai" not in str(told.value)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(served: Served, tmp_path: Path) -> None:
    served.write("thật/a.csv", "1")
    (served.root / "b.csv").symlink_to(served.root / "thật" / "a.csv")
    assert served.values(served.source("*.csv")) == ["1"]
    (tmp_path / "ngoài.csv").write_text("mã;giá trị\n1;secret\n", encoding="utf-8")
    (served.root / "c.csv").symlink_to(tmp_path / "ngoài.csv")
    with pytest.raises(HostileInputError, match="link out of"):
        served.read(served.source("*.csv"))


def test_a_large_file_comes_over_a_lane_of_its_own_from_any_place_on(served: Served, server: SshServer) -> None:
    """Whoever has no lane reads the same over the first line; the lane is held to the agreed key."""
    big = bytes(range(256)) * 4096 * 34 + b"end"
    served.root.mkdir(exist_ok=True)
    (served.root / "lớn.bin").write_bytes(big)
    source = served.source("lớn.bin")
    options, address = FolderOptions.of(source, served.context), read_address(source, served.context)
    folder = SftpFolder(address, options, served.context)
    for _ in folder.opening():
        pass
    way = folder._way
    assert way is not None
    lying = folder.facts("lớn.bin")
    for offset in (0, 1 << 20, (1 << 20) + 7):
        assert b"".join(folder.pieces(lying, offset)) == big[offset:]
    assert folder._way is way, "it was open"
    another = " ".join((server.key_file.parent / "own.pub").read_text("utf-8").split()[:2])
    for shut in (replace(way, host_key=another), replace(way, user="ai-khac"), replace(way, key_file="/dev/null")):
        with pytest.raises(NoLane), lane(shut):
            pass
        folder._way = shut
        assert b"".join(folder.pieces(lying, 0)) == big
        assert folder._way is None
    with lane(way) as line:
        assert sum(map(len, line.pieces(f"{address.folder}/lớn.bin", 1 << 20, 90 << 20))) == len(big) - (1 << 20), "no more than there is"
    with lane(way) as line, pytest.raises(FileNotFoundError):
        next(line.pieces(f"{address.folder}/không-có", 0, 1))
    folder.close()


@pytest.mark.parametrize(
    ("user", "key_file"),
    [("-oProxyCommand=x", "/k"), ("a b", "/k"), ("a;b", "/k"), ("", "/k"), ("a", ""), ("a", "/k %h"), ("a", "~/k"), ("a", "/k\nProxyCommand x")],
)  # fmt: skip
def test_an_account_or_a_key_the_program_could_misread_takes_no_lane(user: str, key_file: str) -> None:
    assert not Way("127.0.0.1", 22, ("ssh-ed25519",), "ssh-ed25519 AAAA", user, key_file, 1).is_open_to_program


def data(number: int, text: bytes) -> bytes:
    return b"\x67" + number.to_bytes(4) + len(text).to_bytes(4) + text


ENDS = b"\x65" + (9).to_bytes(4) + (1).to_bytes(4)
BEGINS = (b"\x02" + (3).to_bytes(4), b"\x66" + (1).to_bytes(4) + (1).to_bytes(4) + b"h")  # its version, then a handle


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((data(3, b"b" * 131_072), data(2, b"a" * 100), data(4, b"A" * 130_972)), b"a" * 100 + b"A" * 130_972 + b"b" * 131_072),
        ((data(2, b"a" * 131_072), ENDS.replace((9).to_bytes(4), (3).to_bytes(4))), b"a" * 131_072),
        ((data(2, b"a" * 131_073),), OSError),
        (tuple(data(100 + n, b"a") for n in range(40)), OSError),
        ((b"\x67" + b"a" * 200_000,), OSError),
        ((b"\x65" + (2).to_bytes(4) + (3).to_bytes(4),), PermissionError),
        ((b"\x68",), OSError),
    ],
)  # fmt: skip
def test_answers_out_of_order_and_short_ones_make_the_file_and_wrong_ones_are_refused(
    tmp_path: Path, answers: tuple[bytes, ...], found: bytes | type[OSError]
) -> None:
    said = tmp_path / "said"
    said.write_bytes(b"".join(len(each).to_bytes(4) + each for each in (*BEGINS, *answers)))
    command = ["sh", "-c", 'cat "$0"; exec sleep 60', str(said)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            pieces = Lane(process, 30).pieces("a", 0, 2 * 131_072)
            if isinstance(found, bytes):
                assert b"".join(pieces) == found
            else:
                with pytest.raises(found):
                    list(pieces)
        finally:
            process.kill()


def test_devices_and_pipes_are_no_files(served: Served) -> None:
    served.write("a.csv", "1")
    os.mkfifo(served.root / "b.csv")
    assert served.values(served.source("*.csv")) == ["1"]


def test_a_fetch_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    """The server is killed while it sends; another one comes; what was fetched is not fetched again, and the bytes are the same."""
    folder, root = tmp_path / "sshd", tmp_path / "xuất"
    folder.mkdir()
    with sshd(folder) as server:
        served = Served(root, f"{server.url}{root}", {"host_key": server.host_key, "key_file": str(server.key_file), "timeout_seconds": 60})
        served.write_big("lớn.csv")
        source = served.source("lớn.csv")
        said = cut_off(lambda: served.read(source), served.part, server.process)
        assert isinstance(said, SourceError)
        assert "broke off" in str(said)
    part = served.part()
    assert part is not None
    begun = part.read_bytes()
    assert 0 < len(begun) < (root / "lớn.csv").stat().st_size
    part.write_bytes(b"\xff" + begun[1:])  # seen again below: it is gone on with, not fetched anew
    with sshd(folder, server.port):
        digest = hashlib.sha256(b"\xff" + (root / "lớn.csv").read_bytes()[1:]).hexdigest()
        assert served.read(source).batches[0].file.sha256 == digest
    assert served.left() == []


def test_ten_times_the_rows_take_no_more_memory(served: Served) -> None:
    peaks = {}
    for name, megabytes in (("nhỏ.csv", 6), ("lớn.csv", 48)):
        served.write_big(name, megabytes)
        rows, peaks[name] = peak_of(served.source(name), served.spool)
        assert rows == megabytes * 1024
    assert peaks["lớn.csv"] < peaks["nhỏ.csv"] + 40, peaks  # one window of what is under way


def test_a_run_killed_while_it_lands_goes_on_with_what_was_fetched(served: Served, database_url: str) -> None:
    """And nothing is fetched twice: what lies there is gone by then, but for its name, size and time."""
    people = write_people(served.root / "người.csv", [(f"P{n}", f"Người {n}", "07/03/1980", 1) for n in range(3500)])
    os.utime(people, (1_700_000_000, 1_700_000_000))
    source = served.source("*.csv")
    contract = make_contract(sources=(source,))
    workshop = replace(make_workshop(database_url, contract), read_context=served.context)
    arguments = [database_url, source.location, "landing", "2", json.dumps(source.options["folder"]), str(served.spool)]
    died = forking.run([sys.executable, "-m", "tests.pipeline.killed_run", *arguments], cwd=ROOT)
    assert died.returncode == -9, died.stderr
    people.write_bytes(b"x" * people.stat().st_size)
    os.utime(people, (1_700_000_000, 1_700_000_000))
    outcome = run_dataset(workshop, contract)
    assert (outcome.state, outcome.rows_in, outcome.rows_published) == ("published", 3500, 3500)
    assert served.left() == []


def test_a_file_that_changed_and_says_it_has_not_is_never_read_as_what_it_was(served: Served) -> None:
    served.write("a.csv", "1")
    source = served.source("a.csv")
    first = fingerprint_files(source, served.context)
    let_go(source, served.context)
    (served.root / "a.csv").write_bytes((served.root / "a.csv").read_bytes().replace(b";1", b";2"))
    os.utime(served.root / "a.csv", (1_700_000_001, 1_700_000_001))
    assert fingerprint_files(source, served.context) == first
    with pytest.raises(SourceError, match="changed while it was fetched"):
        served.read(source)
    assert fingerprint_files(source, served.context) != first
    assert served.values(source) == ["2"]


def test_a_delivery_sent_twice_is_recognised_and_what_was_fetched_for_it_is_gone(served: Served, database_url: str) -> None:
    people = write_people(served.root / "a.csv", [("P1", "Nguyễn Thị An", "07/03/1980", 2)])
    contract = make_contract(sources=(served.source("*.csv"),))
    workshop = replace(make_workshop(database_url, contract), read_context=served.context)
    assert run_dataset(workshop, contract).state == "published"
    os.utime(people, (1_700_000_100, 1_700_000_100))
    assert (run_dataset(workshop, contract).state, served.left()) == ("unchanged", [])


def test_a_first_delivery_is_landed_while_it_is_fetched_and_is_what_a_fetch_before_would_have_landed(
    served: Served, database_url: str
) -> None:
    """Its hash and fingerprint are known at its end, so that the same content, sent again, is recognised."""
    people = write_people(served.root / "a.csv", [(f"P{n}", f"Người {n}", "07/03/1980", 1) for n in range(2500)])
    source = served.source("a.csv")
    assert coming(source, served.context) is not None
    contract = make_contract(sources=(source,))
    workshop = replace(make_workshop(database_url, contract), read_context=served.context)
    outcome = run_dataset(workshop, contract)
    assert (outcome.state, outcome.rows_published, served.left()) == ("published", 2500, [])
    with workshop.database.connect() as connection:
        files = landing.files(connection, outcome.run_id)
        stored = runs.show(connection, outcome.run_id)
    assert [file.sha256 for file in files] == [hashlib.sha256(people.read_bytes()).hexdigest()]
    assert stored is not None
    assert stored.fingerprint == fingerprint_files(source, served.context)
    os.utime(people, (1_700_000_100, 1_700_000_100))
    assert run_dataset(workshop, contract).state == "unchanged"


def test_a_wide_encoding_and_a_broken_row_are_read_alike_whether_a_file_has_come_or_is_coming(served: Served) -> None:
    lines = "mã;giá trị\n" + "".join(f"{n};{'Đỗ' * 20}\n" for n in range(900)) + "hỏng\n"
    for name, encoding in (("utf16.csv", "utf-16"), ("utf8.csv", "utf-8")):
        (served.root / name).write_bytes(lines.encode(encoding))
        source = served.source(name)
        arriving = list(read(source, replace(served.context, as_it_arrives=True)))
        here = served.read(source).batches
        assert [batch.table for batch in arriving] == [batch.table for batch in here]
        assert [batch.broken for batch in arriving] == [batch.broken for batch in here]
        assert arriving[-1].file == here[-1].file


def test_a_file_that_ends_otherwise_than_it_began_publishes_nothing(served: Served, database_url: str) -> None:
    """A refusal in the middle of a file under way: the run failed, the fetch has stopped, the next delivery is taken."""
    (served.root / "a.csv").write_bytes("mã;giá trị\n".encode() + b"x" * (40 << 20))
    source = served.source("a.csv")
    contract = make_contract(sources=(source,))
    workshop = replace(make_workshop(database_url, contract), read_context=served.context)
    with pytest.raises(HostileInputError, match="longer than"):
        run_dataset(workshop, contract)
    write_people(served.root / "a.csv", [("P1", "Nguyễn Thị An", "07/03/1980", 2)])
    assert run_dataset(workshop, contract).state == "published"
    assert [path.name for path in served.left()] in ([], [".part"])  # of what was refused, as far as it had come: gone after two days
