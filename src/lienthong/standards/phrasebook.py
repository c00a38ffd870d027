"""Sayings of the code in another language: whole ones, and ones that hold names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping


class Phrasebook:
    """`whole`: saying → what stands for it. `patterns`: a regular expression of a whole saying → the other, with `{name}` for its named groups."""

    def __init__(self, whole: Mapping[str, str], patterns: Mapping[str, str]) -> None:
        self._whole = whole
        self._patterns = [(re.compile(pattern, re.DOTALL), other) for pattern, other in patterns.items()]

    def find(self, saying: str) -> str | None:
        """What stands for a saying; None where nothing does."""
        found = self._whole.get(saying)
        if found is not None:
            return found
        for pattern, other in self._patterns:
            match = pattern.fullmatch(saying)
            if match is not None:
                return other.format(**match.groupdict())
        return None
