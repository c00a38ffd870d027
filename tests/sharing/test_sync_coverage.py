"""Which copies one holder should have, and has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lienthong.access import Identity
from lienthong.cli import words
from lienthong.cli.main import app
from lienthong.contracts import Layer, Sharing
from lienthong.sharing.sync_coverage import coverage, due
from lienthong.store.syncs import SyncState
from tests.factories import make_contract
from tests.sharing.syncs import definition_of
from tests.web.served import CONTRACT

NODE = "VN/GOV/A01/nut-dai-dien"


def state_of(sync: str, state: str = "following", version: int | None = 3) -> SyncState:
    return SyncState(sync, state, "", "", version, 0, 0, None, None, None, None, None, None)


def copy_of(dataset: str, sync: str, consumer: str = NODE) -> Any:
    return definition_of("folder", "/srv/gui", id=sync, dataset=dataset, consumer=consumer)


def test_golden_records_and_what_is_shared_by_default_are_due_and_nothing_else() -> None:
    one = make_contract()
    contracts = [
        replace(one, id="a", sharing=Sharing.DEFAULT),
        replace(one, id="b", sharing=Sharing.ON_REQUEST),
        replace(one, id="c", sharing=Sharing.OPEN),
        replace(one, id="register.of-persons", entity="person"),
        replace(one, id="master.person", entity="person", layer=Layer.MASTER),
    ]
    assert due(iter(contracts)) == {"a": "default", "master.person": "master"}


def test_a_copy_counts_when_it_follows_and_has_the_newest_version() -> None:
    wanted = dict.fromkeys("abcdef", "default")
    definitions = [
        *(copy_of(dataset, f"gui-{dataset}") for dataset in "abcd"), copy_of("a", "gui-a-cu"), copy_of("e", "cua-nguoi-khac", "VN/GOV/H10.12/kho"),
    ]  # fmt: skip
    states = {
        "gui-a": state_of("gui-a"), "gui-a-cu": state_of("gui-a-cu", "failing", 1), "gui-b": state_of("gui-b", version=2),
        "gui-c": state_of("gui-c", "stopped"), "cua-nguoi-khac": state_of("cua-nguoi-khac"),
    }  # fmt: skip
    found = coverage(wanted, definitions, states, dict.fromkeys("abcdef", 3), Identity.parse(NODE))
    assert [(f.dataset, f.sync, f.state, f.version, f.is_kept) for f in found] == [
        ("e", "", "none", 0, False),
        ("f", "", "none", 0, False),
        ("b", "gui-b", "following", 2, False),
        ("c", "gui-c", "stopped", 3, False),
        ("d", "gui-d", "not_run", 0, False),
        ("a", "gui-a", "following", 3, True),
    ]


def test_the_terminal_says_what_lacks_and_ends_with_one(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words.out, "_width", 250)
    folder = tmp_path / "datasets" / "test" / "licences"
    folder.mkdir(parents=True)
    properties = [p for p in CONTRACT.get("customProperties", []) if p["property"] != "sharing"]
    document = {**CONTRACT, "customProperties": [*properties, {"property": "sharing", "value": "default"}]}
    (folder / "contract.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    for name, value in {"DATABASE_URL": database_url, "HOME": tmp_path, "DATASETS": tmp_path / "datasets", "LOG_LEVEL": "ERROR"}.items():
        monkeypatch.setenv(f"LIENTHONG_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["--lang", "vi", "sync", "coverage", NODE])
    assert told.exit_code == 1, told.output
    assert "chưa có bản sao" in told.output
    assert "0/1 bộ đã đồng bộ đủ" in told.output
    found = json.loads(CliRunner().invoke(app, ["sync", "coverage", NODE, "--json"]).output)
    assert [(each["why"], each["state"], each["is_kept"]) for each in found] == [("default", "none", False)]
    assert CliRunner().invoke(app, ["sync", "coverage", "not a subsystem"]).exit_code == 1
