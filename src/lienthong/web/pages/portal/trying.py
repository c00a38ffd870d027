"""Asking a dataset from a form, in the sandbox: the real door answers, and the same request is shown as curl, Python, Java and C#.

It asks in the name of the practice subsystem, under its agreement, for whoever sits there; elsewhere this page leads to the sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lienthong.contracts import Contract, Property, Sharing
from lienthong.errors import NotFound
from lienthong.pipeline.sandbox import PURPOSE as PRACTICE
from lienthong.pipeline.sandbox import practice_system
from lienthong.web import look_up, records
from lienthong.web.authorising import Authoriser
from lienthong.web.headers import OFFICIAL, PURPOSE
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.code import samples
from lienthong.web.pages.site import Site, contract_named
from lienthong.web.pages.training.sitting import is_sandbox
from lienthong.web.pages.visiting import Visit
from lienthong.web.problem import answer_problem

ROWS = 10
MOST_FILTERS = 6
WAYS = ("look_up", "list")
VISITOR = "khach"  # who asks without having signed in


def shown(site: Site, visit: Visit) -> Page | Response:
    contract = contract_named(site, visit)
    if not is_sandbox(site):
        if not site.settings.sandbox_url:
            raise NotFound(
                "Calls are tried out in the sandbox, and this province names none.", vi="Tỉnh này chưa có vùng thực hành để gọi thử."
            )
        return RedirectResponse(f"{site.settings.sandbox_url.rstrip('/')}/datasets/{contract.id}/try", 303)
    way = visit.text("way") if visit.text("way") in WAYS else "look_up"
    key, purpose = visit.text("key"), visit.text("purpose") or PRACTICE
    filters = {p.name: value for p in filterable(contract) if (value := visit.text(f"f.{p.name}"))}
    address = _address(contract, way, key, filters)
    headers = {} if contract.sharing is Sharing.OPEN else {_shown_name(PURPOSE): purpose, _shown_name(OFFICIAL): _official(visit)}
    is_asked = (way == "look_up" and bool(key)) or (way == "list" and "way" in visit.request.query_params)
    given = _asked(site, visit, contract, way, key, address, headers) if is_asked else None
    facts = {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "way": way,
        "key": key,
        "purpose": purpose,
        "filters": filters,
        "address": address,
        "headers": headers,
        "status": given.status_code if given else None,
        "answer": json.loads(bytes(given.body)) if given else None,
    }
    beside: dict[str, Any] = {
        "fields": [{"name": p.name, "title": visit.speech.pick(p.title_vi, p.title_en), "choices": _choices(p, contract)} for p in filterable(contract)],
        "samples": samples(site.counter.public_url + address, headers, is_open=contract.sharing is Sharing.OPEN),
        "shown": json.dumps(facts["answer"], ensure_ascii=False, indent=2) if given else "",
        "is_open": contract.sharing is Sharing.OPEN,
        "key_title": visit.speech.pick(contract.key[0].title_vi, contract.key[0].title_en) if len(contract.key) == 1 else " ~ ".join(p.name for p in contract.key),
    }  # fmt: skip
    title = visit.speech.t("try.title", title=visit.speech.pick(contract.title_vi, contract.title_en))
    table = Table(("sample", "text"), [(sample["name"], sample["text"]) for sample in beside["samples"]])
    return Page("portal/try.html", title, facts, table, beside)


def filterable(contract: Contract) -> Sequence[Property]:
    """Fields worth filtering by in a form: codes before texts, no geometry."""
    found = [
        p
        for p in contract.properties
        if p.logical_type in ("string", "integer", "date") and p.standard != "geometry" and p.key_position is None
    ]
    return sorted(found, key=lambda p: p.standard not in ("code_list", "sex", "admin_unit"))[:MOST_FILTERS]


def _choices(p: Property, contract: Contract) -> list[str]:
    listed = [
        str(v) for rule in contract.all_rules if rule.kind == "allowed" and rule.columns == (p.name,) for v in rule.parameters["values"]
    ]
    return listed or ([str(code) for code in p.standard_options.get("values") or {}] if p.standard == "code_list" else [])


def _shown_name(header: str) -> str:
    return "-".join(part.capitalize() for part in header.split("-"))


def _official(visit: Visit) -> str:
    return visit.session.actor.name if visit.session is not None and visit.session.actor.name else VISITOR


def _address(contract: Contract, way: str, key: str, filters: Mapping[str, str]) -> str:
    root = f"/v1/datasets/{contract.id}/records"
    if way == "look_up":
        return f"{root}/{quote(key, safe='')}" if key else f"{root}/{{key}}"
    return f"{root}?{urlencode({**filters, 'limit': ROWS})}"


def _asked(site: Site, visit: Visit, contract: Contract, way: str, key: str, address: str, headers: Mapping[str, str]) -> Response:
    """What the real door says to this request from the practice subsystem."""
    path, _, query = address.partition("?")
    scope = dict(visit.request.scope)
    scope |= {
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "path_params": {"dataset": contract.id, "key": key},
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    request = Request(scope)
    system = practice_system(site.settings.instance, site.settings.member_class)
    counter = site.counter.asked_by(Authoriser(site.counter.workshop, site.register, lambda _: system))
    try:
        return look_up.given(counter, request, counter.subject_key) if way == "look_up" else records.list_of(counter, request)
    except Exception as error:  # the door's own words for whatever it refuses
        return answer_problem(None, error)
