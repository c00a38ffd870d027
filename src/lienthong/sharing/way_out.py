"""A denial with a way out: which clause decided, and the request that would open it, ready to be filed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.access import USUAL_OFFER, AccessRequest, Agreement, Decision, Identity, Offer, Register, standing_terms, usual_terms
from lienthong.clock import VIETNAM
from lienthong.contracts import Contract
from lienthong.errors import Denied, RequestError, Stopped, Unauthenticated, UnknownDataset
from lienthong.sharing.filters import shown

REQUESTS = "/v1/agreements"
NOT_BY_AGREEMENT = frozenset({"no_identity", "no_purpose", "no_official", "not_the_owner", "stopped"})  # no request would open these
HINTS: Mapping[str, tuple[str, str]] = {  # rule → (English, Vietnamese)
    "no_purpose": (
        "Send the header Lienthong-Purpose with a purpose of your agreement.",
        "Hãy gửi tiêu đề Lienthong-Purpose với một mục đích của thỏa thuận.",
    ),
    "no_official": (
        "Send the header Lienthong-Official with the official it is made for.",
        "Hãy gửi tiêu đề Lienthong-Official với cán bộ mà yêu cầu được gửi cho.",
    ),
}


@dataclass(frozen=True)
class Callee:
    """What is called under an agreement: a service or a room. `endpoints`: the calls a request for it would name."""

    id: str
    provider: str
    title: str
    endpoints: tuple[str, ...]
    legal_basis: str = ""


def denial_of(
    decision: Decision, asked: AccessRequest, about: Contract | Callee | None, today: date, offer: Offer = USUAL_OFFER
) -> RequestError:
    """What a denial raises. Its facts name the clause that decided and, where a request would open it, carry that request."""
    facts: dict[str, Any] = {"rule": decision.rule, "vi": decision.vi, "en": decision.en}
    if decision.agreement:
        facts |= {"agreement": decision.agreement, "clause": decision.clause}
    if decision.stop is not None:
        ends_at = decision.stop.ends_at
        facts |= {"until": ends_at.isoformat(), "vi": f"{decision.vi}, dự kiến đến {ends_at.astimezone(VIETNAM):%H:%M %d/%m/%Y}"}
        return Stopped(
            decision.en,
            hint="GET /v1/planned-stops lists the stops.",
            hint_vi="GET /v1/planned-stops liệt kê các lần tạm dừng.",
            retry_after=_seconds_to(ends_at, asked.at),
            **facts,
        )
    if asked.caller is not None and about is not None and decision.rule not in NOT_BY_AGREEMENT:
        if isinstance(about, Callee):
            facts["request"] = request_for_calls(about, asked.caller, asked.purpose, today, offer)
        else:
            facts["request"] = request_for(about, asked.caller, asked.purpose, asked.operation, today, offer)
    kind = Unauthenticated if decision.rule == "no_identity" else Denied
    hint, hint_vi = HINTS.get(decision.rule, ("", ""))
    return kind(decision.en, hint=hint, hint_vi=hint_vi, **facts)


def no_dataset(name: str) -> UnknownDataset:
    """What is said of a name that is no dataset's, or of one whose very entry is not for the caller."""
    named = shown(name)
    return UnknownDataset(
        f"There is no dataset `{named}`.",
        hint="GET /v1/datasets lists them.",
        vi=f"Không có bộ dữ liệu `{named}`.",
        hint_vi="GET /v1/datasets liệt kê các bộ dữ liệu.",
    )


def as_told(error: RequestError, contract: Contract, caller: str | None, register: Register) -> RequestError:
    """The refusal as the caller hears it: who has no part in a dataset whose very entry is not public hears that there is none."""
    return error if has_part(contract, caller, register) else no_dataset(contract.id)


def has_part(contract: Contract, caller: str | None, register: Register) -> bool:
    """Whether a caller may know that a dataset is there: its entry is public, or the caller owns it or has an agreement about it."""
    if not contract.is_hidden:
        return True
    return caller is not None and (Identity.parse(caller).agency == contract.agency or bool(register.between(caller, contract.id)))


def request_for(
    contract: Contract, caller: str, purpose: str, operation: str, today: date, offer: Offer = USUAL_OFFER, fields: Iterable[str] = ()
) -> dict[str, Any]:  # fmt: skip
    """Where and how to ask, and a body to send as it is or after changing it."""
    named = list(fields)
    body = {
        "consumer": caller,
        "provider": contract.agency,
        "dataset": contract.id,
        "fields": named or "all",
        "purposes": {purpose: {"vi": purpose, "en": purpose}},
        "operations": [str(operation)],
        "officials_required": True,
        **standing_terms(contract, today, offer),
    }
    return {"href": REQUESTS, "method": "POST", "content_type": "application/json", "body": body}


def request_for_calls(about: Callee, caller: str, purpose: str, today: date, offer: Offer = USUAL_OFFER) -> dict[str, Any]:
    """The same for calls of a service or a room."""
    basis = [{"text": about.legal_basis}] if about.legal_basis else []
    body = {
        "consumer": caller,
        "provider": about.provider,
        "service": about.id,
        "endpoints": list(about.endpoints),
        "purposes": {purpose: {"vi": purpose, "en": purpose}},
        "officials_required": True,
        **usual_terms(about.title, basis, today, offer),
    }
    return {"href": REQUESTS, "method": "POST", "content_type": "application/json", "body": body}


def renewal_for(agreement: Agreement, today: date) -> dict[str, Any]:
    """The same agreement asked for again, for as long as before, from the day after its last."""
    begins = today if agreement.ends_on is None else max(today, date.fromordinal(agreement.ends_on.toordinal() + 1))
    days = 364 if agreement.ends_on is None else (agreement.ends_on - agreement.begins_on).days
    kept = {word: value for word, value in agreement.document.items() if word not in ("id", "state", "term", "renews")}
    term = {"from": begins.isoformat(), "to": date.fromordinal(begins.toordinal() + days).isoformat()}
    return {"href": REQUESTS, "method": "POST", "content_type": "application/json", "body": {**kept, "term": term, "renews": agreement.id}}


def _seconds_to(ends_at: datetime, at: datetime | None) -> int:
    return 60 if at is None else max(1, int((ends_at - at).total_seconds()))
