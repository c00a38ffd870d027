"""A provider of its own: a REST service of licences, a process beside the platform. `python -m tests.web.rest_provider PORT`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

SEEN: list[dict[str, Any]] = []  # what came, newest last
FAILURES = {"left": 0}
PIECE = b"x" * 65_536


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    path = scope["raw_path"].decode()
    headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
    size, body = 0, b""
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size < 200_000:
            body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if path == "/base/_seen":
        await answer(send, 200, SEEN)
        SEEN.clear()
        return
    if path.startswith("/base/_fail/"):
        FAILURES["left"] = int(path.rpartition("/")[2])
        await answer(send, 200, {})
        return
    SEEN.append({"verb": scope["method"], "path": path, "query": scope["query_string"].decode(), "headers": headers, "size": size})
    if FAILURES["left"] > 0:
        FAILURES["left"] -= 1
        await answer(send, 503, {"loi": "bận"})
        return
    await route(scope["method"], path.removeprefix("/base"), scope["query_string"].decode(), dict(headers), size, body, receive, send)


async def route(verb: str, path: str, query: str, headers: dict[str, str], size: int, body: bytes, receive: Any, send: Any) -> None:
    if path.startswith("/licences/"):
        number = path.removeprefix("/licences/")
        etag = f'"{number}"'
        if headers.get("if-none-match") == etag:
            await answer(send, 304, None, {"etag": etag, "cache-control": "max-age=60"})
            return
        more = {"etag": etag, "set-cookie": "a=b", "server": "inside", "access-control-allow-origin": "*", "x-kept": "1"}
        if "cache=" in query:
            more["cache-control"] = query.partition("cache=")[2].partition("&")[0].replace("+", " ")
        wrong = {"licence_no": 5} if number == "wrong" else {"licence_no": number, "holder": "Công ty"}
        await answer(send, 200, wrong, more)
    elif path == "/licences" and verb == "POST":
        await answer(send, 201, {"licence_no": "new", "size": size}, {"location": "/base/licences/new"})
    elif path == "/echo":
        await answer(send, 200, {"size": size})
    elif path.startswith("/big/"):
        await big(send, int(path.removeprefix("/big/")), has_length=query != "chunked")
    elif path == "/slow":
        await gone(receive, 30)
    elif path == "/redirect":
        await answer(send, 302, None, {"location": "http://169.254.169.254/latest/meta-data"})
    else:
        await answer(send, 404, {"loi": "không có"})


async def gone(receive: Any, seconds: float) -> None:
    """Until the caller has given up; as long as it waits, so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def answer(send: Any, status: int, value: Any, more: dict[str, str] | None = None) -> None:
    body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **(more or {})}
    await send({"type": "http.response.start", "status": status, "headers": [(n.encode(), v.encode()) for n, v in headers.items()]})
    await send({"type": "http.response.body", "body": body})


async def big(send: Any, pieces: int, *, has_length: bool) -> None:
    headers = [(b"content-type", b"application/octet-stream")]
    if has_length:
        headers.append((b"content-length", b"%d" % (pieces * len(PIECE))))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(pieces):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    import uvicorn

    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")


if __name__ == "__main__":
    main()
