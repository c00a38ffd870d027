"""The quick judge of ODCS's schema and the one that finds words never differ."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts.reading import _quick_validator, _validator, read_document

DOCUMENTS = [read_document(path) for path in sorted((Path(__file__).parents[2] / "datasets").rglob("contract.yaml"))[:8]]
ODD: list[Any] = [None, True, 0, -1.5, "", "x" * 300, [], [1], {}, {"a": {}}]


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """A contract of ours with one thing put in the place of another, or taken away."""
    document: Any = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    place = document
    while True:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        if draw(st.booleans()):
            del place[key]
        else:
            place[key] = draw(st.sampled_from(ODD))
        return dict(document)


@settings(max_examples=150, deadline=None)
@given(changed())
def test_two_readers_of_one_schema_agree(document: dict[str, Any]) -> None:
    assert _quick_validator().is_valid(document) == _validator().is_valid(document)
