"""Reads which operation a SOAP request asks for while its bytes go by untouched, and refuses what a provider could read otherwise.

The bytes that are forwarded are the bytes that came: headers this platform does not know stay as they are, prefixes and spaces too. What is held
against the rights is the one element of the body; a second body, a second element, a DTD, or an action that names another operation is refused.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Any
from xml.parsers import expat

from lienthong.contracts.services.translating import ENVELOPES
from lienthong.errors import BadRequest

DEEPEST = 200
LONGEST_PREFIX = 262_144  # of an envelope before its body begins: signatures and tokens fit, a flood does not
LONGEST_PART_HEAD = 8_192
SPACES = {space: version for version, space in ENVELOPES.items()}
_ADDRESSING = frozenset({"http://www.w3.org/2005/08/addressing Action", "http://schemas.xmlsoap.org/ws/2004/08/addressing Action"})
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{1,70}")


class SoapReader:
    """Feed it every piece of a request's body, then `end`. `root` is `{namespace}name` of the body's element once it was seen."""

    def __init__(self, content_type: str) -> None:
        self.root: str | None = None
        self.version = ""
        self.actions: set[str] = set()
        said = Message()
        said["content-type"] = content_type
        action = said.get_param("action")
        if isinstance(action, str) and action:
            self.actions.add(action)
        self._cut = _FirstPart(said) if said.get_content_type() == "multipart/related" else None
        self._depth = 0
        self._bodies = 0
        self._place = ""
        self._action_text: list[str] | None = None
        self._seen = 0
        self._parser: Any = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._finish
        self._parser.StartDoctypeDeclHandler = _no_dtd
        self._parser.CharacterDataHandler = self._text

    def feed(self, piece: bytes) -> None:
        """Look at the next bytes. Raises BadRequest, after which nothing more may be forwarded."""
        self._parse(piece if self._cut is None else self._cut.feed(piece), is_last=False)
        if self.root is None and self._seen > LONGEST_PREFIX:
            raise _refused("does not come to its body", "phần đầu quá dài")

    def end(self) -> None:
        """Nothing follows. Raises BadRequest when the envelope was not whole."""
        self._parse(b"", is_last=True)
        if self.root is None:
            raise _refused("has no body element", "không có nội dung trong Body")

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        self._seen += len(piece)
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise _refused("is not well-formed XML", "không phải XML hợp lệ") from error

    def _start(self, name: str, _: object) -> None:
        self._depth += 1
        space, _, local = name.rpartition(" ")
        if self._depth == 1:
            if local != "Envelope" or space not in SPACES:
                raise _refused("is no SOAP envelope", "không phải phong bì SOAP")
            self.version = SPACES[space]
        elif self._depth == 2:
            self._child(space, local)
        elif self._depth == 3 and self._place == "Body":
            if self.root is not None:
                raise _refused("has more than one element in its body", "có nhiều hơn một phần tử trong Body")
            self.root = f"{{{space}}}{local}"
        elif self._depth == 3 and self._place == "Header" and name in _ADDRESSING:
            self._action_text = []
        elif self._depth > DEEPEST:
            raise _refused(f"is nested more than {DEEPEST} deep", "lồng quá sâu")

    def _child(self, space: str, local: str) -> None:
        if SPACES.get(space) != self.version or local not in ("Header", "Body"):
            raise _refused("holds something beside header and body", "có phần tử lạ cạnh Header và Body")
        if local == "Body":
            self._bodies += 1
        if self._bodies > 1 or (local == "Header" and (self._bodies or self._place)):
            raise _refused("has more than one body, or a header in the wrong place", "có nhiều hơn một Body hoặc Header sai chỗ")
        self._place = local

    def _finish(self, _: str) -> None:
        if self._depth == 3 and self._action_text is not None:
            self.actions.add("".join(self._action_text).strip())
            self._action_text = None
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._action_text is not None:
            self._action_text.append(text[:1_000])


class _FirstPart:
    """The first part of a MIME message (RFC 2387), where the envelope is; all others are attachments nobody here looks into."""

    def __init__(self, said: Message) -> None:
        boundary = said.get_boundary()
        if boundary is None or _BOUNDARY.fullmatch(boundary) is None or boundary.endswith(" "):
            raise _refused("names no boundary", "không nêu boundary")
        start = said.get_param("start")
        self._start = start.strip("<>") if isinstance(start, str) else ""
        self._mark = b"--" + boundary.encode()
        self._held = b""
        self._state = "preamble"

    def feed(self, piece: bytes) -> bytes:
        """The bytes of the envelope among the next bytes of the message."""
        if self._state == "done":
            return b""
        self._held += piece
        if self._state == "preamble":
            if len(self._held) < len(self._mark) + 4:
                return b""
            if not self._held.removeprefix(b"\r\n").startswith(self._mark + b"\r\n"):
                raise _refused("does not begin with its boundary", "không bắt đầu bằng boundary")
            self._state = "head"
        if self._state == "head":
            head, found, rest = self._held.partition(b"\r\n\r\n")
            if not found:
                if len(self._held) > LONGEST_PART_HEAD:
                    raise _refused("has a part with too long a head", "phần đầu MIME quá dài")
                return b""
            self._check_head(head)
            self._held, self._state = b"\r\n" + rest, "body"
        return self._body()

    def _check_head(self, head: bytes) -> None:
        fields: dict[str, str] = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.strip().lower()] = value.strip()
        if fields.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
            raise _refused("has its envelope in a transfer encoding", "phong bì bị mã hóa truyền")
        if self._start and fields.get("content-id", "").strip("<>") != self._start:
            raise _refused("has its envelope not in the first part", "phong bì không nằm ở phần đầu tiên")

    def _body(self) -> bytes:
        end = self._held.find(b"\r\n" + self._mark)
        if end >= 0:
            self._state = "done"
            found, self._held = self._held[:end], b""
            return found.removeprefix(b"\r\n") if found else b""
        keep = len(self._mark) + 2
        found, self._held = self._held[:-keep], self._held[-keep:]
        return found


def check_actions(actions: set[str], sent: str, declared: str, name: str) -> None:
    """What says which operation is meant must say the one that was found. Raises BadRequest: a provider may go by the action and not by the body."""
    allowed = {declared, name, ""}
    for action in (*actions, sent.strip().strip('"')):
        if action not in allowed and action.rpartition("/")[2].rpartition("#")[2] != name:
            raise _refused("names another operation in its action than in its body", "nêu thao tác khác nhau ở action và ở Body")


def fault_bytes(version: str, en: str, vi: str, *, is_callers: bool, code: str) -> bytes:
    """A SOAP fault of ours, in the caller's own version."""
    from lxml import etree  # noqa: PLC0415 # of the few answers that are ours

    space = ENVELOPES[version]
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    fault = etree.SubElement(etree.SubElement(envelope, f"{{{space}}}Body"), f"{{{space}}}Fault")
    if version == "1.1":
        etree.SubElement(fault, "faultcode").text = "soap:Client" if is_callers else "soap:Server"
        etree.SubElement(fault, "faultstring").text = f"{vi} · {en}"
        etree.SubElement(etree.SubElement(fault, "detail"), "{urn:lienthong:problem}code").text = code
    else:
        etree.SubElement(etree.SubElement(fault, f"{{{space}}}Code"), f"{{{space}}}Value").text = (
            "soap:Sender" if is_callers else "soap:Receiver"
        )
        reason = etree.SubElement(fault, f"{{{space}}}Reason")
        for language, words in (("vi", vi), ("en", en)):
            text = etree.SubElement(reason, f"{{{space}}}Text")
            text.set("{http://www.w3.org/XML/1998/namespace}lang", language)
            text.text = words
        etree.SubElement(etree.SubElement(fault, f"{{{space}}}Detail"), "{urn:lienthong:problem}code").text = code
    made: bytes = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    return made


def _no_dtd(*_: object) -> None:
    raise _refused("holds a DTD", "có DTD")


def _refused(en: str, vi: str) -> BadRequest:
    return BadRequest(f"The SOAP message {en}.", vi=f"Thông điệp SOAP {vi}.")
