"""Which security level a system must have been approved at before it is connected, and whether the evidence of it suffices on a day.

The levels are those of NĐ 85/2016 (1 to 5). Who reads the register of citizen numbers, or the golden records of persons made from it,
needs the higher one; the numbers themselves are settings. The law's own list of controls per level is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lienthong.contracts import Contract, Layer, LegalBasis

HIGHEST_LEVEL = 5
Words = tuple[str, str]  # Vietnamese, English


@dataclass(frozen=True)
class LevelRule:
    """Why a level is needed, and by which text."""

    name: str
    why: Words
    legal_basis: LegalBasis


IDENTITY = LevelRule(
    "identity",
    ("đọc dữ liệu dân cư, số định danh", "it reads population or citizen numbers"),
    LegalBasis("Nghị định 69/2024/NĐ-CP điều 18.1", date(2024, 7, 1), None),
)
CONNECTED = LevelRule(
    "connected",
    ("kết nối vào nền tảng chia sẻ", "it is connected to the platform"),
    LegalBasis("Nghị định 85/2016/NĐ-CP; Quyết định 1562/QĐ-TTg", date(2016, 7, 1), None),
)


@dataclass(frozen=True)
class Lowest:
    """The lowest levels the province takes; 0: none is asked for."""

    identity: int = 3
    connected: int = 2


@dataclass(frozen=True)
class Needed:
    """The level a system needs, and the rule that says so (None where no level is needed)."""

    level: int
    rule: LevelRule | None


@dataclass(frozen=True)
class ApprovedLevel:
    """The evidence: who approved which level, by which decision, when and until when; the digest of the file that shows it."""

    level: int
    decision: str
    approved_by: str
    approved_on: date
    valid_until: date
    file_name: str
    sha256: str


def reads_identity(contract: Contract) -> bool:
    """Whether it is the register that citizen numbers come from, or golden records that hold them."""
    return any(p.standard == "citizen_id" and (p.authoritative or contract.layer is Layer.MASTER) for p in contract.properties)


def needed_level(contracts: Iterable[Contract], lowest: Lowest, on: date) -> Needed:
    """The level a system needs that reads these datasets."""
    wanted = [(lowest.connected, CONNECTED)]
    if any(reads_identity(contract) for contract in contracts):
        wanted.append((lowest.identity, IDENTITY))
    found = [(level, rule) for level, rule in wanted if level > 0 and rule.legal_basis.is_in_force(on)]
    level, rule = max(found, key=lambda each: each[0], default=(0, None))
    return Needed(level, rule)


def fault_of_level(approved: ApprovedLevel | None, needed: Needed, on: date) -> Words | None:
    """Why the evidence does not suffice on a day; None when it does."""
    if needed.rule is None:
        return None
    vi, en = needed.rule.why
    why_vi, why_en = f"vì {vi} ({needed.rule.legal_basis.text})", f"because {en} ({needed.rule.legal_basis.text})"
    if approved is None:
        return (
            f"chưa có hồ sơ cấp độ an toàn được phê duyệt; cần cấp độ {needed.level} trở lên, {why_vi}",
            f"no approved security level is on file; level {needed.level} or above is needed, {why_en}",
        )
    if approved.valid_until < on:
        return (
            f"phê duyệt cấp độ an toàn hết hạn ngày {approved.valid_until:%d/%m/%Y}",
            f"the approval of its security level ended on {approved.valid_until}",
        )
    if approved.level < needed.level:
        return (
            f"hệ thống được phê duyệt cấp độ {approved.level}; cần cấp độ {needed.level} trở lên, {why_vi}",
            f"the system is approved at level {approved.level}; level {needed.level} or above is needed, {why_en}",
        )
    return None
