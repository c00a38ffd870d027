"""Who acts: an agency's system that names its official, or a person who signed in. The one door every act goes through.

    actor = acting.require(request, Role.DATA_OFFICER, agency=contract.agency)   # or raises, with the entry in the ledger
    actor = acting.actor_of(request)                                             # whoever it is
    number = acting.citizen_of(request)                                          # the citizen who signed in

All three read the store: call them from a worker thread, as handlers of this room do.

A system's token acts for its own agency and no other, in the roles an agency's own systems may speak in. What only a person
may do (run the platform, inspect it, give rights) needs a person's own sign-in: a system could name any two officials.
A request by cookie that changes something needs the session's token against forgery, as header `Lienthong-CSRF` (htmx:
`hx-headers`) or as the form's field `csrf`, which the handler passes on.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from lienthong.access import ANONYMOUS, NEED_SECOND_FACTOR, RULES, Actor, Decision, Identity, Role, Session
from lienthong.errors import Denied, RequestError, Unauthenticated
from lienthong.ledger import Entry, Event
from lienthong.web.asking import Counter, request_bytes
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.holding import Scope
from lienthong.web.sessions import Sessions

CSRF = "lienthong-csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SPOKEN_FOR = frozenset({Role.DATA_OFFICER, Role.STEWARD, Role.INTEGRATOR})  # roles an agency's own system may speak in
RULES_OF_ACTING: dict[str, tuple[str, str]] = {
    "no_identity": ("Cần đăng nhập hoặc mã truy cập của hệ thống", "Sign in, or send a subsystem's access token"),
    "no_official": RULES["no_official"],
    "no_role": ("Không có vai trò cần cho việc này", "This needs a role you do not have"),
    "other_agency": ("Việc này thuộc cơ quan khác", "This belongs to another agency"),
    "no_second_factor": ("Cần xác thực bước hai", "This needs the second factor"),
    "no_sign_in": ("Việc này cần một người tự đăng nhập", "This needs a person's own sign-in"),
    "no_citizen": ("Cần đăng nhập bằng tài khoản định danh của công dân", "Sign in with a citizen's identity account"),
    "forged": ("Yêu cầu không đến từ trang của hệ thống", "The request does not come from a page of ours"),
}


@dataclass(frozen=True)
class Acting:
    """What this module works with; the application keeps one as `app.state.acting`."""

    counter: Counter
    subsystem_of: Callable[[str | None, Scope | None], str | None]
    sessions: Sessions
    closed: Callable[[str], Decision | None]  # the refusal of a subsystem whose agency has closed


def actor_of(request: Request, *, csrf: str = "") -> Actor:
    """Who acts. Raises Unauthenticated or Denied, with the entry in the ledger. `csrf`: the form's field, when there is a form."""
    try:
        return _actor(request, csrf)
    except RequestError as error:
        _note(request, error)
        raise


def require(request: Request, *roles: Role, agency: str = "", csrf: str = "", in_person: bool = False) -> Actor:
    """Who acts, holding one of the roles (any, when none is named) and of the agency, when one is named.

    `in_person`: a system cannot act here. Raises Unauthenticated or Denied, with the entry in the ledger.
    """
    try:
        actor = _actor(request, csrf)
        if in_person and actor.subsystem:
            raise refusal("no_sign_in")
        if roles and not actor.may(*roles):
            session = None if actor.subsystem else session_of(request)
            held_back = session is not None and session.person is not None and not session.person.roles.isdisjoint(roles)
            raise refusal("no_second_factor" if held_back else "no_role")
        if agency and not actor.is_of(agency):
            raise refusal("other_agency")
    except RequestError as error:
        _note(request, error)
        raise
    return actor


def citizen_of(request: Request, *, csrf: str = "") -> str:
    """The citizen number the identity provider vouched for. Raises Unauthenticated or Denied, with the entry in the ledger."""
    try:
        session = session_with(request, csrf)
        if session is None or not session.who.citizen:
            raise refusal("no_citizen")
    except RequestError as error:
        _note(request, error)
        raise
    return session.who.citizen


def session_of(request: Request) -> Session | None:
    """The live session of a request, for pages: who to greet, and the token (`session.csrf`) their forms carry."""
    return _acting(request).sessions.find(request)


def needs_second_factor(roles: frozenset[Role]) -> bool:
    """Whether one of the roles is held back until a second factor is given."""
    return not roles.isdisjoint(NEED_SECOND_FACTOR)


def _acting(request: Request) -> Acting:
    acting: Acting = request.app.state.acting
    return acting


def _actor(request: Request, csrf: str) -> Actor:
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _named(request, _acting(request).subsystem_of(authorization, request.scope))
    session = session_with(request, csrf)
    if session is None:
        raise refusal("no_identity")
    if session.person is None and not session.who.citizen:  # signed in, but nobody we know
        raise refusal("no_role")
    return session.actor


def _named(request: Request, subsystem: str | None) -> Actor:
    """The official a system acts for. Whom a system names, its agency answers for: it can name nobody of another."""
    official = _header(request, OFFICIAL)
    if subsystem is None:
        raise refusal("no_identity")
    closed = _acting(request).closed(subsystem)
    if closed is not None:
        raise Denied(closed.en, rule=closed.rule, vi=closed.vi, en=closed.en)
    if not official:
        raise refusal("no_official")
    return Actor(official, Identity.parse(subsystem).agency, SPOKEN_FOR, subsystem)


def session_with(request: Request, csrf: str) -> Session | None:
    """The session, when the request comes from a page of ours. Raises Denied when it changes something and does not."""
    session = session_of(request)
    if session is not None and request.method not in SAFE:
        sent = request.headers.get(CSRF, "") or csrf
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") or not hmac.compare_digest(
            sent.encode("utf-8", "replace"), session.csrf.encode()
        ):
            raise refusal("forged")
    return session


def refusal(rule: str) -> RequestError:
    """The refusal by a rule of `RULES_OF_ACTING`."""
    vi, en = RULES_OF_ACTING[rule]
    kind = Unauthenticated if rule in ("no_identity", "no_citizen") else Denied
    return kind(en, rule=rule, vi=vi, en=en)


def _header(request: Request, name: str) -> str:
    return header_text(name, request.headers.get(name, "").encode("latin-1"))


def _note(request: Request, error: RequestError) -> None:
    """A refused act is in the ledger, with whoever can be named."""
    acting = _acting(request)
    caller, official = ANONYMOUS, ""
    try:
        caller = acting.subsystem_of(request.headers.get("authorization"), None) or ANONYMOUS
        if caller == ANONYMOUS:
            session = session_of(request)
            official = "" if session is None else session.actor.name
        else:
            official = _header(request, OFFICIAL)
    except RequestError:  # what was sent proves nothing: nobody is named
        pass
    acting.counter.append(
        Entry(
            at=acting.counter.clock(),
            event=Event.ACT_DENIED,
            caller=caller,
            official=official,
            purpose=_purpose(request),
            request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
            outcome=str(error.facts.get("rule", error.code)),
        )
    )


def _purpose(request: Request) -> str:
    try:
        return _header(request, PURPOSE)
    except RequestError:
        return ""
