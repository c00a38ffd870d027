"""Which sets of files an answer is made of: the rows of one version, in parts or as one file, or what each of some versions changed.

What a version changed is told in two ways: each change with its kind, or, to who follows a table by its files alone, the rows it brought and
the rows it took away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lienthong.contracts import Contract
from lienthong.sharing.pages import Whole
from lienthong.sharing.records import kinds_of_mask
from lienthong.sharing.rights import Right
from lienthong.sharing.shares.files import Making
from lienthong.sharing.shares.shape import LAYOUT, View
from lienthong.store.answers import stream_whole, whole_statement
from lienthong.store.shares import stream_changes

if TYPE_CHECKING:
    import pyarrow as pa

_KIND = "_change_type"
_BROUGHT, _TAKEN = ("insert", "update_postimage"), ("delete", "update_preimage")


def rows_name(view: View, version: int) -> str:
    return _name(view, "rows", version)


def changes_name(view: View, version: int) -> str:
    return _name(view, "changes", version)


def brought_name(view: View, version: int) -> str:
    return _name(view, "brought", version)


def taken_name(view: View, version: int) -> str:
    return _name(view, "taken", version)


def rows_at(database_url: str, view: View, version: int) -> Making:
    """All rows as they were known at a version."""
    return Making(rows_name(view, version), stream_whole(database_url, view.ask, version), view.masks)


def changes_in(database_url: str, view: View, version: int, *, is_first_fill: bool) -> Making:
    """What one version did, with `_change_type`."""
    batches = stream_changes(database_url, view.ask, version, is_first_fill=is_first_fill)
    return Making(changes_name(view, version), batches, view.masks)


def brought_by(database_url: str, view: View, version: int, *, is_first_fill: bool) -> Making:
    """The rows a version added, those as they became that it altered among them."""
    batches = stream_changes(database_url, view.ask, version, is_first_fill=is_first_fill)
    return Making(brought_name(view, version), _of_kind(batches, _BROUGHT), view.masks)


def taken_by(database_url: str, view: View, version: int, *, is_first_fill: bool) -> Making:
    """The rows a version put an end to, those as they were that it altered among them."""
    batches = stream_changes(database_url, view.ask, version, is_first_fill=is_first_fill)
    return Making(taken_name(view, version), _of_kind(batches, _TAKEN), view.masks)


def _of_kind(batches: Iterable[pa.RecordBatch], kinds: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """The rows of changes of some kinds, without their kind."""
    import pyarrow as pa  # noqa: PLC0415 # loaded when a file is made: the server starts without it
    from pyarrow import compute  # noqa: PLC0415 # as above

    wanted = pa.array(kinds)
    for batch in batches:
        place = batch.schema.get_field_index(_KIND)
        yield batch.filter(compute.is_in(batch.column(place), value_set=wanted.cast(batch.schema.field(place).type))).remove_column(place)


def whole_name(contract: Contract, whole: Whole, right: Right) -> str:
    """The name of a whole answer as one Parquet file: a digest of all that decides what is in it."""
    masks = sorted(kinds_of_mask(right, whole.fields).items())
    told = repr((LAYOUT, "whole", contract.digest, whole_statement(whole.ask, whole.version), whole.version, masks))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def _name(view: View, kind: str, version: int) -> str:
    return hashlib.sha256(f"{view.digest} {kind} {version}".encode()).hexdigest()[:40]
