"""Looking into open data before taking it: rows in words, counted and drawn, on a map where rows name communes. Each look is in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from lienthong.contracts import Contract, Property, Sharing
from lienthong.errors import Denied
from lienthong.ledger import Event
from lienthong.sharing.filters import read_list
from lienthong.sharing.pages import entry_of, give_page
from lienthong.store import pages as store
from lienthong.store.pages import Grouped
from lienthong.web.asking import request_bytes
from lienthong.web.pages.borders import name_of
from lienthong.web.pages.drawing import Series, area_map, columns, lines
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site, contract_named
from lienthong.web.pages.visiting import Visit

ROWS = 25
MOST_BARS = 15
MOST_POINTS = 400
OURS = ("lang", "theme", "by", "of", "limit")


def measures(contract: Contract) -> list[Property]:
    """Numbers worth averaging: of decimals, not codes or years."""
    return [p for p in contract.properties if p.logical_type == "number" and p.key_position is None]


def groups(contract: Contract) -> list[Property]:
    """Fields worth counting by: few values are expected."""
    return [p for p in contract.properties if p.logical_type in ("string", "integer", "boolean", "date") and not _is_free_text(contract, p)]


def _is_free_text(contract: Contract, p: Property) -> bool:
    return p.key_position is not None and len(contract.key) == 1


def shown(site: Site, visit: Visit) -> Page:
    contract = contract_named(site, visit)
    if contract.sharing is not Sharing.OPEN:
        raise Denied(
            "Rows of this dataset are given under an agreement only.",
            hint=f"/datasets/{contract.id}",
            vi="Dữ liệu của bộ này chỉ cung cấp theo thỏa thuận.",
            rule="no_agreement",
        )
    asked = [(name, value) for name, value in visit.request.query_params.multi_items() if name not in OURS and value]
    wanted = read_list([*asked, ("limit", str(ROWS))], contract)
    right = site.counter.authorise(visit.request, contract, "list")
    by, of = _chosen(visit, "by", groups(contract)), _chosen(visit, "of", measures(contract))
    where = {c.column: c.value for c in wanted.conditions if c.operator == "eq"}
    with site.connection() as connection:
        counted = _counted(connection, contract, by, of, where)
        given = give_page(connection, site.counter.desk, contract, wanted, right)
        site.counter.append(
            entry_of(Event.ANSWER_PAGE, contract, right, site.counter.clock(), request_bytes(visit.request), given), connection
        )
    body = msgspec.json.decode(given.body)
    facts = {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "version": body["version"],
        "fields": [{"name": p.name, "title": p.title_vi, "title_en": p.title_en, "type": p.logical_type} for p in contract.properties],
        "filters": {c.column: c.value for c in wanted.conditions},
        "sort": [("-" if each.is_descending else "") + each.column for each in wanted.sorts],
        "records": [record["values"] for record in body["records"]],
        "next": body["next"],
        "by": by.name if by else None,
        "of": of.name if of else None,
        "counted": [{"value": g.value, "count": g.count, "average": g.average} for g in counted],
    }
    names = [p.name for p in contract.properties]
    table = Table(names, [[record.get(name) for name in names] for record in facts["records"]])
    beside = {
        "groups": [{"name": p.name, "title": visit.speech.pick(p.title_vi, p.title_en)} for p in groups(contract)],
        "measures": [{"name": p.name, "title": visit.speech.pick(p.title_vi, p.title_en)} for p in measures(contract)],
        "choices": _choices(contract),
        "drawing": _drawing(visit, by, of, counted),
        "map": _map(site, visit, by, of, counted),
        "numbers": {p.name for p in contract.properties if p.logical_type == "number"},
        "cell": lambda record, field: _cell(visit, record.get(field["name"]), field),
    }
    title = visit.speech.t("portal.preview_of", title=visit.speech.pick(contract.title_vi, contract.title_en))
    return Page("portal/preview.html", title, facts, table, beside)


def _chosen(visit: Visit, name: str, among: Sequence[Property]) -> Property | None:
    wanted = visit.text(name)
    return next((p for p in among if p.name == wanted), among[0] if among and name == "by" else None)


def _counted(
    connection: Any, contract: Contract, by: Property | None, of: Property | None, where: Mapping[str, Any]
) -> list[Grouped]:  # fmt: skip
    if by is None:
        return []
    is_ordered = _is_ordered(by)
    limit = MOST_POINTS if is_ordered or _is_place(by) else MOST_BARS
    return store.counted(connection, contract.id, by.name, of.name if of else None, where, by_value=is_ordered, limit=limit)


def _is_ordered(p: Property) -> bool:
    return p.logical_type in ("date", "timestamp") or (p.logical_type == "integer" and "year" in p.name)


def _is_place(p: Property) -> bool:
    return p.standard == "admin_unit" or p.name == "commune_code"


def _choices(contract: Contract) -> dict[str, list[str]]:
    """Fields a rule gives a list of values for: they can be chosen instead of typed."""
    found = {}
    for rule in contract.all_rules:
        if rule.kind == "allowed" and len(rule.columns) == 1:
            found[rule.columns[0]] = [str(value) for value in rule.parameters.get("values", ())]
    return found


def _drawing(visit: Visit, by: Property | None, of: Property | None, counted: Sequence[Grouped]) -> Any:
    if by is None or not counted:
        return ""
    s = visit.speech
    measure = s.pick(of.title_vi, of.title_en) if of else s.t("portal.rows")
    words = s.t("portal.chart_of", measure=measure, by=s.pick(by.title_vi, by.title_en))
    values = [(g.average if of else g.count) for g in counted]
    if _is_ordered(by) and len(counted) > 1:
        labels = [str(g.value) if isinstance(g.value, int) else s.shown(g.value) for g in counted]
        return lines(labels, [Series(measure, values)], words, s.number)
    if of:
        counted = sorted(counted, key=lambda g: -(g.average or 0))
        values = [g.average for g in counted]
    shown_rows = [(_said(visit, by, g.value), float(value or 0), s.number(value)) for g, value in zip(counted, values, strict=True)]
    return columns(shown_rows[:MOST_BARS], words)


def _said(visit: Visit, p: Property, value: Any) -> str:
    if _is_place(p) and value is not None:
        name = name_of(str(value))
        return f"{name} ({value})" if name else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return visit.speech.shown(value)


def _map(site: Site, visit: Visit, by: Property | None, of: Property | None, counted: Sequence[Grouped]) -> Any:
    if by is None or not _is_place(by):
        return ""
    values = {str(g.value): (g.average if of else float(g.count)) for g in counted if g.value is not None}
    areas = site.borders.shaded(values, lambda name, value: f"{name}: {visit.speech.number(value)}", lambda code: f"/units/{code}")
    return area_map(areas, visit.speech.t("portal.map_words")) if any(area.step for area in areas) else ""


def _cell(visit: Visit, value: Any, field: Mapping[str, Any]) -> str:
    """A value as a person reads it. JSON has no dates: the field's type says what the text is."""
    if isinstance(value, str) and field["type"] == "date":
        return visit.speech.day(date.fromisoformat(value))
    if isinstance(value, str) and field["type"] == "timestamp":
        return visit.speech.moment(datetime.fromisoformat(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if "year" in field["name"] else visit.speech.number(value)
    return visit.speech.shown(value)
