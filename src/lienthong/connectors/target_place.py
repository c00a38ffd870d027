"""A place as the text that is kept in the target."""

from __future__ import annotations

import json

from lienthong.connectors.row_hash import Column
from lienthong.connectors.target import Place, TargetError

PLACES = "lienthong_syncs"  # the table beside the copies; one row a sync


def to_text(place: Place) -> str:
    return json.dumps(
        {
            "phase": place.phase,
            "version": place.version,
            "key": place.key,
            "columns": [[c.name, c.kind] for c in place.columns],
            "view": place.view,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_text(text: str) -> Place:
    """The place a text says. Raises TargetError when it is none of ours."""
    try:
        found = json.loads(text)
        columns = tuple(Column(name, kind) for name, kind in found["columns"])
        return Place(found["phase"], found["version"], found["key"], columns, found["view"])
    except (ValueError, KeyError, TypeError) as error:
        raise TargetError(
            f"The target's table `{PLACES}` holds a place that cannot be read.",
            hint="Remove this sync's row there and let the copy be made anew.",
            vi=f"Bảng `{PLACES}` ở đích có vị trí không đọc được.",
            hint_vi="Xóa hàng của đồng bộ này ở đó rồi để bản sao được tạo lại từ đầu.",
        ) from error
