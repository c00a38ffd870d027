"""`/v1/subscriptions`: events sent to an address, asked for and looked after by the subsystem that gets them.

A subsystem sees its own subscriptions alone. To begin or change one takes an agreement with the operation `changes`; each delivery is decided anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Quota
from lienthong.connectors.outward import Poster
from lienthong.contracts import Contract
from lienthong.errors import NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.sharing import subscribing
from lienthong.sharing.cloud_events import ONE, encode_one
from lienthong.sharing.filters import read_known, read_limit, shown
from lienthong.sharing.rights import Right
from lienthong.sharing.signing import KINDS, SHARED, sign
from lienthong.sharing.stream import BEGINNING, Place, Told, place_of
from lienthong.sharing.subscribing import LONGEST_OVERLAP_HOURS, OVERLAP_HOURS, Clerk
from lienthong.store import append_entries
from lienthong.store import subscriptions as store
from lienthong.store.subscriptions import Subscription
from lienthong.web.asking import PRIVATE, Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.bodies import read_json
from lienthong.web.identified import Identified, identify

LARGEST_BODY = 50_000
MOST_LISTED = 1_000
USUAL_LISTED = 100
QUOTA = Quota(per_minute=300)
ABOUT = "subscriptions"
TESTED = "subscription:tested"
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class _Asked:
    """A request by a subsystem about one of its subscriptions. `right` is empty but for who asks."""

    who: Identified
    found: Subscription

    @property
    def right(self) -> Right:
        return Right(self.who.caller, self.who.official, self.who.purpose)


class Subscriptions:
    """The handlers, over one clerk."""

    def __init__(self, counter: Counter, authorise: Authoriser, clerk: Clerk, timeout_seconds: float) -> None:
        self._counter = counter
        self._authorise = authorise
        self._clerk = clerk
        self._timeout = timeout_seconds

    def routes(self) -> list[Route]:
        root = "/v1/subscriptions"
        one = f"{root}/{{id}}"
        return [
            Route(root, self._listed, methods=["GET"]),
            Route(root, self._made, methods=["POST"]),
            Route(one, self._shown, methods=["GET"]),
            Route(one, self._changed, methods=["PATCH"]),
            Route(one, self._ended, methods=["DELETE"]),
            Route(f"{one}/secrets", self._renewed, methods=["POST"]),
            Route(f"{one}/pause", self._paused, methods=["POST"]),
            Route(f"{one}/resume", self._resumed, methods=["POST"]),
            Route(f"{one}/test", self._tested, methods=["POST"]),
            Route(f"{one}/deliveries", self._deliveries, methods=["GET"]),
            Route(f"{one}/dead-letters", self._dead_letters, methods=["GET"]),
            Route(f"{one}/dead-letters/replay", self._replayed, methods=["POST"]),
        ]

    # Reading

    async def _listed(self, request: Request) -> Response:
        return await run_in_threadpool(self._list, request)

    def _list(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        who = self._identify(request, "list", with_reason=False)
        with self._clerk.database.connect() as connection:
            found = store.some(connection, caller=who.caller, roads=[subscribing.WEBHOOK], limit=MOST_LISTED)
        return _json({"subscriptions": [_told(each) for each in found]})

    async def _shown(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        asked = await run_in_threadpool(self._ask, request, "show", with_reason=False)
        return _json(_told(asked.found))

    async def _deliveries(self, request: Request) -> Response:
        known = read_known(request.query_params.multi_items(), ("limit", "before"))
        limit = read_limit(known.get("limit"), MOST_LISTED) or USUAL_LISTED
        before = read_limit(known.get("before"), store.LARGEST)

        def answer() -> Response:
            asked = self._ask(request, "deliveries", with_reason=False)
            with self._clerk.database.connect() as connection:
                found = store.deliveries(connection, asked.found.subscription, limit, before)
            return _json({"deliveries": [each._asdict() for each in found], "next": found[-1].attempt if len(found) == limit else None})

        return await run_in_threadpool(answer)

    async def _dead_letters(self, request: Request) -> Response:
        known = read_known(request.query_params.multi_items(), ("limit",))
        limit = read_limit(known.get("limit"), MOST_LISTED) or USUAL_LISTED

        def answer() -> Response:
            asked = self._ask(request, "dead_letters", with_reason=False)
            with self._clerk.database.connect() as connection:
                found = store.dead_letters(connection, asked.found.subscription, limit)
            return _json({"dead_letters": [each._asdict() for each in found]})

        return await run_in_threadpool(answer)

    # Acting

    async def _made(self, request: Request) -> Response:
        document = _object(await read_json(request, LARGEST_BODY))

        def answer() -> Response:
            contract = self._contract(document.get("dataset"))
            right = self._authorise(request, contract, "changes")
            wish = subscribing.read_wish(document, contract, right, self._clerk.networks)
            new, made = subscribing.subscribe(self._clerk, contract, right, wish, self._begin(wish.begin))
            secrets_shown = [{"kind": each.kind, "secret": each.shown} for each in made]
            return _json({**_told(self._found(new.subscription, right.caller)), "secrets": secrets_shown}, 201)

        return await run_in_threadpool(answer)

    async def _changed(self, request: Request) -> Response:
        document = _object(await read_json(request, LARGEST_BODY))

        def answer() -> Response:
            asked = self._ask(request, "change")
            contract = self._contract(asked.found.dataset)
            right = self._authorise(request, contract, "changes")
            changed = subscribing.read_change(asked.found, document, contract, right, self._clerk.networks)
            subscribing.change(self._clerk, changed, right, list(document))
            return self._again(asked)

        return await run_in_threadpool(answer)

    async def _ended(self, request: Request) -> Response:
        def answer() -> Response:
            asked = self._ask(request, "end")
            subscribing.end(self._clerk, asked.found, asked.right)
            return Response(status_code=204)

        return await run_in_threadpool(answer)

    async def _renewed(self, request: Request) -> Response:
        document = _object(await read_json(request, LARGEST_BODY), ("kind", "overlap_hours"))
        kind, hours = document.get("kind", SHARED), document.get("overlap_hours", OVERLAP_HOURS)
        if kind not in KINDS:
            raise Unprocessable("`kind`: expected `v1` or `v1a`.", vi="`kind`: cần `v1` hoặc `v1a`.")
        if not isinstance(hours, int) or isinstance(hours, bool) or not 0 <= hours <= LONGEST_OVERLAP_HOURS:
            raise Unprocessable(
                f"`overlap_hours`: expected 0 to {LONGEST_OVERLAP_HOURS}.", vi=f"`overlap_hours`: từ 0 đến {LONGEST_OVERLAP_HOURS}."
            )

        def answer() -> Response:
            asked = self._ask(request, "renew")
            made, until = subscribing.renew_secret(self._clerk, asked.found, asked.right, kind, hours)
            return _json({"kind": made.kind, "secret": made.shown, "old_until": until}, 201)

        return await run_in_threadpool(answer)

    async def _paused(self, request: Request) -> Response:
        return await self._act(request, "pause", subscribing.pause)

    async def _resumed(self, request: Request) -> Response:
        return await self._act(request, "resume", subscribing.resume)

    async def _act(self, request: Request, name: str, act: Callable[[Clerk, Subscription, Right], None]) -> Response:
        def answer() -> Response:
            asked = self._ask(request, name)
            act(self._clerk, asked.found, asked.right)
            return self._again(asked)

        return await run_in_threadpool(answer)

    async def _replayed(self, request: Request) -> Response:
        document = _object(await read_json(request, LARGEST_BODY), ("delivery",))
        delivery = document.get("delivery")
        if delivery is not None and (not isinstance(delivery, str) or "\x00" in delivery):
            raise Unprocessable("`delivery`: expected the id of one, or nothing for all.", vi="`delivery`: cần mã của một lần gửi.")

        def answer() -> Response:
            asked = self._ask(request, "replay")
            return _json({"replayed": subscribing.replay(self._clerk, asked.found, asked.right, delivery)})

        return await run_in_threadpool(answer)

    async def _tested(self, request: Request) -> Response:
        """Send an event that says nothing, now, signed as all others; the answer says how it went."""
        asked = await run_in_threadpool(self._ask, request, "test")
        at, delivery = self._counter.clock(), f"msg_test_{secrets.token_hex(8)}"
        body, headers = await run_in_threadpool(self._test_of, asked, delivery, at)
        poster = Poster(self._clerk.networks, self._timeout, self._counter.clock)
        try:
            sent = await poster.post(asked.found.url, headers, body)
        finally:
            await poster.close()
        outcome = "delivered" if sent.status is not None and 200 <= sent.status < 300 else "failed"
        line = {
            "subscription": asked.found.subscription, "delivery": delivery, "number": 1, "at": at, "events": 0, "bytes": len(body),
            "outcome": outcome, "status": sent.status, "reason": sent.reason, "milliseconds": sent.milliseconds,
        }  # fmt: skip
        await run_in_threadpool(self._note, asked, line)
        return _json({name: line[name] for name in ("delivery", "outcome", "status", "reason", "milliseconds")})

    def _test_of(self, asked: _Asked, delivery: str, at: datetime) -> tuple[bytes, Mapping[str, str]]:
        told = Told(
            Place(0), delivery, TESTED, asked.found.dataset, asked.found.subscription, at, {"subscription": asked.found.subscription}
        )
        body = encode_one(told, self._counter.public_url)
        with self._clerk.database.connect() as connection:
            signers = subscribing.secrets_of(connection, self._clerk, [asked.found.subscription])
        timestamp = int(at.timestamp())
        signature = sign(signers.get(asked.found.subscription, ()), delivery, timestamp, body)
        headers = {"webhook-id": delivery, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
        return body, {"Content-Type": ONE, "Content-Length": str(len(body)), "User-Agent": "Lienthong-Webhooks/1.0", **headers}

    def _note(self, asked: _Asked, line: Mapping[str, Any]) -> None:
        entry = Entry(
            at=self._counter.clock(),
            event=Event.SUBSCRIPTION_CHANGED,
            caller=asked.who.caller,
            official=asked.who.official,
            purpose=asked.who.purpose,
            dataset=asked.found.dataset,
            outcome=str(line["outcome"]),
            details={"subscription": asked.found.subscription, "changed": ["tested"], "delivery": line["delivery"]},
        )
        with self._clerk.database.connect() as connection:
            store.note(connection, [line])
            append_entries(connection, [entry], self._clerk.signer)

    # Who asks, about what

    def _identify(self, request: Request, operation: str, *, with_reason: bool) -> Identified:
        return identify(self._counter, self._authorise, request, ABOUT, f"subscriptions_{operation}", QUOTA, with_reason=with_reason)

    def _ask(self, request: Request, operation: str, *, with_reason: bool = True) -> _Asked:
        """Raises NotFound for another's subscription as for none."""
        who = self._identify(request, operation, with_reason=with_reason)
        return _Asked(who, self._found(request.path_params["id"], who.caller))

    def _found(self, id: str, caller: str) -> Subscription:
        found = []
        if "\x00" not in id:
            with self._clerk.database.connect() as connection:
                found = store.some(connection, caller=caller, subscription=id, roads=[subscribing.WEBHOOK])
        if not found:
            raise NotFound(f"There is no subscription `{shown(id)}`.", vi=f"Không có đăng ký `{shown(id)}`.")
        return found[0]

    def _again(self, asked: _Asked) -> Response:
        return _json(_told(self._found(asked.found.subscription, asked.who.caller)))

    def _contract(self, name: Any) -> Contract:
        contract = self._counter.contracts.get(name) if isinstance(name, str) else None
        if contract is None:
            raise Unprocessable("`dataset`: expected one of GET /v1/datasets.", vi="`dataset`: cần một bộ dữ liệu trong GET /v1/datasets.")
        return contract

    def _begin(self, begin: str) -> Place | None:
        if begin == "now":
            return None
        return BEGINNING if begin == "beginning" else place_of(self._counter.desk, begin)


def _object(document: Any, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise Unprocessable("Expected an object.", vi="Cần một đối tượng JSON.")
    for name in document if names is not None else ():
        if name not in (names or ()):
            raise Unprocessable(f"`{shown(name)}` is not understood.", vi=f"Không hiểu `{shown(name)}`.")
    return document


def _told(found: Subscription) -> dict[str, Any]:
    """A subscription as its owner sees it."""
    told = asdict(found)
    names = (
        "caller", "official", "purpose", "dataset", "url", "types", "conditions", "form", "most", "state", "why", "held", "since", "made_at",
        "failing_since", "position", "pending",
    )  # fmt: skip
    return {
        "id": found.subscription,
        **{name: told[name] for name in names},
        "ordering": "strict" if found.lanes == 1 else "key",
        "dead_letters": found.dead,
    }


def _json(value: Any, status: int = 200) -> Response:
    return Response(_ENCODE(value), status, media_type="application/json", headers=PRIVATE)
