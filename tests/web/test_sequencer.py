"""Beside every server runs a sequencer: entries get their checkpoint within two seconds, whatever happens to it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.store.ledgers import verdict_of
from tests.web.served import RECORDS, Served, serving

PATIENCE = 120.0


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with fresh_database(postgres_server) as url, serving(url, Path(tmp_path_factory.mktemp("served")), anew=True) as made:
        yield made


def counted(served: Served, query: str) -> int:
    with served.workshop.database.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def in_tree(served: Served) -> int:
    return counted(served, "select size from lienthong.ledger_edge")


def in_batches(served: Served) -> int:
    return counted(served, "select coalesce(sum(array_length(string_to_array(bodies, E'\\n'), 1)), 0) from lienthong.ledger_batches")


def soon(happens: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if happens():
            return True
        time.sleep(0.05)
    return False


def sequencers(parent: int) -> list[int]:
    """The sequencers among the descendants of a process."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            above = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if above == parent:
            found += [int(folder.name)] if b"lienthong.web.sequencer" in words else sequencers(int(folder.name))
    return found


def ask(served: Served) -> None:
    assert httpx.get(f"{served.base}{RECORDS}/1%2FGP-UBND", headers=served.headers()).status_code == 200


def test_what_a_server_writes_has_its_checkpoint_soon(served: Served) -> None:
    ask(served)
    assert soon(lambda: in_tree(served) == in_batches(served))
    assert verdict_of(served.workshop.database, served.workshop.signer).ok
    assert httpx.get(served.base + "/health").json()["ledger"] == "ok"


def test_a_killed_sequencer_is_replaced_and_takes_what_waited(served: Served) -> None:
    assert soon(lambda: len(sequencers(served.process.pid)) == 1)
    (first,) = sequencers(served.process.pid)
    os.kill(first, signal.SIGKILL)
    ask(served)
    assert soon(lambda: sequencers(served.process.pid) not in ([], [first]))
    assert soon(lambda: in_tree(served) == in_batches(served))
    assert verdict_of(served.workshop.database, served.workshop.signer).ok


def test_a_server_that_is_killed_takes_its_sequencer_along_and_nothing_is_left_unsigned(postgres_server: Any, tmp_path: Path) -> None:
    with fresh_database(postgres_server) as url, serving(url, tmp_path, anew=True) as made:
        assert soon(lambda: len(sequencers(made.process.pid)) == 1)
        (child,) = sequencers(made.process.pid)
        ask(made)
        _kill_server(made, child)
        assert soon(lambda: not Path(f"/proc/{child}").exists())
        assert in_tree(made) == in_batches(made)


def _kill_server(made: Served, spared: int) -> None:
    """Kill the server and its worker at once, not the sequencer."""
    worker = int(Path(f"/proc/{spared}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(made.process.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
