"""Names of enterprises: what kind it is, and the name proper, however the two are written.

The kind comes before the name in Vietnamese and after it in English. The value is the name with its kind in full and first; abbreviations
inside the name proper are kept, for many are registered so, and are understood in the key alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

LONGEST_NAME = 300
_MOST_READINGS = 5


@dataclass(frozen=True)
class EnterpriseName:
    """The kind in full ('' where the text says none), and the name proper as it was written."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


# Kind in full → how it is written: without marks, letters of dots left out, longest first when they are tried.
_KINDS: dict[str, tuple[str, ...]] = {
    "Công ty TNHH Một thành viên": (
        "cong ty trach nhiem huu han mot thanh vien", "cong ty trach nhiem huu han 1 thanh vien", "cong ty tnhh mot thanh vien",
        "cong ty tnhh 1 thanh vien", "cong ty tnhh mtv", "cong ty tnhh 1tv", "cong ty mtv tnhh", "cong ty mot thanh vien tnhh",
        "cty tnhh mot thanh vien", "cty tnhh 1 thanh vien", "cty tnhh mtv", "cty tnhh 1tv", "ct tnhh mtv", "tnhh mtv", "tnhh mot thanh vien",
    ),
    "Công ty TNHH": (
        "cong ty trach nhiem huu han hai thanh vien tro len", "cong ty tnhh hai thanh vien tro len", "cong ty trach nhiem huu han",
        "cong ty tnhh hai thanh vien", "cong ty tnhh 2 thanh vien", "cong ty tnhh 2tv", "cong ty tnhh", "cty tnhh", "ct tnhh", "tnhh",
    ),
    "Công ty cổ phần": ("cong ty co phan", "cong ty cp", "cty co phan", "cty cp", "ct cp", "ctcp"),
    "Công ty hợp danh": ("cong ty hop danh", "cty hop danh", "cong ty hd", "cty hd"),
    "Doanh nghiệp tư nhân": ("doanh nghiep tu nhan", "dn tu nhan", "dntn"),
    "Liên hiệp hợp tác xã": ("lien hiep hop tac xa", "lh htx"),
    "Hợp tác xã": ("hop tac xa", "htx"),
    "Quỹ tín dụng nhân dân": ("quy tin dung nhan dan", "qtdnd"),
    "Hộ kinh doanh": ("ho kinh doanh ca the", "ho kinh doanh", "hkd"),
    "Tổng công ty": ("tong cong ty", "tong cty", "tct"),
    "Tập đoàn": ("tap doan",),
    "Chi nhánh": ("chi nhanh", "cn"),
    "Văn phòng đại diện": ("van phong dai dien", "vpdd"),
}  # fmt: skip
_AFTER: dict[str, tuple[str, ...]] = {
    "Công ty TNHH Một thành viên": ("one member limited liability company", "one member company limited", "one member co ltd", "one member llc"),
    "Công ty TNHH": ("limited liability company", "company limited", "co ltd", "limited", "ltd", "llc"),
    "Công ty cổ phần": ("joint stock company", "joint stock co", "stock company", "corporation", "jsc", "corp"),
    "Doanh nghiệp tư nhân": ("private enterprise",),
    "Hợp tác xã": ("cooperative", "co operative"),
}  # fmt: skip
_BEFORE = sorted(((written, kind) for kind, ways in _KINDS.items() for written in ways), key=lambda pair: -len(pair[0]))
_LAST = sorted(((written, kind) for kind, ways in (*_AFTER.items(), *_KINDS.items()) for written in ways), key=lambda pair: -len(pair[0]))
_SHORT = {  # what the parts of a name proper stand for
    "xd": "xay dung", "tm": "thuong mai", "dv": "dich vu", "sx": "san xuat", "xnk": "xuat nhap khau", "vt": "van tai", "dl": "du lich",
    "kt": "ky thuat", "cn": "cong nghiep", "nn": "nong nghiep", "dt": "dau tu", "pt": "phat trien", "bds": "bat dong san", "tv": "tu van",
    "kd": "kinh doanh", "cb": "che bien", "vlxd": "vat lieu xay dung", "tmdv": "thuong mai dich vu", "sxtm": "san xuat thuong mai",
    "tmsx": "thuong mai san xuat", "dvtm": "dich vu thuong mai", "xdtm": "xay dung thuong mai", "tmxd": "thuong mai xay dung",
    "sxtmdv": "san xuat thuong mai dich vu", "xnktm": "xuat nhap khau thuong mai", "tt": "trang tri", "mt": "moi truong",
}  # fmt: skip
_APART = re.compile(r"\s*([-–,])\s*(?=(?:công ty|cong ty|cty|ctcp|dntn|doanh nghiệp|htx|hợp tác xã|chi nhánh)\b)", re.IGNORECASE)
_QUOTES = re.compile(r"[\"'`«»]")


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", without_marks(word))


def _plain_words(words: list[str]) -> list[str]:
    return [_plain(word) for word in words]


@lru_cache(maxsize=65_536)
def enterprise_name(text: str) -> EnterpriseName:
    """The kind and the name proper of a tidy text; a kind stands first, or, where none does, last."""
    words = _APART.sub(r" \1 ", _QUOTES.sub("", text)).split()
    plain = _plain_words(words)
    found = _kind_at(words, plain, _BEFORE, is_last=False) or _kind_at(words, plain, _LAST, is_last=True)
    kind, name = found or ("", words)
    while name and not _plain(name[0]):
        name = name[1:]
    while name and not _plain(name[-1]):
        name = name[:-1]
    return EnterpriseName(kind, " ".join(name).rstrip(" ,;-–"))


def _kind_at(words: list[str], plain: list[str], ways: list[tuple[str, str]], *, is_last: bool) -> tuple[str, list[str]] | None:
    there = [(n, word) for n, word in enumerate(plain) if word]  # signs are no words
    for written, kind in ways:
        wanted = written.split()
        if len(there) <= len(wanted):
            continue
        part = there[-len(wanted) :] if is_last else there[: len(wanted)]
        if [word for _, word in part] == wanted:
            return kind, words[: part[0][0]] if is_last else words[part[-1][0] + 1 :]
    return None


def _clean_enterprise_name(value: str, _: Options) -> Cleaned:
    text = tidy(value)
    if len(text) > LONGEST_NAME:
        return Cleaned(None, "enterprise_name.not_a_name")
    found = _settled(text)
    if found is None or not any(map(str.isalnum, found.name)) or (not found.kind and not any(map(str.isalpha, found.name))):
        return Cleaned(None, "enterprise_name.not_a_name")
    return Cleaned(str(found))


def _settled(text: str) -> EnterpriseName | None:
    """The name read until reading it again changes nothing (`MTV Minh Phát Co Ltd` is of one member); None where that does not end."""
    for _ in range(_MOST_READINGS):
        found = enterprise_name(text)
        if str(found) == text:
            return found
        text = str(found)
    return None


def enterprise_key(name: str) -> str:
    """Equal for ways to write one enterprise's name: kind before or after, abbreviated or in full, marks, quotes, signs and case left out."""
    found = enterprise_name(tidy(name))
    words = [_SHORT.get(word, word) for word in _plain_words(re.split(r"[\s\-–&+,./]+", found.name)) if word]
    kind = _plain(found.kind) if found.kind else ""
    return " ".join([*(word for word in words if word != "va"), *([f"({kind})"] if kind else [])])


ENTERPRISE_NAME = DistinctStandard(
    "enterprise_name",
    pl.String(),
    "Tên doanh nghiệp",
    "Name of an enterprise",
    _clean_enterprise_name,
    good=(
        ("CTY TNHH MTV TM-DV Minh Phát", "Công ty TNHH Một thành viên TM-DV Minh Phát"),
        ("Công ty TNHH Một thành viên “Minh Phát”", "Công ty TNHH Một thành viên Minh Phát"),
        ("Minh Phat Co., Ltd.", "Công ty TNHH Minh Phat"),
        ("Minh Phát JSC", "Công ty cổ phần Minh Phát"),
        ("DNTN Hoà Bình", "Doanh nghiệp tư nhân Hoà Bình"),
        ("Minh Phát - Công ty TNHH", "Công ty TNHH Minh Phát"),
        ("C.Ty C.P Xây dựng 79", "Công ty cổ phần Xây dựng 79"),
    ),
    bad=(("---", "enterprise_name.not_a_name"), ("12345", "enterprise_name.not_a_name")),
    key=lambda value: None if value is None else enterprise_key(value),
)
