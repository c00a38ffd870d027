"""Who is also called otherwise (tên gọi khác): found under either name, one by one and all at once, told so, and never to who may not see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

from lienthong.masterdata.splinking import DuckDBEngine, memory_database
from lienthong.masterdata.training import with_weight
from lienthong.pipeline import Workshop, list_index, match_all
from lienthong.pipeline.asking_index import candidates
from lienthong.pipeline.match_all import read_register_rows
from lienthong.pipeline.matching import EntityIndex
from lienthong.store import Connection
from lienthong.store.matching import Index
from tests.registers import INSURANCE, POPULATION, card_row, insurance_row, model_of, person_entity, population_row, send

NUMBER = 400  # of nobody the template holds
ALSO = "Phạm Thị Út"
RECORD, CARD = (POPULATION, f"{7_000_000_000 + NUMBER}"), ("health-insurance.cards", f"99{NUMBER:08}")


@pytest.fixture
def place(matched_province: Workshop) -> Workshop:
    return matched_province


def send_both(place: Workshop, **other: Any) -> None:
    """The police tell the other name; the health insurer has it for the name itself, without marks and without a number."""
    send(place, POPULATION, [population_row(NUMBER) | {"other_name": ALSO} | other], "also called")
    send(place, CARD[0], [card_row(NUMBER, full_name="PHAM THI UT", commune_code=None)], "under the other name")


@contextmanager
def reading(place: Workshop) -> Iterator[tuple[Connection, EntityIndex]]:
    with place.database.connect() as connection:
        yield connection, EntityIndex(person_entity(place), model_of(place))


def rung_between(place: Workshop) -> str:
    """On which rung the names of the two meet, as the index holds them."""
    with reading(place) as (connection, index):
        card, record = sorted(Index(connection, "person").own([RECORD, CARD]), key=lambda each: each.source)
        return next(part.label for part in index.matcher.scorer.explain(card.features, record.features) if part.comparison == "full_name")


def goldens(place: Workshop) -> set[str]:
    with place.database.connect() as connection:
        rows = connection.execute(
            "select g.id from match_records join match_goldens as g using (golden) where (source, key) in ((%s, %s), (%s, %s))",
            (*RECORD, *CARD),
        ).fetchall()
    return {id for (id,) in rows}


def test_who_is_written_under_another_name_is_one_golden_record_as_they_come_and_all_at_once(place: Workshop) -> None:
    send_both(place)
    one_by_one = goldens(place)
    assert len(one_by_one) == 1
    assert rung_between(place) == "goes by another name"
    match_all.match_all(place, person_entity(place), model_of(place))
    assert goldens(place) == one_by_one


def test_without_the_other_name_the_two_stay_two(place: Workshop) -> None:
    send_both(place, other_name=None)
    assert rung_between(place) == "different"
    assert len(goldens(place)) == 2


def test_the_golden_record_keeps_the_name_and_tells_the_other(place: Workshop) -> None:
    send_both(place)
    with place.database.connect() as connection:
        row = connection.execute(
            "select full_name, other_name, (provenance::jsonb)->'other_name'->>0 from data.master_person where golden_id = %s",
            (*goldens(place),),
        ).fetchone()
    assert row == (population_row(NUMBER)["full_name"], ALSO, POPULATION)


def test_both_scorers_weigh_other_names_the_same(place: Workshop) -> None:
    send(place, POPULATION, [population_row(n) | {"other_name": ALSO} for n in range(NUMBER, NUMBER + 3)], "called the same")
    send(place, INSURANCE, [insurance_row(n, full_name=name) for n, name in enumerate((ALSO, "Phạm Út", ALSO.upper()), NUMBER)], "insured")
    with reading(place) as (connection, index):
        rows = read_register_rows(connection, index.entity).with_row_index("n").filter(pl.col("key").str.contains(r"000040[012]$"))
        features = index.model.plan.feature_frame(rows)
        own = features.rows()
    pairs = pl.DataFrame(
        [(a, b) for b in range(len(own)) for a in range(b)], schema={"left": pl.UInt32, "right": pl.UInt32}, orient="row"
    )  # fmt: skip
    weighed = with_weight(DuckDBEngine(index.model, features, memory_database()).weights(pairs), index.model)
    score = index.matcher.scorer.score
    assert {(a, b): w for a, b, w in weighed.select("left", "right", "weight").iter_rows()} == pytest.approx(
        {(a, b): score(own[a], own[b]) for a, b in pairs.iter_rows()}, abs=1e-9
    )
    labels = {part.label for a, b in pairs.iter_rows() for part in index.matcher.scorer.explain(own[a], own[b])}
    assert "goes by another name" in labels


def test_a_description_with_the_other_name_finds_who_is_called_so(place: Workshop) -> None:
    send_both(place)
    asked = {"full_name": ALSO, "born_on": population_row(NUMBER)["born_on"]}
    with reading(place) as (connection, index):
        every = {a.name for a in index.model.plan.attributes}
        (found,) = candidates(connection, index.entity, index.model, asked, set, every)
    assert {found.golden} == goldens(place)


def test_who_does_not_see_other_names_is_not_told_of_one_by_asking(place: Workshop) -> None:
    send(place, POPULATION, [population_row(NUMBER) | {"other_name": ALSO}], "also called")
    p = population_row(NUMBER)
    asked = {"full_name": ALSO, "born_on": p["born_on"], "phone": p["phone"], "address": p["address"]}
    other = asked | {"full_name": "Phạm Thị Bé"}
    with reading(place) as (connection, index):
        every = {a.name for a in index.model.plan.attributes}

        def told(values: dict[str, str], whole: set[str]) -> Any:
            return candidates(connection, index.entity, index.model, values, set, whole)

        def looked_up(values: dict[str, str], whole: set[str]) -> Any:
            frame = pl.DataFrame({name: [value] for name, value in values.items()})
            return list_index.look_up(connection, index.entity, index.model, frame, whole)

        assert any("là tên gọi khác" in line.vietnamese for line in told(asked, every)[0].lines)
        assert "là tên gọi khác" in looked_up(asked, every)[0].vietnamese
        blind = every - {"other_name"}
        assert told(asked, blind) == told(other, blind)
        assert looked_up(asked, blind) == looked_up(other, blind)
