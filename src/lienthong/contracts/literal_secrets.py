"""Secrets that stand in a contract where only their names may: found by the words beside them, told by place, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET = re.compile(r"(^|_)(password|passphrase|secret|token|api_key|secret_key|credentials)$", re.IGNORECASE)
_NAMED = re.compile(r"(\$\{[^}]+\})+|secret:[a-z]+/[\w.-]+")
_PASSWORD_IN_ADDRESS = re.compile(r"^[a-z][a-z0-9+]*://[^/@:]*:(?P<password>[^/@]+)@", re.IGNORECASE)


def literal_secrets(location: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Places, under the source, where a secret itself is written instead of `${NAME}` or `secret:KIND/NAME`."""
    found = _PASSWORD_IN_ADDRESS.match(location)
    if found is not None and not _NAMED.fullmatch(found["password"]):
        yield "location"
    yield from _inside(options, "options")


def _inside(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if _SECRET.search(str(name)) and isinstance(inner, str | int) and inner != "" and not _NAMED.fullmatch(str(inner)):
                yield f"{place}.{name}"
            else:
                yield from _inside(inner, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            yield from _inside(inner, f"{place}[{n}]")
