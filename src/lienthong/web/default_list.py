"""`/v1/default-list`: data shared by default, by agency, with its last review and the next one's day; and the act of reviewing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Offer
from lienthong.access.default_list import LEGAL_BASIS
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound
from lienthong.pipeline import default_list
from lienthong.pipeline.granting import agency_code
from lienthong.sharing.filters import read_known
from lienthong.store import default_reviews as store
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer, public_contracts
from lienthong.web.bodies import read_object, read_text, require_only

LARGEST_BODY = 20_000


@dataclass(frozen=True)
class DefaultList:
    """The addresses of this file."""

    counter: Counter
    offer: Offer
    months: int

    def routes(self) -> list[Route]:
        return [
            Route("/v1/default-list", self._list, methods=["GET"]),
            Route("/v1/default-list/{agency}/reviews", self._history, methods=["GET"]),
            Route("/v1/default-list/{agency}/reviews", self._review, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        return json_answer(await run_in_threadpool(self._listed), is_public=True)

    def _listed(self) -> Any:
        return told_list(self.counter, self.offer, self.months)

    async def _history(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        agency = _agency(request)
        return json_answer(await run_in_threadpool(self._reviews, agency), is_public=True)

    def _reviews(self, agency: str) -> Any:
        public = {each.id for each in public_contracts(self.counter)}
        with self.counter.connection() as connection:
            found = store.of(connection, agency)
        return {"agency": agency, "reviews": [told_review(each, public) for each in found]}

    async def _review(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        actor = await run_in_threadpool(acting.require, request, *default_list.REVIEWERS)
        sent = await read_object(request, LARGEST_BODY)
        require_only(sent, ("words", "decision"))
        words, decision = read_text(sent, "words"), read_text(sent, "decision", "")
        agency = _agency(request)
        workshop = self.counter.workshop
        part = await run_in_threadpool(default_list.review, workshop, actor, agency, words, decision, self.months)
        return json_answer(default_list.part_document(part, vietnam_date(self.counter.clock())))


def _agency(request: Request) -> str:
    """The agency of the address. Raises NotFound where it names none."""
    try:
        return agency_code(request.path_params["agency"])
    except BadRequest as error:
        raise NotFound(
            "There is no such agency.", hint=str(error), vi="Không có cơ quan này.", hint_vi=error.facts.get("vi", "")
        ) from error


def told_list(counter: Counter, offer: Offer, months: int) -> dict[str, Any]:
    """The list as it is published: each agency's part with its datasets, what may be had without asking anybody, the last review.

    Data whose entry is not for everybody is left out, and so is an agency that has no other.
    """
    today = vietnam_date(counter.clock())
    titles = {each.id: each for each in public_contracts(counter)}
    with counter.connection() as connection:
        parts = [
            part
            for part in default_list.default_parts(connection, counter.contracts.values(), months, today)
            if any(id in titles for id in (*part.datasets, *part.removed))
        ]
    told = [
        {
            **default_list.part_document(part, today),
            "datasets": [
                {"id": id, "title": titles[id].title_vi, "title_en": titles[id].title_en, "legal_basis": [basis.text for basis in titles[id].legal_basis]}
                for id in part.datasets
                if id in titles
            ],
            "added": [id for id in part.added if id in titles],
            "removed": [id for id in part.removed if id in titles],
        }
        for part in parts
    ]  # fmt: skip
    reviewed = [part.reviewed_on for part in parts if part.reviewed_on is not None]
    return {
        "parts": told,
        "reviewed_on": min(reviewed) if len(reviewed) == len(parts) and reviewed else None,
        "review_months": months,
        "offer": {"per_minute": offer.per_minute, "per_day": offer.per_day, "term_days": offer.term_days},
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in LEGAL_BASIS],
    }


def told_review(review: store.Review, public: set[str]) -> dict[str, Any]:
    """A review, of data whose entry is not for everybody only how many."""
    return {
        **{name: [id for id in getattr(review, name) if id in public] for name in ("datasets", "added", "removed")},
        "words": review.words, "decision": review.decision, "by": review.by, "at": review.at,
    }  # fmt: skip
