"""A file that is read while it is fetched: nothing waits for more than it asks, nothing counts before all of it came."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.connectors.arriving import ArrivingFile
from lienthong.connectors.encodings import find_encoding, find_in_samples, sample_places
from lienthong.connectors.folder import Limits, Lying
from lienthong.connectors.spool import Spool
from lienthong.errors import SourceError

PIECE = 1000


class HeldFolder:
    """A folder elsewhere that sends what a test lets it send."""

    epoch: str | None = None

    def __init__(self, content: bytes, *, sends: int | None = None, breaks_at: int | None = None) -> None:
        self.content, self.breaks_at = content, breaks_at
        self.told = self.lying = Lying("a.csv", len(content), 1_700_000_000.0)
        self._allowed = threading.Semaphore(len(content) // PIECE + 1 if sends is None else sends)
        self.sent = 0

    def send(self, pieces: int) -> None:
        for _ in range(pieces):
            self._allowed.release()

    def opening(self) -> Iterator[str]:
        return iter(())

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:  # as the protocol has it
        return [self.lying]

    def facts(self, name: str) -> Lying:  # there is one file
        return self.told

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        for place in range(offset, lying.size, PIECE):
            self._allowed.acquire()
            if self.breaks_at is not None and place >= self.breaks_at:
                raise SourceError("the line broke")
            self.sent += 1
            yield self.content[place : place + PIECE]

    def part(self, lying: Lying, offset: int, size: int) -> bytes:
        return self.content[offset : min(offset + size, lying.size)]

    def close(self) -> None:
        pass


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, Limits(1 << 30, 10, 60, 10))


def content_of(size: int) -> bytes:
    return b"".join(b"%09d\n" % n for n in range(size // 10 + 1))[:size]


def test_what_has_come_is_given_while_the_rest_is_held_back(spool: Spool) -> None:
    folder = HeldFolder(content_of(10 * PIECE), sends=2)
    arriving = ArrivingFile(spool, folder, folder.lying)
    with arriving.open() as stream:
        assert stream.read(PIECE) == folder.content[:PIECE]  # the server has not sent the rest, and does not until this was read
        folder.send(8)
        assert stream.read() == folder.content[PIECE:]
    whole, sha256 = arriving.finished()
    assert (whole.read_bytes(), sha256) == (folder.content, hashlib.sha256(folder.content).hexdigest())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(size=st.integers(1, 9 * PIECE), places=st.lists(st.tuples(st.integers(0, 9 * PIECE), st.integers(1, 4 * PIECE)), max_size=5))
def test_bytes_read_anywhere_are_the_files_own(tmp_path_factory: pytest.TempPathFactory, size: int, places: list[tuple[int, int]]) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"), Limits(1 << 30, 10, 60, 10))
    folder = HeldFolder(content_of(size))
    arriving = ArrivingFile(spool, folder, folder.lying)
    with arriving.open() as stream:
        for place, length in places:
            stream.seek(place)
            assert stream.read(length) == folder.content[place : place + length]
    assert arriving.finished()[0].read_bytes() == folder.content


def test_a_line_that_breaks_is_told_to_who_reads_and_what_came_is_gone_on_with(spool: Spool) -> None:
    folder = HeldFolder(content_of(10 * PIECE), breaks_at=5 * PIECE)
    arriving = ArrivingFile(spool, folder, folder.lying)
    with arriving.open() as stream, pytest.raises(SourceError, match="the line broke"):
        stream.read()
    with pytest.raises(SourceError, match="the line broke"):
        arriving.finished()
    again = HeldFolder(folder.content)
    assert ArrivingFile(spool, again, again.lying).finished()[0].read_bytes() == folder.content
    assert again.sent == 5


def test_a_file_that_changed_while_it_was_fetched_is_not_finished(spool: Spool) -> None:
    folder = HeldFolder(content_of(4 * PIECE), sends=1)
    arriving = ArrivingFile(spool, folder, folder.lying)
    folder.told = Lying("a.csv", 5 * PIECE, 1_700_000_100.0)
    folder.send(4)
    with pytest.raises(SourceError, match="changed while it was fetched"):
        arriving.finished()


def test_who_leaves_early_does_not_fetch_the_rest(spool: Spool) -> None:
    folder = HeldFolder(content_of(1000 * PIECE), sends=3)
    arriving = ArrivingFile(spool, folder, folder.lying)
    with arriving.open() as stream:
        stream.read(2 * PIECE)
    leaving = threading.Thread(target=arriving.leave)
    leaving.start()
    folder.send(1000)
    leaving.join()
    assert folder.sent < 10


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 700_000])
def test_the_encoding_found_by_samples_is_that_of_the_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((b"plain\n" * (size // 12) + "Nguyễn Văn Ân\n".encode("cp1258", "replace") * (size // 26))[:size])
    content = path.read_bytes()
    assert find_in_samples({at: content[at : at + n] for at, n in sample_places(len(content))}) == find_encoding(path)
