"""Whether a whole delivery is believable: past its bounds, a run waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lienthong.contracts import Expect
from lienthong.quality.drift import Limits, Profile, drifts

LAST_MIN_PERCENT = 80.0  # of a source's last whole delivery, where the contract says nothing: three in five must never pass unseen
LAST_MATTERS_FROM = 50  # rows of the last delivery: below it a few rows more or less are a large share


@dataclass(frozen=True)
class BoundCounts:
    """What a run would do. `published_before`: records there are now; `last_rows_in`: rows of the source's last whole delivery."""

    rows_in: int
    published_before: int = 0
    inserted: int = 0
    updated: int = 0
    ended: int = 0
    quarantined: int = 0
    last_rows_in: int = 0


def judge_bounds(expect: Expect, counts: BoundCounts) -> tuple[dict[str, Any], ...]:
    """The bounds that are broken, each {bound, found, expected, vi, en}, ready to be stored and shown.

    Changes are judged against the records of before: with none there are no changes to judge.
    """
    before = counts.published_before
    found = (
        _shrunk(expect.last_min_percent, counts),
        _below("rows_min", expect.rows_min, counts.rows_in),
        _above("rows_max", expect.rows_max, counts.rows_in, "hàng nhận được", "rows came in"),
        _above_percent(
            "changed_max_percent", expect.changed_max_percent, counts.updated, before, "bản ghi thay đổi", "of records would change"
        ),
        _above_percent("ended_max_percent", expect.ended_max_percent, counts.ended, before, "bản ghi kết thúc", "of records would end"),
        _above_percent(
            "quarantined_max_percent",
            expect.quarantined_max_percent,
            counts.quarantined,
            counts.rows_in,
            "hàng phải chờ xử lý",
            "of rows would wait in quarantine",
        ),
    )
    return tuple(broken for broken in found if broken is not None)


def columns_gone(gone: Sequence[str], extra: Sequence[str]) -> dict[str, Any] | None:
    """Columns the source delivered last time and does not now: renamed or left out, their values would all become empty."""
    if not gone:
        return None
    strange = (f"; cột lạ: {', '.join(extra)}", f"; columns not known: {', '.join(extra)}") if extra else ("", "")
    vi = f"Thiếu cột lần trước có: {', '.join(gone)}{strange[0]}. Cột đổi tên thì thêm tên mới vào hợp đồng"
    en = f"Columns of the last delivery are missing: {', '.join(gone)}{strange[1]}. Add a new name to the contract where one was renamed"
    return {**_broken("columns_gone", len(gone), 0, vi, en), "columns": list(gone), "unknown": list(extra)}


def withdrawn_before(run_id: int | None) -> dict[str, Any] | None:
    """The very delivery a person withdrew."""
    if run_id is None:
        return None
    vi, en = f"Chính tệp này đã bị rút ở lần nạp {run_id}", f"This very delivery was withdrawn (run {run_id})"
    return {**_broken("withdrawn_before", 1, 0, vi, en), "run": run_id}


def drifted(expect: Expect, now: Profile, before: Sequence[Profile], titles: Mapping[str, tuple[str, str]]) -> tuple[dict[str, Any], ...]:
    """What a version would look like beside those before it, where that goes past the contract's bounds."""
    limits = Limits(expect.drift_max_psi, expect.empty_max_points, expect.new_values_max, None)
    bounds = {
        "distribution": ("drift_max_psi", expect.drift_max_psi),
        "empty": ("empty_max_points", expect.empty_max_points),
        "new_values": ("new_values_max", expect.new_values_max),
    }
    found = drifts(now, before, titles, limits)
    return tuple(
        {**_broken(bounds[each.kind][0], each.found, bounds[each.kind][1] or 0, each.vi, each.en), "columns": [each.column]}
        for each in found
    )


def _shrunk(least_percent: float | None, counts: BoundCounts) -> dict[str, Any] | None:
    least = LAST_MIN_PERCENT if least_percent is None else least_percent
    last, found = counts.last_rows_in, counts.rows_in
    if last < LAST_MATTERS_FROM or found * 100 >= least * last:
        return None
    percent = round(found * 100 / last, 2)
    shown = f"{percent:g}".replace(".", ",")
    vi = f"Chỉ có {_vietnamese(found)} hàng, bằng {shown} % lần trước ({_vietnamese(last)}), cần ít nhất {f'{least:g}'.replace('.', ',')} %"
    en = f"Only {found:,} rows came in, {percent:g} % of the last delivery ({last:,}), expected at least {least:g} %"
    return _broken("last_min_percent", percent, least, vi, en)


def _below(bound: str, least: int | None, found: int) -> dict[str, Any] | None:
    if least is None or found >= least:
        return None
    vi = f"Chỉ có {_vietnamese(found)} hàng nhận được, cần ít nhất {_vietnamese(least)}"
    return _broken(bound, found, least, vi, f"Only {found:,} rows came in, expected at least {least:,}")


def _above(bound: str, most: int | None, found: int, vi: str, en: str) -> dict[str, Any] | None:
    if most is None or found <= most:
        return None
    return _broken(
        bound,
        found,
        most,
        f"Có {_vietnamese(found)} {vi}, nhiều nhất cho phép {_vietnamese(most)}",
        f"{found:,} {en}, expected at most {most:,}",
    )


def _above_percent(bound: str, most: float | None, count: int, of: int, vi: str, en: str) -> dict[str, Any] | None:
    if most is None or of == 0 or count * 100 <= most * of:
        return None
    percent = round(count * 100 / of, 2)
    shown = f"{percent:g}".replace(".", ",")
    return _broken(
        bound,
        percent,
        most,
        f"{shown} % {vi} ({_vietnamese(count)} trên {_vietnamese(of)}), nhiều nhất cho phép {f'{most:g}'.replace('.', ',')} %",
        f"{percent:g} % {en} ({count:,} of {of:,}), expected at most {most:g} %",
    )


def _broken(bound: str, found: float, expected: float, vi: str, en: str) -> dict[str, Any]:
    return {"bound": bound, "found": found, "expected": expected, "vi": vi, "en": en}


def _vietnamese(number: int) -> str:
    return f"{number:,}".replace(",", ".")
