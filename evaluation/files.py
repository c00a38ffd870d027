"""Labelled files of strangers: CSV of any usual encoding and separator, Parquet, Excel; one file, or several registers of one population."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evaluation.sets import LabelledSet
from lienthong.masterdata.guess import guesses, with_dates
from lienthong.masterdata.kinds import KINDS

_SAMPLE = 64 * 1024  # bytes in which the separator shows itself


class Unreadable(Exception):
    """A file that cannot be measured, in words for the person who gave it."""


def labelled_files(paths: Sequence[Path], truth: str, columns: Sequence[str], source: str = "") -> tuple[LabelledSet, list[str]]:
    """(the records of all files as one set, a line for each column telling what it is taken for).

    `columns` are `name=kind`; none means guess. Each of several files is a register; in one file `source` names the column that tells.
    Raises Unreadable, naming what is missing and what is there.
    """
    frames = [read_texts(path) for path in paths]
    frame = pl.concat(
        [each.with_columns(pl.lit(path.name).alias("\0file")) for each, path in zip(frames, paths, strict=True)], how="diagonal"
    )
    missing = [name for name in (truth, source) if name and name not in frame.columns]
    if missing or not truth:
        raise Unreadable(f"{paths[0].name}: no column {missing or '(give --truth)'}; there are {frames[0].columns}")
    frame = frame.filter(pl.col(truth).is_not_null())
    if not frame.height:
        raise Unreadable(f"{paths[0].name}: no row has a value in {truth}")
    sources = frame[source].fill_null("").to_list() if source else frame["\0file"].to_list() if len(paths) > 1 else ()
    records = frame.drop({truth, "\0file", *([source] if source else [])})
    if columns:
        kinds, reasons = _stated(columns, records.columns), [f"  {each}" for each in columns]
        records = _dated(records, kinds)
    else:
        records = with_dates(records)
        found = guesses(records)
        kinds = {each.column: each.kind for each in found if each.kind is not None}
        reasons = [f"  {each.column}: {each.kind or 'left out'} ({each.reason})" for each in found]
    if not kinds:
        raise Unreadable(f"{paths[0].name}: no column to compare could be told by its heading or contents; give --column name=kind")
    name = " + ".join(path.name for path in paths)
    return LabelledSet(name, records.select(list(kinds)), frame[truth].to_list(), kinds, sources), reasons


def read_texts(path: Path) -> pl.DataFrame:
    """The file as columns of texts, trimmed, empty as null. Raises Unreadable."""
    try:
        frame = _read(path)
    except (OSError, pl.exceptions.PolarsError, ValueError) as problem:
        raise Unreadable(f"{path.name}: cannot be read: {problem}") from problem
    if not frame.height:
        raise Unreadable(f"{path.name}: headings without a single row" if frame.width else f"{path.name}: empty")
    texts = frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns}).with_columns(pl.all().cast(pl.String))
    trimmed = texts.with_columns(pl.all().str.strip_chars())
    return trimmed.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if path.suffix in (".xlsx", ".xls"):
        return pl.read_excel(path)
    text = _decoded(path.read_bytes())
    if not text.strip():
        return pl.DataFrame()
    first = text.split("\n", 1)[0]
    separator = max(",;\t|", key=first.count)
    if not any(sign in first for sign in ",;\t|"):
        separator = ","
    quoted = next(csv.reader(io.StringIO(text[:_SAMPLE]), delimiter=separator))
    return pl.read_csv(
        io.BytesIO(text.encode()), infer_schema=False, separator=separator, truncate_ragged_lines=True,
        null_values=["", "NA", "NULL", "null", "None", "nan", "NaN"],
        new_columns=[name.strip() or f"unnamed {n}" for n, name in enumerate(quoted)] if len(set(quoted)) == len(quoted) else None,
    )  # fmt: skip


def _decoded(data: bytes) -> str:
    """UTF-16 by its mark, UTF-8 if it is that, else Windows-1258 (Vietnamese) and at last Latin-1, which reads anything."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "cp1258"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _stated(columns: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    pairs = [tuple(each.rsplit("=", 1)) for each in columns]
    wrong = [each for each, pair in zip(columns, pairs, strict=True) if len(pair) != 2 or pair[0] not in there or pair[1] not in KINDS]
    if wrong:
        raise Unreadable(f"--column {wrong}: columns are {list(there)}, kinds are {sorted(KINDS)}")
    return {pair[0]: pair[1] for pair in pairs}


def _dated(records: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
    """Stated dates written year first; a stated column keeps its name and kind whatever the guess would be."""
    dates = [name for name, kind in kinds.items() if kind == "date"]
    read = with_dates(records.select(dates).rename({name: f"date of birth {n}" for n, name in enumerate(dates)}))
    return records.with_columns(read.rename({f"date of birth {n}": name for n, name in enumerate(dates)})) if dates else records
