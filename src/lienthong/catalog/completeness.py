"""How complete a dataset's description is, out of a hundred, and how to fix what is missing. Every point is a thing a reader would miss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lienthong.catalog.measuring import promised_seconds
from lienthong.contracts import Contract, Sharing


@dataclass(frozen=True)
class Gap:
    """What is missing, and how to fix it. `points` it would give."""

    what: str
    points: int
    fix_vi: str
    fix_en: str


@dataclass(frozen=True)
class Completeness:
    """`percent` of the points this dataset can have."""

    percent: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class _Point:
    what: str
    points: int
    is_there: Callable[[Contract], bool]
    fix_vi: str
    fix_en: str
    concerns: Callable[[Contract], bool] = lambda _: True


def focal_officer(contract: Contract) -> str:
    """The role that answers for the dataset, as the contract words it."""
    team = contract.document.get("team")
    return str(team.get("description", "")) if isinstance(team, dict) else ""


def contacts(contract: Contract) -> list[dict[str, str]]:
    """Where the focal officer is reached, as the contract says it (ODCS `support`): who or what answers, by which channel, at which address.

    Only mail, telephone and web addresses are told.
    """
    found = []
    support = contract.document.get("support")
    for each in support if isinstance(support, list) else ():
        address = str(each.get("url") or "") if isinstance(each, dict) else ""
        if address.partition(":")[0].lower() in ("mailto", "tel", "https", "http"):
            found.append({"channel": str(each.get("channel", "")), "words": str(each.get("description") or ""), "address": address})
    return found


def limitations(contract: Contract) -> str:
    described = contract.document.get("description")
    return str(described.get("limitations", "")) if isinstance(described, dict) else ""


_POINTS: Sequence[_Point] = (
    _Point("description", 15, lambda c: len(c.description_vi) >= 20, "Viết `description.purpose`: dữ liệu gì, để làm gì, phạm vi nào.", "Write `description.purpose`: what data, for what, of which scope."),
    _Point("description_en", 5, lambda c: len(c.description_en) >= 20, "Thêm `descriptionEn`.", "Add `descriptionEn`."),
    _Point("limitations", 5, lambda c: bool(limitations(c)), "Thêm `description.limitations`: điều người dùng cần biết trước khi dùng.", "Add `description.limitations`: what a user must know first."),
    _Point("focal_officer", 15, lambda c: bool(focal_officer(c)), "Thêm `team`: vai trò của đầu mối dữ liệu.", "Add `team`: the role of the focal officer."),
    _Point("theme", 5, lambda c: bool(c.domain), "Thêm `domain`: lĩnh vực.", "Add `domain`: the theme."),
    _Point("legal_basis", 15, lambda c: bool(c.legal_basis) and all(b.valid_from for b in c.legal_basis), "Thêm `legalBasis` kèm `validFrom`: căn cứ và ngày có hiệu lực.", "Add `legalBasis` with `validFrom`: the law and since when."),
    _Point("frequency", 10, lambda c: promised_seconds(c) is not None, "Thêm `slaProperties: frequency`: bao lâu cập nhật một lần.", "Add `slaProperties: frequency`: how often it is updated.", lambda c: bool(c.sources)),
    _Point("field_descriptions", 10, lambda c: _described(c) >= 0.8, "Mô tả các trường (`description`): ít nhất 8 trên 10 trường.", "Describe the fields (`description`): eight of ten at least."),
    _Point("examples", 5, lambda c: any(p.examples for p in c.properties), "Thêm ví dụ (`examples`) cho vài trường.", "Give examples (`examples`) of some fields."),
    _Point("authoritative", 5, lambda c: any(p.authoritative or p.authority for p in c.properties), "Đánh dấu `authoritative` các trường mà đây là nguồn tin cậy duy nhất.", "Mark `authoritative` the fields this is the one trusted source of.", lambda c: c.layer.value in ("source", "master", "code_list")),
    _Point("rules", 5, lambda c: bool(c.all_rules), "Thêm quy tắc chất lượng (`quality`).", "Add rules of quality (`quality`).", lambda c: bool(c.sources)),
    _Point("licence", 5, lambda c: bool(c.licence), "Thêm `licence`: điều khoản sử dụng dữ liệu mở.", "Add `licence`: the terms of use of open data.", lambda c: c.sharing is Sharing.OPEN),
)  # fmt: skip


def _described(contract: Contract) -> float:
    return sum(1 for p in contract.properties if p.description or p.standard) / max(1, len(contract.properties))


def completeness(contract: Contract) -> Completeness:
    """The score of a dataset's description, with what would raise it most first."""
    concerned = [point for point in _POINTS if point.concerns(contract)]
    gaps = [Gap(point.what, point.points, point.fix_vi, point.fix_en) for point in concerned if not point.is_there(contract)]
    most = sum(point.points for point in concerned)
    return Completeness(round(100 * (most - sum(gap.points for gap in gaps)) / most), tuple(sorted(gaps, key=lambda gap: -gap.points)))
