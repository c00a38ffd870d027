"""A model at the terminal: learnt, looked at, compared, put in force, and everything matched by it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lienthong.errors import NotFound
from lienthong.masterdata.model import Cuts, Model, read_model, write_model
from lienthong.masterdata.waterfall import rung_words
from lienthong.pipeline import Workshop, match_models
from tests.cli.test_stewarding import done, run, terminal
from tests.pipeline.test_matching import filled, learnt, partition, workshop
from tests.registers import model_of, person_entity

__all__ = ["filled", "learnt", "terminal", "workshop"]  # fixtures of the same registers


@pytest.fixture
def models(terminal: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    del terminal
    monkeypatch.setenv("LIENTHONG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def numbers(line: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", line)]


def assert_shows(model: Model, said: str) -> None:
    """Every rung of every comparison with its m, u and bits, then the cuts and the keys."""
    lines = [line for line in said.splitlines() if re.search(r"\d\.\d{6}", line)]
    every = [rung for rungs in model.rungs for rung in rungs]
    assert len(lines) == len(every)
    for line, rung in zip(lines, every, strict=True):
        assert f"{rung.m:.4f}" in line
        assert f"{rung.u:.6f}" in line
        assert f"{rung.bits:+.1f}" in line
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        first = next(line for line in lines if line.split()[0] == comparison.name)
        assert rung_words(rungs[0].label, {})[0] in first
    assert f"{model.cuts.join_bits:+.1f}" in said
    assert f"{model.prior_bits:+.1f}" in said
    assert said.count("khóa: ") == len(model.blocking.recipes)


def test_a_model_is_learnt_and_shown_with_what_every_rung_is_worth(terminal: Workshop, models: Path) -> None:
    said = done("train", "household")
    learnt = read_model(models / "household.json")
    assert learnt.records_seen > 50
    assert_shows(learnt, said)
    assert_shows(learnt, done("model", "household"))
    assert run("run", "household").exit_code != 0  # learnt is not yet in force
    done("train", "household", "--adopt")
    assert "household" in done("run", "household")
    with terminal.database.connect() as connection:
        row = connection.execute("select count(*) from data.master_household").fetchone()
    assert row is not None
    assert row[0] > 50


def test_a_model_is_compared_put_in_force_and_everything_matched_by_it(terminal: Workshop, models: Path) -> None:
    before = partition(terminal)
    strict = replace(model_of(terminal), version="7").with_cuts(Cuts(40.0, 40.0))
    write_model(strict, models / "person.json")
    expected = match_models.compare(terminal, person_entity(terminal), strict)
    heading, figures, *examples = done("compare", "person").splitlines()
    assert "Sẽ gộp" in heading
    assert numbers(figures) == [expected.records, expected.same, expected.merging, expected.splitting]
    assert [tuple(line.split(" + ")) for line in map(str.strip, examples)] == list(expected.examples)
    assert expected.splitting > 50
    assert partition(terminal) == before

    done("adopt", "person")
    assert model_of(terminal).version == "7"
    assert partition(terminal) == before
    shown = numbers(done("run", "person", "--reason", "ngưỡng mới").splitlines()[-1])
    assert shown[:2] == [expected.records, len(partition(terminal))]
    after = partition(terminal)
    assert len(before - after) == expected.splitting
    with terminal.database.connect() as connection:
        row = connection.execute("select reason, by_whom from match_acts order by act desc limit 1").fetchone()
    assert row == ("ngưỡng mới", "can-bo-a")


def test_nothing_is_matched_where_one_entity_of_all_has_no_model(terminal: Workshop, models: Path) -> None:
    del models
    with terminal.database.connect() as connection:
        acts = connection.execute("select count(*) from match_acts").fetchone()
    refused = run("run", "all")
    assert refused.exit_code != 0
    assert isinstance(refused.exception, NotFound)
    with terminal.database.connect() as connection:
        assert connection.execute("select count(*) from match_acts").fetchone() == acts
