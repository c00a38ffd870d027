"""What the terminal says when something is wrong: in Vietnamese first, in English when asked."""

from __future__ import annotations

import socket
import sys
from datetime import UTC, date, datetime

import pytest

from lienthong.cli import words
from lienthong.cli.main import main
from lienthong.errors import StoreError
from lienthong.store.database import refuse_older


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    monkeypatch.setattr(sys, "argv", ["lienthong", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_a_database_that_does_not_answer_is_told_in_the_language_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LIENTHONG_DATABASE_URL", f"postgresql://ai:mat-khau@127.0.0.1:{nobody.getsockname()[1]}/x")
        told = said(monkeypatch, capsys, "status")
        assert told.startswith("Lỗi (store-unreachable): PostgreSQL không trả lời")
        assert "LIENTHONG_DATABASE_URL đã đúng chưa" in told
        assert "PostgreSQL does not answer" in said(monkeypatch, capsys, "--lang", "en", "status")
        assert "mat-khau" not in told


def test_a_setting_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIENTHONG_PORT", "tám nghìn [bold]")
    assert "LIENTHONG_PORT: cần một số nguyên, đang là `tám nghìn [bold]`" in said(monkeypatch, capsys, "status")


def test_brackets_of_a_value_are_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    words.show((("Cột", "Column"),), [("[/] [bold]a[/bold]",)])
    assert "[/] [bold]a[/bold]" in capsys.readouterr().out


def test_days_of_a_table_are_written_as_the_reader_writes_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    row = (date(2026, 11, 26), datetime(2026, 11, 26, 18, 30, tzinfo=UTC))
    headings = (("Ngày", "Day"), ("Lúc", "At"))
    monkeypatch.setattr(words.Language, "english", False)
    words.show(headings, [row])
    assert capsys.readouterr().out.split() == ["Ngày", "Lúc", "26/11/2026", "27/11/2026", "01:30"]
    monkeypatch.setattr(words.Language, "english", True)
    words.show(headings, [row])
    assert "2026-11-26" in capsys.readouterr().out


def test_a_server_that_is_too_old_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match=r"PostgreSQL 14; 15 or newer"):
        refuse_older(140_012)
    refuse_older(150_000)


def test_measures_of_a_reconciliation_are_told_in_vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    from lienthong.cli.quality import _measure

    monkeypatch.setattr(words.Language, "english", False)
    told = [
        _measure(what)
        for what in ("rows", "sum Diện tích", "sha256 a.csv", "hash of rows", "keys 1 – 9", "run 3, row 12", "key 7", "rows looked into")
    ]
    assert told == [
        "số hàng",
        "tổng Diện tích",
        "sha256 của a.csv",
        "dấu vân của các hàng",
        "khóa 1 – 9",
        "lần nạp 3, hàng 12",
        "khóa 7",
        "số hàng đã xem kỹ",
    ]
    monkeypatch.setattr(words.Language, "english", True)
    assert _measure("sum Diện tích") == "sum Diện tích"
