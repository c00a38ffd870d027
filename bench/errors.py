"""Every error code of the synthetic province: how often the platform repairs or flags it, and whether it ever makes a clean value wrong.

The registers are taken in as a province in service takes them in (connectors, standards, rules of the contracts); only then is the truth
read beside them, cell by cell. What a code leaves for nobody to see in the row alone is counted apart; why stands in docs/explanation/errors.md.

    python -m bench.errors --persons 20000 --seed 11
"""

from __future__ import annotations

import argparse
import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from psycopg import sql

from bench.report import Row, at_least, at_most
from demo.province import generate
from evaluation.province import take_in
from evaluation.throwaway import throwaway_databases
from lienthong.contracts import Contract
from lienthong.pipeline import Workshop
from lienthong.pipeline.judge import cleaning
from lienthong.standards import get_standard
from lienthong.store import Connection, landing
from lienthong.store.tables import current

REGISTERS = {
    "population.persons": "R1", "health-insurance.cards": "R2", "poor-households.members": "R4", "land.holders": "R6", "enterprises.register": "R7",
}  # fmt: skip
IN_ORDER = {"R1": "cong_dan.nhan_khau", "R7": "doanh-nghiep.json"}  # no file reaches us: rows in their order
ISSUE = 6
SEED = 11  # 1 to 9 are for development
FIELDS = {"name": "full_name"}  # the truth's word → the property's
CELL = ["register", "row", "property"]
FROM_A_FEW = 20  # cells: a share of fewer says nothing
ALWAYS = ("N1", "D2", "I3", "T1", "B3", "B4", "A2", "A5")
TELEX_LEFT = (
    r"(^| )[A-Za-z]*(?i:aa|ee|oo|dd|aw|ow|uw|[aeiouy](?:ch|ng|nh|[cmnpt])?[sfxj])[A-Za-z]*$"  # the last word as its keys were struck
)


def measure(persons: int = 20_000, seed: int = SEED) -> list[Row]:
    """Rows of the report: a share a code, and what was wrongly changed."""
    with tempfile.TemporaryDirectory(prefix="lienthong-errors-") as name, throwaway_databases() as (database, police, home):
        folder = Path(name) / "province"
        generate(folder, persons, seed)
        workshop = take_in(folder, database, police, home)
        values, issues = _told(workshop, folder)
        return rows_of(workshop, folder, values, issues, f"{persons:,} persons, seed {seed}")


def rows_of(workshop: Workshop, folder: Path, values: pl.DataFrame, issues: pl.DataFrame, said: str) -> list[Row]:
    """What became of every damaged cell, code by code, and of every clean one."""
    cells = _damaged(workshop, folder, values, issues)
    rows = []
    for code in sorted(cells["code"].unique()):
        these = cells.filter((pl.col("code") == code) & pl.col("outcome").is_not_null())
        decided = these.filter(pl.col("is_decided"))
        counts = dict(these.group_by("outcome").len().iter_rows())
        told = ", ".join(f"{counts.get(word, 0):,} {word}" for word in ("repaired", "flagged", "missed", "changed"))
        told += f" of {these.height:,}; {these.height - decided.height:,} not to be seen in the row; {said}"
        good = decided.filter(pl.col("outcome").is_in(["repaired", "flagged"])).height
        if decided.height >= FROM_A_FEW:
            rows.append(
                at_least(f"errors: {code} repaired or flagged where the row decides", 100 * good / decided.height, 99, "%", told, ISSUE)
            )
        changed = 100 * counts.get("changed", 0) / max(1, these.height)
        rows.append(at_most(f"errors: {code} wrongly changed", changed, 0.01, "%", told, ISSUE))
    clean, wrong = _clean_cells(folder, values, issues)
    rows.append(
        at_most(
            "errors: clean values wrongly changed",
            100 * wrong / max(1, clean),
            0.01,
            "%",
            f"{wrong:,} of {clean:,} clean cells; {said}",
            ISSUE,
        )
    )
    return rows


def _told(workshop: Workshop, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(cells: register, row, property, value as published, whether the row waits; issues: register, row, property, code)."""
    links = pl.read_parquet(folder / "truth" / "links.parquet").with_columns(pl.col("file").str.split("/").list.last())
    values, issues = [], []
    with workshop.database.connect() as connection:
        for dataset, register in REGISTERS.items():
            known = links.filter(pl.col("register") == register).unique(["file", "file_row"])
            rows = _landed(connection, dataset, register).join(known, on=["file", "file_row"], how="inner")
            values.append(_values(connection, workshop.contracts[dataset], rows))
            issues.append(_issues(connection, workshop.contracts[dataset], rows))
    return pl.concat(values), pl.concat(issues)


def _landed(connection: Connection, dataset: str, register: str) -> pl.DataFrame:
    """Where every landed row stood: run, row_no, file, file_row."""
    runs = [run for (run,) in connection.execute("select run_id from runs where dataset_id = %s order by run_id", (dataset,)).fetchall()]
    frames = []
    for run in runs:
        files = {file.file_no: file.uri.rsplit("/", 1)[-1] for file in landing.files(connection, run)}
        for batch in landing.batches(connection, run):
            numbers = pl.Series(range(batch.first_row_no, batch.last_row_no + 1), dtype=pl.Int64)
            file_rows = numbers if register in IN_ORDER else pl.Series(batch.source_rows, dtype=pl.Int64)
            file = pl.lit(IN_ORDER.get(register, files[batch.file_no])).alias("file")
            frames.append(pl.DataFrame({"row_no": numbers, "file_row": file_rows}).with_columns(pl.lit(run, pl.Int64).alias("run"), file))
    return pl.concat(frames)


def _values(connection: Connection, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Every published cell as text; rows that wait have none."""
    names = [p.name for p in contract.properties]
    columns = sql.SQL(", ").join(sql.SQL("c.{}::text").format(sql.Identifier(name)) for name in names)
    statement = sql.SQL("select c._row, v.run_id, {} from {} c join versions v on v.dataset_id = {} and v.version = c._version")
    found = connection.execute(statement.format(columns, current(contract.id), sql.Literal(contract.id))).fetchall()
    schema = {"row_no": pl.Int64, "run": pl.Int64, **dict.fromkeys(names, pl.String)}
    published = pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.lit(False).alias("is_held"))
    whole = rows.select("register", "row", "entity", "run", "row_no").join(published, on=["run", "row_no"], how="left")
    whole = whole.with_columns(pl.col("is_held").fill_null(True)).drop("run", "row_no")
    return whole.unpivot(names, index=["register", "row", "entity", "is_held"], variable_name="property", value_name="value")


def _issues(connection: Connection, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Issues by cell; one of a rule across columns stands at each of them, one of the whole row at ''."""
    found = connection.execute(
        "select run_id, row_no, column_name, rule, code from issues where dataset_id = %s", (contract.id,)
    ).fetchall()
    across = {
        rule.id: [str(rule.parameters[part]) for part in ("id", "with", "left", "right") if part in rule.parameters]
        for rule in contract.all_rules
    }
    told = [
        (run, row_no, name, code)
        for run, row_no, column, rule, code in found
        for name in ([column] if column is not None else [*across.get(rule, []), ""])
    ]
    schema = {"run": pl.Int64, "row_no": pl.Int64, "property": pl.String, "issue": pl.String}
    issues = pl.DataFrame(told, schema=schema, orient="row")
    return issues.join(rows.select("register", "row", "run", "row_no"), on=["run", "row_no"], how="inner").drop("run", "row_no")


def _damaged(workshop: Workshop, folder: Path, values: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    """Damaged cells, once for each code they carry: `outcome` (null: the row waits for another reason), `is_decided` by the row alone."""
    errors = pl.read_parquet(folder / "truth" / "errors.parquet").with_columns(pl.col("field").replace(FIELDS).alias("property"))
    errors = errors.filter(pl.col("register").is_in(list(REGISTERS.values())) & pl.col("code").is_in(["A1", "X2"]).not_())
    whole_rows, errors = errors.filter(pl.col("property") == ""), errors.filter(pl.col("property") != "")
    cells = errors.group_by(CELL, maintain_order=True).agg(
        pl.col("code").alias("codes"),
        _end_of_chain("true", "written").first(),
        _end_of_chain("written", "true").last(),
        pl.len().alias("damages"),
    )
    cells = (
        cells.join(values, on=CELL, how="left")
        .join(_flags(issues), on=CELL, how="left")
        .join(_beside(values), on=["register", "row"], how="left")
    )
    codes, names = _old_units(folder)
    cells = cells.with_columns(
        _tail(pl.col("written")).is_in(names.implode()).alias("names_an_old_unit"),
        pl.col("written").is_in(codes.implode()).alias("is_an_old_code"),
    )
    cells = pl.concat([_judged(workshop, folder, part) for part in cells.partition_by("register", "property")])
    spread = cells.explode("codes").rename({"codes": "code"}).unique([*CELL, "code"])
    decided = [part.with_columns(_decides(part["code"][0])) for part in spread.partition_by("code")]
    return pl.concat([*(part.select(*CELL, "code", "outcome", "is_decided") for part in decided), _twice(whole_rows, values, issues)])


def _end_of_chain(name: str, other: str) -> pl.Expr:
    """Of damages one after another: what stood before the first (`true`), or after the last (`written`); their order is not kept."""
    ends = pl.col(name).filter(~pl.col(name).is_in(pl.col(other).implode()))
    return pl.when(ends.len() > 0).then(ends.first()).otherwise(pl.col(name).first()).alias(name)


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


def _flags(issues: pl.DataFrame) -> pl.DataFrame:
    return issues.group_by(CELL).agg(pl.lit(True).first().alias("is_flagged"))


def _beside(values: pl.DataFrame) -> pl.DataFrame:
    """What stands beside a cell in its row, as published: the number and the date that can disagree."""
    wanted = values.filter(pl.col("property").is_in(["citizen_id", "born_on", "sex"])).unique(CELL)
    return wanted.pivot("property", index=["register", "row"], values="value").rename(
        {"citizen_id": "id_beside", "born_on": "born_beside", "sex": "sex_beside"}
    )


def _judged(workshop: Workshop, folder: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """With `outcome`: repaired, flagged, missed (published as it was typed), changed (into something nobody said)."""
    dataset = next(name for name, register in REGISTERS.items() if register == cells["register"][0])
    name = cells["property"][0]
    if name in ("address", "seat"):
        return _judged_by_unit(folder, cells)
    p = next((p for p in workshop.contracts[dataset].properties if p.name == name), None)
    if p is None:
        return cells.with_columns(pl.lit(None, pl.String).alias("outcome"))
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
        .when(value.is_null() | as_typed.fill_null(False) | (value == even(_cleaned(standard, options, cells["written"], is_dated)))).then(pl.lit("missed"))
        .otherwise(pl.lit("changed"))
    )  # fmt: skip
    return cells.with_columns(pl.select(outcome).to_series().alias("outcome"))


def _is_told_as_year(cells: pl.DataFrame) -> pl.Series:
    """A year alone, published as what it is: whoever reads it sees that no day is known. R1 has a field of its own for it."""
    year = cells["true"].str.slice(-4)
    only_year = cells["written"] == year
    return only_year & ((cells["value"] == year) | ((cells["register"] == "R1") & cells["value"].is_null())).fill_null(False)


def _cleaned(standard: object, options: Mapping[str, object], written: pl.Series, is_dated: bool) -> pl.Series:
    return written if is_dated else standard.clean_column(written, options).values.cast(pl.String)  # type: ignore[attr-defined] # a Standard


def _judged_by_unit(folder: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """Of an address, which is published as it was typed: whether the commune read in it is the right one, in either time's code."""
    truth = pl.read_parquet(folder / "truth" / "addresses.parquet").select(pl.col("person").alias("entity"), "old_code", "new_code")
    moved = pl.read_parquet(folder / "truth" / "errors.parquet").filter(pl.col("code").is_in(["A1", "A4"]))
    moved = moved.select("register", "row").unique().with_columns(pl.lit(True).alias("has_moved"))
    cells = cells.join(truth.unique("entity"), on="entity", how="left", maintain_order="left")
    cells = cells.join(moved, on=["register", "row"], how="left", maintain_order="left")
    standard = get_standard("admin_unit")
    read, named = (standard.clean_column(cells[name], {"level": "commune"}) for name in ("written", "true"))
    code, right = read.values.cast(pl.String), named.values.cast(pl.String)
    is_person = cells["property"] == "address"
    is_right = (is_person & ((code == cells["old_code"]) | (code == cells["new_code"]))) | (~is_person & (code == right))
    outcome = (
        pl.when(cells["has_moved"].fill_null(False) | (is_person & cells["old_code"].is_null())).then(pl.lit(None, pl.String))
        .when(is_right.fill_null(False)).then(pl.lit("repaired"))
        .when(read.problems.is_not_null()).then(pl.lit("flagged"))
        .otherwise(pl.lit("missed"))
    )  # fmt: skip
    return cells.with_columns(pl.select(outcome).to_series().alias("outcome")).drop("old_code", "new_code", "has_moved")


def _twice(rows: pl.DataFrame, values: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    """X1: a row typed twice is seen where its key is the other's; a register that numbers each row anew leaves it to matching."""
    held = values.select("register", "row", "is_held").unique(["register", "row"])
    flagged = (
        issues.filter(pl.col("issue").str.starts_with("duplicate"))
        .select("register", "row")
        .unique()
        .with_columns(pl.lit(True).alias("is_flagged"))
    )
    found = (
        rows.join(held, on=["register", "row"], how="inner").join(flagged, on=["register", "row"], how="left").unique(["register", "row"])
    )
    by_key = pl.col("register").is_in(["R2"])
    return found.select(
        *CELL, "code", pl.when(pl.col("is_flagged").fill_null(False)).then(pl.lit("flagged")).otherwise(pl.lit("missed")).alias("outcome"),
        by_key.alias("is_decided"),
    )  # fmt: skip


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
        "A4": ~(
            (pl.col("register") == "R1") & pl.col("is_an_old_code")
        ),  # R1 keeps the units of before: there the code is another commune's
        **dict.fromkeys(ALWAYS, pl.lit(True)),
    }
    return ((pl.col("damages") == 1) & rules.get(code, pl.lit(False)).fill_null(False)).alias("is_decided")


def _clean_cells(folder: Path, values: pl.DataFrame, issues: pl.DataFrame) -> tuple[int, int]:
    """(cells of persons without an error, published and not flagged; how many of them do not say what is true)."""
    persons = pl.read_parquet(folder / "truth" / "persons.parquet").select(
        pl.col("person").alias("entity"), pl.col("name").alias("full_name"), pl.col("born_on").cast(pl.String), "citizen_id", "phone"
    )
    true = persons.unique("entity").unpivot(
        ["full_name", "born_on", "citizen_id", "phone"], index="entity", variable_name="property", value_name="true"
    )
    errors = pl.read_parquet(folder / "truth" / "errors.parquet").select(
        "register", "row", pl.col("field").replace(FIELDS).alias("property")
    )
    cells = values.filter(~pl.col("is_held") & pl.col("register").is_in(["R1", "R2", "R4", "R6"]))
    cells = cells.join(errors, on=CELL, how="anti").join(issues, on=CELL, how="anti").join(true, on=["entity", "property"], how="inner")
    cells = cells.filter(pl.col("true").is_not_null() & (pl.col("true") != ""))
    names = pl.col("property") == "full_name"
    wrong = pl.concat([
        cells.filter(names).filter(_even(cells.filter(names)["value"]) != _even(cells.filter(names)["true"])),
        cells.filter(~names).filter(pl.col("value") != pl.col("true")),
    ])  # fmt: skip
    return cells.height, wrong.height


def _plain(values: pl.Series) -> pl.Series:
    return values.str.normalize("NFC").str.strip_chars()


def _even(names: pl.Series) -> pl.Series:
    """Names as people call them the same: case, spaces, Unicode form, and on which of two vowels a tone is written, left out."""
    distinct = names.unique().drop_nulls()
    return names.replace_strict(distinct, pl.Series([_even_one(name) for name in distinct], dtype=pl.String), default=None)


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
        print(f"{'✓' if row.ok else '✗'} {row.measure}: {row.value:g} {row.unit} ({row.target}) – {row.reference}")


if __name__ == "__main__":
    main()
