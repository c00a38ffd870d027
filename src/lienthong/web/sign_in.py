"""Signing in and out: to the identity provider and back, the second factor, and a page of one's own.

GET  /sign-in?next=/…            to the provider          GET  /sign-in/callback      and back
GET  /sign-in/me                 who I am here            POST /sign-out              here, or everywhere
GET, POST /sign-in/second-factor a code                   POST /sign-in/passkey/…     a passkey
GET, POST /sign-in/factors/totp  add a code app           POST /sign-in/factors/end   end a factor
GET  /v1/me                      the same as JSON
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lienthong.access import Person, Sealer, Session
from lienthong.errors import Denied, LienthongError, RequestError, StoreError, Unauthenticated, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.store import agencies
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_form, read_object
from lienthong.web.oidc_party import Party, Pending
from lienthong.web.pages.rendering import rooms_of
from lienthong.web.pages.speaking import words
from lienthong.web.people_pages import page, script
from lienthong.web.second_factors import SecondFactors
from lienthong.web.sessions import Sessions

LASTS_SECONDS = 600.0
LARGEST_CREDENTIAL = 65_536
HOME = "/sign-in/me"
OTHERS = (("/datasets", "common.data"), ("/training", "common.training"))  # besides the rooms of one's roles
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # a path of ours: what browsers read as another host does not fit
Answer = Callable[[Request, dict[str, str]], Response]


@dataclass(frozen=True)
class SignIn:
    """What these addresses work with. `party` is None where nobody signs in."""

    counter: Counter
    sessions: Sessions
    factors: SecondFactors
    sealer: Sealer
    party: Party | None

    def routes(self) -> list[Route]:
        routes = [Route("/v1/me", _threaded(self._me_json))]
        if self.party is None:
            return routes
        return [
            *routes,
            Route("/sign-in", _threaded(self._begin)),
            Route("/sign-in/callback", _threaded(self._back)),
            Route(HOME, _threaded(self._me)),
            Route("/assets/passkey.js", passkey_script),
            Route("/sign-out", _with_form(self._out), methods=["POST"]),
            Route("/sign-in/second-factor", _threaded(self._ask_second), methods=["GET"]),
            Route("/sign-in/second-factor", _with_form(self._take_second), methods=["POST"]),
            Route("/sign-in/factors/totp", _threaded(self._ask_totp), methods=["GET"]),
            Route("/sign-in/factors/totp", _with_form(self._take_totp), methods=["POST"]),
            Route("/sign-in/factors/end", _with_form(self._end_factor), methods=["POST"]),
            Route("/sign-in/passkey/{what}", self._passkey, methods=["POST"]),
        ]

    # To the provider and back

    def _begin(self, request: Request) -> Response:
        assert self.party is not None
        url, pending = self.party.begin(local(request.query_params.get("next", "")), LASTS_SECONDS)
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        sealed = base64.urlsafe_b64encode(self.sealer.seal(msgspec.json.encode(pending), "signing in")).decode()
        response.set_cookie(
            self._cookie, sealed, max_age=int(LASTS_SECONDS), path="/", secure=self.sessions.is_secure, httponly=True, samesite="lax"
        )
        return response

    def _back(self, request: Request) -> Response:
        assert self.party is not None
        found = request.query_params
        try:
            pending = self._pending(request)
            if not hmac.compare_digest(pending.state.encode(), found.get("state", "").encode()) or len(found.getlist("code")) != 1:
                raise Unauthenticated(
                    "The provider's answer does not belong to this browser.", vi="Câu trả lời không thuộc trình duyệt này."
                )
            if found.get("iss", self.party.issuer) != self.party.issuer:  # RFC 9207
                raise Unauthenticated("Another provider answered.", vi="Nhà cung cấp định danh khác trả lời.")
            who = self.party.finish(pending, found["code"], self.counter.clock())
        except RequestError as error:
            self._note_refused(error)
            words = str(error.facts.get("vi") or "")
            response = page("refused.html", 401, vi=words, en=error.message, again="/sign-in")
            response.delete_cookie(self._cookie, path="/")
            return response
        response = RedirectResponse(pending.then, 303, headers={"Cache-Control": "no-store"})
        self.sessions.begin(response, who, after=request)
        person = self.sessions.person_of(who)
        if person is not None and acting.needs_second_factor(person.roles):
            response.headers["location"] = "/sign-in/second-factor?next=" + quote(pending.then, safe="")
        response.delete_cookie(self._cookie, path="/")
        return response

    def _pending(self, request: Request) -> Pending:
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(self._cookie, "").encode("ascii", "replace"))
            pending = msgspec.json.decode(self.sealer.open(sealed, "signing in"), type=Pending)
        except (StoreError, msgspec.MsgspecError, binascii.Error, ValueError) as error:
            raise Unauthenticated("No sign-in was begun in this browser.", vi="Chưa bắt đầu đăng nhập ở trình duyệt này.") from error
        if pending.until < time.time():
            raise Unauthenticated("The sign-in took too long.", vi="Đăng nhập quá lâu.")
        return pending

    @property
    def _cookie(self) -> str:
        return self.sessions.cookie + "-signing-in"

    def _note_refused(self, error: LienthongError) -> None:
        assert self.party is not None
        entry = Entry(self.counter.clock(), Event.SIGN_IN_REFUSED, self.party.issuer, outcome="refused", details={"why": error.message})
        self.counter.append(entry)

    def _out(self, request: Request, form: dict[str, str]) -> Response:
        acting.session_with(request, form.get("csrf", ""))
        response = RedirectResponse("/", 303, headers={"Cache-Control": "no-store"})
        self.sessions.end(request, response, everywhere=form.get("where") == "everywhere")
        return response

    # Who I am here

    def _me(self, request: Request) -> Response:
        session = acting.session_of(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        held = [] if session.person is None else self.factors.kinds(session.person)
        rooms = [(address, *words()[key]) for address, key in rooms_of(session)]
        others = [(address, *words()[key]) for address, key in OTHERS if address not in {address for address, *_ in rooms}]
        return self._page(
            "me.html", session, has_script=True, held=[factor for factor in held if factor.kind != "recovery"], rooms=rooms, others=others,
            agency_name=self._agency_name(session),
        )  # fmt: skip

    def _agency_name(self, session: Session) -> str:
        if session.person is None:
            return ""
        with self.counter.connection() as connection:
            agency = agencies.read(connection).by_code.get(session.person.agency)
        return "" if agency is None else agency.name

    def _me_json(self, request: Request) -> Response:
        session = acting.session_of(request)
        if session is None:
            raise acting.refusal("no_identity")
        actor = session.actor
        return json_answer(
            {
                "name": session.who.name,
                "handle": actor.name,
                "agency": actor.agency,
                "roles": sorted(actor.roles),
                "second_factor": session.second_factor_at is not None,
                "waits_for_second_factor": session.waits_for_second_factor,
                "csrf": session.csrf,
            }
        )

    # The second factor

    def _ask_second(self, request: Request) -> Response:
        session, person = self._person(request)
        then = local(request.query_params.get("next", ""))
        kinds = {factor.kind for factor in self.factors.kinds(person)}
        if not kinds & {"totp", "passkey"}:
            return RedirectResponse("/sign-in/factors/totp?next=" + quote(then, safe=""), 303)
        return self._page("second_factor.html", session, has_script=True, kinds=kinds, then=then, failed="")

    def _take_second(self, request: Request, form: dict[str, str]) -> Response:
        session, person = self._person(request, form)
        then = local(form.get("next", ""))
        try:
            kind = self.factors.check_code(person, form.get("code", ""))
        except RequestError as error:
            kinds = {factor.kind for factor in self.factors.kinds(person)}
            words = str(error.facts.get("vi") or error.message)
            return self._page("second_factor.html", session, error.status, has_script=True, kinds=kinds, then=then, failed=words)
        response = RedirectResponse(then, 303, headers={"Cache-Control": "no-store"})
        self.sessions.begin(response, session.who, second_factor=kind, after=request)
        return response

    def _ask_totp(self, request: Request) -> Response:
        session, person = self._adding(request)
        sealed, secret, picture = self.factors.new_totp(person)
        then = local(request.query_params.get("next", ""))
        return self._page("add_totp.html", session, sealed=sealed, secret=secret, picture=picture, then=then, failed="")

    def _take_totp(self, request: Request, form: dict[str, str]) -> Response:
        session, person = self._adding(request, form)
        then = local(form.get("next", ""))
        try:
            codes = self.factors.add_totp(person, form.get("sealed", ""), "".join(form.get("code", "").split()))
        except RequestError as error:
            sealed, secret, picture = self.factors.new_totp(person)
            words = str(error.facts.get("vi") or error.message)
            return self._page(
                "add_totp.html", session, error.status, sealed=sealed, secret=secret, picture=picture, then=then, failed=words
            )
        response = self._page("recovery.html", session, codes=codes, then=then)
        self.sessions.begin(response, session.who, second_factor="totp", after=request)
        return response

    def _end_factor(self, request: Request, form: dict[str, str]) -> Response:
        session, person = self._person(request, form)
        if session.second_factor_at is None:
            raise acting.refusal("no_second_factor")
        number = form.get("factor", "")
        if number.isascii() and number.isdigit():
            self.factors.end(person, int(number[:18]))
        return RedirectResponse(HOME, 303)

    async def _passkey(self, request: Request) -> Response:
        document = await read_object(request, LARGEST_CREDENTIAL)
        return await run_in_threadpool(self._passkey_step, request, document)

    def _passkey_step(self, request: Request, document: Mapping[str, Any]) -> Response:
        session, person = self._person(request)
        what, here = request.path_params["what"], session.csrf  # the token names the session: a challenge serves one session only
        challenge, credential = str(document.get("challenge", "")), document.get("credential")
        if what == "options":
            return json_answer(self.factors.passkey_to_check(person, here))
        if what == "new-options":
            self._adding(request)
            return json_answer(self.factors.passkey_to_add(person, here))
        if what not in ("check", "new") or not isinstance(credential, dict):
            raise Unprocessable("Expected a challenge and a credential.", vi="Cần thử thách và khóa.")
        codes: list[str] = []
        if what == "check":
            self.factors.check_passkey(person, here, challenge, credential)
        else:
            self._adding(request)
            codes = self.factors.add_passkey(person, here, challenge, credential, str(document.get("label", "")))
        response = json_answer({"recovery_codes": codes})
        self.sessions.begin(response, session.who, second_factor="passkey", after=request)
        return response

    def _person(self, request: Request, form: dict[str, str] | None = None) -> tuple[Session, Person]:
        session = acting.session_with(request, "" if form is None else form.get("csrf", ""))
        if session is None:
            raise acting.refusal("no_identity")
        if session.person is None:
            raise acting.refusal("no_role")
        return session, session.person

    def _adding(self, request: Request, form: dict[str, str] | None = None) -> tuple[Session, Person]:
        """Who may add a factor: whoever gave one, or has none yet."""
        session, person = self._person(request, form)
        if session.second_factor_at is None and any(f.kind in ("totp", "passkey") for f in self.factors.kinds(person)):
            raise acting.refusal("no_second_factor")
        return session, person

    def _page(self, name: str, session: Session, status: int = 200, *, has_script: bool = False, **values: Any) -> Response:
        return page(name, status, has_script=has_script, session=session, csrf=session.csrf, is_sample=self.counter.is_sample, **values)


def passkey_script(_: Request) -> Response:
    """The one script of these pages."""
    return Response(script(), media_type="text/javascript; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})


def local(address: str) -> str:
    """Where to go after signing in: an address of ours, or the person's own page."""
    return address if len(address) <= 2_000 and _LOCAL.fullmatch(address) else HOME


def _threaded(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return run


def _with_form(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        form = await read_form(request)
        if form is None:
            raise Denied("Expected a form of this page.", rule="forged", vi="Yêu cầu không đến từ trang của hệ thống.")
        return await run_in_threadpool(answer, request, form)

    return run
