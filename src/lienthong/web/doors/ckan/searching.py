"""`package_search`: what meets a query and its filters, in order, with facets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from lienthong.catalog import Index
from lienthong.contracts import LICENCES
from lienthong.errors import SearchNotUnderstood
from lienthong.sharing.filters import shown
from lienthong.web.doors.ckan.listing import Listing, Numbers
from lienthong.web.doors.ckan.packages import Package
from lienthong.web.doors.ckan.solr import FIELDS, TEXTS, read_query
from lienthong.web.doors.ckan.values import Parameters, wrong

MOST_ROWS = 1_000  # CKAN's `ckan.search.rows_max`
DEFAULT_ROWS = 10
MOST_FILTERS = 50
MOST_SORTS = 5
LATEST_START = 10_000_000
DEFAULT_SORT = "score desc, metadata_modified desc"
# Solr's parameters CKAN lets through; those that tune scores change no answer here.
KNOWN = (
    "q", "fq", "fq_list", "rows", "start", "sort", "facet", "facet.field", "facet.limit", "facet.mincount", "fl", "include_private",
    "include_drafts", "include_deleted", "use_default_schema", "extras", "df", "q.op", "mm", "qf", "tie", "defType", "bf", "boost", "wt", "api_version",
)  # fmt: skip
_ORDERED = {"title_string": "title", "title": "title", **{name: name for name in ("name", "id", "organization", "metadata_modified", "metadata_created", "num_resources")}}  # fmt: skip


def search(sent: Parameters, listed: Listing, index: Index, now: datetime, owner: Callable[[str], str]) -> Package:
    """The answer of `package_search`. Raises SearchNotUnderstood for a query that is not understood."""
    sent.only(KNOWN, "Invalid search parameters")
    query = read_query(sent.text("q", "*:*"), now)
    tests = [read_query(text, now).test for text in _filters(sent)]
    if query.words:
        found = [listed.places[id] for id in index.ranked(query.words) if id in listed.places]
        chosen, scores = np.asarray(found, dtype=np.intp), np.arange(len(found), 0, -1)
        by_place = np.argsort(chosen)
        chosen, scores = chosen[by_place], scores[by_place]
    else:
        chosen, scores = np.arange(len(listed)), None
    for test in (*(() if query.words is not None else (query.test,)), *tests):
        met = np.fromiter((test(listed[place].document) for place in chosen.tolist()), bool, len(chosen))
        chosen, scores = chosen[met], None if scores is None else scores[met]
    chosen = _sorted(listed, chosen, sent.text("sort") or DEFAULT_SORT, scores)
    start, rows = sent.number("start", 0, LATEST_START), sent.number("rows", DEFAULT_ROWS, MOST_ROWS)
    counted = _facets(sent, listed, chosen)
    return {
        "count": len(chosen),
        "facets": {name: dict(values) for name, values in counted.items()},
        "search_facets": {name: _told(name, values, listed, owner) for name, values in counted.items()},
        "sort": sent.text("sort") or DEFAULT_SORT,
        "results": [listed[place].package for place in chosen[start : start + rows].tolist()],
    }


def _filters(sent: Parameters) -> list[str]:
    """`fq` is one query, or several as CKAN's clients send it again; `fq_list` is a list of them."""
    value = sent.value("fq")
    one = [value] if isinstance(value, str) else value if isinstance(value, list) else [] if value is None else [None]
    found = [*one, *(sent.value("fq_list") if isinstance(sent.value("fq_list"), list) else sent.texts("fq_list"))]
    if len(found) > MOST_FILTERS or not all(isinstance(text, str) for text in found):
        raise wrong("fq", f"at most {MOST_FILTERS} queries are expected")
    return [text for text in found if text.strip()]


def _sorted(listed: Listing, chosen: Numbers, text: str, scores: Numbers | None) -> Numbers:
    """The chosen packages in order; equal ones in that of their datasets' ids. `scores`: more is better; None where nothing is ranked."""
    parts = [part.split() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_SORTS or any(len(part) not in (1, 2) for part in parts):
        raise _unsorted(text)
    keys: list[Numbers] = []
    for part in parts:
        field, direction = part[0], part[1].lower() if len(part) == 2 else "asc"
        if direction not in ("asc", "desc") or (field not in _ORDERED and field not in ("score", "relevance", "views_recent")):
            raise _unsorted(text)
        if field in _ORDERED:
            key = listed.ranks(_ORDERED[field])[chosen]
        elif scores is not None and field != "views_recent":
            key = scores
        else:
            continue
        keys.append(-key if direction == "desc" else key)
    return chosen[np.lexsort([chosen, *reversed(keys)])]


def _unsorted(text: str) -> SearchNotUnderstood:
    return SearchNotUnderstood(f"Search Query is invalid: cannot sort by `{shown(text)}`.", vi=f"Không sắp xếp được theo `{shown(text)}`.")


def _facets(sent: Parameters, listed: Listing, chosen: Numbers) -> dict[str, list[tuple[str, int]]]:
    """Field → values with how many packages have them, the most first."""
    if not sent.flag("facet", default=True):
        return {}
    fields = sent.texts("facet.field")
    limit, least = sent.number("facet.limit", 50, 100_000, -1), sent.number("facet.mincount", 1, 1_000_000)
    found: dict[str, list[tuple[str, int]]] = {}
    for name in fields:
        if name not in FIELDS or name in TEXTS:
            raise SearchNotUnderstood(
                f"Search Query is invalid: there is no facet `{shown(name)}`.", vi=f"Không lọc được theo `{shown(name)}`."
            )
        counts = listed.column(name).counted(chosen, len(listed))
        ordered = sorted(((value, count) for value, count in counts if count >= max(least, 1)), key=lambda pair: (-pair[1], pair[0]))
        found[name] = ordered if limit < 0 else ordered[:limit]
    return found


def _told(name: str, values: Sequence[tuple[str, int]], listed: Listing, owner: Callable[[str], str]) -> Package:
    titles: dict[str, str] = {}
    if name == "organization":
        titles = {value: owner(listed.agencies[value]) for value, _ in values}
    elif name == "license_id":
        titles = {code: licence.title_vi for code, licence in LICENCES.items()}
    items: list[dict[str, Any]] = [{"name": value, "display_name": titles.get(value, value), "count": count} for value, count in values]
    return {"title": name, "items": items}
