"""The ledger's tree as anyone may read it: `/ledger/checkpoint` and `/ledger/tile/…` (C2SP tlog-tiles), hashes and nothing else.

`/ledger/keys` gives the keys of the log and its witnesses (the log's first; whoever relies on them has them from elsewhere too),
`/ledger/verify.py` the verifier for auditors.

Entry bundles are not served: an entry says who asked for what, which is for those it concerns. `lienthong ledger prove` gives one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.errors import NotFound
from lienthong.ledger import signed_note, standalone
from lienthong.ledger.standalone import ED25519, Key
from lienthong.ledger.witness import LONGEST_REQUEST
from lienthong.sharing.attesting import take_cosignature, witnesses_of
from lienthong.web.bodies import read_bytes

if TYPE_CHECKING:
    from lienthong.web.asking import Counter
    from lienthong.web.services import Services

TEXT = "text/plain; charset=utf-8"
VERIFIER = Path(standalone.__file__).read_bytes()
WIDTH = 256
HASH = 32  # bytes
HIGHEST_LEVEL = 63
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_NOW = {"Cache-Control": "no-store"}
_TILE = re.compile(r"(0|[1-9]\d?)/((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?")  # level, number, width of a part


def routes_of(services: Services, counter: Counter) -> list[Route]:
    """The routes of this file; no token is asked for."""
    witnesses = witnesses_of(services.settings)
    signer = services.workshop.signer
    log_key = Key(signer.origin, ED25519, signer.public_key)

    async def checkpoint(_: Request) -> Response:
        newest = await services.store.ledger_checkpoint([witness.key.text for witness in witnesses], services.settings.witnesses_needed)
        if newest is None:
            raise NotFound("The ledger has no checkpoint yet.", vi="Sổ chưa có điểm chốt nào.")
        size, root, at, signature, lines = newest
        note = signed_note(signer.origin, size, root, at, signer.public_key, signature) + "".join(lines)
        return Response(note, media_type=TEXT, headers=FOR_NOW)

    async def keys(_: Request) -> Response:
        texts = [log_key.text, *(witness.key.text for witness in witnesses)]
        return Response("".join(f"{text}\n" for text in texts), media_type=TEXT, headers=FOR_NOW)

    async def cosignatures(request: Request) -> Response:
        body = await read_bytes(request, LONGEST_REQUEST)

        def take() -> None:
            with counter.connection() as connection:
                take_cosignature(connection, signer, witnesses, body.decode("utf-8", "replace"))

        await run_in_threadpool(take)
        return Response(status_code=204)

    async def verifier(_: Request) -> Response:
        headers = FOR_NOW | {"Content-Disposition": 'attachment; filename="verify.py"'}
        return Response(VERIFIER, media_type="text/x-python; charset=utf-8", headers=headers)

    async def tile(request: Request) -> Response:
        level, number, width = tile_asked(request.path_params["tile"])
        hashes = await services.store.ledger_tile(level, number)
        if len(hashes) < width * HASH:
            raise _none()
        return Response(hashes[: width * HASH], media_type="application/octet-stream", headers=FOR_EVER)

    return [
        Route("/ledger/checkpoint", checkpoint),
        Route("/ledger/keys", keys),
        Route("/ledger/cosignatures", cosignatures, methods=["POST"]),
        Route("/ledger/verify.py", verifier),
        Route("/ledger/tile/{tile:path}", tile),
    ]


def tile_asked(path: str) -> tuple[int, int, int]:
    """(level, number, width) of a tile's address, such as `0/x001/234` or `1/000.p/17`. Raises NotFound for any other."""
    found = _TILE.fullmatch(path)
    if found is None:
        raise _none()
    level, width = int(found[1]), int(found[3] or WIDTH)
    number = int(re.sub(r"\D", "", found[2]))
    is_shortest = not found[2].startswith("x000/")
    if level > HIGHEST_LEVEL or (found[3] is not None and width >= WIDTH) or not is_shortest:
        raise _none()
    return level, number, width


def _none() -> NotFound:
    return NotFound("There is no such tile.", vi="Không có ô băm này.")
