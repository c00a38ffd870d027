"""What agencies' services answer, kept as a JSON list a service: `agency_server` gives it in pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

FOLDER = "dich-vu"


def write_service(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A row a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def service_places(path: str, count: int) -> tuple[pl.Series, pl.Series]:
    """(service, number of the row in it) of rows that stand in its order."""
    return pl.repeat(path, count, eager=True), pl.int_range(1, count + 1, eager=True)
