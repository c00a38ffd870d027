"""A call of a service tried out on a page: read, routed and checked as the platform would, answered from the description's examples.

The agency is not asked and no data is touched, so anybody may: what comes back is the shape of an answer, or the words of the refusal.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from lienthong.access.addresses import safe_path, safe_query
from lienthong.clock import vietnam_date
from lienthong.contracts.services import Route
from lienthong.errors import BadRequest, LienthongError, NotFound, Unprocessable
from lienthong.sharing.broker.book import Book, Offer
from lienthong.sharing.broker.faces import cases_of, page_of
from lienthong.sharing.broker.samples import rest_sample, soap_sample
from lienthong.sharing.broker.soap_reading import SoapReader
from lienthong.web.headers import OFFICIAL, PURPOSE
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.code import samples
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.problem import answer_problem

LONGEST = 4_000  # characters of a path or body that are tried
FAULTS_TOLD = 10


def shown(site: Site, visit: Visit) -> Page:
    """One operation's call in a form, and what it would come to once it is sent."""
    with site.counter.workshop.database.connect() as connection:
        book = Book.read(connection)
    offer = book.find(visit.path["service"], visit.text("version") or None, vietnam_date(site.counter.clock()))
    service = offer.service
    cases = {case["endpoint"]: case for case in cases_of(service)}
    chosen = visit.text("operation") or next(iter(cases), "")
    if chosen not in cases:
        raise NotFound("The service has no such operation.", vi="Dịch vụ không có thao tác này.")
    case = cases[chosen]["request"]
    route = next(route for route in service.routes if route.endpoint == chosen)
    address, body = _typed(visit, "address", case["path"]), _typed(visit, "body", str(case.get("body", "")))
    headers = {name: value for name, value in case["headers"].items() if body}
    status, answer = (
        _tried(offer, route, address, body, headers, visit.text("code")) if "address" in visit.request.query_params else (None, "")
    )
    found = page_of(offer, [], site.register(), site.counter.public_url)
    facts: dict[str, Any] = {
        "id": service.id, "title": service.title_vi, "title_en": service.title_en, "version": service.version, "calls": found["links"]["calls"],
        "operations": [{"endpoint": each.endpoint, "title": each.title or each.name} for each in service.routes if each.endpoint in cases],
        "operation": chosen, "verb": case["verb"], "address": address, "has_body": bool(case.get("body")), "body": body, "code": visit.text("code"),
        "codes": _codes(offer, route), "status": status, "answer": answer,
    }  # fmt: skip
    purposes = [code for terms in found["agreements"] for code in terms["purposes"]]
    said = {_shown_name(PURPOSE): next(iter(purposes), "MUC_DICH"), _shown_name(OFFICIAL): "CAN_BO", **headers}
    written = samples(found["links"]["calls"] + address, said, is_open=False, verb=case["verb"], body=body)
    title = visit.speech.t("try.title", title=visit.speech.pick(service.title_vi, service.title_en))
    table = Table(("sample", "text"), [(sample["name"], sample["text"]) for sample in written])
    return Page("portal/rehearse.html", title, facts, table, {"samples": written, "shown": _shown(answer)}, is_public=True)


def _typed(visit: Visit, name: str, otherwise: str) -> str:
    text = visit.request.query_params.get(name, otherwise)
    if len(text) > LONGEST:
        raise BadRequest(f"`{name}`: expected at most {LONGEST} characters.", vi=f"`{name}`: nhiều nhất {LONGEST} ký tự.")
    return text.strip()


def _tried(offer: Offer, route: Route, address: str, body: str, headers: dict[str, str], code: str) -> tuple[int, str]:
    """(status, what is answered): the example, or the problem document of the refusal."""
    try:
        if route.soap and not route.is_mapped:
            return _soap(offer, route, body, headers)
        return _rest(offer, route, address, body, headers, code)
    except LienthongError as error:
        refused: Response = answer_problem(None, error)
        return refused.status_code, bytes(refused.body).decode()


def _rest(offer: Offer, route: Route, address: str, body: str, headers: dict[str, str], code: str) -> tuple[int, str]:
    place, _, question = address.partition("?")
    path = safe_path(quote(place, safe="/%:@!$&'()*+,=~").encode())
    query = safe_query(quote(question, safe="=&%+,:;/?@").encode())
    found = offer.service.route(route.verb, path.text)
    if found is None:
        verbs = ", ".join(offer.service.verbs_of(path.text))
        words = f"expected {verbs}" if verbs else "the service has no such operation"
        raise NotFound(f"{route.verb} {place}: {words}.", vi=f"{route.verb} {place}: dịch vụ không có thao tác này.")
    reached, values = found
    faults = (
        [] if reached.is_mapped else offer.checker.request_faults(reached, values, query, body.encode(), headers.get("Content-Type", ""))
    )
    if faults:
        told = "; ".join(faults[:FAULTS_TOLD])
        raise Unprocessable(f"The request is not what the service describes: {told}.", vi=f"Yêu cầu không đúng mô tả của dịch vụ: {told}.")
    status, _, answer = rest_sample(offer.service, reached, f"code={code}" if code else "")
    return status, answer.decode("utf-8", "replace")


def _soap(offer: Offer, route: Route, body: str, headers: dict[str, str]) -> tuple[int, str]:
    reader = SoapReader(headers.get("Content-Type", "text/xml"))
    reader.feed(body.encode())
    reader.end()
    if offer.service.root_names.get(reader.root or "") != route.soap:
        raise NotFound(
            "The body is not of this operation.",
            hint="The WSDL names its element.",
            hint_vi="WSDL nêu tên phần tử của thao tác.",
            vi="Nội dung không phải của thao tác này.",
        )
    return 200, soap_sample(offer.service, route.soap).decode()


def _codes(offer: Offer, route: Route) -> list[str]:
    """Statuses that have an example to be asked for."""
    if route.soap and not route.is_mapped:
        return []
    return sorted(str(code) for code in offer.service.operation(route).get("responses") or {} if str(code).isdigit())


def _shown(answer: str) -> str:
    """JSON over several lines, anything else as it is."""
    try:
        return json.dumps(json.loads(answer), ensure_ascii=False, indent=2)
    except ValueError:
        return answer


def _shown_name(header: str) -> str:
    return "-".join(part.capitalize() for part in header.split("-"))
