"""A list of one's own: columns told apart, rows that are one found, by a model, by what the list teaches, or by plain rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.headings import Meant, meanings
from lienthong.masterdata.list_rules import ListRules, pairs_to_compare
from lienthong.masterdata.model import Model
from lienthong.masterdata.own_list import IN_FORCE, LEARNT, MAYBE, NONE, RULES, SURE, JudgedList, judge_list
from tests.factories import contracts_of_the_province
from tests.masterdata import people

ROOT = Path(__file__).parents[2]
PLAN = people.person_plan()
Row = Mapping[str, str | None]
AN = {"full_name": "Nguyễn Văn An", "born_on": "1980-02-01", "citizen_id": "066000000001", "sex": "nam", "phone": "0912345678"}


@pytest.fixture(scope="module")
def entities() -> dict[str, Entity]:
    return entities_of(contracts_of_the_province())


def judged(*rows: Row) -> JudgedList:
    columns = {name: pl.String for row in rows for name in row}
    return judge_list(PLAN, pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=columns))


def pair(left: Row, right: Row) -> str:
    found = judged(left, right)
    assert found.rows[0].verdict == found.rows[1].verdict
    return found.rows[0].verdict


def without(*names: str, **other: str | None) -> dict[str, str | None]:
    return {name: value for name, value in {**AN, **other}.items() if name not in names}


@pytest.mark.parametrize(
    "other",
    [
        without(),
        without("citizen_id", full_name="nguyen van an"),
        without("citizen_id", "phone", full_name="An Nguyễn Văn"),
        without("born_on", full_name="Nguyễn An"),  # one number, and the given name agrees
    ],
)
def test_one_number_or_one_name_and_birth_is_surely_one(other: Row) -> None:
    assert pair(AN, other) == SURE


@pytest.mark.parametrize(
    "other",
    [
        without("citizen_id", born_on="1980"),
        without("citizen_id", born_on="1980-01-02"),
        without("citizen_id", "born_on"),
        without("citizen_id", full_name="Nguyễn An"),
        without(full_name="Trần Thị Bình", born_on="1981-12-31", sex=None),  # one number typed for two
    ],
)
def test_a_step_less_is_maybe_one(other: Row) -> None:
    assert pair(AN, other) == MAYBE


@pytest.mark.parametrize(
    "other",
    [
        without(citizen_id="066000000002"),
        without("citizen_id", "phone", full_name="Lê Thị Hoa"),
        without("citizen_id", "phone", born_on="1955-11-23"),
        without("citizen_id", sex="nữ", born_on="1981-02-01"),
    ],
)
def test_two_numbers_another_name_or_another_birth_is_not_one(other: Row) -> None:
    assert pair(AN, other) == NONE


def test_a_row_that_may_be_one_of_two_rows_kept_apart_joins_neither_surely_to_both() -> None:
    found = judged(AN, without("citizen_id"), without(citizen_id="066000000002"))
    assert found.rows[0].same != (1, 2)
    assert len({row.group for row in found.rows}) == 1
    assert 2 not in found.rows[0].same


def test_a_reason_says_what_agrees_and_never_a_value() -> None:
    row = judged(AN, without(full_name="Nguyen Van An")).rows[0]
    assert "full_name: giống hệt" in row.vietnamese
    assert "the same" in row.english
    assert not any(AN[name] in row.vietnamese + row.english for name in AN if name != "sex")


def test_groups_are_numbered_by_their_first_rows() -> None:
    bình = {"full_name": "Trần Thị Bình", "born_on": "1990-04-03"}
    found = judged({"full_name": "Lê Hoa"}, bình, AN, bình, AN)
    assert [row.group for row in found.rows] == [None, 1, 2, 1, 2]
    assert found.entities == 3


def test_a_list_of_no_or_one_row_has_nothing_twice() -> None:
    assert judged(AN).rows[0].verdict == NONE
    assert judge_list(PLAN, pl.DataFrame(schema={"full_name": pl.String})).rows == ()


def test_the_model_in_force_is_used_when_there_is_one(model: Model, village: people.Village) -> None:
    rows = [record.values for record in village.records[:120]]
    found = judge_list(PLAN, pl.DataFrame(rows + rows[:5]), model)
    assert found.way.kind == IN_FORCE
    assert found.way.version == "test"
    for n in range(5):
        assert found.rows[120 + n].verdict == SURE
        assert n in found.rows[120 + n].same
        assert found.rows[n].probability is not None


def test_a_list_that_repeats_itself_teaches_its_own_model() -> None:
    place = people.village(250, seed=5)
    values = pl.DataFrame([record.values for record in place.records], schema=dict.fromkeys(place.records[0].values, pl.String))
    found = judge_list(PLAN, values.drop("citizen_id", "old_id"))
    assert found.way.kind == LEARNT
    right = wrong = 0
    for n, row in enumerate(found.rows):
        right += sum(place.truth[n] == place.truth[other] for other in row.same)
        wrong += sum(place.truth[n] != place.truth[other] for other in row.same)
    true = sum(place.truth.count(person) * (place.truth.count(person) - 1) for person in set(place.truth))
    assert right / true > 0.9
    assert wrong / (right + wrong) < 0.01


def test_a_long_list_that_hardly_repeats_itself_is_judged_by_rules() -> None:
    rows = [{"full_name": f"Người {n:04}", "born_on": f"{1950 + n % 50}-01-{n % 28 + 1:02}"} for n in range(700)]
    found = judge_list(PLAN, pl.DataFrame([*rows, rows[3]]))
    assert found.way.kind == RULES
    assert found.rows[3].same == (700,)


def test_keys_lose_no_sure_pair_of_a_long_list() -> None:
    place = people.village(260, seed=8)
    rules, rows = ListRules(PLAN), place.features.rows()
    assert len(rows) > 300
    compared = set(pairs_to_compare(PLAN, place.features))
    lost = [
        (a, b) for a in range(0, len(rows), 3) for b in range(a + 1, len(rows)) if (a, b) not in compared and rules.judge(rows[a], rows[b])
    ]
    assert lost == []


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_groups(random: object) -> None:
    place = people.village(30, seed=3)
    rows = [record.values for record in place.records]
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    schema = dict.fromkeys(rows[0], pl.String)
    plain = judge_list(PLAN, pl.DataFrame(rows, schema=schema))
    mixed = judge_list(PLAN, pl.DataFrame([rows[n] for n in order], schema=schema))
    back = {place: n for n, place in enumerate(order)}
    for n, row in enumerate(plain.rows):
        other = mixed.rows[back[n]]
        assert {order[each] for each in other.same} == set(row.same)
        assert other.verdict == row.verdict


# Columns ----------------------------------------------------------------------------------------------------


def meant(entity: Entity, columns: dict[str, list[str | None]], stated: dict[str, str] | None = None) -> dict[str, Meant]:
    return {each.column: each for each in meanings(pl.DataFrame(columns), entity, stated)}


def test_headings_of_the_contracts_are_known(entities: dict[str, Entity]) -> None:
    found = meant(
        entities["person"],
        {
            "STT": ["1", "2"],
            "Họ và tên": ["Lê A", "Lê B"],
            "NGAY_SINH": ["1/2/1980", "3"],
            "Số CCCD/CMND": ["1", "2"],
            "Giới tính": ["Nam", "Nữ"],
        },
    )
    assert [found[name].attributes for name in ("STT", "Họ và tên", "NGAY_SINH", "Giới tính")] == [
        (),
        ("full_name",),
        ("born_on",),
        ("sex",),
    ]
    assert found["Số CCCD/CMND"].attributes == ("citizen_id", "old_id")


def test_a_name_in_two_columns_is_one_name(entities: dict[str, Entity]) -> None:
    found = meant(entities["person"], {"Họ đệm": ["Nguyễn Văn", "Lê Thị"], "Tên": ["An", "Bình"]})
    assert (found["Họ đệm"].part, found["Tên"].part) == ("surname", "given_name")


def test_a_number_is_known_by_its_form_under_any_heading(entities: dict[str, Entity]) -> None:
    found = meant(entities["person"], {"Mã": ["097090000001", "097090000002", "123456789"], "Họ và tên": ["A B", "C D", "E F"]})
    assert set(found["Mã"].attributes) == {"citizen_id", "old_id"}


def test_what_is_stated_is_never_guessed(entities: dict[str, Entity]) -> None:
    found = meant(entities["person"], {"A": ["Lê An", "Lê B"], "Họ và tên": ["x y", "z t"]}, {"A": "full_name", "Họ và tên": ""})
    assert found["A"].attributes == ("full_name",)
    assert found["Họ và tên"].attributes == ()
    with pytest.raises(KeyError):
        meant(entities["person"], {"A": ["1"]}, {"B": "full_name"})
    with pytest.raises(KeyError):
        meant(entities["person"], {"A": ["1"]}, {"A": "no_such"})


def test_a_list_of_enterprises_has_its_own_columns(entities: dict[str, Entity]) -> None:
    found = meant(entities["enterprise"], {"Tên doanh nghiệp": ["Công ty A", "Công ty B"], "Mã số thuế": ["001", "002"]})
    assert found["Tên doanh nghiệp"].attributes == ("name",)
    assert found["Mã số thuế"].attributes == ("tax_code",)


def test_a_date_of_something_else_is_nobodys_birth(entities: dict[str, Entity]) -> None:
    found = meant(entities["person"], {"Họ tên": ["Lê An", "Lê Bình"], "Ngày cấp": ["1/2/2020", "3/4/2021"], "Năm sinh": ["1980", "1990"]})
    assert found["Ngày cấp"].attributes == ()
    assert found["Năm sinh"].attributes == ("born_on",)


def test_a_day_and_a_year_of_birth_may_stand_side_by_side(entities: dict[str, Entity]) -> None:
    found = meant(entities["person"], {"Năm sinh": ["1980", "1990"], "Ngày sinh": ["1/2/1980", None]})
    assert [each.attributes for each in found.values()] == [("born_on",), ("born_on",)]
