"""Waiting for a thing itself, as long as a busy machine may need: a ceiling costs nothing when things work."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

SECONDS = 120
TRUSTED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str = "it", seconds: float = SECONDS, between: float = 0.05) -> Found:
    """What `look` finds, once it finds something that is true; what it found last, and what was waited for, are told when it never does."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come about within {seconds} s; last seen: {found!r}"
        time.sleep(between)


def read_authorities_once() -> None:
    """Let all clients of httpx that say nothing of trust share what they trust: each would read all the world's authorities (28 ms, measured)."""
    from httpx._config import create_ssl_context as make
    from httpx._transports import default

    made: dict[tuple[str | bool | None, ...], ssl.SSLContext] = {}

    def shared(verify: ssl.SSLContext | str | bool = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is not True or cert is not None:
            return make(verify=verify, cert=cert, trust_env=trust_env)
        told = (trust_env, *map(os.environ.get, TRUSTED))
        if told not in made:
            made[told] = make(trust_env=trust_env)
        return made[told]

    vars(default).update(create_ssl_context=shared)
