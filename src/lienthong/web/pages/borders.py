"""Borders of communes, where this deployment has them: a GeoJSON file of features with `code` and `fullName`, named by a setting.

Features may say since when and until when they were in force (`validFrom`, `validTo`), so that one code may have several borders, one after
another, and where each was taken from (`source`). Maps show what is in force; who asks for a day is told of that day.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from lienthong.standards.admin_units import MERGED, successors, units_by_code
from lienthong.web.pages.drawing import Area

STEPS = 5
Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class Border:
    """One unit's border for as long as it was in force; both ends None where the file says none. `until` is the first day it was not."""

    code: str
    name: str
    shape: Mapping[str, Any]
    area: float | None
    since: date | None
    until: date | None
    source: str | None = None


class Borders:
    """The borders of one file, read on first use; without a file there are none and maps are left out."""

    def __init__(self, file: str = "") -> None:
        self._file = Path(file) if file else None

    @cached_property
    def _document(self) -> list[Mapping[str, Any]]:
        if self._file is None or not self._file.is_file():
            return []
        data = self._file.read_bytes()
        document = msgspec.json.decode(gzip.decompress(data) if self._file.suffix == ".gz" else data)
        return list(document["features"])

    @cached_property
    def every(self) -> list[Border]:
        """All borders there are, those of the past too, by code and time."""
        found = [_border(f["properties"], f["geometry"]) for f in self._document]
        return sorted(found, key=lambda each: (each.code, each.since or date.min))

    @cached_property
    def _now(self) -> list[Border]:
        return [each for each in self.every if each.until is None]

    @cached_property
    def _features(self) -> list[tuple[str, str, list[Ring]]]:
        """(code, name, rings) of every unit."""
        return [(each.code, each.name, _rings(each.shape)) for each in self._now]

    def shapes(self) -> dict[str, Mapping[str, Any]]:
        """Code → GeoJSON of every unit there is now."""
        return {each.code: each.shape for each in self._now}

    def codes(self) -> list[str]:
        """The units there are borders of."""
        return [code for code, _, _ in self._features]

    def shaded(
        self, values: Mapping[str, float | None], tell: Callable[[str, float | None], str], where: Callable[[str], str],
        on: date | None = None,
    ) -> list[Area]:  # fmt: skip
        """Every unit with its shade: fifths of the units that have a value, so that one large city does not leave the rest white.

        With `on`, what became one unit by then is drawn as one, and told under its name; what was split stays as the file draws it, for no
        file says where the line runs.
        """
        drawn = self._features if on is None else self._joined(on)
        known = sorted(value for code, _, _ in drawn if (value := values.get(code)) is not None)
        return [Area(rings, _step(values.get(code), known), tell(name, values.get(code)), where(code)) for code, name, rings in drawn]

    def _joined(self, on: date) -> list[tuple[str, str, list[Ring]]]:
        joined: dict[str, tuple[str, list[Ring]]] = {}
        for code, name, rings in self._features:
            then, called = _became(code, name, on)
            joined[then] = (called, [*joined[then][1], *rings] if then in joined else rings)
        return [(code, name, rings) for code, (name, rings) in joined.items()]


def _became(code: str, name: str, on: date) -> tuple[str, str]:
    """The one unit that a border's unit is on a day: itself, or what took its place whole."""
    drawn = next((unit for unit in units_by_code().get(code, []) if unit.valid_from == MERGED and unit.level == "commune"), None)
    if drawn is None or drawn.valid_to is None or drawn.valid_to > on:
        return code, name
    after = successors(drawn, on)
    return (after[0].code, after[0].name) if len(after) == 1 else (code, name)


def name_of(code: str) -> str:
    """The name a code has now, else the last it had; empty for none."""
    found = units_by_code().get(code, [])
    return max(found, key=lambda unit: (unit.valid_to is None, unit.valid_from)).name if found else ""


def _border(properties: Mapping[str, Any], shape: Mapping[str, Any]) -> Border:
    since, until = (date.fromisoformat(text) if (text := properties.get(name)) else None for name in ("validFrom", "validTo"))
    return Border(properties["code"], properties["fullName"], shape, properties.get("areaKm2"), since, until, properties.get("source"))


def _rings(shape: Mapping[str, Any]) -> list[Ring]:
    pieces = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return [[(x, y) for x, y, *_ in ring] for piece in pieces for ring in piece]


def _step(value: float | None, known: list[float]) -> int:
    if value is None:
        return 0
    below = sum(1 for other in known if other < value)
    return 1 + min(STEPS - 1, below * STEPS // len(known))
