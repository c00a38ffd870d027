"""Every hostile file is a clear refusal or a table with what is wrong set aside: nothing crashes, hangs, reaches out or grows."""

from __future__ import annotations

import resource
import socket
from pathlib import Path

import pytest

from lienthong.connectors import ReadContext, csv_file, excel_ods, json_file, json_records, read
from lienthong.errors import SourceError
from tests.connectors.make_hostile import Case, cases
from tests.connectors.reading import make_source

MOST_GROWTH = 700 * 1024  # KiB of this process, over all files together


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return list(cases(tmp_path_factory.mktemp("made")))


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a file made its reader reach for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(json_records, "MAX_ITEM_BYTES", 1 << 20)  # limits a small file can pass
    monkeypatch.setattr(json_file, "MAX_ITEM_BYTES", 1 << 20)
    monkeypatch.setattr(csv_file, "MAX_LINE_BYTES", 2 << 20)
    monkeypatch.setattr(excel_ods, "MAX_ROWS", 1 << 16)


def outcome(case: Case, folder: Path) -> str:
    """`passed`, or the words of the refusal."""
    main = ""
    for ending, data in case.files.items():
        (folder / f"x{ending}").write_bytes(data)
        main = main or ending
    try:
        for batch in read(make_source(case.connector, folder / f"x{main}", **case.options), ReadContext(batch_rows=1000)):
            assert batch.table.num_rows == len(batch.source_rows)
    except SourceError as error:
        return str(error)
    finally:
        for ending in case.files:
            (folder / f"x{ending}").unlink()
    return "passed"


@pytest.mark.usefixtures("guarded")
def test_every_hostile_file_is_refused_in_words_or_set_aside_row_by_row(corpus: list[Case], tmp_path: Path) -> None:
    assert len(corpus) >= 200
    assert len({case.name for case in corpus}) == len(corpus)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong: list[str] = []
    for case in corpus:
        try:
            said = outcome(case, tmp_path)
        except Exception as error:  # all of them are told at once
            wrong.append(f"{case.name}: {type(error).__name__}: {str(error)[:200]}")
            continue
        if said == "passed" and not case.may_pass:
            wrong.append(f"{case.name}: was read")
        elif said != "passed" and not ("`" in said and "/" in said):
            wrong.append(f"{case.name}: says neither where nor in both languages: {said[:200]}")
        elif "root:" in said:
            wrong.append(f"{case.name}: tells what a file of ours holds")
    assert not wrong, "\n".join(wrong)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH
