"""What collections there are: datasets with a place, and the borders of units of administration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any as Anything

import msgspec

from lienthong.contracts import Contract, Place, Property
from lienthong.sharing.geometry import Box, box_of, inner_point, meets
from lienthong.sharing.questions import Any, Expression, OneOf, Within
from lienthong.standards.admin_units import Unit, units_by_code
from lienthong.web.pages.borders import Border, Borders

BORDERS = "admin-units.borders"
GEOMETRY = "geometry"
VIETNAM: Box = (102.1, 8.3, 109.6, 23.5)  # the mainland and its near islands, where a province's own borders are not known
_SCHEMAS: Mapping[str, Mapping[str, Anything]] = {
    "string": {"type": "string"}, "integer": {"type": "integer"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "timestamp": {"type": "string", "format": "date-time"},
}  # fmt: skip


class Ground:
    """The borders of the province's communes, read on first use."""

    def __init__(self, file: str) -> None:
        self._borders = Borders(file)

    @cached_property
    def shapes(self) -> Mapping[str, Mapping[str, Anything]]:
        """Code → border."""
        return self._borders.shapes()

    @cached_property
    def every(self) -> Sequence[Border]:
        """All borders the file has, those of the past too."""
        return self._borders.every

    @cached_property
    def points(self) -> Mapping[str, tuple[float, float]]:
        """Code → a point inside its border."""
        return {code: inner_point(shape) for code, shape in self.shapes.items()}

    @cached_property
    def box(self) -> Box:
        boxes = [box_of(shape) for shape in self.shapes.values()]
        if not boxes:
            return VIETNAM
        return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)

    def codes_in(self, shape: Mapping[str, Anything]) -> tuple[str, ...]:
        """The units whose point is in a shape."""
        return tuple(code for code, place in self.points.items() if meets({"type": "Point", "coordinates": place}, shape))


@dataclass(frozen=True)
class Collection:
    """A dataset with a place. `where` makes a condition of a shape in CRS84."""

    contract: Contract
    place: Place
    ground: Ground

    @property
    def id(self) -> str:
        return self.contract.id

    @property
    def geometry_names(self) -> frozenset[str]:
        """What filters may call the place."""
        return frozenset({self.place.geometry or GEOMETRY})

    @property
    def attributes(self) -> tuple[Property, ...]:
        """The properties that are no geometry."""
        return tuple(p for p in self.contract.properties if p.standard != "geometry")

    def where(self, shape: Mapping[str, Anything], *, is_box: bool = False) -> Expression:
        """Whether a row's place meets a shape."""
        place = self.place
        if place.unit:
            codes = self.ground.codes_in(shape)
            return OneOf(place.unit, codes) if codes else Any(())
        columns = (place.geometry,) if place.geometry else (place.longitude, place.latitude)
        return Within(columns, box_of(shape), "" if is_box else _text(shape))

    def shape_of(self, values: Mapping[str, Anything]) -> Mapping[str, Anything] | str | None:
        """A row's place: GeoJSON, as text where it is kept so; None where it has none or it is not seen."""
        place = self.place
        if place.geometry:
            found: str | None = values.get(place.geometry)
            return found
        if place.unit:
            point = self.ground.points.get(values.get(place.unit) or "")
            return None if point is None else {"type": "Point", "coordinates": point}
        longitude, latitude = values.get(place.longitude), values.get(place.latitude)
        return None if longitude is None or latitude is None else {"type": "Point", "coordinates": (longitude, latitude)}


def collections_of(contracts: Mapping[str, Contract], ground: Ground) -> dict[str, Collection]:
    """Collections by id: every dataset with a place."""
    return {
        contract.id: Collection(contract, contract.place, ground)
        for contract in sorted(contracts.values(), key=lambda c: c.id)
        if contract.place is not None
    }


def schema_of(p: Property) -> dict[str, Anything]:
    """A property as JSON Schema."""
    return {"title": f"{p.title_vi} · {p.title_en}", **_SCHEMAS[p.logical_type]}


def border_properties() -> dict[str, dict[str, Anything]]:
    """The properties of borders as JSON Schema."""
    text, day = {"type": "string"}, {"type": "string", "format": "date"}
    return {
        "code": {"title": "Mã đơn vị · Code", **text},
        "name": {"title": "Tên · Name", **text},
        "level": {"title": "Cấp · Level", **text},
        "province_code": {"title": "Mã tỉnh · Province", **text},
        "valid_from": {"title": "Có hiệu lực từ · Valid from", **day},
        "valid_to": {"title": "Hết hiệu lực từ · Valid to", **day},
        "area_km2": {"title": "Diện tích (km²) · Area (km²)", "type": "number"},
        "source": {"title": "Nguồn của địa giới · Where the border is from", **text},
    }


def border_features(ground: Ground) -> list[tuple[dict[str, Anything], Mapping[str, Anything]]]:
    """(properties, shape) of each border, in order of code and time.

    Where the file says no dates they are those of the unit that has the code now.
    """
    found = []
    for border in ground.every:
        unit = _unit_of(border)
        is_dated = border.since is not None or border.until is not None
        begins, ends = (border.since, border.until) if is_dated or unit is None else (unit.valid_from, unit.valid_to)
        found.append(
            (
                {
                    "code": border.code,
                    "name": unit.name if unit else border.name,
                    "level": unit.level if unit else "commune",
                    "province_code": unit.province_code if unit else "",
                    "valid_from": begins,
                    "valid_to": ends,
                    "area_km2": border.area,
                    "source": border.source,
                },
                border.shape,
            )
        )
    return found


def border_id(properties: Mapping[str, Anything]) -> str:
    """The id of a border: its unit's code, for one of the past with the day it ended: a code may be given again."""
    code, ends = properties["code"], properties["valid_to"]
    return str(code) if ends is None else f"{code}~{ends.isoformat()}"


def _unit_of(border: Border) -> Unit | None:
    """The unit a border is of: the one that had the code while it was in force."""
    units = units_by_code().get(border.code, [])
    if border.until is not None:
        units = [unit for unit in units if unit.valid_from < border.until]
    return max(units, key=lambda unit: (unit.valid_to is None and border.until is None, unit.valid_from)) if units else None


def _text(shape: Mapping[str, Anything]) -> str:
    return msgspec.json.encode(shape).decode()
