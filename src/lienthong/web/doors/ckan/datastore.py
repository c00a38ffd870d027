"""`datastore_search` and `datastore_info`: rows of a dataset as CKAN's DataStore gives them, under the ordinary rights."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any as Anything
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract, Property
from lienthong.sharing.filters import shown
from lienthong.sharing.formats import FORMULA_START
from lienthong.sharing.questions import LARGEST_PAGE as MOST_ROWS
from lienthong.sharing.questions import All, Answer, Any, Compare, Expression, IsNull, OneOf, Question, Sort, Text
from lienthong.sharing.rights import Right
from lienthong.web.asking import PRIVATE, Counter
from lienthong.web.doors.asking import Door, answer
from lienthong.web.doors.ckan.packages import resource_id
from lienthong.web.doors.ckan.values import Parameters, wrong

DEFAULT_ROWS = 100
MOST_WORDS = 12
LARGEST_OFFSET = 1_000_000_000  # the engine says where it ends
KNOWN = (
    "resource_id", "id", "filters", "q", "plain", "language", "limit", "offset", "fields", "sort", "include_total", "records_format",
    "distinct", "total_estimation_threshold", "full_text",
)  # fmt: skip
FORMATS = ("objects", "lists", "csv", "tsv")
TYPES = {"string": "text", "integer": "int8", "number": "numeric", "boolean": "bool", "date": "date", "timestamp": "timestamptz"}
ROW = "_id"  # CKAN's number of a row: our order of keys


def search(counter: Counter, door: Door, request: Request, contract: Contract, sent: Parameters) -> Response:
    """A page of rows, with its entry in the ledger."""
    sent.only(KNOWN, "The input has unknown fields")
    if sent.flag("distinct"):
        raise wrong("distinct", "Distinct rows are not offered")
    form = sent.text("records_format", "objects")
    if form not in FORMATS:
        raise wrong("records_format", f"Expected one of {', '.join(FORMATS)}")
    limit, offset = sent.number("limit", DEFAULT_ROWS, MOST_ROWS), sent.number("offset", 0, LARGEST_OFFSET)
    fields = tuple(dict.fromkeys(name for name in sent.texts("fields") if name != ROW))
    for name in fields:
        _property(contract, name, "fields")
    filters = _filters(contract, sent)
    words = sent.decoded("q")

    def question(right: Right) -> Question:
        parts = [*filters, *_words(contract, words, right)]
        return Question(
            fields, All(tuple(parts)) if parts else None, _sorts(contract, sent), max(limit, 1), offset, count=sent.flag("include_total", default=True)
        )  # fmt: skip

    def write(found: Answer, _: Right) -> Response:
        rows = found.rows if limit else []
        result = {
            "resource_id": resource_id(contract.id, "csv"),
            "include_total": sent.flag("include_total", default=True),
            "limit": limit,
            "offset": offset,
            "records_format": form,
            "fields": [_field(contract.property_named(name)) for name in found.fields],
            "records": _records(form, found.fields, rows),
            "_links": _links(sent, limit, offset),
        }
        for name in ("filters", "q", "sort"):
            if name in sent:
                result[name] = sent.decoded(name)
        if found.total is not None:
            result |= {"total": found.total, "total_was_estimated": False}
        return _result(counter, "datastore_search", result)

    return answer(counter, door, request, contract, question, write)


def info(counter: Counter, door: Door, request: Request, contract: Contract) -> Response:
    """The fields a caller sees and how many rows there are."""

    def write(found: Answer, _: Right) -> Response:
        properties = [contract.property_named(name) for name in found.fields]
        fields = [
            {**_field(p), "schema": {"native_type": TYPES[p.logical_type], "notnull": p.required, "is_index": p.key_position is not None}}
            for p in properties
        ]
        meta = {
            "id": resource_id(contract.id, "csv"),
            "count": found.total,
            "table_type": "BASE TABLE",
            "size": None,
            "db_size": None,
            "idx_size": None,
        }
        return _result(counter, "datastore_info", {"meta": meta, "fields": fields})

    return answer(counter, door, request, contract, Question(limit=1, count=True), write)


def _result(counter: Counter, name: str, result: Mapping[str, Anything]) -> Response:
    told = {"help": f"{counter.public_url}/api/3/action/help_show?name={name}", "success": True, "result": result}
    return Response(json.dumps(told, ensure_ascii=False), media_type="application/json", headers=PRIVATE)


def _property(contract: Contract, name: str, parameter: str) -> Property:
    for p in contract.properties:
        if p.name == name:
            return p
    raise wrong(parameter, f"field `{shown(name)}` not in table")


def _filters(contract: Contract, sent: Parameters) -> list[Expression]:
    """`{"year": 2024, "district_code": ["689", "690"], "unit": null}`: equal, one of, empty."""
    found = sent.decoded("filters")
    if found is None or found == "":
        return []
    if not isinstance(found, dict):
        raise wrong("filters", "Not a JSON object")
    return [_filter(_property(contract, str(name), "filters"), value) for name, value in found.items()]


def _filter(p: Property, value: Anything) -> Expression:
    values = value if isinstance(value, list) else [value]
    if not all(each is None or isinstance(each, str | int | float | bool) for each in values):
        raise wrong("filters", f"values of `{p.name}` are texts, numbers, true or false")
    wanted = tuple(_typed(p, each) for each in values if each is not None)
    parts: list[Expression] = [IsNull(p.name)] if None in values else []
    if wanted or not parts:
        parts.append(Compare(p.name, "eq", wanted[0]) if len(wanted) == 1 else OneOf(p.name, wanted))
    return parts[0] if len(parts) == 1 else Any(tuple(parts))


def _typed(p: Property, value: Anything) -> Anything:
    """Numbers asked of a column of text, and the other way, are taken as the column's kind; the engine reads text."""
    if isinstance(value, bool):
        return value if p.logical_type == "boolean" else str(value).lower()
    return str(value) if isinstance(value, int | float) and p.logical_type not in ("integer", "number") else value


def _words(contract: Contract, asked: Anything, right: Right) -> list[Expression]:
    """Every word anywhere in the text a caller sees whole; or, by field, in that field."""
    if asked is None or asked == "":
        return []
    if isinstance(asked, dict):
        return [
            Text(_property(contract, str(name), "q").name, "contains", word, "lower")
            for name, text in asked.items()
            for word in _split(text)
        ]
    seen = [p.name for p in contract.properties if p.logical_type == "string" and p.name in right.visible and p.name not in right.masked]
    return [Any(tuple(Text(name, "contains", word, "lower") for name in seen)) for word in _split(asked)]


def _split(text: Anything) -> list[str]:
    if not isinstance(text, str):
        raise wrong("q", "Expected a text, or an object of texts")
    words = text.lower().replace(":*", " ").split()
    if len(words) > MOST_WORDS:
        raise wrong("q", f"Expected at most {MOST_WORDS} words")
    return words


def _sorts(contract: Contract, sent: Parameters) -> tuple[Sort, ...]:
    """`year desc, value`; `_id` is the order rows are given in anyway."""
    sorts: dict[str, Sort] = {}
    for part in sent.text("sort").split(",") if isinstance(sent.value("sort"), str | None) else sent.texts("sort"):
        words = part.split()
        if not words:
            continue
        if len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise wrong("sort", f"`{shown(part)}` is no order")
        name = words[0].strip('"')
        is_descending = len(words) == 2 and words[1].lower() == "desc"
        if name == ROW and not is_descending:
            continue
        sorts.setdefault(name, Sort(_property(contract, name, "sort").name, is_descending))
    return tuple(sorts.values())


def _field(p: Property) -> dict[str, Anything]:
    return {"id": p.name, "type": TYPES[p.logical_type], "info": {"label": p.title_vi, "label_en": p.title_en, "notes": p.description}}


def _records(form: str, fields: Sequence[str], rows: Sequence[Sequence[Anything]]) -> Anything:
    plain = [[_plain(value) for value in row] for row in rows]
    if form == "objects":
        return [dict(zip(fields, row, strict=True)) for row in plain]
    if form == "lists":
        return plain
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if form == "csv" else "\t", lineterminator="\n")
    writer.writerows([_safe(value) for value in row] for row in plain)
    return text.getvalue()


def _plain(value: Anything) -> Anything:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _safe(value: Anything) -> Anything:
    """A spreadsheet takes no formula out of a cell."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA_START and value else value


def _links(sent: Parameters, limit: int, offset: int) -> dict[str, str]:
    """Where the first page and the next one are, as a GET."""
    kept = {name: sent.value(name) for name in sent if name not in ("offset", "limit")}
    told = {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in kept.items()}
    root = "/api/3/action/datastore_search?"
    return {
        "start": root + urlencode({**told, "limit": limit}),
        "next": root + urlencode({**told, "limit": limit, "offset": offset + limit}),
    }
