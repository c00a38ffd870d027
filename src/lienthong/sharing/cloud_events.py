"""Events as CloudEvents 1.0 in JSON: one by itself, or several as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lienthong.sharing.stream import Told

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PREFIX = "vn.lienthong."
_ENCODE = msgspec.json.Encoder().encode


def type_name(type: str) -> str:
    """`record:inserted` → `vn.lienthong.record.inserted`: reverse-DNS, as CloudEvents wishes."""
    return PREFIX + type.replace(":", ".")


def schema_name(type: str) -> str:
    """Where the type's content is described in the dataset's AsyncAPI document: `record:inserted` → `record_inserted`; notices share one."""
    subject, _, act = type.partition(":")
    if subject in ("record", "version"):
        return f"{subject}_{act}"
    return "entity_changed" if subject == "entity" else "notice"


def cloud_event(told: Told, base_url: str) -> dict[str, Any]:
    """The event with its context attributes. `sequence` is its position in the stream; a key that is withheld is no subject."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": told.id,
        "source": f"{base_url}/v1/datasets/{told.dataset}",
        "type": type_name(told.type),
        "time": told.at,
        "datacontenttype": "application/json",
        "dataschema": f"{base_url}/v1/datasets/{told.dataset}/asyncapi.json#/components/schemas/{schema_name(told.type)}",
        "sequence": str(told.place.position),
        "data": told.data,
    }
    if told.subject:
        event["subject"] = told.subject
    return event


def encode_one(told: Told, base_url: str) -> bytes:
    return _ENCODE(cloud_event(told, base_url))


def encode_batch(told: Sequence[Told], base_url: str) -> bytes:
    return _ENCODE([cloud_event(each, base_url) for each in told])
