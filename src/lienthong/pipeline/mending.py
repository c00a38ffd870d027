"""Waiting rows taken away as a workbook, and what comes back of it: each row by its identity, all that changed in one run.

A row's identity is made here and sealed with the platform's key: which item, of which dataset, as which row it came, at which try. A copy of
another row's, one typed by hand or one of another dataset is told as such; the order of rows, deleted rows and added columns do not matter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from lienthong.connectors.own_workbook import IDENTITY, LONGEST_CELL, OURS, SHEET, OwnWorkbook, read_own_workbook
from lienthong.contracts import Contract
from lienthong.errors import SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.columns import BROKEN
from lienthong.pipeline.correct import By, Changes, Held, column_names, correct_rows
from lienthong.pipeline.workshop import RunOutcome, Workshop
from lienthong.store import append_entries, quarantine
from lienthong.store.quarantine import Item

MOST_ROWS = 50_000
_CONTROL = re.compile(r"[\x00-\x1f]+")
_IDENTITY = re.compile(r"LT1\.([1-9]\d{0,17})\.([1-9]\d{0,17})\.([0-9a-f]{12})\.([0-9a-f]{32})")


class Fate(StrEnum):
    """What became of a row that came back."""

    THROUGH = "through"
    WAITING = "waiting"
    UNTOUCHED = "untouched"
    STALE = "stale"
    CHANGED_SINCE = "changed_since"
    DUPLICATED = "duplicated"
    MISSING = "missing"
    FORGED = "forged"


@dataclass(frozen=True)
class Verdict:
    """One row of the workbook. `also`: headings changed that were not marked; `item`: as it is now, None where none is known."""

    row: int
    cells: Mapping[str, str | None]
    fate: Fate
    vi: str
    en: str
    item: Item | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mended:
    """What came of a workbook: the run that tried what was changed (None: nothing was), a verdict for each of its rows in their order."""

    outcome: RunOutcome | None
    verdicts: Sequence[Verdict]
    columns: tuple[str, ...]
    ignored: tuple[str, ...] = ()  # headings nobody asked for
    absent: tuple[str, ...] = ()  # columns taken out of the workbook: as they came

    def counts(self) -> dict[str, int]:
        """Rows by fate; those there are none of left out."""
        return dict(Counter(verdict.fate.value for verdict in self.verdicts))


def give_rows(workshop: Workshop, contract: Contract, by: By, run_id: int | None = None) -> list[Item]:
    """The rows that wait, oldest first, at most `MOST_ROWS`; whoever takes them away is in the ledger. `run_id`: of that run alone."""
    with workshop.database.connect() as connection:
        items = quarantine.list_items(connection, contract.id, "waiting", 0, MOST_ROWS, run_id)
        entry = Entry(
            workshop.clock(), Event.QUARANTINE_LISTED, by.caller, by.official, by.purpose, dataset=contract.id, outcome="given",
            details={"items": len(items), "form": "workbook"},
        )  # fmt: skip
        append_entries(connection, [entry], workshop.signer)
    return items


def identities(workshop: Workshop, contract: Contract, items: Sequence[Item]) -> dict[int, str]:
    """The identity of each item, as its workbook bears it."""
    with workshop.database.connect() as connection:
        held = quarantine.find_items(connection, [item.item_id for item in items])
    return {number: _identity(workshop, contract, digest, item) for number, (_, digest, item) in held.items()}


def take_back(workshop: Workshop, contract: Contract, path: Path, by: By) -> Mended:
    """Try every changed row of a workbook again, all in one run; rows nobody changed wait on untried.

    Raises Unprocessable for what is no workbook or has no identities, TooLarge. `by.details` and the file's hash go into the entry.
    """
    try:
        book = read_own_workbook(path, SHEET, MOST_ROWS)
    except SourceError as error:
        raise Unprocessable(
            str(error),
            hint="Save it as .xlsx and send it again.",
            vi="Không đọc được tệp: cần tệp .xlsx đã tải về từ các hàng chờ.",
            hint_vi="Lưu lại thành tệp .xlsx rồi gửi lại.",
        ) from error
    if IDENTITY not in book.headings:
        raise Unprocessable(
            f"The workbook has no column `{IDENTITY}`.",
            hint="Take the waiting rows away as a workbook and mend those; new rows are handed in as a file.",
            vi=f"Tệp không có cột “{IDENTITY}”: hãy tải tệp các hàng chờ về rồi sửa; hàng mới thì nộp bằng biểu mẫu.",
            hint_vi="Tải các hàng chờ về thành tệp bảng tính rồi sửa trên đó; hàng mới thì nộp bằng tệp.",
        )
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return _Return(workshop, contract, book).take(replace(by, details={**by.details, "sha256": sha256, "form": "workbook"}))


@dataclass(frozen=True)
class _Row:
    """A row of the workbook. `claims`: (item, run it waited in, state it was at, seal) of a well-formed identity."""

    number: int
    cells: Mapping[str, str | None]
    identity: str | None
    claims: tuple[int, int, str, str] | None


class _Return:
    """One workbook on its way back."""

    def __init__(self, workshop: Workshop, contract: Contract, book: OwnWorkbook) -> None:
        self._workshop, self._contract = workshop, contract
        self._headings = tuple(dict.fromkeys(name for name in book.headings if name is not None and name not in OURS))
        place = book.headings.index(IDENTITY)
        self._rows = [_row(number, book.headings, cells, cells[place]) for number, cells in book.rows]
        self._verdicts: dict[int, Verdict] = {}
        self._changed: dict[int, tuple[_Row, Changes, tuple[str, ...]]] = {}

    def take(self, by: By) -> Mended:
        claimed = self._claimed()
        with self._workshop.database.connect() as connection:
            there = quarantine.find_items(connection, list(claimed))
        known = [item for item, (dataset, _, _) in there.items() if dataset == self._contract.id]
        for item, row in claimed.items():
            if item not in known:
                self._say(row, Fate.FORGED, *_FORGED)
        done = correct_rows(self._workshop, self._contract, known, lambda held: self._choose(held, claimed), by)
        for item, (row, _, also) in self._changed.items():
            self._judge(row, done.items[item], also, done.untried.get(item), done.outcome)
        for item in set(known) - set(self._changed):
            told = self._verdicts[claimed[item].number]
            if told.fate is not Fate.FORGED:
                self._verdicts[told.row] = replace(told, item=done.items[item])
        names = {name for item in done.items.values() for name in column_names(self._contract, item)}
        came = {name: None for item in done.items.values() for name in item.raw if name not in BROKEN}
        return Mended(
            done.outcome,
            [self._verdicts[row.number] for row in self._rows],
            tuple(name for name in self._headings if name in names) or self._headings,
            tuple(name for name in self._headings if name not in names),
            tuple(name for name in came if name not in self._headings),
        )

    def _claimed(self) -> dict[int, _Row]:
        """The rows with an identity that stands once."""
        counts = Counter(row.claims[0] for row in self._rows if row.claims is not None)
        claimed = {}
        for row in self._rows:
            if row.identity is None:
                self._say(row, Fate.MISSING, *_MISSING)
            elif row.claims is None:
                self._say(row, Fate.FORGED, *_FORGED)
            elif counts[row.claims[0]] > 1:
                self._say(row, Fate.DUPLICATED, *_DUPLICATED)
            else:
                claimed[row.claims[0]] = row
        return claimed

    def _choose(self, held: Mapping[int, Held], claimed: Mapping[int, _Row]) -> Mapping[int, Changes]:
        """What to try, now that nobody else can change anything."""
        chosen = {}
        for item, each in held.items():
            row = claimed[item]
            assert row.claims is not None  # only those are claimed
            _, run, state, seal = row.claims
            if not hmac.compare_digest(_seal(self._workshop, self._contract, each.digest, item, run, state), seal):
                self._say(row, Fate.FORGED, *_FORGED)
            elif each.item.state != "waiting":
                self._say(row, Fate.STALE, *_STALE)
            elif state != _state_of(each.item):
                self._say(row, Fate.CHANGED_SINCE, *_CHANGED_SINCE)
            else:
                changes, also = self._changes(row, each.item)
                if changes is None:
                    self._say(row, Fate.UNTOUCHED, *_UNTOUCHED)
                else:
                    chosen[item] = changes
                    self._changed[item] = (row, changes, also)
        return chosen

    def _changes(self, row: _Row, item: Item) -> tuple[Changes | None, tuple[str, ...]]:
        """What differs from the row as it came (None: nothing differs from what the workbook showed), and which of it was not marked."""
        names = column_names(self._contract, item)
        earlier = item.corrected or {}
        marked = {names.get(issue["column"] or "") for issue in item.issues if issue["severity"] == "error"}
        changes, new = dict(earlier), []
        for heading, value in row.cells.items():
            name = names.get(heading)
            shown = earlier.get(name, item.raw.get(name)) if name is not None else None
            if name is None or _same(value, shown):
                continue
            changes[name] = value
            new.append(name)
        return (changes if new else None), tuple(name for name in new if name not in marked and None not in marked)

    def _judge(self, row: _Row, item: Item, also: tuple[str, ...], untried: Exception | None, outcome: RunOutcome | None) -> None:
        if item.state != "waiting":
            version = "" if outcome is None or outcome.version is None else f", phiên bản {outcome.version} · version {outcome.version}"
            self._say(row, Fate.THROUGH, f"Đã qua{version}", f"Went through{version}", item, also)
        elif untried is not None:
            self._say(row, Fate.WAITING, "Không thử được: thiếu cột bắt buộc", "Not tried: a required column is missing", item, also)
        else:
            wrong = [issue for issue in item.issues if issue["severity"] == "error"]
            vi, en = ("; ".join(dict.fromkeys(issue[word] for issue in wrong)) for word in ("expected_vi", "expected_en"))
            self._say(row, Fate.WAITING, f"Vẫn chờ: {vi}", f"Still waits: {en}", item, also)

    def _say(self, row: _Row, fate: Fate, vi: str, en: str, item: Item | None = None, also: tuple[str, ...] = ()) -> None:
        if also:
            vi, en = f"{vi} (đã đổi cả: {', '.join(also)})", f"{en} (also changed: {', '.join(also)})"
        self._verdicts[row.number] = Verdict(row.number, row.cells, fate, vi, en, item, also)


_FORGED = (
    "Mã hàng không phải do hệ thống cấp cho bộ dữ liệu này: không nhận",
    "The row identity was not given for this dataset: not taken",
)
_MISSING = (
    "Thiếu mã hàng: không nhận; hàng mới hãy nộp bằng biểu mẫu",
    "No row identity: not taken; hand new rows in as a file",
)
_DUPLICATED = ("Mã hàng này đứng ở nhiều dòng: không dòng nào được nhận", "Several rows bear this identity: none of them is taken")
_STALE = ("Hàng này không còn chờ: đã xong từ trước", "This row waits no longer: it was settled before")
_CHANGED_SINCE = (
    "Đã có người sửa thử hàng này sau khi tệp được tải về: hãy tải lại",
    "Somebody tried this row after the workbook was taken: take it anew",
)
_UNTOUCHED = ("Chưa sửa gì: vẫn chờ", "Nothing was changed: it waits on")


def _row(number: int, headings: Sequence[str | None], cells: Sequence[str | None], identity: str | None) -> _Row:
    told: dict[str, str | None] = {}
    for heading, cell in zip(headings, cells, strict=True):
        if heading is not None and heading not in OURS:
            told.setdefault(heading, cell)
    found = _IDENTITY.fullmatch((identity or "").strip())
    return _Row(number, told, identity, None if found is None else (int(found[1]), int(found[2]), found[3], found[4]))


def _identity(workshop: Workshop, contract: Contract, digest: int | None, item: Item) -> str:
    state = _state_of(item)
    return f"LT1.{item.item_id}.{item.run_id}.{state}.{_seal(workshop, contract, digest, item.item_id, item.run_id, state)}"


def _state_of(item: Item) -> str:
    """What was tried last: a workbook taken before another person's try does not undo it unseen."""
    return hashlib.sha256(json.dumps(item.corrected, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _seal(workshop: Workshop, contract: Contract, digest: int | None, item: int, run: int, state: str) -> str:
    return workshop.signer.mark(f"quarantine row\x1f{contract.id}\x1f{item}\x1f{run}\x1f{digest}\x1f{state}".encode()).hex()[:32]


def _same(cell: str | None, shown: str | None) -> bool:
    """Whether a cell says what it was shown with: a workbook loses spaces at the ends, line ends and control signs."""
    return _plain(cell) == _plain(None if shown is None else shown[:LONGEST_CELL])


def _plain(value: str | None) -> str:
    return _CONTROL.sub(" ", value or "").strip(" ")
