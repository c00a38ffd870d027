"""Why two records weigh what they weigh, in words, adds up and tells no value."""

from __future__ import annotations

import random

import pytest

from lienthong.masterdata.kinds import KINDS, Attribute, comparisons_of
from lienthong.masterdata.model import Model
from lienthong.masterdata.waterfall import _RUNGS, waterfall
from tests.masterdata.people import Village


def test_the_lines_add_up_to_the_weight(model: Model, village: Village) -> None:
    scorer, rows = model.scorer(), village.features.rows()
    chance = random.Random(4)
    for _ in range(1000):
        left, right = chance.choice(rows), chance.choice(rows)
        lines = waterfall(scorer, left, right)
        assert lines[0].name == "prior"
        assert lines[-1].name == "household"
        assert sum(line.bits for line in lines) == pytest.approx(scorer.score(left, right), abs=1e-9)
        assert lines[-1].sum_bits == pytest.approx(scorer.score(left, right), abs=1e-9)


def test_every_rung_of_every_kind_has_words() -> None:
    labels = {level.label for kind in KINDS for c in comparisons_of((Attribute("a", kind, {}),)) for level in c.levels}
    assert labels <= set(_RUNGS), labels - set(_RUNGS)


def test_a_line_is_vietnamese_and_english(model: Model, village: Village) -> None:
    rows = village.features.rows()
    lines = waterfall(model.scorer(), rows[0], rows[0], {"name": "Họ tên"})
    assert all(line.vietnamese.endswith(" bit") and line.english.endswith(" bits") for line in lines)
    assert any("giống hệt" in line.vietnamese for line in lines)


def test_a_rung_of_a_group_is_told_by_its_members_name(model: Model, village: Village) -> None:
    rows = village.features.rows()
    titles = {"home": "Nơi ở", "address": "Địa chỉ"}
    home = next(line for line in waterfall(model.scorer(), rows[0], rows[0], titles) if line.name == "home")
    assert home.vietnamese.startswith("Nơi ở: địa chỉ giống hệt")
    assert home.english.startswith("home: address the same")
