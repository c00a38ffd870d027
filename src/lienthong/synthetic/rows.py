"""Rows that keep a contract's promises: drawn column by column, then brought into agreement with one another.

The same contract, seed, day and references give the same rows. What cannot be invented is said, never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Property
from lienthong.errors import ContractError
from lienthong.synthetic.agreeing import agree
from lienthong.synthetic.bounds import bounds_of
from lienthong.synthetic.chance import stream
from lienthong.synthetic.kinds import TYPES
from lienthong.synthetic.lists import published_list
from lienthong.synthetic.people import OLDEST, Somebody, people
from lienthong.synthetic.places import PROVINCE, spots
from lienthong.synthetic.profile import Profile
from lienthong.synthetic.values import BY_STANDARD, PERSONAL, Draw, Invention, drawing

BLOCK = 1_000  # persons are made by the thousand, so that the first are the same however many are wanted
USUAL_NULLS = 0.05
MOST_TRIES = 400  # for a key nobody has yet
LOOSE_END = frozenset({"valid_to", "ended_on"})
USUALLY_OPEN = 0.9
SELDOM = {"other_name": 0.95}  # most people have none


def invent(
    contract: Contract, count: int, seed: int, today: date, references: Mapping[str, pl.DataFrame] | None = None, profile: Profile | None = None
) -> pl.DataFrame:  # fmt: skip
    """`count` rows (fewer only of a list the state publishes), the contract's columns in its order.

    `references`: dataset → rows its rules may refer to; without them such values are invented like any other.
    Persons are the same in all contracts of one seed: the first row of each is about the same one.
    Raises ContractError where the rules leave no value, or no text can be made for a pattern.
    """
    listed = published_list(contract)
    if listed is not None:
        return listed
    told = _told(contract)
    work = Invention(
        contract,
        count,
        seed,
        today,
        references or {},
        profile or Profile(),
        _people(contract, told, count, seed, today),
        spots(PROVINCE),
        told,
    )
    draws: dict[str, Draw] = {}
    for p in _in_order(contract):
        draws[p.name] = drawing(work, p)
        work.made[p.name] = [draws[p.name](row) for row in range(count)]
    _leave_out(work)
    agree(work, draws)
    _make_unique(work, draws)
    return pl.DataFrame([pl.Series(p.name, work.made[p.name], dtype=TYPES[p.logical_type], strict=False) for p in contract.properties])


def _told(contract: Contract) -> dict[str, str]:
    """Which properties speak of a person, and what they say: by their standard, their part in matching, or the rules that compare them."""
    found = {p.name: BY_STANDARD[p.standard] for p in contract.properties if p.standard in BY_STANDARD}
    for role in contract.match:
        if role.entity in ("person", "household"):
            for attribute, names in role.attributes.items():
                if attribute in PERSONAL:
                    found |= {name: attribute for name in names if _may_tell(contract.property_named(name), attribute)}
    for rule in contract.all_rules:
        if rule.kind == "agree":
            found[str(rule.parameters["id"])] = "citizen_id"
            found[str(rule.parameters["with"])] = "sex" if rule.parameters["kind"] == "citizen_id_sex" else "born_on"
    if found:
        found |= {p.name: p.name for p in contract.properties if p.name in ("ethnic_group", "relation") and p.standard is None}
    referred = {rule.columns[0] for rule in contract.all_rules if rule.kind in ("reference", "allowed", "pattern")}
    return {name: what for name, what in found.items() if name not in referred}


def _may_tell(p: Property, attribute: str) -> bool:
    if attribute == "born_on":
        return p.logical_type in ("date", "integer") or p.standard == "partial_date"
    return p.logical_type == "string" and p.standard in (None, "text", BY_STANDARD.get(p.standard or "") and p.standard)


def _people(contract: Contract, told: Mapping[str, str], count: int, seed: int, today: date) -> list[Somebody]:
    """The persons the rows are about, row by row; none where no column speaks of one."""
    if not told and not any(role.by for role in contract.match):
        return []
    earliest, latest = today - timedelta(365 * OLDEST), today - timedelta(1)
    usual = (earliest, latest)
    for name, what in told.items():
        p = contract.property_named(name)
        if what != "born_on" or p.logical_type == "string":
            continue
        bounds = bounds_of(contract, p, today)
        if p.logical_type == "integer":
            earliest = max(earliest, date(int(max(bounds.low, 1)), 1, 1))
            latest = min(latest, date(int(min(bounds.high, 9998)), 12, 31))
        else:
            earliest = max(earliest, date.fromordinal(int(max(bounds.low, 1))))
            latest = min(latest, date.fromordinal(int(min(bounds.high, date.max.toordinal()))))
    if earliest > latest:
        raise ContractError("Rows cannot be invented for this contract.", faults=(("born_on", "nobody living was born then", ""),))
    if (earliest, latest) != usual and (earliest > usual[0] + timedelta(365 * 10) or latest < usual[1]):
        return people(count, stream(seed, "people", contract.id), earliest, latest, spots(PROVINCE), 500_000)
    found: list[Somebody] = []
    for block in range(-(-count // BLOCK)):
        made = people(BLOCK, stream(seed, "people", str(block)), max(usual[0], earliest), latest, spots(PROVINCE), block * BLOCK)
        found += made
    return found[:count]


def _in_order(contract: Contract) -> list[Property]:
    """What dates a code, and what a number is made of, before it."""

    def rank(p: Property) -> int:
        dated = p.as_of is not None or any(
            rule.kind == "reference" and rule.parameters.get("as_of") for rule in contract.all_rules if rule.columns[0] == p.name
        )
        return 2 if p.standard == "parcel_id" else int(dated)

    return sorted(contract.properties, key=rank)


def _leave_out(work: Invention) -> None:
    """Values that may be missing are, as often as the profile says."""
    needed = {p.name for p in work.contract.properties if p.required or p.key_position is not None}
    needed |= {rule.columns[0] for rule in work.contract.all_rules if rule.kind == "required"}
    dating = {p.as_of for p in work.contract.properties if p.as_of}
    for p in work.contract.properties:
        if p.name in needed or p.name in dating:
            continue
        known = work.profile.of(p.name)
        usual = SELDOM.get(work.told.get(p.name, ""), USUALLY_OPEN if p.name in LOOSE_END else USUAL_NULLS)
        share = usual if known is None else known.nulls
        chance = work.draw_of(p, "nulls").random(work.count)
        work.made[p.name] = [None if lot < share else value for lot, value in zip(chance.tolist(), work.made[p.name], strict=True)]


def _make_unique(work: Invention, draws: Mapping[str, Draw]) -> None:
    """No key twice, no unique value twice. Raises ContractError where the promises allow fewer rows than are wanted."""
    key = [p.name for p in work.contract.key]
    groups = [[p.name] for p in work.contract.properties if p.unique and [p.name] != key]
    groups += [list(rule.columns) for rule in work.contract.all_rules if rule.kind == "unique" and list(rule.columns) != key]
    if key:
        _number_within(work, key)
        groups.insert(0, key)
    for names in groups:
        taken: set[tuple[Any, ...]] = set()
        for row in range(work.count):
            values = tuple(work.made[name][row] for name in names)
            tries = 0
            while values in taken and None not in values:
                if tries == MOST_TRIES:
                    fault = (", ".join(names), f"there are fewer than {work.count:,} different values", "ask for fewer rows")
                    raise ContractError("Rows cannot be invented for this contract.", faults=(fault,))
                for name in names:
                    if name not in work.told:
                        work.made[name][row] = draws[name](row)
                values, tries = tuple(work.made[name][row] for name in names), tries + 1
            taken.add(values)


def _number_within(work: Invention, key: list[str]) -> None:
    """A whole number at the end of a longer key counts within what stands before it: the second holder of a parcel."""
    last = work.contract.property_named(key[-1])
    if len(key) == 1 or last.logical_type != "integer" or last.name in work.told:
        return
    bounds = bounds_of(work.contract, last, work.today)
    first = max(1, int(bounds.low)) if bounds.low > 0 else 1
    if bounds.low >= 1900:  # a year is no count
        return
    counted: dict[tuple[Any, ...], int] = {}
    for row in range(work.count):
        before = tuple(work.made[name][row] for name in key[:-1])
        counted[before] = counted.get(before, first - 1) + 1
        work.made[last.name][row] = counted[before]
