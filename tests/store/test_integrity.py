"""`check` finds what is broken behind the platform's back, and nothing where all is well."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop, run_dataset
from lienthong.store import append_entries, integrity, take_web_role
from tests.factories import make_contract, make_workshop, write_people


@pytest.fixture
def workshop(database_url: str, tmp_path: Path) -> Workshop:
    file = write_people(tmp_path / "people.csv", [("P1", "An", "1980-03-07", 1), ("P2", "Bình", "1980-03-07", 2), ("P3", "", "", 0)])
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    write_people(file, [("P1", "An", "1980-03-07", 5), ("P4", "Chi", "1980-03-07", 2)])
    run_dataset(workshop, contract)
    return workshop


def broken(workshop: Workshop) -> set[str]:
    with workshop.database.connect() as connection:
        return {finding.promise for finding in integrity.check_datasets(connection) if finding.found}


def test_a_sound_store_breaks_no_promise(workshop: Workshop) -> None:
    assert broken(workshop) == set()


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        ("update data.test_people_history set _version_to = null, _valid_to = null", "overlaps"),
        ("update data.test_people set _version = 9 where _key = 'P1'", "beyond_version"),
        ("update lienthong.runs set rows_in = rows_in + 1", "unsettled_runs"),
        ("delete from data.test_people where _key = 'P1'", "version_counts"),
        ("delete from data.test_people_changes where key = 'P2'", "unlisted_changes"),
    ],
)
def test_damage_is_found(workshop: Workshop, damage: str, promise: str) -> None:
    with workshop.database.connect() as connection:
        connection.execute(damage)
    assert promise in broken(workshop)


def test_the_serving_role_reads_and_appends_and_changes_nothing(workshop: Workshop) -> None:
    entry = Entry(workshop.clock(), Event.ANSWER_PAGE, "VN/GOV/H10.12/x")
    with workshop.database.connect() as connection:
        take_web_role(connection)
        connection.execute("select full_name from data.test_people").fetchall()
        append_entries(connection, [entry], workshop.signer)
        connection.commit()
        for forbidden in (
            "update lienthong.ledger_batches set bodies = ''",
            "delete from lienthong.ledger_batches",
            "insert into lienthong.ledger_batches (bodies) values ('')",
            "update lienthong.ledger_edge set size = 0",
            "insert into lienthong.ledger_checkpoints values (99, 0, '{}', '', now(), '', '')",
            "update lienthong.ledger_tiles set hashes = ''",
            "delete from lienthong.ledger_refused",
            "update data.test_people set full_name = ''",
            "select raw from lienthong.quarantine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)  # a test's own statements
            connection.rollback()
