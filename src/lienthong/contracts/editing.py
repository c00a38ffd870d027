"""Changes of a contract's document, one field at a time, so that nobody need write YAML. Nothing is checked here: `build` does that."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lienthong.contracts.faults import nearest
from lienthong.errors import ContractError

Document = dict[str, Any]
CUSTOM = ("titleEn", "standard", "standardOptions", "source", "mapping", "asOf", "mask")
PLAIN = ("name", "businessName", "logicalType", "classification", "description")
RAISES = ("major", "minor", "patch")


def edited(document: Mapping[str, Any], field: str, changes: Mapping[str, Any]) -> Document:
    """The document with words of one field changed; None takes a word away. Raises ContractError for a field or word there is not.

    Words are those of a property and of its `customProperties`, and `required` (true, false) and `key` (a place, 0: none).
    """
    made = copy.deepcopy(dict(document))
    place = _field(made, field)
    for word, value in changes.items():
        if word in PLAIN:
            place.pop(word, None) if value is None else place.update({word: value})
        elif word in CUSTOM:
            _set_custom(place, word, value)
        elif word == "required":
            place.pop("required", None) if not value else place.update(required=True)
        elif word == "key":
            _set_key(place, int(value or 0))
        else:
            raise ContractError(
                f"A field has no word `{word}`.",
                hint=nearest(word, (*PLAIN, *CUSTOM, "required", "key")),
                vi=f"Một trường không có từ `{word}`.",
            )
    if made != document and not changes.get("standard", "") and "standard" in changes:
        _set_custom(place, "standardOptions", None)
    return made


def added(document: Mapping[str, Any], name: str, changes: Mapping[str, Any]) -> Document:
    """The document with one field more, at its end."""
    made = copy.deepcopy(dict(document))
    if any(p.get("name") == name for p in made["schema"][0]["properties"]):
        raise ContractError(f"There is a field `{name}` already.", vi=f"Đã có trường `{name}`.")
    words = {"titleEn": name.replace("_", " ")}
    made["schema"][0]["properties"].append({
        "name": name, "businessName": name, "logicalType": "string", "classification": "internal",
        "customProperties": [{"property": word, "value": value} for word, value in words.items()],
    })  # fmt: skip
    return edited(made, name, changes)


def without(document: Mapping[str, Any], name: str) -> Document:
    """The document without a field."""
    made = copy.deepcopy(dict(document))
    place = _field(made, name)
    made["schema"][0]["properties"].remove(place)
    return made


def raised(document: Mapping[str, Any], part: str) -> Document:
    """The document with its version raised by a `major`, `minor` or `patch` step."""
    if part not in RAISES:
        raise ContractError(
            f"Expected one of {', '.join(RAISES)}, found `{part}`.",
            hint=nearest(part, RAISES),
            vi=f"Cần một trong {', '.join(RAISES)}, đang là `{part}`.",
        )
    numbers = [int(each) for each in str(document.get("version", "1.0.0")).split(".")]
    at = RAISES.index(part)
    numbers = [*numbers[:at], numbers[at] + 1, *[0] * (2 - at)]
    return {**copy.deepcopy(dict(document)), "version": ".".join(map(str, numbers))}


def _field(document: Document, name: str) -> Document:
    properties = document["schema"][0]["properties"]
    found: Document | None = next((p for p in properties if p.get("name") == name), None)
    if found is None:
        raise ContractError(
            f"There is no field `{name}`.",
            hint=nearest(name, [str(p.get("name")) for p in properties]),
            vi=f"Không có trường `{name}`.",
        )
    return found


def _set_custom(place: Document, word: str, value: Any) -> None:
    words = [each for each in place.get("customProperties", []) if each.get("property") != word]
    if value is not None:
        words.append({"property": word, "value": value})
    place["customProperties"] = words


def _set_key(place: Document, position: int) -> None:
    for word in ("primaryKey", "primaryKeyPosition"):
        place.pop(word, None)
    if position:
        place |= {"primaryKey": True, "primaryKeyPosition": position, "required": True}
