"""The namespaces, media types and header of SDMX-ML 2.1."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lxml import etree

from lienthong.web.doors.sdmx.flows import PLATFORM

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
MESSAGE = _ROOT + "message"
STRUCTURE = _ROOT + "structure"
COMMON = _ROOT + "common"
GENERIC = _ROOT + "data/generic"
SPECIFIC = _ROOT + "data/structurespecific"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
NAMESPACES = {"mes": MESSAGE, "str": STRUCTURE, "com": COMMON}

ROOT = "/sdmx/2.1"
STRUCTURE_XML = "application/vnd.sdmx.structure+xml;version=2.1"
GENERIC_XML = "application/vnd.sdmx.genericdata+xml;version=2.1"
SPECIFIC_XML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
DATA_JSON = "application/vnd.sdmx.data+json;version=1.0.0"
DRAFT_JSON = "application/vnd.sdmx.draft-sdmx-json+json;version=2.1"
ERROR_XML = "application/vnd.sdmx.error+xml;version=2.1"


def tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"


def plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(
        letter for letter in text if letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
    )


def texts(parent: Any, namespace: str, name: str, vi: str, en: str) -> None:
    """A text in Vietnamese and, where it is another, in English."""
    for language, words in (("vi", vi), ("en", en)):
        if words and not (language == "en" and words == vi):
            made = etree.SubElement(parent, tag(namespace, name))
            made.set(tag(XML, "lang"), language)
            made.text = plain(words)


def header(parent: Any, number: str, at: datetime) -> Any:
    """The header of a message, open for what the kind of message adds."""
    made = etree.SubElement(parent, tag(MESSAGE, "Header"))
    etree.SubElement(made, tag(MESSAGE, "ID")).text = number
    etree.SubElement(made, tag(MESSAGE, "Test")).text = "false"
    etree.SubElement(made, tag(MESSAGE, "Prepared")).text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    etree.SubElement(made, tag(MESSAGE, "Sender"), id=PLATFORM)
    return made
