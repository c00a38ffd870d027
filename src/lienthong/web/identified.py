"""Requests that need no agreement but a subsystem that proved who it is: an agency's own list, figures about the platform."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.requests import Request

from lienthong.access import ANONYMOUS, RULES, Decision, Quota
from lienthong.errors import Denied, RequestError, Unauthenticated
from lienthong.ledger import Entry, Event
from lienthong.sharing.exchanges import ASKED, Asked
from lienthong.web.asking import Counter, request_bytes
from lienthong.web.authorising import Authoriser
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text

PLATFORM = "platform"  # what is asked about no dataset


@dataclass(frozen=True)
class Identified:
    """A verified subsystem, for whom it asks and why."""

    caller: str
    official: str
    purpose: str
    address: str = ""


def identify(counter: Counter, authorise: Authoriser, request: Request, about: str, operation: str, quota: Quota, *, with_reason: bool) -> Identified:  # fmt: skip
    """Who asks. Raises Unauthenticated, Denied (`with_reason`: purpose and official must be named) or QuotaExceeded, each in the ledger.

    `about`: the dataset or report it is about. What is asked is counted against `quota` for this subsystem and operation.
    """
    caller: str | None = None
    purpose = official = ""
    asked = request.scope[ASKED] = Asked(about or PLATFORM, "", operation, "", "", "")
    try:
        purpose, official = (header_text(name, request.headers.get(name, "").encode("latin-1")) for name in (PURPOSE, OFFICIAL))
        caller = authorise.identify(request)
        if caller is None:
            raise Unauthenticated(RULES["no_identity"][1], rule="no_identity", vi=RULES["no_identity"][0], en=RULES["no_identity"][1])
        for value, rule in ((purpose, "no_purpose"), (official, "no_official")):
            if with_reason and not value:
                raise Denied(RULES[rule][1], rule=rule, vi=RULES[rule][0], en=RULES[rule][1])
        authorise.charge(Decision(allowed=True, agreement=f"{operation} {caller}", quota=quota))
    except RequestError as error:
        asked.rule = str(error.facts.get("rule", error.code))
        note_denied(counter, request, about, operation, Identified(caller or ANONYMOUS, official, purpose), error)
        raise
    finally:
        asked.caller, asked.official, asked.purpose = caller or ANONYMOUS, official, purpose
    return Identified(caller, official, purpose, authorise.address(request))


def note_denied(counter: Counter, request: Request, about: str, operation: str, who: Identified, error: RequestError) -> None:
    """The ledger's entry of a request that is refused."""
    counter.append(
        Entry(
            at=counter.clock(),
            event=Event.REQUEST_DENIED,
            caller=who.caller,
            official=who.official,
            purpose=who.purpose,
            dataset=about,
            request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
            outcome=str(error.facts.get("rule", error.code)),
            details={"operation": operation},
        )
    )
