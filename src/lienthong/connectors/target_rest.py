"""A REST endpoint that keeps a copy: it takes deltas in order, remembers their place with them, and says where it is.

`GET {location}` answers 200 with `{"place": "…", "sums": {"bucket": [rows, a, b, c, d]}?, "hashes"?: …}` or 404 when it has no copy yet.
`POST {location}` takes `{"before", "after", "reset", "columns", "records": [[key, …]], "gone": [key]}`; it answers 2xx once rows and place are
kept together, and 409 when `before` is not its place. The same delta sent twice therefore changes nothing: the second meets another place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec
import pyarrow as pa

from lienthong.connectors.row_hash import Column, Sums
from lienthong.connectors.target import Delta, Place, TargetError, TargetMoved, TargetOptions
from lienthong.connectors.target_place import from_text, to_text

SECONDS = httpx.Timeout(60.0, connect=10.0)
LARGEST_ANSWER = 4_000_000


class RestTarget:
    """One sync's endpoint. It holds no table we can look into: what it says of itself is all there is."""

    def __init__(self, sync: str, options: TargetOptions) -> None:
        self._url = options.location
        headers = {"Lienthong-Sync": sync, "Accept": "application/json"}
        if options.password:
            headers["Authorization"] = f"Bearer {options.password}"
        self._client = httpx.Client(headers=headers, timeout=SECONDS, follow_redirects=False, trust_env=False)
        self._said: dict[str, Any] = {}

    def close(self) -> None:
        self._client.close()

    def place(self) -> Place | None:
        self._said = self._ask()
        place = self._said.get("place")
        return from_text(place) if isinstance(place, str) else None

    def holds_rows(self) -> bool:
        return False

    def begin(self, place: Place) -> None:
        self._send(place.columns, pa.table({}), (), "", to_text(place), reset=True)

    def load(self, rows: pa.Table, before: Place, after: Place) -> None:
        self._send(before.columns, rows, (), to_text(before), to_text(after))

    def apply(self, delta: Delta, before: Place, after: Place) -> None:
        self._send(before.columns, delta.rows, delta.gone, to_text(before), to_text(after))

    def reshape(self, add: Sequence[Column], drop: Sequence[str], before: Place, after: Place) -> None:
        del add, drop
        self._send(after.columns, pa.table({}), (), to_text(before), to_text(after))

    def sums(self, columns: Sequence[Column]) -> Sums:
        """What the endpoint says its rows add up to."""
        del columns
        found = self._ask().get("sums")
        if not isinstance(found, dict):
            raise TargetError(
                "The endpoint does not say what its rows add up to, so it cannot be held against ours.",
                hint="It may answer `sums` and `hashes` as the reference of syncs says.",
                vi="Điểm nhận không cho biết tổng kiểm nên không đối chiếu được.",
                hint_vi="Điểm nhận có thể trả lời `sums` và `hashes` như tài liệu tra cứu về đồng bộ đã nêu.",
            )
        return {str(bucket): tuple(int(part) for part in parts) for bucket, parts in found.items()}  # type: ignore[misc] # five numbers

    def hashes(self, columns: Sequence[Column], buckets: Sequence[str]) -> dict[str, str]:
        del columns
        found = self._ask({"buckets": ",".join(buckets)}).get("hashes")
        return {str(key): str(text) for key, text in found.items()} if isinstance(found, dict) else {}

    def rows(self, columns: Sequence[Column], keys: Sequence[str]) -> pa.Table:
        """Its rows cannot be had: what differs is told by key alone."""
        from lienthong.connectors.row_hash import arrow_schema  # noqa: PLC0415 # only for an empty answer

        del keys
        return arrow_schema(columns).empty_table()

    def _ask(self, parameters: dict[str, str] | None = None) -> dict[str, Any]:
        answer = self._request("GET", params=parameters or {})
        if answer.status_code == 404:
            return {}
        self._check(answer)
        if len(answer.content) > LARGEST_ANSWER:
            raise TargetError("The endpoint's answer is too large.", vi="Câu trả lời của điểm nhận quá lớn.")
        try:
            found = msgspec.json.decode(answer.content)
        except msgspec.MsgspecError as error:
            raise TargetError("The endpoint's answer is not JSON.", vi="Câu trả lời của điểm nhận không phải JSON.") from error
        return found if isinstance(found, dict) else {}

    def _send(
        self, columns: Sequence[Column], rows: pa.Table, gone: Sequence[str], before: str, after: str, *, reset: bool = False
    ) -> None:
        records = [[_plain(value) for value in row.values()] for row in rows.to_pylist()]
        body = {
            "before": before,
            "after": after,
            "reset": reset,
            "columns": [[c.name, c.kind] for c in columns],
            "records": records,
            "gone": list(gone),
        }
        answer = self._request("POST", content=msgspec.json.encode(body), headers={"Content-Type": "application/json"})
        if answer.status_code == 409:
            raise TargetMoved("The endpoint is at another place.", vi="Điểm nhận đang ở vị trí khác.")
        self._check(answer)

    def _request(self, method: str, **more: Any) -> httpx.Response:
        try:
            return self._client.request(method, self._url, **more)
        except httpx.HTTPError as error:
            raise TargetError(
                f"The endpoint does not answer: {type(error).__name__}.",
                hint="Is it up?",
                vi=f"Điểm nhận không trả lời: {type(error).__name__}.",
                hint_vi="Điểm nhận có đang chạy không?",
            ) from error

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise TargetError(
                f"The endpoint answered {answer.status_code}.",
                hint="Its log says why.",
                vi=f"Điểm nhận trả lời {answer.status_code}.",
                hint_vi="Nhật ký của điểm nhận cho biết lý do.",
            )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
