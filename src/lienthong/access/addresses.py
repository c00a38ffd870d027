"""A path made safe before rights are looked at: read once, refused when two readers could take it for two things.

What is matched is what is forwarded: `sent` decodes to `text` and to nothing else, whoever decodes it, once or twice.
X-Road 7.7.1 had to mend an encoded traversal that passed its rights (XRDDEV-3054); this is why nothing here is repaired, only refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from lienthong.errors import BadRequest

LONGEST_PATH = 2_000
LONGEST_QUERY = 8_000
_SIMPLE = re.compile(rb"(?:/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)+")  # most paths: nothing in them could mean two things
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PLAIN = re.compile(rb"[\x21-\x7e]*")
_DECODES_AGAIN = re.compile(r"%[0-9A-Fa-f]{2}")
_HOLDS_OTHERS = frozenset("/\\;")  # what another reader may take for the end of a segment, or of its name
_AS_IT_IS = "!$&'()*+,=:@"  # RFC 3986 §3.3 pchar without `;`


class SafePath(NamedTuple):
    """`text`: the decoded path, for matching; `sent`: the same path as it is forwarded."""

    text: str
    sent: str


def safe_path(raw: bytes) -> SafePath:
    """The one meaning of a path. Raises BadRequest for traversal, encoded separators, `;`, `//`, backslash, NUL, overlong or doubled encoding."""
    if len(raw) > LONGEST_PATH:
        raise _refused(f"is longer than {LONGEST_PATH} bytes", f"dài quá {LONGEST_PATH} byte")
    if _SIMPLE.fullmatch(raw):
        simple = raw.decode("ascii")
        return SafePath(simple, simple)
    if not raw.startswith(b"/"):
        raise _refused("does not begin with `/`", "không bắt đầu bằng `/`")
    if _PLAIN.fullmatch(raw) is None:
        raise _refused("holds a character that must be percent-encoded", "có ký tự phải mã hóa phần trăm")
    if _BAD_ESCAPE.search(raw):
        raise _refused("holds a % that no two hexadecimal digits follow", "có dấu % không đi cùng hai chữ số hex")
    if b"//" in raw:
        raise _refused("holds `//`", "có `//`")
    segments = [_segment(part) for part in raw[1:].split(b"/")]
    return SafePath("/" + "/".join(segments), "/" + "/".join(quote(segment, safe=_AS_IT_IS) for segment in segments))


def safe_query(raw: bytes) -> str:
    """A query as it may be forwarded. Raises BadRequest when it could end a line, or is too long."""
    if len(raw) > LONGEST_QUERY:
        raise BadRequest(f"Expected a query of at most {LONGEST_QUERY} bytes.", vi=f"Phần truy vấn dài quá {LONGEST_QUERY} byte.")
    if _PLAIN.fullmatch(raw) is None or b"#" in raw or _BAD_ESCAPE.search(raw):
        raise BadRequest("The query holds a character that must be percent-encoded.", vi="Phần truy vấn có ký tự phải mã hóa phần trăm.")
    return raw.decode("ascii")


def _segment(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode("utf-8")  # strict: an overlong form of a byte is no UTF-8
    except UnicodeDecodeError as error:
        raise _refused("is not UTF-8", "không phải UTF-8") from error
    if _DECODES_AGAIN.search(text):
        raise _refused("is encoded twice", "bị mã hóa hai lần")
    for seen in (text, unicodedata.normalize("NFKC", text)):  # some servers fold full-width dots and slashes into plain ones
        if seen in (".", ".."):
            raise _refused("holds `.` or `..`", "có `.` hoặc `..`")
        if not _HOLDS_OTHERS.isdisjoint(seen):
            raise _refused("holds `;`, a backslash or an encoded slash", "có `;`, dấu gạch ngược hoặc dấu gạch chéo mã hóa")
        if any(unicodedata.category(character) == "Cc" for character in seen):
            raise _refused("holds a control character", "có ký tự điều khiển")
    return text


def _refused(en: str, vi: str) -> BadRequest:
    return BadRequest(
        f"The path {en}.",
        vi=f"Đường dẫn {vi}.",
        hint_vi="Đường dẫn được đọc đúng một lần và không bao giờ được sửa giúp.",
        hint="Paths are read once and never repaired.",
    )
