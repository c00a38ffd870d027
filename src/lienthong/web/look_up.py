"""`GET /v1/datasets/{id}/records/{key}?…`: one record as it was true on a day, as it was known at an instant, or with some fields only."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Operation
from lienthong.errors import BadRequest, NotFound
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.sharing.filters import read_list
from lienthong.sharing.formats import JSON
from lienthong.sharing.pages import ask_of
from lienthong.sharing.records import shape_of
from lienthong.store.answers import KEY, Condition, read_page, version_known_at
from lienthong.web.asking import Counter, answer_headers, contract_of

ALLOWED = frozenset({"as_of", "known_at", "fields"})
_ENCODER = msgspec.json.Encoder()


def given(counter: Counter, request: Request, subject_key: bytes) -> Response:
    """The record's state asked for; 404 when there is none among the rows the caller may see."""
    contract = contract_of(counter, request)
    unknown = sorted(set(request.query_params) - ALLOWED)
    if unknown:
        raise BadRequest(
            f"A look-up takes {', '.join(sorted(ALLOWED))}, found `{unknown[0][:40]}`.",
            vi=f"Tra cứu chỉ nhận {', '.join(sorted(ALLOWED))}, nhận được `{unknown[0][:40]}`.",
        )
    right = counter.authorise(request, contract, Operation.LOOK_UP)
    wanted = read_list(request.query_params.multi_items(), contract)
    key: str = request.path_params["key"]
    fields, withheld = right.fields_of(contract, wanted.fields)
    with counter.connection() as connection:
        ask = ask_of(contract, wanted, right, fields)
        ask = replace(ask, conditions=(*ask.conditions, Condition(KEY, "eq", key)), limit=1)
        if wanted.known_at is not None:
            ask = replace(ask, version=version_known_at(connection, contract.id, wanted.known_at))
        page = read_page(connection, ask)
        shape = shape_of(connection, counter.desk.book, contract, right, fields, withheld)
        body = _ENCODER.encode(shape(page.rows[0])) if page.rows else b""
        entry = Entry(
            at=counter.clock(),
            event=Event.ANSWER_RECORD if page.rows else Event.ANSWER_MISSING,
            caller=right.caller,
            official=right.official,
            purpose=right.purpose,
            legal_basis=right.legal_basis,
            agreement=right.agreement,
            dataset=contract.id,
            version=page.version,
            subject=subject_hash(subject_key, contract.id, key),
            fields=fields,
            answer_digest=hashlib.sha256(body).hexdigest(),
            outcome="given" if page.rows else "missing",
            details={name: request.query_params[name] for name in ("as_of", "known_at") if name in request.query_params},
        )
        counter.append(entry, connection)
    if not page.rows:
        raise NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
    return Response(body, media_type=JSON, headers=answer_headers(contract, page.version))
