"""A small platform on which agreements are asked for, granted and ended."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lienthong.access import Act, Actor, Offer, PublicKey, Register, Role, Subsystem, new_key_pair, standing_terms
from lienthong.contracts import Contract, LegalBasis, Sensitivity, Sharing
from lienthong.pipeline import Workshop, agreeing
from lienthong.pipeline.agreeing import AgreementRules, Said
from lienthong.store.agreements import Kept
from tests.factories import make_contract, make_property, make_workshop

PROVIDER, CONSUMER, ARBITER = "H10.02", "H10.12", "H10.00"
READER = f"VN/GOV/{CONSUMER}/tro-cap"
LAW = (LegalBasis("Luật Dữ liệu 60/2024/QH15"),)
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # a Wednesday morning in Vietnam
FIELDS = (
    make_property("record_no", required=True, key_position=1, sensitivity=Sensitivity.INTERNAL),
    make_property("full_name", sensitivity=Sensitivity.PERSONAL),
    make_property("state", sensitivity=Sensitivity.INTERNAL),
)
SICK = (*FIELDS, make_property("illness", sensitivity=Sensitivity.SENSITIVE))
LIST = make_contract(id="test.list", properties=FIELDS, sharing=Sharing.DEFAULT, legal_basis=LAW)
PEOPLE = make_contract(id="test.people", properties=SICK, sharing=Sharing.ON_REQUEST, legal_basis=LAW)
CLOSED = make_contract(id="test.closed", properties=FIELDS, sharing=Sharing.RESTRICTED, legal_basis=LAW)


@dataclass
class Now:
    """A clock that stands where it is put."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


def officer(agency: str, name: str = "can-bo", *roles: Role, subsystem: str = "") -> Actor:
    return Actor(name, agency, frozenset(roles or (Role.DATA_OFFICER,)), subsystem)


ASKING, GIVING = officer(CONSUMER, "can-bo-xin"), officer(PROVIDER, "can-bo-cho")
SECOND = officer(PROVIDER, "lanh-dao", Role.LEADER)


def register_of(*, is_ready: bool = True) -> Register:
    key = PublicKey(new_key_pair()[1])
    return Register({READER: Subsystem(READER, CONSUMER, "Trợ cấp", "Benefits", (key,) if is_ready else ())})


@dataclass
class Platform:
    """Acts on agreements, shortly."""

    workshop: Workshop
    clock: Now
    rules: AgreementRules = field(default_factory=lambda: AgreementRules(arbiter=ARBITER))
    register: Register = field(default_factory=register_of)

    def ask(self, document: dict[str, Any], actor: Actor = ASKING) -> Kept:
        return agreeing.request(self.workshop, self.rules, self.register, actor, document)

    def do(self, id: str, what: Act, actor: Actor = GIVING, **said: Any) -> Kept:
        words = {"reason": "vì công việc", "legal_text": "Luật Dữ liệu 60/2024/QH15 điều 11", "copies": "destroyed", **said}
        return agreeing.act(self.workshop, self.rules, self.register, actor, id, what, Said(**words))


def make_platform(database_url: str) -> Platform:
    clock = Now()
    made = make_workshop(database_url, LIST, PEOPLE, CLOSED, apply=False)
    return Platform(Workshop(made.database, made.contracts, made.signer, clock), clock)


def asked(contract: Contract = PEOPLE, **more: Any) -> dict[str, Any]:
    """A whole request on the usual terms."""
    terms = standing_terms(contract, NOW.date(), Offer())
    return copy.deepcopy(
        {
            **terms, "consumer": READER, "provider": PROVIDER, "dataset": contract.id, "fields": ["record_no", "state"],
            "purposes": {"xet-tro-cap": {"vi": "Xét trợ cấp", "en": "Benefits"}}, "operations": ["look_up", "list"], **more,
        }
    )  # fmt: skip
