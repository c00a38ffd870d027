"""How one column's values are drawn: of a list, a reference, a pattern, a standard, a person, or the range they lie in."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from numpy.random import Generator

from lienthong.contracts import Contract, Property, Rule
from lienthong.standards.admin_units import MERGED
from lienthong.synthetic import patterns
from lienthong.synthetic.bounds import NUMERIC, Bounds, as_value, bounds_of
from lienthong.synthetic.chance import stream
from lienthong.synthetic.people import Somebody, given_name, tax_code
from lienthong.synthetic.places import Spot, code_of_level
from lienthong.synthetic.profile import ColumnProfile, Profile

Draw = Callable[[int], Any]  # row (from 0) → value
DELIVERY = "delivery"
USUAL_YEARS = 5  # dates nothing is known of lie in the last five years
USUAL_DAYS = 30  # instants in the last thirty days
NUMBERED_YEARS = (1900, 2100)  # integers bounded so are years
SAMPLE = "mẫu"

CALLED = ("Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy")  # by the place among the children, as people are called beside their name
PERSONAL: Mapping[str, Callable[[Somebody], Any]] = {
    "full_name": lambda one: one.name,
    "first_member": lambda one: one.name,
    "other_name": lambda one: f"{one.name.partition(' ')[0]} {CALLED[one.place % len(CALLED)]}",
    "citizen_id": lambda one: one.citizen_id,
    "member_id": lambda one: one.citizen_id,
    "insurance_no": lambda one: one.insurance_no,
    "sex": lambda one: one.sex,
    "born_on": lambda one: one.born_on,
    "ethnic_group": lambda one: one.ethnic_group,
    "relation": lambda one: one.relation,
    "phone": lambda one: one.phone,
    "address": lambda one: f"Số {one.house_no}, ấp {one.hamlet}, {one.spot.now.name}",
}
BY_STANDARD = {"person_name": "full_name", "citizen_id": "citizen_id", "insurance_no": "insurance_no", "sex": "sex", "phone": "phone"}
ADDRESSES = frozenset({"address", "seat", "place", "clinic"})
KINDS_OF_FIRM = ("Công ty TNHH", "Công ty cổ phần", "Doanh nghiệp tư nhân", "Hợp tác xã")


@dataclass
class Invention:
    """What the rows of one contract are made with. `made` holds the columns that are ready."""

    contract: Contract
    count: int
    seed: int
    today: date
    references: Mapping[str, pl.DataFrame]
    profile: Profile
    people: Sequence[Somebody]
    spots: tuple[Spot, ...]
    told: Mapping[str, str]  # property → what of the person it says
    made: dict[str, list[Any]] = field(default_factory=dict)

    def draw_of(self, p: Property, purpose: str = "values") -> Generator:
        return stream(self.seed, self.contract.id, p.name, purpose)

    def rules(self, p: Property, kind: str) -> list[Rule]:
        return [rule for rule in self.contract.all_rules if rule.kind == kind and rule.columns[0] == p.name]

    def dated(self, p: Property, row: int) -> date:
        """The day by which a code of the row is read."""
        if p.as_of is None or p.as_of == DELIVERY:
            return self.today
        value = self.made[p.as_of][row]
        return self.today if value is None else value.date() if isinstance(value, datetime) else value


def drawing(work: Invention, p: Property) -> Draw:
    """How this property's values come about; the first of these that applies."""
    draw = work.draw_of(p)
    for way in (_told, _unit, _referred, _listed, _grouped, _standardised, _patterned, _measured, _free):
        found = way(work, p, draw)
        if found is not None:
            return found
    raise AssertionError("the last way takes any property")


def _told(work: Invention, p: Property, _: Generator) -> Draw | None:
    what = work.told.get(p.name)
    if what is None:
        return None
    if what == "born_on":
        if p.logical_type == "integer":
            return lambda row: work.people[row].born_on.year
        if p.logical_type == "string":
            return lambda row: work.people[row].born_on.isoformat()
    tell = PERSONAL[what]
    return lambda row: tell(work.people[row])


def _unit(work: Invention, p: Property, draw: Generator) -> Draw | None:
    if p.standard != "admin_unit":
        return None
    level = str(p.standard_options.get("level") or "commune")
    if any(work.told.values()):
        return lambda row: code_of_level(work.people[row].spot, level, work.dated(p, row))
    return lambda row: code_of_level(work.spots[int(draw.integers(len(work.spots)))], level, work.dated(p, row))


def _referred(work: Invention, p: Property, draw: Generator) -> Draw | None:
    for rule in work.rules(p, "reference"):
        frame = work.references.get(str(rule.parameters["dataset"]))
        if frame is None or frame.is_empty():
            continue
        level = rule.parameters.get("level")
        if level is not None and "level" in frame.columns:
            frame = frame.filter(pl.col("level").cast(pl.String) == str(level))
        column = str(rule.parameters.get("column") or frame.columns[0])
        as_of = rule.parameters.get("as_of")
        periods = _periods(frame, column, dated=as_of is not None)
        always = sorted({value for value, _, _ in periods})
        if not always:
            continue
        if as_of is None or all(since is None and until is None for _, since, until in periods):
            return _one_of(always, draw, p)
        return lambda row: _valid(periods, draw, _day_of(work, str(as_of), row), p)
    return None


def _periods(frame: pl.DataFrame, column: str, *, dated: bool) -> list[tuple[str, date | None, date | None]]:
    there = {name: name in frame.columns and dated for name in ("valid_from", "valid_to")}
    columns = [pl.col(column).cast(pl.String).alias("v")] + [
        (pl.col(name).cast(pl.String).str.slice(0, 10).str.to_date(strict=False) if is_there else pl.lit(None, pl.Date)).alias(name)
        for name, is_there in there.items()
    ]
    return [(v, since, until) for v, since, until in frame.select(columns).iter_rows() if v is not None]


def _day_of(work: Invention, as_of: str, row: int) -> date:
    value = None if as_of == DELIVERY else work.made[as_of][row]
    return work.today if value is None else value.date() if isinstance(value, datetime) else value


def _valid(periods: list[tuple[str, date | None, date | None]], draw: Generator, on: date, p: Property) -> Any:
    valid = [v for v, since, until in periods if (since is None or since <= on) and (until is None or on < until)]
    return _typed(valid[int(draw.integers(len(valid)))], p) if valid else None


def _one_of(values: Sequence[str], draw: Generator, p: Property) -> Draw:
    typed = [_typed(value, p) for value in values]
    return lambda _: typed[int(draw.integers(len(typed)))]


def _typed(value: str, p: Property) -> Any:
    if p.logical_type == "integer":
        return int(float(value))
    return float(value) if p.logical_type == "number" else value


def _listed(work: Invention, p: Property, draw: Generator) -> Draw | None:
    values = [str(v).lower() if isinstance(v, bool) else str(v) for rule in work.rules(p, "allowed")[:1] for v in rule.parameters["values"]]
    if not values and p.standard == "code_list":
        values = [str(code) for code in p.standard_options.get("values") or {}]
    if not values and p.logical_type == "boolean":
        values = ["false", "true"]
    known = work.profile.of(p.name) or ColumnProfile()
    if not values and p.logical_type == "string" and known.shares and p.standard in (None, "text") and not work.rules(p, "pattern"):
        values = sorted(known.shares)
    if not values:
        return None
    for rule in work.rules(p, "length"):
        values = [v for v in values if int(rule.parameters.get("min") or 0) <= len(v) <= int(rule.parameters.get("max") or len(v))]
    weights = [known.shares.get(value, 0.0) for value in values]
    if not any(weights):
        weights = [1 / (n + 1) for n in range(len(values))] if p.logical_type != "boolean" else [1.0, 1.0]  # lists begin with what is usual
    sums = list(itertools.accumulate(weights))
    typed = [value == "true" if p.logical_type == "boolean" else _typed(value, p) for value in values]
    return lambda _: typed[min(bisect.bisect_right(sums, draw.random() * sums[-1]), len(typed) - 1)]


def _grouped(work: Invention, p: Property, _: Generator) -> Draw | None:
    """What the members of a household share."""
    if (
        p.logical_type != "string"
        or p.standard is not None
        or not any(p.name in role.by for role in work.contract.match)
        or not work.people
    ):
        return None
    found = work.rules(p, "pattern")
    if found:
        pattern = str(found[0].parameters["pattern"])
        return lambda row: patterns.fitting(pattern, stream(work.seed, work.contract.id, p.name, str(work.people[row].household)))
    return lambda row: f"H99{work.people[row].household:07d}"


def _standardised(work: Invention, p: Property, draw: Generator) -> Draw | None:
    first = stream(work.seed, work.contract.id, "numbers").integers(0, 10**5)
    if p.standard == "tax_code":
        return lambda row: tax_code(int(first) + row + int(draw.integers(0, 3)) * 5 * 10**5)
    if p.standard == "agency_code":
        return lambda row: f"Z99.{row + 1}"
    if p.standard == "licence_no":
        return lambda row: f"{900_000 + row}/{work.today.year}/{work.contract.agency}.TEST"
    if p.standard == "parcel_id":
        return lambda row: f"{_commune_of(work, row)}-{900 + row % 90}-{9000 + row // 90}"
    if p.standard == "geometry":
        return lambda _: _square(draw)
    if p.standard == "coordinates":
        low, span = (11.2, 1.0) if p.standard_options.get("axis", "latitude") == "latitude" else (106.4, 1.0)
        return lambda _: round(low + span * draw.random(), 5) if p.logical_type == "number" else f"{low + span * draw.random():.5f}"
    if p.standard == "partial_date" or (p.standard == "date" and p.logical_type == "string"):
        return lambda _: (work.today - timedelta(int(draw.integers(365, 365 * 60)))).isoformat()
    return None


def _commune_of(work: Invention, row: int) -> str:
    """The commune the row names elsewhere, else one of today."""
    column = next((p.name for p in work.contract.properties if p.standard == "admin_unit" and p.name in work.made), None)
    found = None if column is None else work.made[column][row]
    return found or work.spots[row % len(work.spots)].code_on(MERGED)


def _square(draw: Generator) -> str:
    """A parcel of some 20 by 20 metres."""
    west, south, side = 106.5 + draw.random() * 0.8, 11.3 + draw.random() * 0.8, 0.0002
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [[[round(x, 6), round(y, 6)] for x, y in ring]]}, separators=(",", ":"))


def _patterned(work: Invention, p: Property, draw: Generator) -> Draw | None:
    found = work.rules(p, "pattern")
    if not found or p.logical_type != "string":
        return None
    pattern = str(found[0].parameters["pattern"])
    if "@" in pattern:
        return lambda row: f"hop-thu-{row + 1}@{SAMPLE.replace('ẫ', 'a')}.example"
    lengths = [(int(r.parameters.get("min") or 0), int(r.parameters.get("max") or 10**6)) for r in work.rules(p, "length")]

    def fitting(_: int) -> str:
        for _ in range(200):
            text = patterns.fitting(pattern, draw)
            if all(low <= len(text) <= high for low, high in lengths):
                return text
        return text

    return fitting


def _measured(work: Invention, p: Property, draw: Generator) -> Draw | None:
    if p.logical_type not in NUMERIC:
        return None
    bounds = _usual(work, p)
    knots = (work.profile.of(p.name) or ColumnProfile()).knots
    if len(knots) > 1:
        return lambda _: as_value(bounds.clamp(_between(knots, draw)), p)
    if p.standard == "money":
        return lambda _: as_value(bounds.clamp(round(bounds.low + (bounds.high - bounds.low) * draw.random() ** 3, -5)), p)
    return lambda _: as_value(bounds.clamp(bounds.low + (bounds.high - bounds.low) * draw.random()), p)


def _between(knots: tuple[float, ...], draw: Generator) -> float:
    """Somewhere between two neighbouring means, every pair as likely: the quantiles stay."""
    place = draw.random() * (len(knots) - 1)
    n = min(int(place), len(knots) - 2)
    return knots[n] + (knots[n + 1] - knots[n]) * (place - n)


def _usual(work: Invention, p: Property) -> Bounds:
    """The column's bounds, and where they are open what is usual."""
    found = bounds_of(work.contract, p, work.today)
    if p.logical_type == "date":
        high = min(found.high, max(float(work.today.toordinal()), found.low))
        return Bounds(max(found.low, high - 365 * USUAL_YEARS), high)
    if p.logical_type == "timestamp":
        high = min(found.high, max(datetime.combine(work.today, time(), UTC).timestamp(), found.low))
        return Bounds(max(found.low, high - 86_400 * USUAL_DAYS), high)
    if p.logical_type == "integer" and found.low >= NUMBERED_YEARS[0] and found.high <= NUMBERED_YEARS[1]:
        high = min(found.high, max(float(work.today.year), found.low))
        return Bounds(max(found.low, high - USUAL_YEARS), high)
    low = found.low if found.low > float("-inf") else min(0.0, found.high - 1000)
    return Bounds(low, min(found.high, max(low + 1000, low * 2) if p.standard != "money" else low + 50_000_000))


def _free(work: Invention, p: Property, draw: Generator) -> Draw:
    """A text of which nothing is promised but perhaps its length."""
    lengths = [(int(r.parameters.get("min") or 0), int(r.parameters.get("max") or 10**6)) for r in work.rules(p, "length")]
    low, high = (
        max([0, *(low for low, _ in lengths)]),
        min([int(p.standard_options.get("max_length") or 300), *(high for _, high in lengths)]),
    )
    is_key = p.unique or [each.name for each in work.contract.key] == [p.name]
    is_name = p.name in ("name", "holder") or p.name.endswith("_name")

    def text(row: int) -> str:
        if p.name in ADDRESSES:
            spot = work.spots[int(draw.integers(len(work.spots)))]
            found = f"Số {int(draw.integers(1, 400))}, đường {given_name(draw)}, {spot.now.name}"
        elif is_name:
            found = f"{KINDS_OF_FIRM[int(draw.integers(len(KINDS_OF_FIRM)))]} {given_name(draw)} {given_name(draw)} ({SAMPLE})"
        else:
            found = f"{p.title_vi or p.name} {SAMPLE} {int(draw.integers(1, 13))}"
        if is_key:
            found = f"{row + 1} {found}" if high < len(found) + len(str(row)) else f"{found} {row + 1}"
        return _of_length(found, low, high)

    return text


def _of_length(text: str, low: int, high: int) -> str:
    cut = text[:high].strip() or "m"
    return cut + "x" * (low - len(cut))
