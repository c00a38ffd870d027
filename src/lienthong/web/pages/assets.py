"""Styles, scripts and fonts out of the package: under addresses that hold their own hash, so that a browser keeps them for ever.

What comes from others is listed in `static/assets.json` with its version, licence and hash; a test recomputes them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from lienthong.errors import NotFound

KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "woff2": "font/woff2", "svg": "image/svg+xml"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
_URL = re.compile(rb"url\(([\w.-]+)\)")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    name: str
    body: bytes
    zipped: bytes
    kind: str
    hashed: str
    integrity: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its plain name; styles come last, for they name others."""
    folder = resources.files("lienthong.web").joinpath("static")
    files = [file for file in folder.iterdir() if file.name.rpartition(".")[2] in KINDS]
    found: dict[str, Asset] = {}
    for file in sorted(files, key=lambda file: (file.name.endswith(".css"), file.name)):
        found[file.name] = _asset(file.name, _URL.sub(lambda match: _named(match, found), file.read_bytes()) if file.name.endswith(".css") else file.read_bytes())  # fmt: skip
    return found


def _named(match: re.Match[bytes], found: dict[str, Asset]) -> bytes:
    return b"url(/assets/" + found[match[1].decode()].hashed.encode() + b")"


def _asset(name: str, body: bytes) -> Asset:
    stem, _, suffix = name.rpartition(".")
    hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    zipped = body if suffix == "woff2" else gzip.compress(body, 9, mtime=0)
    return Asset(name, body, zipped, KINDS[suffix], hashed, integrity)


@cache
def _by_address() -> dict[str, Asset]:
    return {asset.hashed: asset for asset in assets().values()}


def address(name: str) -> str:
    """Where a file is. Raises KeyError for one that is not there."""
    return f"/assets/{assets()[name].hashed}"


def integrity(name: str) -> str:
    return assets()[name].integrity


async def give(request: Request) -> Response:
    """A file under its hashed name; any other name is not found."""
    asset = _by_address().get(request.path_params["name"])
    if asset is None:
        raise NotFound("There is no such file.", vi="Không có tệp này.")
    if asset.zipped is not asset.body and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.zipped, media_type=asset.kind, headers={**FOR_EVER, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.kind, headers=FOR_EVER)
