"""`PATCH`, `PUT` and `DELETE` of one record, by the agency that is authoritative for what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Operation, Role
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Conflict, PreconditionFailed, PreconditionRequired, Unprocessable
from lienthong.ledger import subject_hash
from lienthong.pipeline import writing
from lienthong.pipeline.proposing import DueOn
from lienthong.pipeline.writing import CONFLICT, NEW, REFUSED, UNCHANGED, Change, Manner, Written, foreign_fields
from lienthong.sharing.filters import read_known
from lienthong.sharing.formats import JSON
from lienthong.sharing.rights import Right, right_of_owner
from lienthong.web import acting
from lienthong.web.asking import PRIVATE, Counter, contract_of
from lienthong.web.bodies import read_json
from lienthong.web.headers import PURPOSE, header_text
from lienthong.web.problem import PROBLEM, problem

LARGEST_BODY = 1_000_000
LONGEST_KEY = 200
LARGEST_VERSION = 2**31 - 1
WORDS = frozenset({"values", "version", "reason", "evidence"})
WRITERS = (Role.DATA_OFFICER, Role.STEWARD, Role.INTEGRATOR)
Wanted = tuple[int, bool]  # the version a change was made from, and whether a header said so
_ENCODER = msgspec.json.Encoder()


def routes_of(counter: Counter, subject_key: bytes, due_on: DueOn) -> list[Route]:
    path = "/v1/datasets/{dataset}/records/{key:path}"
    return [Route(path, partial(_answer, counter, subject_key, due_on), methods=["PATCH", "PUT", "DELETE"])]


async def _answer(counter: Counter, subject_key: bytes, due_on: DueOn, request: Request) -> Response:
    contract = contract_of(counter, request)
    read_known(request.query_params.multi_items(), ())
    actor, right = await run_in_threadpool(who_writes, counter, request, contract)
    document: Mapping[str, Any] = {}
    if request.method != "DELETE" or request.headers.get("content-type"):
        document = _document(await read_json(request, LARGEST_BODY))
    version, by_header = _version(request, document)
    change = Change(plain_key(request), _values(request, contract, document, actor), version)
    manner = Manner(right.caller, right.purpose, right.agreement, right.legal_basis, subject_hash(subject_key, contract.id, change.key))
    key = _idempotency_key(request)

    foreign = foreign_fields(contract, actor.agency, change.values or ()) if request.method == "PATCH" and "reason" in document else {}

    def act() -> Response:
        own = {name: value for name, value in (change.values or {}).items() if name not in foreign}
        written = Written(UNCHANGED, version)
        if own or not foreign:
            mine = replace(change, values=own) if foreign else change
            within = right.sees if right.conditions else writing.everything
            written = writing.write_record(counter.workshop, contract, mine, actor, manner, idempotency_key=key, within=within)
        if not foreign or written.outcome in (CONFLICT, REFUSED):
            return told(written, change, right, by_header=by_header)
        return _proposed(counter, contract, actor, right, subject_key, due_on, change, foreign, document, written)

    return await run_in_threadpool(act)


def _proposed(
    counter: Counter, contract: Contract, actor: Actor, right: Right, subject_key: bytes, due_on: DueOn, change: Change,
    foreign: Mapping[str, str], document: Mapping[str, Any], written: Written,
) -> Response:  # fmt: skip
    """What others decide over becomes a proposal to each of them."""
    from lienthong.web.proposals import propose  # noqa: PLC0415 # it is made of parts of this file

    values = {name: (change.values or {})[name] for name in foreign}
    made = propose(counter, contract, actor, right, subject_key, due_on, change.key, values, document)
    proposed = [
        {"field": name, "fate": "proposed", "issues": [], "proposal": proposal.proposal, "owner": proposal.owner}
        for proposal in made
        for name in proposal.values
    ]
    return told(replace(written, verdicts=[*written.verdicts, *proposed]), change, right, by_header=True)


def who_writes(counter: Counter, request: Request, contract: Contract) -> tuple[Actor, Right]:
    """Who acts, and what they see of the dataset: its owner all of it, others what their agreement shows.

    Raises Unauthenticated, Denied or QuotaExceeded, each with its entry in the ledger.
    """
    actor = acting.require(request, *WRITERS)
    if not actor.is_of(contract.agency):
        return actor, counter.authorise(request, contract, Operation.LOOK_UP)
    if actor.subsystem:
        return actor, counter.authorise(request, contract, Operation.SUBMIT)
    purpose = header_text(PURPOSE, request.headers.get(PURPOSE, "").encode("latin-1"))
    return actor, right_of_owner(contract, actor.agency, actor.name, purpose)


def plain_key(request: Request) -> str:
    key: str = request.path_params["key"]
    if "\x00" in key or not key:
        raise BadRequest("A key is text without NUL.", vi="Khóa là chữ, không chứa NUL.")
    return key


def _document(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict) or set(body) - WORDS:
        raise Unprocessable(f"Expected an object of {', '.join(sorted(WORDS))}.", vi=f"Cần một đối tượng gồm {', '.join(sorted(WORDS))}.")
    return body


def _values(request: Request, contract: Contract, document: Mapping[str, Any], actor: Actor) -> Mapping[str, Any] | None:
    """The values sent; `PUT` says the whole record, so what the agency may write and does not name becomes empty."""
    if request.method == "DELETE":
        if "values" in document:
            raise Unprocessable("An end carries no values.", vi="Kết thúc bản ghi không kèm giá trị.")
        return None
    values = values_of(document.get("values"))
    if request.method == "PATCH":
        return values
    own = [p.name for p in contract.properties if contract.authority_of(p.name) == actor.agency and p.key_position is None]
    return {**dict.fromkeys(own), **values}


def values_of(found: Any) -> Mapping[str, Any]:
    """Values by property as JSON gives them. Raises Unprocessable."""
    if not isinstance(found, dict):
        raise Unprocessable("`values`: expected fields and their values.", vi="`values`: cần các trường và giá trị.")
    for name, value in found.items():
        if value is not None and not isinstance(value, str | int | float | bool):
            raise Unprocessable(
                f"`{name[:60]}`: expected text, a number, true, false or null.", vi=f"`{name[:60]}`: cần chữ, số, true, false hoặc null."
            )
    return found


def _version(request: Request, document: Mapping[str, Any]) -> Wanted:
    """Which version the change was made from: `If-Match`, `If-None-Match: *` for a record that is not there yet, or `version`."""
    matched, absent, said = request.headers.get("if-match"), request.headers.get("if-none-match"), document.get("version")
    if absent is not None:
        if absent.strip() != "*" or matched is not None or said not in (None, NEW) or request.method != "PUT":
            raise BadRequest("If-None-Match: expected `*`, alone, with PUT.", vi="If-None-Match chỉ dùng `*`, với PUT.")
        return NEW, True
    if matched is not None:
        number = matched.strip().strip('"')
        if (
            not (number.isascii() and number.isdigit())
            or not 0 < int(number[:12]) <= LARGEST_VERSION
            or said not in (None, int(number[:12]))
        ):
            raise BadRequest(f"If-Match: expected the record's version, found `{matched[:40]}`.", vi="If-Match cần phiên bản của bản ghi.")
        return int(number), True
    if said is None:
        raise PreconditionRequired(
            "A change says which version it was made from.",
            hint='Send If-Match: "<version>" (the `version` of the record you read), or If-None-Match: * with PUT for a new one.',
            hint_vi='Hãy gửi If-Match: "<version>" (`version` của bản ghi đã đọc), hoặc If-None-Match: * cùng PUT cho bản ghi mới.',
            vi="Cần nêu phiên bản của bản ghi được sửa (If-Match).",
        )
    if (
        not isinstance(said, int)
        or isinstance(said, bool)
        or not NEW <= said <= LARGEST_VERSION
        or (said == NEW and request.method != "PUT")
    ):
        raise Unprocessable("`version`: expected the record's version.", vi="`version`: cần phiên bản của bản ghi.")
    return said, False


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if len(key) > LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise BadRequest(f"Idempotency-Key: expected at most {LONGEST_KEY} plain characters.", vi="Idempotency-Key cần ký tự thường.")
    return key


def told(written: Written, change: Change, right: Right, *, by_header: bool) -> Response:
    """The answer: what became of each value, and the record as this caller may see it."""
    record = None if written.record is None else right.shown_of(written.record)
    headers = dict(PRIVATE)
    if written.version != NEW:
        headers["ETag"] = f'"{written.version}"'
    if written.outcome == CONFLICT:
        return _conflict(written, change, right, record, headers, by_header=by_header)
    answer = {
        "outcome": written.outcome,
        "key": change.key,
        "version": written.version or None,
        "dataset_version": written.dataset_version,
        "verdicts": list(written.verdicts),
        "record": record,
        "repeated": written.is_repeat,
    }
    if written.outcome == REFUSED:
        document = problem(
            422, Unprocessable.code, "The change breaks a rule of the contract: nothing was written.", "See `verdicts`.",
            vi="Thay đổi không đạt quy tắc của hợp đồng dữ liệu: chưa ghi gì.", hint_vi="Xem `verdicts`.",
        )  # fmt: skip
        return Response(_ENCODER.encode({**answer, **document}), 422, headers=headers, media_type=PROBLEM)
    return Response(_ENCODER.encode(answer), headers=headers, media_type=JSON)


def _conflict(
    written: Written, change: Change, right: Right, record: Mapping[str, Any] | None, headers: dict[str, str], *, by_header: bool
) -> Response:
    """Both sides, as far as the caller may see them: what stands, what it was made from, what was sent, which values others changed since."""
    kind = PreconditionFailed if by_header else Conflict
    base = None if written.base is None else right.shown_of(written.base)
    changed = [] if record is None or base is None else sorted(name for name in record if record[name] != base.get(name))
    document = problem(
        kind.status, kind.code, "The record has changed since the version yours was made from: nothing was written.",
        "Look at both sides, then send the change with the version that stands.",
        vi="Bản ghi đã được người khác thay đổi sau phiên bản của bạn: chưa ghi gì.",
        hint_vi="Hãy xem cả hai bản, rồi gửi thay đổi với phiên bản hiện tại.",
    )  # fmt: skip
    document |= {
        "version": written.version,
        "current": record,
        "base": base,
        "sent": change.values,
        "changed_since": changed,
    }
    return Response(_ENCODER.encode(document), kind.status, headers=headers, media_type=PROBLEM)
