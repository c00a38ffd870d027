"""The page of rules says what the code does."""

from __future__ import annotations

from pathlib import Path

from lienthong.quality.document import render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"


def test_the_page_of_rules_is_current() -> None:
    assert PAGE.read_text("utf-8") == render()
