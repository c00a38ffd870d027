"""The documents programs read about the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lienthong.web.asking import Counter, json_answer, public_contract_of, public_contracts
from lienthong.web.openapi import describe


def openapi(counter: Counter, _: Request) -> Response:
    """All datasets in one document."""
    return json_answer(describe(public_contracts(counter), counter.public_url), is_public=True)


def dataset_openapi(counter: Counter, request: Request) -> Response:
    """One dataset's document."""
    return json_answer(describe([public_contract_of(counter, request)], counter.public_url), is_public=True)
