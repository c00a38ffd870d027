"""Files of an S3 service (moto's server, in an environment of its own)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyarrow.fs import S3FileSystem

from lienthong.connectors import ReadContext
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.folders import EveryFolder, Served
from tests.connectors.reading import Reading
from tests.doors.environments import python_of
from tests.servers import cut_off, free_port, running

BUCKET = "xuat-du-lieu"
KEYS = {"access_key": "khoa", "secret_key": "bi-mat-cua-kho"}


class Bucket(Served):
    """What lies in the folder is in the bucket when it is read."""

    port = 0
    put: dict[str, tuple[int, int]]

    @property
    def context(self) -> ReadContext:
        self.fill()
        return super().context

    def read(self, source: Source, after: Any = None, batch_rows: int = 1000) -> Reading:
        self.fill()
        return super().read(source, after, batch_rows)

    def fill(self) -> None:
        files = S3FileSystem(**KEYS, endpoint_override=f"127.0.0.1:{self.port}", scheme="http", region="us-east-1")
        here = {str(path.relative_to(self.root)): path for path in self.root.rglob("*") if path.is_file()}
        for name in set(self.put) - set(here):
            files.delete_file(f"{BUCKET}/năm/{name}")
            del self.put[name]
        for name, path in here.items():
            state = (path.stat().st_size, path.stat().st_mtime_ns)
            if self.put.get(name) != state:
                with files.open_output_stream(f"{BUCKET}/năm/{name}") as file:
                    file.write(path.read_bytes())
                self.put[name] = state


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    root, port = tmp_path_factory.mktemp("s3") / "xuất", free_port()
    made = Bucket(root, f"s3://{BUCKET}/năm", {**KEYS, "endpoint": f"http://127.0.0.1:{port}"})
    made.port, made.put = port, {}
    with running(
        [str(python_of("moto", Path(__file__).parent).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], port
    ) as process:
        httpx.put(f"http://127.0.0.1:{port}/{BUCKET}", trust_env=False)
        yield made
        process.kill()


class TestS3(EveryFolder):
    pass


def test_a_bucket_that_is_not_there_is_told(served: Bucket) -> None:
    with pytest.raises(SourceError, match=r"no file found|is not there"):
        served.read(Source("file", "csv_file", "s3://none/x/*.csv", options={"folder": served.options}))
    with pytest.raises(HostileInputError, match="in no network"):
        served.read(served.source("a.csv", endpoint="http://169.254.169.254"))
    with pytest.raises(SourceError, match=r"`folder.endpoint`"):
        served.read(served.source("a.csv", endpoint="file:///etc/passwd"))


def test_a_fetch_that_breaks_off_is_told_and_nothing_is_read(served: Bucket, tmp_path: Path) -> None:
    port = free_port()
    other = Bucket(tmp_path / "xuất", f"s3://{BUCKET}/năm", {**KEYS, "endpoint": f"http://127.0.0.1:{port}", "timeout_seconds": 10})
    other.port, other.put = port, {}
    other.write_big("lớn.csv", 40)
    program = python_of("moto", Path(__file__).parent).parent / "moto_server"
    with running([str(program), "-H", "127.0.0.1", "-p", str(port)], port) as process:
        httpx.put(f"http://127.0.0.1:{port}/{BUCKET}", trust_env=False)
        other.fill()
        source = other.source("*.csv")
        said = cut_off(lambda: Served.read(other, source), other.part, process)
    assert isinstance(said, SourceError)
    assert other.part() is not None
