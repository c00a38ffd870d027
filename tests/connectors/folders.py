"""What must hold of every kind of folder elsewhere: the same files, in the same order, resumed exactly, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import ReadContext, get_connector, let_go
from lienthong.connectors.files import fingerprint_files
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import Reading

ROOT = Path(__file__).parents[2]
HERE = read_networks("127.0.0.0/8")


@dataclass
class Served:
    """A folder on this machine that a server shows under `url`, and what the option `folder` must say to get at it."""

    root: Path
    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    spool: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root.mkdir(exist_ok=True)
        self.spool = self.root.parent / f"spool-{self.root.name}"

    @property
    def context(self) -> ReadContext:
        return ReadContext(batch_rows=1000, spool=self.spool, networks=HERE)

    def source(self, wanted: str, delivery: Delivery = Delivery.SNAPSHOT, connector: str = "csv_file", **more: Any) -> Source:
        return Source("file", connector, f"{self.url}/{wanted}", delivery, {"folder": {**self.options, **more}})

    def read(self, source: Source, after: Any = None, batch_rows: int = 1000) -> Reading:
        context = ReadContext(batch_rows=batch_rows, spool=self.spool, networks=HERE)
        try:
            return Reading(tuple(get_connector(source.connector).read(source, context, after)))
        finally:
            let_go(source, context)  # as a run does

    def write(self, name: str, *values: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mã;giá trị\n" + "".join(f"{name.partition('.')[0]};{value}\n" for value in values), encoding="utf-8")
        os.utime(path, (1_700_000_000, 1_700_000_000 + len(values)))

    def values(self, source: Source, after: Any = None) -> list[str]:
        return [str(row["giá trị"]) for row in self.read(source, after).rows]

    def write_big(self, name: str, megabytes: int = 48) -> None:
        line = b"1;" + b"x" * 1021 + b"\n"
        with (self.root / name).open("wb") as file:
            file.write("mã;giá trị\n".encode())
            for _ in range(megabytes):
                file.write(line * 1024)
        os.utime(self.root / name, (1_700_000_000, 1_700_000_000))

    def part(self) -> Path | None:
        """What has been fetched of a file so far."""
        return next(self.spool.rglob(".part"), None)

    def left(self) -> list[Path]:
        """Files the spool still holds."""
        return [path for path in self.spool.rglob("*") if path.is_file() and path.name not in ("busy", "known.json")]


def peak_of(source: Source, spool: Path) -> tuple[int, float]:
    """(rows, MiB) of a process that reads a source whole."""
    arguments = [source.connector, source.location, json.dumps(source.options), str(spool)]
    done = subprocess.run([sys.executable, "-m", "tests.connectors.peak", *arguments], capture_output=True, text=True, check=True, cwd=ROOT)
    told = json.loads(done.stdout.splitlines()[-1])
    return told["rows"], told["mib"]


class EveryFolder:
    """Tests a kind of folder takes over by giving a fixture `served`."""

    @pytest.fixture(autouse=True)
    def _emptied(self, served: Served) -> Iterator[None]:
        yield
        for path in sorted(served.root.rglob("*"), reverse=True):
            path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()

    def test_one_file_is_read_as_if_it_lay_here(self, served: Served) -> None:
        served.write("người dân.csv", "1", "2")
        found = served.read(served.source("người dân.csv".replace(" ", "%20")))
        assert [row["giá trị"] for row in found.rows] == ["1", "2"]
        assert found.batches[0].file.size_bytes == (served.root / "người dân.csv").stat().st_size
        assert len(found.batches[0].file.sha256) == 64
        assert served.left() == []

    def test_a_pattern_finds_files_in_their_order_and_no_others(self, served: Served) -> None:
        for name, value in (("b.csv", "2"), ("a.csv", "1"), ("c.txt", "no"), ("sâu/d.csv", "4"), ("sâu/hơn/e.csv", "5")):
            served.write(name, value)
        assert served.values(served.source("*.csv")) == ["1", "2"]
        assert served.values(served.source("*/*.csv")) == ["4"]
        assert served.values(served.source("**/*.csv")) == ["1", "2", "4", "5"]

    def test_reading_goes_on_exactly_where_it_stopped(self, served: Served) -> None:
        served.write("a.csv", "1", "2", "3")
        served.write("b.csv", "4", "5")
        source = served.source("*.csv")
        parts = served.read(source, batch_rows=2)
        assert [row["giá trị"] for row in parts.rows] == ["1", "2", "3", "4", "5"]
        done = 0
        for batch in parts.batches:
            done += batch.table.num_rows
            assert served.values(source, batch.position) == ["1", "2", "3", "4", "5"][done:]

    def test_of_increments_only_new_files_are_fetched(self, served: Served) -> None:
        served.write("a.csv", "1")
        source = served.source("*.csv", Delivery.INCREMENTAL)
        reached = served.read(source).batches[-1].position
        nothing = served.read(source, reached)
        assert (nothing.rows, nothing.columns) == ([], ["mã", "giá trị"])
        served.write("b.csv", "2")
        assert served.values(source, reached) == ["2"]

    def test_the_same_content_has_the_same_fingerprint_and_another_has_not(self, served: Served) -> None:
        served.write("a.csv", "1")
        source = served.source("*.csv")
        first = fingerprint_files(source, served.context)
        os.utime(served.root / "a.csv", (1_700_000_900, 1_700_000_900))  # sent once more
        assert fingerprint_files(source, served.context) == first
        served.write("a.csv", "9", "8")
        assert fingerprint_files(source, served.context) != first
        assert served.values(source) == ["9", "8"]
        assert fingerprint_files(served.source("*.csv", Delivery.INCREMENTAL), served.context) != first

    def test_nothing_there_is_an_error_in_words(self, served: Served) -> None:
        with pytest.raises(SourceError, match="no file found"):
            served.read(served.source("*.csv"))
        with pytest.raises(SourceError, match="is not there"):
            served.read(served.source("none.csv"))

    def test_this_machine_is_reached_only_where_the_operator_allows_it(self, served: Served) -> None:
        with pytest.raises(HostileInputError, match="in no network sources may be in"):
            list(get_connector("csv_file").read(served.source("a.csv"), ReadContext(spool=served.spool)))

    def test_a_word_that_is_not_understood_is_named(self, served: Served) -> None:
        with pytest.raises(SourceError, match=r"no option `done_markr`.*Did you mean `done_marker`"):
            served.read(served.source("*.csv", done_markr="*.done"))
