"""A steward at the terminal: sees what waits and why, decides, takes back, sets a value, asks who was who."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lienthong.cli.main import app
from lienthong.pipeline import Workshop, reviewing
from lienthong.pipeline.matching import EntityIndex
from tests.pipeline.test_matching import filled, golden_of, learnt, workshop
from tests.pipeline.test_stewarding import index
from tests.registers import INSURANCE, POPULATION

__all__ = ["filled", "index", "learnt", "workshop"]  # fixtures of the same registers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def terminal(filled: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workshop:
    for name, value in {
        "LIENTHONG_DATABASE_URL": filled.database.url,
        "LIENTHONG_HOME": str(tmp_path),
        "LIENTHONG_DATASETS": str(ROOT / "datasets"),
        "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return filled


def run(*words: str, official: str = "can-bo-a") -> Result:
    return CliRunner(env={"LOGNAME": official}).invoke(app, ["match", *words])


def done(*words: str, official: str = "can-bo-a") -> str:
    result = run(*words, official=official)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_stewards_day(terminal: Workshop) -> None:
    left, right = f"{POPULATION}/7000000010", f"{INSURANCE}/9900000010"
    why = done("explain", "person", left, right)
    assert "Họ và tên: giống hệt" in why
    assert "Ngưỡng tự gộp" in why
    id = golden_of(terminal, POPULATION, "7000000010")

    told = done("split", "person", "--group", left, "--group", right, "--reason", "hai người")
    act = re.search(r"Hành động (\d+)", told)
    assert act is not None
    assert done("members", "person", id).split() == [left]
    assert done("who", right).strip() != id
    assert "split" in done("show", "person", id)
    done("undo", "person", act.group(1), "--reason", "nhầm")
    assert done("members", "person", id).split() == [left, right]

    done("override", "person", id, "phone", "0611111111", "--reason", "giấy khai")
    assert "phone = 0611111111" in done("show", "person", id)
    done("withdraw", "person", id, "phone", "--reason", "hết hạn")


def test_a_pair_of_the_queue_is_decided_by_its_number(terminal: Workshop) -> None:
    left, right = f"{POPULATION}/7000000012", f"{POPULATION}/7000000013"
    assert run("decide", "person", left, right, "same", "--reason", "một người").exit_code != 0  # the first of two persons
    waiting = done("queue", "person", "--limit", "500", official="can-bo-b")
    block = next(part for part in waiting.split("\n\n") if "7000000012" in part and "7000000013" in part)
    number = re.match(r"\s*(\d+)", block)
    assert number is not None
    done("defer", number.group(1), "2020-01-01")
    done("decide", "person", number.group(1), "same", "--reason", "một người", official="can-bo-b")
    assert golden_of(terminal, POPULATION, "7000000012") == golden_of(terminal, POPULATION, "7000000013")


def test_many_pairs_are_decided_after_a_preview(terminal: Workshop) -> None:
    left, right = f"{POPULATION}/7000000016", f"{POPULATION}/7000000017"
    assert run("decide", "person", left, right, "same", "--reason", "một người").exit_code != 0  # now it waits for another
    pattern = ("bulk", "person", "apart", "--why", "identifier", "--registers", f"{POPULATION}, {POPULATION}", "--differing", "citizen_id")
    told = done(*pattern)
    assert "7000000016" in told
    digest = re.search(r"--digest ([0-9a-f]{64})", told)
    assert digest is not None
    assert run(*pattern, "--digest", digest.group(1)).exit_code != 0  # no reason
    assert "Hành động" in done(*pattern, "--digest", digest.group(1), "--reason", "hai người")
    assert "7000000016" not in done("queue", "person", "--limit", "500")
    assert run("bulk", "person", "same", "--registers", "one").exit_code != 0


@pytest.mark.parametrize(
    "words",
    [
        ("decide", "person", "nobody", "same", "--reason", "x"),
        ("decide", "person", "999999", "same", "--reason", "x"),
        ("undo", "person", "1", "--reason", " "),
        ("show", "person", "person-000"),
        ("who", f"{POPULATION}/none"),
        ("who", f"{POPULATION}/7000000010", "--known-at", "yesterday"),
        ("override", "person", "person-000", "phone", "1", "--reason", "x"),
        ("queue", "planet"),
    ],
)
def test_what_cannot_be_done_is_said(terminal: Workshop, words: tuple[str, ...]) -> None:
    del terminal
    assert run(*words).exit_code != 0


def test_a_review_is_walked_at_the_terminal(terminal: Workshop, index: EntityIndex) -> None:
    assert "No review" in str(run("review", "estimate", "person").exception)
    assert "1" in done("review", "draw", "person", "80", "--seed", "2")
    first = done("review", "next", "person", "--limit", "100")
    items = re.findall(r"^(\d+)$", first, re.MULTILINE)
    assert len(items) > 10
    for item in items[:2]:
        done("review", "say", "person", item, "same")
    for left in reviewing.next_items(terminal, index, "can-bo-a", 100):  # the others at once, for a command takes its time to start
        reviewing.say(terminal, index, left.item, "same", "can-bo-a")
    assert "Không còn" in done("review", "next", "person")
    told = done("review", "estimate", "person")
    assert "%" in told
    assert "Tất cả" in told
    assert "can-bo-a" in told
    assert "Người khác cũng xem" in told
    cuts = done("review", "cuts", "person")
    left, right = re.findall(r"(\S+) · (\S+)", cuts)[0]
    adopted = done("review", "cuts", "person", "--adopt", f"{left},{right}")
    assert "match run person" in adopted
    report = CliRunner().invoke(app, ["report", "index"])
    assert report.exit_code == 0, report.output
    assert "độ chính xác" in report.output
    second = reviewing.next_items(terminal, index, "can-bo-b", 100)
    for left in second:
        reviewing.say(terminal, index, left.item, "apart" if left is second[0] else "same", "can-bo-b")
    share = f"{(len(second) - 1) / len(second):.0%}"
    assert re.search(rf"can-bo-b\D+{len(second)}\D+{len(second)}\D+{len(second) - 1} \({share}\)", done("review", "estimate", "person"))
    assert f"người ít cùng ý nhất {share}" in CliRunner().invoke(app, ["report", "index"]).output
