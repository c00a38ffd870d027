"""A folder of a mailbox (IMAP): what is attached to its messages are the files, in the order the messages came.

A file's name is `<uid>-<number>-<its name>`; the numbering is the folder's UIDVALIDITY (RFC 9051 §2.3.1.1), and when that changes all is
read anew. The folder is opened read-only and messages are fetched without being marked as seen: nothing in it is changed or deleted.
"""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import imaplib
import re
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any

from lienthong.connectors.addresses import close_quietly
from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Address, FolderOptions, Lying, Stage, reach
from lienthong.connectors.folder_ftp import tls_context, tls_refused
from lienthong.errors import HostileInputError, SourceError
from lienthong.log import get_logger

LARGEST_MESSAGE = 128 << 20
MOST_PARTS = 1_000
LONGEST_NAME = 120
PIECE = 1 << 20
LONG_BODY = 1 << 16
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_BASE64 = re.compile(rb"^content-transfer-encoding:[ \t]*base64[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\n\r?\n")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:]")
log = get_logger("sources")


class _Imap(imaplib.IMAP4):
    """Over a socket that is connected already, to the address that was judged."""

    def __init__(self, opened: socket.socket, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
        self._given = opened if context is None else context.wrap_socket(opened, server_hostname=host)
        self._given.settimeout(seconds)
        super().__init__(host, timeout=seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002 # as imaplib calls it
        return self._given


class MailFolder:
    """`imaps://user@host/INBOX/*.xlsx`. Options: `password`, `from`, `subject`, `ca`; `imap://` begins TLS by STARTTLS."""

    def __init__(self, address: Address, options: FolderOptions, context: ReadContext) -> None:
        self._address, self._options, self._context = address, options, context
        own = options.own
        self._password = own.text("password") or address.password
        self._from = tuple(each.lower() for each in own.texts("from"))
        self._subject = own.expression("subject")
        self._ca = own.text("ca")
        self._max_message = own.number("max_message_bytes", LARGEST_MESSAGE, 1)
        self._imap: Any = None
        self._last: tuple[int, list[tuple[str, bytes]], float | None] | None = None
        self.epoch: str | None = ""

    def opening(self) -> Iterator[Stage]:
        opened = yield from reach(self._address, self._options, self._context)
        context, seconds = tls_context(self._ca), self._options.limits.timeout_seconds
        with self._words():
            is_tls = self._address.scheme == "imaps"
            opened.settimeout(seconds)
            self._imap = _Imap(opened, context if is_tls else None, self._address.host, seconds)
            if not is_tls:
                self._imap.starttls(context)
        yield "encrypted"
        with self._words():
            self._imap.login(self._address.user, self._password)
        yield "signed_in"
        with self._words():
            folder = self._address.folder.strip("/") or "INBOX"
            quoted = '"' + _utf7(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
            said, _ = self._imap.select(quoted, readonly=True)
            if said != "OK":
                raise SourceError(f"`{self._address.where}`: không có thư mục này / there is no such folder of the mailbox.")
            told = self._imap.untagged_responses.get("UIDVALIDITY") or self._imap.response("UIDVALIDITY")[1]
            self.epoch = f"uid-{(told[0] or b'0').decode()}"

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:
        first = 1 if after is None else int(after.partition("-")[0])
        files: list[Lying] = []
        for uid in self._search(first):
            parts, sent = self._attachments(uid)
            for number, (name, content) in enumerate(parts):
                if accepts(name):
                    files.append(Lying(f"{uid:010d}-{number:03d}-{name}", len(content), sent, f"{self.epoch}/{uid}/{number}"))
        return files

    def facts(self, name: str) -> Lying:
        uid, number, _ = name.split("-", 2)
        parts, sent = self._attachments(int(uid))
        if int(number) >= len(parts):
            raise SourceError(f"`{name}`: thư không còn tệp này / the message has no such attachment any more.")
        return Lying(name, len(parts[int(number)][1]), sent, f"{self.epoch}/{int(uid)}/{int(number)}")

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        uid, number, _ = lying.name.split("-", 2)
        content = self._attachments(int(uid))[0][int(number)][1]
        for begin in range(offset, len(content), PIECE):
            yield content[begin : begin + PIECE]

    def close(self) -> None:
        if self._imap is not None:
            try:
                self._imap.logout()
            except (imaplib.IMAP4.error, OSError):
                close_quietly(self._imap.sock)

    def _search(self, first: int) -> list[int]:
        """UIDs of messages from one on, of the senders and subjects asked for, oldest first."""
        with self._words():
            _, found = self._imap.uid("SEARCH", "UID", f"{first}:*")
            uids = sorted(int(each) for each in (found[0] or b"").split() if int(each) >= first)  # `n:*` always has the last message
            if len(uids) > self._options.limits.max_files:
                raise SourceError(f"Quá nhiều thư / {len(uids)} messages, more than `folder.max_files` ({self._options.limits.max_files}).")
            return [uid for uid in uids if self._is_wanted(uid)]

    def _is_wanted(self, uid: int) -> bool:
        if not self._from and self._subject is None:
            return True
        _, told = self._imap.uid("FETCH", str(uid), "(BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])")
        raw = next((each[1] for each in told or [] if isinstance(each, tuple)), b"")
        headers = email.message_from_bytes(raw, policy=email.policy.default)
        sender = parseaddr(str(headers.get("From", "")))[1].lower()
        if self._from and not any(sender == each or (each.startswith("@") and sender.endswith(each)) for each in self._from):
            return False
        return self._subject is None or self._subject.search(str(headers.get("Subject", ""))) is not None

    def _attachments(self, uid: int) -> tuple[list[tuple[str, bytes]], float | None]:
        """(name, content) of what is attached to a message, and when it was sent."""
        if self._last is not None and self._last[0] == uid:
            return self._last[1], self._last[2]
        self._last = None  # not two messages at once
        with self._words():
            _, told = self._imap.uid("FETCH", str(uid), "(RFC822.SIZE)")
            size = _SIZE.search(told[0] if told and isinstance(told[0], bytes) else b"")
            if size is None:
                raise SourceError(f"Thư / message {uid}: không còn trong hộp thư / is no longer in the mailbox.")
            if int(size[1]) > self._max_message:
                raise HostileInputError(f"Thư / message {uid}: quá lớn / has {int(size[1])} bytes, more than `folder.max_message_bytes`.")
            _, told = self._imap.uid("FETCH", str(uid), "(BODY.PEEK[])")
            raw = next((each[1] for each in told or [] if isinstance(each, tuple)), b"")
            del told
        message, parts = _taken_apart(raw, uid)
        del raw
        sent = None
        try:
            sent = parsedate_to_datetime(str(message.get("Date"))).timestamp()
        except (ValueError, TypeError):
            log.info("message_without_date", uid=uid)
        self._last = (uid, parts, sent)
        return parts, sent

    @contextmanager
    def _words(self) -> Iterator[None]:
        what = f"`{self._address.where}`"
        try:
            yield
        except ssl.SSLError as error:
            raise tls_refused(what, error) from error
        except imaplib.IMAP4.abort as error:
            raise SourceError(f"{what}: hộp thư ngắt kết nối / the mailbox broke off the connection.", hint="Run again.") from error
        except imaplib.IMAP4.error as error:
            said = str(error).upper()
            if "AUTH" in said or "LOGIN" in said:
                raise SourceError(
                    f"{what}: hộp thư không nhận tài khoản / the mailbox does not take this account.",
                    hint="Check user and password; many services want a password made for applications.",
                ) from error
            raise SourceError(f"{what}: hộp thư từ chối / the mailbox refuses.", hint="Is the folder written right?") from error
        except (OSError, EOFError) as error:
            raise SourceError(
                f"{what}: kết nối bị gián đoạn / the connection broke off ({type(error).__name__}).", hint="Run again."
            ) from error


def _taken_apart(raw: bytes, uid: int) -> tuple[EmailMessage, list[tuple[str, bytes]]]:
    """The message, and (name, content) of what is attached to it.

    Long bodies in base64 are cut out before the library reads the message: of each of their lines it makes an object, a dozen times their size.
    """
    hollow, bodies = _hollowed(raw)
    message = _message(hollow)
    attached = [part for part in _parts(message, uid) if part.get_filename()]
    parts = [(_name_of(part), _content_of(part, raw, bodies)) for part in attached]
    if any(content is None for _, content in parts):  # what was cut out was not a body, but letters of a text
        message = _message(raw)
        parts = [(_name_of(part), _content_of(part, raw, {})) for part in _parts(message, uid) if part.get_filename()]
    return message, [(name, content or b"") for name, content in parts]


def _message(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # the default policy makes these
    return message


def _hollowed(raw: bytes) -> tuple[bytes, dict[str, slice]]:
    """The message with a word in place of each long body in base64, and where each of these stands."""
    bodies: dict[str, slice] = {}
    pieces: list[bytes] = []
    word, at = secrets.token_hex(16), 0
    for found in _BASE64.finditer(raw):
        blank = _BLANK.search(raw, found.end() - 1)
        if found.start() < at or blank is None:
            continue
        end = raw.find(b"\n--", blank.end() - 1)
        body = slice(blank.end(), len(raw) if end < 0 else end)
        if body.stop - body.start < LONG_BODY:
            continue
        name = f"{word}{len(bodies)}"
        bodies[name] = body
        pieces += [raw[at : body.start], name.encode()]
        at = body.stop
    return b"".join((*pieces, raw[at:])), bodies


def _parts(message: EmailMessage, uid: int) -> Iterator[EmailMessage]:
    for count, part in enumerate(message.walk()):
        if count >= MOST_PARTS:
            raise HostileInputError(f"Thư / message {uid}: quá nhiều phần / has more than {MOST_PARTS} parts.")
        if not part.is_multipart() and isinstance(part, EmailMessage):
            yield part


def _name_of(part: EmailMessage) -> str:
    """The attachment's name as a name: no folders, no control characters, not endless."""
    name = _UNSAFE.sub("_", PurePosixPath(str(part.get_filename()).replace("\\", "/")).name).strip(". ")
    stem, dot, ending = name.rpartition(".")
    return name if len(name) <= LONGEST_NAME else f"{(stem or name)[: LONGEST_NAME - 20]}{dot}{ending[:19]}"


def _content_of(part: EmailMessage, raw: bytes, bodies: Mapping[str, slice]) -> bytes | None:
    """What is attached; None where a body that was cut out is not the whole of it."""
    written = part.get_payload()
    body = bodies.get(written.strip()) if isinstance(written, str) and bodies else None
    if body is not None and str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        return _from_base64(raw[body])
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return b""
    return None if any(name.encode() in content for name in bodies) else content


def _from_base64(body: bytes) -> bytes:
    """As leniently as the library reads it: line ends and signs that are none of its letters are passed over, its end may lack signs."""
    letters = body.translate(None, b"\r\n")
    for missing in (b"=" * (-len(letters) % 4), b"", b"=="):
        with suppress(binascii.Error):
            return base64.b64decode(letters + missing)
    return letters


def _utf7(name: str) -> str:
    """The modified UTF-7 of mailbox names (RFC 3501 §5.1.3): `Báo cáo` is `B&AOE-o c&AOE-o`."""
    parts: list[str] = []
    for piece in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if piece[0] <= "\x7e":
            parts.append(piece.replace("&", "&-"))
        else:
            coded = piece.encode("utf-7").decode()[1:].rstrip("-")
            parts.append(f"&{coded.replace('/', ',')}-")
    return "".join(parts)
