"""An index filled by hand: who is one is said, not found, so that every figure can be counted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from psycopg.types.json import Json

from lienthong.masterdata.entities import entities_of
from lienthong.pipeline import Workshop
from tests.factories import START


@dataclass(frozen=True)
class Said:
    """One record: what a register says of a person (`golden`)."""

    source: str
    golden: int
    content: dict[str, str]


@dataclass(frozen=True)
class Index:
    """The workshop and a way to fill its index of persons."""

    workshop: Workshop

    def fill(self, records: Sequence[Said]) -> None:
        plan = entities_of(self.workshop.contracts)["person"].plan
        with self.workshop.database.connect() as connection:
            for table in ("match_queue", "match_events", "match_judgements", "match_memberships", "match_records", "match_goldens"):
                connection.execute(f"delete from {table}")
            for golden in sorted({record.golden for record in records}):
                connection.execute(
                    "insert into match_goldens (golden, id, entity, made_at) values (%s, %s, 'person', %s)", (golden, f"g{golden}", START)
                )
            for n, record in enumerate(records, 1):
                connection.execute(
                    "insert into match_records (record, entity, source, key, features, keys, content, golden, component, since)"
                    " values (%s, 'person', %s, %s, %s, '{}', %s, %s, %s, %s)",
                    (n, record.source, str(n), list(plan.features(record.content)), Json(record.content), record.golden, n, START),
                )


@pytest.fixture
def index(empty_province: Workshop) -> Index:
    return Index(empty_province)
