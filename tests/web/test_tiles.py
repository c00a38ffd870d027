"""The ledger's tree over HTTP: with checkpoint and tiles alone anyone can verify that nothing that was signed has changed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lienthong.errors import NotFound
from lienthong.ledger import Entry, Event, split_tile, tree_root
from lienthong.store import append_entries
from lienthong.web.tiles import tile_asked
from tests.conftest import fresh_database
from tests.web.served import Served, serving


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with fresh_database(postgres_server) as url, serving(url, Path(tmp_path_factory.mktemp("served"))) as made:
        entries = [Entry(made.workshop.clock(), Event.RUN_UNCHANGED, f"caller {n}") for n in range(600)]
        with made.workshop.database.connect() as connection:
            append_entries(connection, entries, made.workshop.signer)
        made.verdict()  # all of it has its place
        yield made


def checkpoint(served: Served) -> tuple[int, bytes]:
    answer = httpx.get(served.base + "/ledger/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    origin, size, root, *_ = answer.text.splitlines()
    assert origin == served.workshop.signer.origin
    return int(size), base64.b64decode(root)


def test_the_root_can_be_recomputed_from_the_tiles(served: Served) -> None:
    size, root = checkpoint(served)
    leaves: list[bytes] = []
    for number in range(size // 256 + 1):
        width = min(256, size - 256 * number)
        part = "" if width == 256 else f".p/{width}"
        answer = httpx.get(f"{served.base}/ledger/tile/0/{number:03}{part}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        leaves += split_tile(answer.content)
    assert len(leaves) == size
    assert tree_root(leaves) == root
    above = httpx.get(f"{served.base}/ledger/tile/1/000.p/{size // 256}").content
    assert split_tile(above) == [tree_root(leaves[at : at + 256]) for at in range(0, size - 255, 256)]


@pytest.mark.parametrize(
    "path", ["0/002", "0/999", "0/000.p/0", "0/000.p/256", "0/0", "0/x000/001", "00/000", "64/000", "-1/000", "0/../../health", "entries/000", "0/x1/000"]
)  # fmt: skip
def test_what_is_no_tile_is_not_found(served: Served, path: str) -> None:
    answer = httpx.get(f"{served.base}/ledger/tile/{path.replace('..', '%2e%2e')}")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "asked"), [("0/000", (0, 0, 256)), ("1/x001/x234/067", (1, 1_234_067, 256)), ("0/x012/345.p/17", (0, 12_345, 17))]
)
def test_addresses_are_those_of_c2sp(path: str, asked: tuple[int, int, int]) -> None:
    assert tile_asked(path) == asked


def test_a_number_written_longer_than_it_need_be_is_refused() -> None:
    with pytest.raises(NotFound):
        tile_asked("0/x000/067")
