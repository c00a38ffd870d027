"""The generated province taken in as the platform takes it in, and who each record truly is.

Agencies' systems → connectors → standards → contracts' rules → published rows → records of the entity: the same functions as a
province in service, over a PostgreSQL of its own that is thrown away. The truth is joined by file and row, after everything is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from psycopg import sql

from demo.province import load_officials, load_population
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.pipeline import apply_contract, reading_order, run_dataset
from lienthong.pipeline.match_all import read_register_rows
from lienthong.pipeline.workshop import Workshop
from lienthong.settings import Settings
from lienthong.store import Database, landing
from lienthong.store.tables import current
from lienthong.web.services import make_workshop

ROOT = Path(__file__).parents[1]
REGISTERS = {  # by the name of the records
    "population.persons": "R1", "health-insurance.cards": "R2", "social-insurance.participants": "R3", "poor-households.members": "R4",
    "social-protection.beneficiaries": "R5", "land.holders": "R6", "enterprises.register#representative": "R7",
    "household-businesses.register#owner": "R7.households", "civil-status.births": "R9.births", "civil-status.births#mother": "R9.mothers",
    "civil-status.births#father": "R9.fathers", "civil-status.deaths": "R9.deaths", "civil-status.marriages#husband": "R9.husbands",
    "civil-status.marriages#wife": "R9.wives", "education.pupils": "R10", "education.teachers": "R10.teachers", "officials.register": "R11",
}  # fmt: skip
TABLES = {
    "population.persons": "cong_dan.nhan_khau",
    "officials.register": "noi_vu.v_can_bo",
}  # no file reaches us: rows in the order of their key
SECRET = "bi-mat-mau"  # noqa: S105 # of the made-up agency's service, on loopback


@dataclass(frozen=True)
class Told:
    """`records`: what `read_register_rows` gives, with `register` and `row` (as in the truth's errors) and `entity`, null where unknown."""

    records: pl.DataFrame
    entity: Entity


def take_in(folder: Path, database: Database, population_url: str, home: Path, only: Collection[str] = ()) -> Workshop:
    """Run every dataset of the province in `folder` from its agency's system to a published version; `only` some registers, by name."""
    load_population(population_url, folder)
    load_officials(population_url, folder)
    with _services(folder) as address:
        os.environ.update(
            LIENTHONG_SOURCE_DEMO=str(folder), LIENTHONG_SOURCE_DEMO_ENTERPRISES_SECRET=SECRET,
            LIENTHONG_SOURCE_DEMO_POPULATION_URL=population_url, LIENTHONG_SOURCE_DEMO_ENTERPRISES_URL=address,
            LIENTHONG_SOURCE_DEMO_OFFICIALS_URL=population_url, LIENTHONG_SOURCE_DEMO_SERVICES_URL=address, LIENTHONG_SOURCE_DEMO_SERVICES_SECRET=SECRET,
        )  # fmt: skip
        settings = Settings(home=home, datasets=ROOT / "datasets", accept_synthetic_ids=True)
        workshop = _speaking_of(make_workshop(settings, database), only)
        for contract in workshop.contracts.values():
            apply_contract(workshop, contract)
        for name in reading_order(workshop.contracts):
            contract = workshop.contracts[name]
            if not contract.match and name not in ("admin-units.units", "admin-units.changes"):
                continue  # figures and readings describe no one
            for source in contract.sources:
                run_dataset(workshop, contract, source.name)
    return workshop


def _speaking_of(workshop: Workshop, only: Collection[str]) -> Workshop:
    left_out = {source.partition("#")[0] for source, register in REGISTERS.items() if only and register not in only}
    return replace(workshop, contracts={name: each for name, each in workshop.contracts.items() if name not in left_out})


def persons_told(workshop: Workshop, folder: Path) -> Told:
    """The records of persons in the order the platform numbers them, with the truth beside them."""
    entity = entities_of(workshop.contracts)["person"]
    with workshop.database.connect() as connection:
        records = read_register_rows(connection, entity)
        places = pl.concat([_places(workshop, register.contract.id, register.source) for register in entity.registers])
    links = pl.read_parquet(folder / "truth" / "links.parquet").with_columns(pl.col("file").str.split("/").list.last())
    told = places.join(links, on=["register", "file", "file_row"], how="left")
    told = told.select("source", "key", "register", "row", "entity")
    return Told(records.join(told, on=["source", "key"], how="left", maintain_order="left"), entity)


def _places(workshop: Workshop, dataset: str, source: str) -> pl.DataFrame:
    """Where each current row of a dataset came from: `source`, `key`, `register`, `file`, `file_row`."""
    register = REGISTERS[source]
    with workshop.database.connect() as connection:
        statement = sql.SQL("select c._key, c._row, v.run_id from {} c join versions v on v.dataset_id = {} and v.version = c._version")
        rows = connection.execute(statement.format(current(dataset), sql.Literal(dataset))).fetchall()
        keys = pl.DataFrame(rows, schema={"key": pl.String, "row_no": pl.Int64, "run": pl.Int64}, orient="row")
        landed = []
        for run in keys["run"].unique().to_list():
            files = {file.file_no: file_of(dataset, file.uri) for file in landing.files(connection, run)}
            for batch in landing.batches(connection, run):
                numbers = range(batch.first_row_no, batch.last_row_no + 1)
                name = files.get(batch.file_no) or file_of(dataset, "")
                in_order = name.endswith(".json") or dataset in TABLES
                file_rows = pl.Series(numbers, dtype=pl.Int64) if in_order else pl.Series(batch.source_rows, dtype=pl.Int64)
                landed.append(
                    pl.DataFrame({"row_no": numbers, "file_row": file_rows}, schema={"row_no": pl.Int64, "file_row": pl.Int64})
                    .with_columns(pl.lit(run).alias("run"), pl.lit(name).alias("file"))
                )  # fmt: skip
    found = keys.join(pl.concat(landed), on=["run", "row_no"], how="inner")
    return found.select(pl.lit(source).alias("source"), "key", pl.lit(register).alias("register"), "file", "file_row")


def file_of(dataset: str, uri: str) -> str:
    """The file's name as the truth has it: a table's, a service's list, or the last part of a path."""
    if dataset in TABLES:
        return TABLES[dataset]
    service = uri.partition("/api/")[2].partition("?")[0]
    return f"{service}.json" if service else uri.rsplit("/", 1)[-1]


@contextmanager
def _services(folder: Path) -> Iterator[str]:
    data = [folder / "doanh-nghiep" / "doanh-nghiep.json", *sorted((folder / "dich-vu").glob("*.json"))]
    command = [sys.executable, "-m", "demo.province.agency_server", "--data", *map(str, data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
