"""What one caller gets of any record of a dataset, worked out once: rights, masks, the shape of the answer, the words of its ledger entries."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from lienthong.access import ANONYMOUS, USUAL_OFFER, AccessRequest, Offer, Register, decide, mask, matches
from lienthong.contracts import Contract
from lienthong.ledger import Event, Form
from lienthong.sharing.records import Record, values_type
from lienthong.sharing.retiring import retiring_headers
from lienthong.sharing.way_out import denial_of
from lienthong.store.answers import OURS

Row = tuple[Any, ...]  # _key, _version, _valid_from, then the contract's properties in order

MOST_PLANS = 10_000
MOST_FORMS = 1_000  # officials of one plan whose entries are kept prepared
_ENCODE = msgspec.json.Encoder().encode


class Plan:
    """A decision made ready to answer with. Raises Unauthenticated, Denied or Stopped when the decision is a denial."""

    def __init__(self, asked: AccessRequest, contract: Contract, register: Register, on: date, offer: Offer = USUAL_OFFER) -> None:
        decision = decide(asked, contract, register, on)
        if not decision.allowed:
            raise denial_of(decision, asked, contract, on, offer)
        self.dataset = contract.id
        self.provider = contract.agency
        self.agreement = decision.agreement
        self.quota = decision.quota
        self.is_limited = decision.quota.per_minute is not None or decision.quota.per_day is not None
        self.caller = asked.caller or ANONYMOUS
        self.purpose = asked.purpose
        self._legal_basis = decision.legal_basis
        self._row_filter = decision.row_filter
        self.is_of_some_rows = bool(decision.row_filter)
        self._names = tuple(p.name for p in contract.properties)
        self.shape = (contract.id, self._names)
        self.retiring = retiring_headers(contract)
        shown = [(place, p.name) for place, p in enumerate(contract.properties, OURS) if p.name in {*decision.visible, *decision.masked}]
        self._fields = tuple(name for _, name in shown)
        self._places = tuple(place for place, _ in shown)
        self._masks = tuple((n, decision.masked[name]) for n, name in enumerate(self._fields) if name in decision.masked)
        self._withheld = decision.withheld
        self._values = values_type(self._fields)
        self._forms: dict[str, tuple[Form, Form]] = {}

    def lets_see(self, row: Row) -> bool:
        """Whether the row is among those the agreement gives."""
        return not self._row_filter or matches(self._row_filter, dict(zip(self._names, row[OURS:], strict=True)))

    def body(self, row: Row, delivered: frozenset[str]) -> bytes:
        """The answer's bytes. `delivered`: the properties that the source of the row's version brought."""
        values = [row[place] for place in self._places]
        for place, kind in self._masks:
            values[place] = mask(kind, values[place])
        missing: list[str] = []
        if None in values:
            missing = [name for name, value in zip(self._fields, values, strict=True) if value is None and name not in delivered]
        return _ENCODE(Record(row[0], row[1], row[2], self._values(*values), self._withheld, missing))

    def forms(self, official: str) -> tuple[Form, Form]:
        """The entries of a record given to an official, and of one that is not there."""
        made = self._forms.get(official)
        if made is None:
            if len(self._forms) >= MOST_FORMS:
                self._forms.clear()
            made = self._forms[official] = (
                self._form(official, Event.ANSWER_RECORD, "given"),
                self._form(official, Event.ANSWER_MISSING, "missing"),
            )
        return made

    def _form(self, official: str, event: Event, outcome: str) -> Form:
        return Form(
            event,
            self.caller,
            official=official,
            purpose=self.purpose,
            legal_basis=self._legal_basis,
            agreement=self.agreement,
            dataset=self.dataset,
            fields=self._fields,
            outcome=outcome,
        )


class PlanBook:
    """Plans made so far, of one register and one day; another of either, and all are made anew.

    A plan holds for whoever asks for the same; only where the official, the place or the time decide as well is it of these too.
    Terms of agreements are in whole minutes, and so is the time a plan is made for.
    """

    def __init__(self, offer: Offer = USUAL_OFFER) -> None:
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._register: Register | None = None
        self._day: date | None = None
        self._offer = offer

    def known(self, key: tuple[str | None, str, str, bool], register: Register, on: date) -> Plan | None:
        """The plan made before for (caller, dataset, purpose, whether an official is named), where nothing else decides."""
        return self._plans.get(key) if register is self._register and on == self._day else None

    def plan(self, asked: AccessRequest, contract: Contract, register: Register, on: date) -> Plan:
        """The caller's plan for look-ups. Raises Unauthenticated, Denied or Stopped."""
        if register is not self._register or on != self._day:
            self._plans, self._register, self._day = {}, register, on
        key: tuple[Any, ...] = (asked.caller, contract.id, asked.purpose, bool(asked.official))
        if register.depends(asked.caller, contract.id):
            key += (asked.official, asked.address, None if asked.at is None else asked.at.replace(second=0, microsecond=0))
        plan = self._plans.get(key)
        if plan is None:
            plan = Plan(asked, contract, register, on, self._offer)
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan
