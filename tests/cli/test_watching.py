"""Whoever keeps watch at the terminal, and the worker that does it beside the server."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from lienthong.cli.main import app
from lienthong.pipeline import Workshop
from lienthong.settings import Settings
from lienthong.web.duties import DUTIES, Office
from tests.factories import make_contract, make_workshop
from tests.pipeline.test_alerting import exchange, record

ROOT = Path(__file__).parents[2]
RULES = "- {id: full, kind: disk, severity: alarm, free_percent: 101}\n"


@pytest.fixture
def watched(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = make_workshop(database_url, make_contract(str(tmp_path / "people.csv")))
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    for name, value in {
        "LIENTHONG_DATABASE_URL": database_url,
        "LIENTHONG_HOME": str(tmp_path),
        "LIENTHONG_DATASETS": str(ROOT / "datasets"),
        "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "1",
        "LIENTHONG_ALERT_RULES": str(tmp_path / "rules.yaml"),
    }.items():
        monkeypatch.setenv(name, value)
    return made


def run(*words: str) -> Result:
    return CliRunner(env={"LOGNAME": "truc-01"}).invoke(app, [*words])


def done(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_watch_at_the_terminal(watched: Workshop) -> None:
    assert "free_percent 101" in done("alert", "rules")
    assert "1 cảnh báo mới" in done("alert", "check")
    assert "0 cảnh báo mới" in done("alert", "check")
    (alert,) = json.loads(done("alert", "list", "--json"))
    assert "Đĩa sắp đầy" in done("alert", "list", "--state", "open")
    number = str(alert["alert"])
    done("alert", "take", number)
    assert run("alert", "take", number).exit_code != 0
    done("alert", "close", number, "--reason", "Đã thêm đĩa")
    (alert,) = json.loads(done("alert", "list", "--json"))
    assert [(step["state"], step["by_whom"]) for step in alert["steps"]] == [
        ("open", "lienthong"),
        ("taken", "truc-01"),
        ("closed", "truc-01"),
    ]
    assert watched.database is not None


def test_the_month_is_written_to_files(watched: Workshop, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    record(watched, *(exchange(now) for _ in range(3)))
    month = now.strftime("%Y-%m")
    told = done("report", "exchange", "--month", month, "--csv", str(tmp_path / "m.csv"), "--xlsx", str(tmp_path / "m.xlsx"))
    assert "3 lượt; 3 giấy tờ không phải nộp" in told
    rows = list(csv.reader((tmp_path / "m.csv").read_text("utf-8-sig").splitlines()))
    assert (rows[-1][0], rows[-1][4]) == ("Tổng cộng", "3")
    assert openpyxl.load_workbook(tmp_path / "m.xlsx").sheetnames[0] == "Dịch vụ"
    assert json.loads(done("report", "exchange", "--month", month, "--json").rpartition("}")[0] + "}")["is_whole"] is True
    assert "test.people" in done("report", "exchange", "--month", month)


@pytest.mark.parametrize("name", ["beat", "alerts", "count_exchanges"])
def test_the_worker_keeps_watch(watched: Workshop, tmp_path: Path, name: str) -> None:
    record(watched, exchange(datetime.now(UTC)))
    rules = tmp_path / "rules.yaml"
    office = Office(Settings(database_url=watched.database.url, home=tmp_path, alert_rules=rules), watched)
    (duty,) = (duty for duty in DUTIES if duty.name == name)
    _once(duty.do, office)
    left = {"beat": "duty_beats", "alerts": "alerts", "count_exchanges": "exchange_counts"}[name]
    with watched.database.connect() as connection:
        row = connection.execute(f"select count(*) from {left}").fetchone()
    assert row is not None
    assert row[0] >= 1


def _once(do: object, office: Office) -> None:
    """A duty that comes round, once."""

    class Ended:
        seen = 0

        def is_set(self) -> bool:
            self.seen += 1
            return self.seen > 1

        def wait(self, _: float) -> bool:
            return True

    do(office, Ended())  # type: ignore[operator] # a duty's `do`, and the part of an event it uses
