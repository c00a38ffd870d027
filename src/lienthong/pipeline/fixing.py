"""One fix for many waiting rows: which rows, which column, what to put; looked at first, then done to exactly the rows that were looked at.

The rows are tried in one run, so a fix that was wrong is taken back as one: withdraw its run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Property
from lienthong.errors import Conflict, Unprocessable
from lienthong.pipeline.correct import By, Changes, Corrections, Held, column_names, correct_rows
from lienthong.pipeline.judge import cleaning
from lienthong.pipeline.workshop import Workshop
from lienthong.standards import without_marks
from lienthong.store import quarantine

LONGEST = 500
LIKE_ENOUGH = 0.75  # of a suggestion, and no other value as like: difflib's ratio over folded text
SHOWN = 100


@dataclass(frozen=True)
class Fix:
    """What is done to which rows. Rows: those that wait with an issue of `column` (of `code`, where given) and whose value `equals` a text
    or fits `pattern` (of linear-time kind), both as far as given.

    Exactly one of: `put` (a text in place of the value; where it holds `${1}`, in place of what the pattern fits), `clear`, `options` (the column's standard reads the value under these),
    `suggest` (the one value of the column's list that is like it).
    """

    column: str
    code: str = ""
    equals: str | None = None
    pattern: str = ""
    put: str | None = None
    clear: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    suggest: bool = False

    def document(self) -> dict[str, Any]:
        """The fix as a ledger entry tells it: no value of any row, only whether one was asked for."""
        how = "put" if self.put is not None else "clear" if self.clear else "options" if self.options else "suggest"
        return {"column": self.column, "code": self.code, "by_value": self.equals is not None, "by_pattern": bool(self.pattern), "how": how}


@dataclass(frozen=True)
class Hit:
    """One row a fix is about: its value as it waits, and as it would be tried."""

    item: int
    source_row: int | None
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Preview:
    """What a fix would try. `digest` holds for these rows, as they stand, alone."""

    fix: Fix
    hits: Sequence[Hit]
    digest: str


def preview(workshop: Workshop, contract: Contract, fix: Fix) -> Preview:
    """What a fix would do now; nothing is done. Raises Unprocessable for a fix that makes no sense."""
    with workshop.database.connect() as connection:
        found = quarantine.find_items(connection, quarantine.waiting_numbers(connection, contract.id))
    return _look(contract, fix, {number: Held(*each) for number, each in found.items()}, workshop)


def apply(workshop: Workshop, contract: Contract, fix: Fix, digest: str, by: By) -> tuple[Preview, Corrections]:
    """Do a fix that was looked at. Raises Conflict when other rows than those looked at would be tried, or they are no longer as they were."""
    made: list[Preview] = []

    def choose(held: Mapping[int, Held]) -> Mapping[int, Changes]:
        seen = _look(contract, fix, held, workshop)
        if seen.digest != digest:
            raise Conflict(
                f"The rows are not those that were looked at: {len(seen.hits)} now.",
                hint="Look at the preview again.",
                vi=f"Các hàng đã khác lúc xem trước: nay có {len(seen.hits)} hàng. Hãy xem trước lại.",
                hint_vi="Hãy xem trước lại.",
            )
        made.append(seen)
        return {hit.item: {**(held[hit.item].item.corrected or {}), fix.column: hit.after} for hit in seen.hits}

    details = {**by.details, "form": "rule", "rule": fix.document()}
    done = correct_rows(workshop, contract, None, choose, replace(by, details=details))
    return made[0], done


def _look(contract: Contract, fix: Fix, held: Mapping[int, Held], workshop: Workshop) -> Preview:
    p = _checked(contract, fix)
    rows = [(each, _value(contract, fix.column, each)) for each in held.values() if each.item.state == "waiting" and _is_meant(fix, each)]
    values = pl.Series([value for _, value in rows], dtype=pl.String)
    wanted = _wanted(fix, values)
    after = _after(contract, p, fix, values.filter(wanted), workshop)
    meant = [row for row, is_wanted in zip(rows, wanted.to_list(), strict=True) if is_wanted]
    hits = [
        Hit(each.item.item_id, each.item.source_row, value, new)
        for (each, value), new in zip(meant, after, strict=True)
        if new != value and (new is not None or fix.clear)
    ]
    told = [fix.document(), [(hit.item, held[hit.item].digest, held[hit.item].item.corrected, hit.before, hit.after) for hit in hits]]
    digest = hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True, default=str).encode("utf-8", "surrogatepass")).hexdigest()
    return Preview(fix, hits, digest)


def _checked(contract: Contract, fix: Fix) -> Property:
    p = next((p for p in contract.properties if p.name == fix.column), None)
    if p is None:
        names = ", ".join(each.name for each in contract.properties)
        raise Unprocessable(
            f"`{contract.id}` has no property `{fix.column[:60]}`.",
            hint=f"Its properties: {names}.",
            vi=f"Không có trường này. Các trường: {names}.",
            hint_vi=f"Các trường: {names}.",
        )
    ways = [fix.put is not None, fix.clear, bool(fix.options), fix.suggest]
    if sum(ways) != 1:
        raise Unprocessable(
            "Say exactly one thing to do: put a value, clear it, read it under options, or take the suggestion.",
            vi="Chọn đúng một việc: điền giá trị, xóa trống, đọc theo tùy chọn, hoặc lấy gợi ý.",
        )
    if max(len(fix.pattern), len(fix.put or ""), len(fix.equals or "")) > LONGEST:
        raise Unprocessable(f"Expected at most {LONGEST} characters.", vi=f"Nhiều nhất {LONGEST} ký tự.")
    return p


def _is_meant(fix: Fix, held: Held) -> bool:
    return any(
        issue["severity"] == "error" and issue["column"] in (fix.column, None) and fix.code in ("", issue["code"], issue["rule"])
        for issue in held.item.issues
    )


def _value(contract: Contract, column: str, held: Held) -> str | None:
    name = column_names(contract, held.item)[column]
    return {**held.item.raw, **(held.item.corrected or {})}.get(name)


def _wanted(fix: Fix, values: pl.Series) -> pl.Series:
    wanted = pl.repeat(True, len(values), dtype=pl.Boolean, eager=True)
    if fix.equals is not None:
        wanted = wanted & (values.fill_null("").str.strip_chars() == fix.equals.strip())
    if fix.pattern:
        try:
            wanted = wanted & values.fill_null("").str.contains(fix.pattern)
        except pl.exceptions.ComputeError as error:
            raise Unprocessable(
                "The pattern is not understood.", hint="Patterns are of RE2's kind: no look-around, no back references.",
                vi="Không hiểu mẫu này: mẫu theo kiểu RE2, không có nhìn trước, nhìn sau.", hint_vi="Mẫu theo kiểu RE2: không có nhìn trước, nhìn sau, không có tham chiếu ngược.",
            ) from error  # fmt: skip
    return wanted


def _after(contract: Contract, p: Property, fix: Fix, values: pl.Series, workshop: Workshop) -> list[str | None]:
    if fix.clear:
        return [None] * len(values)
    if fix.put is not None:
        replaced = (
            values.str.replace(fix.pattern, fix.put)
            if fix.pattern and "${" in fix.put
            else pl.Series([fix.put] * len(values), dtype=pl.String)
        )
        return list(replaced)
    if fix.options:
        return _read_under(p, fix.options, values, workshop)
    listed = listed_values(contract, p)
    if not listed:
        raise Unprocessable(f"`{p.name}` has no list of values to suggest from.", vi="Trường này không có danh mục để gợi ý.")
    return [suggestion(value, listed) for value in values]


def _read_under(p: Property, options: Mapping[str, Any], values: pl.Series, workshop: Workshop) -> list[str | None]:
    standard, own = cleaning(p, accept_synthetic_ids=workshop.accept_synthetic_ids, province=workshop.province)
    try:
        cleaned = standard.clean_column(values, {**own, **options})
    except (ValueError, TypeError, AttributeError) as error:
        raise Unprocessable(
            f"`{standard.name}` does not know these options.", hint=f"It knows: {', '.join(standard.known_options)}.",
            vi=f"Chuẩn `{standard.name}` không có tùy chọn này. Có: {', '.join(standard.known_options)}.", hint_vi=f"Các tùy chọn: {', '.join(standard.known_options)}.",
        ) from error  # fmt: skip
    return [None if value is None else str(value) for value in cleaned.values]


def listed_values(contract: Contract, p: Property) -> dict[str, str]:
    """What a person may mean by a column's values → what to write: codes, their words, other spellings."""
    codes, spellings = p.standard_options.get("values"), p.standard_options.get("spellings")
    if isinstance(codes, Mapping):
        known = {str(words): str(code) for code, words in codes.items()} | {str(code): str(code) for code in codes}
        return known | ({str(word): str(code) for word, code in spellings.items()} if isinstance(spellings, Mapping) else {})
    rule = next((r for r in contract.all_rules if r.kind == "allowed" and r.columns == (p.name,)), None)
    return {str(value): str(value) for value in rule.parameters.get("values", ())} if rule else {}


def suggestion(value: str | None, listed: Mapping[str, str]) -> str | None:
    """The one listed value that is like what was typed; None where none is, or two are."""
    typed = _folded(value or "")
    if not typed:
        return None
    likeness: dict[str, float] = {}
    for words, code in listed.items():
        likeness[code] = max(likeness.get(code, 0.0), SequenceMatcher(None, typed, _folded(words)).ratio())
    best = sorted(likeness.items(), key=lambda each: -each[1])[:2]
    if not best or best[0][1] < LIKE_ENOUGH or (len(best) > 1 and best[1][1] >= best[0][1] - 0.05):
        return None
    return best[0][0]


def _folded(text: str) -> str:
    return " ".join(without_marks(text).casefold().split())


def counts_of(done: Corrections) -> tuple[int, int]:
    """(rows that went through, rows that still wait) of those tried."""
    tried = 0 if done.outcome is None else done.outcome.rows_in
    waiting = 0 if done.outcome is None else done.outcome.rows_quarantined
    return tried - waiting, waiting + len(done.untried)
