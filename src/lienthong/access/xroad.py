"""X-Road's words, as values: who is named in a message, what its hash is, how its faults are called. No transport.

Message protocol for REST (pr-rest) and SOAP 4.0 (pr-mess). What is read here proves nothing: a header says who somebody claims to be.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote_to_bytes

from lienthong.access.identity import Identity
from lienthong.errors import BadRequest

Header = tuple[bytes, bytes]

PREFIX = "/r1/"
PATH_PARTS = 5  # instance, class, member, subsystem, service
LONGEST_PART = 255  # of an identifier; X-Road's own databases hold as much
DROPPED = frozenset(
    b"transfer-encoding keep-alive proxy-authenticate proxy-authorization te trailer upgrade connection user-agent host content-length"
    b" server expect x-road-request-id x-road-request-hash".split()
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f\x85\u00ad\u200b-\u200f\u2028-\u202f\ufeff]"
)  # signs nobody sees, which make two names look like one


class FaultStyle(StrEnum):
    """How fault codes are spelled: CamelCase up to X-Road 7.7, lower case with underscores since 7.8."""

    CAMEL = "camel"
    SNAKE = "snake"


@dataclass(frozen=True)
class Member:
    """A member (three parts) or one of its subsystems (four)."""

    instance: str
    member_class: str
    member: str
    subsystem: str = ""

    def __str__(self) -> str:
        """As headers and messages write it: each part percent-encoded, so that a slash inside one stays inside."""
        return "/".join(quote(part, safe="'()+,-.=?_") for part in self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.instance, self.member_class, self.member, *([self.subsystem] if self.subsystem else []))

    @property
    def identity(self) -> Identity | None:
        """The subsystem as every other door calls it; None for a member alone, or a name no subsystem here can have.

        Each part is judged by itself: joined first, a slash inside one would move the borders between them.
        """
        if not self.subsystem or any("/" in part for part in self.parts):
            return None
        try:
            return Identity.parse("/".join(self.parts))
        except BadRequest:
            return None


@dataclass(frozen=True)
class ServiceName:
    """A service of a subsystem."""

    provider: Member
    code: str

    def __str__(self) -> str:
        return f"{self.provider}/{quote(self.code, safe=chr(39) + '()+,-.=?_')}"

    @property
    def label(self) -> str:
        """As X-Road's own messages name it."""
        return f"SERVICE:{'/'.join((*self.provider.parts, self.code))}"


@dataclass(frozen=True)
class Called:
    """The address of a REST request: which service, and what comes after it, as it was sent."""

    service: ServiceName
    rest: str


def called(raw_path: str) -> Called:
    """What an address `/r1/{instance}/{class}/{member}/{subsystem}/{service}[/path]` calls. Raises BadRequest."""
    parts = raw_path.removeprefix(PREFIX).split("/", PATH_PARTS)
    if not raw_path.startswith(PREFIX) or len(parts) < PATH_PARTS:
        raise BadRequest("Invalid request URI: expected /r1/{instance}/{class}/{member}/{subsystem}/{service}.")
    instance, member_class, member, subsystem, code = (_part(part) for part in parts[:PATH_PARTS])
    rest = f"/{parts[PATH_PARTS]}" if len(parts) > PATH_PARTS else ""
    return Called(ServiceName(Member(instance, member_class, member, subsystem), code), rest)


def client_of(value: str) -> Member:
    """Who an `X-Road-Client` names: a member or a subsystem. Raises BadRequest."""
    parts = value.strip().split("/")
    if len(parts) not in (3, 4):
        raise BadRequest("Invalid Client Id: expected {instance}/{class}/{member}[/{subsystem}].")
    return Member(*(_part(part) for part in parts))


def server_of(value: str) -> tuple[str, ...]:
    """The four parts of an `X-Road-Security-Server`. Raises BadRequest."""
    parts = value.strip().split("/")
    if len(parts) != 4:
        raise BadRequest("Invalid SecurityServer Id: expected {instance}/{class}/{member}/{server}.")
    return tuple(_part(part) for part in parts)


def party_of(value: str) -> tuple[str, str]:
    """(class, code) of an `X-Road-Represented-Party`; the class may be missing. Raises BadRequest."""
    parts = value.strip().split("/")
    if len(parts) > 2:
        raise BadRequest("Invalid RepresentedParty Id: expected [{class}/]{code}.")
    decoded = [_part(part) for part in parts]
    return ("", decoded[0]) if len(decoded) == 1 else (decoded[0], decoded[1])


def _part(text: str) -> str:
    """One part of an identifier, decoded by itself. Raises BadRequest."""
    try:
        decoded = unquote_to_bytes(text).decode("utf-8") if not _BAD_ESCAPE.search(text) else ""
    except UnicodeDecodeError:
        decoded = ""
    if not 0 < len(decoded) <= LONGEST_PART or _FORBIDDEN.search(decoded) or decoded in (".", ".."):
        raise BadRequest("Invalid identifier: each part is 1 to 255 visible characters, percent-encoded UTF-8.")
    return decoded


def retained(headers: Iterable[Header]) -> list[Header]:
    """The headers that belong to the message, in the order they arrived; those of one connection only are dropped."""
    return [(name, value) for name, value in headers if name.lower() not in DROPPED]


def request_hash(verb: str, path_and_query: str, headers: Sequence[Header], body: bytes) -> str:
    """Base64 of the SHA-512 by which a response names its request (pr-rest §4.3).

    Over the head alone where there is no body, else over the hashes of both. `headers`: the retained ones with the ids that were added.
    """
    head = f"{verb}\r\n{path_and_query}\r\n".encode() + b"".join(name + b":" + value + b"\r\n" for name, value in headers)
    hashed = hashlib.sha512(head).digest()
    if body:
        hashed = hashlib.sha512(hashed + hashlib.sha512(body).digest()).digest()
    return b64encode(hashed).decode()


def new_id() -> str:
    """A message's id where its sender gave none."""
    return str(uuid.uuid4())


def spelled(fault: str, style: FaultStyle) -> str:
    """A fault code (`server.serverproxy.access_denied`) as a deployment writes it (`Server.ServerProxy.AccessDenied`)."""
    if style is FaultStyle.SNAKE:
        return fault
    return ".".join(_CAMEL.get(part) or "".join(word.capitalize() for word in part.split("_")) for part in fault.split("."))


_CAMEL = {"serverproxy": "ServerProxy", "clientproxy": "ClientProxy"}


def same_fault(one: str, other: str) -> bool:
    """Whether two fault codes are one, however they are spelled."""
    return _plain(one) == _plain(other)


def fault_begins(fault: str, beginning: str) -> bool:
    """Whether a fault code lies under another (`server.serverproxy`), however both are spelled."""
    return _plain(fault) == _plain(beginning) or _plain(fault).startswith(_plain(beginning) + ".")


def _plain(fault: str) -> str:
    return fault.replace("_", "").strip().lower()


def fault_status(fault: str) -> int:
    """The HTTP status of a fault: 500 where a server is to blame, 400 for all else. A refusal is a server's."""
    return 500 if fault_begins(fault, "server") else 400
