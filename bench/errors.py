"""Every error code of the synthetic province: how often the platform repairs or flags it, and whether it ever makes a clean value wrong.

The registers are taken in as a province in service takes them in (connectors, standards, rules of the contracts); only then is the truth
read beside them, cell by cell, a register at a time. What a code leaves for nobody to see in the row alone is counted apart; why stands in
docs/explanation/errors.md. Addresses are published as they were typed: judged of them is the commune `admin_unit` reads as of the delivery,
strictly in the province, as its contracts have it read. Where a contract makes a commune of the text, that commune is judged.

    python -m bench.errors --persons 20000 --seed 11
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from bench.told import CELL, DATED, NAMED, Told, registers
from evaluation.province import take_in
from evaluation.throwaway import throwaway_databases
from lienthong.pipeline.judge import cleaning
from lienthong.standards import Standard, get_standard
from lienthong.standards.admin_units import MERGED, successors, units_by_code
from lienthong.standards.legacy_encodings import is_syllable

ISSUE = 6
SEED = 11  # 1 to 9 are for development
FROM_A_FEW = 20  # cells: a share of fewer says nothing
DELIVERED = date(2026, 7, 1)
PROVINCE = {"level": "commune", "within": "75", "strict": True}
ALWAYS = ("N1", "D2", "I3", "T1", "B3", "B4", "A2", "A5", "X2")
TELEX_LEFT = (
    r"(^| )[A-Za-z]*(?i:aa|ee|oo|dd|aw|ow|uw|[aeiouy](?:ch|ng|nh|[cmnpt])?[sfxj])[A-Za-z]*$"  # the last word as its keys were struck
)
OUTCOMES = {
    "register": pl.String,
    "row": pl.Int64,
    "property": pl.String,
    "code": pl.String,
    "outcome": pl.String,
    "is_decided": pl.Boolean,
}


def measure(persons: int = 20_000, seed: int = SEED) -> list[Row]:
    """Rows of the report: a share a code, and what was wrongly changed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lienthong-errors-") as name, throwaway_databases() as (database, police, home):
        folder = Path(name) / "province"
        made = [sys.executable, "-m", "demo.province", "--out", str(folder), "--persons", str(persons), "--seed", str(seed)]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        workshop = take_in(folder, database, police, home)
        damaged, clean, wrong = [], 0, 0
        for told in registers(workshop, folder):
            damaged.append(outcomes(told, folder))
            counted = clean_cells(told, folder)
            clean, wrong = clean + counted[0], wrong + counted[1]
    gigabytes = own_peak_mib() / 1024
    said = f"{persons:,} persons, seed {seed}"
    told_of_all = f"{wrong:,} of {clean:,} clean cells; {said}; {time.monotonic() - began:,.0f} s in all, {gigabytes:.1f} GiB"
    rows = rows_of(pl.concat(damaged), said)
    return [*rows, at_most("errors: clean values wrongly changed", 100 * wrong / max(1, clean), 0.01, "%", told_of_all, ISSUE)]


def rows_of(cells: pl.DataFrame, said: str) -> list[Row]:
    """What became of every damaged cell, code by code."""
    rows = []
    for code in sorted(cells["code"].unique()):
        these = cells.filter((pl.col("code") == code) & pl.col("outcome").is_not_null())
        decided = these.filter(pl.col("is_decided"))
        counts = dict(these.group_by("outcome").len().iter_rows())
        told = ", ".join(f"{counts.get(word, 0):,} {word}" for word in ("repaired", "flagged", "missed", "changed"))
        told += f" of {these.height:,}; {these.height - decided.height:,} not to be seen in the row; {said}"
        good = decided.filter(pl.col("outcome").is_in(["repaired", "flagged"])).height
        if decided.height >= FROM_A_FEW:
            measure_of = f"errors: {code} repaired or flagged where the row decides"
            rows.append(at_least(measure_of, 100 * good / decided.height, 99, "%", told, ISSUE))
        changed = 100 * counts.get("changed", 0) / max(1, these.height)
        rows.append(at_most(f"errors: {code} wrongly changed", changed, 0.01, "%", told, ISSUE))
    return rows


def outcomes(told: Told, folder: Path) -> pl.DataFrame:
    """Damaged cells as OUTCOMES, once for each code they carry: `outcome` null where the row waits for another reason."""
    errors = pl.read_parquet(folder / "truth" / "errors.parquet").filter(pl.col("register") == told.register)
    whole_rows = errors.filter(pl.col("field") == "").with_columns(pl.col("field").alias("property"))
    moved = errors.filter(pl.col("code") == "A1")
    errors = errors.filter((pl.col("code") != "A1") & pl.col("field").is_in(list(told.fields)))
    errors = errors.with_columns(pl.col("field").replace(dict(told.fields)).alias("property"))
    found = [_of_rows(told, whole_rows), _of_strays(told), _of_files(told, folder), _moved(told, moved)]
    if errors.height:
        cells = _with_rows(told, _gathered(errors), folder)
        spread = cells.explode("codes").rename({"codes": "code"}).unique([*CELL, "code"])
        decided = [part.with_columns(_decides(part["code"][0])) for part in spread.partition_by("code")]
        found += [part.select(list(OUTCOMES)) for part in decided]
    return pl.concat([frame.match_to_schema(OUTCOMES) for frame in found])


def _gathered(errors: pl.DataFrame) -> pl.DataFrame:
    return errors.group_by(CELL, maintain_order=True).agg(
        pl.col("code").alias("codes"),
        _end_of_chain("true", "written").first(),
        _end_of_chain("written", "true").last(),
        pl.len().alias("damages"),
    )


def _end_of_chain(name: str, other: str) -> pl.Expr:
    """Of damages one after another: what stood before the first (`true`), or after the last (`written`); their order is not kept."""
    ends = pl.col(name).filter(~pl.col(name).is_in(pl.col(other).implode()))
    return pl.when(ends.len() > 0).then(ends.first()).otherwise(pl.col(name).first()).alias(name)


def _with_rows(told: Told, cells: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Cells with what was published of them, what stands beside, and `outcome`."""
    beside = _beside(told, "citizen_id", "id_beside").join(
        _beside(told, "born_on", "born_beside"), on=["register", "row"], how="full", coalesce=True
    )
    flags = told.issues.group_by(CELL).agg(pl.lit(True).first().alias("is_flagged"))
    cells = cells.join(told.values.unique(CELL), on=CELL, how="left").join(flags, on=CELL, how="left")
    cells = cells.join(beside, on=["register", "row"], how="left")
    codes, names = _old_units(folder)
    cells = cells.with_columns(
        _tail(pl.col("written")).is_in(names.implode()).alias("names_an_old_unit"),
        pl.col("written").is_in(codes.implode()).alias("is_an_old_code"),
    )
    parts = [_judged(told, folder, part) for part in cells.partition_by("property")]
    return pl.concat(parts)


def _beside(told: Told, field: str, name: str) -> pl.DataFrame:
    """What is published of a field of each row's person; nothing where the register has no such field of theirs."""
    cells = told.values.filter(pl.col("property") == told.fields.get(field, "")).unique(["register", "row"])
    return cells.select("register", "row", pl.col("value").alias(name))


def _old_units(folder: Path) -> tuple[pl.Series, pl.Series]:
    """(codes of communes of before 1 July 2025, those communes as an address of that time ends)."""
    units = pl.read_csv(folder / "don-vi-hanh-chinh" / "units.csv", infer_schema=False).filter(pl.col("den_ngay").is_not_null())
    districts, provinces = (
        units.filter(pl.col("cap") == level).select(pl.col("ma").alias(f"ma_{name}"), pl.col("ten").alias(name)).unique(f"ma_{name}")
        for level, name in (("district", "huyen"), ("province", "tinh"))
    )
    old = units.filter(pl.col("cap") == "commune").join(districts, on="ma_huyen").join(provinces, on="ma_tinh")
    ends = old.select(pl.concat_str("ten", "huyen", pl.col("tinh").str.replace("Tỉnh", "tỉnh"), separator=", ")).to_series()
    return old["ma"].unique(), ends.unique()


def _tail(address: pl.Expr) -> pl.Expr:
    """The units an address names."""
    return address.str.replace(r"^Số [^,]*, ấp [^,]*, ", "")


def _judged(told: Told, folder: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """With `outcome`: repaired, flagged, missed (published as it was typed), changed (into something nobody said)."""
    name = cells["property"][0]
    if name in ("address", "seat") or (told.register in NAMED and name == "commune_code"):
        return _judged_by_unit(told, folder, cells)
    p = told.contract.property_named(name)
    standard, options = cleaning(p, accept_synthetic_ids=True)
    is_dated = p.as_of is not None
    right = cells["true"] if is_dated else standard.clean_column(cells["true"], options).values.cast(pl.String)
    even = _even if p.standard == "person_name" else _plain
    value, flagged = even(cells["value"]), cells["is_flagged"].fill_null(False)
    is_right, as_typed = value == even(right), value == even(cells["written"])
    outcome = (
        pl.when(is_right.fill_null(False)).then(pl.lit("repaired"))
        .when(_is_told_as_year(cells)).then(pl.lit("flagged"))
        .when(flagged).then(pl.lit("flagged"))
        .when(cells["is_held"].fill_null(True)).then(pl.lit(None, pl.String))
        .when(value.is_null() | as_typed.fill_null(False) | (value == even(_cleaned(standard, options, cells["written"], is_dated=is_dated)))).then(pl.lit("missed"))
        .otherwise(pl.lit("changed"))
    )  # fmt: skip
    return cells.with_columns(pl.select(outcome).to_series().alias("outcome"))


def _is_told_as_year(cells: pl.DataFrame) -> pl.Series:
    """A year alone, published as what it is: whoever reads it sees that no day is known. R1 has a field of its own for it."""
    year = cells["true"].str.slice(-4)
    only_year = cells["written"] == year
    return only_year & ((cells["value"] == year) | ((cells["register"] == "R1") & cells["value"].is_null())).fill_null(False)


def _cleaned(standard: Standard, options: Mapping[str, object], written: pl.Series, *, is_dated: bool) -> pl.Series:
    return written if is_dated else standard.clean_column(written, options).values.cast(pl.String)


def _judged_by_unit(told: Told, folder: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """Of an address: whether the commune read in it is the right one, in either time's code."""
    truth = pl.read_parquet(folder / "truth" / "addresses.parquet").select(pl.col("person").alias("entity"), "old_code", "new_code")
    moved = pl.read_parquet(folder / "truth" / "errors.parquet").filter((pl.col("register") == told.register) & (pl.col("code") == "A1"))
    moved = moved.select("register", "row").unique().with_columns(pl.lit(True).alias("has_moved"))
    cells = cells.join(truth.unique("entity"), on="entity", how="left", maintain_order="left")
    cells = cells.join(moved, on=["register", "row"], how="left", maintain_order="left")
    is_person = (cells["property"] != "seat") & _is_ours(cells["true"])
    if told.register in NAMED:
        code, flagged = cells["value"], cells["is_flagged"].fill_null(False)
        waits = cells["is_held"].fill_null(True) & ~flagged
    else:
        code, flagged = _read(cells["written"])
        waits = pl.repeat(False, cells.height, dtype=pl.Boolean, eager=True)
    is_right = (is_person & ((code == cells["old_code"]) | (code == cells["new_code"]))) | (~is_person & (code == _read(cells["true"])[0]))
    outcome = (
        pl.when(cells["has_moved"].fill_null(False) | (is_person & cells["old_code"].is_null()) | waits).then(pl.lit(None, pl.String))
        .when(is_right.fill_null(False)).then(pl.lit("repaired"))
        .when(flagged).then(pl.lit("flagged"))
        .when(code.is_null()).then(pl.lit("missed"))
        .otherwise(pl.lit("changed"))
    )  # fmt: skip
    return cells.with_columns(pl.select(outcome).to_series().alias("outcome")).drop("old_code", "new_code", "has_moved")


def _is_ours(addresses: pl.Series) -> pl.Series:
    """Whether an address lies in the province, by what the generator writes: the truth has no commune of those who live outside."""
    return addresses.str.contains(r"(Đồng Nai|Bình Phước)$") | ~addresses.str.replace(r"^Số [^,]*, ấp [^,]*, ", "").str.contains(",")


def _read(addresses: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(the commune's code read in each, whether something is said of it)."""
    days = pl.repeat(DELIVERED, len(addresses), dtype=pl.Date, eager=True)
    found = get_standard("admin_unit").clean_column(addresses, PROVINCE, days)
    return found.values.cast(pl.String), found.problems.is_not_null()


def _moved(told: Told, errors: pl.DataFrame) -> pl.DataFrame:
    """A1: the register names the commune of before the move. Nothing in the row says so; it must be read as what is written, no other."""
    name = told.fields.get("address")
    if name is None or not errors.height:
        return pl.DataFrame(schema=OUTCOMES)
    cells = errors.unique(["register", "row"]).select("register", "row", pl.lit(name).alias("property"), "written")
    cells = cells.join(told.values.unique(CELL), on=CELL, how="inner").filter(~pl.col("is_held"))
    cells = cells if told.register in NAMED else cells.filter(_is_ours(cells["value"]).fill_null(False))
    flags = told.issues.select(CELL).unique().with_columns(pl.lit(True).alias("is_flagged"))
    said = cells.join(flags, on=CELL, how="left", maintain_order="left")["is_flagged"].fill_null(False)
    code, flagged = (cells["value"], said) if told.register in NAMED else _read(cells["value"])
    written = pl.Series([_codes_of_both_times(each) for each in cells["written"].to_list()], dtype=pl.List(pl.String))
    cells = cells.with_columns(code.alias("read"), flagged.alias("flagged"), written.alias("codes"))
    is_as_written = pl.col("read").is_in(pl.col("codes"))
    outcome = pl.when(is_as_written).then(pl.lit("missed")).when(pl.col("flagged") | pl.col("read").is_null()).then(pl.lit("flagged"))
    return cells.select(
        *CELL, pl.lit("A1").alias("code"), outcome.otherwise(pl.lit("changed")).alias("outcome"), pl.lit(False).alias("is_decided")
    )  # fmt: skip


def _codes_of_both_times(code: str) -> list[str]:
    old = [unit for unit in units_by_code().get(code, []) if unit.valid_to is not None]
    return [code, *(new.code for unit in old for new in successors(unit, MERGED))]


def _of_rows(told: Told, rows: pl.DataFrame) -> pl.DataFrame:
    """X1: a row typed twice is seen where its key is the other's; a register that numbers each row anew leaves it to matching.

    X2: a row out of order must wait. A row of X1 that waits for another reason is not counted.
    """
    held = told.values.select("register", "row", "is_held").unique(["register", "row"])
    twice = told.issues.filter(pl.col("issue").str.starts_with("duplicate")).select("register", "row").unique()
    found = rows.join(held, on=["register", "row"], how="inner").unique(["register", "row", "code"])
    found = found.join(twice.with_columns(pl.lit(True).alias("is_twice")), on=["register", "row"], how="left")
    is_twice, is_held, is_x2 = pl.col("is_twice").fill_null(False), pl.col("is_held"), pl.col("code") == "X2"
    outcome = pl.when(is_twice | (is_x2 & is_held)).then(pl.lit("flagged")).when(~is_held).then(pl.lit("missed"))
    return found.select(*CELL, "code", outcome.alias("outcome"), (is_x2 | (pl.col("register") == "R2")).alias("is_decided"))


def _of_strays(told: Told) -> pl.DataFrame:
    """X2 again: totals and headings among the data, which are nobody's rows. Those the connector left out are not counted."""
    published, waiting = told.strays
    outcome = ["missed"] * published + ["flagged"] * waiting
    return pl.DataFrame(
        {
            "register": [told.register] * len(outcome),
            "row": pl.Series([-1 - n for n in range(len(outcome))], dtype=pl.Int64),
            "property": [""] * len(outcome),
            "code": ["X2"] * len(outcome),
            "outcome": outcome,
            "is_decided": [True] * len(outcome),
        },
        schema=OUTCOMES,
    )


def _of_files(told: Told, folder: Path) -> pl.DataFrame:
    """B1 by file: every name of R4 came in TCVN3; right where the register has the true name."""
    if told.register != "R4":
        return pl.DataFrame(schema=OUTCOMES)
    cells = _clean(told, folder, ("full_name",))
    outcome = pl.when(_even(cells["value"]) == _even(cells["true"])).then(pl.lit("repaired")).otherwise(pl.lit("changed"))
    return cells.select(
        *CELL, pl.lit("B1").alias("code"), pl.select(outcome).to_series().alias("outcome"), pl.lit(True).alias("is_decided")
    )


def _decides(code: str) -> pl.Expr:
    """Of which cells of a code the row alone tells that something is wrong (docs/explanation/errors.md says why, code by code).

    A cell with two errors is told by neither: what repairs the one is no longer the true value.
    """
    written, true = pl.col("written"), pl.col("true")
    rules: dict[str, pl.Expr] = {
        "N7": written.str.contains(r"\("),
        "N8": written.str.to_uppercase() == written,
        "N4": written.str.contains(TELEX_LEFT),
        "D4": pl.col("id_beside").str.len_chars() == 12,
        "I4": (written.str.slice(4, 2) != true.str.slice(4, 2)) & (written.str.len_chars() == 12) & pl.col("born_beside").is_not_null(),
        "A3": ~pl.col("names_an_old_unit"),
        "A4": ~((pl.col("register") == "R1") & pl.col("is_an_old_code")),  # R1 keeps the units of before: there the code is another's
        **dict.fromkeys(("B1", "B2"), written.map_elements(_has_no_syllable, return_dtype=pl.Boolean)),  # Thò Anh is a name as it stands
        **dict.fromkeys(ALWAYS, pl.lit(True)),
    }
    return ((pl.col("damages") == 1) & rules.get(code, pl.lit(False)).fill_null(False)).alias("is_decided")


def _has_no_syllable(name: str) -> bool:
    """Whether a word with foreign letters is no syllable of Vietnamese: only then does a name say that it came in an old font."""
    return any(not word.isascii() and not is_syllable(word) for word in name.split())


def clean_cells(told: Told, folder: Path) -> tuple[int, int]:
    """(cells of persons without an error, published and not flagged; how many of them do not say what is true)."""
    if told.register not in DATED:
        return 0, 0
    cells = _clean(told, folder, ("full_name", "born_on", "citizen_id", "phone"))
    names = pl.col("property") == "full_name"
    wrong_names = cells.filter(names).filter(_even(cells.filter(names)["value"]) != _even(cells.filter(names)["true"]))
    return cells.height, wrong_names.height + cells.filter(~names & (pl.col("value") != pl.col("true"))).height


def _clean(told: Told, folder: Path, names: tuple[str, ...]) -> pl.DataFrame:
    """Published cells with neither an error nor an issue, and the truth beside them."""
    persons = pl.read_parquet(folder / "truth" / "persons.parquet").select(
        pl.col("person").alias("entity"), pl.col("name").alias("full_name"), pl.col("born_on").cast(pl.String), "citizen_id", "phone"
    )
    true = persons.unique("entity").unpivot(names, index="entity", variable_name="property", value_name="true")
    errors = pl.read_parquet(folder / "truth" / "errors.parquet").filter(pl.col("register") == told.register)
    errors = errors.select("register", "row", pl.col("field").replace({"name": "full_name"}).alias("property"))
    cells = told.values.filter(~pl.col("is_held") & pl.col("property").is_in(names))
    cells = (
        cells.join(errors, on=CELL, how="anti").join(told.issues, on=CELL, how="anti").join(true, on=["entity", "property"], how="inner")
    )
    return cells.filter(pl.col("true").is_not_null() & (pl.col("true") != ""))


def _plain(values: pl.Series) -> pl.Series:
    return values.str.normalize("NFC").str.strip_chars()


def _even(names: pl.Series) -> pl.Series:
    """Names as people call them the same: case, spaces, Unicode form, and on which of two vowels a tone is written, left out."""
    distinct = names.unique().drop_nulls()
    return names.replace_strict(distinct, pl.Series([_even_one(name) for name in distinct], dtype=pl.String), default=None)


@cache  # the same names stand in many registers: a third of the judging (measured)
def _even_one(name: str) -> str:
    words = []
    for word in unicodedata.normalize("NFD", name.casefold()).replace("\u00a0", " ").replace("\u200b", "").split():
        tones = sorted(letter for letter in word if letter in "\u0300\u0301\u0303\u0309\u0323")
        words.append("".join(letter for letter in word if letter not in "\u0300\u0301\u0303\u0309\u0323") + "".join(tones))
    return " ".join(words)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--persons", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=SEED)
    given = arguments.parse_args()
    for row in measure(given.persons, given.seed):
        sys.stdout.write(f"{'✓' if row.ok else '✗'} {row.measure}: {row.value:g} {row.unit} ({row.target}) – {row.reference}\n")


if __name__ == "__main__":
    main()
