"""The parts an agreement must have before it can be granted, and what lies within a provider's standing offer.

The parts are those of a sharing agreement in NĐ 47/2020 art. 38 (repealed; kept as the form offices use) with the duties of NĐ 194/2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lienthong.access.agreement import Agreement, Operation
from lienthong.access.legal import Instruments, not_current
from lienthong.contracts import Contract, Sensitivity, Sharing

Words = tuple[str, str]  # Vietnamese, English

PARTS: dict[str, Words] = {
    "provider": ("bên cung cấp", "provider"),
    "consumer": ("hệ thống khai thác", "consuming subsystem"),
    "users": ("đơn vị, người được khai thác", "who uses it"),
    "content": ("nội dung dữ liệu", "content of the data"),
    "purposes": ("mục đích", "purposes"),
    "place": ("nơi chia sẻ, sử dụng", "place of sharing and use"),
    "term": ("thời hạn", "term"),
    "method": ("phương thức chia sẻ", "method"),
    "processing": ("xử lý dữ liệu sau khi nhận", "processing after receipt"),
    "conditions": ("điều kiện, hạn chế", "conditions and limits"),
    "commitment": ("cam kết tuân thủ", "compliance commitment"),
    "security.transfer": ("an toàn khi truyền, xác thực", "security and authentication of transfer"),
    "security.storage": ("an toàn khi lưu trữ", "security of storage"),
    "security.access": ("an toàn khi truy cập", "security of access"),
    "storage.during": ("lưu trữ dữ liệu nhận và dữ liệu phái sinh trong thời hạn", "storage of received and derived data during the term"),
    "storage.after": ("lưu trữ sau thời hạn", "storage after the term"),
    "deletion.method": ("cách xóa, hủy dữ liệu", "deletion and destruction"),
    "legal_basis": ("căn cứ pháp lý", "legal basis"),
}


TERMS: dict[str, Words] = {
    **{part: PARTS[part] for part in ("content", "users", "purposes", "term", "method")},
    "fields": ("trường được cấp", "fields given"),
    "masked": ("trường che bớt", "fields masked"),
    "row_filter": ("chỉ các dòng", "rows given"),
    "operations": ("cách khai thác", "operations"),
    "endpoints": ("thao tác của dịch vụ", "calls of the service"),
    "quota.per_minute": ("lượt mỗi phút", "answers a minute"),
    "quota.per_day": ("lượt mỗi ngày", "answers a day"),
    "officials": ("cán bộ", "officials"),
    "hours": ("giờ", "hours"),
    **{
        part: words
        for part, words in PARTS.items()
        if part not in ("provider", "consumer", "content", "users", "purposes", "term", "method")
    },
    "deletion.days": ("số ngày để xác nhận đã xóa", "days to confirm destruction"),
    "regulation": ("quy chế khai thác", "data-use regulation"),
    "cost": ("chi phí", "cost"),
    "note": ("ghi chú", "remark"),
}


@dataclass(frozen=True)
class Offer:
    """What may be granted by rule: quotas at most these, terms at most so many days."""

    per_minute: int = 600
    per_day: int = 20_000
    term_days: int = 731


USUAL_OFFER = Offer()


def missing_parts(document: Mapping[str, Any]) -> list[str]:
    """The parts a document lacks, in the order of `PARTS`."""
    return [part for part in PARTS if not _said(document, part)]


def faults_of_basis(agreement: Agreement, instruments: Instruments, on: date) -> list[Words]:
    """Why the legal basis cannot stand on a day: nothing cited, or something that is not current."""
    if not agreement.citations:
        return [("căn cứ pháp lý chưa nêu số, ký hiệu văn bản", "the legal basis cites no instrument by its number")]
    return [words for citation in agreement.citations if (words := not_current(citation, instruments, on)) is not None]


def outside_offer(agreement: Agreement, contract: Contract, offer: Offer, *, is_given: bool = False) -> list[Words]:
    """Why a request for data shared by default needs a person: empty when it lies within the standing offer (NĐ 194/2025 art. 16).

    `is_given`: a rule gives this data to who asks, whatever the contract says of its sharing.
    """
    return list(_outside(agreement, contract, offer, is_given))


def needs_two_persons(agreement: Agreement, contract: Contract | None) -> bool:
    """Whether two persons of the provider must agree: data restricted by contract, or a sensitive field shown whole.

    Nothing is known of a brokered service's fields, so it needs two as well.
    """
    if contract is None or contract.sharing is Sharing.RESTRICTED:
        return True
    shown = {p.name for p in contract.properties if p.sensitivity is Sensitivity.SENSITIVE}
    granted = shown if agreement.fields is None else shown & set(agreement.fields)
    return bool(granted - set(agreement.masked))


def standing_terms(contract: Contract, today: date, offer: Offer) -> dict[str, Any]:
    """The parts of a request on a provider's usual terms, to be changed where they do not fit."""
    basis = [
        {"text": basis.text, **({"valid_from": basis.valid_from.isoformat()} if basis.valid_from else {})}
        for basis in contract.legal_basis
        if basis.valid_to is None or basis.valid_to >= today
    ]
    return usual_terms(contract.title_vi, basis, today, offer)


def usual_terms(content: str, legal_basis: Any, today: date, offer: Offer) -> dict[str, Any]:
    """The same of anything an agreement is about: `content` says what; no `legal_basis`: the decree on sharing."""
    return {
        "content": content,
        "users": "Cán bộ được phân công của cơ quan khai thác",
        "place": "Trung tâm dữ liệu của tỉnh",
        "method": "online_request",
        "processing": "Chỉ dùng để giải quyết công việc theo mục đích đã nêu; không chia sẻ lại cho bên khác",
        "conditions": "Không vượt phạm vi, hạn mức và thời hạn đã thống nhất",
        "commitment": "Cơ quan khai thác tuân thủ pháp luật về dữ liệu và bảo vệ dữ liệu cá nhân",
        "security": {
            "transfer": "TLS 1.2 trở lên; hệ thống xác thực bằng khóa riêng",
            "storage": "Lưu trên hệ thống có cấp độ an toàn được phê duyệt",
            "access": "Chỉ cán bộ có tên trong yêu cầu, có nhật ký",
        },
        "storage": {"during": "Chỉ lưu phần cần cho hồ sơ đang giải quyết", "after": "Không lưu"},
        "deletion": {"method": "Xóa không khôi phục được, có biên bản", "days": 30},
        "quota": {"per_minute": offer.per_minute, "per_day": offer.per_day},
        "term": {"from": today.isoformat(), "to": (today + timedelta(days=min(364, offer.term_days))).isoformat()},
        "legal_basis": legal_basis or [{"instrument": "194/2025/NĐ-CP", "article": "16"}],
    }


def terms_of(document: Mapping[str, Any]) -> list[tuple[Words, str]]:
    """What an agreement says, part by part in the order of `TERMS`; what it does not say is left out."""
    found = []
    for part, words in TERMS.items():
        word, _, below = part.partition(".")
        value = document.get(word)
        if below:
            value = value.get(below) if isinstance(value, Mapping) else None
        if value not in (None, "", [], {}):
            found.append((words, _in_words(word, value)))
    return found


def _in_words(word: str, value: Any) -> str:
    if word == "term" and isinstance(value, Mapping):
        return " – ".join(_day(value[end]) for end in ("from", "to") if value.get(end))
    if word == "row_filter" and isinstance(value, list):
        return "; ".join(" ".join(str(each.get(key, "")) for key in ("field", "operator", "value")) for each in value)
    if word == "purposes" and isinstance(value, Mapping):
        return "; ".join(f"{code}: {said.get('vi', '') if isinstance(said, Mapping) else said}" for code, said in value.items())
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_in_words('', each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(" ".join(str(part) for part in each.values()) if isinstance(each, Mapping) else str(each) for each in value)
    return str(value)


def _day(value: Any) -> str:
    """A day as people write it; what is none stands as it is."""
    try:
        return f"{date.fromisoformat(str(value)):%d/%m/%Y}"
    except ValueError:
        return str(value)


def _said(document: Mapping[str, Any], part: str) -> bool:
    word, _, below = part.partition(".")
    value = document.get(word)
    if word == "storage" and below == "during" and not value:
        value, below = document.get("retention"), ""  # the older word for it
    if below:
        value = value.get(below) if isinstance(value, Mapping) else None
    if word == "place" and isinstance(value, Mapping):
        value = value.get("text") or value.get("networks")
    return bool(str(value).strip()) if isinstance(value, str) else bool(value)


def _outside(agreement: Agreement, contract: Contract, offer: Offer, is_given: bool) -> Iterator[Words]:
    if contract.sharing not in (Sharing.DEFAULT, Sharing.OPEN) and not is_given:
        yield "dữ liệu này không thuộc diện chia sẻ mặc định", "this data is not shared by default"
    if Operation.SUBMIT in agreement.operations or Operation.CALL in agreement.operations:
        yield "gửi dữ liệu, gọi dịch vụ không thuộc phần sẵn có", "sending data and calling services are no part of the offer"
    granted = set(agreement.fields) if agreement.fields is not None else {p.name for p in contract.properties}
    named = [p for p in contract.properties if p.name in granted]
    whole = [p.name for p in named if p.sensitivity is Sensitivity.PERSONAL and p.name not in agreement.masked]
    if whole:
        yield f"trường cá nhân không che: {', '.join(whole)}", f"personal fields not masked: {', '.join(whole)}"
    sensitive = [p.name for p in named if p.sensitivity is Sensitivity.SENSITIVE]
    if sensitive:
        yield f"trường nhạy cảm: {', '.join(sensitive)}", f"sensitive fields: {', '.join(sensitive)}"
    for limit, most, vi, en in (
        (agreement.quota.per_minute, offer.per_minute, "một phút", "a minute"),
        (agreement.quota.per_day, offer.per_day, "một ngày", "a day"),
    ):
        if limit is None or limit > most:
            yield f"hạn mức quá {most:,} lần {vi}", f"a quota of more than {most:,} {en}"
    if agreement.ends_on is None or (agreement.ends_on - agreement.begins_on).days > offer.term_days:
        yield f"thời hạn quá {offer.term_days} ngày", f"a term of more than {offer.term_days} days"
