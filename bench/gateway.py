"""What a province without us would put up for a look-up: Envoy in front of a bare granian with PostgreSQL. No rights, no quota, no log.

Its parts are in `gateway.lock` and are installed for the measurement alone, into a folder that goes with it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

LOCK = Path(__file__).with_name("gateway.lock")
FIELDS = ("so_ho_so", "so_dinh_danh", "ho_va_ten", "ngay_sinh", "gioi_tinh", "ma_xa", "so_dien_thoai", "tinh_trang")
WORKERS = 2
BARE = f"""
import json, os
import asyncpg
pool = None
async def app(scope, receive, send):
    global pool
    if scope["type"] == "lifespan":
        while True:
            said = (await receive())["type"]
            if said == "lifespan.startup":
                pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16)
            await send({{"type": said + ".complete"}})
            if said == "lifespan.shutdown":
                return
    if scope["type"] != "http":
        return
    key = scope["path"].rpartition("/")[2]
    row = await pool.fetchrow("select {", ".join(FIELDS)} from public.gateway_rows where so_ho_so = $1", key)
    body = b"{{}}" if row is None else json.dumps(dict(row), ensure_ascii=False, default=str).encode()
    await send({{"type": "http.response.start", "status": 404 if row is None else 200, "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]}})
    await send({{"type": "http.response.body", "body": body}})
"""


def prepare(url: str, folder: Path) -> Path:
    """The gateway's environment, and its table with an index; gives its folder."""
    place = folder / "gateway"
    place.mkdir()
    (place / "bare.py").write_text(BARE)
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(place / "env")], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(place / "env" / "bin" / "python"), "--require-hashes", "-r", str(LOCK)], check=True)  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create table public.gateway_rows as select {', '.join(FIELDS)} from bench_rows")
        connection.execute("alter table public.gateway_rows add primary key (so_ho_so)")
        connection.execute("vacuum analyze public.gateway_rows")
    return place


@contextmanager
def served(url: str, place: Path) -> Iterator[str]:
    """The gateway's address while it runs: Envoy → granian → PostgreSQL."""
    front, back = _free_port(), _free_port()
    (place / "envoy.json").write_text(json.dumps(_forwarding(front, back)))
    bare = [str(place / "env/bin/granian"), "--interface", "asgi", "--workers", str(WORKERS), "--loop", "uvloop", "--no-ws", "--host", "127.0.0.1", "--port", str(back), "bare:app"]  # fmt: skip
    envoy = [str(place / "env/bin/envoy"), "-c", str(place / "envoy.json"), "--concurrency", str(WORKERS), "--log-level", "error", "--use-dynamic-base-id"]  # fmt: skip
    known = psycopg.conninfo.conninfo_to_dict(url)
    dsn = f"postgresql://{known['user']}:{known['password']}@/{known['dbname']}?host={known['host']}&port={known['port']}"
    with (place / "said").open("w") as said:
        running = [
            subprocess.Popen(command, cwd=place, env={"DATABASE_URL": dsn, "PATH": "/usr/bin"}, stdout=said, stderr=said)
            for command in (bare, envoy)
        ]
        try:
            base = f"http://127.0.0.1:{front}"
            _await(base, place)
            yield base
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(20)


def _forwarding(front: int, back: int) -> dict[str, object]:
    def at(port: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    types = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = {
        "@type": types,
        "stat_prefix": "look_ups",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "bare"}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
    }  # fmt: skip
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": at(back)}}]}]
    return {"static_resources": {
        "listeners": [{"name": "front", "address": at(front), "filter_chains": [{"filters": filters}]}],
        "clusters": [{"name": "bare", "type": "STATIC", "connect_timeout": "2s", "load_assignment": {"cluster_name": "bare", "endpoints": endpoints}}],
    }}  # fmt: skip


def _await(base: str, place: Path) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"{base}/records/none").status_code == 404:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"The gateway did not start:\n{(place / 'said').read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
