"""Every error over HTTP is a problem document, whatever raised it and at whatever address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from lienthong import errors
from lienthong.errors import DatabaseUnreachable, LienthongError, QuotaExceeded, RequestError
from lienthong.web.problem import PROBLEM, TITLES, answer_problem
from tests.conftest import fresh_database
from tests.web.counters import make_app, make_province

ALWAYS = {"type", "title", "title_en", "status", "code", "detail", "detail_en"}
REQUEST = Request({"type": "http", "method": "GET", "path": "/", "headers": []})


@pytest.fixture(scope="module")
def client(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        fresh_database(postgres_server) as url,
        TestClient(make_app(make_province(url, Path(tmp_path_factory.mktemp("province"))))) as opened,
    ):
        yield opened


def every_error() -> list[type[LienthongError]]:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LienthongError)]
    return sorted(set(found), key=lambda kind: kind.code)


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.code)
def test_every_error_has_the_one_shape_and_a_title_in_both_languages(kind: type[LienthongError]) -> None:
    answer = answer_problem(REQUEST, kind("what happened", hint="what to do"))
    document = json.loads(bytes(answer.body))
    assert answer.media_type == PROBLEM
    assert set(document) >= ALWAYS
    assert (document["status"], document["code"], document["hint"]) == (answer.status_code, kind.code, "what to do")
    assert answer.status_code in TITLES
    assert document["title"] != document["title_en"]
    if issubclass(kind, RequestError):
        assert answer.status_code == kind.status


def test_vietnamese_comes_first_with_english_beside_it() -> None:
    document = json.loads(bytes(answer_problem(REQUEST, errors.NotFound("There is none.", vi="Không có.")).body))
    assert (document["detail"], document["detail_en"]) == ("Không có.", "There is none.")


@pytest.mark.parametrize(("language", "said", "unsaid"), [("vi", "Hãy thử lại.", "Try again."), ("en", "Try again.", "Hãy thử lại.")])
def test_a_page_says_what_to_do_in_the_language_of_its_reader(language: str, said: str, unsaid: str) -> None:
    async def refuse(_: Request) -> Any:
        raise errors.NotFound("There is none.", hint="Try again.", vi="Không có.", hint_vi="Hãy thử lại.")

    client = TestClient(Starlette(routes=[Route("/", refuse)], exception_handlers={LienthongError: answer_problem}))
    page = client.get("/", headers={"Accept": "text/html", "Accept-Language": language}).text
    assert said in page
    assert unsaid not in page
    document = client.get("/", headers={"Accept": "application/json"}).json()
    assert (document["hint"], document["hint_vi"]) == ("Try again.", "Hãy thử lại.")


def test_an_unforeseen_error_tells_nothing_of_the_inside() -> None:
    answer = answer_problem(REQUEST, KeyError("079123456789"))
    assert (answer.status_code, b"079123456789" in bytes(answer.body)) == (500, False)


@pytest.mark.parametrize(
    "error", [DatabaseUnreachable("gone"), psycopg.OperationalError("host=db password=x"), ConnectionRefusedError("db")]
)
def test_a_database_that_is_away_is_not_our_fault_for_ever(error: Exception) -> None:
    answer = answer_problem(REQUEST, error)
    assert answer.status_code == 503
    assert b"password" not in bytes(answer.body)


def test_a_quota_says_when_to_come_back() -> None:
    assert answer_problem(REQUEST, QuotaExceeded("enough", retry_after=7)).headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [400, 404, 405, 413, 431])
def test_what_the_router_refuses_has_the_same_shape(status: int) -> None:
    async def refuse(_: Request) -> Any:
        raise HTTPException(status, headers={"Allow": "GET"})

    app = Starlette(routes=[Route("/", refuse)], exception_handlers={HTTPException: answer_problem})
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["allow"]) == (status, PROBLEM, "GET")
    assert set(answer.json()) >= ALWAYS


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/v1/datasets/none", 404),
        ("GET", "/v1/datasets/none/records", 404),
        ("GET", "/v1/datasets/none/changes", 404),
        ("GET", "/v1/datasets/none/records/1", 404),
        ("GET", "/v1/datasets/test.people/records", 401),
        ("GET", "/v1/datasets/test.people/changes", 401),
        ("GET", "/v1/datasets/test.people/quarantine", 401),
        ("GET", "/v1/datasets/test.people/records/1", 401),
        ("POST", "/v1/datasets/test.people/records", 401),
        ("DELETE", "/v1/datasets/test.people/records/1", 401),
        ("PUT", "/v1/datasets", 405),
        ("GET", "/oauth/token", 405),
        ("DELETE", "/health", 405),
    ],
)
def test_every_door_answers_errors_in_one_shape(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert set(answer.json()) >= ALWAYS
    if status == 405:
        assert answer.headers["allow"]
