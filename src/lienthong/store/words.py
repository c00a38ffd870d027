"""What an error of PostgreSQL says to an operator. The server's own words can hold values of rows, so they are never repeated."""

from __future__ import annotations

import psycopg
from psycopg import errors


def said_of(error: psycopg.Error) -> tuple[str, str]:
    """(Vietnamese, English): what happened and what to do."""
    if isinstance(error, errors.DiskFull):
        return (
            "Ổ đĩa của PostgreSQL đã đầy: việc đang làm dở không được ghi, dữ liệu đã công bố vẫn nguyên. Giải phóng chỗ trống rồi chạy lại.",
            "PostgreSQL's disk is full: what was under way is not kept, what was published stays as it was. Free space, then run again.",
        )
    if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")):
        return (
            f"Mất kết nối tới PostgreSQL ({type(error).__name__}). Xem máy chủ còn chạy và ổ đĩa còn chỗ không, rồi chạy lại.",
            f"The connection to PostgreSQL was lost ({type(error).__name__}). See that the server runs and its disk has space, then run again.",
        )
    name = f"{type(error).__name__} {error.sqlstate}"
    return f"PostgreSQL không làm được việc này: {name}", f"PostgreSQL could not do this: {name}"
