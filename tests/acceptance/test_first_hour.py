"""The newcomer's story: two commands, a card, the tutorial word for word, a stop and a second start.

The tests of this file run in order on one demo, as a person would.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from lienthong.store.embedded import EmbeddedServer
from tests.acceptance.demo_process import ROOT, SCALE, DemoProcess

TUTORIAL = ROOT / "docs" / "tutorials" / "first-hour.md"
VALUES_AN_HOUR = 24 * 8  # stations, each with as many indicators
DATASETS = {".".join(path.parent.relative_to(ROOT / "datasets").parts) for path in (ROOT / "datasets").glob("*/*/sample.*")}
EXPECTED = {  # the tutorial's blocks, by the words of one of their commands, and what a reader sees
    "status": ("population.persons", "published"),
    "['example']['curl']": ('"withheld"', '"key":'),
    "lienthong token": (),
    "social-insurance.participants/records": ('"status":403', '"rule"'),
    "quarantine list": ("environment.readings", "waiting"),
    "quarantine correct": ("went through",),
    "run licences.register": ("unchanged",),
    "ledger verify": ("The ledger holds", "promises hold"),
}
pytestmark = pytest.mark.timeout(900)


def shell(demo: DemoProcess, script: str) -> str:
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}{demo.said()}"
    return done.stdout


def tutorial_blocks(demo: DemoProcess) -> list[str]:
    """The tutorial's commands but `make demo`, for this home and this environment."""
    blocks = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text("utf-8"), flags=re.DOTALL)
    here = [block.replace(".venv/bin/", f"{Path(sys.executable).parent}/").replace("var/", f"{demo.home}/") for block in blocks]
    return [block for block in here if block.strip() != "make demo"]


def test_the_card_tells_where_every_row_went(card: dict[str, Any]) -> None:
    assert {line["id"] for line in card["datasets"]} == DATASETS
    for line in card["datasets"]:
        assert line["rows_in"] == line["rows_published"] + line["rows_unchanged"] + line["rows_quarantined"] > 0, line["id"]
    persons = next(line for line in card["datasets"] if line["id"] == "population.persons")
    assert 0.9 * SCALE <= persons["rows_published"] <= 1.1 * SCALE
    assert sum(line["rows_quarantined"] for line in card["datasets"]) > 0


def test_the_example_of_the_card_runs_as_it_is(demo: DemoProcess, card: dict[str, Any]) -> None:
    assert card["example"]["expect"] in shell(demo, card["example"]["curl"])


def test_another_agency_s_service_answers_through_the_platform(demo: DemoProcess, card: dict[str, Any]) -> None:
    assert card["service"]["expect"] in shell(demo, card["service"]["curl"])
    assert httpx.get(card["service"]["page"]).status_code == 200


def test_health_and_docs_answer(card: dict[str, Any]) -> None:
    assert httpx.get(card["base_url"] + "/health").status_code == 200
    assert httpx.get(card["docs_url"]).status_code == 200
    assert httpx.get(card["base_url"] + "/v1/datasets").status_code == 200


def test_the_card_and_the_keys_are_for_their_owner_alone(demo: DemoProcess, card: dict[str, Any]) -> None:
    secrets = [demo.home / "demo.json", demo.home / "demo.env", *(demo.home / "keys").iterdir()]
    assert card
    assert [path.name for path in secrets if path.stat().st_mode & 0o077] == []


def test_the_tutorial_works_word_for_word(demo: DemoProcess, card: dict[str, Any]) -> None:
    assert card
    blocks = tutorial_blocks(demo)
    script = "set -euo pipefail\nexport COLUMNS=200\n" + "\n".join(f"{block}\necho '@@'" for block in blocks)
    answers = shell(demo, script).split("@@\n")
    for block, answer in zip(blocks, answers, strict=False):
        seen = next(words for command, words in EXPECTED.items() if command in block)
        for words in seen:
            assert words in answer, f"{block}\n{answer}"


def test_a_taken_port_is_told_in_words(demo: DemoProcess, card: dict[str, Any]) -> None:
    assert card
    command = [sys.executable, "-m", "demo.run", "--scale", str(SCALE)]
    done = subprocess.run(command, cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 1
    assert f"PORT={demo.port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_everything_it_started(demo: DemoProcess, card: dict[str, Any]) -> None:
    assert card
    assert demo.stop() == 0, demo.said()
    assert demo.left_running() == []
    after = demo.said().partition("Dừng · stop    Ctrl-C")[2].splitlines()[1:]
    assert [line for line in after if line] == ["Đã dừng · stopped."]


def test_a_second_start_loads_nothing_twice(demo: DemoProcess) -> None:
    again = demo.start()
    assert json.loads((demo.home / "demo.json").read_text("utf-8"))["base_url"].endswith(str(demo.port))
    published = {line["id"]: line["rows_published"] for line in again["datasets"] if line["rows_published"]}
    hours = published.pop("environment.readings", 0)  # one that arrived while the demo was being stopped is read now
    assert (published, hours < 2 * VALUES_AN_HOUR) == ({}, True)
    assert {line["state"] for line in again["datasets"]} <= {"unchanged", "published"}


def test_termination_is_as_orderly_as_ctrl_c_however_often_it_is_told(demo: DemoProcess) -> None:
    assert demo.is_running()
    assert demo.stop(signal.SIGTERM, times=10) == 0
    assert "Traceback" not in demo.said()
    assert demo.left_running() == []


def test_a_killed_demo_leaves_nothing_running(demo: DemoProcess) -> None:
    demo.start()
    assert len(demo.left_running()) > 1
    demo.kill()
    patience_ends = time.monotonic() + 120
    while demo.left_running() and time.monotonic() < patience_ends:
        time.sleep(0.1)
    assert demo.left_running() == []


def test_a_changed_past_is_named(demo: DemoProcess) -> None:
    server = EmbeddedServer(demo.home)
    url = server.start()
    with psycopg.connect(url) as connection:
        position, body, batch = connection.execute(
            "select position, body, batch from lienthong.ledger_entries order by position limit 1 offset 3"
        ).fetchone()  # type: ignore[misc] # there are more than three
        changed = body.replace('"outcome":"', '"outcome":"un')
        assert changed != body
        connection.execute("update lienthong.ledger_batches set bodies = replace(bodies, %s, %s) where id = %s", (body, changed, batch))
    command = [str(Path(sys.executable).with_name("lienthong")), "--lang", "en", "ledger", "verify"]
    done = subprocess.run(command, cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False, timeout=400)
    server.stop()
    assert done.returncode == 1
    assert re.search(rf"Entry {position}\D", done.stderr), done.stderr
