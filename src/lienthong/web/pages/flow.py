"""Who asks whom, as SVG: who asks on the left, who answers on the right, a band between two for what passes. A band is a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from lienthong.web.pages.drawing import Node

WIDE, _BOX, _HIGH, _GAP = 860, 270, 46, 14
_THINNEST, _THICKEST = 1.5, 14.0


@dataclass(frozen=True)
class Band:
    """What passes from one asker to one answerer, by their places; `is_lit`: refusals are among it."""

    asker: int
    answerer: int
    weight: int
    told: str
    address: str
    is_lit: bool = False


def flows(askers: Sequence[Node], answerers: Sequence[Node], bands: Sequence[Band], words: str) -> Markup:
    """The drawing. Bands grow with the logarithm of their weight, so that a thousandth of the heaviest is still seen."""
    high = max(len(askers), len(answerers), 1) * (_HIGH + _GAP) + 4
    most = max((log2(1 + band.weight) for band in bands), default=1.0) or 1.0
    parts = []
    for band in sorted(bands, key=lambda band: (band.is_lit, band.weight)):
        begin, end = _middle(band.asker, len(askers), high), _middle(band.answerer, len(answerers), high)
        thick = _THINNEST + (_THICKEST - _THINNEST) * log2(1 + band.weight) / most
        left, right = _BOX, WIDE - _BOX
        half = (left + right) / 2
        path = f'<path class="flow{" lit" if band.is_lit else ""}" stroke-width="{thick:.1f}" d="M{left} {begin:.1f}C{half} {begin:.1f} {half} {end:.1f} {right} {end:.1f}"/>'
        parts.append(f"<a href={quoteattr(band.address)} aria-label={quoteattr(band.told)}>{path}<title>{escape(band.told)}</title></a>")
    for x, nodes in ((0, askers), (WIDE - _BOX, answerers)):
        parts += [_box(x, _middle(n, len(nodes), high) - _HIGH / 2, node) for n, node in enumerate(nodes)]
    inside = "".join(parts)
    return Markup(f'<svg class="drawing" viewBox="0 0 {WIDE} {high}" role="group" aria-label={quoteattr(words)}>{inside}</svg>')  # noqa: S704 # every text inside is escaped above


def _middle(place: int, count: int, high: float) -> float:
    top = (high - count * (_HIGH + _GAP) + _GAP) / 2
    return top + place * (_HIGH + _GAP) + _HIGH / 2


def _box(x: float, y: float, node: Node) -> str:
    text = node.text if len(node.text) <= 38 else node.text[:37].rstrip() + "…"
    return (
        f'<rect class="box" x="{x:.0f}" y="{y:.1f}" width="{_BOX}" height="{_HIGH}" rx="6"/>'
        f'<text x="{x + 12:.0f}" y="{y + 19:.1f}">{escape(text)}<title>{escape(node.text)}</title></text>'
        f'<text class="dim" x="{x + 12:.0f}" y="{y + 36:.1f}">{escape(node.note)}</text>'
    )
