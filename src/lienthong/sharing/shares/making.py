"""Which sets of files an answer is made of: the rows of one version, in parts or as one file, or what each of some versions changed."""

from __future__ import annotations

import hashlib

from lienthong.contracts import Contract
from lienthong.sharing.pages import Whole
from lienthong.sharing.records import kinds_of_mask
from lienthong.sharing.rights import Right
from lienthong.sharing.shares.files import Making
from lienthong.sharing.shares.shape import LAYOUT, View
from lienthong.store.answers import stream_whole, whole_statement
from lienthong.store.shares import stream_changes


def rows_name(view: View, version: int) -> str:
    return _name(view, "rows", version)


def changes_name(view: View, version: int) -> str:
    return _name(view, "changes", version)


def rows_at(database_url: str, view: View, version: int) -> Making:
    """All rows as they were known at a version."""
    return Making(rows_name(view, version), stream_whole(database_url, view.ask, version), view.masks)


def changes_in(database_url: str, view: View, version: int, *, is_first_fill: bool) -> Making:
    """What one version did, with `_change_type`."""
    batches = stream_changes(database_url, view.ask, version, is_first_fill=is_first_fill)
    return Making(changes_name(view, version), batches, view.masks)


def whole_name(contract: Contract, whole: Whole, right: Right) -> str:
    """The name of a whole answer as one Parquet file: a digest of all that decides what is in it."""
    masks = sorted(kinds_of_mask(right, whole.fields).items())
    told = repr((LAYOUT, "whole", contract.digest, whole_statement(whole.ask, whole.version), whole.version, masks))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def _name(view: View, kind: str, version: int) -> str:
    return hashlib.sha256(f"{view.digest} {kind} {version}".encode()).hexdigest()[:40]
