"""Rows of the bench report: measured value, reference it is held against, target, and whether it was reached."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True)
class Row:
    """One measure. `value` is in `unit`; ratios are ours over the reference, measured in the same run."""

    issue: int
    measure: str
    value: float
    unit: str
    reference: str
    target: str
    ok: bool


def at_most(measure: str, value: float, limit: float, unit: str, reference: str, issue: int = 2) -> Row:
    return Row(issue, measure, round(value, 3), unit, reference, f"≤ {limit:g} {unit}", value <= limit)


def at_least(measure: str, value: float, limit: float, unit: str, reference: str, issue: int = 2) -> Row:
    return Row(issue, measure, round(value, 3), unit, reference, f"≥ {limit:g} {unit}", value >= limit)


def write(measured: Mapping[str, Sequence[Row]], path: Path = RESULTS, *, whole: bool = True) -> None:
    """Write the report, keeping the rows of parts that were not measured now, each with its commit; print what was measured as a table.

    A part measured not `whole` keeps its other measures too.
    """
    kept = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    fresh = [{"part": part, "commit": _commit(), **asdict(row)} for part, rows in measured.items() for row in rows]
    now = {(row["part"], row["measure"]) for row in fresh}
    others = [row for row in kept if row["part"] not in measured or (not whole and (row["part"], row["measure"]) not in now)]
    report = {"commit": _commit(), "machine": _machine(), "rows": others + fresh}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table = Table("measure", "value", "reference", "target", "")
    for row in (row for rows in measured.values() for row in rows):
        table.add_row(row.measure, f"{row.value:g} {row.unit}", row.reference, row.target, "✓" if row.ok else "✗")
    Console(width=160).print(table)


def _commit() -> str:
    """What was measured; `-dirty` when more has changed than the report of the parts before."""
    head = subprocess.run(["git", "describe", "--always"], capture_output=True, text=True, check=False).stdout.strip()
    changed = ["git", "status", "--porcelain", "--", ".", ":!bench/results"]
    return head + ("-dirty" if subprocess.run(changed, capture_output=True, text=True, check=False).stdout.strip() else "")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
