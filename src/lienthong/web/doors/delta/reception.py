"""Who asks at the Delta door, and what they may have: a profile's token, a token of the platform's, or nobody in particular.

A profile says the purpose and the official its tools cannot say. Rights are the ordinary authoriser's, within the one agreement of the share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request

from lienthong.access import ANONYMOUS, AccessRequest, Decision, Operation, decide, refused_as_closed
from lienthong.access.share_tokens import BEARER, SHORT, ShareKey, is_secret, read_bearer
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, Unauthenticated
from lienthong.sharing.exchanges import ASKED, CARRIED
from lienthong.sharing.rights import Right, right_of
from lienthong.sharing.shares.listing import Table, table_named, tables_of
from lienthong.sharing.way_out import denial_of
from lienthong.store import shares
from lienthong.store.shares import Grant, Profile
from lienthong.web.asking import Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.recording import trace_of

if TYPE_CHECKING:
    from lienthong.web.services import Services

OPEN_TOKEN = "open"  # noqa: S105 # what the profile of open data says: it opens nothing that is not open
DOOR = "delta"
NOBODY = Unauthenticated(
    "This token opens no share.",
    hint="Profiles end and are rotated; ask who issued it for a new one.",
    hint_vi="Hồ sơ chia sẻ có thời hạn và được thay định kỳ; hãy xin hồ sơ mới ở nơi đã cấp.",
    vi="Mã này không mở được chia sẻ nào.",
)


@dataclass(frozen=True)
class Caller:
    """Who asks. `subsystem` None: nobody in particular. `purpose` None: not said."""

    subsystem: str | None = None
    purpose: str | None = None
    official: str = ""
    profile: str | None = None
    token: str | None = None
    got_with: str | None = None

    @property
    def name(self) -> str:
        return self.subsystem or ANONYMOUS


@dataclass(frozen=True)
class Reception:
    """Recognises callers and asks the ordinary authoriser for them."""

    services: Services
    counter: Counter
    authoriser: Authoriser
    key: ShareKey

    def who(self, request: Request) -> Caller:
        """The caller of a request. Raises Unauthenticated."""
        authorization = request.headers.get("authorization")
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if not authorization or (scheme.lower() == "bearer" and token == OPEN_TOKEN):
            return Caller()
        if token.startswith((BEARER, SHORT)):
            return self._by_profile(token)
        tokens = self.services.tokens
        subsystem = tokens.subsystem_of(authorization, request.scope)
        found = tokens.token_of(authorization, request.scope)
        purpose = header_text(PURPOSE, request.headers.get(PURPOSE, "").encode("latin-1"))
        official = header_text(OFFICIAL, request.headers.get(OFFICIAL, "").encode("latin-1"))
        return Caller(subsystem, purpose or None, official, None, found.jti if found else None, found.key if found else None)

    def tables(self, caller: Caller) -> dict[str, list[Table]]:
        """The shares the caller sees, with their tables."""
        return tables_of(caller.subsystem, caller.purpose, self.services.register, self.services.contracts, self.today())

    def table(self, caller: Caller, request: Request) -> Table:
        """The table a path names. Raises NotFound, the same for a table that is not there and one of somebody else's share."""
        named = request.path_params
        found = table_named(self.tables(caller), named["share"], named["schema"], named["table"])
        if found is None:
            raise NotFound(
                "There is no such table in your shares.",
                hint="GET …/shares lists them.",
                hint_vi="GET …/shares liệt kê các chia sẻ.",
                vi="Không có bảng này trong các chia sẻ của bạn.",
            )
        return found

    def authorise(self, request: Request, caller: Caller, table: Table, operation: Operation) -> Right:
        """The caller's right to a table, charged and noted as at every door. Raises Unauthenticated, Denied, QuotaExceeded, each in the ledger."""
        register = table.register_of(self.services.register)
        said = Request(self._said(request, caller, table))
        ordinary = replace(self.authoriser, register=lambda: register, identify=lambda _: caller.subsystem)
        request.scope[CARRIED] = (DOOR, None, trace_of(request.scope))
        try:
            return ordinary(said, table.terms, operation)
        finally:
            if ASKED in said.scope:
                request.scope[ASKED] = said.scope[ASKED]

    def sight(self, request: Request, caller: Caller, table: Table) -> Right:
        """What a table of the caller's shares would show; no data leaves, so nothing is charged or noted. Raises Denied, Stopped."""
        agreement = table.agreement
        purpose = caller.purpose or (next(iter(sorted(agreement.purposes)), "") if agreement is not None else "")
        official = caller.official or (next(iter(sorted(agreement.officials)), "-") if agreement is not None else "")
        address = self.authoriser.address(request)
        asked = AccessRequest(caller.subsystem, table.contract.id, Operation.BULK, purpose, official, address, self.counter.clock())
        decision = decide(asked, table.terms, table.register_of(self.services.register), self.today())
        if not decision.allowed:
            raise denial_of(decision, asked, None, self.today())
        return right_of(decision, table.terms, caller.name)

    def standing_right(self, grant: Grant, address: str) -> tuple[Table | None, Right | None, Decision | None]:
        """What a grant's caller may see now of what it was given: (table, right), or the decision that refuses it. Nothing is charged."""
        register, today = self.services.register, self.today()
        caller = None if grant.subsystem == ANONYMOUS else grant.subsystem
        contract = self.services.contracts.get(grant.dataset_id)
        agreement = next((a for a in register.agreements if a.id == grant.agreement), None)
        if contract is None or (grant.agreement and agreement is None) or (caller is not None and not self._is_open(caller)):
            return None, None, None
        closed = refused_as_closed(caller, register, today)
        table = Table("", contract, agreement)
        asked = AccessRequest(caller, contract.id, Operation(grant.operation), grant.purpose, grant.official, address, self.counter.clock())
        decision = closed or decide(asked, table.terms, table.register_of(register), today)
        if not decision.allowed:
            return None, None, decision
        return table, right_of(decision, table.terms, grant.subsystem, grant.official, grant.purpose), None

    def today(self) -> date:
        return vietnam_date(self.counter.clock())

    def _is_open(self, subsystem: str) -> bool:
        found = self.services.register.subsystems.get(subsystem)
        return found is not None and found.is_active

    def _by_profile(self, token: str) -> Caller:
        now = self.counter.clock()
        claimed = read_bearer(token)
        name = claimed[0] if claimed is not None else self.key.read_short(token, now)
        if name is None:
            raise NOBODY
        with self.counter.connection() as connection:
            profile = shares.profile_named(connection, name)
        if profile is None or not self._stands(profile, now) or (claimed is not None and not _fits(profile, claimed[1])):
            raise NOBODY
        return Caller(profile.subsystem, profile.purpose, profile.official, profile.profile)

    def _stands(self, profile: Profile, now: datetime) -> bool:
        return profile.stands(now) and self._is_open(profile.subsystem)

    def _said(self, request: Request, caller: Caller, table: Table) -> dict[str, object]:
        """The request with what the caller's profile says in the headers of ours; a purpose the agreement leaves no choice about need not be said."""
        purpose = caller.purpose
        if purpose is None and table.agreement is not None and len(table.agreement.purposes) == 1:
            (purpose,) = table.agreement.purposes
        own = {PURPOSE.encode(): quote(purpose or "", safe=" ").encode(), OFFICIAL.encode(): quote(caller.official, safe=" ").encode()}
        headers = [(name, value) for name, value in request.scope["headers"] if name not in own]
        return {**request.scope, "headers": [*headers, *own.items()]}


def _fits(profile: Profile, secret: str) -> bool:
    return profile.kind == "bearer" and is_secret(secret, profile.secret)
