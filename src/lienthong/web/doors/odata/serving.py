"""The addresses of the service: the service document, `$metadata`, sets, single entities, their fields, counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotAcceptable, NotFound, NotOffered
from lienthong.sharing.filters import read_instant, read_value, shown
from lienthong.sharing.questions import LARGEST_PAGE, All, Answer, Compare, Question
from lienthong.sharing.rights import Right
from lienthong.web.asking import PRIVATE, Counter, is_strange
from lienthong.web.doors.asking import Door, answer, basic, bearer, once, visible
from lienthong.web.doors.odata.metadata import NAMESPACE, ROOT, metadata, service_document, set_name
from lienthong.web.doors.odata.paths import Place, read_place, values_of

PAGE = 5_000  # rows, where the client does not say
LONGEST_NUMBER = 11  # digits of how many rows, or after how many
OPTIONS = ("$select", "$filter", "$orderby", "$top", "$skip", "$count", "$format", "$skiptoken", "as_of", "known_at", "purpose", "official")
_VERSION = {"OData-Version": "4.0"}
_XML = "application/xml"
_PREFERRED = re.compile(r"(?:odata\.)?maxpagesize\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)
_VERSION_SAID = re.compile(r"(\d{1,3})(?:\.\d{1,3})?")
_PATH = re.compile(r"[A-Za-z_]\w*(?:/[\w*.]+)+|\*", re.ASCII)
_ENCODER = msgspec.json.Encoder()


def say(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """An error in OData's form (JSON format 4.0 §19); the message is Vietnamese, English beside it."""
    error: dict[str, Any] = {"code": document["code"], "message": document["detail"]}
    details = [{"code": "en", "message": document["detail_en"]}]
    details += [
        {"code": name, "message": str(document[name])} for name in ("hint", "hint_vi", "rule", "agreement", "clause") if document.get(name)
    ]
    body = _ENCODER.encode({"error": {**error, "details": details}})
    return Response(body, status, {**headers, **_VERSION}, media_type="application/json;odata.metadata=minimal")


DOOR = Door("odata", say, (bearer, basic), ("purpose", "official"), 'Basic realm="Lienthong", charset="UTF-8"', takes_profiles=True)


def routes_of(counter: Counter) -> list[Route]:
    """Every route of the service."""
    return [
        DOOR.route(ROOT, _root, counter),
        DOOR.route(ROOT + "/", _root, counter),
        DOOR.route(ROOT + "/$metadata", _metadata, counter),
        DOOR.route(ROOT + "/{path:path}", _resource, counter),
    ]


@dataclass(frozen=True)
class _Form:
    """How JSON is to be: how much metadata, and whether 64-bit numbers are text."""

    metadata: str = "minimal"
    is_exact: bool = False

    @property
    def media_type(self) -> str:
        return f"application/json;odata.metadata={self.metadata};odata.streaming=false;IEEE754Compatible={str(self.is_exact).lower()}"


def _root(counter: Counter, request: Request) -> Response:
    options = _options(request, ("$format",))
    form = _form(request, options)
    found = service_document(counter.public_url + ROOT, visible(counter, request))
    return Response(_ENCODER.encode(found), headers={**PRIVATE, **_VERSION}, media_type=form.media_type)


def _metadata(counter: Counter, request: Request) -> Response:
    options = _options(request, ("$format",))
    if options.get("$format", _XML).partition(";")[0] not in (_XML, "xml"):
        raise NotAcceptable("$metadata is XML (CSDL).", vi="$metadata là XML (CSDL).")
    return Response(metadata(visible(counter, request)), headers={**PRIVATE, **_VERSION}, media_type=_XML)


def _resource(counter: Counter, request: Request) -> Response:
    place = read_place(request.path_params["path"])
    contract = _contract(counter, request, place.set_name)
    if place.key is None and place.rest == ("$count",):
        return _counted(counter, request, contract)
    if place.key is None and not place.rest:
        return _page(counter, request, contract)
    if place.key is not None and (len(place.rest) <= 1 or (len(place.rest) == 2 and place.rest[1] == "$value")):
        return _entity(counter, request, contract, place)
    raise NotFound(f"There is nothing at `{shown('/'.join(place.rest))}`.", vi="Không có gì ở địa chỉ này.")


def _contract(counter: Counter, request: Request, name: str) -> Contract:
    for contract in counter.contracts.values():
        if set_name(contract) == name and not is_strange(counter, request, contract):
            return contract
    raise NotFound(
        f"There is no set `{shown(name)}`.",
        hint=f"{ROOT}/ lists them.",
        hint_vi=f"{ROOT}/ liệt kê các bộ dữ liệu.",
        vi=f"Không có bộ dữ liệu `{shown(name)}`.",
    )


def _options(request: Request, taken: tuple[str, ...]) -> dict[str, str]:
    """The query options. Raises NotOffered for one of the standard's that this address does not take, BadRequest for any other and for one given twice."""
    _require_version(request)
    pairs = request.query_params.multi_items()
    for name, _ in pairs:
        if name in (*taken, "purpose", "official"):
            continue
        hint, hint_vi = f"It takes {', '.join(taken)}.", f"Địa chỉ này nhận {', '.join(taken)}."
        if name.startswith(("$", "@")) or f"${name}" in OPTIONS:
            raise NotOffered(
                f"This address does not offer the option `{shown(name)}`.",
                hint=hint,
                hint_vi=hint_vi,
                vi=f"Địa chỉ này không có tùy chọn `{shown(name)}`.",
            )
        raise BadRequest(f"Unknown option `{shown(name)}`.", hint=hint, hint_vi=hint_vi, vi=f"Không có tùy chọn `{shown(name)}`.")
    return once(pairs, OPTIONS)


def _require_version(request: Request) -> None:
    """Refuse who says to speak another version, or to understand none of ours (protocol 4.0 §8.1.5, §8.1.6)."""
    spoken, understood = (
        _VERSION_SAID.fullmatch(request.headers.get(name, "4.0").strip()) for name in ("odata-version", "odata-maxversion")
    )
    if spoken is None or spoken[1] != "4" or understood is None or int(understood[1]) < 4:  # the version
        raise BadRequest(
            "This service speaks OData 4.0.",
            hint="OData-Version: 4.0, OData-MaxVersion: 4.0 or later.",
            hint_vi="OData-Version: 4.0, OData-MaxVersion: 4.0 trở lên.",
            vi="Dịch vụ này dùng OData 4.0.",
        )


def _form(request: Request, options: Mapping[str, str]) -> _Form:
    """The form of JSON asked for. Raises NotAcceptable when JSON is not among what is taken."""
    asked = options.get("$format") or request.headers.get("accept") or "*/*"
    for part in asked.split(","):
        name, *parameters = [piece.strip().lower() for piece in part.split(";")]
        if name in ("json", "application/json", "application/*", "*/*"):
            known = dict(piece.partition("=")[::2] for piece in parameters)
            level = known.get("odata.metadata", known.get("metadata", "minimal"))
            if level not in ("minimal", "none", "full"):
                raise NotAcceptable(
                    f"odata.metadata: expected minimal, full or none, found `{shown(level)}`.", vi="odata.metadata không đúng."
                )
            return _Form(level, known.get("ieee754compatible") == "true")
    raise NotAcceptable(
        "This service answers in JSON.",
        hint="Send Accept: application/json.",
        hint_vi="Hãy gửi Accept: application/json.",
        vi="Dịch vụ trả lời bằng JSON.",
    )


def _question(contract: Contract, options: Mapping[str, str]) -> Question:
    """What the options ask, without paging."""
    from lienthong.web.doors.odata.filters import read_filter, read_order  # noqa: PLC0415 # the grammar takes a while to load

    return Question(
        fields=_selected(contract, options.get("$select")),
        where=read_filter(options["$filter"]) if "$filter" in options else None,
        sorts=read_order(options["$orderby"]) if "$orderby" in options else (),
        count=_boolean(options.get("$count", "false")),
        as_of=read_value("as_of", options["as_of"], _day(contract)) if "as_of" in options else None,
        known_at=read_instant("known_at", options["known_at"]) if "known_at" in options else None,
    )


def _day(contract: Contract) -> Any:
    return replace(contract.properties[0], logical_type="date")


def _selected(contract: Contract, text: str | None) -> tuple[str, ...]:
    if text is None or text.strip() == "*":
        return ()
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if _PATH.fullmatch(name):
            raise NotOffered(f"$select takes names of fields, not `{shown(name)}`.", vi="$select chỉ nhận tên trường.")
    known = {p.name for p in contract.properties}
    missing = [name for name in names if name not in known]
    if missing:
        raise BadRequest(f"$select: there is no `{shown(missing[0])}`.", vi=f"$select: không có trường `{shown(missing[0])}`.")
    return tuple(dict.fromkeys(names))


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadRequest(f"$count: expected true or false, found `{shown(text)}`.", vi="$count: true hoặc false.")
    return text == "true"


def _number(options: Mapping[str, str], name: str) -> int | None:
    if name not in options:
        return None
    text = options[name]
    if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_NUMBER:
        raise BadRequest(f"{name}: expected a whole number from 0 on, found `{shown(text)}`.", vi=f"{name}: cần số nguyên từ 0.")
    return int(text)


def _page(counter: Counter, request: Request, contract: Contract) -> Response:
    options = _options(request, OPTIONS)
    form = _form(request, options)
    top, skip = _number(options, "$top"), _number(options, "$skip") or 0
    preferred = _PREFERRED.search(request.headers.get("prefer", ""))
    page = min(max(int(preferred.group(1)), 1), LARGEST_PAGE) if preferred else PAGE
    cursor: str | None = None
    if "$skiptoken" in options:
        left, dot, cursor = options["$skiptoken"].partition(".")
        if not dot or not (left == "" or (left.isascii() and left.isdigit() and len(left) < 12)):
            raise BadRequest(
                "$skiptoken: not one of ours.",
                hint="Follow @odata.nextLink as it is.",
                hint_vi="Hãy dùng nguyên @odata.nextLink.",
                vi="$skiptoken không đúng.",
            )
        top, skip = int(left) if left else None, 0
    limit = page if top is None else min(page, top)
    asked = replace(_question(contract, options), limit=limit, offset=skip, cursor=cursor)
    headers = {**_VERSION, **({"Preference-Applied": f"odata.maxpagesize={page}"} if preferred else {})}

    def write(found: Answer, _: Right) -> Response:
        left = None if top is None else top - len(found.rows)
        body: dict[str, Any] = {} if form.metadata == "none" else {"@odata.context": _context(counter, contract, options)}
        if found.total is not None:
            body["@odata.count"] = str(found.total) if form.is_exact else found.total
        body["value"] = _entities(contract, found, form)
        if found.next is not None and left != 0:
            more = [
                (name, value) for name, value in request.query_params.multi_items() if name not in ("$skiptoken", "$skip", "$top", "$count")
            ]
            token = f"{'' if left is None else left}.{found.next}"
            query = urlencode([*more, ("$skiptoken", token)], quote_via=quote, safe="$'(),*")
            body["@odata.nextLink"] = f"{counter.public_url}{ROOT}/{set_name(contract)}?{query}"
        return Response(_ENCODER.encode(body), headers=headers, media_type=form.media_type)

    return answer(counter, DOOR, request, contract, asked, write)


def _counted(counter: Counter, request: Request, contract: Contract) -> Response:
    options = _options(request, ("$filter", "as_of", "known_at"))
    asked = replace(_question(contract, options), count=True, limit=0)

    def write(found: Answer, _: Right) -> Response:
        return Response(str(found.total), headers=_VERSION, media_type="text/plain")

    return answer(counter, DOOR, request, contract, asked, write)


def _entity(counter: Counter, request: Request, contract: Contract, place: Place) -> Response:
    options = _options(request, ("$select", "$format", "as_of", "known_at"))
    form = _form(request, options if place.rest[1:] != ("$value",) else {"$format": "json"})
    key = values_of(contract, place.key or ())
    asked = replace(_question(contract, options), where=All(tuple(Compare(name, "eq", value) for name, value in key.items())), limit=1)
    if place.rest:
        if "$select" in options:
            raise NotOffered("A field takes no $select.", vi="Một trường không dùng $select.")
        asked = replace(asked, fields=_selected(contract, place.rest[0]))
    writes: Callable[..., Response] = _write_field if place.rest else _write_entity
    return answer(counter, DOOR, request, contract, asked, partial(writes, counter, contract, options, form, place))


def _write_entity(
    counter: Counter, contract: Contract, options: Mapping[str, str], form: _Form, _: Place, found: Answer, __: Right
) -> Response:  # fmt: skip
    if not found.rows:
        raise _no_entity()
    body: dict[str, Any] = {} if form.metadata == "none" else {"@odata.context": _context(counter, contract, options) + "/$entity"}
    body |= _entities(contract, found, form)[0]
    return Response(_ENCODER.encode(body), headers=_VERSION, media_type=form.media_type)


def _write_field(
    counter: Counter, contract: Contract, _: Mapping[str, str], form: _Form, place: Place, found: Answer, __: Right
) -> Response:  # fmt: skip
    if not found.rows or not found.fields:
        raise _no_entity()
    (value,) = found.rows[0]
    if value is None:
        return Response(status_code=204, headers=_VERSION)
    if len(place.rest) == 2:
        text = value if isinstance(value, str) else msgspec.to_builtins(value, builtin_types=(bool, int, float))
        plain = str(text).lower() if isinstance(value, bool) else str(text)
        return Response(plain.encode(), headers=_VERSION, media_type="text/plain; charset=utf-8")
    context = (
        {} if form.metadata == "none" else {"@odata.context": f"{counter.public_url}{ROOT}/$metadata#{set_name(contract)}/{place.rest[0]}"}
    )
    exact = _exact(contract, found, form)
    return Response(_ENCODER.encode({**context, "value": str(value) if exact else value}), headers=_VERSION, media_type=form.media_type)


def _no_entity() -> NotFound:
    return NotFound("There is no such entity.", vi="Không có bản ghi này.")


def _context(counter: Counter, contract: Contract, options: Mapping[str, str]) -> str:
    selected = options.get("$select", "*").replace(" ", "")
    shown_of = "" if selected == "*" else f"({selected})"
    return f"{counter.public_url}{ROOT}/$metadata#{set_name(contract)}{shown_of}"


def _exact(contract: Contract, found: Answer, form: _Form) -> list[int]:
    """Places of the 64-bit numbers, where they are to be text."""
    if not form.is_exact:
        return []
    return [place for place, name in enumerate(found.fields) if contract.property_named(name).logical_type == "integer"]


def _entities(contract: Contract, found: Answer, form: _Form) -> list[dict[str, Any]]:
    exact = _exact(contract, found, form)
    rows: list[dict[str, Any]] = []
    for row in found.rows:
        values: Any = row
        if exact:
            values = list(row)
            for place in exact:
                values[place] = None if values[place] is None else str(values[place])
        rows.append(dict(zip(found.fields, values, strict=True)))
    if form.metadata == "full":
        own = {"@odata.type": f"#{NAMESPACE}.{set_name(contract)}"}
        rows = [{**own, **row} for row in rows]
    return rows
