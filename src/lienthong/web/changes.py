"""`GET …/changes`: what happened to a dataset, in order."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lienthong.ledger import Event
from lienthong.sharing.changes import give_changes
from lienthong.sharing.formats import JSON
from lienthong.sharing.pages import entry_of
from lienthong.web.asking import Counter, answer_headers, contract_of, request_bytes


def given(counter: Counter, request: Request) -> Response:
    """Changes after a cursor, with their entry in the ledger."""
    contract = contract_of(counter, request)
    right = counter.authorise(request, contract, "changes")
    with counter.connection() as connection:
        answer = give_changes(connection, counter.desk, contract, request.query_params.multi_items(), right)
        entry = entry_of(Event.ANSWER_CHANGES, contract, right, counter.clock(), request_bytes(request), answer)
        counter.append(entry, connection)
    return Response(answer.body, media_type=JSON, headers=answer_headers(contract, answer.version))
