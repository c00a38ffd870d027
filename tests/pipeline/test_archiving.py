"""Bodies go by rule into files that prove themselves; leaves, roots and receipts hold; a body that goes otherwise is named."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lienthong.errors import LedgerError, SettingsError
from lienthong.ledger import Entry, Event, Verdict, encode
from lienthong.ledger.retention import CLASSES, RULES, class_of, retention
from lienthong.ledger.standalone import ED25519, Key, Unproved, check_archive
from lienthong.ledger.standalone import main as verifier
from lienthong.pipeline import Workshop
from lienthong.pipeline.archiving import Archived, archive_ledger
from lienthong.store import append_entries
from lienthong.store.archiving import Archive, archives
from lienthong.store.ledger import prove
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import Demand, verify_ledger
from tests.factories import TickingClock, make_workshop

AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
YEAR = timedelta(days=366)


class Years:
    """A ledger through the years."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop, self.folder = workshop, folder

    @property
    def key(self) -> Key:
        return Key(self.workshop.signer.origin, ED25519, self.workshop.signer.public_key)

    def write(self, *events: Event) -> None:
        now = self.workshop.clock()
        with self.workshop.database.connect() as connection:
            append_entries(connection, [Entry(now, event, f"caller {n}") for n, event in enumerate(events)], self.workshop.signer)
        Sequencer(self.workshop.database, self.workshop.signer, self.workshop.clock).catch_up()

    def pass_(self, time: timedelta) -> None:
        clock = self.workshop.clock
        assert isinstance(clock, TickingClock)
        clock.now += time

    def archive(self) -> Archived:
        done = archive_ledger(self.workshop, self.folder, 90, "")
        Sequencer(self.workshop.database, self.workshop.signer, self.workshop.clock).catch_up()
        return done

    def verdict(self, *, with_files: bool = True) -> Verdict:
        with self.workshop.database.connect() as connection:
            return verify_ledger(connection, self.workshop.signer, Demand(archives=self.folder if with_files else None))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.gz"))


@pytest.fixture
def years(database_url: str, tmp_path: Path) -> Years:
    made = Years(make_workshop(database_url), tmp_path / "archive")
    made.write(Event.ANSWER_RECORD, Event.ANSWER_PAGE)
    made.write(Event.ANSWER_RECORD, Event.JUDGEMENT_MADE)  # one is kept for ever, and its batch with it
    made.write(Event.TOKEN_ISSUED)
    return made


def test_bodies_go_by_the_longest_rule_of_their_batch_and_all_proofs_hold(years: Years) -> None:
    assert years.archive() == Archived()  # nothing is old enough
    years.pass_(YEAR)
    assert years.archive() == Archived(written=1)
    assert (years.verdict().present, years.verdict().archived) == (6, 0)
    years.pass_(2 * YEAR)
    assert years.archive() == Archived(written=1, removed=1)  # access: two years here
    years.pass_(3 * YEAR)
    assert years.archive().removed == 2  # answers: five years, but for the batch with the judgement
    verdict = years.verdict()
    assert (verdict.ok, verdict.archived, verdict.gone) == (True, 3, 0)
    with years.workshop.database.connect() as connection:
        assert prove(connection, years.workshop.signer, 2).body  # still here
        with pytest.raises(LedgerError, match="archives"):
            prove(connection, years.workshop.signer, 0)
    years.write(Event.ANSWER_RECORD)
    assert years.verdict().ok


def test_archives_are_a_chain_an_auditor_checks_without_the_platform(years: Years, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        years.pass_(YEAR)
        years.archive()
    names = [str(path) for path in years.files()]
    assert len(names) >= 2
    assert verifier(["archive", *names, "--key", years.key.text]) == 0
    assert verifier(["archive", *reversed(names), "--key", years.key.text]) == 1
    assert "không nối tiếp" in capsys.readouterr().err


def _change(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    return gzip.compress(b"\n".join(change(lines)), mtime=0)


CHANGES: tuple[Callable[[list[bytes]], list[bytes]], ...] = (
    lambda lines: [line.replace(b"caller 0", b"caller 9") for line in lines],
    lambda lines: [*lines[:1], *lines[2:]],
    lambda lines: [*lines[:2], *lines[1:]],
    lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    lambda lines: [lines[0].replace(b'"begins": 0', b'"begins": 1'), *lines[1:]],
    lambda lines: lines[:-2],
    lambda lines: [*lines, b"more"],
    lambda lines: [],
)


def test_a_file_changed_in_any_line_proves_nothing_and_neither_does_the_list_of_them(years: Years) -> None:
    years.pass_(YEAR)
    years.archive()
    (path,) = years.files()
    kept = path.read_bytes()
    for change in CHANGES:
        with pytest.raises(Unproved):
            check_archive(io.BytesIO(_change(path, change)), years.key)
        path.write_bytes(_change(path, change))
        assert years.verdict().reason == "archive"
        path.write_bytes(kept)
    path.write_bytes(kept[: len(kept) // 2])
    assert years.verdict().reason == "archive"
    path.unlink()
    assert years.verdict().reason == "archive"
    assert years.verdict(with_files=False).ok  # what is in the store still holds
    path.write_bytes(kept)
    with years.workshop.database.connect() as connection:
        for column in ("number = 7", "begins = 1", "ends = ends - 1", "digest = 'x'", "dropped_at = now()"):
            connection.execute(f"update lienthong.ledger_archives set {column}".encode())
            assert verify_ledger(connection, years.workshop.signer, Demand(archives=years.folder)).reason == "archive"
            connection.rollback()
    assert years.verdict().ok


def test_a_body_that_goes_without_an_entry_is_named(years: Years) -> None:
    years.pass_(YEAR)
    years.archive()
    with years.workshop.database.connect() as connection:
        connection.execute("delete from lienthong.ledger_batches where id = 2")
    assert (years.verdict().reason, years.verdict().first_misfit) == ("missing", 2)


def test_an_archive_goes_when_its_longest_term_is_over_and_never_when_something_is_kept_for_ever(database_url: str, tmp_path: Path) -> None:
    years = Years(make_workshop(database_url), tmp_path / "archive")
    years.write(Event.ANSWER_RECORD, Event.TOKEN_ISSUED)
    years.pass_(YEAR)
    years.archive()
    years.pass_(6 * YEAR)
    assert years.archive() == Archived(written=1, removed=2)  # the entry that tells of the first file is in the second
    years.pass_(4 * YEAR)
    done = years.archive()
    assert done.dropped == 1
    assert [archive.dropped_at is not None for archive in _archives(years)][:2] == [True, False]
    verdict = years.verdict()
    assert (verdict.ok, verdict.gone) == (True, 2)
    years.pass_(90 * YEAR)
    assert years.archive().dropped == 0


def _archives(years: Years) -> list[Archive]:
    with years.workshop.database.connect() as connection:
        return archives(connection)


def test_a_file_cut_short_is_written_anew(years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    years.pass_(YEAR)
    years.folder.mkdir()
    (years.folder / "000001.jsonl.gz").write_bytes(b"half of one")
    assert years.archive().written == 1
    assert years.verdict().ok
    years.pass_(YEAR)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lienthong.store.archiving.keep_archive", killed)
    with pytest.raises(KeyboardInterrupt):
        years.archive()
    monkeypatch.undo()
    assert years.archive().written == 1
    assert years.verdict().ok


def test_the_longest_rule_wins_and_the_province_may_only_keep_longer() -> None:
    on = date(2026, 7, 1)
    terms = retention("", on).terms
    assert terms == {"answers": (1_826, 3_653), "access": (730, 1_826), "data": (1_826, 3_653)}
    assert retention("answers=4000/8000", on).terms["answers"] == (4_000, 8_000)
    assert retention("", date(2024, 1, 1)).terms == {"answers": (730, 730), "access": (365, 365)}
    for wrong in ("answers=30/30", "answers=4000/3999", "answers", "nothing=1/1", "answers=x/y"):
        with pytest.raises(SettingsError):
            retention(wrong, on)
    assert {rule.name for rule in RULES} == set(CLASSES)


def test_what_no_class_names_is_kept_for_ever() -> None:
    terms = retention("", date(2026, 7, 1))
    kept = [event for event in Event if terms.leaves_at([encode(Entry(AT, event, "c"))]) is None]
    assert {Event.JUDGEMENT_MADE, Event.BODIES_REMOVED, Event.BODIES_DROPPED, Event.BODIES_ARCHIVED} <= set(kept)
    assert class_of(Event.ANSWER_RECORD) == "answers"
