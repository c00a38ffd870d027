"""Files of indicators: every fault at once, with its place and the nearest right word; a formula can do nothing but count what it names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lienthong.contracts import Contract, Sensitivity
from lienthong.contracts.faults import Faults
from lienthong.contracts.indicators import Quality, ReadStanding, State, judge, load_indicators, load_reports, period_of
from lienthong.contracts.indicators.formula import check_formula
from lienthong.contracts.indicators.load import build
from lienthong.contracts.indicators.reports import build_report
from lienthong.errors import ContractError
from lienthong.reports.measures import NAMES
from tests.factories import contracts_of_the_province, make_contract, make_property

ROOT = Path(__file__).parents[3]
PEOPLE = make_contract(
    id="test.people",
    properties=(
        make_property("record_no", required=True, key_position=1),
        make_property("full_name", sensitivity=Sensitivity.PERSONAL),
        make_property("born_on", "date", sensitivity=Sensitivity.PERSONAL),
        make_property("commune_code", standard="admin_unit", standard_options={"level": "commune"}, sensitivity=Sensitivity.PERSONAL),
        make_property("children", "integer"),
    ),
)
OTHER = make_contract(id="test.other")
CONTRACTS: dict[str, Contract] = {PEOPLE.id: PEOPLE, OTHER.id: OTHER}
GOOD = "select commune_code as place, count(*) as value from data.test_people where born_on < :until group by commune_code"
FILE: dict[str, Any] = {
    "id": "people", "title": "Người", "titleEn": "People", "definition": "Số người", "definitionEn": "How many", "owner": "H10.02",
    "unit": "người", "unitEn": "people", "period": "month_15_14", "level": "commune", "reads": ["test.people"], "formula": GOOD,
}  # fmt: skip


def faults_of(formula: str, *reads: str) -> list[str]:
    faults = Faults()
    check_formula(formula, reads or ("test.people",), CONTRACTS, faults, "formula")
    return [what for _, what, _ in faults.found]


def test_the_province_s_own_files_are_right() -> None:
    found = load_indicators(ROOT / "indicators", contracts_of_the_province(), NAMES)
    assert 5 <= sum(1 for each in found.values() if each.order and each.order <= 7) <= 7
    assert [each.id for each in found.values()] == [each.id for each in sorted(found.values(), key=lambda each: each.order)]


def test_every_fault_of_a_file_is_told_with_its_place_and_the_nearest_word() -> None:
    wrong = {
        **FILE, "titel": "x", "period": "monht", "owner": "h10", "closing": {"days": -1, "at": 1700}, "targets": {"2026-Q1": 1}, "decimals": 1.5,
        "reads": ["test.peple"], "legalBasis": [{"text": ""}], "direction": "upp",
    }  # fmt: skip
    with pytest.raises(ContractError) as told:
        build(wrong, "people.yaml", CONTRACTS)
    places = {place: hint for place, _, hint in told.value.faults}
    assert {
        "indicator.titel", "period", "owner", "closing.days", "closing.at", "targets.2026-Q1", "decimals", "reads", "legalBasis[0].text",
        "direction",
    } <= set(places)  # fmt: skip
    assert "title" in places["indicator.titel"]
    assert "month" in places["period"]
    assert "test.people" in places["reads"]


def test_faults_of_all_files_of_a_folder_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: a\n", "utf-8")
    (tmp_path / "b.yaml").write_text("id: [1\n", "utf-8")
    with pytest.raises(ContractError) as told:
        load_indicators(tmp_path, CONTRACTS)
    assert {place.split("/")[-1].split(":")[0] for place, _, _ in told.value.faults} == {"a.yaml", "b.yaml"}


def test_no_folder_is_no_indicators(tmp_path: Path) -> None:
    assert load_indicators(tmp_path / "none", CONTRACTS) == {}


@pytest.mark.parametrize(
    "formula",
    [
        GOOD,
        "select count(distinct full_name) as value from data.test_people",
        "select count(*) filter (where full_name like 'Ng%') as value from data.test_people_history where _version_to is null",
        "with p as (select commune_code as place, count(*) as n from data.test_people group by commune_code) select place, n as value from p",
        "select count(*) as value from data.test_people as p where exists (select 1 from data.test_people as q where q.full_name = p.full_name)",
        "select sum(children) as value, count(*) as base from data.test_people where extract(year from born_on) = :year",
    ],
)  # fmt: skip
def test_counting_and_comparing_is_allowed(formula: str) -> None:
    assert faults_of(formula) == []


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("delete from data.test_people", "exactly one"),
        ("select 1 as value from data.test_people; drop table data.test_people", "exactly one"),
        ("with x as (delete from data.test_people returning 1) select count(*) as value from x", "not allowed"),
        ("select count(*) as value into t from data.test_people", "not allowed"),
        ("select count(*) as value from data.test_people for update", "not allowed"),
        ("select count(*) as value from lienthong.ledger_batches", "no table of published data"),
        ("select count(*) as value from pg_catalog.pg_authid", "no table of published data"),
        ("select count(*) as value from pg_shadow", "no table of published data"),
        ("select count(*) as value from data.test_other", "is not among what is read"),
        ("select count(*) as value from other.data.test_people", "no table of published data"),
        ("select pg_sleep(100) as value from data.test_people", "`pg_sleep` is not allowed"),
        ("select count(query_to_xml('select 1', true, true, '')) as value from data.test_people", "`query_to_xml` is not allowed"),
        ("select count(pg_read_file('/etc/passwd')) as value from data.test_people", "`pg_read_file` is not allowed"),
        ("select count(set_config('role', 'x', true)) as value from data.test_people", "is not allowed"),
        ("select count('data.test_other'::regclass) as value from data.test_people", "not allowed"),
        ("select full_name as place, count(*) as value from data.test_people group by full_name", "about persons"),
        ("select max(born_on) as value from data.test_people", "about persons"),
        ("select x as place, 1 as value from (select full_name as x from data.test_people) as p", "about persons"),
        ("with p as (select full_name as x from data.test_people) select x as place, 1 as value from p", "about persons"),
        ("select _key as place, 1 as value from data.test_people", "about persons"),
        ("select (select full_name from data.test_people) as value from data.test_people", "about persons"),
        ("select p.x as place, 1 as value from data.test_people as p (y, x)", "named in its `select`"),
        ("select * from data.test_people", "`*` is not allowed"),
        ("select p as place, 1 as value from data.test_people as p", "is no column"),
        ("select count(*) as value from data.test_people, data.test_people as q", "a join without `on`"),
        ("select count(*) as value from data.test_people where children = :secret", "`:secret`"),
        ("select count(*) as value from data.test_people where chldren = 1", "no column `chldren`"),
        ("select count(*) as people from data.test_people", "is no output"),
        ("with recursive p as (select 1 as n) select count(n) as value from p join data.test_people as q on q.children = n", "`recursive`"),
        ("select count(* as value", "not readable"),
        ("", "expected SQL"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(formula: str, said: str) -> None:
    found = faults_of(formula)
    assert any(said in each for each in found), found


def test_what_runs_is_written_from_the_tree_and_not_from_the_file() -> None:
    formula = check_formula(GOOD + " /* x; */ -- y", ("test.people",), CONTRACTS, Faults(), "formula")
    assert formula is not None
    assert "x;" not in formula.statement
    assert "%(until)s" in formula.statement


def test_a_percent_sign_in_a_text_is_no_parameter() -> None:
    formula = check_formula("select count(*) filter (where full_name like 'a%(until)s') as value from data.test_people", ("test.people",), CONTRACTS, Faults(), "formula")  # fmt: skip
    assert formula is not None
    assert "'a%%(until)s'" in formula.statement


def test_the_province_s_own_reports_are_right_and_a_wrong_one_tells_every_fault() -> None:
    indicators = load_indicators(ROOT / "indicators", contracts_of_the_province(), NAMES)
    assert "quarterly" in load_reports(ROOT / "indicators", indicators)
    wrong = {
        "id": "Q",
        "period": "quartr",
        "indicators": ["populaton"],
        "places": ["entered-once"],
        "recipients": ["boss"],
        "form": {"table": {"firstRow": 0}},
    }
    with pytest.raises(ContractError) as told:
        build_report(wrong, "q.yaml", indicators)
    places = {place: hint for place, _, hint in told.value.faults}
    assert {"id", "title", "period", "indicators", "places", "recipients", "form.table.firstRow", "form.table"} <= set(places)
    assert "population" in places["indicators"]


NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_after_end", "delivered_after_end", "has_value", "state"),
    [
        (-3, False, True, State.ESTIMATE),
        (2, True, True, State.ESTIMATE),
        (6, True, True, State.FINAL),
        (6, False, True, State.LATE),
        (6, True, False, State.LATE),
    ],
)
def test_a_figure_is_an_estimate_until_it_closes_then_final_or_late(
    days_after_end: int, delivered_after_end: bool, has_value: bool, state: State
) -> None:
    indicator = build({**FILE, "closing": {"days": 5, "at": "17:00"}}, "people.yaml", CONTRACTS)
    period = period_of(indicator.period, NOVEMBER.date()).earlier()
    ended = datetime(period.until.year, period.until.month, period.until.day, tzinfo=UTC) - timedelta(hours=7)
    delivered = ended + timedelta(hours=1 if delivered_after_end else -1)
    reads = [ReadStanding("test.people", 3, "1.0.0", "d", delivered, 0.0)]
    assert judge(indicator, period, ended + timedelta(days=days_after_end), reads, has_value=has_value)[0] is state


def test_rows_that_wait_make_a_figure_late_where_the_file_says_so() -> None:
    indicator = build({**FILE, "quality": {"deliveredAfterEnd": False, "quarantinedMaxPercent": 5}}, "people.yaml", CONTRACTS)
    assert indicator.quality == Quality(delivered_after_end=False, quarantined_max_percent=5.0)
    period = period_of(indicator.period, NOVEMBER.date()).earlier()
    reads = [ReadStanding("test.people", 3, "1.0.0", "d", None, 7.5)]
    assert judge(indicator, period, NOVEMBER, reads, has_value=True) == (State.LATE, (("quarantined", "test.people"),))
