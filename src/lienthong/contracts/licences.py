"""Licences open data may be given under. One that forbids trade or change is not among them: it would not be open data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """`url` empty: the platform's own page of the terms. `is_cited`: who uses the data must name where it is from."""

    code: str
    title_vi: str
    title_en: str
    url: str
    summary_vi: str
    summary_en: str
    is_cited: bool = True
    legal_basis: str = ""


DEFAULT_LICENCE = "vn-ogd"
# The terms of `vn-ogd` are those on which state bodies have given open data since 2020: free to copy, share, combine and trade on,
# cited, not sold as it is, without warranty. Their present basis is NĐ 194/2025 (in force 19/8/2025); NĐ 47/2020 is repealed.
_ALL = (
    Licence(
        DEFAULT_LICENCE,
        "Điều khoản sử dụng dữ liệu mở của cơ quan nhà nước",
        "Terms of use of open government data (Việt Nam)",
        "",
        "Được tự do sao chép, chia sẻ, kết hợp và khai thác, kể cả cho mục đích thương mại; phải ghi nguồn; không bán lại nguyên trạng; "
        "dữ liệu được cung cấp nguyên trạng, cơ quan cung cấp không chịu trách nhiệm về việc sử dụng.",
        "Free to copy, share, combine and use, also in trade; the source is named; not sold as it is; given as it is, without liability.",
        legal_basis="Nghị định 194/2025/NĐ-CP",
    ),
    Licence(
        "cc-by-4.0",
        "Creative Commons Ghi công 4.0",
        "Creative Commons Attribution 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "Được sử dụng cho mọi mục đích; phải ghi nguồn và nêu thay đổi.",
        "For every use; the source and what was changed are named.",
    ),
    Licence(
        "cc0-1.0",
        "Creative Commons Miền công cộng (CC0 1.0)",
        "Creative Commons Zero 1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        "Được sử dụng cho mọi mục đích, không điều kiện.",
        "For every use, without conditions.",
        is_cited=False,
    ),
    Licence(
        "odc-by-1.0",
        "Open Data Commons Ghi công 1.0",
        "Open Data Commons Attribution 1.0",
        "https://opendatacommons.org/licenses/by/1-0/",
        "Được sử dụng cho mọi mục đích; phải ghi nguồn.",
        "For every use; the source is named.",
    ),
    Licence(
        "pddl-1.0",
        "Open Data Commons Miền công cộng (PDDL 1.0)",
        "Open Data Commons Public Domain Dedication 1.0",
        "https://opendatacommons.org/licenses/pddl/1-0/",
        "Được sử dụng cho mọi mục đích, không điều kiện.",
        "For every use, without conditions.",
        is_cited=False,
    ),
)
LICENCES: Mapping[str, Licence] = {licence.code: licence for licence in _ALL}
