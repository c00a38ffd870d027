"""X-Road's monitoring services: `getSecurityServerOperationalData` and `getSecurityServerHealthData`, over REST and SOAP.

A client is told what its own agency asked or answered, no more; each reading is in the ledger.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from lxml import etree
from starlette.concurrency import run_in_threadpool

from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import Member
from lienthong.access.xroad_soap import IDENTIFIERS, Fault, printable
from lienthong.errors import RequestError
from lienthong.ledger import Entry, Event, encode
from lienthong.reports.exchanges import HEALTH_SECONDS, Asker, Records, health_data, operational_data
from lienthong.store.database import take_web_role
from lienthong.web.monitoring import place_of, seconds_of

if TYPE_CHECKING:
    from lienthong.web.services import Services

OPERATIONAL, HEALTH = "getSecurityServerOperationalData", "getSecurityServerHealthData"
SERVICES = frozenset({OPERATIONAL, HEALTH})
MONITORING = "http://x-road.eu/xsd/op-monitoring.xsd"
ATTACHMENT = "operational-monitoring-data.json.gz"


async def told(services: Services, client: Member, service: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """The answer of one of the two services as plain values; its entry is committed. Raises Fault for what is not understood."""
    try:
        answer = await run_in_threadpool(_told, services, client, service, asked)
    except RequestError as error:
        raise Fault(faults.INVALID_REQUEST, error.message) from error
    digest = hashlib.sha256(msgspec.json.encode(answer)).hexdigest()
    entry = Entry(
        services.workshop.clock(), Event.REPORT_GIVEN, str(client.identity), answer_digest=digest, outcome="given",
        details={"report": service},
    )  # fmt: skip
    await services.ledger.append(encode(entry))
    return answer


def _told(services: Services, client: Member, service: str, asked: Mapping[str, str]) -> dict[str, Any]:
    now, asker = services.workshop.clock(), Asker(client.member)
    with services.workshop.database.connect() as connection:
        take_web_role(connection)
        if service == HEALTH:
            return {"statisticsPeriodSeconds": HEALTH_SECONDS, "servicesEvents": health_data(connection, asker, now)}
        begin, until = seconds_of(asked.get("recordsFrom"), asked.get("recordsTo"), now)
        fields = [name for name in asked.get("outputField", "").split(",") if name]
        found = operational_data(connection, asker, place_of(services.settings), begin, until, now, asked.get("client", ""), fields)
        return _document(found)


def _document(found: Records) -> dict[str, Any]:
    following = {} if found.next_from is None else {"nextRecordsFrom": found.next_from}
    return {"recordsCount": len(found.records), "records": found.records, **following}


def asked_in(body: etree._Element) -> dict[str, str]:
    """What the body of a SOAP request asks for; `outputField` may be there often."""
    asked: dict[str, str] = {}
    for element in body.iter(f"{{{MONITORING}}}*"):
        name, text = etree.QName(element).localname, (element.text or "").strip()
        if name in ("recordsFrom", "recordsTo") and text:
            asked[name] = text
        elif name == "outputField" and text:
            asked[name] = f"{asked[name]},{text}" if name in asked else text
        elif name == "client":
            asked[name] = "/".join((part.text or "").strip() for part in element)
    return asked


def operational_body(answer: Mapping[str, Any]) -> tuple[etree._Element, bytes]:
    """(body, attachment) of the SOAP answer: the records are JSON, packed with gzip, beside the envelope."""
    root = etree.Element(_m(f"{OPERATIONAL}Response"), nsmap={"om": MONITORING})
    etree.SubElement(root, _m("recordsCount")).text = str(answer["recordsCount"])
    etree.SubElement(root, _m("records")).text = f"cid:{ATTACHMENT}"
    if "nextRecordsFrom" in answer:
        etree.SubElement(root, _m("nextRecordsFrom")).text = str(answer["nextRecordsFrom"])
    return root, gzip.compress(msgspec.json.encode({"records": answer["records"]}), mtime=0)


def health_body(answer: Mapping[str, Any], provider: Member) -> etree._Element:
    """The body of the SOAP answer."""
    root = etree.Element(_m(f"{HEALTH}Response"), nsmap={"om": MONITORING, "id": IDENTIFIERS})
    etree.SubElement(root, _m("statisticsPeriodSeconds")).text = str(answer["statisticsPeriodSeconds"])
    events = etree.SubElement(root, _m("servicesEvents"))
    for service in answer["servicesEvents"]:
        node = etree.SubElement(events, _m("serviceEvents"))
        named = etree.SubElement(node, _m("service"))
        named.set(f"{{{IDENTIFIERS}}}objectType", "SERVICE")
        parts = {"xRoadInstance": provider.instance, "memberClass": provider.member_class, "memberCode": service["provider"], "subsystemCode": provider.subsystem, "serviceCode": service["serviceCode"]}  # fmt: skip
        for name, text in parts.items():
            etree.SubElement(named, f"{{{IDENTIFIERS}}}{name}").text = printable(text)
        for name in ("lastSuccessfulRequestTimestamp", "lastUnsuccessfulRequestTimestamp"):
            if service[name] is not None:
                etree.SubElement(node, _m(name)).text = str(service[name])
        statistics = etree.SubElement(node, _m("lastPeriodStatistics"))
        for name, value in service["lastPeriodStatistics"].items():
            etree.SubElement(statistics, _m(name)).text = str(value)
    return root


def _m(name: str) -> str:
    return f"{{{MONITORING}}}{name}"
