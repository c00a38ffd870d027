"""E-mail addresses: what RFC 5321 allows in practice, without quoted names and without comments."""

from __future__ import annotations

import re

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}", re.ASCII)
_SEVERAL = re.compile(r"[;,]|\s+(?:và|hoặc)\s+|\s+")
LONGEST_EMAIL, LONGEST_LOCAL = 254, 64  # RFC 5321, 4.5.3.1


def _one(text: str) -> str | None:
    text = text.strip(" .<>()'\"").removeprefix("mailto:")
    if len(text) > LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        return None
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}" if len(local) <= LONGEST_LOCAL else None


def _clean_email(value: str, _: Options) -> Cleaned:
    text = re.sub(r"\s*(?:@|\(a\)|\[at\]|\(at\))\s*", "@", tidy(value), flags=re.IGNORECASE)
    text = re.sub(r"^(?:e-?mail|thư điện tử)\s*:\s*", "", text, flags=re.IGNORECASE)
    found = [one for part in _SEVERAL.split(text) if (one := _one(part)) is not None]
    if not found:
        return Cleaned(None, "email.shape")
    return Cleaned(found[0], "email.several" if len(set(found)) > 1 else None)


EMAIL = DistinctStandard(
    "email",
    pl.String(),
    "Thư điện tử",
    "E-mail address",
    _clean_email,
    good=(
        ("nguyen.an@tinh.example", "nguyen.an@tinh.example"),
        ("An@TINH.Example", "An@tinh.example"),
        ("Email: an @ tinh.example", "an@tinh.example"),
    ),
    bad=(("an@tinh", "email.shape"), ("an.tinh.example", "email.shape"), ("a@b.example; c@d.example", "email.several")),
    quick=lambda value, _: pl.when(
        value.str.contains(r"^[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,20}){0,2}@([a-z0-9]{1,30}\.){1,3}[a-z]{2,20}$")
    ).then(value),
    key=lambda value: None if value is None else value.casefold(),
)
