"""What a form sends, in NFC and under limits; and where a page goes after it: to another page, so that reloading does nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lienthong.errors import BadRequest, NotJson, TooLarge, Unprocessable
from lienthong.standards import show_number
from lienthong.web.pages.page import Page, answer
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import nfc
from lienthong.web.pages.visiting import Visit, visit_of

LARGEST_FORM = 500_000
MOST_FIELDS = 2_000
LONGEST_TEXT = 2_000
URLENCODED = "application/x-www-form-urlencoded"
Form = Mapping[str, str]
Act = Callable[[Site, Visit, Form], Page | Response]


def form_routes(site: Site, ways: list[tuple[str, Act]]) -> list[Route]:
    """Addresses that take a form. Each act asks who acts (`acting.require`, with the form's `csrf`) before anything else."""
    return [Route(path, partial(_take, site, act), methods=["POST"]) for path, act in ways]


async def _take(site: Site, act: Act, request: Request) -> Response:
    form = await read_form(request)
    return await run_in_threadpool(_done, site, act, request, form)


def _done(site: Site, act: Act, request: Request, form: Form) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request), is_sample=site.counter.is_sample)
    done = act(site, visit, form)
    return done if isinstance(done, Response) else answer(done, visit)


async def read_form(request: Request) -> Form:
    """The fields of a plain form; of a name given twice the last counts. Raises NotJson for another type, TooLarge, BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != URLENCODED:
        raise NotJson(f"Expected {URLENCODED}.", vi=f"Cần {URLENCODED}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise TooLarge(f"Expected at most {LARGEST_FORM:,} bytes.", vi=f"Nhiều nhất {show_number(LARGEST_FORM)} byte.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadRequest("The form is not readable.", vi="Không đọc được biểu mẫu.") from error
    return {name: nfc(value) for name, value in pairs}


def text_in(form: Form, name: str, otherwise: str | None = None) -> str:
    """A field's text. Raises Unprocessable for one that is missing, too long or holds what nobody types."""
    value = form.get(name, otherwise)
    if value is None or "\x00" in value or len(value) > LONGEST_TEXT:
        raise Unprocessable(f"`{name}`: expected text.", vi=f"`{name}`: cần chữ.")
    return value.strip()


def go(path: str, **query: object) -> RedirectResponse:
    """To a page of ours, by GET."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return RedirectResponse(path + (f"?{urlencode(given)}" if given else ""), 303, headers={"Cache-Control": "no-store"})
