"""The pages people read, and the documents programs read about the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.docs_page import SECURITY_HEADERS, dataset_page, docs_page, start_page, stylesheet
from lienthong.web.openapi import describe


def start(counter: Counter, _: Request) -> Response:
    return _page(start_page(counter.contracts, is_sample=counter.is_sample))


def docs(counter: Counter, _: Request) -> Response:
    return _page(docs_page(counter.contracts, counter.public_url, is_sample=counter.is_sample))


def dataset(counter: Counter, request: Request) -> Response:
    return _page(dataset_page(contract_of(counter, request), is_sample=counter.is_sample))


def style(_: Counter, __: Request) -> Response:
    return Response(
        stylesheet(), media_type="text/css; charset=utf-8", headers={**SECURITY_HEADERS, "Cache-Control": "public, max-age=3600"}
    )


def openapi(counter: Counter, _: Request) -> Response:
    """All datasets in one document."""
    return json_answer(describe(counter.contracts.values(), counter.public_url), is_public=True)


def dataset_openapi(counter: Counter, request: Request) -> Response:
    """One dataset's document."""
    return json_answer(describe([contract_of(counter, request)], counter.public_url), is_public=True)


def _page(text: str) -> Response:
    return Response(text, media_type="text/html; charset=utf-8", headers={**SECURITY_HEADERS, "Cache-Control": "no-cache"})
