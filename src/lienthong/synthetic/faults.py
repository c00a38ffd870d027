"""What goes wrong in an office, put into invented rows on purpose: for those who learn to find it and to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lienthong.contracts import Contract, Property
from lienthong.synthetic.chance import stream
from lienthong.synthetic.written import heading


@dataclass(frozen=True)
class Fault:
    """One wrong value: the row (from 0), the heading, what was right and what is written now."""

    row: int
    heading: str
    right: str | None
    wrong: str | None


def _ways(p: Property, contract: Contract) -> list[Callable[[str], str | None]]:
    """How a value of this property goes wrong so that its row has to wait."""
    found: list[Callable[[str], str | None]] = []
    if p.standard == "citizen_id":
        found.append(lambda text: text[:-4])
    if p.logical_type == "date" or p.standard == "partial_date":
        found.append(lambda text: f"31/02/{text[-4:]}" if text[-4:].isdigit() else "31/02/2001")
    if p.standard == "code_list":
        found.append(lambda _: "không rõ")
    if p.standard == "sex":
        found.append(lambda _: "khác")
    if p.required and p.key_position is None and not found:
        found.append(lambda _: None)
    if any(rule.kind == "pattern" and rule.columns == (p.name,) for rule in contract.all_rules) and p.key_position is None:
        found.append(lambda text: text.replace(" ", "-") + "?")
    return found


def with_faults(texts: pl.DataFrame, contract: Contract, count: int, seed: int) -> tuple[pl.DataFrame, list[Fault]]:
    """The written rows with `count` of them spoilt, each in one value, no kind of fault before the others have been; and where they are."""
    draw = stream(seed, contract.id, "faults")
    ways = [(heading(p), way) for p in contract.properties for way in _ways(p, contract)]
    columns = {name: texts[name].to_list() for name in texts.columns}
    faults: list[Fault] = []
    rows = draw.permutation(texts.height).tolist()
    for n, row in enumerate(rows):
        if len(faults) == count or not ways:
            break
        name, way = ways[n % len(ways)]
        right = columns[name][row]
        if right is None:
            continue
        columns[name][row] = way(right)
        faults.append(Fault(row, name, right, columns[name][row]))
    return pl.DataFrame(columns, schema=texts.schema), sorted(faults, key=lambda fault: fault.row)
