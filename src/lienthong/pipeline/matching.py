"""Records that arrive, change or leave → who is one, golden records, events: within the caller's transaction.

What is touched is linked anew, nothing else: the components that a new record reaches, and those a changed or departed one was in.
The result is the one matching everything at once would give (`masterdata/resolve.py`), because both link components the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from lienthong.errors import NotFound
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.model import Model
from lienthong.pipeline.match_act import PLATFORM, Act
from lienthong.pipeline.match_words import Arrival, Cause, Ending, EntityIndex, Matched, Name, left_open, nothing
from lienthong.store import Connection
from lienthong.store.matching import Index, StoredRecord


def arrive(
    connection: Connection, index: EntityIndex, arrivals: Sequence[Arrival], departures: Sequence[Name], cause: Cause,
    ending: Ending = left_open, following: Sequence[Arrival] = (),
) -> Matched:  # fmt: skip
    """Match records that came, changed or left. The caller commits, after its ledger entry: best in `ending`, which costs no trip of its own.

    `following`: the records of the next call, where they are known: read while the server writes these.
    """
    with connection.pipeline():
        act = Act(connection, index, cause)
        act.take(arrivals, departures)
        return act.finish(ending, partial(index.read_ahead, following) if following else nothing)


def relink(
    connection: Connection, index: EntityIndex, records: Sequence[StoredRecord], cause: Cause, wanted: Mapping[int, int] | None = None,
    ending: Ending = left_open,
) -> Matched:  # fmt: skip
    """Link the components of these records anew, as judgements now stand. `wanted`: record → identity an undone act took from it."""
    with connection.pipeline():
        Index(connection, index.entity.name).lock()
        act = Act(connection, index, cause)
        act.touch(records, wanted or {})
        return act.finish(ending)


def split_name(text: str) -> Name:
    """`source/key` as events and commands write a record's name; a key may hold `/` itself."""
    source, _, key = text.partition("/")
    return source, key


def index_of(entities: Mapping[str, Entity], name: str, model: Model | None) -> EntityIndex:
    """The entity's index. Raises NotFound when no contract describes it or no model was trained."""
    if name not in entities:
        raise NotFound(
            f"No master contract describes the entity `{name}`.",
            hint=f"Known: {', '.join(entities) or 'none'}.",
            hint_vi=f"Đã biết: {', '.join(entities) or 'chưa có'}.",
            vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.",
        )
    if model is None:
        raise NotFound(
            f"No model of `{name}` was trained.", hint=f"lienthong match train {name}", vi=f"Chưa huấn luyện mô hình nào của `{name}`."
        )
    return EntityIndex(entities[name], model)


__all__ = ["PLATFORM", "Arrival", "Cause", "Ending", "EntityIndex", "Matched", "Name", "arrive", "index_of", "relink", "split_name"]
