"""The page about HTTP names every address, header and rule there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.access import RULES
from lienthong.sharing.formats import FORMATS
from lienthong.web.headers import OFFICIAL, PURPOSE
from lienthong.web.tokens import TOKEN_PATH

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text("utf-8")


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_of_a_denial_is_in_the_reference(rule: str) -> None:
    assert f"`{rule}`" in PAGE


@pytest.mark.parametrize("word", [TOKEN_PATH, *FORMATS])
def test_every_format_and_the_token_address_are_in_the_reference(word: str) -> None:
    assert word in PAGE


@pytest.mark.parametrize("name", [PURPOSE, OFFICIAL])
def test_every_header_of_ours_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in PAGE.lower()
