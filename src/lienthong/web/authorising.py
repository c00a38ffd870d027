"""Who asks, on whose behalf and why: a request becomes a right, or a denial that is in the ledger before it is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from urllib.parse import quote

from starlette.requests import Request

from lienthong.access import (
    ANONYMOUS,
    AccessRequest,
    Agreement,
    Decision,
    Identity,
    Offer,
    Operation,
    Register,
    State,
    decide,
    deny,
    refused_as_closed,
)
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import RequestError
from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop
from lienthong.sharing.exchanges import ASKED, Asked
from lienthong.sharing.rights import Right, right_of, right_of_owner
from lienthong.sharing.way_out import as_told, denial_of, has_part, request_for
from lienthong.store import append_entries
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.steady import mark_steady

IDENTIFIED = "lienthong.identified"  # in a scope: the subsystem a door has recognised by a profile
UNKNOWN = "unknown_dataset"  # the outcome of a request for a dataset there is not
OWN = "own"  # what only the owner may do: see and put right the rows that wait
Identify = Callable[[Request], str | None]
Charge = Callable[[Decision], None]


Address = Callable[[Request], str]


def no_address(_: Request) -> str:
    """Nobody is anywhere."""
    return ""


def no_charge(_: Decision) -> None:
    """Nothing is counted."""


@dataclass(frozen=True)
class Authoriser:
    """Decides requests. `identify` gives the verified subsystem, None for nobody; `charge` raises QuotaExceeded; `address` is the caller's."""

    workshop: Workshop
    register: Callable[[], Register]
    identify: Identify
    charge: Charge = no_charge
    address: Address = no_address
    offer: Offer = Offer()

    def __call__(self, request: Request, contract: Contract, operation: str) -> Right:
        """The caller's right. Raises Unauthenticated, Denied or QuotaExceeded, each with its entry in the ledger."""
        caller: str | None = None
        purpose = official = ""
        noted = request.scope[ASKED] = Asked(contract.id, contract.agency, str(operation), "", "", "")
        noted.key = request.path_params.get("key", "")
        try:
            purpose, official = _header(request, PURPOSE), _header(request, OFFICIAL)
            caller = self.identify(request)
            closed = refused_as_closed(caller, self.register(), self._today())
            if closed is not None:
                raise denial_of(closed, AccessRequest(caller, contract.id, Operation.SUBMIT, purpose), None, self._today())
            if caller is not None and operation in (OWN, Operation.SUBMIT) and Identity.parse(caller).agency == contract.agency:
                for value, rule in ((purpose, "no_purpose"), (official, "no_official")):
                    if not value:
                        raise denial_of(deny(rule), AccessRequest(caller, contract.id, Operation.SUBMIT, purpose), None, self._today())
                return right_of_owner(contract, caller, official, purpose)
            if operation == OWN:
                own = AccessRequest(caller, contract.id, Operation.SUBMIT)
                raise denial_of(deny("no_identity" if caller is None else "not_the_owner"), own, None, self._today())
            asked = AccessRequest(
                caller, contract.id, Operation(operation), purpose, official, self.address(request), self.workshop.clock()
            )
            decision = decide(asked, contract, self.register(), self._today())
            if not decision.allowed:
                raise denial_of(decision, asked, contract, self._today(), self.offer)
            self.charge(decision)
        except RequestError as error:
            noted.rule = str(error.facts.get("rule", error.code))
            self._note(request, contract, caller, operation, purpose, official, error)
            raise as_told(error, contract, caller, self.register()) from error
        finally:
            noted.caller, noted.official, noted.purpose = caller or ANONYMOUS, official, purpose
        noted.agreement = decision.agreement
        if decision.row_filter:
            mark_steady(request.scope)
        return replace(
            right_of(decision, contract, caller or ANONYMOUS, official, purpose),
            address=asked.address,
            way_out=partial(request_for, contract, asked.caller or "", purpose, operation, self._today(), self.offer),
        )

    def has_part(self, request: Request, contract: Contract) -> bool:
        """Whether the caller may know that the dataset is there. Raises Unauthenticated for a bad token."""
        return not contract.is_hidden or has_part(contract, self.identify(request), self.register())

    def note_unknown(self, request: Request, operation: str) -> None:
        """Leave the entry of a request for a dataset there is not, as of one that is kept from the caller: so that both take as long."""
        caller: str | None = None
        purpose = official = ""
        rule = UNKNOWN
        try:
            purpose, official = _header(request, PURPOSE), _header(request, OFFICIAL)
            caller = self.identify(request)
        except RequestError as error:
            rule = error.code
        self._append(request, "", caller, operation, purpose, official, "", rule)

    def filled(self, request: Request, contract: Contract) -> Request:
        """The request with the purpose and the official in it where the caller's agreements know but one, and it says none itself."""
        wanted = [name for name in (PURPOSE, OFFICIAL) if not request.headers.get(name)]
        try:
            caller = self.identify(request) if wanted else None
        except RequestError:
            return request  # refused, and noted, where the right is decided
        agreements = [] if caller is None else self._in_force(caller, contract)
        choices = {
            PURPOSE: {purpose for agreement in agreements for purpose in agreement.purposes},
            OFFICIAL: {official for agreement in agreements for official in agreement.officials},
        }
        said = {name.encode(): quote(next(iter(choices[name])), safe=" ").encode() for name in wanted if len(choices[name]) == 1}
        if not said:
            return request
        headers = [(name, value) for name, value in request.scope["headers"] if name not in said]
        return Request({**request.scope, "headers": [*headers, *said.items()]}, request.receive)

    def openings(self, request: Request, contracts: Iterable[Contract], operation: Operation) -> list[tuple[Contract, Decision]]:
        """What the caller could ask for in this way, each with what is seen of it; a purpose or an official it could name is taken as named.

        Nothing is charged or noted: no data leaves. Raises Unauthenticated for a bad token.
        """
        caller, today, at = self.identify(request), self._today(), self.workshop.clock()
        address, official = self.address(request), _header(request, OFFICIAL)
        found = []
        for contract in contracts:
            agreements = [] if caller is None else self._in_force(caller, contract)
            ways = [(purpose, official or next(iter(sorted(each.officials)), "-")) for each in agreements for purpose in each.purposes]
            for purpose, named in ways or [("", official)]:
                asked = AccessRequest(caller, contract.id, operation, purpose, named, address, at)
                decision = decide(asked, contract, self.register(), today)
                if decision.allowed:
                    found.append((contract, decision))
                    break
        return found

    def _in_force(self, caller: str, contract: Contract) -> list[Agreement]:
        today = self._today()
        found = self.register().between(caller, contract.id)
        return [agreement for agreement in found if agreement.state is State.ACTIVE and agreement.is_in_term(today)]

    def _today(self) -> date:
        return vietnam_date(self.workshop.clock())

    def _note(
        self, request: Request, contract: Contract, caller: str | None, operation: str, purpose: str, official: str, error: RequestError
    ) -> None:
        agreement, rule = str(error.facts.get("agreement", "")), str(error.facts.get("rule", error.code))
        self._append(request, contract.id, caller, operation, purpose, official, agreement, rule)

    def _append(
        self, request: Request, dataset: str, caller: str | None, operation: str, purpose: str, official: str, agreement: str, rule: str
    ) -> None:
        entry = Entry(
            at=self.workshop.clock(),
            event=Event.REQUEST_DENIED,
            caller=caller or ANONYMOUS,
            official=official,
            purpose=purpose,
            agreement=agreement,
            dataset=dataset,
            request_digest=hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}".encode()).hexdigest(),
            outcome=rule,
            details={"operation": operation},
        )
        with self.workshop.database.connect() as connection:
            append_entries(connection, [entry], self.workshop.signer)


def _header(request: Request, name: str) -> str:
    return header_text(name, request.headers.get(name, "").encode("latin-1"))
