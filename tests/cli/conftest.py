"""A terminal wide enough for every table, whichever test was the first to load the commands."""

from __future__ import annotations

import pytest

from lienthong.cli import words


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words.out, "_width", 250)
