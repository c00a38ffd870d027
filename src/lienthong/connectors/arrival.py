"""Which files of a folder have wholly come, and in which order: by name, by time, by a number or a date in the name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from lienthong.connectors.folder import Arrival, Lying
from lienthong.errors import SourceError
from lienthong.log import get_logger

_DATES = (re.compile(r"(?P<y>\d{4})[-_. ]?(?P<m>\d\d)[-_. ]?(?P<d>\d\d)"), re.compile(r"(?P<d>\d\d)[-_. ]?(?P<m>\d\d)[-_. ]?(?P<y>\d{4})"))
_YEARS = range(1900, 2200)
log = get_logger("sources")


def is_marker(name: str, arrival: Arrival) -> bool:
    """Whether a file only says that another has wholly come."""
    return bool(arrival.done_marker) and fnmatchcase(PurePosixPath(name).name, arrival.done_marker)


def arrived(
    list_files: Callable[[], Sequence[Lying]], arrival: Arrival, has_marker: Callable[[Sequence[str]], bool], sleep: Callable[[float], None] = time.sleep
) -> list[Lying]:  # fmt: skip
    """Files that are whole, in their order. `has_marker` says whether one of the markers named is there.

    Raises SourceError when files are there and none is whole yet, or when a name has no number or date to go by.
    """
    found = [each for each in list_files() if not is_marker(each.name, arrival)]
    whole = [each for each in found if not arrival.done_marker or has_marker(_markers(each.name, arrival.done_marker))]
    if arrival.still_seconds and whole:
        sleep(arrival.still_seconds)
        later = {each.name: each for each in list_files()}
        whole = [each for each in whole if later.get(each.name) == each]
    if found and not whole:
        raise SourceError(
            f"Chưa tệp nào đến đủ / none of {len(found)} files has wholly come yet.",
            hint="They are taken when their done-marker is there and their size stands still.",
        )
    if len(whole) < len(found):
        log.info("files_not_whole_yet", files=len(found) - len(whole))
    ordered = sorted(whole, key=lambda each: (_key(each, arrival), each.name))
    return ordered[-1:] if arrival.take == "newest" else ordered


def _markers(name: str, marker: str) -> list[str]:
    """Names a marker may have: `*` is the file's name, with its ending or without; without `*` one marker is for the folder."""
    path = PurePosixPath(name)
    names = [marker.replace("*", path.name), marker.replace("*", path.stem)] if "*" in marker else [marker]
    return [str(path.with_name(each)) for each in names]


def _key(lying: Lying, arrival: Arrival) -> tuple[float, ...]:
    if arrival.order == "modified":
        if lying.modified is None:
            raise SourceError(f"`{lying.name}`: không biết thời điểm sửa / the place does not say when it was modified.", hint="Use another `folder.order`.")  # fmt: skip
        return (lying.modified,)
    name = PurePosixPath(lying.name).name
    if arrival.order == "number":
        match = (arrival.order_pattern or re.compile(r"(\d+)")).search(name)
        digits = None if match is None else match.group(match.re.groups and 1)
        if digits is None or not digits.isdecimal():
            raise SourceError(f"`{lying.name}`: tên không có số thứ tự / its name has no number to order it by.")
        return (int(digits),)
    if arrival.order == "date":
        return (_date_in(lying.name, name).toordinal(),)
    return ()


def _date_in(whole: str, name: str) -> date:
    for pattern in _DATES:
        for match in pattern.finditer(name):
            year, month, day = (int(match[part]) for part in "ymd")
            if year in _YEARS:
                try:
                    return date(year, month, day)
                except ValueError:
                    continue
    raise SourceError(f"`{whole}`: tên không có ngày / its name has no date to order it by, such as 2026-01-31 or 31-01-2026.")
