"""Drawings as SVG made here: they print, they need no script, their links are links. Colours are the stylesheet's; no style is written inside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

WIDTH = 720
_BOX, _GAP, _HIGH = 190, 75, 44


def bar(percent: float, words: str, *, tone: str = "") -> Markup:
    """A share of a hundred, as a strip."""
    width = max(0.0, min(100.0, percent))
    return _svg(100, 6, words, f'<rect class="back" width="100" height="6" rx="3"/><rect class="fill {tone}" width="{width:.2f}" height="6" rx="3"/>', "bar", stretch=True)  # fmt: skip


def spark(values: Sequence[float], words: str) -> Markup:
    """A line as small as a word; one value is a dot."""
    if not values:
        return Markup()
    least, most = min(values), max(values)
    span = (most - least) or 1.0
    places = [(4 + 112 * n / max(1, len(values) - 1), 26 - 20 * (value - least) / span) for n, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return _svg(
        120, 32, words, f'<polyline class="l1" points="{line}"/><circle class="s1" cx="{x:.1f}" cy="{y:.1f}" r="3"/>', "drawing spark"
    )


def columns(points: Sequence[tuple[str, float, str]], words: str) -> Markup:
    """Bars lying down, one below the other: (name, value, value in words). Reads well with long Vietnamese names."""
    most = max((abs(value) for _, value, _ in points), default=0.0) or 1.0
    name_width, high = 250, 28
    parts = []
    for n, (name, value, told) in enumerate(points):
        y = n * high
        width = (WIDTH - name_width - 110) * max(0.0, value) / most
        parts.append(
            f'<text x="{name_width - 8}" y="{y + 18}" text-anchor="end">{_cut(name, 36)}<title>{escape(name)}</title></text>'
            f'<rect class="s1" x="{name_width}" y="{y + 5}" width="{width:.1f}" height="{high - 10}" rx="2"/>'
            f'<text class="dim" x="{name_width + width + 6:.1f}" y="{y + 18}">{escape(told)}</text>'
        )
    return _svg(WIDTH, max(1, len(points)) * high + 4, words, "".join(parts))


def trend(points: Sequence[tuple[str, float | None, bool]], told: Sequence[str], target: float | None, words: str) -> Markup:
    """A line in a card: (name, value, whether it is an estimate); estimates are open dots, the target a broken line. `told`: each point in words."""
    values = [value for _, value, _ in points if value is not None]
    if not values:
        return Markup()
    bounds = [*values, target] if target is not None else values
    least, most = min(bounds), max(bounds)
    span = (most - least) or 1.0
    wide, high = 260, 64

    def y(value: float) -> float:
        return high - 8 - (high - 16) * (value - least) / span if most > least else high / 2

    def x(n: int) -> float:
        return 8 + (wide - 16) * n / max(1, len(points) - 1)

    parts = []
    if target is not None:
        parts.append(f'<line class="aim" x1="0" x2="{wide}" y1="{y(target):.1f}" y2="{y(target):.1f}"/>')
    for piece in _pieces([value for _, value, _ in points]):
        line = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in piece)
        parts.append(f'<polyline class="l1" points="{line}"/>')
    for n, (_, value, is_open) in enumerate(points):
        if value is not None:
            parts.append(f'<circle class="{"hollow" if is_open else "s1"}" cx="{x(n):.1f}" cy="{y(value):.1f}" r="3.5"><title>{escape(told[n])}</title></circle>')  # fmt: skip
    return _svg(wide, high, words, "".join(parts), "drawing trend")


@dataclass(frozen=True)
class Series:
    """Points in order; None leaves a gap."""

    name: str
    values: Sequence[float | None]


def lines(labels: Sequence[str], series: Sequence[Series], words: str, tell: Any) -> Markup:
    """Lines over time, at most four; `tell` writes a number."""
    high, left, right, top, bottom = 300, 64, 14, 14, 34
    values = [value for one in series for value in one.values if value is not None]
    if not values or not labels:
        return Markup()
    least, most, step = _scale(min(values), max(values))
    wide, tall = WIDTH - left - right, high - top - bottom

    def place(n: int, value: float) -> tuple[float, float]:
        return left + wide * (n / max(1, len(labels) - 1)), top + tall * (1 - (value - least) / ((most - least) or 1))

    parts = []
    for n in range(round((most - least) / step) + 1):
        value = least + n * step
        y = place(0, value)[1]
        parts.append(f'<line class="grid-line" x1="{left}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/><text class="dim" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(tell(value))}</text>')  # fmt: skip
    every = max(1, math.ceil(len(labels) / 8))
    for n in range(0, len(labels), every):
        x = place(n, least)[0]
        anchor = "start" if n == 0 else "end" if n == len(labels) - 1 else "middle"
        parts.append(f'<text class="dim" x="{x:.1f}" y="{high - 10}" text-anchor="{anchor}">{escape(labels[n])}</text>')
    for number, one in enumerate(series[:4], 1):
        for piece in _pieces(one.values):
            points = " ".join("{:.1f},{:.1f}".format(*place(n, value)) for n, value in piece)
            parts.append(f'<polyline class="l{number}" points="{points}"/>')
            if len(labels) <= 40:
                for n, value in piece:
                    x, y = place(n, value)
                    parts.append(f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(f"{one.name} {labels[n]}: {tell(value)}")}</title></circle>')  # fmt: skip
    return _svg(WIDTH, high, words, "".join(parts))


def waterfall(steps: Sequence[tuple[str, float, float, str]], words: str) -> Markup:
    """How a sum comes about: (name, what it adds, the sum after it, in words). The last line is the whole."""
    high, name_width = 30, 210
    sums = [0.0, *(after for _, _, after, _ in steps)]
    least, most = min(sums), max(sums)
    span = (most - least) or 1.0

    def x(value: float) -> float:
        return name_width + 10 + (WIDTH - name_width - 90) * (value - least) / span

    parts = [f'<line class="axis" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{high * len(steps)}"/>']
    before = 0.0
    for n, (name, adds, after, told) in enumerate(steps):
        y, begin, end = n * high, min(x(before), x(after)), max(x(before), x(after))
        tone = "plus" if adds >= 0 else "minus"
        parts.append(
            f'<text x="{name_width}" y="{y + 19}" text-anchor="end">{_cut(name, 30)}</text>'
            f'<rect class="{tone}" x="{begin:.1f}" y="{y + 6}" width="{max(1.5, end - begin):.1f}" height="{high - 12}" rx="2"/>'
            f'<text class="dim told" x="{end + 6:.1f}" y="{y + 19}">{escape(told)}</text>'
        )
        before = after
    return _svg(WIDTH, high * max(1, len(steps)) + 4, words, "".join(parts))


@dataclass(frozen=True)
class Node:
    """One box of a diagram; without an address it is no link."""

    text: str
    note: str = ""
    address: str = ""


def lineage(before: Sequence[Node], here: Node, after: Sequence[Node], words: str) -> Markup:
    """What a thing comes from, itself, and what is made of it: one hop each way, left to right."""
    rows = max(len(before), len(after), 1)
    wide, high = 3 * _BOX + 2 * _GAP, rows * (_HIGH + 14) + 8
    parts = []
    middle = (high - _HIGH) / 2
    for side, nodes in ((0, before), (2, after)):
        top = (high - len(nodes) * (_HIGH + 14) + 14) / 2
        for n, node in enumerate(nodes):
            x, y = side * (_BOX + _GAP), top + n * (_HIGH + 14)
            begin, end = ((x + _BOX, y + _HIGH / 2), (_BOX + _GAP, middle + _HIGH / 2)) if side == 0 else ((2 * _BOX + _GAP, middle + _HIGH / 2), (x, y + _HIGH / 2))  # fmt: skip
            half = (begin[0] + end[0]) / 2
            parts.append(f'<path class="arrow" d="M{begin[0]:.0f} {begin[1]:.1f}C{half:.0f} {begin[1]:.1f} {half:.0f} {end[1]:.1f} {end[0] - 7:.0f} {end[1]:.1f}"/><path class="head" d="M{end[0]:.0f} {end[1]:.1f}l-8-4.500v9z"/>')  # fmt: skip
            parts.append(_node(node, x, y, ""))
    parts.append(_node(here, _BOX + _GAP, middle, "here"))
    return _svg(wide, high, words, "".join(parts))


def _node(node: Node, x: float, y: float, kind: str) -> str:
    text_y = y + (19 if node.note else 27)
    note = f'<text class="{"here-text" if kind else "dim"}" x="{x + _BOX / 2:.1f}" y="{y + 35:.1f}" text-anchor="middle">{_cut(node.note, 30)}</text>' if node.note else ""  # fmt: skip
    words = f'<text class="{"here-text" if kind else ""}" x="{x + _BOX / 2:.1f}" y="{text_y:.1f}" text-anchor="middle">{_cut(node.text, 27)}<title>{escape(node.text)}</title></text>'
    box = f'<rect class="box {kind}" x="{x:.1f}" y="{y:.1f}" width="{_BOX}" height="{_HIGH}" rx="6"/>'
    if node.address:
        return f"<a href={quoteattr(node.address)}>{box}{words}{note}</a>"
    return box + words + note


@dataclass(frozen=True)
class Area:
    """A piece of a map: `rings` of (longitude, latitude); `step` 0–5 is its shade, 0 means nothing is known; `told` is read on it."""

    rings: Sequence[Sequence[tuple[float, float]]]
    step: int
    told: str
    address: str = ""


def area_map(areas: Sequence[Area], words: str, wide: int = 620) -> Markup:
    """Borders as they are, flat (a province is small enough), shaded by step."""
    places = [place for area in areas for ring in area.rings for place in ring]
    if not places:
        return Markup()
    west, east = min(p[0] for p in places), max(p[0] for p in places)
    south, north = min(p[1] for p in places), max(p[1] for p in places)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = wide / (((east - west) or 1) * squeeze)
    high = math.ceil((north - south) * scale) or 1
    parts = []
    for area in areas:
        path = "".join(
            "M" + "L".join(f"{(x - west) * squeeze * scale:.1f} {(north - y) * scale:.1f}" for x, y in ring) + "Z" for ring in area.rings
        )
        shape = f'<path class="area q{area.step}" d="{path}"><title>{escape(area.told)}</title></path>'
        parts.append(f"<a href={quoteattr(area.address)}>{shape}</a>" if area.address else shape)
    return _svg(wide, high, words, "".join(parts))


def _svg(wide: float, high: float, words: str, inside: str, kind: str = "drawing", *, stretch: bool = False) -> Markup:
    has_links = "<a " in inside
    role = f'role="group" aria-label={quoteattr(words)}' if has_links else f'role="img" aria-label={quoteattr(words)}'
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return Markup(f'<svg class="{kind}" viewBox="0 0 {wide:g} {high:g}"{ratio} {role}>{inside}</svg>')  # noqa: S704 # every text inside is escaped above


def _cut(text: str, most: int) -> str:
    return escape(text if len(text) <= most else text[: most - 1].rstrip() + "…")


def _pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    found: list[list[tuple[int, float]]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((n, value))
    return [piece for piece in found if piece]


def _scale(least: float, most: float) -> tuple[float, float, float]:
    """Round bounds and the step between four to six lines."""
    if least == most:
        least, most = (0.0, most or 1.0) if most >= 0 else (most, 0.0)
    if 0 < least < 0.4 * most:
        least = 0.0
    rough = (most - least) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough - 1e-12)
    return math.floor(least / step) * step, math.ceil(most / step) * step, step
