"""The Delta Sharing door (`/delta-sharing`): shares, schemas, tables; files of rows and of changes at signed addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access.share_tokens import ShareKey
from lienthong.errors import BadRequest, NotAMethod, NotFound
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known
from lienthong.sharing.shares.files import FOLDER, FileStore
from lienthong.sharing.shares.listing import Table
from lienthong.web.asking import Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.bodies import read_bytes
from lienthong.web.doors.delta.fetching import Fetching
from lienthong.web.doors.delta.forms import document, error
from lienthong.web.doors.delta.profiles import ProfileDesk
from lienthong.web.doors.delta.reading import LARGEST_BODY, Reading
from lienthong.web.doors.delta.reception import OPEN_TOKEN, Reception
from lienthong.web.doors.delta.tokens import ShareTokens

if TYPE_CHECKING:
    from lienthong.web.services import Services

ROOT = "/delta-sharing"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOST_RESULTS = 500
Plain = Callable[[Request], Response]


def routes_of(counter: Counter, services: Services, authoriser: Authoriser) -> list[Route]:
    """Every route of this door, and the acts on its profiles."""
    settings = services.settings
    url = settings.public_url + ROOT
    reception = Reception(services, counter, authoriser, ShareKey.of(services.workshop.signer.secret))
    files = store_of(settings)
    reading = Reading(reception, files, url, settings.share_url_minutes)
    fetching = Fetching(reception, files)
    lists = Lists(reception, url)
    table = ROOT + "/shares/{share}/schemas/{schema}/tables/{table}"
    return [
        Route(ROOT + "/oauth/token", ShareTokens(reception, url).give, methods=["POST"]),
        _get(ROOT + "/open.share", lists.open_profile),
        _get(ROOT + "/shares", lists.shares),
        _get(ROOT + "/shares/{share}", lists.share),
        _get(ROOT + "/shares/{share}/schemas", lists.schemas),
        _get(ROOT + "/shares/{share}/all-tables", lists.all_tables),
        _get(ROOT + "/shares/{share}/schemas/{schema}/tables", lists.tables),
        _get(table + "/version", reading.version),
        _get(table + "/metadata", reading.metadata),
        _get(table + "/changes", reading.changes),
        Route(table + "/query", _guarded(_with_body(reading.query), ("POST",)), methods=METHODS),
        Route(table, _guarded(_threaded(reading.version), ("HEAD", "GET")), methods=METHODS),  # as clients of before 2023 ask
        _get(ROOT + "/files/{grant}/{name}/{part}", fetching.fetch),
        _get(ROOT + "/{rest:path}", _nothing),
        *ProfileDesk(counter, url, settings.share_profile_days).routes(),
    ]


def _nothing(_: Request) -> Response:
    raise NotFound("There is nothing at this address.", vi="Không có gì ở địa chỉ này.")


def store_of(settings: Settings) -> FileStore:
    """The prepared files of this server's home."""
    return FileStore(Path(settings.home) / FOLDER, settings.share_room_megabytes << 20, settings.share_idle_hours * 3600.0)


class Lists:
    """What there is for the caller."""

    def __init__(self, reception: Reception, url: str) -> None:
        self._reception = reception
        self._url = url

    def open_profile(self, request: Request) -> Response:
        """The profile file for what is open to everybody."""
        read_known(request.query_params.multi_items(), ())
        return document({"shareCredentialsVersion": 1, "endpoint": self._url + "/", "bearerToken": OPEN_TOKEN})

    def shares(self, request: Request) -> Response:
        return self._page(request, [{"name": share} for share in self._of(request)])

    def share(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        share, _ = self._share(request)
        return document({"share": {"name": share}})

    def schemas(self, request: Request) -> Response:
        share, tables = self._share(request)
        return self._page(request, [{"name": name, "share": share} for name in sorted({table.schema for table in tables})])

    def tables(self, request: Request) -> Response:
        share, tables = self._share(request)
        wanted = request.path_params["schema"].lower()
        found = [table for table in tables if table.schema == wanted]
        if not found:
            raise NotFound(f"There is no such schema in share {share}.", vi="Không có lược đồ này trong chia sẻ.")
        return self._page(request, [_named(share, table) for table in found])

    def all_tables(self, request: Request) -> Response:
        share, tables = self._share(request)
        return self._page(request, [_named(share, table) for table in tables])

    def _of(self, request: Request) -> dict[str, list[Table]]:
        return self._reception.tables(self._reception.who(request))

    def _share(self, request: Request) -> tuple[str, list[Table]]:
        wanted = request.path_params["share"].lower()
        for share, tables in self._of(request).items():
            if share.lower() == wanted:
                return share, tables
        raise NotFound(
            "There is no such share of yours.",
            hint="GET …/shares lists them.",
            hint_vi="GET …/shares liệt kê các chia sẻ.",
            vi="Bạn không có chia sẻ này.",
        )

    def _page(self, request: Request, items: Sequence[dict[str, str]]) -> Response:
        """A part of a list. `pageToken` is sealed, so it can only be one of ours."""
        said = read_known(request.query_params.multi_items(), ("maxResults", "pageToken"))
        text = said.get("maxResults", str(MOST_RESULTS))
        if not (text.isascii() and text.isdigit()) or len(text) > 10:
            raise BadRequest(f"`maxResults`: expected a number from 0 on, found `{text[:60]}`.", vi="`maxResults`: cần số từ 0.")
        cursors, purpose = self._reception.counter.desk.cursors, f"delta {request.url.path}"
        begin = cursors.open(purpose, said["pageToken"])[0] if said.get("pageToken") else 0
        end = begin + min(int(text), MOST_RESULTS)
        more = {"nextPageToken": cursors.seal(purpose, [end])} if end < len(items) else {}
        return document({"items": list(items[begin:end]), **more})


def _named(share: str, table: Table) -> dict[str, str]:
    return {"name": table.name, "schema": table.schema, "share": share}


def _get(path: str, act: Plain) -> Route:
    return Route(path, _guarded(_threaded(act), ("GET", "HEAD")), methods=METHODS)


def _threaded(act: Plain) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(act, request)

    return answer


def _with_body(act: Callable[[Request, bytes], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await read_bytes(request, LARGEST_BODY)
        return await run_in_threadpool(act, request, body)

    return answer


def _guarded(act: Callable[[Request], Awaitable[Response]], methods: Sequence[str]) -> Any:
    """Whatever fails is told in the form clients of the protocol read."""

    async def answer(request: Request) -> Response:
        try:
            if request.method not in methods:
                allow = ", ".join(methods)
                raise NotAMethod(f"This address takes {allow}.", vi=f"Địa chỉ này nhận {allow}.", allow=allow)
            return await act(request)
        except Exception as failure:  # this door's clients are told in their own form
            return error(failure)

    return answer
