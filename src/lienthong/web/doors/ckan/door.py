"""The addresses of the door, how parameters come, the envelope of an answer, and errors as CKAN says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.errors import Denied, NotAMethod, NotJson, SearchNotUnderstood, UnknownAction
from lienthong.sharing.filters import shown
from lienthong.web.asking import PRIVATE, Counter
from lienthong.web.doors.asking import Door, body_of, raw
from lienthong.web.doors.ckan.actions import ACTIONS, Call, State, is_change
from lienthong.web.doors.ckan.values import Parameters
from lienthong.web.shelf import Shelf

LARGEST_BODY = 262_144
MOST_PARAMETERS = 100
_TYPES = {
    400: "Bad Request",
    401: "Authorization Error",
    403: "Authorization Error",
    404: "Not Found Error",
    409: "Validation Error",
    413: "Validation Error",
    422: "Validation Error",
    429: "Too Many Requests Error",
    503: "Service Unavailable Error",
}


def _say(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """A problem as CKAN tells it: `__type` is what its clients look at, the status is CKAN's own for it."""
    told = str(document.get("detail_en") or document.get("detail"))
    if status == 405 or document["code"] in (UnknownAction.code, NotJson.code):
        code = 405 if status == 405 else 400
        return Response(json.dumps(f"Bad request - {told}"), code, headers, "application/json")
    kind, code = _TYPES.get(status, "Internal Server Error"), status
    error: dict[str, Any] = {"message": told, "message_vi": str(document["detail"])}
    if document["code"] == SearchNotUnderstood.code:
        kind, code = "Search Query Error", 400
    elif status in (400, 413, 422):
        kind, code = "Validation Error", 409
        if document.get("field"):
            error[str(document["field"])] = [told]
    elif status == 401:
        code = 403
    if kind == "Authorization Error":
        error["message"] = f"Access denied: {error['message']}"
    for name in ("rule", "hint", "hint_vi"):
        if document.get(name):
            error[name] = document[name]
    kept = {name: value for name, value in headers.items() if name != "WWW-Authenticate"}
    answer = {"help": None, "success": False, "error": {"__type": kind, **error}}
    return Response(json.dumps(answer, ensure_ascii=False), code, kept, "application/json")


DOOR = Door("ckan", _say, (raw("authorization", "x-ckan-api-key"),))


def routes_of(counter: Counter, shelf: Shelf) -> list[Route]:
    """The routes of this door."""
    state = State(counter, DOOR, shelf)

    def act(_: Counter, request: Request) -> Response:
        return _act(state, request)

    def version(_: Counter, __: Request) -> Response:
        return Response('{"version": 3}', media_type="application/json")

    def route(path: str) -> Route:
        return DOOR.route(path, act, counter, ("GET", "HEAD", "POST"), LARGEST_BODY)

    return [
        route("/api/3/action/{action}"),
        route("/api/action/{action}"),
        DOOR.route("/api/3", version, counter),
    ]


def _act(state: State, request: Request) -> Response:
    name = request.path_params["action"]
    action = ACTIONS.get(name)
    if action is None:
        if is_change(name):
            raise Denied(
                "This catalogue is changed by contracts and runs, not here.", vi="Danh mục này không sửa qua CKAN.", rule="read_only"
            )
        raise UnknownAction(f"Action name not known: {shown(name)}", vi=f"Không có thao tác `{shown(name)}`.")
    call = Call(state, request, Parameters(_sent(request)))
    result = action(call)
    if isinstance(result, Response):
        return result
    answer = {"help": f"{state.counter.public_url}/api/3/action/help_show?name={name}", "success": True, "result": result}
    return Response(json.dumps(answer, ensure_ascii=False, default=str), media_type="application/json", headers=PRIVATE)


def _sent(request: Request) -> dict[str, Any]:
    """What an action is called with: the query of a GET; of a POST a JSON object, whatever its Content-Type says, or a form."""
    if request.method not in ("GET", "HEAD", "POST"):
        raise NotAMethod("This address takes GET and POST.", vi="Địa chỉ này nhận GET và POST.", allow="GET, HEAD, POST")
    pairs = request.query_params.multi_items()
    if request.method == "POST":
        body = body_of(request).strip()
        if body[:1] in (b"{", b"[", b'"') or request.headers.get("content-type", "").startswith("application/json"):
            return _object(body)
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        except ValueError as error:
            raise _unread("neither JSON nor a form") from error
    found: dict[str, Any] = {}
    for name, value in pairs[:MOST_PARAMETERS]:
        found[name] = value if name not in found else [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _unread("it does not hold together") from error
    if not isinstance(value, dict):
        raise _unread("an object of parameters is expected")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _unread(why: str) -> NotJson:
    return NotJson(f"JSON Error: {why}", vi="Nội dung không phải JSON.")
