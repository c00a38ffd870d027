"""Answers kept as a shared cache keeps them (RFC 9111), apart for every agreement and purpose: nobody is answered by another's right.

Kept only where the provider's definition allows it and its answer does too. An old answer may stand in when the provider fails.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from lienthong.contracts.services import Cache
from lienthong.sharing.broker.messages import Headers

MOST_BYTES = 64 * 1024 * 1024
LARGEST_ENTRY = 1024 * 1024
KEPT_STATUSES = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})  # RFC 9110 §15.1, of those a whole answer has
MOST_VARIANTS = 16

Key = tuple[str, ...]


def directives(value: str) -> dict[str, str]:
    """Cache-Control as names and values."""
    found: dict[str, str] = {}
    for part in value.split(","):
        name, _, argument = part.strip().partition("=")
        if name:
            found[name.lower()] = argument.strip().strip('"')
    return found


@dataclass
class Kept:
    """An answer that is kept. `vary`: the request headers it depends on, with the values it was given for."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    stored_at: float
    age_at_storing: float
    fresh_seconds: float
    stale_seconds: float
    must_revalidate: bool
    vary: Mapping[str, str] = field(default_factory=dict)

    def age(self, seconds: float) -> float:
        return self.age_at_storing + max(0.0, seconds - self.stored_at)

    def is_fresh(self, seconds: float, request: Mapping[str, str]) -> bool:
        """Whether it may be given without asking (RFC 9111 §4.2), under the request's own limits (§5.2.1)."""
        if "no-cache" in request:
            return False
        age = self.age(seconds)
        limit = min(self.fresh_seconds, _seconds(request.get("max-age"), self.fresh_seconds))
        return age + _seconds(request.get("min-fresh"), 0) < limit

    def may_stand_in(self, seconds: float) -> bool:
        """Whether it may be given because the provider fails (RFC 5861 §4)."""
        return not self.must_revalidate and self.age(seconds) <= self.fresh_seconds + self.stale_seconds

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + 200


class AnswerCache:
    """The answers of this process, least recently used going first. `seconds` are those of one clock that only grows."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[Key, list[Kept]] = OrderedDict()
        self._most = most_bytes
        self._bytes = 0

    def find(self, key: Key, sent: Headers) -> Kept | None:
        """The answer kept for a request with these headers (as the provider would see them)."""
        for kept in self._kept.get(key, ()):
            if all(_header(sent, name) == value for name, value in kept.vary.items()):
                self._kept.move_to_end(key)
                return kept
        return None

    def keep(
        self, key: Key, rule: Cache, sent: Headers, asked: Mapping[str, str], status: int, headers: Headers, body: bytes, seconds: float
    ) -> None:
        """Keep an answer, when rule, request and answer allow it (RFC 9111 §3)."""
        said = directives(_header(headers, "cache-control"))
        vary = [name.strip().lower() for name in _header(headers, "vary").split(",") if name.strip()]
        fresh = min(float(rule.seconds), _freshness(said, headers))
        can_validate = bool(_header(headers, "etag") or _header(headers, "last-modified"))
        if (
            not rule.seconds or status not in KEPT_STATUSES or "no-store" in said or "private" in said or "no-store" in asked or "*" in vary
            or _header(headers, "set-cookie") or _header(headers, "content-range") or len(body) > LARGEST_ENTRY
            or (fresh <= 0 and not can_validate)
        ):  # fmt: skip
            return
        must = bool({"must-revalidate", "proxy-revalidate", "s-maxage"} & said.keys()) or "no-cache" in said
        stale = min(float(rule.stale_if_error), _seconds(said.get("stale-if-error"), rule.stale_if_error))
        age = _seconds(_header(headers, "age") or None, 0)
        kept = Kept(
            status,
            list(headers),
            body,
            seconds,
            age,
            0.0 if "no-cache" in said else fresh,
            stale,
            must,
            {n: _header(sent, n) for n in vary},
        )
        self._put(key, kept)

    def refresh(self, key: Key, kept: Kept, rule: Cache, headers: Headers, seconds: float) -> None:
        """The provider says that what is kept still holds (304): its headers take the place of the old ones (RFC 9111 §4.3.4)."""
        fresh_names = {name for name, _ in headers} - {"content-length", "content-type", "content-encoding"}
        kept.headers = [(n, v) for n, v in kept.headers if n not in fresh_names] + [(n, v) for n, v in headers if n in fresh_names]
        said = directives(kept.header("cache-control"))
        kept.fresh_seconds = 0.0 if "no-cache" in said else min(float(rule.seconds), _freshness(said, kept.headers))
        kept.stored_at, kept.age_at_storing = seconds, _seconds(_header(headers, "age") or None, 0)
        if key in self._kept:
            self._kept.move_to_end(key)

    def forget(self, matching: Key) -> None:
        """What was kept of an address no longer holds: something was changed there (RFC 9111 §4.4). `matching` is the end of the key."""
        for key in [key for key in self._kept if key[-len(matching) :] == matching]:
            self._drop(key)

    def _put(self, key: Key, kept: Kept) -> None:
        variants = [other for other in self._kept.get(key, ()) if dict(other.vary) != dict(kept.vary)][-MOST_VARIANTS + 1 :]
        self._drop(key)
        self._kept[key] = [*variants, kept]
        self._bytes += sum(each.size for each in self._kept[key])
        while self._bytes > self._most and self._kept:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        for kept in self._kept.pop(key, ()):
            self._bytes -= kept.size


def _freshness(said: Mapping[str, str], headers: Headers) -> float:
    """For how long an answer says it is good, as a shared cache reads it (RFC 9111 §4.2.1)."""
    for name in ("s-maxage", "max-age"):
        if name in said:
            return _seconds(said[name], 0)
    try:
        expires, date = parsedate_to_datetime(_header(headers, "expires")), parsedate_to_datetime(_header(headers, "date"))
        return max(0.0, (expires - date).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _seconds(value: str | None, otherwise: float) -> float:
    return float(value) if value is not None and value.isdigit() and len(value) < 10 else otherwise if value is None else 0.0


def _header(headers: Headers, name: str) -> str:
    return ", ".join(value for key, value in headers if key == name)
