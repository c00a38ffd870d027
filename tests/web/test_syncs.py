"""Copies over HTTP and at the terminal: who sees which, and what may be asked; the worker does it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from starlette.testclient import TestClient

from lienthong.access import read_agreement
from lienthong.errors import SyncError
from lienthong.pipeline.declaring import take_over
from lienthong.settings import Settings
from lienthong.sharing.register import RegisterReader
from lienthong.sharing.sync_definitions import load_syncs, sync_variables
from lienthong.standards.working_days import WorkingDays
from lienthong.web.sync_round import keep_in_step
from tests.conftest import fresh_database
from tests.patience import until
from tests.templates import Template
from tests.web.counters import OWNER, PART, READER, ROWS, Province, asking, copied_province, make_app

SYNCS = "/v1/syncs"


def define(folder: Path, location: str, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    password = urlsplit(location).password or ""
    document = {
        "id": "kho", "consumer": READER, "dataset": "test.people", "purpose": "xet-tro-cap", "official": "can-bo-01",
        "target": {
            "kind": "postgresql", "location": location.replace(f":{password}@", "@"), "password": "${KHO}", "table": "nguoi",
        }, **more,
    }  # fmt: skip
    (folder / "kho.yaml").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def province(counters_template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Province]:
    monkeypatch.chdir(tmp_path)  # the folder of syncs of the settings lies where the server is started
    document = {
        "id": "TT-kho", "provider": "H10.02", "consumer": READER, "dataset": "test.people", "state": "active", "operations": ["bulk", "changes"],
        "purposes": {"xet-tro-cap": {"vi": "Xét trợ cấp", "en": "Benefits"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2026-01-01"},
    }  # fmt: skip
    agreement = read_agreement(document, "kho", [])
    assert agreement is not None
    with copied_province(counters_template, tmp_path) as made:
        take_over(made.workshop, [agreement])
        yield made


@pytest.fixture
def target(postgres_server: Any) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def held(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        there = connection.execute("select to_regclass('public.nguoi') is not null").fetchone()
        return connection.execute("select lienthong_key, children from nguoi order by 1").fetchall() if there and there[0] else []


def test_the_worker_keeps_a_copy_in_step_and_does_what_is_asked(
    province: Province, client: TestClient, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = define(province.folder / "syncs", target)
    monkeypatch.setenv("LIENTHONG_SYNC_KHO", urlsplit(target).password or "")
    ended = threading.Event()
    reader = RegisterReader(province.workshop.contracts, WorkingDays())
    thread = threading.Thread(target=keep_in_step, args=(Settings(syncs=folder), province.workshop, reader, ended))
    thread.start()
    try:
        until(lambda: len(held(target)) == 5)
        province.publish_people([*ROWS[1:], ("P7", "Lý Văn Bảy", "01/01/2001", 1)])
        until(lambda: [key for key, _ in held(target)] == ["P2", "P3", "P4", "P5", "P7"])
        with psycopg.connect(target) as connection:
            connection.execute("update nguoi set children = 77 where lienthong_key = 'P2'")
        assert client.post(f"{SYNCS}/kho/repair", headers=asking(READER)).json() == {"sync": "kho", "asked": "repair"}
        until(lambda: dict(held(target))["P2"] == 3)
        shown = client.get(f"{SYNCS}/kho", headers=asking(READER)).json()
        assert (shown["state"], shown["version"], shown["newest"]) == ("following", 2, 2)
        assert [(d["key"], d["kind"], d["fields"]) for d in shown["drifts"]] == [("P2", "changed", ["children"])]
    finally:
        ended.set()
        thread.join()


def test_only_whom_a_copy_concerns_sees_it(province: Province, client: TestClient, target: str) -> None:
    define(province.folder / "syncs", target)
    for caller, count in ((READER, 1), (OWNER, 1), (PART, 0)):
        assert len(client.get(SYNCS, headers=asking(caller)).json()["syncs"]) == count
    assert client.get(f"{SYNCS}/kho", headers=asking(PART)).status_code == 404
    assert client.get(SYNCS).status_code == 401
    assert client.post(f"{SYNCS}/kho/run", headers=asking(OWNER)).status_code == 403
    assert client.post(f"{SYNCS}/kho/run", headers=asking(READER)).status_code == 409  # it never ran
    assert client.post(f"{SYNCS}/kho/accept", headers=asking(READER)).status_code == 404
    assert client.post(f"{SYNCS}/kho/other", headers=asking(READER)).status_code == 404
    told = client.get(f"{SYNCS}/kho", headers=asking(READER)).json()
    assert (told["state"], "@" in told["target"]) == ("new", False)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"word": 1}, "`word` is not understood"), ({"consumer": "x"}, "identifier"), ({"dataset": "no.such"}, "no dataset"),
        ({"fields": ["nothing"]}, "no field"), ({"target": {"kind": "tape", "location": "x"}}, "target.kind"),
        ({"target": {"kind": "postgresql", "location": "postgresql://u:secret@h/d", "table": "t"}}, "holds a password"),
        ({"target": {"kind": "postgresql", "location": "postgresql://h/d", "table": "t", "password": "secret"}}, "never the password"),
        ({"target": {"kind": "postgresql", "location": "postgresql://h/d", "table": "t; drop table x"}}, "target.table"),
        ({"target": {"kind": "sftp", "location": "sftp://h/d", "name": "a"}}, "host_key"),
        ({"target": {"kind": "folder", "location": "d", "name": "../a"}}, "target.name"),
        ({"target": {"kind": "rest", "location": "file:///etc/passwd"}}, "http"),
    ],
)  # fmt: skip
def test_every_fault_of_a_definition_is_told(province: Province, more: dict[str, Any], fault: str) -> None:
    folder = define(province.folder / "faults", "postgresql://h/d", **more)
    with pytest.raises(SyncError, match=fault):
        load_syncs(folder, province.workshop.contracts)


def test_secrets_come_from_the_environment_or_a_file_and_nothing_else_of_it(province: Province) -> None:
    (province.folder / "secret").write_text("từ-tệp\n", encoding="utf-8")
    variables = sync_variables({"LIENTHONG_SYNC_A": "a", "LIENTHONG_SYNC_B_FILE": str(province.folder / "secret"), "HOME": "x"})
    assert variables == {"A": "a", "B": "từ-tệp"}
    target = {"kind": "postgresql", "location": "postgresql://h/d", "table": "t", "password": "${NOT_SET}"}
    definition = load_syncs(define(province.folder / "one", "", target=target), province.workshop.contracts)["kho"]
    with pytest.raises(SyncError, match="NOT_SET"):
        definition.options(variables)
