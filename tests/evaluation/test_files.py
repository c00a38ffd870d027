"""Files of strangers: read as they are, or refused in words."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from evaluation.files import Unreadable, labelled_files
from evaluation.splink_way import splink_clusters

PEOPLE = "rec_id,First Name,surname,dob,cluster\n1,John,Smith,14/3/1980,a\n2,Jon,Smith,14/3/1980,a\n3,Mary,Brown,2/1/1975,b\n"


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        PEOPLE.encode(),
        b"\xef\xbb\xbf" + PEOPLE.encode(),
        PEOPLE.encode("utf-16"),
        PEOPLE.replace(",", ";").encode(),
        PEOPLE.replace("Mary", "Mariée").encode("latin-1"),
    ],
)
def test_any_usual_encoding_and_separator_is_read(tmp_path: Path, data: bytes) -> None:
    given, reasons = labelled_files([written(tmp_path / "people.csv", data)], "cluster", [])
    assert given.kinds == {"First Name": "given_name", "surname": "surname", "dob": "date"}
    assert given.records["dob"].to_list() == ["1980-03-14", "1980-03-14", "1975-01-02"]
    assert list(given.truth) == ["a", "a", "b"]
    assert any("rec_id: left out" in line for line in reasons)


def test_two_files_are_two_registers(tmp_path: Path) -> None:
    one, two = written(tmp_path / "a.csv", PEOPLE), written(tmp_path / "b.csv", PEOPLE)
    given, _ = labelled_files([one, two], "cluster", [])
    assert list(given.sources) == ["a.csv"] * 3 + ["b.csv"] * 3


def test_stated_kinds_are_taken_as_stated(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", PEOPLE)
    given, _ = labelled_files([path], "cluster", ["First Name=text", "dob=date"])
    assert given.kinds == {"First Name": "text", "dob": "date"}
    assert given.records["dob"].to_list()[0] == "1980-03-14"


@pytest.mark.parametrize(
    ("text", "truth", "columns", "says"),
    [
        ("", "cluster", [], "empty"),
        ("name,dob,cluster\n", "cluster", [], "without a single row"),
        (PEOPLE, "person", [], "no column"),
        (PEOPLE, "", [], "--truth"),
        (PEOPLE, "cluster", ["nobody=text"], "nobody"),
        (PEOPLE, "cluster", ["surname=name"], "kinds are"),
        ("id,cluster\n1,a\n2,a\n", "cluster", [], "give --column"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(tmp_path: Path, text: str, truth: str, columns: list[str], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        labelled_files([written(tmp_path / "a.csv", text)], truth, columns)


def test_splink_is_shown_whatever_the_headings_are_called_and_whatever_it_cannot_learn_from(tmp_path: Path) -> None:
    rows = [
        f"{given},{family},{by},{n}"
        for n, (given, family, by) in enumerate(product(("ann", "bob", "kim"), ("lee", "roy", "zed"), (1950, 1961)))
    ]
    text = "\n".join(["by,order,group,cluster", *(line for row in rows for line in (row, row)), "ann,,,x", "bob,,,y"]) + "\n"
    given, _ = labelled_files([written(tmp_path / "a.csv", text)], "cluster", ["by=given_name", "order=surname", "group=year"])
    documented, best, _ = splink_clusters(given)
    assert 0 <= documented.f1 <= best.f1 <= 1
