"""Rows as GeoJSON features, in the reference system asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from lienthong.sharing.questions import Answer
from lienthong.web.doors.ogc.collections import Collection
from lienthong.web.doors.ogc.crs import Crs, decimals, told

GEOJSON = "application/geo+json"
_ENCODER = msgspec.json.Encoder()


def feature(id: str | None, shape: Mapping[str, Any] | str | None, properties: Mapping[str, Any], crs: Crs) -> dict[str, Any]:
    """One feature. A place that is kept as text goes out as it is, unless another system is asked for."""
    found: dict[str, Any] = {"type": "Feature"}
    if id is not None:
        found["id"] = id
    return {**found, "geometry": _geometry(shape, crs), "properties": properties}


def features_of(collection: Collection, answer: Answer, crs: Crs) -> list[dict[str, Any]]:
    """An answer's rows. A place that is masked is no place."""
    is_seen = {p.name for p in collection.contract.properties} & set(answer.fields)
    attributes = [(n, name) for n, name in enumerate(answer.fields) if collection.contract.property_named(name).standard != "geometry"]
    needed = [(n, name) for n, name in enumerate(answer.fields) if name in collection.place.columns]
    keys: Sequence[str | None] = answer.keys if answer.keys is not None else [None] * len(answer.rows)
    found = []
    for key, row in zip(keys, answer.rows, strict=True):
        place = {name: row[n] for n, name in needed if name in is_seen}
        found.append(feature(key, collection.shape_of(place), {name: row[n] for n, name in attributes}, crs))
    return found


def document(features: Sequence[dict[str, Any]], links: Iterable[Mapping[str, str]], at: datetime, total: int | None) -> bytes:
    """A page of features."""
    found: dict[str, Any] = {"type": "FeatureCollection", "features": features, "links": list(links)}
    found["timeStamp"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if total is not None:
        found["numberMatched"] = total
    return _ENCODER.encode({**found, "numberReturned": len(features)})


def _geometry(shape: Mapping[str, Any] | str | None, crs: Crs) -> Any:
    if shape is None:
        return None
    if crs.code is None:
        return msgspec.Raw(shape.encode()) if isinstance(shape, str) else shape
    moved = told(msgspec.json.decode(shape) if isinstance(shape, str) else shape, crs)
    digits = decimals(crs)

    def short(value: Any) -> Any:
        return [short(part) for part in value] if isinstance(value, list) else round(value, digits)

    return {"type": moved["type"], "coordinates": short(moved["coordinates"])}
