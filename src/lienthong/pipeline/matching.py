"""Records that arrive, change or leave → who is one, golden records, events: within the caller's transaction.

What is touched is linked anew, nothing else: the components that a new record reaches, and those a changed or departed one was in.
The result is the one matching everything at once would give (`masterdata/resolve.py`), because both link components the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import is_

import psycopg

from lienthong.errors import NotFound
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.identity import Home
from lienthong.masterdata.model import Model
from lienthong.pipeline.match_act import PLATFORM, Act
from lienthong.pipeline.match_turns import Written
from lienthong.pipeline.match_words import Arrival, Cause, Ending, EntityIndex, Matched, Name, left_open, nothing
from lienthong.store import Connection
from lienthong.store.matching import Index, StoredRecord, Turn


class Arrivals:
    """Records that arrive one act after the other on one connection. What follows is asked for while the act before is at work."""

    def __init__(self, connection: Connection, index: EntityIndex) -> None:
        self.connection = connection
        self.index = index
        self._store = Index(connection, index.entity.name)
        self._next: _Next | None = None

    def take(
        self, arrivals: Sequence[Arrival], departures: Sequence[Name], cause: Cause, ending: Ending = left_open,
        following: Sequence[Arrival] = (),
    ) -> Matched:  # fmt: skip
        """Match records that came, changed or left. The caller commits, after its ledger entry: best in `ending`, which costs no trip of its own.

        `following`: the records of the next call, where they are known: read, asked for and compared while the server is at these.
        """
        begun, self._next = self._next, None
        with self.connection.pipeline():
            act, turn = self._begin(arrivals, departures, begun, partial(self.index.read_ahead, following) if following else nothing)
            then = self._ask_for(following, turn) if following else None
            done = act.finish(cause, ending, None if then is None else then.receive)
        if then is not None and then.is_ready and done.act is not None:
            then.after = done.act
            self._next = then
        return done

    def end(self) -> None:
        """No more come within this transaction: its other statements are planned as usual."""
        self._store.plan_freely()

    def _begin(
        self, arrivals: Sequence[Arrival], departures: Sequence[Name], begun: _Next | None, meanwhile: Callable[[], None]
    ) -> tuple[Act, Turn]:  # fmt: skip
        """The act, with the lock. What was asked before its turn is used where these records were asked for and nobody acted since."""
        if begun is not None and not departures and begun.is_of(arrivals):
            turn = self._store.lock_for_arrival(begun.after)
            begun.act.take(meanwhile)
            if turn.follows(begun.turn):
                return begun.act, turn
        else:
            turn = self._store.lock_for_arrival()
        act = Act(self.connection, self.index)
        act.ask(arrivals, departures)
        act.receive(Written())
        act.take(meanwhile)
        return act, turn

    def _ask_for(self, following: Sequence[Arrival], turn: Turn) -> _Next:
        then = _Next(following, Act(self.connection, self.index), turn.number)
        then.ask()
        return then


class _Next:
    """The act after the one at work, as far as it can be done before its turn.

    A record that cannot be read, or compared, fails in its turn and not here. What the server refuses here it refuses to the act at work
    as well: they are of one transaction.
    """

    def __init__(self, arrivals: Sequence[Arrival], act: Act, turn: int) -> None:
        self._arrivals = arrivals
        self.act = act
        self.turn = turn  # of the act at work
        self.after = 0  # the act at work, once it is done
        self._is_asked = False
        self.is_ready = False  # everything was asked, received and put right

    def is_of(self, arrivals: Sequence[Arrival]) -> bool:
        """Whether it was these very records that were asked for."""
        return len(arrivals) == len(self._arrivals) and all(map(is_, arrivals, self._arrivals))

    def ask(self) -> None:
        with _in_its_turn():
            self.act.ask(self._arrivals, ())
            self._is_asked = True

    def receive(self, written: Written) -> None:
        """Compare what came with what the act at work leaves."""
        if self._is_asked:
            with _in_its_turn():
                self.act.receive(written)
                self.is_ready = True


@contextmanager
def _in_its_turn() -> Iterator[None]:
    """What fails here will fail again in its turn, and is told then; but not what the server refuses."""
    try:
        yield
    except psycopg.Error:
        raise
    except Exception:
        return


def relink(
    connection: Connection, index: EntityIndex, records: Sequence[StoredRecord], cause: Cause, homes: Mapping[int, Home] | None = None,
    ending: Ending = left_open,
) -> Matched:  # fmt: skip
    """Link the components of these records anew, as judgements now stand. `homes`: record → identity it has once an act is undone."""
    with connection.pipeline():
        Index(connection, index.entity.name).lock()
        act = Act(connection, index)
        act.touch(records, homes or {})
        return act.finish(cause, ending)


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


__all__ = [
    "PLATFORM",
    "Arrival",
    "Arrivals",
    "Cause",
    "Ending",
    "EntityIndex",
    "Matched",
    "Name",
    "index_of",
    "relink",
    "split_name",
]
