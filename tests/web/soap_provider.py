"""A provider of its own: a SOAP 1.1 service of civil status on lxml, a process beside the platform. `python -m tests.web.soap_provider PORT`."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NS = "urn:ho-tich"
SEEN: list[dict[str, Any]] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["path"] == "/base/_seen":
        found = json.dumps(SEEN).encode()
        SEEN.clear()
        await reply(send, 200, "application/json", found)
        return
    SEEN.append({"body": base64.b64encode(body).decode(), "headers": headers, "path": scope["path"]})
    status, answer = answered(envelope_of(headers.get("content-type", ""), body))
    await reply(send, status, "text/xml; charset=utf-8", answer)


def envelope_of(content_type: str, body: bytes) -> Any:
    if content_type.startswith("multipart/related"):
        boundary = content_type.partition("boundary=")[2].partition(";")[0].strip('"').encode()
        body = body.split(b"--" + boundary)[1].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))


def answered(envelope: Any) -> tuple[int, bytes]:
    """Every header comes back as it came, as X-Road wants it."""
    head = envelope.find(f"{{{SOAP}}}Header")
    asked = envelope.find(f"{{{SOAP}}}Body")[0]
    number = asked.findtext(f"{{{NS}}}SoDinhDanh") or ""
    made = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"S": SOAP})
    if head is not None:
        made.append(head)
    body = etree.SubElement(made, f"{{{SOAP}}}Body")
    if number.startswith("0000"):
        fault = etree.SubElement(body, f"{{{SOAP}}}Fault")
        etree.SubElement(fault, "faultcode").text = "S:Client" if number.endswith("1") else "S:Server"
        etree.SubElement(fault, "faultstring").text = "Không tìm thấy"
        return 500, etree.tostring(made, xml_declaration=True, encoding="UTF-8")
    person = etree.SubElement(etree.SubElement(body, f"{{{NS}}}TraCuuResponse"), f"{{{NS}}}CongDan", ma=number)
    for name, text in (("HoTen", "Nguyễn <Văn> Ân"), ("SoCon", "2"), ("DaKetHon", "true"), ("ThuNhap", "12345678901234567.25")):
        etree.SubElement(person, f"{{{NS}}}{name}").text = text
    for name, born in (("Trần Thị Bé", "1990-02-03"), ("Nguyễn Văn Cu", None)):
        relative = etree.SubElement(person, f"{{{NS}}}NguoiThan", quanHe="con")
        etree.SubElement(relative, f"{{{NS}}}HoTen").text = name
        element = etree.SubElement(relative, f"{{{NS}}}NgaySinh")
        if born is None:
            element.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
        else:
            element.text = born
    return 200, etree.tostring(made, xml_declaration=True, encoding="UTF-8")


async def reply(send: Any, status: int, kind: str, body: bytes) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    import uvicorn

    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")


if __name__ == "__main__":
    main()
