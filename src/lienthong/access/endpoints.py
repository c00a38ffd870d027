"""Which operations of a service an agreement gives: a verb and a pattern of the whole path, as in X-Road's access rights.

`*` is any characters but `/`, `**` any characters, a backslash takes the next character as it is; case counts, and the whole path must match
(`X-Road:PathGlob.java`). Patterns are held against paths made safe by `addresses.safe_path`, where no escape is left that could mean something else.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lienthong.errors import BadRequest

VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
LONGEST_PATTERN = 500


def read_endpoint(text: str) -> str:
    """`VERB /pattern` as it is kept: one space, the verb in capitals (`*`: every verb). Raises BadRequest saying what was expected."""
    verb, _, pattern = text.strip().partition(" ")
    verb, pattern = verb.upper(), pattern.strip()
    if (verb != "*" and verb not in VERBS) or not pattern.startswith("/") or len(pattern) > LONGEST_PATTERN:
        raise BadRequest(
            f"Expected a verb and a path such as `GET /persons/*`, found `{text[:80]}`.",
            vi=f"Cần phương thức và đường dẫn như `GET /persons/*`, thấy `{text[:80]}`.",
        )
    if _is_cut(pattern):
        raise BadRequest(
            f"`{text[:80]}` ends in a backslash that escapes nothing.", vi=f"`{text[:80]}` kết thúc bằng dấu gạch chéo ngược thừa."
        )
    return f"{verb} {pattern}"


def matches_endpoint(endpoint: str, verb: str, path: str) -> bool:
    """Whether a call is one of those an endpoint names. HEAD is part of what GET gives: it tells nothing more."""
    allowed, _, pattern = endpoint.partition(" ")
    if allowed not in ("*", verb) and not (allowed == "GET" and verb == "HEAD"):
        return False
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    n = 0
    while n < len(pattern):
        if pattern[n] == "\\" and n + 1 < len(pattern):
            parts.append(re.escape(pattern[n + 1]))
            n += 2
        elif pattern.startswith("**", n):
            if parts[-1:] != [".*"]:  # two in a row say no more than one, and would be slow
                parts.append(".*")
            n += 2
        elif pattern[n] == "*":
            parts.append("[^/]*")
            n += 1
        else:
            parts.append(re.escape(pattern[n]))
            n += 1
    return re.compile("".join(parts), re.DOTALL)


def _is_cut(pattern: str) -> bool:
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1
