"""What a source says of itself is held against what landed; what differs is named."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.connectors import ReadContext
from lienthong.contracts import Delivery, Sensitivity, Source
from lienthong.errors import RunError, SourceError
from lienthong.pipeline import run_dataset
from lienthong.pipeline.reconciling import Reconciliation, _ranges, reconcile
from lienthong.standards import encode_legacy
from lienthong.store import landing
from tests.factories import make_contract, make_workshop, write_people
from tests.pipeline.test_run import rows_of

ROWS = [("P1", "Nguyễn An", "1980-03-07", 1), ("P2", "Trần Bình", "1981-03-07", 2)]


def test_a_control_file_is_held_against_what_landed(database_url: str, tmp_path: Path) -> None:
    file = write_people(tmp_path / "people.csv", ROWS)
    contract = make_contract(str(tmp_path / "*.csv"))
    workshop, source = make_workshop(database_url, contract), contract.sources[0]
    with pytest.raises(RunError):
        reconcile(workshop, contract, source)
    run_dataset(workshop, contract)
    (rows,) = reconcile(workshop, contract, source).lines
    assert (rows.what, rows.is_equal) == ("hash of rows", True)
    control = tmp_path / "people.csv.control.json"
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    control.write_text(json.dumps({"rows": 2, "sums": {"children": "3.0"}, "sha256": sha256}))
    assert reconcile(workshop, contract, source).agrees
    control.write_text(json.dumps({"rows": 3, "sums": {"children": 4}, "sha256": "00"}))
    found = reconcile(workshop, contract, source, "Lê Thị Hoa")
    assert [(line.what, line.there, line.here) for line in found.lines] == [
        ("rows", "3", "2"), ("sum children", "4", "3"), ("sha256 people.csv", "00", sha256), ("hash of rows", rows.there, rows.here),
    ]  # fmt: skip
    assert rows_of(workshop.database, "select agrees from lienthong.reconciliations order by 1") == [(False,), (True,), (True,)]
    assert len(rows_of(workshop.database, "select 1 from lienthong.ledger_batches where bodies like '%run:source:reconciled%'")) == 3
    for wrong in ("[]", "{", json.dumps({"rows": "x"}), json.dumps({"sums": {"children": "x"}}), json.dumps({"row": 1})):
        control.write_text(wrong)
        with pytest.raises(SourceError):
            reconcile(workshop, contract, source)


def test_a_table_is_asked_in_its_own_database(database_url: str) -> None:
    source = Source("db", "sql_database", database_url, options={"table": "public.nguoi", "key": ["record_no"]})
    contract = make_contract(sources=[source])
    workshop = make_workshop(database_url, contract)
    with workshop.database.connect() as connection:
        connection.execute("create table public.nguoi (record_no bigint primary key, full_name text, born_on date, children numeric(6, 1))")
        connection.execute("insert into public.nguoi select n, 'Nguyễn An', '1980-03-07', 1 from generate_series(1, 50) n")
    run_dataset(workshop, contract)
    assert reconcile(workshop, contract, source).agrees
    with workshop.database.connect() as connection:
        connection.execute("delete from public.nguoi where record_no in (7, 31)")
    told = {line.what: (line.there, line.here) for line in reconcile(workshop, contract, source).lines if not line.is_equal}
    hashed = {what: there for what, (there, _) in told.items() if what.startswith(("hash", "row "))}
    assert {what: told[what] for what in told if what not in hashed} == {
        "rows": ("48", "50"), "sum children": ("48", "50"), "keys 7 – 7": ("0", "1"), "keys 31 – 31": ("0", "1"),
    }  # fmt: skip
    assert set(hashed) == {"hash of rows", "row 7", "row 31"}
    assert (hashed["row 7"], hashed["row 31"]) == ("", "")


@pytest.mark.parametrize("is_personal", [False, True])
def test_rows_that_drifted_are_named_one_by_one_though_counts_and_sums_are_alike(database_url: str, is_personal: bool) -> None:
    source = Source("db", "sql_database", database_url, options={"table": "public.nguoi", "key": ["record_no"]})
    contract = make_contract(sources=[source])
    if is_personal:
        key = replace(contract.key[0], sensitivity=Sensitivity.PERSONAL)
        contract = replace(contract, properties=tuple(key if p.key_position is not None else p for p in contract.properties))
    workshop = make_workshop(database_url, contract)
    with workshop.database.connect() as connection:
        connection.execute("create table public.nguoi (record_no text primary key, full_name text, born_on date, children integer)")
        connection.execute(
            "insert into public.nguoi select 'P' || 1000 + n, 'Nguyễn An', '1980-03-07', n % 5 from generate_series(1, 3000) n"
        )
    run_dataset(workshop, contract)
    assert reconcile(workshop, contract, source).agrees
    with workshop.database.connect() as connection:
        connection.execute("update public.nguoi set full_name = 'Nguyễn Ẩn' where record_no = 'P1010'")
        connection.execute("update public.nguoi set record_no = 'P9999' where record_no = 'P1020'")
    found = [line for line in reconcile(workshop, contract, source).lines if not line.is_equal]
    assert [line.what for line in found] == ["hash of rows", "row 10", "row 20", "key …999" if is_personal else "key P9999"]
    by_what = {line.what: line for line in found}
    assert by_what["row 10"].there != ""
    assert by_what["row 20"].there == ""
    assert found[-1].here == ""


def differing_rows(found: Reconciliation) -> list[str]:
    return [line.what for line in found.lines if not line.is_equal]


def test_a_table_read_by_a_cursor_is_held_against_the_last_word_on_each_record(database_url: str) -> None:
    """What has grown since the last reading is still to come; what changed without the cursor, or is gone, differs."""
    options = {
        "table": "public.nguoi",
        "key": ["record_no"],
        "cursor": "lan",
        "overlap": 0,
        "columns": ["record_no", "full_name", "born_on", "children"],
    }
    source = Source("db", "sql_database", database_url, Delivery.CHANGES, options)
    contract = make_contract(sources=[source])
    workshop = make_workshop(database_url, contract)

    def do(*statements: str) -> None:
        with workshop.database.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    do("create table public.nguoi (record_no bigint primary key, full_name text, born_on date, children integer, lan bigint)")
    do("insert into public.nguoi select n, 'Nguyễn An', '1980-03-07', 1, case when n > 1 then n end from generate_series(1, 50) n")
    run_dataset(workshop, contract)
    assert reconcile(workshop, contract, source).agrees
    do(
        "update public.nguoi set children = 4, lan = 51 where record_no = 7",
        "insert into public.nguoi values (99, 'Trần Bình', '1981-03-07', 2, 52)",
    )
    assert reconcile(workshop, contract, source).agrees, "both are still to come"
    last = run_dataset(workshop, contract).run_id
    assert reconcile(workshop, contract, source).agrees, "of two words on record 7 the last"
    do(
        "update public.nguoi set children = 5 where record_no = 7",
        "delete from public.nguoi where record_no = 10",
        "update public.nguoi set children = 3 where record_no = 99",
    )
    found = reconcile(workshop, contract, source)
    told = {line.what: (line.there, line.here) for line in found.lines}
    assert (told["rows"], told["sum children"]) == (("49", "50"), ("53", "53"))
    assert differing_rows(found)[:1] == ["rows"]
    assert [what for what in differing_rows(found) if "row " in what and what != "hash of rows"] == [
        f"run {last - 1} row 10",
        f"run {last} row 3",
    ]


def test_rows_of_files_are_read_once_more_and_those_that_were_changed_are_named(database_url: str, tmp_path: Path) -> None:
    rows = [(f"P{n}", "Nguyễn An", "1980-03-07", n % 5) for n in range(300)]
    write_people(tmp_path / "a.csv", rows[:200])
    write_people(tmp_path / "b.csv", rows[200:])
    contract = make_contract(str(tmp_path / "*.csv"))
    workshop, source = make_workshop(database_url, contract), contract.sources[0]
    run_dataset(workshop, contract)
    assert reconcile(workshop, contract, source).agrees
    write_people(tmp_path / "b.csv", [("P200", "Nguyễn Ẩn", "1980-03-07", 0), *rows[202:], ("P999", "Nguyễn An", "1980-03-07", 1)])
    assert differing_rows(reconcile(workshop, contract, source)) == ["hash of rows", "row 2", "row 3", "key P999"]


def test_increments_of_files_are_held_against_the_files_that_still_lie_there(database_url: str, tmp_path: Path) -> None:
    write_people(tmp_path / "1.csv", ROWS[:1])
    write_people(tmp_path / "2.csv", ROWS[1:])
    source = Source("files", "csv_file", str(tmp_path / "*.csv"), Delivery.INCREMENTAL)
    contract = make_contract(sources=[source])
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    write_people(tmp_path / "3.csv", [("P1", "Nguyễn An", "1980-03-07", 9)])
    run_dataset(workshop, contract)
    assert reconcile(workshop, contract, source).agrees, "each row of each file, also where two say something of one record"
    (tmp_path / "1.csv").unlink()
    assert reconcile(workshop, contract, source).agrees, "a file that was put away says nothing more"
    write_people(tmp_path / "2.csv", [("P2", "Trần Bình", "1981-03-07", 7)])
    assert differing_rows(reconcile(workshop, contract, source))[0] == "hash of rows"


def test_what_stood_in_an_old_font_lands_beside_what_it_is_read_as(database_url: str, tmp_path: Path) -> None:
    names = ["Nguyễn Thị Hồng", "Trần Văn Đức", "Lê Đình Khánh", "An"] * 30
    typed = [encode_legacy(name.replace("Đ", "đ"), "tcvn3").decode("latin-1") for name in names]
    write_people(tmp_path / "a.csv", [(f"P{n}", name, "1980-03-07", 1) for n, name in enumerate(typed)])
    source = Source("files", "csv_file", str(tmp_path / "a.csv"), options={"fonts": {"full_name": "tcvn3"}})
    contract = make_contract(sources=[source])
    workshop = make_workshop(database_url, contract)
    done = run_dataset(workshop, contract)
    assert (done.rows_published, done.warnings) == (len(names), 0)
    with workshop.database.connect() as connection:
        (kept,) = landing.batches(connection, done.run_id)
    assert kept.table["_typed:full_name"].to_pylist() == [None if text.isascii() else text for text in typed]
    assert reconcile(workshop, contract, source).agrees


@given(st.sets(st.integers(0, 300), min_size=1), st.sets(st.integers(0, 300)))
def test_ranges_that_differ_hold_every_key_that_is_here_alone_within_them(here: set[int], there: set[int]) -> None:
    keys = sorted(here)
    within = {key for key in there if keys[0] <= key <= keys[-1]}
    found = _ranges(lambda begins, until: sum(begins <= key < until for key in within), keys)
    assert all(there_count != here_count for _, _, there_count, here_count in found)
    if len(here) != len(within):
        assert found


def test_a_source_that_says_nothing_is_no_disagreement() -> None:
    from lienthong.connectors.control import control_of

    with control_of(Source("x", "http_json", "https://nguon.example/x"), ReadContext()) as control:
        assert control is None


class _Register(BaseHTTPRequestHandler):
    """A service of two rows that says how many it has: `said`, which may not be so."""

    said = 2

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        rows = [{"record_no": f"P{n}", "full_name": "Nguyễn An", "born_on": "1980-03-07", "children": 1} for n in (1, 2)]
        body = json.dumps({"items": rows, "meta": {"total": self.said}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_service_is_held_against_the_total_it_says(database_url: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Register)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        paging = {"kind": "page", "size": 500, "total": "meta.total"}
        url = f"http://127.0.0.1:{server.server_port}/"
        sources = [Source("service", "http_json", url, options={"items": "items", "paging": paging}), Source("silent", "http_json", url, options={"items": "items"})]  # fmt: skip
        contract = make_contract(sources=sources)
        workshop = make_workshop(database_url, contract)
        run_dataset(workshop, contract, "service")
        assert [(line.what, line.there, line.here) for line in reconcile(workshop, contract, sources[0]).lines] == [("rows", "2", "2")]
        _Register.said = 3
        assert not reconcile(workshop, contract, sources[0]).agrees
        run_dataset(workshop, contract, "silent")
        assert reconcile(workshop, contract, sources[1]).lines == []
    finally:
        _Register.said = 2
        server.shutdown()
        server.server_close()
