"""A brokered service as values: what it is called by, where it is, what it promises, what it may cost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import unquote

MIB = 1024 * 1024


class Kind(StrEnum):
    REST = "rest"
    SOAP = "soap"


class ServiceState(StrEnum):
    """`draft`: seen by its owner alone. `deprecated`: goes on answering, and says until when. `retired`: answers no longer."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Access(StrEnum):
    """How the platform proves itself to the provider. The secrets are in the operator's environment, never in a definition."""

    NONE = "none"
    API_KEY = "api_key"
    BASIC = "basic"
    BEARER = "bearer"
    OAUTH2 = "oauth2"
    MTLS = "mtls"


class Check(StrEnum):
    OFF = "off"
    REPORT = "report"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Owner:
    """The focal officer who answers for the service (vietnam.md G5)."""

    name: str = ""
    position: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Credentials:
    """`secret`, `certificate`, `key`, `authority` are names of the operator's variables; `token_url` may hold `${…}` of them."""

    access: Access = Access.NONE
    header: str = "X-Api-Key"
    user: str = ""
    secret: str = ""
    token_url: str = ""
    scope: str = ""
    certificate: str = ""
    key: str = ""
    authority: str = ""


@dataclass(frozen=True)
class TimeOuts:
    """Seconds: to connect, until the answer's head, between two pieces of it, for all of it."""

    connect: float = 3.0
    first_byte: float = 15.0
    idle: float = 15.0
    total: float = 120.0


@dataclass(frozen=True)
class Limits:
    """Largest bodies, and how many calls the provider takes at once."""

    request_bytes: int = 10 * MIB
    answer_bytes: int = 100 * MIB
    at_once: int = 100


@dataclass(frozen=True)
class Cache:
    """`seconds`: the longest an answer is kept, 0: never, whatever the provider says. `stale_if_error`: how long an old one may stand in."""

    seconds: int = 0
    stale_if_error: int = 0


@dataclass(frozen=True)
class Retry:
    """Tries after the first. GET, HEAD and OPTIONS, and the idempotent verbs (PUT, DELETE) the provider names in `also`."""

    times: int = 1
    also: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Checks:
    request: Check = Check.REFUSE
    answer: Check = Check.REPORT


@dataclass(frozen=True)
class Breaker:
    """After `failures` in a row the provider is left alone for `open_seconds`; then one call tries."""

    failures: int = 5
    open_seconds: float = 10.0


@dataclass(frozen=True)
class Route:
    """One operation. `soap` names the SOAP operation behind it; `is_mapped`: it is called as REST and asked as SOAP."""

    verb: str
    template: str
    name: str
    title: str = ""
    soap: str = ""
    is_mapped: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{([^{}/]+)\}", self.template)
        return re.compile("".join(re.escape(part) if n % 2 == 0 else "([^/]+)" for n, part in enumerate(parts)), re.DOTALL)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{([^{}/]+)\}", self.template))

    @property
    def endpoint(self) -> str:
        """Verb and template: what the ledger names, never the path with somebody's number in it."""
        return f"{self.verb} {self.template}"

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the template's parameters; None when the path is not of this route."""
        found = self._pattern.fullmatch(path)
        return None if found is None else dict(zip(self.parameters, found.groups(), strict=True))


@dataclass(frozen=True)
class Service:
    """One version of one service. `document`: the OpenAPI document of its REST face; `soap`: what was understood of its WSDL."""

    id: str
    version: str
    kind: Kind
    agency: str
    title_vi: str
    title_en: str
    base_url: str
    description_vi: str = ""
    description_en: str = ""
    owner: Owner = Owner()
    legal_basis: str = ""
    is_default: bool = False
    is_mock: bool = False
    logs_first: frozenset[str] = frozenset({"PUT", "PATCH", "DELETE"})
    credentials: Credentials = Credentials()
    time_outs: TimeOuts = TimeOuts()
    limits: Limits = Limits()
    cache: Cache = Cache()
    retry: Retry = Retry()
    checks: Checks = Checks()
    breaker: Breaker = Breaker()
    routes: tuple[Route, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    soap: Mapping[str, Any] = field(default_factory=dict)
    mapped: Mapping[str, Any] = field(default_factory=dict)  # endpoint → `mapping.Mapped`
    wsdl: str = ""

    def route(self, verb: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The operation a call asks for, with its parameters: a plain segment goes before a parameter. HEAD is asked as GET where it is not its own."""
        found = None
        for route in self._by_verb.get(verb, ()):
            values = route.match(path)
            if values is not None and (found is None or len(values) < len(found[1])):
                found = (route, values)
        return self.route("GET", path) if found is None and verb == "HEAD" else found

    def verbs_of(self, path: str) -> tuple[str, ...]:
        """What a path may be asked with."""
        return tuple(sorted({route.verb for route in self.routes if route.match(path) is not None}))

    def operation(self, route: Route) -> Mapping[str, Any]:
        """The OpenAPI operation of a route; empty when there is none."""
        paths = self.document.get("paths", {})
        found: Mapping[str, Any] = paths.get(route.template, {}).get(route.verb.lower(), {})
        return found

    def soap_operation(self, name: str) -> Mapping[str, Any]:
        """What was understood of a SOAP operation. Raises KeyError."""
        found: Mapping[str, Any] = self.soap["operations"][name]
        return found

    @cached_property
    def _by_verb(self) -> Mapping[str, tuple[Route, ...]]:
        verbs = {route.verb for route in self.routes}
        return {verb: tuple(r for r in self.routes if r.verb == verb and not (r.soap and not r.is_mapped)) for verb in verbs}

    @property
    def rest_routes(self) -> Iterator[Route]:
        """Operations that are called as REST."""
        return (route for route in self.routes if not route.soap or route.is_mapped)

    @cached_property
    def root_names(self) -> Mapping[str, str]:
        """`{namespace}name` of a SOAP body's element → the operation it asks for."""
        return {f"{{{o['input']['ns']}}}{o['input']['name']}": name for name, o in self.soap.get("operations", {}).items()}


def same_path(left: str, right: str) -> bool:
    """Whether two templates are one address: names of parameters do not count."""
    return re.sub(r"\{[^{}]*\}", "{}", unquote(left)) == re.sub(r"\{[^{}]*\}", "{}", unquote(right))
