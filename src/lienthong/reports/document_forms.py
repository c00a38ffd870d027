"""The forms a filing's document is given in, with their media types; without what writes them."""

from __future__ import annotations

from collections.abc import Mapping

FORMS: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
