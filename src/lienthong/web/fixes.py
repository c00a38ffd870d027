"""`POST …/quarantine/fixes`: one fix for many waiting rows, looked at first; and how pages and the command line read one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract
from lienthong.errors import Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop, fixing
from lienthong.pipeline.correct import By
from lienthong.sharing.filters import read_known
from lienthong.store import append_entries
from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.bodies import read_json

LARGEST_BODY = 100_000
TEXTS = ("code", "pattern")
MAYBE = ("equals", "put")
FLAGS = ("clear", "suggest")


async def asked(counter: Counter, request: Request) -> Response:
    """Without `digest`: what the fix would do. With the digest of that: it is done, to exactly those rows."""
    contract = contract_of(counter, request)
    right = await run_in_threadpool(counter.authorise, request, contract, "own")
    read_known(request.query_params.multi_items(), ())
    body = await read_json(request, LARGEST_BODY)
    if not isinstance(body, dict) or not {"fix"} <= set(body) <= {"fix", "digest"} or not isinstance(body.get("digest", ""), str):
        raise Unprocessable('Expected {"fix": {…}} and, to do it, "digest".', vi='Cần {"fix": {…}} và, để thực hiện, "digest".')
    fix = fix_of(body["fix"])
    by = By(right.official, right.caller, right.purpose)
    digest = body.get("digest")
    act = look if digest is None else do
    return json_answer(await run_in_threadpool(act, counter.workshop, contract, fix, by, digest or ""))


def look(place: Workshop, contract: Contract, fix: fixing.Fix, by: By, _: str = "") -> dict[str, Any]:
    """The preview, the first rows of it shown; who looked is in the ledger."""
    seen = fixing.preview(place, contract, fix)
    shown = seen.hits[: fixing.SHOWN]
    details = {"items": len(shown), "form": "rule"}
    entry = Entry(
        place.clock(), Event.QUARANTINE_LISTED, by.caller, by.official, by.purpose, dataset=contract.id, outcome="given", details=details
    )
    with place.database.connect() as connection:
        append_entries(connection, [entry], place.signer)
    hits = [{"item": hit.item, "row": hit.source_row, "before": hit.before, "after": hit.after} for hit in shown]
    return {"rows": len(seen.hits), "hits": hits, "digest": seen.digest}


def do(place: Workshop, contract: Contract, fix: fixing.Fix, by: By, digest: str) -> dict[str, Any]:
    """The fix done. Raises Conflict when the rows are not those of the digest."""
    seen, done = fixing.apply(place, contract, fix, digest, by)
    through, waiting = fixing.counts_of(done)
    run = None if done.outcome is None else done.outcome.run_id
    version = None if done.outcome is None else done.outcome.version
    return {"rows": len(seen.hits), "through": through, "waiting": waiting, "run": run, "version": version}


def fix_of(said: Any) -> fixing.Fix:
    """A fix as JSON or a form says it. Raises Unprocessable."""
    known = {"column", "options", *TEXTS, *MAYBE, *FLAGS}
    if not isinstance(said, Mapping) or not isinstance(said.get("column"), str) or set(said) - known:
        raise Unprocessable(f"`fix`: expected `column` and some of {', '.join(sorted(known))}.", vi="`fix`: cần `column` và cách sửa.")
    for name in (*TEXTS, *MAYBE):
        value = said.get(name)
        if (value is not None or name in TEXTS) and name in said and (not isinstance(value, str) or "\x00" in value):
            raise Unprocessable(f"`{name}`: expected text.", vi=f"`{name}`: cần chữ.")
    if not all(isinstance(said.get(name, False), bool) for name in FLAGS) or not isinstance(said.get("options", {}), Mapping):
        raise Unprocessable("`clear`, `suggest`: true or false; `options`: an object.", vi="`clear`, `suggest`: true hoặc false.")
    return fixing.Fix(
        said["column"], said.get("code", ""), said.get("equals"), said.get("pattern", ""), said.get("put"), said.get("clear", False),
        dict(said.get("options", {})), said.get("suggest", False),
    )  # fmt: skip
