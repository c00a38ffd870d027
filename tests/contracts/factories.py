"""A small contract that is right, as a document, and ways to bend it."""

from __future__ import annotations

import copy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "test.people",
    "name": "Người",
    "version": "1.0.0",
    "status": "active",
    "schema": [
        {
            "name": "people",
            "properties": [
                {"name": "record_no", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
                {
                    "name": "born_on",
                    "logicalType": "date",
                    "classification": "personal",
                    "logicalTypeOptions": {"minimum": "1900-01-01", "maximum": "today"},
                    "customProperties": [
                        {"property": "source", "value": ["Ngày sinh", "NGAY_SINH"]},
                        {"property": "mask", "value": "year"},
                    ],
                },
                {
                    "name": "commune_code",
                    "logicalType": "string",
                    "customProperties": [{"property": "standard", "value": "admin_unit"}, {"property": "asOf", "value": "born_on"}],
                    "quality": [
                        {
                            "id": "commune_is_known",
                            "type": "custom",
                            "engine": "lienthong",
                            "severity": "warning",
                            "implementation": {"rule": "allowed", "values": ["25195"]},
                        }
                    ],
                },
            ],
            "quality": [
                {
                    "id": "born_before_now",
                    "type": "custom",
                    "engine": "lienthong",
                    "implementation": {"rule": "compare", "left": "born_on", "operator": "<=", "right": "2030-01-01"},
                }
            ],
        }
    ],
    "customProperties": [
        {"property": "titleEn", "value": "People"},
        {"property": "agency", "value": "H10.02"},
        {"property": "sharing", "value": "on_request"},
        {"property": "expect", "value": {"rowsMin": 1, "quarantinedMaxPercent": 10}},
        {"property": "legalBasis", "value": [{"text": "Luật Dữ liệu 60/2024/QH15", "validFrom": "2025-07-01"}]},
        {"property": "sources", "value": [{"name": "file", "connector": "csv_file", "location": "${DEMO}/people.csv"}]},
    ],
}

Path = tuple[str | int, ...]
PROPERTIES: Path = ("schema", 0, "properties")


def make_document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def put(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The same document with another value at a place; the ends of a list are grown by one."""
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value
    return document


def word(name: str, value: Any) -> dict[str, Any]:
    return {"property": name, "value": value}


def with_word(document: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The same document with one custom property of the contract set anew."""
    document["customProperties"] = [*(entry for entry in document["customProperties"] if entry["property"] != name), word(name, value)]
    return document


def rule(**implementation: Any) -> dict[str, Any]:
    return {"id": "bent", "type": "custom", "engine": "lienthong", "implementation": implementation}
