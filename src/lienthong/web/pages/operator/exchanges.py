"""The map of exchanges: which agency asks which, how much, with what refused; and one pair whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from lienthong.errors import BadRequest
from lienthong.reports.exchanges import Asker, agency_of, between_agencies, figures
from lienthong.store.exchange_records import percentile_ms
from lienthong.store.exchanges import Count
from lienthong.web.pages.drawing import Node
from lienthong.web.pages.flow import Band, flows
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit

SPANS = {
    "1h": ("hour", timedelta(hours=1)),
    "24h": ("hour", timedelta(hours=24)),
    "7d": ("hour", timedelta(days=7)),
    "90d": ("day", timedelta(days=90)),
}
COLUMNS = ("from", "from_name", "to", "to_name", "calls", "answered", "refused", "errors", "p95_ms")


def shown(site: Site, visit: Visit) -> Page:
    actor = enter(visit)
    span = visit.text("span", "24h")
    if span not in SPANS:
        raise BadRequest(f"`span`: expected one of {', '.join(SPANS)}.", vi=f"`span`: một trong {', '.join(SPANS)}.")
    size, length = SPANS[span]
    now = site.counter.clock()
    asker, answerer = visit.text("from", "*"), visit.text("to", "*")
    with site.connection() as connection:
        found = between_agencies(connection, now - length, now, size)
        detail = figures(connection, Asker(), now - length, now, ("caller", "provider", "service", "operation", "door", "purpose"), size) if "*" not in (asker, answerer) else []  # fmt: skip
    told = [_flow(site, visit, pair, count) for pair, count in found.items()]
    chosen = [
        dict(zip(("caller", "provider", "service", "operation", "door", "purpose"), each.group, strict=True)) | _counted(each.count)
        for each in detail
        if agency_of(each.group[0]) == asker and each.group[1] == answerer
    ]
    facts: dict[str, Any] = {
        "span": span,
        "begins_at": now - length,
        "until": now,
        "calls": sum(each["calls"] for each in told),
        "refused": sum(each["refused"] for each in told),
        "errors": sum(each["errors"] for each in told),
        "flows": told,
        "chosen": {"from": asker, "from_name": _name(site, visit, asker), "to": answerer, "to_name": _name(site, visit, answerer), "services": chosen} if chosen else None,
    }  # fmt: skip
    drawing = _drawing(site, visit, told) if told else ""
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page(
        "operator/map.html", visit.speech.t("operator.map"), facts, table, {**beside(actor), "drawing": drawing, "spans": list(SPANS)}
    )


def _flow(site: Site, visit: Visit, pair: tuple[str, str], count: Count) -> dict[str, Any]:
    asker, answerer = pair
    return {
        "from": asker,
        "from_name": _name(site, visit, asker),
        "to": answerer,
        "to_name": _name(site, visit, answerer),
        **_counted(count),
    }


def _counted(count: Count) -> dict[str, Any]:
    return {
        "calls": count.calls,
        "answered": count.answered,
        "refused": count.refused,
        "errors": count.errors + count.invalid,
        "p95_ms": round(percentile_ms(count.latencies, 0.95), 1),
    }


def _name(site: Site, visit: Visit, code: str) -> str:
    return site.agency(code) if code else visit.speech.t("operator.nobody")


def _drawing(site: Site, visit: Visit, told: list[dict[str, Any]]) -> Any:
    speech = visit.speech
    sides = [sorted({each[side] for each in told}, key=lambda code: order_key(_name(site, visit, code))) for side in ("from", "to")]
    nodes = []
    for side, codes in zip(("from", "to"), sides, strict=True):
        sums = {code: sum(each["calls"] for each in told if each[side] == code) for code in codes}
        nodes.append(
            [Node(_name(site, visit, code), " · ".join(filter(None, (code, speech.t("operator.n_calls", n=sums[code]))))) for code in codes]
        )
    bands = [
        Band(
            sides[0].index(each["from"]), sides[1].index(each["to"]), each["calls"],
            speech.t("operator.flow", asker=each["from_name"], answerer=each["to_name"], n=each["calls"], refused=each["refused"]),
            "?" + urlencode({"span": visit.text("span", "24h"), "from": each["from"], "to": each["to"]}) + "#pair",
            is_lit=each["refused"] > 0,
        )
        for each in told
    ]  # fmt: skip
    return flows(nodes[0], nodes[1], bands, speech.t("operator.map"))
