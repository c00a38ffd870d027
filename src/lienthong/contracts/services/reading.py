"""From a service's definition and its description (OpenAPI or WSDL) to a `Service`, or every fault at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lienthong.contracts.faults import Faults
from lienthong.contracts.services import openapi, wsdl
from lienthong.contracts.services.mapping import Mapped, mapped_document, read_mapping
from lienthong.contracts.services.model import (
    MIB,
    Access,
    Breaker,
    Cache,
    Check,
    Checks,
    Credentials,
    Kind,
    Limits,
    Owner,
    Retry,
    Route,
    Service,
    TimeOuts,
)
from lienthong.errors import ServiceError

_ID = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}")
_AGENCY = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
_SIZE = re.compile(r"(\d+) ?(KiB|MiB|GiB)?")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_UNITS = {None: 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}
WORDS = (
    "id", "version", "kind", "agency", "title", "description", "owner", "legal_basis", "base_url", "credentials", "timeouts", "limits", "cache",
    "retry", "checks", "breaker", "default", "mock", "log_first", "mapping",
)  # fmt: skip
LARGEST_BODY = 16 * 1024 * MIB
RESERVED = frozenset({"openapi.json", "wsdl", "guide", "test"})  # addresses of ours below a service without its version


def understand(definition: Mapping[str, Any], description: str) -> Mapping[str, Any]:
    """What a description says, worked out once when it is registered: nothing for OpenAPI, the shapes of a WSDL. Raises ServiceError."""
    if definition.get("kind") != Kind.SOAP:
        openapi.check_document(description)
        return {}
    return wsdl.understand_wsdl(description)


def read_service(definition: Mapping[str, Any], description: str, understood: Mapping[str, Any]) -> Service:
    """The service of a definition. Raises ServiceError with every fault; the version in force then stays."""
    faults = Faults()
    faults.known(definition, WORDS, "service")
    kind = faults.one_of(Kind, definition.get("kind"), "kind", Kind.REST)
    title, words = faults.mapping(definition.get("title"), "title"), faults.mapping(definition.get("description"), "description")
    document: Mapping[str, Any] = {}
    routes: tuple[Route, ...] = ()
    mapped: Mapping[str, Mapped] = {}
    mapping = faults.mapping(definition.get("mapping"), "mapping")
    if kind is Kind.REST:
        document = openapi.read_document(description)
        routes = openapi.routes_of(document, faults)
        if mapping:
            faults.add("mapping", "is for SOAP services only")
    else:
        mapped = read_mapping(mapping, understood, faults)
        named = (Route("POST", f"/{name}", name, o["title"], name) for name, o in understood["operations"].items())
        routes = (*named, *(each.route for each in mapped.values()))
        document = mapped_document(title.get("vi") or "", str(definition.get("version", "")), mapped.values()) if mapped else {}
    service = Service(
        id=_matched(definition.get("id"), _ID, "id", "lower-case letters, digits and `-`, parts joined by dots", faults),
        version=_matched(str(definition.get("version", "")), _VERSION, "version", "such as `1.0`", faults),
        kind=kind,
        agency=_matched(definition.get("agency"), _AGENCY, "agency", "an agency's code such as `H10.03`", faults),
        title_vi=_required(title.get("vi"), "title.vi", faults),
        title_en=_required(title.get("en"), "title.en", faults),
        description_vi=faults.text(words.get("vi"), "description.vi"),
        description_en=faults.text(words.get("en"), "description.en"),
        owner=_owner(definition, faults),
        legal_basis=faults.text(definition.get("legal_basis"), "legal_basis"),
        base_url=_base_url(definition.get("base_url"), faults),
        is_default=faults.flag(definition.get("default"), "default"),
        is_mock=faults.flag(definition.get("mock"), "mock"),
        logs_first=_verbs(definition.get("log_first"), "log_first", kind, faults),
        credentials=_credentials(definition, faults),
        time_outs=_time_outs(definition, faults),
        limits=_limits(definition, faults),
        cache=_cache(definition, faults),
        retry=_retry(definition, faults),
        checks=_checks(definition, faults),
        breaker=_breaker(definition, faults),
        routes=routes,
        document=document,
        soap=understood,
        mapped=mapped,
        wsdl=description if kind is Kind.SOAP else "",
    )
    if not routes:
        faults.add("operations", "the description names no operation that can be called")
    if faults.found:
        raise ServiceError(f"{len(faults.found)} faults in the service `{definition.get('id')}`.", faults=tuple(faults.found))
    return service


def _required(value: Any, place: str, faults: Faults) -> str:
    text = faults.text(value, place)
    if not text:
        faults.add(place, "missing")
    return text


def _matched(value: Any, pattern: re.Pattern[str], place: str, expected: str, faults: Faults) -> str:
    text = faults.text(value, place)
    if pattern.fullmatch(text) is None or len(text) > 100:
        faults.add(place, f"expected {expected}, found `{text[:80]}`")
    return text


def _base_url(value: Any, faults: Faults) -> str:
    """The provider's address; `${NAME}` stands for a variable of the operator's. What it leads to is judged when it is called."""
    text = faults.text(value, "base_url").rstrip("/")
    shown = urlsplit(re.sub(r"\$\{[A-Z][A-Z0-9_]*\}", "http://variable", text, count=1) if text.startswith("${") else text)
    try:
        is_right = shown.scheme in ("http", "https") and bool(shown.hostname) and not (shown.username or shown.query or shown.fragment)
        is_right = is_right and (shown.port is None or shown.port > 0)
    except ValueError:
        is_right = False
    if not is_right or re.search(r"[\s\\]|/\.\.?(/|$)", text):
        faults.add("base_url", f"expected an address such as https://host/api, found `{text[:80]}`", "secrets go into `credentials`")
    return text


def _owner(definition: Mapping[str, Any], faults: Faults) -> Owner:
    found = faults.mapping(definition.get("owner"), "owner")
    faults.known(found, ("name", "position", "phone", "email"), "owner")
    return Owner(*(faults.text(found.get(name), f"owner.{name}") for name in ("name", "position", "phone", "email")))


def _credentials(definition: Mapping[str, Any], faults: Faults) -> Credentials:
    found = faults.mapping(definition.get("credentials"), "credentials")
    names = ("kind", "header", "user", "secret", "token_url", "scope", "certificate", "key", "authority")
    faults.known(found, names, "credentials")
    access = faults.one_of(Access, found.get("kind"), "credentials.kind", Access.NONE)
    values = {name: faults.text(found.get(name), f"credentials.{name}") for name in names[1:]}
    values["header"] = values["header"] or "X-Api-Key"
    if _HEADER.fullmatch(values["header"]) is None:
        faults.add("credentials.header", f"expected a header's name, found `{values['header'][:60]}`")
    needed = {
        Access.API_KEY: ("secret",), Access.BASIC: ("user", "secret"), Access.BEARER: ("secret",), Access.OAUTH2: ("token_url", "user", "secret"),
        Access.MTLS: ("certificate", "key"),
    }.get(access, ())  # fmt: skip
    for name in needed:
        if not values[name]:
            faults.add(f"credentials.{name}", f"missing: `{access}` needs it")
    for name in ("secret", "certificate", "key", "authority"):
        if values[name] and _NAME.fullmatch(values[name]) is None:
            faults.add(f"credentials.{name}", "expected the name of a variable such as DN_KEY", "the secret itself stays with the operator")
            values[name] = ""
    return Credentials(access, **values)


def _time_outs(definition: Mapping[str, Any], faults: Faults) -> TimeOuts:
    found = faults.mapping(definition.get("timeouts"), "timeouts")
    faults.known(found, ("connect", "first_byte", "idle", "total"), "timeouts")
    usual = TimeOuts()
    return TimeOuts(
        **{name: _number(found.get(name), f"timeouts.{name}", getattr(usual, name), 0.05, 3_600, faults) for name in vars(usual)}
    )


def _limits(definition: Mapping[str, Any], faults: Faults) -> Limits:
    found = faults.mapping(definition.get("limits"), "limits")
    faults.known(found, ("request_bytes", "answer_bytes", "at_once"), "limits")
    usual = Limits()
    return Limits(
        _size(found.get("request_bytes"), "limits.request_bytes", usual.request_bytes, faults),
        _size(found.get("answer_bytes"), "limits.answer_bytes", usual.answer_bytes, faults),
        int(_number(found.get("at_once"), "limits.at_once", usual.at_once, 1, 10_000, faults)),
    )


def _cache(definition: Mapping[str, Any], faults: Faults) -> Cache:
    found = faults.mapping(definition.get("cache"), "cache")
    faults.known(found, ("seconds", "stale_if_error"), "cache")
    return Cache(*(int(_number(found.get(name), f"cache.{name}", 0, 0, 86_400, faults)) for name in ("seconds", "stale_if_error")))


def _retry(definition: Mapping[str, Any], faults: Faults) -> Retry:
    found = faults.mapping(definition.get("retry"), "retry")
    faults.known(found, ("times", "also"), "retry")
    also = frozenset(faults.texts(found.get("also"), "retry.also"))
    if also - {"PUT", "DELETE"}:
        faults.add("retry.also", "only PUT and DELETE can be promised to be idempotent", "POST and PATCH are never tried twice")
    return Retry(int(_number(found.get("times"), "retry.times", Retry().times, 0, 5, faults)), also)


def _checks(definition: Mapping[str, Any], faults: Faults) -> Checks:
    found = faults.mapping(definition.get("checks"), "checks")
    faults.known(found, ("request", "answer"), "checks")
    return Checks(
        faults.one_of(Check, _off(found.get("request")), "checks.request", Checks().request),
        faults.one_of(Check, _off(found.get("answer")), "checks.answer", Checks().answer),
    )


def _off(value: Any) -> Any:
    return "off" if value is False else value  # YAML 1.1 reads `off` as false


def _breaker(definition: Mapping[str, Any], faults: Faults) -> Breaker:
    found = faults.mapping(definition.get("breaker"), "breaker")
    faults.known(found, ("failures", "open_seconds"), "breaker")
    usual = Breaker()
    return Breaker(
        int(_number(found.get("failures"), "breaker.failures", usual.failures, 1, 1_000, faults)),
        _number(found.get("open_seconds"), "breaker.open_seconds", usual.open_seconds, 0.05, 3_600, faults),
    )


def _verbs(value: Any, place: str, kind: Kind, faults: Faults) -> frozenset[str]:
    """Verbs whose entry is committed before the provider is asked: those that change something."""
    if value is None:
        return frozenset({"POST", "PUT", "PATCH", "DELETE"}) if kind is Kind.REST else frozenset({"PUT", "PATCH", "DELETE"})
    found = frozenset(faults.texts(value, place))
    if found - {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        faults.add(place, "expected verbs such as POST")
    return found


def _number(value: Any, place: str, usual: float, least: float, most: float, faults: Faults) -> float:
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        faults.add(place, f"expected a number from {least:g} to {most:g}, found `{str(value)[:40]}`")
        return usual
    return float(value)


def _size(value: Any, place: str, usual: int, faults: Faults) -> int:
    if value is None:
        return usual
    found = _SIZE.fullmatch(str(value))
    size = int(found[1]) * _UNITS[found[2]] if found is not None and not isinstance(value, bool) else -1
    if not 0 <= size <= LARGEST_BODY:
        faults.add(place, f"expected a size such as `10 MiB`, found `{str(value)[:40]}`")
        return usual
    return size
