"""An OpenAPI 3 document as a provider gives it: read without leaving it, checked, its operations listed.

Nothing outside the document is ever fetched: a reference to elsewhere is a fault, not a request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from lienthong.contracts.faults import Fault, Faults
from lienthong.contracts.services.model import MIB, Route, same_path
from lienthong.errors import ServiceError

LARGEST = 5 * MIB
DEEPEST = 60
VERBS = ("get", "head", "options", "post", "put", "patch", "delete")


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few of them can stand for a document larger than memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def plain_yaml(text: str) -> Any:
    """What YAML says, in the values JSON has. Raises ServiceError when it is none."""
    try:
        return json.loads(json.dumps(yaml.load(text, _PlainLoader), default=str))  # noqa: S506 # a safe loader of ours
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise ServiceError(f"Not readable as YAML: {str(error).splitlines()[0][:200]}.") from error


def read_document(text: str) -> Mapping[str, Any]:
    """The document as values, JSON or YAML. Raises ServiceError when it is neither, too large, too deep, or points outside itself."""
    if len(text.encode()) > LARGEST:
        raise _faulty("", f"expected at most {LARGEST // MIB} MiB")
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else plain_yaml(text)
    except (ValueError, RecursionError) as error:
        raise _faulty("", f"not readable as JSON or YAML: {str(error).splitlines()[0][:200]}") from error
    if not isinstance(found, dict) or not str(found.get("openapi", "")).startswith("3."):
        raise _faulty("openapi", "expected an OpenAPI 3 document")
    faults = [(place, f"points outside the document: `{ref[:80]}`", "put it under `components`") for place, ref in _outside(found, "", 0)]
    if faults:
        raise ServiceError(f"{len(faults)} faults in the OpenAPI document.", faults=tuple(faults))
    return found


def check_document(text: str) -> None:
    """Raises ServiceError with what OpenAPI's own schema finds wrong."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # noqa: PLC0415 # half a second; only who registers needs it

    document = read_document(text)
    kind = OpenAPIV30SpecValidator if str(document["openapi"]).startswith("3.0") else OpenAPIV31SpecValidator
    faults: list[Fault] = []
    try:
        for error in kind(dict(document)).iter_errors():
            faults.append((f"openapi: {'/'.join(map(str, error.absolute_path))}", error.message[:200], ""))
            if len(faults) >= 20:
                break
    except Exception as error:  # a reference that leads nowhere is raised, not listed
        faults.append(("openapi", f"{type(error).__name__}: {str(error)[:200]}", ""))
    if faults:
        raise ServiceError(f"{len(faults)} faults in the OpenAPI document.", faults=tuple(faults))


def routes_of(document: Mapping[str, Any], faults: Faults) -> tuple[Route, ...]:
    """Every operation, in the document's order."""
    found: list[Route] = []
    for template, operations in (document.get("paths") or {}).items():
        if not isinstance(operations, dict):
            continue
        if "\\" in template or "//" in template or ";" in template or "?" in template or not template.startswith("/"):
            faults.add(f"openapi: paths.{template[:80]}", "no such path can be called safely", "one `/` between parts, no `;`, no `?`")
            continue
        for verb in VERBS:
            operation = operations.get(verb)
            if not isinstance(operation, dict):
                continue
            if any(same_path(route.template, template) and route.verb == verb.upper() for route in found):
                faults.add(f"openapi: {verb} {template}", "two operations are one address")
            name = str(operation.get("operationId") or f"{verb}{template}")
            found.append(Route(verb.upper(), template, name, str(operation.get("summary") or "")))
    return tuple(found)


def resolve(document: Mapping[str, Any], found: Any) -> Any:
    """What a value is, a reference followed inside the document (at most a few steps)."""
    for _ in range(10):
        if not (isinstance(found, dict) and isinstance(found.get("$ref"), str)):
            return found
        place: Any = document
        for part in found["$ref"].removeprefix("#/").split("/"):
            place = place.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(place, dict) else {}
        found = place
    return {}


def parameters_of(document: Mapping[str, Any], route: Route) -> Iterator[Mapping[str, Any]]:
    """The parameters of an operation, those of its path too."""
    item = (document.get("paths") or {}).get(route.template, {})
    own = item.get(route.verb.lower(), {})
    seen = set()
    for parameter in (*(own.get("parameters") or ()), *(item.get("parameters") or ())):
        found = resolve(document, parameter)
        if (found.get("name"), found.get("in")) not in seen:
            seen.add((found.get("name"), found.get("in")))
            yield found


def schema_of(document: Mapping[str, Any], content: Any, media_type: str = "json") -> Any:
    """The schema of a body's JSON form; None when there is none."""
    for name, described in (resolve(document, content) or {}).get("content", {}).items():
        if media_type in name.lower() and isinstance(described, dict) and "schema" in described:
            return described["schema"]
    return None


def self_contained(document: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """A JSON Schema (2020-12) that holds all it refers to, with what OpenAPI 3.0 says otherwise put in JSON Schema's words."""
    is_old = str(document.get("openapi", "")).startswith("3.0")
    parts = {"components": {"schemas": (document.get("components") or {}).get("schemas", {})}}
    whole = {**(schema if isinstance(schema, dict) else {}), **parts}
    made: dict[str, Any] = _modern(whole) if is_old else whole
    return made


def _modern(found: Any) -> Any:
    if isinstance(found, list):
        return [_modern(each) for each in found]
    if not isinstance(found, dict):
        return found
    made = {name: _modern(value) for name, value in found.items()}
    if made.pop("nullable", False) is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
            if isinstance(made.get("enum"), list):
                made["enum"] = [*made["enum"], None]
        elif "$ref" in made:
            made = {"anyOf": [made, {"type": "null"}]}
    for limit in ("Minimum", "Maximum"):
        if isinstance(made.get(f"exclusive{limit}"), bool):
            is_exclusive, bound = made.pop(f"exclusive{limit}"), made.get(limit.lower())
            if is_exclusive and bound is not None:
                made[f"exclusive{limit}"] = made.pop(limit.lower())
    return made


def _outside(found: Any, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        raise _faulty(place, f"is nested more than {DEEPEST} deep")
    if isinstance(found, dict):
        for name, value in found.items():
            if name in ("$ref", "$dynamicRef", "$id", "$schema", "externalValue", "operationRef") and isinstance(value, str):
                if name in ("$id", "externalValue") or (name != "$schema" and not value.startswith("#")):
                    yield f"openapi: {place}", value
            else:
                yield from _outside(value, f"{place}/{name}"[-200:], depth + 1)
    elif isinstance(found, list):
        for n, value in enumerate(found):
            yield from _outside(value, f"{place}/{n}"[-200:], depth + 1)


def _faulty(place: str, what: str) -> ServiceError:
    return ServiceError(f"The OpenAPI document {what}.", faults=((f"openapi: {place}" if place else "openapi", what, ""),))
