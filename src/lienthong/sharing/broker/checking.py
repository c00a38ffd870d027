"""Holds a request and an answer against what the provider's OpenAPI document says of them. Faults are told by place and rule, never by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec

from lienthong.contracts.services import Route, Service
from lienthong.contracts.services.openapi import parameters_of, resolve, schema_of, self_contained

MOST_FAULTS = 20
_DECODE = msgspec.json.Decoder().decode
_NUMBERS = {"integer": int, "number": float}


class _Parameter(NamedTuple):
    """One parameter of an operation, with what judges it."""

    place: str
    name: str
    is_required: bool
    schema: Any
    validator: Any
    described: Mapping[str, Any]


class Checker:
    """The checks of one service, each made at its first use."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._made: dict[tuple[str, str], Any] = {}
        self._parameters: dict[str, list[_Parameter]] = {}

    def request_faults(self, route: Route, values: Mapping[str, str], query: str, body: bytes | None, content_type: str) -> list[str]:
        """What is wrong with a request, as `place: rule`. `body` None: too long to be held, so not looked at."""
        found = self._parameter_faults(route, values, query)
        described = resolve(self._service.document, self._service.operation(route).get("requestBody"))
        if not described or body is None:
            return found
        if not body:
            return [*found, "body: required"] if described.get("required") else found
        if "json" not in content_type:
            is_known = any("json" not in name for name in described.get("content", {}))
            return found if is_known else [*found, "body: content-type"]
        return [*found, *self._body_faults("request", route, described, body)]

    def answer_faults(self, route: Route, status: int, body: bytes, content_type: str) -> list[str]:
        """What is wrong with an answer."""
        responses = self._service.operation(route).get("responses") or {}
        described = next((responses[name] for name in (str(status), f"{status // 100}XX", "default") if name in responses), None)
        if described is None:
            return [f"answer: status {status}"]
        if not body or "json" not in content_type:
            return []
        return self._body_faults(f"answer {status}", route, resolve(self._service.document, described), body)

    def _body_faults(self, side: str, route: Route, described: Any, body: bytes) -> list[str]:
        try:
            value = _DECODE(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ["body: json"]
        validator = self._validator((side, route.endpoint), lambda: schema_of(self._service.document, described))
        return [] if validator is None else _faults(validator, value, "body")

    def _parameter_faults(self, route: Route, values: Mapping[str, str], query: str) -> list[str]:
        found: list[str] = []
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True) if query else ():
            given.setdefault(name, []).append(value)
        for parameter in self._parameters_of(route):
            place, name = parameter.place, parameter.name
            texts: Sequence[str] | None = (
                given.get(name) if place == "query" else [values[name]] if name in values and place == "path" else None
            )
            if texts is None:
                if parameter.is_required and place == "query":
                    found.append(f"query.{name}: required")
            elif parameter.validator is not None:
                value = _read(texts, parameter.schema, self._service.document, parameter.described)
                found += _faults(parameter.validator, value, f"{place}.{name}")
        return found

    def _parameters_of(self, route: Route) -> list[_Parameter]:
        known = self._parameters.get(route.endpoint)
        if known is None:
            known = self._parameters[route.endpoint] = [
                self._parameter(route, each) for each in parameters_of(self._service.document, route)
            ]
        return known

    def _parameter(self, route: Route, described: Mapping[str, Any]) -> _Parameter:
        place, name = str(described.get("in")), str(described.get("name"))
        validator = self._validator((f"{place}.{name}", route.endpoint), lambda: described.get("schema"))
        schema = resolve(self._service.document, described.get("schema")) or {}
        return _Parameter(place, name, bool(described.get("required")), schema, validator, described)

    def _validator(self, key: tuple[str, str], schema: Any) -> Any:
        if key not in self._made:
            found = schema()
            self._made[key] = None
            if found is not None:
                try:
                    whole = self_contained(self._service.document, found)
                    self._made[key] = jsonschema_rs.validator_for(whole, validate_formats=False)
                except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
                    pass  # a schema that cannot be read checks nothing: its faults were told when it was registered
        return self._made[key]


def _faults(validator: Any, value: Any, place: str) -> list[str]:
    if validator.is_valid(value):
        return []
    found = []
    for error in validator.iter_errors(value):
        kind = type(error.kind).__name__.rpartition("_")[2] if hasattr(error, "kind") else "schema"
        inside = ".".join("[]" if isinstance(part, int) else str(part)[:60] for part in error.instance_path)
        found.append(f"{place}{'.' if inside else ''}{inside}: {_rule(error, kind)}")
        if len(found) >= MOST_FAULTS:
            break
    return found


def _rule(error: Any, kind: str) -> str:
    """The keyword that was broken: the last word of its place in the schema."""
    words = [str(part) for part in error.schema_path if isinstance(part, str)]
    return words[-1] if words else kind


def _read(texts: Sequence[str], schema: Any, document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Any:
    """A parameter's texts as the values its schema speaks of; what cannot be read stays text, and the schema says so."""
    kinds = schema.get("type")
    if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
        items = resolve(document, schema.get("items")) or {}
        parts = texts if parameter.get("explode", True) and parameter.get("in") == "query" else texts[-1].split(",")
        return [_value(text, items.get("type")) for text in parts]
    return _value(texts[-1], kinds)


def _value(text: str, kinds: Any) -> Any:
    for kind in [kinds] if isinstance(kinds, str) else kinds or ():
        if kind in _NUMBERS:
            try:
                return _NUMBERS[kind](text)
            except ValueError:
                continue
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
    return text
