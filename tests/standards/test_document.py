"""The reference page says what the room does."""

from __future__ import annotations

import re
from pathlib import Path

from lienthong.standards import PROBLEMS
from lienthong.standards.document import render

ROOT = Path(__file__).parents[2]


def test_the_reference_page_is_the_generated_one() -> None:
    assert (ROOT / "docs" / "reference" / "standards.md").read_text(encoding="utf-8") == render()


def test_every_problem_a_standard_names_has_words_and_none_is_left_over() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "lienthong" / "standards").glob("*.py") if path.name != "problems.py"
    )
    named = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', code))
    assert set(PROBLEMS) - named == set()
    assert {name for name in named if name.split(".")[0] in {one.split(".")[0] for one in PROBLEMS}} - set(PROBLEMS) == set()
