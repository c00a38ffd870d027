"""A run event of OpenLineage as a value: what a program outside read and wrote, and which column came from which. Read under bounds, refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lienthong.errors import Unprocessable

TYPES = ("START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER")
MOST_DATASETS = 200
MOST_COLUMNS = 20_000  # pairs of a column and one it comes from, of one event
LONGEST_NAME = 500
Known = Callable[[str, str], str]  # (namespace, name) → what it is called here


@dataclass(frozen=True)
class RunEvent:
    """`columns`: written dataset → column → [(dataset, column) it comes from]."""

    run: UUID
    kind: str
    time: datetime
    job: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    columns: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]] = field(default_factory=dict)


def read_event(body: Any, known: Known) -> RunEvent:
    """The event of a document. Raises Unprocessable naming the place and what was expected."""
    if not isinstance(body, dict):
        raise _wrong("event", "an object", "một đối tượng")
    kind = body.get("eventType", "OTHER")
    if kind not in TYPES:
        raise _wrong("eventType", f"one of {', '.join(TYPES)}", f"một trong {', '.join(TYPES)}")
    run, job = _object(body, "run"), _object(body, "job")
    try:
        number = UUID(_text(run, "run", "runId"))
    except ValueError as error:
        raise _wrong("run.runId", "a UUID", "một UUID") from error
    named = f"{_text(job, 'job', 'namespace')}/{_text(job, 'job', 'name')}"
    outputs = _datasets(body, "outputs", known)
    columns, count = {}, 0
    for name, facets in outputs.items():
        found = _columns(facets, known)
        count += sum(len(sources) for sources in found.values())
        if count > MOST_COLUMNS:
            raise _wrong("outputs", f"at most {MOST_COLUMNS} columns", f"nhiều nhất {MOST_COLUMNS} cột")
        if found:
            columns[name] = found
    return RunEvent(number, kind, _time(body), named, tuple(_datasets(body, "inputs", known)), tuple(outputs), columns)


def _time(body: Mapping[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(_text(body, "event", "eventTime"))
    except ValueError as error:
        raise _wrong("eventTime", "an instant", "một thời điểm") from error
    if found.tzinfo is None or not 1970 <= found.year <= 9000:
        raise _wrong("eventTime", "an instant with its zone", "một thời điểm có múi giờ")
    return found


def _datasets(body: Mapping[str, Any], word: str, known: Known) -> dict[str, Mapping[str, Any]]:
    """Name here → facets, in order."""
    listed = [] if body.get(word) is None else body[word]
    if not isinstance(listed, list) or len(listed) > MOST_DATASETS:
        raise _wrong(word, f"a list of at most {MOST_DATASETS}", f"danh sách nhiều nhất {MOST_DATASETS}")
    found: dict[str, Mapping[str, Any]] = {}
    for each in listed:
        if not isinstance(each, dict):
            raise _wrong(word, "objects", "các đối tượng")
        facets = each.get("facets")
        found[known(_text(each, word, "namespace"), _text(each, word, "name"))] = facets if isinstance(facets, dict) else {}
    return found


def _columns(facets: Mapping[str, Any], known: Known) -> dict[str, list[tuple[str, str]]]:
    lineage = facets.get("columnLineage")
    listed = lineage.get("fields") if isinstance(lineage, dict) else None
    if not isinstance(listed, dict):
        return {}
    found: dict[str, list[tuple[str, str]]] = {}
    for column, said in listed.items():
        sources = said.get("inputFields") if isinstance(said, dict) else None
        if not isinstance(sources, list) or len(column) > LONGEST_NAME or "\x00" in column:
            raise _wrong("columnLineage", "inputFields of each field", "inputFields của từng trường")
        found[column] = []
        for source in sources:
            if not isinstance(source, dict):
                raise _wrong("columnLineage", "objects", "các đối tượng")
            where = known(_text(source, "inputFields", "namespace"), _text(source, "inputFields", "name"))
            found[column].append((where, _text(source, "inputFields", "field")))
    return found


def _object(body: Mapping[str, Any], word: str) -> Mapping[str, Any]:
    found = body.get(word)
    if not isinstance(found, dict):
        raise _wrong(word, "an object", "một đối tượng")
    return found


def _text(body: Mapping[str, Any], place: str, word: str) -> str:
    found = body.get(word)
    if not isinstance(found, str) or not found or len(found) > LONGEST_NAME or "\x00" in found:
        raise _wrong(f"{place}.{word}", f"a text of at most {LONGEST_NAME} characters", f"chữ, nhiều nhất {LONGEST_NAME} ký tự")
    return found


def _wrong(place: str, en: str, vi: str) -> Unprocessable:
    return Unprocessable(f"`{place}`: expected {en}.", hint="https://openlineage.io/spec", vi=f"`{place}`: cần {vi}.")
