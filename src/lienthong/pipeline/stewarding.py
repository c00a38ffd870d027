"""A steward's work: what waits, decisions, and undoing any act of matching. Each is one transaction with its ledger entry.

Nothing is erased: a word that no longer holds ends, and an act that is undone stays, with the act that undid it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.masterdata.identity import Home
from lienthong.pipeline.matching import PLATFORM, Cause, EntityIndex, Matched, Name, relink, split_name
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import stewarding as store
from lienthong.store.matching import Index, StoredRecord

VERDICTS = ("same", "apart", "unsure")
LARGE = 10  # records: a join that makes a golden record of more needs two persons
OPEN_MINUTES = 15


@dataclass(frozen=True)
class Through:
    """By which subsystem and for which purpose a steward acts; the platform's own commands where nothing is said."""

    caller: str = PLATFORM
    purpose: str = ""


HERE = Through()


@dataclass(frozen=True)
class Waiting:
    """One pair of the queue: both records with what their registers say, and how many records the decision moves."""

    item: int
    why: str
    bits: float
    left: Name
    left_content: Mapping[str, Any]
    left_golden: str
    right: Name
    right_content: Mapping[str, Any]
    right_golden: str
    records: int


def queue(workshop: Workshop, index: EntityIndex, by: str, limit: int = 20, through: Through = HERE) -> list[Waiting]:
    """What waits for this person, what moves most first; what is shown is theirs for a quarter of an hour."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        rows = store.waiting(connection, index.entity.name, by, at, limit)
        found = [waiting_from(row) for row in rows]
        store.lock_items(connection, [w.item for w in found], by, at + timedelta(minutes=OPEN_MINUTES))
        note(workshop, connection, index, Event.QUEUE_READ, by, at, {"items": len(found)}, through)
    return found


def waiting_from(row: tuple[Any, ...]) -> Waiting:
    """A pair as `store.waiting` gives it."""
    return Waiting(row[0], row[1], row[2], (row[3], row[4]), row[5], row[6], (row[7], row[8]), row[9], row[10], row[11])


def defer(workshop: Workshop, item: int, until: datetime) -> None:
    """Ask nobody until then. Raises NotFound when the pair no longer waits."""
    with workshop.database.connect() as connection:
        if not store.defer(connection, item, until):
            raise NotFound(
                f"Nothing waits under {item}.",
                hint="It was decided, or its records changed.",
                vi=f"Không có việc nào chờ ở số {item}.",
                hint_vi="Việc đã quyết định, hoặc các bản ghi đã thay đổi.",
            )


def decide(
    workshop: Workshop, index: EntityIndex, left: Name, right: Name, verdict: str, by: str, reason: str, through: Through = HERE
) -> Matched:  # fmt: skip
    """Say whether two records are one, for ever or until it is undone.

    Raises Unprocessable for another word or no reason, NotFound for a record that is not there, Conflict when a second person must agree:
    where the golden record would have many records, or two different valid identifiers.
    """
    if verdict not in VERDICTS:
        raise Unprocessable(
            f"`{verdict}` is no verdict.",
            hint=f"One of {', '.join(VERDICTS)}.",
            vi=f"`{verdict}` không phải một kết luận.",
            hint_vi=f"Một trong {', '.join(VERDICTS)}.",
        )
    require_reason(reason)
    if left == right:
        raise Unprocessable("A decision needs two different records.", vi="Cần hai bản ghi khác nhau để quyết định.")
    at = workshop.clock()
    with workshop.database.warm() as connection:
        index_store = Index(connection, index.entity.name)
        index_store.lock()
        records = _records(index_store, [left, right])
        if verdict == "same" and _needs_two(index, index_store, records):
            first = store.seconded(connection, left, right)
            if first is None or first == by:
                store.second(connection, left, right, by, at)
                connection.commit()
                raise Conflict(
                    "This join needs a second person.",
                    hint="It is large, or two valid identifiers differ; another steward must say the same.",
                    vi="Việc gộp này cần người thứ hai.",
                    hint_vi="Nhóm lớn, hoặc hai số định danh hợp lệ khác nhau; một người quản lý khác phải cùng kết luận.",
                )
        act = index_store.add_act("decision", at, by, reason, details={"verdict": verdict})
        store.end_words(connection, left, right, act, at)
        store.settle(connection, left, right)
        index_store.add_judgements([word(left, right, verdict, by, reason)], at, act)
        done = relink(connection, index, records, Cause("decision", by, at, vietnam_date(at), reason, act=act))
        note(
            workshop,
            connection,
            index,
            Event.JUDGEMENT_MADE,
            by,
            at,
            {"act": act, "verdict": verdict, "records": len(done.golden)},
            through,
        )
    return done


def split(
    workshop: Workshop, index: EntityIndex, groups: Sequence[Sequence[Name]], by: str, reason: str, through: Through = HERE
) -> Matched:  # fmt: skip
    """Take one golden record apart: records of different groups are not one. Records nobody named go where they fit best.

    Raises Unprocessable for fewer than two groups, a record named twice or records of several golden records; NotFound for an unknown one.
    """
    names = [name for group in groups for name in group]
    require_reason(reason)
    if len(groups) < 2 or not all(groups) or len(set(names)) < len(names):
        raise Unprocessable(
            "A split needs two groups or more, each record in one of them.",
            hint="Name every record once.",
            vi="Tách cần từ hai nhóm, mỗi bản ghi ở đúng một nhóm.",
            hint_vi="Mỗi bản ghi chỉ nêu đúng một lần.",
        )
    at = workshop.clock()
    with workshop.database.warm() as connection:
        index_store = Index(connection, index.entity.name)
        index_store.lock()
        records = _records(index_store, names)
        if len({record.golden for record in records}) > 1:
            raise Unprocessable(
                "These records are not of one golden record.",
                hint="A split takes one golden record apart.",
                vi="Các bản ghi này không cùng một bản ghi gốc.",
                hint_vi="Tách là chia một bản ghi gốc.",
            )
        act = index_store.add_act("decision", at, by, reason, details={"verdict": "apart", "groups": len(groups)})
        store.keep_apart(connection, index.entity.name, groups, by, reason, act, at)
        done = relink(connection, index, records, Cause("decision", by, at, vietnam_date(at), reason, act=act))
        note(workshop, connection, index, Event.JUDGEMENT_MADE, by, at, {"act": act, "verdict": "apart", "records": len(names)}, through)
    return done


def undo(workshop: Workshop, index: EntityIndex, act: int, by: str, reason: str, through: Through = HERE) -> Matched:
    """Take an act of matching back: its words end, those it ended hold again, and what it joined by itself is kept apart.

    Identities come back exactly. Raises Unprocessable without a reason, NotFound for an act that is not there, Conflict for one that was
    undone already.
    """
    require_reason(reason)
    at = workshop.clock()
    with workshop.database.warm() as connection:
        index_store = Index(connection, index.entity.name)
        index_store.lock()
        found = store.act(connection, act)
        if found is None or found[0] != index.entity.name:
            raise NotFound(
                f"`{index.entity.name}` has no act {act}.",
                hint="Events and judgements name theirs.",
                vi=f"`{index.entity.name}` không có việc số {act}.",
                hint_vi="Sự kiện và kết luận đều nêu số việc.",
            )
        if found[1] == "override":
            raise Conflict(
                f"Act {act} set or withdrew a steward's value.",
                hint="A value is withdrawn, or set anew.",
                vi=f"Việc số {act} đặt hoặc rút giá trị của người quản lý.",
                hint_vi="Giá trị thì rút, hoặc đặt lại.",
            )
        if (by_whom := store.undone(connection, act)) is not None:
            raise Conflict(
                f"Act {act} was undone by act {by_whom}.",
                hint=f"Undo act {by_whom} to have it again.",
                vi=f"Việc số {act} đã bị việc số {by_whom} hoàn tác.",
                hint_vi=f"Muốn có lại, hãy hoàn tác việc số {by_whom}.",
            )
        mine = index_store.add_act("undo", at, by, reason, undoes=act)
        before = store.moved_by(connection, act)
        came = [split_name(text) for text in store.came_by(connection, act)]
        touched = {*before, *came, *store.words_anew(connection, mine, at)}
        records = index_store.own(sorted(touched))
        if found[1] in ("arrival", "bulk"):
            parts = _parts(index_store, records, before, set(came))
            words = [word(a, b, "apart", by, reason) for a, b in parts]
            if words:
                index_store.add_judgements(words, at, mine)
        cause = Cause("undo", by, at, vietnam_date(at), reason, undoes=act, act=mine)
        done = relink(connection, index, records, cause, _homes(connection, index_store, records, set(came) - before.keys()))
        note(workshop, connection, index, Event.JUDGEMENT_UNDONE, by, at, {"act": mine, "undoes": act}, through)
    return replace(done, act=mine)  # an undoing that moves nobody is an act too


def require_reason(reason: str) -> None:
    """Raises Unprocessable for an act of a steward without a reason."""
    if not reason.strip():
        raise Unprocessable(
            "A steward's act needs a reason.", hint="--reason says why.", vi="Việc này cần có lý do.", hint_vi="Nêu lý do bằng --reason."
        )


def _parts(index_store: Index, records: Sequence[StoredRecord], before: Mapping[Name, int], came: set[Name]) -> list[tuple[Name, Name]]:
    """Pairs the act brought together: each record that came, with every record of another origin in its golden record."""
    members = index_store.of_goldens({r.golden for r in records})
    pairs = []
    for one in members:
        for other in members:
            a, b = (one.source, one.key), (other.source, other.key)
            if one.golden != other.golden or a >= b or not ({a, b} & came):
                continue
            if before.get(a, one.golden if a not in came else a) != before.get(b, other.golden if b not in came else b):
                pairs.append((a, b))
    return pairs


def _homes(connection: Connection, index_store: Index, records: Sequence[StoredRecord], new: set[Name]) -> dict[int, Home]:
    """By record: the identity it has by the acts that hold. Not of those that came into the index by the act that is undone."""
    members = index_store.members({r.component for r in records}) if records else []
    found = store.homes(connection, [(m.source, m.key) for m in members])
    return {m.record: Home(*found[m.source, m.key]) for m in members if (m.source, m.key) in found.keys() - new}


def _needs_two(index: EntityIndex, index_store: Index, records: Sequence[StoredRecord]) -> bool:
    left, right = records
    if left.golden == right.golden:
        return False
    places = index.matcher.rules.identifier_places
    members = index_store.of_goldens({left.golden, right.golden})
    if len(members) > LARGE:
        return True
    return any(len({m.features[n] for m in members if m.features[n] is not None}) > 1 for n in places)


def _records(index_store: Index, names: Sequence[Name]) -> list[StoredRecord]:
    found = {(r.source, r.key): r for r in index_store.own(names)}
    for name in names:
        if name not in found:
            raise NotFound(
                f"There is no record `{name[1]}` of `{name[0]}`.",
                hint="Records are named by register and key.",
                vi=f"Không có bản ghi `{name[1]}` của `{name[0]}`.",
                hint_vi="Bản ghi được gọi bằng sổ gốc và khóa.",
            )
    return [found[name] for name in names]


def word(left: Name, right: Name, verdict: str, by: str, reason: str) -> dict[str, Any]:
    """A steward's judgement as the index keeps it."""
    pair = {"left_source": left[0], "left_key": left[1], "right_source": right[0], "right_key": right[1]}
    return {**pair, "verdict": verdict, "kind": "steward", "by_whom": by, "reason": reason, "bits": None, "model": None}


def note(
    workshop: Workshop, connection: Connection, index: EntityIndex, event: Event, by: str, at: datetime, details: Mapping[str, Any],
    through: Through,
) -> None:  # fmt: skip
    """The ledger entry of what a steward did, in the transaction that did it."""
    entry = Entry(
        at=at, event=event, caller=through.caller, official=by, purpose=through.purpose, dataset=index.master.id, outcome="done", details=details
    )  # fmt: skip
    append_entries(connection, [entry], workshop.signer)
