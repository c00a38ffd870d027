"""Who asks, on whose behalf and why: a request becomes a right, or a denial that is in the ledger before it is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from lienthong.access import ANONYMOUS, RULES, AccessRequest, Decision, Identity, Operation, Register, decide, deny
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Denied, RequestError, Unauthenticated
from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop
from lienthong.sharing.rights import Right, right_of, right_of_owner
from lienthong.store import append_entries
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text

OWN = "own"  # what only the owner may do: see and put right the rows that wait
Identify = Callable[[Request], str | None]
Charge = Callable[[Decision], None]


def no_charge(_: Decision) -> None:
    """Nothing is counted."""


@dataclass(frozen=True)
class Authoriser:
    """Decides requests. `identify` gives the verified subsystem, None for nobody; `charge` raises QuotaExceeded."""

    workshop: Workshop
    register: Callable[[], Register]
    identify: Identify
    charge: Charge = no_charge

    def __call__(self, request: Request, contract: Contract, operation: str) -> Right:
        """The caller's right. Raises Unauthenticated, Denied or QuotaExceeded, each with its entry in the ledger."""
        caller: str | None = None
        purpose = official = ""
        try:
            purpose, official = _header(request, PURPOSE), _header(request, OFFICIAL)
            caller = self.identify(request)
            if caller is not None and operation in (OWN, Operation.SUBMIT) and Identity.parse(caller).agency == contract.agency:
                for value, rule in ((purpose, "no_purpose"), (official, "no_official")):
                    if not value:
                        raise _denied(deny(rule))
                return right_of_owner(contract, caller, official, purpose)
            decision = self._decide(caller, contract, operation, purpose, official)
            if not decision.allowed:
                raise _denied(decision)
            self.charge(decision)
        except RequestError as error:
            self._note(request, contract, caller, operation, purpose, official, error)
            raise
        return right_of(decision, contract, caller or ANONYMOUS, official, purpose)

    def _decide(self, caller: str | None, contract: Contract, operation: str, purpose: str, official: str) -> Decision:
        if operation == OWN:
            return deny("no_identity" if caller is None else "not_the_owner")
        asked = AccessRequest(caller, contract.id, Operation(operation), purpose, official)
        return decide(asked, contract, self.register(), vietnam_date(self.workshop.clock()))

    def _note(
        self, request: Request, contract: Contract, caller: str | None, operation: str, purpose: str, official: str, error: RequestError
    ) -> None:
        at = self.workshop.clock()
        entry = Entry(
            at=at,
            event=Event.REQUEST_DENIED,
            caller=caller or ANONYMOUS,
            official=official,
            purpose=purpose,
            dataset=contract.id,
            request_digest=hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}".encode()).hexdigest(),
            outcome=str(error.facts.get("rule", error.code)),
            details={"operation": operation},
        )
        with self.workshop.database.connect() as connection:
            append_entries(connection, [entry], self.workshop.signer)


def _header(request: Request, name: str) -> str:
    return header_text(name, request.headers.get(name, "").encode("latin-1"))


def _denied(decision: Decision) -> RequestError:
    kind = Unauthenticated if decision.rule == "no_identity" else Denied
    vi, en = RULES[decision.rule]
    return kind(en, rule=decision.rule, vi=vi, en=en)
