"""How a door asks: who asks in its protocol's way, the answer under the ordinary rights, the entry, and errors in its protocol's form.

Nothing here decides a right: a door's request is told to the ordinary authoriser, with the caller's token where that looks for it, and
with the purpose and the official where the protocol's clients can say them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Decision, Operation
from lienthong.access.share_tokens import BEARER, is_secret, read_bearer
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotAMethod, NotFound, Unauthenticated
from lienthong.ledger import Event
from lienthong.sharing.exchanges import ASKED, CARRIED
from lienthong.sharing.filters import Wanted
from lienthong.sharing.formats import Tally
from lienthong.sharing.pages import Desk, Given, Whole, entry_of
from lienthong.sharing.questions import Answer, Question, give_answer, stream_answer
from lienthong.sharing.rights import Right
from lienthong.store import Connection, take_web_role
from lienthong.store.answers import Ask
from lienthong.store.shares import Profile, profile_named
from lienthong.web.asking import Counter, answer_headers, request_bytes
from lienthong.web.authorising import IDENTIFIED
from lienthong.web.bodies import read_bytes
from lienthong.web.headers import OFFICIAL, PURPOSE
from lienthong.web.problem import told
from lienthong.web.recording import trace_of
from lienthong.web.records import file_of, stream_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LONGEST_CREDENTIAL = 8_192
BODY = "lienthong.body"
LARGEST_AT_ONCE = 1 << 20  # bytes of a message that is made whole before it leaves
_ENCODER = msgspec.json.Encoder()

Say = Callable[[int, Mapping[str, Any], Mapping[str, str]], Response]  # status, problem document, headers → the door's own error
Credential = Callable[[Request], tuple[str, str, str]]  # request → (token, purpose, official); empty: not said
Handler = Callable[[Counter, Request], Response]
Write = Callable[[Answer, Right], Response]
Read = Callable[[Connection, Desk, Contract, Question, Right], Answer]
StreamWrite = Callable[[Answer, Iterator[tuple[Any, ...]], Tally], Iterator[bytes]]


@dataclass(frozen=True)
class Door:
    """One protocol: its name in the ledger, how its clients say who asks, how it says errors.

    `credentials` are tried in order, the first that finds a token is used. `parameters` names the query parameters that may say the purpose
    and the official; "" where the protocol has no room for them. `challenge` is what a 401 asks for. `takes_profiles`: whether a profile of a
    share (`lienthong share`) opens this door too, so that a workbook may ask again tomorrow with the password it keeps.
    """

    name: str
    say: Say
    credentials: tuple[Credential, ...] = ()
    parameters: tuple[str, str] = ("", "")
    challenge: str = "Bearer"
    takes_profiles: bool = False

    def route(
        self, path: str, handler: Handler, counter: Counter, methods: Sequence[str] = ("GET", "HEAD"), most_bytes: int = 0
    ) -> Route:  # fmt: skip
        """A route whose errors, whatever they are, are said in the door's form. The handler works in a thread; `body_of` gives it the body.

        `most_bytes`: how long a body may be; 0: none is read.
        """

        async def endpoint(request: Request) -> Response:
            try:
                if request.method not in methods:
                    allow = ", ".join(methods)
                    raise NotAMethod(f"This address takes {allow}.", vi=f"Địa chỉ này nhận {allow}.", allow=allow)
                if most_bytes:
                    request.scope[BODY] = await read_bytes(request, most_bytes)
                return await run_in_threadpool(self._handled, handler, counter, request)
            except Exception as error:  # whatever it is, this door's clients are told in their own form
                status, document, headers = told(error)
                if status == 401:
                    headers["WWW-Authenticate"] = self.challenge
                return self.say(status, document, {"Cache-Control": "no-store", **headers})

        return Route(path, endpoint, methods=METHODS)

    def _handled(self, handler: Handler, counter: Counter, request: Request) -> Response:
        return handler(counter, self.ordinary(counter, request))

    def ordinary(self, counter: Counter, request: Request) -> Request:
        """The request as the authoriser reads one: a bearer's token, a purpose and an official in the headers of ours.

        Raises Unauthenticated for a credential that makes no sense, or a profile that stands no more.
        """
        token = purpose = official = ""
        for credential in self.credentials:
            token, purpose, official = credential(request)
            if token:
                break
        said = [request.query_params.get(name, "") if name else "" for name in self.parameters]
        own = {b"authorization": b"Bearer " + token.encode("latin-1", "replace")} if token else {}
        identified: dict[str, str] = {}
        if self.takes_profiles and token.startswith(BEARER):
            profile = _profile(counter, token)
            own = {b"authorization": b"", PURPOSE.encode(): _text(profile.purpose), OFFICIAL.encode(): _text(profile.official)}
            identified = {IDENTIFIED: profile.subsystem}
        for name, value in ((PURPOSE, said[0] or purpose), (OFFICIAL, said[1] or official)):
            if value and not request.headers.get(name) and not identified:
                own[name.encode()] = _text(value)
        headers = [(name, value) for name, value in request.scope["headers"] if name not in own]
        scope = {**request.scope, **identified, "headers": [*headers, *((name, value) for name, value in own.items() if value)]}
        request.scope[CARRIED] = scope[CARRIED] = (self.name, None, trace_of(request.scope))
        return _Told(scope, request)


def _text(value: str) -> bytes:
    return quote(value, safe=" ").encode()


def _profile(counter: Counter, token: str) -> Profile:
    """The profile a token is of; what it says of purpose and official is not the caller's to change. Raises Unauthenticated."""
    claimed = read_bearer(token)
    if claimed is not None:
        with counter.connection() as connection:
            found = profile_named(connection, claimed[0])
        if found is not None and found.kind == "bearer" and found.stands(counter.clock()) and is_secret(claimed[1], found.secret):
            return found
    raise Unauthenticated(
        "This profile opens nothing.",
        hint="Profiles end and are rotated; ask who issued it.",
        hint_vi="Hồ sơ chia sẻ có thời hạn và được thay định kỳ; hãy hỏi nơi đã cấp.",
        vi="Hồ sơ chia sẻ này không còn hiệu lực.",
    )


class _Told(Request):
    """A request in the ordinary form; what its handler says of it is said of the one that came."""

    def __init__(self, scope: dict[str, Any], original: Request) -> None:
        super().__init__(scope, original.receive)
        self.original = original


def body_of(request: Request) -> bytes:
    """The body of a request to a route that takes one."""
    body: bytes = request.scope.get(BODY, b"")
    return body


def bearer(request: Request) -> tuple[str, str, str]:
    """`Authorization: Bearer TOKEN` (or DPoP)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return (token.strip() if scheme.lower() == "bearer" else "", "", "")


def basic(request: Request) -> tuple[str, str, str]:
    """`Authorization: Basic`: the password is the access token; the user's name is the official, or `official/purpose`.

    Raises Unauthenticated when it is not well formed.
    """
    scheme, _, sealed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", "", ""
    try:
        if len(sealed) > LONGEST_CREDENTIAL:
            raise ValueError
        name, colon, token = base64.b64decode(sealed.strip(), validate=True).decode("utf-8").partition(":")
        if not colon or not token:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        raise Unauthenticated(
            "Expected `Authorization: Basic` with an access token for its password.",
            hint="The user's name is the official the data is for; the password is an access token from POST /oauth/token.",
            hint_vi="Tên người dùng là cán bộ mà dữ liệu được lấy cho; mật khẩu là mã truy cập từ POST /oauth/token.",
            vi="Cần `Authorization: Basic`, mật khẩu là mã truy cập.",
        ) from error
    official, _, purpose = name.rpartition("/") if "/" in name else (name, "", "")
    return token, purpose, official


def raw(*names: str) -> Credential:
    """The token alone in one of these headers, with or without `Bearer`."""

    def credential(request: Request) -> tuple[str, str, str]:
        for name in names:
            value = request.headers.get(name, "").strip()
            if value:
                return value.removeprefix("Bearer ").removeprefix("bearer ").strip(), "", ""
        return "", "", ""

    return credential


def authorise(counter: Counter, request: Request, contract: Contract, operation: str = "list") -> Right:
    """The caller's right, by the ordinary rules, charged and noted as any; what an agreement leaves no choice about need not be said.

    Raises Unauthenticated, Denied, QuotaExceeded or BadRequest, each with its entry in the ledger.
    """
    asked = counter.authorise.filled(request, contract)
    try:
        return counter.authorise(asked, contract, operation)
    finally:
        if ASKED in asked.scope and isinstance(request, _Told):
            request.original.scope[ASKED] = asked.scope[ASKED]


def answer(
    counter: Counter, door: Door, request: Request, contract: Contract, question: Question | Callable[[Right], Question], write: Write
) -> Response:  # fmt: skip
    """One page of a dataset, written by the door, with the entry of a page in the ledger before it leaves.

    `question` may be made from the right, where what is asked for depends on what is seen.
    """
    right = authorise(counter, request, contract)
    asked = question if isinstance(question, Question) else question(right)
    with counter.connection() as connection:
        found = give_answer(connection, counter.desk, contract, asked, right)
        response = write(found, right)
        given = Given(bytes(response.body), found.version, len(found.rows), found.fields, subjects=found.subjects)
        _note(counter, door, request, contract, right, given, connection)
    for name, value in answer_headers(contract, found.version).items():
        response.headers.setdefault(name, value)
    return response


def fetch(counter: Counter, door: Door, request: Request, contract: Contract, question: Question, read: Read = give_answer) -> Answer:
    """A page a door needs to make its answer of, under the ordinary right and with the entry of a page. `read` may be `give_distinct`."""
    right = authorise(counter, request, contract)
    with counter.connection() as connection:
        found = read(connection, counter.desk, contract, question, right)
        given = Given(_ENCODER.encode(found.rows), found.version, len(found.rows), found.fields, subjects=found.subjects)
        _note(counter, door, request, contract, right, given, connection)
    return found


def stream(
    counter: Counter, door: Door, request: Request, contract: Contract, right: Right, question: Question, write: StreamWrite, media_type: str
) -> Response:  # fmt: skip
    """Every row of a question as one message: small ones with the entry of a page, others in pieces with the two entries of a whole answer.

    `write` gets what is known of the answer, its rows and a tally, and gives the message in pieces. Raises NotFound when there are no rows.
    """
    if request.method == "HEAD":
        return Response(media_type=media_type)
    connection = counter.workshop.database.connect()  # of its own: a slow client must hold none of the pool's
    tally = Tally()
    try:
        take_web_role(connection)
        found, rows = stream_answer(connection, counter.desk, contract, question, right)
        pieces = _closing(connection, write(found, _counted(rows, tally), tally))
        begin, is_complete = _begin(pieces)
    except BaseException:
        connection.close()
        raise
    headers = answer_headers(contract, found.version)
    if is_complete and not (contract.is_about_persons and tally.rows):
        body = b"".join(begin)
        _note(counter, door, request, contract, right, Given(body, found.version, tally.rows, found.fields))
        if not tally.rows:
            raise NotFound("Nothing was found for this question.", vi="Không có dữ liệu cho câu hỏi này.")
        return Response(body, headers=headers, media_type=media_type)
    ask = Ask(contract.id, found.fields, right.conditions, as_of=question.as_of, limit=None, where=question.where)
    whole = Whole(ask, found.version, found.fields, found.withheld, found.not_delivered, {})
    return stream_of(counter, request, contract, right, whole, chain(begin, pieces), tally, media_type, headers, door.name)


def _begin(pieces: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """(the first pieces, whether they are all)."""
    begin: list[bytes] = []
    while sum(map(len, begin)) < LARGEST_AT_ONCE:
        piece = next(pieces, None)
        if piece is None:
            return begin, True
        begin.append(piece)
    return begin, False


def _closing(connection: Connection, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        connection.close()


def _counted(rows: Iterator[list[tuple[Any, ...]]], tally: Tally) -> Iterator[tuple[Any, ...]]:
    for some in rows:
        tally.rows += len(some)
        yield from some


def _note(
    counter: Counter, door: Door, request: Request, contract: Contract, right: Right, given: Given, connection: Connection | None = None
) -> None:  # fmt: skip
    entry = entry_of(Event.ANSWER_PAGE, contract, right, counter.clock(), request_bytes(request), given)
    counter.append(replace(entry, details={**entry.details, "door": door.name}), connection)


def file(counter: Counter, door: Door, request: Request, contract: Contract, wanted: Wanted, form: str) -> Response:
    """A whole answer as a file of one of our formats, with its two entries."""
    right = authorise(counter, request, contract, Operation.BULK)
    return file_of(counter, request, contract, wanted, right, form, door.name)


def visible(counter: Counter, request: Request, operation: Operation = Operation.LIST) -> list[tuple[Contract, Decision]]:
    """The datasets the caller may ask for in this way, each with what is seen of it; nothing is charged and nothing noted: no data leaves.

    What the request itself does not say but could (a purpose, an official) is taken as said. Raises Unauthenticated for a bad token.
    """
    return counter.authorise.openings(request, counter.contracts.values(), operation)


def once(pairs: Sequence[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Query parameters by name. Raises BadRequest for one that is given twice, or not known, or holds NUL."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise BadRequest(f"Unknown parameter `{name[:60]}`.", vi=f"Không có tham số `{name[:60]}`.")
        if name in found or "\x00" in value:
            raise BadRequest(f"`{name}` is given twice or holds NUL.", vi=f"`{name}` có hai lần hoặc có ký tự NUL.")
        found[name] = value
    return found
