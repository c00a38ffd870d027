"""The two translations of a REST call that a SOAP service answers: JSON into an envelope's values, the envelope back into JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from lienthong.contracts.services.mapping import Mapped
from lienthong.contracts.services.translating import answer_values, fault_of
from lienthong.contracts.services.wsdl import parse_safely
from lienthong.errors import BadRequest, ServiceError, Unprocessable
from lienthong.sharing.broker.case import Case
from lienthong.sharing.broker.forwarding import wrong


def translated(case: Case, status: int, body: bytes) -> tuple[int, bytes]:
    """(status, JSON) of a SOAP answer. A fault of the caller's is 422, any other the provider's."""
    service, mapped = case.offer.service, case.mapped
    assert mapped is not None
    try:
        envelope = parse_safely(body)
        fault = fault_of(envelope)
        if fault is None:
            if status >= 300:
                raise ValueError(status)
            return 200, msgspec.json.encode(answer_values(mapped, envelope))
    except (ServiceError, ValueError, KeyError, ArithmeticError, RecursionError) as error:
        raise wrong(service, "not_promised") from error
    is_callers, code, words = fault
    number = 422 if is_callers else 502
    document = {
        "type": "urn:lienthong:problem:soap-fault", "title": "Dịch vụ SOAP báo lỗi", "title_en": "The SOAP service answers with a fault",
        "status": number, "code": "soap-fault", "fault": code, "detail": words,
    }  # fmt: skip
    return number, msgspec.json.encode(document)


def json_body(case: Case) -> Any:
    """The JSON body of a mapped call."""
    if not case.incoming.is_whole:
        raise Unprocessable("The body is too long to be translated.", vi="Nội dung quá dài để chuyển sang SOAP.")
    if not case.incoming.whole:
        return None
    try:
        found = msgspec.json.decode(case.incoming.whole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is no JSON.", vi="Nội dung không phải JSON.") from error
    if not isinstance(found, dict):
        raise Unprocessable("Expected a JSON object.", vi="Cần một đối tượng JSON.")
    return found


def soap_headers(mapped: Mapped) -> list[tuple[str, str]]:
    if mapped.version == "1.1":
        return [("content-type", "text/xml; charset=utf-8"), ("soapaction", f'"{mapped.action}"'), ("accept", "text/xml")]
    action = f'; action="{mapped.action}"' if mapped.action else ""
    return [("content-type", f"application/soap+xml; charset=utf-8{action}"), ("accept", "application/soap+xml")]


def json_type(status: int) -> str:
    return "application/json" if status < 400 else "application/problem+json"
