"""An identity provider in a process of its own: the built-in one, as the outside provider of another server, with accounts of people who are not real."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from tests.forking import SERVE, Forked
from tests.web.served import _await_answer

SECRET = "bi-mat-cua-nen-tang"
PASSWORD = "mat-khau-mau-1"
CITIZEN_NUMBER = "070000000001"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)  # a test's passwords protect nothing
PEOPLE = ("van-hanh-1", "van-hanh-2", "kiem-tra", "dau-moi", "cong-dan", "khoa-thu")


def write_accounts(path: Path, *redirect_uris: str) -> Path:
    """A file of accounts, and one client."""
    hashed = CHEAP.hash(PASSWORD)
    accounts: list[dict[str, Any]] = [{"username": name, "password_hash": hashed, "name": f"Người mẫu {name}"} for name in PEOPLE]
    accounts[4]["citizen_number"] = CITIZEN_NUMBER
    client = {"id": "lienthong", "secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(), "redirect_uris": list(redirect_uris)}
    path.write_text(json.dumps({"accounts": accounts, "clients": [client]}), encoding="utf-8")
    return path


@contextmanager
def running(database_url: str, home: Path, port: int, **settings: str) -> Iterator[str]:
    """A server in a process of its own, with no datasets; gives its address."""
    environment = {
        **os.environ, "LIENTHONG_DATABASE_URL": database_url, "LIENTHONG_HOME": str(home), "LIENTHONG_DATASETS": str(home / "datasets"),
        "LIENTHONG_AGREEMENTS": str(home / "agreements"), "LIENTHONG_PORT": str(port), "LIENTHONG_LOG_LEVEL": "WARNING",
        "LIENTHONG_CHECKPOINT_MILLISECONDS": "0", "LIENTHONG_WORKER": "0",
        **{f"LIENTHONG_{name.upper()}": value for name, value in settings.items()},
    }  # fmt: skip
    (home / "datasets").mkdir(parents=True, exist_ok=True)
    process = Forked([sys.executable, *SERVE], env=environment)
    base = f"http://127.0.0.1:{port}"
    try:
        _await_answer(base, process)
        yield base
    finally:
        process.terminate()
        process.wait(120)
