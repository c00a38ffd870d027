"""A pattern as somebody who fills in sheets reads it: `^[A-Z]{2} [0-9]{6}$` has the shape `AA 000000`. What is not that plain has no shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIECE = re.compile(
    r"(?P<sign>\[[^\]\\^]+\]|\\[d.\-/]|[^\\\[\](){}|.+*?^$])(?:\{(?P<least>\d{1,2})(?P<more>,(?P<most>\d{1,2})?)?\}|(?P<any>[+]))?"
)
_CLASSES = {"[A-Z]": "capital", "[a-z]": "small", "[0-9]": "digit", r"\d": "digit"}
_MEANT = {  # the signs that may stand for each, and what they stand for
    "capital": ("AXM", "một chữ cái in hoa", "a capital letter"),
    "small": ("axm", "một chữ cái thường", "a small letter"),
    "digit": ("098", "một chữ số", "a digit"),
}
LONGEST = 40
OPEN = "…"


@dataclass(frozen=True)
class Shape:
    """`text`: one sign for each; `OPEN` where more may follow. `vi`, `en`: what the signs stand for."""

    text: str
    vi: str
    en: str


def shape_of(pattern: str) -> Shape | None:
    """The shape of a pattern of letters, digits and fixed signs; None for one that says more than a shape can."""
    pieces = _pieces(pattern.removeprefix("^").removesuffix("$"))
    if pieces is None:
        return None
    kinds = dict.fromkeys(kind for kind, _, _, _ in pieces if kind)
    fixed = {sign for kind, sign, _, _ in pieces if not kind}
    signs = {kind: next((sign for sign in _MEANT[kind][0] if sign not in fixed), "") for kind in kinds}
    text = "".join((signs[kind] if kind else sign) * times + (OPEN if more else "") for kind, sign, times, more in pieces)
    if not signs or not all(signs.values()) or len(text) > LONGEST:
        return None
    may = any(more for _, _, _, more in pieces)
    vi = [f"{sign} là {_MEANT[kind][1]}" for kind, sign in signs.items()] + [f"{OPEN} là có thể dài hơn"] * may
    en = [f"{sign} is {_MEANT[kind][2]}" for kind, sign in signs.items()] + [f"{OPEN} may be longer"] * may
    return Shape(text, ", ".join(vi), ", ".join(en))


def _pieces(inner: str) -> list[tuple[str, str, int, bool]] | None:
    """(kind or "", the sign itself, how often at least, whether more may follow) of each piece in order; None where one is not plain."""
    found, at = [], 0
    while at < len(inner):
        piece = _PIECE.match(inner, at)
        if piece is None:
            return None
        at, sign = piece.end(), piece["sign"]
        kind = _CLASSES.get(sign, "")
        itself = sign[1:] if sign.startswith("\\") else sign[1:-1] if sign.startswith("[") else sign
        if not kind and len(itself) != 1:
            return None
        more = piece["any"] is not None or (piece["more"] is not None and piece["most"] != piece["least"])
        found.append((kind, itself, int(piece["least"] or 1), more))
    return found
