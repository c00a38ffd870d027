"""Says what a new version of a service means for those who call the old one, operation by operation: nothing, a notice, or a break.

A caller sends requests and reads answers. What a request must now hold more, or an answer no longer holds, breaks them; what a request may hold
more, or an answer holds more, does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lienthong.contracts.services.model import Route, Service, same_path
from lienthong.contracts.services.openapi import parameters_of, resolve, schema_of

DEEPEST = 12


@dataclass(frozen=True)
class ServiceChange:
    """One difference: `endpoint` of the old version (of the new one for what is added), `place` inside it, what it is."""

    endpoint: str
    place: str
    what: str  # stable code: `operation.removed`, `request.required`, `answer.removed`, …
    is_breaking: bool


def compare_services(old: Service, new: Service) -> tuple[ServiceChange, ...]:
    """Every difference a caller could notice, breaks first. Equal services give none."""
    changes: list[ServiceChange] = []
    if old.kind is not new.kind:
        changes.append(ServiceChange("* /**", "kind", "kind.changed", True))
    if old.agency != new.agency:
        changes.append(ServiceChange("* /**", "agency", "agency.changed", True))
    for route in old.routes:
        now = next((r for r in new.routes if r.verb == route.verb and same_path(r.template, route.template)), None)
        if now is None:
            changes.append(ServiceChange(route.endpoint, "", "operation.removed", True))
        elif route.soap and not route.is_mapped:
            changes += _of_soap(route, old.soap_operation(route.soap), new.soap_operation(now.soap))
        else:
            changes += _of_rest(old, new, route, now)
    for route in new.routes:
        if not any(r.verb == route.verb and same_path(r.template, route.template) for r in old.routes):
            changes.append(ServiceChange(route.endpoint, "", "operation.added", False))
    return tuple(sorted(dict.fromkeys(changes), key=lambda change: not change.is_breaking))


def is_breaking(changes: tuple[ServiceChange, ...]) -> bool:
    return any(change.is_breaking for change in changes)


def _of_rest(old: Service, new: Service, route: Route, now: Route) -> Iterator[ServiceChange]:
    end = route.endpoint
    before = {(p.get("in"), p.get("name")): p for p in parameters_of(old.document, route)}
    after = {(p.get("in"), p.get("name")): p for p in parameters_of(new.document, now)}
    for key, parameter in after.items():
        place = f"{key[0]}.{key[1]}"
        if key not in before and key[0] != "path":
            is_required = bool(parameter.get("required"))
            yield ServiceChange(end, place, "request.required" if is_required else "request.added", is_required)
        elif key in before:
            if parameter.get("required") and not before[key].get("required"):
                yield ServiceChange(end, place, "request.required", True)
            pair = (before[key].get("schema") or {}, parameter.get("schema") or {})
            yield from _narrowed(end, place, old.document, new.document, *pair, 0)
    for key in before.keys() - after.keys():
        if key[0] != "path":
            yield ServiceChange(end, f"{key[0]}.{key[1]}", "request.removed", True)
    one, other = old.operation(route), new.operation(now)
    body_before, body_after = resolve(old.document, one.get("requestBody")), resolve(new.document, other.get("requestBody"))
    if (body_after or {}).get("required") and not (body_before or {}).get("required"):
        yield ServiceChange(end, "body", "request.required", True)
    sent = schema_of(old.document, body_before), schema_of(new.document, body_after)
    if sent[0] is not None and sent[1] is None:
        yield ServiceChange(end, "body", "request.removed", True)
    elif sent[0] is not None:
        yield from _narrowed(end, "body", old.document, new.document, sent[0], sent[1], 0)
    for status, answer in (one.get("responses") or {}).items():
        if not str(status).startswith("2"):
            continue
        answer_now = (other.get("responses") or {}).get(status)
        if answer_now is None:
            yield ServiceChange(end, f"answer.{status}", "answer.removed", True)
            continue
        given = schema_of(old.document, answer), schema_of(new.document, answer_now)
        if given[0] is not None:
            yield from _poorer(end, f"answer.{status}", old.document, new.document, given[0], given[1] or {}, 0)


def _narrowed(
    end: str, place: str, old: Mapping[str, Any], new: Mapping[str, Any], was: Any, now: Any, depth: int
) -> Iterator[ServiceChange]:
    """What a request may no longer be."""
    was, now = resolve(old, was) or {}, resolve(new, now) or {}
    if depth > DEEPEST or not isinstance(was, dict) or not isinstance(now, dict):
        return
    if _types(now) and not (_types(was) and _types(was) <= _types(now)):
        yield ServiceChange(end, place, "request.type", True)
    if now.get("enum") and not (was.get("enum") and set(map(str, was["enum"])) <= set(map(str, now["enum"]))):
        yield ServiceChange(end, place, "request.values", True)
    for word, is_narrower in (
        ("maxLength", _less),
        ("maximum", _less),
        ("maxItems", _less),
        ("minLength", _more),
        ("minimum", _more),
        ("minItems", _more),
    ):
        if is_narrower(was.get(word), now.get(word)):
            yield ServiceChange(end, place, f"request.{word}", True)
    if now.get("pattern") and now.get("pattern") != was.get("pattern"):
        yield ServiceChange(end, place, "request.pattern", True)
    for name in set(now.get("required") or ()) - set(was.get("required") or ()):
        yield ServiceChange(end, f"{place}.{name}", "request.required", True)
    known = now.get("properties") or {}
    for name, schema in (was.get("properties") or {}).items():
        if name in known:
            yield from _narrowed(end, f"{place}.{name}", old, new, schema, known[name], depth + 1)
        elif now.get("additionalProperties") is False:
            yield ServiceChange(end, f"{place}.{name}", "request.removed", True)
    if "items" in was and "items" in now:
        yield from _narrowed(end, f"{place}[]", old, new, was["items"], now["items"], depth + 1)


def _poorer(
    end: str, place: str, old: Mapping[str, Any], new: Mapping[str, Any], was: Any, now: Any, depth: int
) -> Iterator[ServiceChange]:
    """What an answer no longer promises, and what a reader may now meet that they never met."""
    was, now = resolve(old, was) or {}, resolve(new, now) or {}
    if depth > DEEPEST or not isinstance(was, dict) or not isinstance(now, dict):
        return
    if _types(was) and not (_types(now) and _types(now) <= _types(was)):
        yield ServiceChange(end, place, "answer.type", True)
    if was.get("enum") and not (now.get("enum") and set(map(str, now["enum"])) <= set(map(str, was["enum"]))):
        yield ServiceChange(end, place, "answer.values", True)
    for name in set(was.get("required") or ()) - set(now.get("required") or ()):
        yield ServiceChange(end, f"{place}.{name}", "answer.optional", True)
    known = now.get("properties") or {}
    for name, schema in (was.get("properties") or {}).items():
        if name in known:
            yield from _poorer(end, f"{place}.{name}", old, new, schema, known[name], depth + 1)
        else:
            yield ServiceChange(end, f"{place}.{name}", "answer.removed", True)
    for name in known.keys() - (was.get("properties") or {}).keys():
        yield ServiceChange(end, f"{place}.{name}", "answer.added", False)
    if "items" in was and "items" in now:
        yield from _poorer(end, f"{place}[]", old, new, was["items"], now["items"], depth + 1)


def _types(schema: Mapping[str, Any]) -> set[str]:
    found = schema.get("type")
    types = {found} if isinstance(found, str) else set(found or ())
    if schema.get("nullable") is True:
        types.add("null")
    return types | {"integer"} if "number" in types else types


def _less(was: Any, now: Any) -> bool:
    return isinstance(now, int | float) and (not isinstance(was, int | float) or now < was)


def _more(was: Any, now: Any) -> bool:
    return isinstance(now, int | float) and now > (was if isinstance(was, int | float) else 0)


def _of_soap(route: Route, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[ServiceChange]:
    if was["action"] != now["action"]:
        yield ServiceChange(route.endpoint, "action", "action.changed", True)
    yield from _of_shapes(route.endpoint, "request", was["input"], now["input"], True)
    if was["output"] is not None:
        if now["output"] is None:
            yield ServiceChange(route.endpoint, "answer", "answer.removed", True)
        else:
            yield from _of_shapes(route.endpoint, "answer", was["output"], now["output"], False)


def _of_shapes(end: str, place: str, was: Mapping[str, Any], now: Mapping[str, Any], is_request: bool) -> Iterator[ServiceChange]:
    side = "request" if is_request else "answer"
    if (was["name"], was["ns"], was["type"], was["list"]) != (now["name"], now["ns"], now["type"], now["list"]):
        yield ServiceChange(end, place, f"{side}.type", True)
    is_firmer = was["optional"] and not now["optional"]
    if (is_firmer and is_request) or (now["optional"] and not was["optional"] and not is_request):
        yield ServiceChange(end, place, f"{side}.{'required' if is_request else 'optional'}", True)
    before = {f"@{a['name']}": {**a, "ns": "", "list": False} for a in was.get("attributes", ())} | {
        m["name"]: m for m in was.get("members", ())
    }
    after = {f"@{a['name']}": {**a, "ns": "", "list": False} for a in now.get("attributes", ())} | {
        m["name"]: m for m in now.get("members", ())
    }
    for name, member in before.items():
        if name in after:
            yield from _of_shapes(end, f"{place}.{name}", member, after[name], is_request)
        else:
            yield ServiceChange(end, f"{place}.{name}", f"{side}.removed", True)
    for name, member in after.items():
        if name not in before:
            yield ServiceChange(end, f"{place}.{name}", f"{side}.added", is_request and not member["optional"])
