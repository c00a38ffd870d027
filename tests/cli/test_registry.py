"""Agencies, subsystems and persons at the terminal."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from lienthong.cli.words import Language
from tests.pipeline.test_registering import make_key_of

NAME = "VN/GOV/H10.12/tro-cap"


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    monkeypatch.setenv("LIENTHONG_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setattr(Language, "english", True)
    (tmp_path / "datasets").mkdir()
    make_key_of(database_url, NAME, "k1")
    return CliRunner()


def said(run: CliRunner, *words: str) -> str:
    found = run.invoke(app, list(words), catch_exceptions=False, env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    return found.output


def test_a_key_is_listed_and_revoked(run: CliRunner) -> None:
    assert "k1 (production" in said(run, "subsystem", "list")
    assert "k1" in said(run, "subsystem", "expiring", "--days", "400")
    said(run, "subsystem", "revoke", NAME, "k1", "--reason", "lost")
    assert "k1" not in said(run, "subsystem", "list")


def test_the_approved_level_is_recorded_and_told_to_end(run: CliRunner, tmp_path: Path) -> None:
    assert "no approved security level" in said(run, "subsystem", "stages", NAME)
    file, until = tmp_path / "41.pdf", str(date.today() + timedelta(days=20))
    file.write_bytes(b"%PDF")
    words = ["--level", "2", "--decision", "41/QĐ", "--by", "Sở KH&CN", "--on", "2026-03-02", "--until", until, "--file", str(file)]
    said(run, "subsystem", "level", NAME, *words)
    assert "41/QĐ" in said(run, "subsystem", "stages", NAME)
    assert "no approved" not in said(run, "subsystem", "stages", NAME)
    assert "2 (" in said(run, "subsystem", "list")
    assert "level" in said(run, "subsystem", "expiring")


def test_the_first_week_after_a_production_key_is_told(run: CliRunner) -> None:
    told = said(run, "subsystem", "first-weeks", "--all")
    assert NAME in told
    assert "watched" in told
    assert "194/2025" in told
    assert "First-week watch" in said(run, "subsystem", "stages", NAME)


def test_the_first_two_operators_are_made_at_the_terminal_and_no_third(run: CliRunner) -> None:
    for number in (1, 2, 3):
        said(
            run,
            "person",
            "add",
            f"van-hanh-{number}",
            "--agency",
            "H10.11",
            "--issuer",
            "https://id",
            "--subject",
            str(number),
            "--name",
            "X",
        )
    for number in (1, 2):
        said(run, "person", "first-operator", f"van-hanh-{number}")
    third = run.invoke(app, ["person", "first-operator", "van-hanh-3"])
    assert "two operators" in str(third.exception)
    assert said(run, "person", "list").count("operator") == 2
    said(run, "person", "end", "van-hanh-1")
    assert said(run, "person", "list").count("operator") == 1


def test_an_unknown_agency_cannot_be_closed(run: CliRunner) -> None:
    assert "code" in said(run, "agency", "list")
    found = run.invoke(app, ["agency", "close", "H10.12", "--on", "2026-01-01"])
    assert "No agency H10.12" in str(found.exception)
