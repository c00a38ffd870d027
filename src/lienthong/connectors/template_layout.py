"""How a form the platform gave out is laid out, so that a filled one is read by what it says of itself: nothing is guessed.

On the sheet of data, Excel's row 1 is hidden and names the fields; row 2 has their titles; row 3 an example, marked in the first column. The
first cell names the form and holds a digest of the example, so that an example somebody wrote their own row over is never passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lienthong.connectors.excel_file import first_cells, visible_sheets
from lienthong.errors import SourceError

SHEET, GUIDE, LISTS = "Dữ liệu", "Hướng dẫn", "Danh mục"
MARK, EXAMPLE = "#lienthong", "VÍ DỤ"
KEY_ROW, TITLE_ROW, EXAMPLE_ROW = 1, 2, 3  # Excel's
LOOKED_FOR_EXAMPLES = 200  # rows
_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")


def key_of(contract_id: str, version: str, example: Sequence[str]) -> str:
    """What the first cell of a form says."""
    return f"{MARK} {contract_id} {version} {digest_of(example)}"


def digest_of(example: Sequence[str | None]) -> str:
    return hashlib.sha256("\x1f".join(cell or "" for cell in example).rstrip("\x1f").encode()).hexdigest()[:16]


def template_options(path: Path, contract_id: str) -> dict[str, Any] | None:
    """Options of `excel_file` for a form of ours; None for any other file.

    Raises SourceError for the form of another dataset, and where a row marked as the example is not as it was given out.
    """
    if path.suffix.lower() not in _SUFFIXES or SHEET not in visible_sheets(path):
        return None
    rows = first_cells(path, LOOKED_FOR_EXAMPLES, sheet=SHEET)
    key = (rows[0][0] or "") if rows and rows[0] else ""
    said = key.split(" ")
    if said[0] != MARK or len(said) != 4:
        return None
    if said[1] != contract_id:
        raise SourceError(
            f"`{path.name}`: là mẫu của / is the form of `{said[1]}`, không phải / not of `{contract_id}`.", hint="Take the right form."
        )
    marked = [(n, row) for n, row in enumerate(rows, 1) if row and (row[0] or "").strip() == EXAMPLE]
    for number, row in marked:
        if digest_of(row[1:]) != said[3]:
            raise SourceError(
                f"`{path.name}`, dòng/row {number}: ghi “{EXAMPLE}” nhưng đã sửa / is marked as the example but was changed.",
                hint=f"Clear “{EXAMPLE}” in the first column if it is a row of yours, or delete the row.",
            )
    options: dict[str, Any] = {"sheet": SHEET, "header_rows": [KEY_ROW], "first_row": EXAMPLE_ROW, "drop_columns": [" ".join(said)]}
    return options | ({"skip_when": rf"\s*{EXAMPLE}\s*$"} if marked else {})
