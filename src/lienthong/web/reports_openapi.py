"""What `/openapi.json` says of `GET /v1/reports/…`."""

from __future__ import annotations

from lienthong.web.openapi_parts import COUNT, TEXT, Schema, answered, caller_headers, list_of, object_of, problems

_INSTANT = {"type": "string", "format": "date-time"}
_FIGURES: Schema = {"filled": COUNT, "held": COUNT, "agree": COUNT, "disagree": COUNT, "hours": {"type": "number", "minimum": 0}}


def report_paths() -> Schema:
    """The paths of the reports."""
    return {
        "/v1/reports/reuse": {"get": _operation("report_reuse", "Giá trị dùng lại được · The reuse meter", _reuse())},
        "/v1/reports/index": {"get": _operation("report_index", "Chỉ mục bản ghi gốc · The index of golden records", _index())},
    }


def _operation(name: str, summary: str, schema: Schema) -> Schema:
    return {
        "tags": ["reports"],
        "operationId": name,
        "summary": summary,
        "parameters": caller_headers(required=False),
        "responses": answered(schema, problems((400, 401, 405, 429))),
        "security": [{"oauth2": []}],
    }


def _reuse() -> Schema:
    texts = {"type": "array", "items": TEXT}
    attribute = object_of(entity=TEXT, attribute=TEXT, title=TEXT, title_en=TEXT, properties=texts, authorities=texts, **_FIGURES)
    dataset = object_of(dataset=TEXT, title=TEXT, title_en=TEXT, **_FIGURES, properties=list_of(attribute))
    return object_of(
        counted_at=_INSTANT,
        characters_per_minute={"type": "number"},
        total=object_of(**_FIGURES),
        agencies=list_of(object_of(agency=TEXT, **_FIGURES)),
        datasets=list_of(dataset),
    )


def _index() -> Schema:
    entity = object_of(
        entity=TEXT,
        title=TEXT,
        title_en=TEXT,
        model={"type": ["string", "null"]},
        records=COUNT,
        golden_records=COUNT,
        sources=list_of(object_of(source=TEXT, records=COUNT, golden_records=COUNT)),
        overlaps=list_of(object_of(left=TEXT, right=TEXT, golden_records=COUNT)),
        judgements=list_of(object_of(by=TEXT, verdict=TEXT, count=COUNT)),
        waiting={"type": "object", "additionalProperties": COUNT},
        quality=_quality(),
        events=list_of({"type": "object", "required": ["day"], "properties": {"day": {"type": "string", "format": "date"}}}),
    )
    return object_of(counted_at=_INSTANT, entities=list_of(entity))


def _quality() -> Schema:
    """How right an index is by its newest review that is through; null: none was drawn."""
    part = {"type": "number", "minimum": 0, "maximum": 1}
    share = {"anyOf": [object_of(value=part, low=part, high=part, reviewed=COUNT), {"type": "null"}]}
    found = object_of(
        drawn_at=_INSTANT,
        pairs=COUNT,
        reviewed=COUNT,
        covered=part,
        precision=share,
        recall=share,
        by_registers=list_of(object_of(registers={"type": "array", "items": TEXT}, precision=share, recall=share)),
        equal_verdicts={**part, "type": ["number", "null"]},
        kappa={"type": ["number", "null"]},
        reviewers=list_of(object_of(looked=COUNT, twice=COUNT, equal=COUNT)),
    )
    return {"anyOf": [found, {"type": "null"}]}
