"""What `/openapi.json` says of the Delta Sharing door and of the profiles that open it."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.web.openapi_parts import MAYBE_TEXT, PLAIN, PROBLEM_CONTENT, TEXT, WORDS, Schema, list_of, object_of, parameter, problems

_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}
_ERROR: Schema = object_of(is_closed=False, errorCode=TEXT, message=TEXT)
_ERRORS: Schema = {"application/json": {"schema": _ERROR}}
_NAMED = object_of(is_closed=False, name=TEXT)
_PAGE: Schema = {"type": "object", "required": ["items"], "properties": {"items": list_of(_NAMED), "nextPageToken": TEXT}}
_LINES: Schema = {"application/x-ndjson": {"schema": TEXT}}
_NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 2_147_483_647}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_READING = (400, 401, 403, 404, 405, 429, 503)
_PROFILE = object_of(
    profile=TEXT, subsystem=TEXT, kind=TEXT, purpose=TEXT, official=TEXT, made_at=TEXT, made_by=TEXT, expires_at=TEXT, replaces=MAYBE_TEXT,
    ended_at=MAYBE_TEXT,
)  # fmt: skip
_QUERY: Schema = {
    "type": "object",
    "properties": {
        "predicateHints": list_of(TEXT),
        "jsonPredicateHints": TEXT,
        "limitHint": _NUMBER,
        "version": {"type": "integer", "minimum": 1},
        "timestamp": _INSTANT,
        "startingVersion": {"type": "integer", "minimum": 1},
        "endingVersion": {"type": "integer", "minimum": 1},
    },
}
_TOKEN_FORM: Schema = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"]},
        "client_id": TEXT,
        "client_secret": TEXT,
        "assertion": TEXT,
        "scope": TEXT,
    },
    "additionalProperties": False,
}


def delta_paths() -> Schema:
    """The paths of the door and of its profiles."""
    share, schema, table = (parameter(name, "path", PLAIN, words) for name, words in _PLACES.items())
    root, at = "/delta-sharing", "/delta-sharing/shares/{share}/schemas/{schema}/tables/{table}"
    pages = [
        parameter("maxResults", "query", _NUMBER, "Nhiều nhất mấy mục · Most items"),
        parameter("pageToken", "query", TEXT, "`nextPageToken` của trang trước · of the page before"),
    ]
    place = [share, schema, table]
    span = [
        parameter(name, "query", kind, "Từ hoặc đến phiên bản, kể cả · From or to a version, inclusive")
        for name, kind in (
            ("startingVersion", _NUMBER), ("startingTimestamp", _INSTANT), ("endingVersion", _NUMBER), ("endingTimestamp", _INSTANT),
        )
    ]  # fmt: skip
    forms = parameter(
        "delta-sharing-capabilities",
        "header",
        {"type": "string", "maxLength": 1000},
        "Dạng trả lời: responseformat=parquet hoặc delta · The form: responseformat=parquet or delta",
    )
    instant = parameter("startingTimestamp", "query", _INSTANT, "Phiên bản đầu tiên từ thời điểm này · The earliest version from then on")
    file = [
        *(parameter(name, "path", PLAIN, "Phần của địa chỉ đã ký · A part of the signed address") for name in ("grant", "name", "part")),
        parameter("until", "query", TEXT, "Đến khi nào · Until when"),
        parameter("code", "query", TEXT, "Mã ký địa chỉ · The address's code"),
    ]
    profile = object_of(is_closed=False, shareCredentialsVersion=_NUMBER, endpoint=TEXT)
    return {
        root + "/shares": {"get": _get("shares", "Các chia sẻ của bên gọi · The caller's shares", _PAGE, pages)},
        root + "/shares/{share}": {"get": _get("share", "Một chia sẻ · A share", object_of(share=_NAMED), [share])},
        root + "/shares/{share}/schemas": {"get": _get("schemas", "Lược đồ của một chia sẻ · Its schemas", _PAGE, [share, *pages])},
        root + "/shares/{share}/all-tables": {
            "get": _get("all_tables", "Mọi bảng của một chia sẻ · All its tables", _PAGE, [share, *pages])
        },
        root + "/shares/{share}/schemas/{schema}/tables": {
            "get": _get("tables", "Bảng của một lược đồ · Tables of a schema", _PAGE, [share, schema, *pages])
        },
        at + "/version": {
            "get": _get("version", "Phiên bản của bảng, trong tiêu đề · The table's version, in a header", None, [*place, instant])
        },
        at + "/metadata": {"get": _get("metadata", "Cột và mô tả của bảng · The table's columns", None, [*place, forms])},
        at + "/query": {
            "post": {
                **_get("query", "Địa chỉ đã ký của các tệp Parquet · Signed addresses of Parquet files", None, [*place, forms], (413,)),
                "requestBody": {"content": {"application/json": {"schema": _QUERY}}},
            }
        },
        at + "/changes": {"get": _get("changes", "Địa chỉ các tệp thay đổi · Addresses of files of changes", None, [*place, *span, forms])},
        root + "/files/{grant}/{name}/{part}": {
            "get": {
                "operationId": "delta_file",
                "tags": ["delta-sharing"],
                "summary": "Tệp tại địa chỉ đã ký; đọc từng đoạn được · The file at its signed address; ranges may be read",
                "security": [],
                "parameters": file,
                "responses": {
                    **{code: {"description": words, "content": {"application/vnd.apache.parquet": {}}} for code, words in _FILE.items()},
                    "416": {"description": "Đoạn không có · No such range", "content": {"text/plain": {}}},
                    **_errors((400, 403, 404, 405, 503)),
                },
            }
        },
        root + "/open.share": {"get": _get("open_profile", "Hồ sơ truy cập dữ liệu mở · The profile for open data", profile, [])},
        root + "/oauth/token": {"post": _token()},
        **_profile_paths(),
    }


_PLACES = {
    "share": "Chia sẻ: số thỏa thuận, hoặc `open` · The share: an agreement's number, or `open`",
    "schema": "Phần đầu mã bộ dữ liệu · The first part of the dataset's id",
    "table": "Phần sau mã bộ dữ liệu · The rest of it",
}
_FILE = {"200": "Tệp Parquet · The Parquet file", "206": "Một đoạn của tệp · A part of it"}


def _get(name: str, words: str, schema: Schema | None, parameters: Iterable[Schema], more: Iterable[int] = ()) -> Schema:
    content = _LINES if schema is None else {"application/json": {"schema": schema}}
    return {
        "operationId": f"delta_{name}",
        "tags": ["delta-sharing"],
        "summary": words,
        "security": [{}, {"oauth2": []}],
        "parameters": list(parameters),
        "responses": {"200": {"description": "Trả lời · The answer", "content": content}, **_errors((*_READING, *more))},
    }


def _errors(statuses: Iterable[int]) -> Schema:
    return {str(status): {"description": WORDS[status], "content": _ERRORS} for status in sorted(set(statuses))}


def _token() -> Schema:
    refused = {"application/json": {"schema": object_of(error=TEXT, error_description=TEXT)}}
    given = object_of(access_token=TEXT, token_type=TEXT, expires_in=_NUMBER)
    return {
        "operationId": "delta_token",
        "tags": ["delta-sharing"],
        "summary": "Mã ngắn hạn cho một hồ sơ truy cập · A short token for a profile",
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _TOKEN_FORM}}},
        "responses": {
            "200": {"description": "Mã truy cập · The token", "content": {"application/json": {"schema": given}}},
            "400": {"description": WORDS[400], "content": refused},
            "401": {"description": WORDS[401], "content": refused},
            "405": {"description": WORDS[405], "content": PROBLEM_CONTENT},
            "503": {"description": WORDS[503], "content": PROBLEM_CONTENT},
        },
    }


def _profile_paths() -> Schema:
    name = parameter("profile", "path", PLAIN, "Số hồ sơ · The profile's name")
    days = {"type": "integer", "minimum": 1, "maximum": 366}
    kind = {"enum": ["bearer", "secret", "key"]}
    made = object_of(profile=_PROFILE, file={"type": "object"})
    ended = object_of(profile=TEXT, ended={"type": "boolean"})
    root = "/v1/share-profiles"
    asked = {"subsystem": _WORDS, "purpose": _WORDS, "official": _WORDS}
    overlap = {"type": "integer", "minimum": 0, "maximum": 30}
    return {
        root: {
            "get": _act("profiles", "Hồ sơ truy cập của cơ quan · The agency's profiles", object_of(profiles=list_of(_PROFILE)), []),
            "post": _act("issue_profile", "Cấp hồ sơ truy cập · Issue a profile", made, [], asked, {"kind": kind, "days": days}),
        },
        root + "/{profile}/rotate": {
            "post": _act("rotate_profile", "Thay hồ sơ · Rotate a profile", made, [name], {}, {"days": days, "overlap_days": overlap})
        },
        root + "/{profile}/end": {"post": _act("end_profile", "Thu hồi hồ sơ · End a profile", ended, [name], {"reason": _WORDS})},
    }


def _act(
    name: str, words: str, schema: Schema, parameters: list[Schema], needed: Schema | None = None, maybe: Schema | None = None
) -> Schema:  # fmt: skip
    body: Schema = {}
    if needed is not None:
        whole = {**needed, **(maybe or {})}
        sent = {"type": "object", "required": list(needed), "additionalProperties": False, "properties": whole}
        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": sent}}}}
    statuses = (400, 401, 403, 404, 405, 503) if needed is None else (400, 401, 403, 404, 405, 409, 413, 415, 422, 503)
    official = parameter(
        "Lienthong-Official", "header", {"type": "string", "maxLength": 200}, "Cán bộ yêu cầu · The official it is made for"
    )
    return {
        "operationId": name,
        "tags": ["delta-sharing"],
        "summary": words,
        "security": [{"oauth2": []}],
        "parameters": [*parameters, official],
        **body,
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": {"application/json": {"schema": schema}}},
            **problems(statuses),
        },
    }
