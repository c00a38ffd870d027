"""Whatever column of the ledger's tables is changed, whatever row is taken out or put in: verification finds it and names a place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lienthong.ledger import Entry, Event, Signer, pack_subjects, subject_hash
from lienthong.ledger.standalone import Note, read_note
from lienthong.ledger.witness import Cosigner
from lienthong.pipeline import Workshop
from lienthong.pipeline.archiving import archive_ledger
from lienthong.store import Connection, append_entries
from lienthong.store.attesting import WitnessStanding, keep_cosignature, keep_standing, newest_note
from lienthong.store.embedded import EmbeddedServer
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import Demand, verify_ledger
from tests.conftest import fresh_database
from tests.factories import TickingClock, make_workshop

AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
YEAR = timedelta(days=366)
WITNESS = "witness"
MOVED = (  # an identity is not updated
    "with moved as (delete from ledger_batches where id = {kept} returning at, bodies, seal)"
    " insert into ledger_batches (id, at, bodies, seal) overriding system value select 5000, at, bodies, seal from moved"
)
MUTATIONS = {
    "ledger_batches": (
        (MOVED, "missing"),
        ("update ledger_batches set at = at + interval '1 microsecond' where id = {kept}", "time"),
        ("update ledger_batches set at = at - interval '1 day' where id = {unnumbered}", "time"),
        ("update ledger_batches set at = at - interval '1 day' where id = {old}", "time"),
        ("update ledger_batches set bodies = replace(bodies, 'caller 1', 'caller 9') where id = {kept}", "altered"),
        ("update ledger_batches set seal = set_byte(seal, 30, get_byte(seal, 30) # 1) where id = {kept}", "seal"),
        ("update ledger_batches set seal = set_byte(seal, 20, get_byte(seal, 20) # 1) where id = {kept}", "seal"),
        ("update ledger_batches set seal = null where id = {kept}", "seal"),
        ("delete from ledger_batches where id = {kept}", "missing"),
    ),
    "ledger_checkpoints": (
        ("update ledger_checkpoints set size = size + 100 where size = {end}", "begins"),
        ("update ledger_checkpoints set begins = begins + 1 where size = {end}", "begins"),
        ("update ledger_checkpoints set batches = batches || {kept}::bigint where size = {end}", "altered"),
        ("update ledger_checkpoints set root = sha256(root) where size = {end}", "root"),
        ("update ledger_checkpoints set at = at + interval '1 microsecond' where size = {end}", "signature"),
        ("update ledger_checkpoints set key_id = 'x' where size = {end}", "key"),
        ("update ledger_checkpoints set signature = set_byte(signature, 3, get_byte(signature, 3) # 1) where size = {end}", "signature"),
        ("delete from ledger_checkpoints where size = {end}", "begins"),
    ),
    "ledger_tiles": (
        ("update ledger_tiles set level = 3 where level = 0", "missing"),
        ("update ledger_tiles set number = 7 where level = 0", "missing"),
        ("update ledger_tiles set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where level = 0", "root"),
        ("insert into ledger_tiles (level, number, hashes) values (2, 0, sha256('x'))", "tile"),
        ("delete from ledger_tiles where level = 0", "missing"),
    ),
    "ledger_edge": (
        ("update ledger_edge set size = size - 1", "size"),
        ("update ledger_edge set seen = seen - 1", "twice"),
        ("update ledger_edge set seen = seen + 1", "twice"),
    ),
    "ledger_gaps": (("insert into ledger_gaps (id, horizon) values ({kept}, '1')", "twice"),),
    "ledger_refused": (("insert into ledger_refused (id) values ({kept})", "twice"),),
    "ledger_places": (
        ("update ledger_places set begins = begins + 100 where batch = {kept}", "place"),
        ("update ledger_places set batch = 900 where batch = {kept}", "place"),
        ("update ledger_places set entries = entries + 1 where batch = {kept}", "place"),
        ("update ledger_places set begins = begins + 100 where batch = {old_gone}", "missing"),
        ("update ledger_places set batch = 900 where batch = {old_gone}", "missing"),
        ("update ledger_places set entries = entries + 1 where batch = {old_gone}", "missing"),
        ("delete from ledger_places where batch = {old_gone}", "missing"),
    ),
    "ledger_index": (
        ("update ledger_index set mark = mark + 1 where position = {kept_at}", "index"),
        ("update ledger_index set position = position + 100 where position = {kept_at}", "index"),
        ("update ledger_index set mark = mark + 1 where position = 0", "index"),
        ("update ledger_index set position = 100 where position = 0", "index"),
        ("delete from ledger_index where position = 0", "index"),
        ("insert into ledger_index (mark, position) values (7, 1)", "index"),
    ),
    "ledger_gone": (
        ("update ledger_gone set begins = begins + 1 where begins = 0", "gone"),
        ("update ledger_gone set digest = sha256(digest) where begins = 0", "gone"),
        ("delete from ledger_gone where begins = 0", "gone"),
        ("insert into ledger_gone (begins, digest) values ({kept_at}, sha256('x'))", "gone"),
        ("insert into ledger_gone (begins, digest) select 9000, digest from ledger_gone where begins = 0", "gone"),
    ),
    "ledger_archives": (
        ("update ledger_archives set number = 9 where number = 1", "archive"),
        ("update ledger_archives set begins = 1 where number = 1", "archive"),
        ("update ledger_archives set ends = ends - 1 where number = 1", "archive"),
        ("update ledger_archives set digest = 'x' where number = 1", "archive"),
        ("update ledger_archives set at = at + interval '1 microsecond' where number = 1", "archive"),
        ("update ledger_archives set dropped_at = null where number = 1", "archive"),
        ("update ledger_archives set dropped_at = dropped_at + interval '1 microsecond' where number = 1", "archive"),
        ("update ledger_archives set dropped_at = now() where number = 2", "archive"),
        ("delete from ledger_archives where number = (select max(number) from ledger_archives)", "archive"),
        ("insert into ledger_archives (number, begins, ends, digest, at) values (99, 9, 10, 'x', now())", "archive"),
    ),
    "ledger_cosignatures": (
        ("update ledger_cosignatures set size = {first_end}", "cosignature"),
        ("update ledger_cosignatures set witness = 'x'", "cosignature"),
        ("update ledger_cosignatures set line = replace(line, 'witness', 'other')", "cosignature"),
        ("delete from ledger_cosignatures", "cosignature"),
    ),
    "ledger_witnesses": (
        ("update ledger_witnesses set size = size - 1", "cosignature"),
        ("update ledger_witnesses set witness = 'x'", "cosignature"),
    ),
}  # fmt: skip
ELSEWHERE = {  # where an authority stamps: tests/sharing/test_attesting.py
    ("ledger_stamps", "size"), ("ledger_stamps", "at"), ("ledger_stamps", "token"),
}  # fmt: skip
PROVES_NOTHING = {
    ("ledger_edge", "is_only"): "a constraint lets it have one value",
    ("ledger_gaps", "horizon"): "until when a gap is looked at; a batch that comes later is named as lying beside the ledger",
    ("ledger_stamps", "authority"): "where a stamp was asked for; the stamp itself says by whom it is",
    ("ledger_witnesses", "asked_at"): "how a witness stood when it was asked last; it is asked anew every minute",
    ("ledger_witnesses", "state"): "the same",
    ("ledger_witnesses", "status"): "the same",
}


class Ledger:
    """A ledger with everything in it: batches here and gone, seals of three forms, an archive that was destroyed, a witness."""

    def __init__(self, url: str, folder: Path) -> None:
        self.workshop: Workshop = make_workshop(url)
        self.folder = folder
        self.ids: dict[str, int] = {}
        self.taken: list[tuple[str, bytes]] = []  # bodies and seals somebody wrote down, in order
        self._fill()

    @property
    def signer(self) -> Signer:
        return self.workshop.signer

    def _fill(self) -> None:
        subject = subject_hash(b"k", "d", "1")
        self.write(Event.TOKEN_ISSUED, Event.TOKEN_ISSUED, subject=subject)  # goes, and its archive too
        self.pass_(YEAR)
        archive_ledger(self.workshop, self.folder, 90, "")
        self.pass_(9 * YEAR)
        self.archive()
        self.pass_(YEAR)
        self.archive()
        self.write(Event.JUDGEMENT_MADE, Event.JUDGEMENT_MADE, subject=subject)
        self.archive()
        with self.workshop.database.connect(autocommit=True) as connection:
            self.ids = {
                "old_gone": 1,
                "kept": connection.execute("select max(id) from lienthong.ledger_batches").fetchone()[0],  # type: ignore[index] # there is one
            }
        self._write_as_before()
        self.archive()
        index_ledger(self.workshop.database)
        with self.workshop.database.connect(autocommit=True) as connection:
            places: dict[int, int] = dict(connection.execute("select batch, begins from lienthong.ledger_places").fetchall())
            sizes = [row[0] for row in connection.execute("select size from lienthong.ledger_checkpoints order by size")]
            self.ids |= {"kept_at": places[self.ids["kept"]], "end": sizes[-2], "first_end": sizes[0]}
            self._cosign(connection)

    def _write_as_before(self) -> None:
        """Two batches with the seals of earlier versions, which hold no time."""
        for n, name in enumerate(("unnumbered", "old")):
            body = f'{{"v":1,"at":"2026-07-01T08:00:00+00:00","event":"steward:pair:judged","caller":"before {n}"}}'
            once = bytes(range(16)) if n else b""
            seal = once + self.signer.mark((b"\0" + once if n else b"") + body.encode())
            with self.workshop.database.connect() as connection:
                connection.execute("select lienthong.ledger_append(%s, %s)", (body, seal))
                row = connection.execute("select max(id) from lienthong.ledger_batches").fetchone()
            assert row is not None
            self.ids[name] = row[0]
            self.order()

    def _cosign(self, connection: Connection) -> None:
        note = newest_note(connection, self.signer)
        assert note is not None
        cosigner = Cosigner(make_key(), WITNESS)
        keep_cosignature(connection, note.size, cosigner.key.text, cosigner.sign(read(note.note), 1))
        keep_standing(connection, WitnessStanding(cosigner.key.text, note.size, self.workshop.clock(), "signed"))

    def write(self, *events: Event, subject: str | None = None) -> None:
        now = self.workshop.clock()
        entries = [
            Entry(now, event, f"caller {n}", dataset="d", subject=subject, details={"subjects": pack_subjects([])})
            for n, event in enumerate(events, 1)
        ]
        with self.workshop.database.connect() as connection:
            append_entries(connection, entries, self.signer)
        self.order()

    def order(self) -> None:
        with self.workshop.database.connect() as connection:
            last = connection.execute("select bodies, seal from lienthong.ledger_batches order by id desc limit 1").fetchone()
        assert last is not None
        self.taken.append((last[0], bytes(last[1])))
        Sequencer(self.workshop.database, self.signer, self.workshop.clock).catch_up()

    def archive(self) -> None:
        archive_ledger(self.workshop, self.folder, 90, "")
        Sequencer(self.workshop.database, self.signer, self.workshop.clock).catch_up()

    def pass_(self, time: timedelta) -> None:
        clock = self.workshop.clock
        assert isinstance(clock, TickingClock)
        clock.now += time


def make_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def read(note: str) -> Note:
    return read_note(note)


@pytest.fixture(scope="module")
def ledger(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with fresh_database(postgres_server) as url:
        yield Ledger(url, tmp_path_factory.mktemp("archive"))


def test_the_ledger_with_everything_in_it_is_whole(ledger: Ledger) -> None:
    with ledger.workshop.database.connect() as connection:
        verdict = verify_ledger(connection, ledger.signer, Demand(archives=ledger.folder))
        assert (verdict.ok, verdict.reason, verdict.foreign) == (True, "", ())
        assert verdict.gone == 2
        assert connection.execute("select count(*) from lienthong.ledger_archives where dropped_at is not null").fetchone() == (1,)


@pytest.mark.parametrize(("change", "reason"), [each for changes in MUTATIONS.values() for each in changes])
def test_a_change_is_found_and_named(ledger: Ledger, change: str, reason: str) -> None:
    with ledger.workshop.database.connect() as connection:
        connection.execute("set local search_path = lienthong")
        done = connection.execute(change.format(**ledger.ids).encode())
        assert done.rowcount > 0
        verdict = verify_ledger(connection, ledger.signer)
        connection.rollback()
    assert (verdict.ok, verdict.reason) == (False, reason)
    assert verdict.first_misfit is not None
    assert verdict.vi


def test_every_column_of_every_table_is_tried_or_proves_nothing(ledger: Ledger) -> None:
    with ledger.workshop.database.connect() as connection:
        columns = set(
            connection.execute(
                "select t.table_name, column_name from information_schema.columns join information_schema.tables as t using (table_schema, table_name)"
                " where table_schema = 'lienthong' and table_name like 'ledger\\_%' and table_type = 'BASE TABLE'"
                " and table_name <> 'ledger_verifications'"
            ).fetchall()
        )
    tried = {(table, column) for table, column in columns for change, _ in MUTATIONS.get(table, ()) if changes(change, table, column)}
    assert columns - tried - ELSEWHERE == set(PROVES_NOTHING)


def changes(statement: str, table: str, column: str) -> bool:
    """Whether a statement sets a column of a table, or puts a row in."""
    if statement == MOVED:
        return (table, column) == ("ledger_batches", "id")
    return statement.startswith(f"update {table} set {column} =") or (
        statement.startswith(f"insert into {table} (")
        and column in statement.partition("(")[2].partition(")")[0].split(", ")
        and column == "id"
    )


def test_a_copy_of_a_batch_whose_bodies_are_in_an_archive_never_enters_the_tree(ledger: Ledger) -> None:
    bodies, seal = ledger.taken[0]
    with ledger.workshop.database.connect(autocommit=True) as connection:
        assert connection.execute("select count(*) from lienthong.ledger_batches where seal = %s", (seal,)).fetchone() == (0,)
        before = connection.execute("select size from lienthong.ledger_edge").fetchone()
        connection.execute("insert into lienthong.ledger_batches (bodies, seal, at) values (%s, %s, lienthong.ledger_time(%s, %s))", (bodies, seal, bodies, seal))  # fmt: skip
    Sequencer(ledger.workshop.database, ledger.signer, ledger.workshop.clock).catch_up()
    with ledger.workshop.database.connect(autocommit=True) as connection:
        assert connection.execute("select size from lienthong.ledger_edge").fetchone() == before
    with ledger.workshop.database.connect() as connection:
        verdict = verify_ledger(connection, ledger.signer)
    assert (verdict.ok, len(verdict.foreign)) == (True, 1)


@pytest.mark.parametrize("is_put_back", [True, False])
def test_a_copy_of_an_archived_batch_that_was_taken_is_named(database_url: str, tmp_path: Path, *, is_put_back: bool) -> None:
    ledger = Ledger(database_url, tmp_path)
    bodies, seal = ledger.taken[0]
    with ledger.workshop.database.connect(autocommit=True) as connection:
        kept = connection.execute("delete from lienthong.ledger_gone where begins = 0 returning digest").fetchone()
        size = connection.execute("select size from lienthong.ledger_edge").fetchone()
        connection.execute("select lienthong.ledger_append(%s, %s)", (bodies, seal))
    assert kept is not None
    assert size is not None
    Sequencer(ledger.workshop.database, ledger.signer, ledger.workshop.clock).catch_up()
    with ledger.workshop.database.connect(autocommit=True) as connection:
        if is_put_back:
            connection.execute("insert into lienthong.ledger_gone (begins, digest) values (0, %s)", (kept[0],))
    with ledger.workshop.database.connect() as connection:
        verdict = verify_ledger(connection, ledger.signer)
    assert (verdict.reason, verdict.first_misfit) == (("copy", size[0]) if is_put_back else ("gone", 0))
