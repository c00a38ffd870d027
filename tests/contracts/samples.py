"""What the sample of each dataset becomes, read by its own connector and judged by its own contract, without a database.

`python -m tests.contracts.samples` writes every `expected.jsonl` anew; read the difference before you keep it.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from demo.province.agency_server import CLIENT_SECRET, Service
from lienthong import quality
from lienthong.connectors import ReadContext, read
from lienthong.contracts import Contract, Source
from lienthong.pipeline.columns import ColumnMatcher
from lienthong.pipeline.judge import Judge, reference_columns
from lienthong.pipeline.land import with_broken
from lienthong.pipeline.picked import pick
from lienthong.store.landing import LandedBatch
from tests.factories import contracts_of_the_province

DATASETS = Path(__file__).parents[2] / "datasets"
DELIVERED_ON = date(2026, 6, 30)


def folder_of(contract: Contract) -> Path:
    return DATASETS.joinpath(*contract.id.split("."))


def delivered() -> dict[str, Contract]:
    """The datasets that come from a source; golden records are made by us and have no sample."""
    return {id: contract for id, contract in contracts_of_the_province().items() if contract.sources}


def in_order(contracts: Mapping[str, Contract]) -> list[Contract]:
    """Those that others refer to come first."""
    done: dict[str, Contract] = {}
    while len(done) < len(contracts):
        for contract in contracts.values():
            if contract.id not in done and set(reference_columns(contract)) <= set(done):
                done[contract.id] = contract
    return list(done.values())


@contextlib.contextmanager
def sample_source(contract: Contract) -> Iterator[tuple[Source, ReadContext]]:
    """The contract's own road to its sample; a table of a database lies there as CSV, the answers of a service are served."""
    source = contract.sources[0]
    sample = next(folder_of(contract).glob("sample.*"))  # one file in the real format
    if source.connector == "http_json":
        rows = json.loads(sample.read_text("utf-8"))
        with Service(("127.0.0.1", 0), {source.location.rpartition("/")[2]: rows}) as service:
            threading.Thread(target=service.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{service.server_address[1]}"
            named = {
                f"DEMO_{who}_{what}": value
                for who in ("ENTERPRISES", "SERVICES")
                for what, value in (("URL", url), ("SECRET", CLIENT_SECRET))
            }
            yield source, ReadContext(variables=named)
            service.shutdown()
    elif source.connector == "sql_database":
        yield replace(source, connector="csv_file", location=str(sample), options={}), ReadContext()
    else:
        options = {**source.options, **({"xsd": str(sample.with_name("schema.xsd"))} if "xsd" in source.options else {})}
        yield replace(source, location=str(sample), options=options), ReadContext()


def judge_samples() -> dict[str, list[dict[str, Any]]]:
    """By dataset: a line for each row of its sample, in the order of the rows."""
    published: dict[str, pl.DataFrame] = {}
    return {contract.id: _judge(contract, published) for contract in in_order(delivered())}


def _judge(contract: Contract, published: dict[str, pl.DataFrame]) -> list[dict[str, Any]]:
    references = {
        dataset: published[dataset].select(name for name in names if name in published[dataset].columns)
        for dataset, names in reference_columns(contract).items()
    }
    with sample_source(contract) as (source, context):
        judge = Judge(contract, ColumnMatcher(contract, source.name), 1, DELIVERED_ON, references, {}, accept_synthetic_ids=True)
        judged, row_no = [], 1
        for batch in read(source, context):
            table, source_rows = with_broken(batch)
            judged.append(judge.judge(pick(LandedBatch(1, row_no, table, source_rows))))
            row_no += table.num_rows
    kept = pl.concat([part.kept for part in judged])
    names = [p.name for p in contract.properties]
    rows = kept.select(pl.col("_row").alias("row_no"), pl.col("_key").alias("key"), pl.struct(names).hash().alias("content"))
    repeated = quality.duplicates(rows, contract)
    kept = kept.filter(~pl.col("_row").is_in(repeated["row_no"].implode()))
    published[contract.id] = kept
    issues = pl.concat([*(part.issues for part in judged), repeated])
    return _lines(kept, issues, names, row_no - 1)


def _lines(kept: pl.DataFrame, issues: pl.DataFrame, names: list[str], count: int) -> list[dict[str, Any]]:
    values = {row["_row"]: {name: row[name] for name in names} for row in kept.iter_rows(named=True)}
    said: dict[int, list[dict[str, Any]]] = {}
    for issue in issues.sort("row_no", "column_name", "code").iter_rows(named=True):
        said.setdefault(issue["row_no"], []).append({"column": issue["column_name"], "code": issue["code"]})
    lines = [
        {
            "row": row,
            "fate": "published" if row in values else "quarantined",
            "values": values.get(row, {}),
            "issues": said.get(row, []),
        }
        for row in range(1, count + 1)
    ]
    return [json.loads(json.dumps(line, ensure_ascii=False, default=str)) for line in lines]


def write_expected() -> None:
    for dataset_id, lines in judge_samples().items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        DATASETS.joinpath(*dataset_id.split("."), "expected.jsonl").write_text(text, "utf-8")


if __name__ == "__main__":
    write_expected()
