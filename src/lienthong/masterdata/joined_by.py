"""What joined two records, in the words of a person who asks why: (Vietnamese, English)."""

from __future__ import annotations

from lienthong.contracts import Contract
from lienthong.masterdata.rules import STEWARD


def why_joined(kind: str, reason: str, master: Contract) -> tuple[str, str]:
    """A judgement's `kind` and `reason` in words. Of a rule the reason is its name; of a steward what the steward wrote."""
    if kind == "model":
        return "trọng số của mô hình", "the model's weight"
    if kind == "steward":
        return f"kết luận của người quản lý: {reason}", f"a steward's word: {reason}"
    if reason == STEWARD:
        return "kết luận của người quản lý", "a steward's word"
    titles = {p.name: (p.title_vi, p.title_en or p.title_vi) for p in master.properties}
    old, _, new = reason.partition(">")
    vi, en = titles.get(old, (old, old))
    if new:
        new_vi, new_en = titles.get(new, (new, new))
        return f"cùng {vi}, một nguồn cho biết {new_vi} đã thay số ấy", f"the same {en}, of which a register says what {new_en} replaced it"
    return (f"cùng {vi}", f"the same {en}") if reason else ("quy tắc", "a rule")
