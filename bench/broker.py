"""Brokered calls: what the platform adds to a call of a provider, how many it passes a second, how much memory a gigabyte takes.

The provider is a bare application on the same machine; it is called directly and through the platform in turn, by `wrk`. Each brokered call is signed
towards the provider, checked against its OpenAPI document, and committed to the ledger before its answer leaves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench import serving
from bench.report import Row, at_least, at_most
from lienthong.access import Actor, Role, new_key_pair
from lienthong.contracts.services import ServiceFiles, ServiceState
from lienthong.pipeline.service_acts import move_service, register_service
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.services import make_workshop

SERVICE, AGENCY = "bench.service", "H10.03"
CONNECTIONS = 64
SECONDS = 6
PAIRS = 3
PIECE = b"x" * 65_536
GIB = 2**30
BODY = json.dumps({"number": "1", "holder": "x" * (1024 - 28)}).encode()
LUA = """
local headers = { ["Authorization"] = "Bearer %s", ["Lienthong-Purpose"] = "do", ["Lienthong-Official"] = "may-do" }
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "%s/things/" .. n, headers)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%f %%f %%f %%d\\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status))
end
"""
SCHEMA = {"type": "object", "required": ["number"], "properties": {"number": {"type": "string"}, "holder": {"type": "string"}}}
NUMBER = {"name": "n", "in": "path", "required": True, "schema": {"type": "string"}}
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Đo", "version": "1.0"},
    "paths": {
        "/things/{n}": {
            "get": {
                "operationId": "thing",
                "parameters": [NUMBER],
                "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": SCHEMA}}}},
            }
        },
        "/large": {
            "get": {"operationId": "large", "responses": {"200": {"description": "ok"}}},
            "post": {"operationId": "take", "responses": {"200": {"description": "ok"}}},
        },
    },
}
DEFINITION = {
    "id": SERVICE, "version": "1.0", "kind": "rest", "agency": AGENCY, "title": {"vi": "Đo tốc độ", "en": "Measuring"}, "base_url": "${BENCH}",
    "limits": {"request_bytes": "2 GiB", "answer_bytes": "2 GiB"},
}  # fmt: skip


async def provider(scope: Any, receive: Any, send: Any) -> None:
    """The provider: 1 KiB of JSON, or a gigabyte."""
    if scope["type"] != "http":
        return
    kind, body = b"application/json", BODY
    if scope["path"] == "/large":
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        kind, body = b"application/octet-stream", str(size).encode()
        if scope["method"] == "GET":
            headers = [(b"content-type", kind), (b"content-length", b"%d" % GIB)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for _ in range(GIB // len(PIECE)):
                await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind), (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def measure(server: EmbeddedServer, folder: Path, *, seconds: int = SECONDS, pairs: int = PAIRS) -> list[Row]:
    """All rows of the broker's part of the report."""
    if shutil.which("wrk") is None:
        raise SystemExit("`make bench` needs wrk for its load (Debian: apt install wrk).")
    url, home = server.create_database("broker"), folder / "broker"
    Database(url).apply_schema()
    private = _agree(home)
    with _provider() as direct:
        environment = {"LIENTHONG_PROVIDER_BENCH": direct, "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8"}
        with _set(environment), serving._serving(url, home, "lienthong.web.serve:application") as base:
            _publish(url, home)
            token = serving._token(base, private)
            brokered = f"/v1/services/{SERVICE}/1.0"
            _await(f"{base}{brokered}/things/1", token)
            alone, through, rates, plain = [], [], [], []
            for _ in range(pairs):
                alone.append(_wrk(direct, "", token, home, 1, seconds)[1])
                through.append(_wrk(base, brokered, token, home, 1, seconds)[1])
                plain.append(_wrk(direct, "", token, home, CONNECTIONS, seconds)[0])
                rates.append(_wrk(base, brokered, token, home, CONNECTIONS, seconds))
            large = _large(base + brokered + "/large", token)
    added = statistics.median(t - a for t, a in zip(through, alone, strict=True))
    rate = statistics.median(found[0] for found in rates)
    return [
        at_most(
            "brokered call, 1 KiB, signed and logged: added median",
            added,
            3,
            "ms",
            f"direct {statistics.median(alone):.2f} ms, one connection",
            issue=4,
        ),
        at_least(
            f"brokered calls, {CONNECTIONS} connections",
            rate,
            1_500,
            "/s",
            f"direct {statistics.median(plain):,.0f}/s; 99th percentile {statistics.median(f[2] for f in rates):.0f} ms",
            issue=4,
        ),
        at_most("1 GiB brokered each way: growth of memory", large, 64, "MiB", "of the serving process", issue=4),
    ]


def _agree(home: Path) -> dict[str, Any]:
    private, public = new_key_pair()
    for name, document in {
        "subsystems/bench.yaml": {"identifier": serving.SUBSYSTEM, "title_vi": "Đo", "title_en": "Measuring", "keys": [{"jwk": public}]},
        "agreements/bench.yaml": {
            "id": "BENCH-DV", "provider": AGENCY, "consumer": serving.SUBSYSTEM, "service": SERVICE, "state": "active", "endpoints": ["* /**"],
            "purposes": {"do": {"vi": "Đo", "en": "Measure"}}, "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
        },
    }.items():  # fmt: skip
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return private


def _publish(url: str, home: Path) -> None:
    workshop = make_workshop(Settings(database_url=url, home=home), Database(url), {})
    actor = Actor("may-do", AGENCY, frozenset({Role.INTEGRATOR}))
    register_service(workshop, actor, ServiceFiles(DEFINITION, json.dumps(OPENAPI), {}))
    move_service(workshop, actor, SERVICE, "1.0", ServiceState.PUBLISHED)


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _provider() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bench.broker:provider",
        "--port",
        str(port),
        "--log-level",
        "error",
        "--loop",
        "uvloop",
        "--lifespan",
        "off",
    ]
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/things/1")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(address: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Lienthong-Purpose": "do", "Lienthong-Official": "may-do"}
    for _ in range(200):
        if httpx.get(address, headers=headers).status_code == 200:
            return
        time.sleep(0.05)
    raise SystemExit("the service was not published")


def _wrk(base: str, prefix: str, token: str, home: Path, connections: int, seconds: int) -> tuple[float, float, float]:
    """(answers a second, median ms, 99th percentile ms), after a second of warming up."""
    script = home / "load.lua"
    script.write_text(LUA % (token, prefix))
    command = ["wrk", "-t1", f"-c{connections}", "-s", str(script)]
    subprocess.run([*command, "-d1", base], capture_output=True, check=True)
    done = subprocess.run([*command, f"-d{seconds}", base], capture_output=True, text=True, check=True)
    found = re.search(r"RESULT ([\d.]+) ([\d.]+) ([\d.]+) (\d+)", done.stdout)
    assert found is not None, done.stdout
    assert int(found.group(4)) == 0, done.stdout
    return float(found.group(1)), float(found.group(2)), float(found.group(3))


def _large(address: str, token: str) -> float:
    """MiB by which the largest process of the server grew while a gibibyte went each way."""
    headers = {"Authorization": f"Bearer {token}", "Lienthong-Purpose": "do", "Lienthong-Official": "may-do"}
    before = _resident()
    with httpx.Client(timeout=300) as client:
        with client.stream("GET", address, headers=headers) as answer:
            assert sum(len(piece) for piece in answer.iter_raw()) == GIB
        kind = {"Content-Type": "application/octet-stream"}
        sent = client.post(address, headers={**headers, **kind}, content=(PIECE for _ in range(GIB // len(PIECE))))
        assert sent.text == str(GIB), sent.text
    return max(after - before.get(process, after) for process, after in _resident(peak=True).items()) / 1024


def _resident(*, peak: bool = False) -> dict[int, int]:
    """Process → KiB, of what this process started, and what that did; `peak`: the most it ever was."""
    found, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
        except OSError:  # it has ended since
            continue
        number = int(path.parent.name)
        found[number] = int(fields.get("VmHWM" if peak else "VmRSS", "0 kB").split()[0])
        parents[number] = int(fields["PPid"])
    ours = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {number: found[number] for number in ours - {os.getpid()}}
