"""What Delta Sharing clients read: a JSON object a line, and errors of two words. A denial is a plain 4xx, so that no client asks again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from lienthong.web.problem import told

NDJSON = "application/x-ndjson; charset=utf-8"
JSON = "application/json; charset=utf-8"
VERSION = "Delta-Table-Version"
CAPABILITIES = "delta-sharing-capabilities"
LONGEST_WAIT = 60  # seconds: for a shorter wait clients may come again by themselves


def lines(rows: Iterable[Mapping[str, Any]], version: int, form: str = "parquet") -> Response:
    """An answer of lines, with the version of the table it is about and the form it is in."""
    body = b"\n".join(msgspec.json.encode(row) for row in rows) + b"\n"
    headers = {VERSION: str(version), CAPABILITIES: f"responseformat={form}", "Cache-Control": "no-store"}
    return Response(body, media_type=NDJSON, headers=headers)


def document(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON, headers={"Cache-Control": "no-store"})


def error(failure: Exception) -> Response:
    """Any failure in the protocol's form. A stop, and a quota used up for the day, are denials: a client would ask ten times otherwise."""
    status, problem, headers = told(failure)
    wait = headers.get("Retry-After", "")
    is_long = status == 429 and wait.isdigit() and int(wait) > LONGEST_WAIT
    if is_long or problem["code"] == "stopped":
        status = 403
        headers.pop("Retry-After", None)
    code = str(problem.get("rule") or problem["code"]).upper().replace("-", "_")
    words = {"errorCode": code, "message": problem["detail_en"], "message_vi": problem["detail"]}
    words |= {name: problem[name] for name in ("hint", "hint_vi") if name in problem}
    return Response(msgspec.json.encode(words), status, media_type=JSON, headers={"Cache-Control": "no-store", **headers})
