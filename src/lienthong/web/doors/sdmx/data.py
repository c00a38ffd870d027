"""Data messages: generic and structure-specific XML, written as the rows are read; and SDMX-JSON, which must hold them all to number their values.

Rows come as mappings component → text, sorted by the dimensions of the series.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from lxml import etree

from lienthong.errors import TooLarge
from lienthong.standards import show_number
from lienthong.web.doors.sdmx.flows import MEASURE, PLATFORM, Component, Flow
from lienthong.web.doors.sdmx.names import COMMON, GENERIC, MESSAGE, NAMESPACES, SPECIFIC, XSI, header, plain, tag
from lienthong.web.doors.sdmx.queries import ALL_DIMENSIONS

Row = Mapping[str, str | None]
MOST_IN_JSON = 200_000  # observations
PIECE_BYTES = 1 << 16
_SCHEMA = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/1.0/sdmx-json-data-schema.json"


@dataclass(frozen=True)
class Shape:
    """How a message is to be: `at_observation` is a dimension or AllDimensions; `attributes` those told, none with `detail=dataonly`.

    `first`, `last`: how many observations of each series; `has_observations` false: the series alone.
    """

    flow: Flow
    at_observation: str
    attributes: tuple[Component, ...]
    first: int | None
    last: int | None
    has_observations: bool
    number: str
    at: datetime

    @property
    def series(self) -> tuple[str, ...]:
        """The dimensions that make a series; none where every observation stands alone."""
        if self.at_observation == ALL_DIMENSIONS:
            return ()
        return tuple(component.id for component in self.flow.keys if component.id != self.at_observation)


def grouped(shape: Shape, rows: Iterable[Row]) -> Iterator[tuple[tuple[str | None, ...], list[Row]]]:
    """The series, each with the observations wanted of it."""
    for key, found in groupby(rows, key=lambda row: tuple(row[name] for name in shape.series)):
        yield key, list(_chosen(shape, found))


def _chosen(shape: Shape, rows: Iterator[Row]) -> Iterable[Row]:
    if not shape.has_observations:
        deque(rows, 0)
        return ()
    if shape.first is None and shape.last is None:
        return rows
    begin: list[Row] = []
    end: deque[Row] = deque(maxlen=shape.last or 1)
    for row in rows:
        if shape.first is not None and len(begin) < shape.first:
            begin.append(row)
        elif shape.last is not None:
            end.append(row)
    if shape.last is None:
        return begin
    missing = max(0, shape.last - len(end))  # the last are among the first where the series is short
    return [*begin, *end] if shape.first is not None else [*begin[len(begin) - missing :], *end]


class _Gathered:
    """A file that is only written, and emptied piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> None:
        self._parts.append(data)
        self.size += len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken


def generic_xml(shape: Shape, rows: Iterable[Row]) -> Iterator[bytes]:
    """`GenericData` in pieces."""

    def write(xml: Any, key: tuple[str | None, ...], found: list[Row]) -> None:
        if not shape.series:
            for row in found:
                xml.write(_generic_observation(shape, row, is_alone=True))
            return
        series = etree.Element(tag(GENERIC, "Series"))
        _values(etree.SubElement(series, tag(GENERIC, "SeriesKey")), zip(shape.series, key, strict=True))
        for row in found:
            series.append(_generic_observation(shape, row, is_alone=False))
        xml.write(series)

    own = {"structureRef": "STRUCTURE", "action": "Replace"}
    return _written(shape, rows, "GenericData", {**NAMESPACES, "gen": GENERIC}, own, write)


def _generic_observation(shape: Shape, row: Row, *, is_alone: bool) -> Any:
    made = etree.Element(tag(GENERIC, "Obs"))
    if is_alone:
        keys = [component.id for component in shape.flow.keys]
        _values(etree.SubElement(made, tag(GENERIC, "ObsKey")), [(name, row[name]) for name in keys])
    else:
        etree.SubElement(made, tag(GENERIC, "ObsDimension"), value=row[shape.at_observation] or "")
    if row[MEASURE] is not None:
        etree.SubElement(made, tag(GENERIC, "ObsValue"), value=row[MEASURE])
    told = [(component.id, row[component.id]) for component in shape.attributes if row[component.id] is not None]
    if told:
        _values(etree.SubElement(made, tag(GENERIC, "Attributes")), told)
    return made


def _values(parent: Any, pairs: Iterable[tuple[str, str | None]]) -> None:
    for name, value in pairs:
        etree.SubElement(parent, tag(GENERIC, "Value"), id=name, value=value or "")


def specific_xml(shape: Shape, rows: Iterable[Row]) -> Iterator[bytes]:
    """`StructureSpecificData` in pieces."""
    flow = shape.flow

    def write(xml: Any, key: tuple[str | None, ...], found: list[Row]) -> None:
        names = [component.id for component in flow.keys] if not shape.series else [shape.at_observation]
        names += [MEASURE, *(component.id for component in shape.attributes)]
        observations = [etree.Element("Obs", {name: row[name] for name in names if row[name] is not None}) for row in found]
        if not shape.series:
            for observation in observations:
                xml.write(observation)
            return
        series = etree.Element("Series", {name: value or "" for name, value in zip(shape.series, key, strict=True)})
        series.extend(observations)
        xml.write(series)

    space = _space(flow, shape.at_observation)
    own = {
        tag(SPECIFIC, "structureRef"): "STRUCTURE",
        tag(SPECIFIC, "dataScope"): "DataStructure",
        tag(SPECIFIC, "action"): "Replace",
        tag(XSI, "type"): "flow:DataSetType",
    }
    return _written(shape, rows, "StructureSpecificData", {**NAMESPACES, "ss": SPECIFIC, "xsi": XSI, "flow": space}, own, write, space)


def _space(flow: Flow, at_observation: str) -> str:
    own = f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={flow.agency}:{flow.id}({flow.version})"
    return f"{own}:ObsLevelDim:{at_observation}"


def _written(
    shape: Shape, rows: Iterable[Row], name: str, namespaces: Mapping[str, str], own: Mapping[str, str],
    write: Callable[[Any, tuple[str | None, ...], list[Row]], None], space: str = "",
) -> Iterator[bytes]:  # fmt: skip
    sink = _Gathered()
    with etree.xmlfile(sink, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element(tag(MESSAGE, name), nsmap=dict(namespaces)):
            xml.write(_data_header(shape, namespaces, space))
            with xml.element(tag(MESSAGE, "DataSet"), dict(own)):
                for key, found in grouped(shape, rows):
                    write(xml, key, found)
                    if sink.size > PIECE_BYTES:
                        yield sink.take()
                    xml.flush()
    yield sink.take()


def _data_header(shape: Shape, namespaces: Mapping[str, str], space: str) -> Any:
    root = etree.Element("unused", nsmap=dict(namespaces))
    made = header(root, shape.number, shape.at)
    more = {"namespace": space} if space else {}
    structure = etree.SubElement(
        made, tag(MESSAGE, "Structure"), structureID="STRUCTURE", dimensionAtObservation=shape.at_observation, **more
    )
    flow = shape.flow
    etree.SubElement(etree.SubElement(structure, tag(COMMON, "Structure")), "Ref", id=flow.id, agencyID=flow.agency, version=flow.version)
    return made


def json_data(shape: Shape, rows: Iterable[Row], *, is_draft: bool) -> bytes:
    """The whole message. `is_draft`: in the envelope of the draft that clients of before 2018 read. Raises TooLarge."""
    numbers: dict[str, dict[str, int]] = {c.id: {} for c in (*shape.flow.keys, *shape.attributes)}
    sets: dict[str, Any] = {}
    alone: dict[str, Any] = {}
    count = 0
    observed = [component.id for component in shape.flow.keys] if not shape.series else [shape.at_observation]
    for key, found in grouped(shape, rows):
        own = ":".join(str(_number(numbers[name], value)) for name, value in zip(shape.series, key, strict=True))
        observations: dict[str, Any] = {}
        for row in found:
            place = ":".join(str(_number(numbers[name], row[name])) for name in observed)
            told = [None if row[c.id] is None else _number(numbers[c.id], row[c.id]) for c in shape.attributes]
            observations[place] = [_measured(shape.flow, row[MEASURE]), *told]
        count += len(observations)
        if count > MOST_IN_JSON:
            raise TooLarge(
                f"SDMX-JSON holds at most {MOST_IN_JSON:,} observations here.", hint="Ask for XML, or for less.", hint_vi="Hãy hỏi bằng XML, hoặc hỏi ít hơn.",
                vi=f"SDMX-JSON có nhiều nhất {show_number(MOST_IN_JSON)} quan sát.",
            )  # fmt: skip
        if shape.series:
            sets[own] = {"attributes": [], "observations": observations} if observations else {"attributes": []}
        else:
            alone |= observations
    dataset = {"action": "Information" if is_draft else "Replace", **({"series": sets} if shape.series else {"observations": alone})}
    return msgspec.json.encode(_envelope(shape, numbers, observed, dataset, is_draft=is_draft))


def _number(numbers: dict[str, int], value: str | None) -> int:
    return numbers.setdefault(value or "", len(numbers))


def _measured(flow: Flow, text: str | None) -> float | int | str | None:
    if text is None:
        return None
    kind = flow.measure.property.logical_type
    return int(text) if kind == "integer" else float(text) if kind == "number" else text


def _envelope(
    shape: Shape, numbers: Mapping[str, Mapping[str, int]], observed: list[str], dataset: Mapping[str, Any], *, is_draft: bool
) -> dict[str, Any]:  # fmt: skip
    flow = shape.flow

    def described(component: Component, position: int | None) -> dict[str, Any]:
        values = [{"id": value, "name": value} for value in numbers[component.id]]
        names = {"vi": component.property.title_vi, "en": component.property.title_en}
        place = {} if position is None else {"keyPosition": position}
        return {"id": component.id, "name": names["vi"], **({} if is_draft else {"names": names}), **place, "values": values}

    keys = list(enumerate(flow.keys))
    structure = {
        "name": flow.contract.title_vi,
        "dimensions": {
            "dataSet": [],
            "series": [described(component, position) for position, component in keys if component.id in shape.series],
            "observation": [described(component, position) for position, component in keys if component.id in observed],
        },
        "attributes": {"dataSet": [], "series": [], "observation": [described(component, None) for component in shape.attributes]},
    }
    about = {"id": shape.number, "test": False, "prepared": shape.at.isoformat(), "sender": {"id": PLATFORM}}
    if is_draft:
        return {"header": about, "structure": structure, "dataSets": [dataset], "errors": []}
    meta = {"schema": _SCHEMA, **about, "contentLanguages": ["vi", "en"]}
    return {"meta": meta, "data": {"structure": structure, "dataSets": [dataset]}, "errors": []}


def text_of(value: Any) -> str | None:
    """A measure or attribute as text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str):
        return plain(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
