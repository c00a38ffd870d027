"""MariaDB as a source: rows landed a second, beside the fastest plain readers at hand, and whether memory grows with the number of rows.

The plain readers only fetch: MariaDB's own client (`--quick --batch`, to nowhere) and, where it is installed, ConnectorX into Arrow.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pymysql

from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong.connectors import ReadContext
from lienthong.contracts import Delivery, Source
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract
from lienthong.pipeline.land import land
from lienthong.pipeline.workshop import no_progress
from lienthong.store import Database, runs
from lienthong.store.embedded import EmbeddedServer
from tests.connectors.sql_database.servers import maria_url
from tests.factories import make_contract, make_property

ISSUE = 6
COLUMNS = ("id", "ho_ten", "ngay_sinh", "gioi_tinh", "luong", "cap_nhat", "ghi_chu", "ma", "xa", "dia_chi")
PROPERTIES = (make_property("id", required=True, key_position=1), *map(make_property, COLUMNS[1:]))


def measure(server: EmbeddedServer, rows: int) -> list[Row]:
    """Land `rows` rows of ten columns; then a fifth of them, for memory."""
    with maria_url() as url:
        fill(url, rows)
        ours, large = _apart(_land, url, server.create_database("databases"), "1 = 1")
        _, small = _apart(_land, url, server.create_database("databases_small"), f"id <= {rows // 5}")
        plain = {"mariadb --quick --batch": _client(url)}
        if importlib.util.find_spec("connectorx") is not None:
            plain["ConnectorX into Arrow"] = _apart(_connectorx, url, "", "")[0]
    name, fastest = min(plain.items(), key=lambda pair: pair[1])
    told = ", ".join(f"{each} {rows / seconds:,.0f}/s" for each, seconds in plain.items())
    return [
        at_least(
            f"MariaDB {rows:,} rows, landing included", fastest / ours, 0.7, "×", f"{name} ({told}; ours {rows / ours:,.0f}/s)", ISSUE
        ),
        at_most(f"memory, {rows:,} rows over {rows // 5:,}", large / small, 1.3, "×", f"{small:,.0f} MiB, then {large:,.0f} MiB", ISSUE),
        at_most("memory while MariaDB lands", large, 1536, "MiB", f"{rows:,} rows", ISSUE),
    ]


def fill(url: str, rows: int) -> None:
    port = urlsplit(url).port
    with (
        pymysql.connect(
            host="127.0.0.1", port=port or 3306, user="kho", password=urlsplit(url).password or "", database="kho", autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "create table nguoi (id bigint primary key, ho_ten varchar(100), ngay_sinh date, gioi_tinh tinyint, luong decimal(14,2), "
            "cap_nhat timestamp(3) null, ghi_chu varchar(200), ma char(12), xa int, dia_chi varchar(200)) character set utf8mb4"
        )
        cursor.execute(
            "insert into nguoi select seq, concat('Nguyễn Văn ', seq), date_add('1950-01-01', interval seq % 25000 day), seq % 2, seq * 1.5, "
            "'2026-01-31 03:00:00.123', if(seq % 3, concat('Ghi chú ', seq), null), lpad(seq, 12, '0'), seq % 600, "
            f"concat('Thôn ', seq % 50, ', xã ', seq % 600, ', tỉnh Đắk Lắk') from seq_1_to_{rows}"
        )


def _apart(act: Callable[[str, str, str], float], *arguments: str) -> tuple[float, float]:
    """(seconds, MiB at most) of an act in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(send, act, arguments))
    process.start()
    found: tuple[float, float] = receive.recv()
    process.join()
    return found


def _timed(send: Any, act: Callable[[str, str, str], float], arguments: tuple[str, str, str]) -> None:
    seconds = act(*arguments)
    send.send((seconds, own_peak_mib()))


def _land(url: str, store: str, where: str) -> float:
    source = Source("nguon", "sql_database", url, Delivery.SNAPSHOT, {"table": "kho.nguoi", "key": ["id"], "where": where})
    contract = make_contract(id="bench.persons", properties=PROPERTIES, sources=(source,))
    workshop = Workshop(Database(store), {contract.id: contract}, Signer.new("bench"), read_context=ReadContext())
    workshop.database.apply_schema()
    apply_contract(workshop, contract)
    with workshop.database.connect(autocommit=True) as connection:
        at = workshop.clock()
        run = runs.begin(connection, contract.id, source.name, source.delivery.value, contract.digest, None, at, at.date())
        began = time.monotonic()
        for _ in land(workshop, connection, contract, source, run, None, no_progress):
            pass
        return time.monotonic() - began


def _client(url: str) -> float:
    place = urlsplit(url)
    began = time.monotonic()
    subprocess.run(
        ["mariadb", "-h", "127.0.0.1", "-P", str(place.port), "-u", "kho", f"-p{place.password}", "kho", "--quick", "--batch", "-e", "select * from nguoi"],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return time.monotonic() - began


def _connectorx(url: str, _: str, __: str) -> float:
    connectorx = importlib.import_module("connectorx")
    shown = ", ".join(f"cast({name} as char) {name}" for name in COLUMNS)
    began = time.monotonic()
    for _batch in connectorx.read_sql(
        url.replace("mariadb://", "mysql://"), f"select {shown} from nguoi", return_type="arrow_stream", batch_size=65_536, protocol="text"
    ):
        pass
    return time.monotonic() - began
