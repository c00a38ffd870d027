"""A platform that brokers two services, the processes of their providers beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lienthong.access import Actor, Role
from lienthong.contracts.services import ServiceFiles, ServiceState, understand
from lienthong.pipeline.service_acts import move_service, register_service
from tests.forking import Forked
from tests.web.served import CALLER, Served, _free_port, serving

AGENCY = "H10.10"
OFFICER = Actor("tich-hop-01", AGENCY, frozenset({Role.INTEGRATOR}))
REST = "test.permits"
LICENCE = {
    "type": "object",
    "required": ["licence_no"],
    "properties": {"licence_no": {"type": "string"}, "holder": {"type": "string", "nullable": True}},
}
NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "string"}}
FOUND = {
    "200": {
        "description": "ok",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Licence"}, "example": {"licence_no": "1/GP"}}},
    }
}
PLAIN = {"200": {"description": "ok"}}
ANY_BODY = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Giấy phép", "version": "1.0"},
    "servers": [{"url": "http://inside.example/api"}],
    "paths": {
        "/licences/{number}": {
            "parameters": [NUMBER],
            "get": {"operationId": "licence", "responses": {**FOUND, "404": {"description": "none", "content": {"application/json": {"example": {"loi": "không có"}}}}}},
            "put": {"operationId": "change", "responses": FOUND, "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        },
        "/licences": {
            "get": {"operationId": "licences", "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 10}}], "responses": PLAIN},
            "post": {
                "operationId": "ask",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Licence"}}}},
                "responses": {"201": {"description": "made"}},
            },
        },
        "/echo": {"post": {"operationId": "echo", "requestBody": ANY_BODY, "responses": PLAIN}},
        "/big/{pieces}": {"get": {"operationId": "big", "parameters": [{**NUMBER, "name": "pieces"}], "responses": PLAIN}},
        "/slow": {"get": {"operationId": "slow", "responses": PLAIN}, "post": {"operationId": "slow_post", "responses": PLAIN}},
        "/redirect": {"get": {"operationId": "redirect", "responses": PLAIN}},
        "/secret": {"get": {"operationId": "secret", "responses": PLAIN}},
    },
    "components": {"schemas": {"Licence": LICENCE}},
}  # fmt: skip
DEFINITION: dict[str, Any] = {
    "id": REST,
    "version": "1.0",
    "kind": "rest",
    "agency": AGENCY,
    "title": {"vi": "Giấy phép", "en": "Permits"},
    "owner": {"name": "Nguyễn Văn A", "position": "Chuyên viên", "phone": "0251 000 000", "email": "a@example.vn"},
    "base_url": "${PERMITS}/base",
    "credentials": {"kind": "api_key", "header": "X-Api-Key", "secret": "PERMITS_KEY"},
    "timeouts": {"connect": 1, "first_byte": 2, "idle": 1, "total": 30},
    "limits": {"request_bytes": "64 MiB", "answer_bytes": "64 MiB"},
    "cache": {"seconds": 60, "stale_if_error": 600},
    "retry": {"times": 2},
    "breaker": {"failures": 4, "open_seconds": 1},
}
AGREEMENT: dict[str, Any] = {
    "id": "DV-1", "provider": AGENCY, "consumer": CALLER, "service": REST, "state": "active", "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
    "endpoints": ["GET /licences/*", "PUT /licences/*", "* /licences", "POST /echo", "GET /big/*", "* /slow", "GET /redirect"],
    "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}},
}  # fmt: skip


@dataclass(frozen=True)
class Brokered:
    """The platform, and where the provider is."""

    served: Served
    provider: str

    def address(self, path: str, service: str = REST) -> str:
        return f"{self.served.base}/v1/services/{service}{path}"

    def seen(self) -> list[dict[str, Any]]:
        """What came to the provider since this was asked last."""
        found: list[dict[str, Any]] = httpx.get(self.provider + "/base/_seen").json()
        return found

    def fail(self, times: int) -> None:
        httpx.get(f"{self.provider}/base/_fail/{times}").raise_for_status()

    def calls(self) -> list[dict[str, Any]]:
        """The entries of calls and refusals, in order."""
        return [body for body in self.served.bodies() if body["event"].startswith(("call:", "answer:request"))]


def files_of(definition: Mapping[str, Any], description: str) -> ServiceFiles:
    return ServiceFiles(definition, description, understand(definition, description))


def publish(served: Served, definition: Mapping[str, Any], description: str) -> None:
    register_service(served.workshop, OFFICER, files_of(definition, description))
    move_service(served.workshop, OFFICER, str(definition["id"]), str(definition["version"]), ServiceState.PUBLISHED)


@contextmanager
def provider(module: str) -> Iterator[str]:
    """A provider's process, until it is no longer needed."""
    port = _free_port()
    process = Forked([sys.executable, "-m", module, str(port)], cwd=Path(__file__).parents[2])
    base = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                httpx.get(base + "/base/_seen")
                break
            except httpx.HTTPError:
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.02)
        yield base
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:  # a connection it still serves
            process.kill()
            process.wait()


def agree(folder: Path, *agreements: Mapping[str, Any]) -> None:
    (folder / "agreements" / "agreements").mkdir(parents=True, exist_ok=True)
    for agreement in agreements:
        (folder / "agreements" / "agreements" / f"{agreement['id']}.yaml").write_text(json.dumps(agreement, ensure_ascii=False), "utf-8")


@contextmanager
def brokering(database_url: str, folder: Path, *agreements: Mapping[str, Any], **environment: str) -> Iterator[Brokered]:
    """The platform with the REST service published and agreed on."""
    agree(folder, AGREEMENT, *agreements)
    with provider("tests.web.rest_provider") as base:
        variables = {
            "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8",
            "LIENTHONG_PROVIDER_PERMITS": base,
            "LIENTHONG_PROVIDER_PERMITS_KEY": "bi-mat",
            **environment,
        }
        with serving(database_url, folder, environment=variables) as served:
            publish(served, DEFINITION, json.dumps(OPENAPI))
            running = Brokered(served, base)
            wait_until(lambda: httpx.get(running.address("/none")).status_code != 404)
            yield running


def wait_until(is_so: Any, seconds: float = 120) -> None:
    """Until something asynchronous has happened; there is no event to wait for in another process."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
