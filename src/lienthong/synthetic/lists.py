"""Lists the state publishes are not invented: the units of administration and what became of them on 1 July 2025."""

from __future__ import annotations

import polars as pl

from lienthong.contracts import Contract, Layer
from lienthong.standards.admin_units import successors, units
from lienthong.synthetic.kinds import TYPES
from lienthong.synthetic.places import PROVINCE, spots

UNITS = frozenset({"code", "level", "name", "valid_from", "valid_to"})
CHANGES = frozenset({"level", "old_code", "new_code", "changed_on"})


def published_list(contract: Contract) -> pl.DataFrame | None:
    """The rows of a code list that is public by law, by the shape of its contract; None for any other dataset."""
    names = {p.name for p in contract.properties}
    if contract.layer is not Layer.CODE_LIST:
        return None
    if names >= UNITS:
        return _fitted(_units(), contract)
    return _fitted(_changes(), contract) if names >= CHANGES else None


def _units() -> pl.DataFrame:
    before = {spot.before.province_code for spot in spots()} | {PROVINCE}
    rows = [
        {
            "code": u.code, "level": u.level, "name": u.name, "district_code": u.district_code or None, "province_code": u.province_code or None,
            "valid_from": u.valid_from, "valid_to": u.valid_to,
        }
        for u in units() if (u.code if u.level == "province" else u.province_code) in before
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _changes() -> pl.DataFrame:
    before = {spot.before.province_code for spot in spots()} | {PROVINCE}
    rows = []
    for old in units():
        if old.level != "commune" or old.valid_to is None or old.province_code not in before:
            continue
        after = sorted({new.code for new in successors(old, old.valid_to)})
        rows += [
            {
                "level": "commune",
                "old_code": old.code,
                "new_code": code,
                "is_split": len(after) > 1,
                "is_default": n == 0,
                "changed_on": old.valid_to,
            }
            for n, code in enumerate(after)
        ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _fitted(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The contract's columns, in its order; those the list does not know are empty."""
    return rows.select(
        (pl.col(p.name) if p.name in rows.columns else pl.lit(None)).cast(TYPES[p.logical_type]).alias(p.name) for p in contract.properties
    )
