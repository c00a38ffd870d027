"""Whether a subsystem may see this, for this purpose, and what is withheld. Denied unless something allows it.

A denial says which rule denied. It never says whether the thing asked for exists: rights are decided before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from lienthong.access.agency import words_of_closed
from lienthong.access.agreement import Agreement, Operation, Quota, Register, RowCondition, State, Stop
from lienthong.access.given_back import GIVEN_BACK, given_back
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Sensitivity, Sharing

ANONYMOUS = "anonymous"
DEFAULT_MASK = "last3"
LONGEST_OFFICIAL = 200

RULES: dict[str, tuple[str, str]] = {
    "no_identity": ("Dữ liệu này cần mã truy cập của hệ thống", "This data needs a subsystem's access token"),
    "no_agreement": ("Không có thỏa thuận chia sẻ cho hệ thống này", "There is no agreement for this subsystem"),
    "not_active": (
        "Thỏa thuận chưa có hiệu lực, đang tạm dừng hoặc đã kết thúc",
        "The agreement is not active: not yet, suspended, or ended",
    ),
    "out_of_term": ("Ngoài thời hạn của thỏa thuận", "Outside the agreement's term"),
    "agency_closed": ("Cơ quan này đã kết thúc hoạt động", "This agency is closed"),
    "no_purpose": ("Thiếu mục đích (tiêu đề Lienthong-Purpose)", "The purpose is missing (header Lienthong-Purpose)"),
    "other_purpose": ("Mục đích không có trong thỏa thuận", "The purpose is not in the agreement"),
    "no_official": ("Thiếu cán bộ yêu cầu (tiêu đề Lienthong-Official)", "The official is missing (header Lienthong-Official)"),
    "other_official": ("Cán bộ này không có trong thỏa thuận", "This official is not among those of the agreement"),
    "other_place": ("Địa chỉ mạng của nơi hỏi không có trong thỏa thuận", "The caller's network is not a place of the agreement"),
    "outside_hours": ("Ngoài giờ của thỏa thuận", "Outside the hours of the agreement"),
    "stopped": ("Bộ dữ liệu đang tạm dừng phục vụ mọi nơi khai thác", "The dataset is stopped for all its users"),
    "not_open_now": (
        "Dữ liệu mở này chưa được công bố, hoặc đang tạm dừng, đã rút",
        "This open data is not published yet, suspended or withdrawn",
    ),
    "other_operation": ("Thỏa thuận không cho phép cách khai thác này", "The agreement does not allow this operation"),
    "field_not_visible": (
        "Không được lọc hoặc sắp xếp theo trường không được xem",
        "Fields not seen whole cannot be filtered or sorted by",
    ),
    "other_endpoint": ("Thỏa thuận không cho gọi thao tác này của dịch vụ", "The agreement does not allow this operation of the service"),
    "not_authoritative": (
        "Chỉ cơ quan có thẩm quyền về trường này được thay đổi",
        "Only the agency that is authoritative for the field may change it",
    ),
    "not_the_owner": ("Chỉ cơ quan chủ quản dữ liệu được làm việc này", "Only the owner of the data may do this"),
}

CLAUSES: dict[str, str] = {  # rule → the word of an agreement's document that decides
    "not_active": "state", "out_of_term": "term", "no_purpose": "purposes", "other_purpose": "purposes", "no_official": "officials_required",
    "other_official": "officials", "other_place": "place", "outside_hours": "hours", "other_operation": "operations", "field_not_visible": "fields",
    "other_endpoint": "endpoints",
}  # fmt: skip


@dataclass(frozen=True)
class AccessRequest:
    """What is asked. `caller` is a verified subsystem identifier, or None for nobody in particular.

    `address` and `at` say where and when; only agreements with such clauses and stops look at them, and what is not given fits none.
    """

    caller: str | None
    dataset: str
    operation: Operation
    purpose: str = ""
    official: str = ""
    address: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What was decided. `visible` are seen whole, `masked` (field → kind) in part, `withheld` not at all.

    When not `allowed`, `rule` names why, `agreement` and `clause` what decided it, `stop` the stop it fell into; nothing else is set.
    When `allowed` without an agreement, `rule` is `given_back` for data the caller's own agency produced.
    """

    allowed: bool
    rule: str = ""
    vi: str = ""
    en: str = ""
    agreement: str = ""
    legal_basis: str = ""
    visible: tuple[str, ...] = ()
    masked: Mapping[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    row_filter: tuple[RowCondition, ...] = ()
    quota: Quota = Quota()
    clause: str = ""
    stop: Stop | None = None


def decide(request: AccessRequest, contract: Contract, register: Register, on: date) -> Decision:
    """Decide one request on a day. The first agreement (by id) that allows it is used; else the reason of the last one tried.

    A caller of the body that produced the data needs none; but where it has one that is active or suspended, that one decides.
    """
    closed = refused_as_closed(request.caller, register, on)
    if closed is not None:
        return closed
    stop = stop_of(request, register, on)
    if stop is not None:
        return deny("stopped", stop=stop)
    denial = deny("no_identity" if request.caller is None else "no_agreement")
    is_agreed = False
    for agreement, broken in tried(request, register, on):
        if broken is None:
            return _allowed(contract, agreement)
        denial = deny(broken, agreement)
        is_agreed = is_agreed or agreement.state in (State.ACTIVE, State.SUSPENDED)
    returned = () if is_agreed else given_back(contract, _agency_of(request.caller), request.operation, on)
    own = _returned(request, contract, returned) if returned else None
    if own is not None and own.allowed:
        return own
    if contract.sharing is Sharing.OPEN and request.operation is not Operation.SUBMIT:
        return deny("not_open_now") if contract.id in register.unopened else _open(contract)
    return own or denial


def _agency_of(caller: str | None) -> str:
    """The agency of a subsystem's name (X-Road's four parts)."""
    return caller.split("/")[2] if caller is not None and caller.count("/") == 3 else ""


def refused_as_closed(caller: str | None, register: Register, on: date) -> Decision | None:
    """The refusal of a caller whose agency has closed: it is told who took its place."""
    if caller is None or not register.agencies.by_code:
        return None
    code = _agency_of(caller)
    if not register.agencies.is_closed(code, on):
        return None
    vi, en = words_of_closed(code, register.agencies.replaced_by(code, on))
    return replace(deny("agency_closed"), vi=vi, en=en)


def tried(request: AccessRequest, register: Register, on: date) -> Iterator[tuple[Agreement, str | None]]:
    """The caller's agreements about the dataset in order of id, each with the rule the request breaks; None: it breaks none."""
    for agreement in [] if request.caller is None else register.between(request.caller, request.dataset):
        yield agreement, _broken(request, agreement, register, on)


def stop_of(request: AccessRequest, register: Register, on: date) -> Stop | None:
    """The stop the request falls into; without a time, any of the day."""
    for stop in register.stops:
        if stop.dataset != request.dataset:
            continue
        if stop.includes(request.at) if request.at is not None else vietnam_date(stop.begins_at) <= on <= vietnam_date(stop.ends_at):
            return stop
    return None


def deny(rule: str, agreement: Agreement | None = None, stop: Stop | None = None) -> Decision:
    """A denial by a rule of `RULES`."""
    vi, en = RULES[rule]
    return Decision(
        allowed=False, rule=rule, vi=vi, en=en, agreement="" if agreement is None else agreement.id, clause=CLAUSES.get(rule, ""), stop=stop
    )


def _broken(request: AccessRequest, agreement: Agreement, register: Register, on: date) -> str | None:
    """The rule of an agreement that a request breaks, None when it breaks none."""
    if agreement.state is not State.ACTIVE:
        return "not_active"
    if not agreement.is_in_term(on):
        return "out_of_term"
    if request.operation not in agreement.operations:
        return "other_operation"
    if not request.purpose:
        return "no_purpose"
    if request.purpose not in agreement.purposes:
        return "other_purpose"
    if agreement.officials_required and not request.official.strip():
        return "no_official"
    return _depending(request, agreement, register) if agreement.depends else None


def _depending(request: AccessRequest, agreement: Agreement, register: Register) -> str | None:
    if agreement.officials and request.official not in agreement.officials:
        return "other_official"
    if not agreement.lets_in(request.address):
        return "other_place"
    if agreement.hours is not None and (request.at is None or not agreement.hours.include(request.at, register.offices)):
        return "outside_hours"
    return None


def _allowed(contract: Contract, agreement: Agreement) -> Decision:
    names = [p.name for p in contract.properties]
    granted = names if agreement.fields is None else [name for name in names if name in agreement.fields]
    masked = {p.name: p.mask or DEFAULT_MASK for p in contract.properties if p.name in agreement.masked and p.name in granted}
    return Decision(
        allowed=True,
        agreement=agreement.id,
        legal_basis=agreement.legal_basis,
        visible=tuple(name for name in granted if name not in masked),
        masked=masked,
        withheld=tuple(name for name in names if name not in granted),
        row_filter=agreement.row_filter,
        quota=agreement.quota,
    )


def _returned(request: AccessRequest, contract: Contract, fields: tuple[str, ...]) -> Decision:
    """Data given back to the body it is from: purpose and official are said as ever, for the ledger tells of it as of any reading."""
    for said, rule in ((request.purpose, "no_purpose"), (request.official.strip(), "no_official")):
        if not said:
            return deny(rule)
    withheld = tuple(p.name for p in contract.properties if p.name not in fields)
    return Decision(allowed=True, rule="given_back", legal_basis=GIVEN_BACK.text, visible=fields, withheld=withheld)


def _open(contract: Contract) -> Decision:
    """Open data: anyone, any purpose; of its fields only those that are public."""
    visible = tuple(p.name for p in contract.properties if p.sensitivity is Sensitivity.PUBLIC)
    return Decision(
        allowed=True, visible=visible, withheld=tuple(p.name for p in contract.properties if p.name not in visible), legal_basis="open data"
    )
