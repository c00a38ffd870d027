"""`/v1/share-profiles`: what an agency's officers do with the profiles of its subsystems; a profile's token or secret is in the first answer only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor
from lienthong.errors import Unprocessable
from lienthong.pipeline import share_profiles as acts
from lienthong.pipeline.share_profiles import KEEPERS, Issued
from lienthong.store.shares import Profile
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json

LARGEST_BODY = 16_384
ROOT = "/v1/share-profiles"


@dataclass(frozen=True)
class ProfileDesk:
    """The acts, over HTTP. `url` is where the Delta door is; `days` how long a profile is good where none are named."""

    counter: Counter
    url: str
    days: int

    def routes(self) -> list[Route]:
        return [
            Route(ROOT, self._act(self._list, None), methods=["GET"]),
            Route(
                ROOT,
                self._act(self._issue, {"subsystem": str, "purpose": str, "official": str}, {"kind": str, "days": int}),
                methods=["POST"],
            ),
            Route(ROOT + "/{profile}/rotate", self._act(self._rotate, {}, {"days": int, "overlap_days": int}), methods=["POST"]),
            Route(ROOT + "/{profile}/end", self._act(self._end, {"reason": str}), methods=["POST"]),
        ]

    def _act(
        self, act: Callable[[Actor, Request, dict[str, Any]], Any], needed: dict[str, type] | None, maybe: dict[str, type] | None = None
    ) -> Any:  # fmt: skip
        async def answer(request: Request) -> Response:
            actor = await run_in_threadpool(acting.require, request, *KEEPERS)
            sent = {} if needed is None else _checked(await read_json(request, LARGEST_BODY), needed, maybe or {})
            return json_answer(await run_in_threadpool(act, actor, request, sent))

        return answer

    def _list(self, actor: Actor, _: Request, __: dict[str, Any]) -> Any:
        return {"profiles": [described(each) for each in acts.listed(self.counter.workshop, actor)]}

    def _issue(self, actor: Actor, _: Request, sent: dict[str, Any]) -> Any:
        kind, days = sent.get("kind", "bearer"), sent.get("days", self.days)
        issued = acts.issue(self.counter.workshop, actor, sent["subsystem"], kind, sent["purpose"], sent["official"], days)
        return self._told(issued)

    def _rotate(self, actor: Actor, request: Request, sent: dict[str, Any]) -> Any:
        profile = request.path_params["profile"]
        days, overlap = sent.get("days", self.days), sent.get("overlap_days", 0)
        return self._told(acts.rotate(self.counter.workshop, actor, profile, days, overlap))

    def _end(self, actor: Actor, request: Request, sent: dict[str, Any]) -> Any:
        acts.end(self.counter.workshop, actor, request.path_params["profile"], sent["reason"])
        return {"profile": request.path_params["profile"], "ended": True}

    def _told(self, issued: Issued) -> dict[str, Any]:
        return {"profile": described(issued.profile), "file": acts.document_of(issued, self.url)}


def described(profile: Profile) -> dict[str, Any]:
    """A profile without what proves it."""
    return {
        "profile": profile.profile,
        "subsystem": profile.subsystem,
        "kind": profile.kind,
        "purpose": profile.purpose,
        "official": profile.official,
        "made_at": profile.made_at,
        "made_by": profile.made_by,
        "expires_at": profile.expires_at,
        "replaces": profile.replaces,
        "ended_at": profile.ended_at,
    }


def _checked(sent: Any, needed: dict[str, type], maybe: dict[str, type]) -> dict[str, Any]:
    known = {**needed, **maybe}
    is_right = isinstance(sent, dict) and set(needed) <= set(sent) <= set(known)
    if not is_right or not all(isinstance(value, known[name]) and not isinstance(value, bool) for name, value in sent.items()):
        named = ", ".join([*needed, *(f"{name}?" for name in maybe)])
        raise Unprocessable(f"Expected an object of {named}.", vi=f"Cần một đối tượng gồm {named}.")
    return dict(sent)
