"""`lienthong agreement …` and `lienthong access explain`, as an operator uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from tests.web.served import AGREEMENT, CALLER, CONTRACT, DATASET

RUN = CliRunner()


@pytest.fixture
def place(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform with one contract and one agreement of the operator's folder."""
    subsystem = {"identifier": CALLER, "title_vi": "Tra cứu", "title_en": "Looking up", "keys": []}
    for name, document in {
        "datasets/test/licences/contract.yaml": CONTRACT,
        "agreements/subsystems/one.yaml": subsystem,
        "agreements/agreements/one.yaml": AGREEMENT,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    for setting, value in {
        "DATABASE_URL": database_url,
        "HOME": "home",
        "DATASETS": "datasets",
        "AGREEMENTS": "agreements",
        "LOG_LEVEL": "ERROR",
    }.items():
        monkeypatch.setenv(f"LIENTHONG_{setting}", value if setting in ("DATABASE_URL", "LOG_LEVEL") else str(tmp_path / value))
    return tmp_path


def said(*words: str, ends: int = 0) -> str:
    found = RUN.invoke(app, ["--lang", "en", *words])
    assert found.exit_code == ends, (words, found.output, found.exception)
    return found.output


def test_an_officer_is_told_who_sees_what_and_why(place: Path) -> None:
    found = json.loads(said("access", "explain", DATASET, CALLER, "--purpose", "tra-cuu", "--official", "x", "--json"))
    assert (found["allowed"], found["agreement"]) == (True, "TT-1")
    assert "other_purpose" in said("access", "explain", DATASET, CALLER, "--purpose", "khac", "--official", "x", "--json")
    assert "purposes" in said("access", "explain", DATASET, CALLER, "--purpose", "khac", "--official", "x")


def test_a_request_lives_its_life_at_the_terminal(place: Path) -> None:
    from lienthong.access import Offer
    from lienthong.contracts import load_all
    from lienthong.sharing.way_out import request_for

    contract = load_all(place / "datasets")[DATASET]
    from datetime import UTC, datetime

    body = request_for(contract, CALLER, "thong-ke", "list", datetime.now(UTC).date(), Offer())["body"]
    (place / "de-nghi.json").write_text(json.dumps(body, ensure_ascii=False), "utf-8")
    id = said("agreement", "request", str(place / "de-nghi.json"), "--agency", "H10.12").split()[0]
    assert id in said("agreement", "list", "--state", "requested")
    assert id in said("agreement", "overdue", "--all")
    said("agreement", "refuse", id, "--agency", "H10.10", ends=1)  # no reason, no law
    assert "granted" in said("agreement", "grant", id, "--agency", "H10.10")
    said("agreement", "activate", id, "--agency", "H10.10", ends=1)  # no key
    assert "ended" in said("agreement", "end", id, "--agency", "H10.10", "--reason", "thôi", "--copies", "destroyed")
    whole = said("agreement", "show", id)
    for words in ("fields given", "all", "thong-ke", "answers a minute", "600", "legal basis", "destroyed", "granted", "ended"):
        assert words in whole, (words, whole)
    assert [step["act"] for step in json.loads(said("agreement", "show", id, "--json"))["steps"]] == ["request", "grant", "end"]
    assert json.loads(said("agreement", "usage", id))["answers"] == 0


def test_a_stop_is_announced_and_withdrawn(place: Path) -> None:
    words = ("agreement", "stop", "announce", DATASET, "--reason", "nâng cấp", "--agency", "H10.10")
    said(*words, "--from", "2020-01-01T08:00", "--to", "2020-01-01T09:00", ends=1)
    assert "Stop 1" in said(*words, "--from", "2040-01-02T08:00", "--to", "2040-01-02T09:00")
    assert "nâng cấp" in said("agreement", "stop", "list")
    said("agreement", "stop", "withdraw", "1", "--reason", "hoãn", "--agency", "H10.10")
    assert "nâng cấp" not in said("agreement", "stop", "list")
