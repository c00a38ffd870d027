"""A dataset under an agreement, and a copy of it kept in a database of an agency's own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pymysql
import pytest

from lienthong.access import Agreement, Operation, Register, State
from lienthong.contracts import Contract
from lienthong.pipeline import Workshop, run_dataset
from lienthong.sharing.sync_definitions import SyncDefinition
from lienthong.sharing.syncing import SyncOffice, work
from lienthong.store.syncs import SyncState
from tests.factories import make_contract, make_property, make_workshop

CONSUMER = "VN/GOV/H10.12/kho"
PROPERTIES = (
    make_property("no", required=True, key_position=1),
    make_property("name", mask="initials"),
    make_property("size", "integer"),
    make_property("share", "number"),
    make_property("good", "boolean"),
    make_property("born", "date"),
    make_property("seen", "timestamp"),
)
Rows = Mapping[str, tuple[Any, ...]]
AGREEMENT = Agreement(
    id="TT-KHO", provider="H10.02", consumer=CONSUMER, dataset="test.things", state=State.ACTIVE, fields=None, masked=(), row_filter=(),
    purposes={"dong-bo": ("Đồng bộ", "Sync")}, operations=frozenset({Operation.BULK, Operation.CHANGES}), legal_basis="NĐ 278/2025",
    begins_on=date(2026, 1, 1), ends_on=None, retention="xóa trong 30 ngày",
)  # fmt: skip


def definition_of(kind: str, location: str, **more: Any) -> SyncDefinition:
    values: dict[str, Any] = {
        "id": "kho", "title_vi": "Kho", "title_en": "Copy", "consumer": CONSUMER, "dataset": "test.things", "purpose": "dong-bo",
        "official": "can-bo-01", "kind": kind, "location": location, "password": "",
        "more": {"table": "things"} if kind in ("postgresql", "mariadb") else {},
    }  # fmt: skip
    return SyncDefinition(**(values | more))


@dataclass
class Source:
    """The dataset: `publish` makes it hold exactly these rows."""

    workshop: Workshop
    contract: Contract
    file: Path
    agreement: Agreement = AGREEMENT
    seconds: list[int] = field(default_factory=list)

    def publish(self, rows: Rows) -> None:
        names = [p.name for p in self.contract.properties]
        lines = [",".join(names)]
        for key, values in rows.items():
            lines.append(",".join("" if value is None else _cell(value) for value in (key, *values)))
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_dataset(self.workshop, self.contract)

    def office(self, **more: Any) -> SyncOffice:
        return SyncOffice(
            self.workshop.database, {self.contract.id: self.contract}, Register({}, (self.agreement,)), self.workshop.signer,
            self.workshop.clock, {}, **more,
        )  # fmt: skip

    def sync(self, definition: SyncDefinition, **more: Any) -> SyncState:
        return work(self.office(**more), definition)

    def expected(self) -> list[tuple[Any, ...]]:
        """The agreed view as our store has it, whole and unmasked."""
        names = ", ".join(f'"{p.name}"' for p in self.contract.properties)
        with self.workshop.database.connect() as connection:
            return connection.execute(f'select _key, {names} from data.test_things order by _key collate "C"').fetchall()

    def agree(self, **more: Any) -> None:
        self.agreement = replace(self.agreement, **more)


def _cell(value: Any) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"'


def make_source(url: str, folder: Path, properties: Any = PROPERTIES) -> Source:
    file = folder / "things.csv"
    contract = make_contract(str(file), id="test.things", properties=properties)
    return Source(make_workshop(url, contract), contract, file)


def rows(count: int, begin: int = 0) -> dict[str, tuple[Any, ...]]:
    """Rows of every kind of value."""
    return {
        f"K{n:05d}": (
            f"Người {n} ỹ𠜎'\\",
            n * 7,
            n / 7,
            n % 2 == 0,
            f"20{n % 30:02d}-01-{n % 27 + 1:02d}",
            f"2026-02-03T04:05:{n % 60:02d}Z",
        )
        if n % 11
        else (None, None, None, None, None, None)
        for n in range(begin, begin + count)
    }


@contextmanager
def mariadb(folder: Path) -> Iterator[int]:
    """A MariaDB of the tests' own on a free port; user `kho`, password `mat-khau`, database `kho`."""
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if program is None:
        pytest.skip("MariaDB is not installed (Debian's package `mariadb-server`)")
    home = folder / "mariadb"
    home.mkdir(mode=0o755)
    user = pwd.getpwuid(os.getuid()).pw_name
    common = ["--no-defaults", f"--datadir={home}", f"--user={user}"]
    subprocess.run(
        ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [program, *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home}/s", f"--pid-file={home}/pid",
         "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--skip-log-bin", "--skip-name-resolve"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while True:
            try:
                root = pymysql.connect(unix_socket=f"{home}/s", user="root", autocommit=True)
                break
            except pymysql.Error:
                assert time.monotonic() < until, "MariaDB did not start"
                time.sleep(0.05)
        with root, root.cursor() as cursor:
            cursor.execute("create database kho character set latin1")
            cursor.execute("create user kho@'127.0.0.1' identified by 'mat-khau'")
            cursor.execute("grant all on *.* to kho@'127.0.0.1'")
        yield port
    finally:
        server.terminate()
        server.wait(120)
