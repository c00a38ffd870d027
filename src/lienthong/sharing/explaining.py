"""What a given caller would get of a dataset, and which clause of which agreement decides each field. The decision is `access.decide`'s own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from lienthong.access import CLAUSES, RULES, AccessRequest, Decision, Identity, Operation, Register, decide, tried
from lienthong.access.functions import GROUNDS, Function, ground_of
from lienthong.access.given_back import GIVEN_BACK
from lienthong.contracts import Contract, Sharing

ALLOWED = {
    "": ("Được phép", "Allowed"),
    "given_back": (
        "Được phép: dữ liệu do chính cơ quan này tạo ra, không cần thỏa thuận",
        "Allowed: the caller's own agency produced this data; no agreement is needed",
    ),
}
SHOWN = {
    "whole": ("thấy trọn", "seen whole"),
    "masked": ("thấy một phần", "seen in part"),
    "withheld": ("không cung cấp", "withheld"),
}


def explain(asked: AccessRequest, contract: Contract, register: Register, on: date, functions: Iterable[Function] = ()) -> dict[str, Any]:
    """Everything an officer needs to see why a caller gets what it gets, as plain values."""
    if asked.operation is Operation.SUBMIT and asked.caller is not None and Identity.parse(asked.caller).agency == contract.agency:
        decision = Decision(allowed=True, visible=tuple(p.name for p in contract.properties), legal_basis="owner")
    else:
        decision = decide(asked, contract, register, on)
    return {
        "asked": {
            "caller": asked.caller,
            "dataset": asked.dataset,
            "operation": asked.operation,
            "purpose": asked.purpose,
            "official": asked.official,
            "address": asked.address,
            "at": None if asked.at is None else asked.at.isoformat(),
        },
        "allowed": decision.allowed,
        "rule": decision.rule,
        "clause": decision.clause,
        "agreement": decision.agreement,
        "vi": decision.vi or ALLOWED.get(decision.rule, ALLOWED[""])[0],
        "en": decision.en or ALLOWED.get(decision.rule, ALLOWED[""])[1],
        "until": None if decision.stop is None else decision.stop.ends_at.isoformat(),
        "legal_basis": decision.legal_basis,
        "quota": {"per_minute": decision.quota.per_minute, "per_day": decision.quota.per_day, "deliveries": decision.quota.deliveries},
        "rows": [{"field": c.field, "operator": c.operator, "value": c.value, "clause": "row_filter"} for c in decision.row_filter],
        "by_rule": _by_rule(asked, contract, on, functions),
        "fields": _fields(decision, contract),
        "tried": [_tried(agreement.id, agreement.state, rule) for agreement, rule in tried(asked, register, on)],
    }


def _fields(decision: Decision, contract: Contract) -> list[dict[str, Any]]:
    """One line a field, in the contract's order; none when nothing is allowed."""
    if not decision.allowed:
        return []
    by = {
        "whole": decision.agreement and "fields",
        "masked": "masked",
        "withheld": decision.agreement and "fields",
    }
    found = []
    for p in contract.properties:
        shown = "whole" if p.name in decision.visible else "masked" if p.name in decision.masked else "withheld"
        vi, en = SHOWN[shown]
        found.append(
            {
                "field": p.name,
                "title": p.title_vi,
                "shown": shown,
                "mask": decision.masked.get(p.name),
                "agreement": decision.agreement,
                "clause": by[shown] or _ground(decision),
                "vi": vi,
                "en": en,
            }
        )
    return found


def _by_rule(asked: AccessRequest, contract: Contract, on: date, functions: Iterable[Function]) -> dict[str, str] | None:
    """The rule by which a request of this caller within the standing offer would be granted with no person asked; None where there is none."""
    if asked.caller is None:
        return None
    ground = ground_of(functions, Identity.parse(asked.caller).agency, contract, on)
    if ground is None:
        if contract.sharing is not Sharing.DEFAULT:
            return None
        vi, en = "dữ liệu chia sẻ mặc định", "data shared by default"
        return {"rule": "standing_offer", "vi": vi, "en": en, "legal_basis": GIVEN_BACK.text}
    vi, en = GROUNDS[ground.rule]
    return {"rule": ground.rule, "vi": vi, "en": en, "legal_basis": ground.legal_basis}


def _ground(decision: Decision) -> str:
    """What decides where no agreement does."""
    return decision.rule or ("owner" if decision.legal_basis == "owner" else "sharing: open")


def _tried(agreement: str, state: str, rule: str | None) -> dict[str, Any]:
    vi, en = ("Cho phép", "Allows it") if rule is None else RULES[rule]
    clause = "" if rule is None else CLAUSES.get(rule, "")
    return {"agreement": agreement, "state": state, "allowed": rule is None, "rule": rule or "", "clause": clause, "vi": vi, "en": en}
