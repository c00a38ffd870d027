"""Reads what comes before a body, addresses and the headers of ours, the same way at every door."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from lienthong.errors import BadRequest

PURPOSE = "lienthong-purpose"
OFFICIAL = "lienthong-official"
LONGEST_HEADER = 200
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def header_text(name: str, value: bytes) -> str:
    """A header's text: UTF-8, or percent-encoded UTF-8 where a client can send ASCII only. Raises BadRequest when it is no plain text."""
    if b"%" in value:
        if _BAD_ESCAPE.search(value):
            raise BadRequest(
                f"{name}: a % that no two hexadecimal digits follow; write %25 for the sign.",
                vi=f"{name}: có dấu % không đi cùng hai chữ số hex; viết %25 cho dấu %.",
            )
        value = unquote_to_bytes(value)
    try:
        text = value.decode("utf-8").strip()
    except UnicodeDecodeError:
        text = value.decode("latin-1").strip()
    if len(text) > LONGEST_HEADER or not text.isprintable():
        raise BadRequest(
            f"{name}: expected at most {LONGEST_HEADER} printed characters, found {len(text)}.",
            vi=f"{name}: cần nhiều nhất {LONGEST_HEADER} ký tự in được.",
        )
    return text


def check_escapes(path: bytes) -> None:
    """Raises BadRequest for a percent sign that two hexadecimal digits do not follow."""
    if _BAD_ESCAPE.search(path):
        raise BadRequest(
            "The address holds a % that no two hexadecimal digits follow.", vi="Địa chỉ có dấu % không đi cùng hai chữ số hex."
        )
