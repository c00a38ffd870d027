"""A witness as another agency runs it: the command, in a process and a folder of its own."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import forking


@dataclass(frozen=True)
class Running:
    key: str
    url: str
    process: forking.Forked


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from lienthong.cli.main import main; main()", "--lang", "en", "witness", *words]


def make_witness(folder: Path, log_key: str, name: str = "so-noi-vu.example") -> str:
    """A new witness in a folder; its key."""
    done = forking.run(command("init", str(folder), "--name", name, "--log", log_key))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def witnessing(folder: Path) -> Iterator[Running]:
    """Serve a witness; it is killed at the end, not asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with Path(os.devnull).open("wb") as nowhere:
        words = command("serve", str(folder), "--port", str(port))
        process = forking.Forked(words, stdout=nowhere.fileno(), stderr=nowhere.fileno())
    try:
        until = time.monotonic() + 120
        while True:
            try:
                key = httpx.get(url + "/").text.strip()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the witness ended"
                assert time.monotonic() < until, "the witness did not answer"
                time.sleep(0.05)
        yield Running(key, url, process)
    finally:
        process.kill()
        process.wait(120)
