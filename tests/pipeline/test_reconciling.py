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
from lienthong.contracts import Sensitivity, Source
from lienthong.errors import RunError, SourceError
from lienthong.pipeline import run_dataset
from lienthong.pipeline.reconciling import _ranges, reconcile
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
    assert reconcile(workshop, contract, source).lines == []
    control = tmp_path / "people.csv.control.json"
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    control.write_text(json.dumps({"rows": 2, "sums": {"children": "3.0"}, "sha256": sha256}))
    assert reconcile(workshop, contract, source).agrees
    control.write_text(json.dumps({"rows": 3, "sums": {"children": 4}, "sha256": "00"}))
    found = reconcile(workshop, contract, source, "Lê Thị Hoa")
    assert [(line.what, line.there, line.here) for line in found.lines] == [
        ("rows", "3", "2"), ("sum children", "4", "3"), ("sha256 people.csv", "00", sha256),
    ]  # fmt: skip
    assert rows_of(workshop.database, "select agrees from lienthong.reconciliations order by 1") == [(False,), (True,), (None,)]
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
