"""A model written and read again weighs every pair the same, to the last bit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest

from lienthong.masterdata.model import Cuts, Model, ModelError, frequencies_path, read_model, write_model
from lienthong.masterdata.plan import Successors
from tests.masterdata.people import Village


def test_a_model_read_back_gives_identical_weights_and_keys(model: Model, village: Village, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    write_model(model.with_cuts(Cuts(1.5, -2.0, {"insurance|population": 0.25})), path)
    again = read_model(path)
    assert again.cuts == Cuts(1.5, -2.0, {"insurance|population": 0.25})
    assert again.plan == model.plan
    assert again.rungs == model.rungs
    assert (again.prior_bits, again.kin_bits, again.shared) == (model.prior_bits, model.kin_bits, model.shared)
    ours, read, rows = model.scorer(), again.scorer(), village.features.rows()
    for a, b in zip(rows, rows[1:] + rows[:1], strict=True):
        assert ours.score(a, b) == read.score(a, b)
        assert ours.explain(a, a) == read.explain(a, a)
    places = {column: n for n, column in enumerate(model.plan.columns)}
    assert [again.blocking.keys(row, places) for row in rows] == [model.blocking.keys(row, places) for row in rows]


def test_a_model_keeps_what_became_of_units_whatever_changes_later(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    known = Successors(date(2026, 7, 1), {"25198": "25195", "00004": "00008", "01": "02"})
    attributes = tuple(replace(a, options={**a.options, "today": True}) if a.name == "commune_code" else a for a in model.plan.attributes)
    assert replace(model.plan, attributes=attributes).follows_units
    assert not model.plan.follows_units
    assert model.plan.with_successors(known).features({"commune_code": "25198"}) == model.plan.features({"commune_code": "25198"})
    write_model(replace(model, plan=replace(model.plan, attributes=attributes).with_successors(known)), path)
    again = read_model(path)
    assert again.plan.successors == known
    assert set(again.frequencies) == set(model.frequencies)
    places = [model.plan.columns.index(f"commune_code__{part}") for part in ("code", "now")]
    told = {
        code: tuple(again.plan.features({"commune_code": code})[n] for n in places) for code in ("25198", "25195", "00004", "1", "01>03")
    }
    assert told == {
        "25198": ("25198", "25195"),
        "25195": ("25195",) * 2,
        "00004": ("00004", "00008"),
        "1": ("1",) * 2,
        "01>03": ("01", "03"),
    }
    frame = again.plan.feature_frame(pl.DataFrame({"commune_code": list(told)}))
    assert frame.select("commune_code__code", "commune_code__now").rows() == list(told.values())


def test_a_model_of_an_earlier_version_knows_of_no_successors(model: Model, tmp_path: Path) -> None:
    write_model(model, tmp_path / "person.json")
    assert read_model(tmp_path / "person.json").plan.successors == Successors()


def test_the_readable_part_holds_no_value_of_any_record(model: Model, village: Village, tmp_path: Path) -> None:
    write_model(model, tmp_path / "person.json")
    text = (tmp_path / "person.json").read_text("utf-8")
    told = {value for record in village.records for name in ("full_name", "citizen_id", "phone") if (value := record.values[name])}
    assert not [value for value in told if value in text]


@pytest.mark.parametrize("text", ["", "{", '{"format": 99}', '{"format": 1}'])
def test_what_is_no_model_is_told_so(model: Model, tmp_path: Path, text: str) -> None:
    path = tmp_path / "person.json"
    write_model(model, path)
    path.write_text(text, "utf-8")
    with pytest.raises(ModelError):
        read_model(path)


def test_a_model_without_its_frequencies_is_told_so(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    write_model(model, path)
    frequencies_path(path).write_bytes(b"not parquet")
    with pytest.raises(ModelError):
        read_model(path)


def test_a_hamlet_alone_is_alike_to_a_model_that_was_not_taught_it(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    write_model(model, path)
    document = json.loads(path.read_text("utf-8"))
    home = next(each for each in document["comparisons"] if each["name"] == "home")
    home["rungs"] = [rung for rung in home["rungs"] if rung["label"] != "address hamlet alone"]
    path.write_text(json.dumps(document), "utf-8")
    again = read_model(path)
    house, hamlet = (again.plan.features({"address": text}) for text in ("Số 5, ấp 3, Tân Lợi", "ấp 3, Tân Lợi"))
    part = next(part for part in again.scorer().explain(house, hamlet) if part.comparison == "home")
    assert part.label == "address hamlet alone"
    assert part.bits == pytest.approx(next(rung for rung in home["rungs"] if rung["label"] == "address alike")["bits"], abs=0.001)


def test_a_rung_the_model_was_not_taught_says_what_the_one_below_it_says(model: Model, village: Village, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    untaught = replace(model, frequencies={name: each for name, each in model.frequencies.items() if name != "address__numbers"})
    write_model(untaught, path)
    document = json.loads(path.read_text("utf-8"))
    home = next(each for each in document["comparisons"] if each["name"] == "home")
    home["rungs"] = [rung for rung in home["rungs"] if rung["label"] != "address same numbers"]
    path.write_text(json.dumps(document), "utf-8")
    scorer = read_model(path).scorer()
    below = next(rung for rung in home["rungs"] if rung["label"] == "address alike")
    said = [
        part
        for a, b in combinations(village.features.rows()[:200], 2)
        for part in scorer.explain(a, b)
        if part.label == "address same numbers"
    ]
    assert said
    assert all(abs(part.bits - below["bits"]) < 0.2 for part in said)
