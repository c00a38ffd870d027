"""Communes merged or split on a day: everything it touches shown first, then one act of two persons; what was decided, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.contracts import Layer
from lienthong.errors import BadRequest, Conflict, RequestError, Unprocessable
from lienthong.pipeline import approving, units
from lienthong.standards.admin_units import UnitRegister, name_on, register
from lienthong.standards.unit_changes import UnitChange
from lienthong.standards.unit_search import find_units
from lienthong.store import Connection
from lienthong.store import agencies as agency_store
from lienthong.store import unit_changes as store
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import act, beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import nfc, order_key
from lienthong.web.pages.visiting import Visit

COLUMNS = ("change", "on", "resolution", "code", "name", "made_of", "state")
LEAST_ROWS, MOST_ROWS = 2, 60
LIST_SHAPE = frozenset({"code", "level", "name", "valid_from", "valid_to"})  # of a code list of units
LONGEST_TEXT = 2_000
Asked = Mapping[str, Any]


def shown(site: Site, visit: Visit) -> Page:
    """What was decided, a form for another change, and its preview when it was asked for."""
    actor = enter(visit)
    today = vietnam_date(site.counter.clock())
    asked = _asked(visit)
    with site.connection() as connection:
        changes = store.everything(connection)
        agencies = agency_store.read(connection)
        known = units.known(connection)
    facts: dict[str, Any] = {
        "changes": [_told(each, today) for each in changes], "asked": asked, "preview": None, "touched": None, "faults": [],
        "communes": _communes(site, known, today),
    }  # fmt: skip
    status = 200
    if asked["begun"]:
        try:
            change = _change(site, asked, today)
            facts["preview"] = units.preview(site.counter.workshop, change, asked["merge"], asked["into"])
            facts["touched"] = _touched(site, change, today)
        except RequestError as error:
            facts["faults"], status = [visit.speech.pick(str(error.facts.get("vi", error.message)), error.message)], error.status
    rows = [
        (told["change"], told["on"], told["resolution"], unit["code"], unit["name"], " ".join(unit["of"]), told["state"])
        for told in facts["changes"]
        for unit in told["begun"]
    ]
    n_rows = min(MOST_ROWS, max(LEAST_ROWS, len(asked["begun"]) + (1 if "more" in visit.request.query_params else 0)))
    seen = {
        **beside(actor),
        "digest": approving.digest_of(facts["preview"]) if facts["preview"] else "",
        "rows": [*asked["begun"], *[{"code": "", "name": "", "of": ""}] * (n_rows - len(asked["begun"]))],
        "today": today,
        "open_agencies": sorted((a for a in agencies.by_code.values() if not a.valid_to), key=lambda a: order_key(a.name)),
        "names": {code: agency.name for code, agency in agencies.by_code.items()},
    }
    return Page("operator/units.html", visit.speech.t("operator.units"), facts, Table(COLUMNS, rows), seen, status=status)


def propose(site: Site, visit: Visit, form: Form) -> Any:
    """Put the change that was shown before a second operator; refused when anything of it has changed since."""
    actor = act(visit, form)
    if form.get("take_back"):
        return _propose_taking_back(site, form, actor)
    begun = [line.split("|", 2) for line in text_in(form, "begun").split("\n") if line.strip()]
    if any(len(parts) != len(("code", "name", "of")) for parts in begun):
        raise BadRequest("`begun`: expected lines of code|name|codes.", vi="Danh sách đơn vị mới không đọc được.")
    change = units.read_change(
        _day(text_in(form, "on")), text_in(form, "resolution"), [(code, name, of.split()) for code, name, of in begun]
    )
    document = units.preview(site.counter.workshop, change, form.get("merge", "").split(), form.get("into", ""))
    if approving.digest_of(document) != text_in(form, "digest"):
        raise Conflict(
            "What the change touches has changed since it was shown.",
            hint="Look at it again.",
            hint_vi="Hãy xem lại nội dung.",
            vi="Nội dung đã thay đổi từ lúc xem trước.",
        )
    made = approving.propose(site.counter.workshop, units.CHANGE, actor, document, text_in(form, "reason", ""))
    return go(f"/operator/approvals/{made.number}")


def _propose_taking_back(site: Site, form: Form, actor: Any) -> Any:
    try:
        number = int(form["take_back"])
    except ValueError as error:
        raise BadRequest("`take_back`: expected a number.", vi="Số thay đổi không đúng.") from error
    document = units.taking_back(site.counter.workshop, number)
    made = approving.propose(site.counter.workshop, units.TAKE_BACK, actor, document, text_in(form, "reason", ""))
    return go(f"/operator/approvals/{made.number}")


def _asked(visit: Visit) -> dict[str, Any]:
    """The form as it was filled in: new units in rows `code`, `name`, `of`; rows left empty are none."""
    asked = visit.request.query_params
    columns = [[text[:LONGEST_TEXT] for text in asked.getlist(name)[:MOST_ROWS]] for name in ("code", "name", "of")]
    rows = [dict(zip(("code", "name", "of"), (nfc(text).strip() for text in row), strict=True)) for row in zip(*columns, strict=False)]
    merge = sorted({code for text in asked.getlist("merge")[:100] for code in text[:LONGEST_TEXT].split()})
    return {
        "on": visit.text("on"), "resolution": visit.text("resolution"), "begun": [row for row in rows if any(row.values())], "merge": merge,
        "into": visit.text("into") if merge else "",
    }  # fmt: skip


def _change(site: Site, asked: Asked, today: date) -> UnitChange:
    on = _day(asked["on"])
    province = _province(site, today)
    begun = [
        (row["code"], row["name"], [_code(text, on, province) for text in re.split(r"[;\n]", row["of"]) if text.strip()])
        for row in asked["begun"]
    ]
    return units.read_change(on, asked["resolution"], begun)


def _code(text: str, on: date, province: str) -> str:
    """The code a person meant: typed as it is, or as a name. Raises Unprocessable where a name is nobody's or several communes'."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return text
    day = on - timedelta(days=1)
    found = {unit.code: unit for unit in find_units(text, day, "commune", province or None) if unit.is_valid(day)}
    if province and any(unit.province_code == province for unit in found.values()):
        found = {code: unit for code, unit in found.items() if unit.province_code == province}
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise Unprocessable(f"No commune is called {text[:60]}.", vi=f"Không có xã, phường nào tên {text[:60]}.")
    told = ", ".join(sorted(found))
    raise Unprocessable(f"Several communes are called {text[:60]}: {told}.", vi=f"Có nhiều xã, phường tên {text[:60]}: {told}.")


def _province(site: Site, today: date) -> str:
    """The platform's province: as the settings say, else the one its borders are of."""
    if site.settings.province:
        return site.settings.province
    units_drawn = (unit for code in site.borders.codes() for unit in register().by_code.get(code, []) if unit.is_valid(today))
    return next((unit.province_code for unit in units_drawn), "")


def _communes(site: Site, known: UnitRegister, today: date) -> list[dict[str, Any]]:
    """The communes of the province as they are today, those that will end marked, in Vietnamese order."""
    province = _province(site, today)
    now = [u for u in known.units if province and u.level == "commune" and u.province_code == province and u.is_valid(today)]
    now.sort(key=lambda unit: (order_key(name_on(unit, today)), unit.code))
    return [{"code": u.code, "name": name_on(u, today), "valid_from": u.valid_from, "valid_to": u.valid_to} for u in now]


def _told(kept: store.KeptChange, today: date) -> dict[str, Any]:
    change = kept.change
    state = "taken_back" if kept.taken_back_at else "in_force" if change.on <= today else "to_come"
    begun = [{"code": unit.code, "name": unit.name, "of": list(unit.of)} for unit in change.begun]
    return {
        "change": kept.number, "on": change.on, "resolution": change.resolution, "begun": begun, "split": list(change.split), "state": state,
        "proposal": kept.proposal, "decided_at": kept.decided_at,
    }  # fmt: skip


def _touched(site: Site, change: UnitChange, today: date) -> dict[str, Any]:
    """What stands beside the act: it follows by itself, or somebody must see to it. Told now, not decided on: it goes on changing."""
    with site.counter.workshop.database.connect() as connection:
        known = units.known(connection)
        ending = [unit for code in change.ended for unit in known.by_code.get(code, []) if unit.valid_to is None]
        indicators = store.indicators(connection, [unit.key for unit in ending])
        held = units.bearing(connection, site.contracts, change.ended)
        datasets = [
            {
                "id": b.contract.id,
                "title": b.contract.title_vi,
                "title_en": b.contract.title_en,
                "agency": b.contract.agency,
                "records": dict(b.records),
            }
            for b in held
        ]
        lists = _code_lists(site, connection, change)
    titles = site.numbers.indicators()
    named = [{"id": c.id, "codes": codes} for c in site.contracts.values() if (codes := units.naming(c, change.ended))]
    drawn = set(site.borders.codes())
    return {
        "datasets": datasets,
        "indicators": [{"id": i, "title": titles[i].title_vi, "title_en": titles[i].title_en} for i in indicators if i in titles],
        "code_lists": lists,
        "contracts": named,
        "maps": [{"code": u.code, "name": u.name, "drawn_from": [c for c in u.of if c in drawn], "split": [c for c in u.of if c in change.split]} for u in change.begun],
        "borne_before": [
            {"code": u.code, "name": old.name}
            for u in change.begun
            for old in known.by_code.get(u.code, [])
            if old.code not in change.ended or old.valid_to is not None
        ],
        "is_past": change.on <= today,
    }  # fmt: skip


def _code_lists(site: Site, connection: Connection, change: UnitChange) -> list[dict[str, Any]]:
    """Published lists of units, whether each tells of the new ones already."""
    applied = store.applied(connection)
    found = []
    for contract in site.contracts.values():
        if contract.layer is Layer.CODE_LIST and contract.id in applied and {p.name for p in contract.properties} >= LIST_SHAPE:
            told = store.telling(connection, contract.id, [unit.code for unit in change.begun], change.on)
            found.append(
                {"id": contract.id, "title": contract.title_vi, "title_en": contract.title_en, "agency": contract.agency, "tells": told}
            )
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("`on`: expected a day like 2026-01-31.", vi="Ngày hiệu lực: cần ngày, ví dụ 2026-01-31.") from error
