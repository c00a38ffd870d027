"""`GET /v1/receipts/{digest}`: the proof that an answer you were given is in the ledger. The digest is the SHA-256 of the answer's bytes."""

from __future__ import annotations

import re
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Quota
from lienthong.errors import BadRequest
from lienthong.ledger import Entry, Event
from lienthong.settings import Settings
from lienthong.sharing.attesting import witnesses_of
from lienthong.sharing.filters import read_known
from lienthong.sharing.receipts import Notary, receipt_of_answer
from lienthong.web.asking import Counter, json_answer
from lienthong.web.authorising import Authoriser
from lienthong.web.identified import identify

QUOTA = Quota(per_minute=600, per_day=100_000)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


def notary_of(counter: Counter, settings: Settings) -> Notary:
    """Who signs, by the settings."""
    return Notary(counter.workshop.signer, tuple(witness.key for witness in witnesses_of(settings)), settings.witnesses_needed)


def routes_of(counter: Counter, authorise: Authoriser, notary: Notary) -> list[Route]:
    """The routes of this file."""
    return [Route("/v1/receipts/{digest}", partial(_given, counter, authorise, notary))]


async def _given(counter: Counter, authorise: Authoriser, notary: Notary, request: Request) -> Response:
    return await run_in_threadpool(_answer, counter, authorise, notary, request)


def _answer(counter: Counter, authorise: Authoriser, notary: Notary, request: Request) -> Response:
    who = identify(counter, authorise, request, "", "receipt", QUOTA, with_reason=False)
    digest: str = request.path_params["digest"]
    before = read_known(request.query_params.multi_items(), ("before",)).get("before")
    if not _DIGEST.fullmatch(digest) or (before is not None and not _NUMBER.fullmatch(before)):
        raise BadRequest(
            "Expected the SHA-256 of an answer in hex, and a position in `before`.",
            vi="Cần mã băm SHA-256 của câu trả lời (hex); `before` là một vị trí trong sổ.",
        )
    with counter.connection() as connection:
        made = receipt_of_answer(connection, notary, who.caller, digest, None if before is None else int(before))
        entry = Entry(
            at=counter.clock(), event=Event.RECEIPT_GIVEN, caller=who.caller, official=who.official, purpose=who.purpose,
            outcome="given", details={"position": made["index"]},
        )  # fmt: skip
        counter.append(entry, connection)
    return json_answer(made)
