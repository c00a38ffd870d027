"""Rows of the bench report: measured value, reference it is held against, target, and whether it was reached."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
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


def write(rows: Sequence[Row], path: Path = RESULTS) -> None:
    """Write the report, keeping the rows of other issues, and print it as a table."""
    kept = []
    if path.exists():
        issues = {row.issue for row in rows}
        kept = [row for row in json.loads(path.read_text("utf-8"))["rows"] if row["issue"] not in issues]
    report = {"commit": _commit(), "machine": _machine(), "rows": kept + [asdict(row) for row in rows]}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table = Table("measure", "value", "reference", "target", "")
    for row in rows:
        table.add_row(row.measure, f"{row.value:g} {row.unit}", row.reference, row.target, "✓" if row.ok else "✗")
    Console(width=160).print(table)


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
