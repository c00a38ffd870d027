"""What stands beside an attribute: another name a person goes by, an earlier number and the one that replaced it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
import xxhash

from lienthong.masterdata.grouping import Judged, Matcher
from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.model import Frequencies, Model
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.rules import Rules
from lienthong.masterdata.scoring import Rung
from lienthong.masterdata.waterfall import waterfall
from lienthong.pipeline.match_linking import Touched, belong, clash, groups_of, link_group
from lienthong.store.matching import StoredRecord

Row = dict[str, str | None]
CCCD, OTHER_CCCD, CMND = "066080000001", "066080000002", "245000111"


@pytest.fixture(scope="module")
def beside(model: Model) -> Model:
    """The village's model, as if its contract told of other names and of what replaced the earlier number."""
    attributes = [replace(a, options={**a.options, "of": "citizen_id"}) if a.name == "old_id" else a for a in model.plan.attributes]
    plan = replace(model.plan, attributes=(*attributes, Attribute("other_name", "other_name", {"of": "full_name"})))
    rungs = []
    for comparison, each in zip(plan.comparisons, model.rungs, strict=True):
        place = next((n for n, level in enumerate(comparison.levels) if level.label == "goes by another name"), None)
        rungs.append(each if place is None else (*each[:place], Rung("goes by another name", 0.01, 1e-6), *each[place:]))
    return replace(model, plan=plan, rungs=tuple(rungs), blocking=replace(model.blocking, otherwise=plan.otherwise))


def someone(**values: str | None) -> Row:
    return {"full_name": "Nguyễn Văn Minh", "born_on": "1980-04-12", "sex": "nam", "commune_code": "24111", **values}


def features_of(plan: Plan, rows: Sequence[Row]) -> pl.DataFrame:
    names = [a.name for a in plan.attributes]
    return plan.feature_frame(
        pl.DataFrame([[row.get(n) for n in names] for row in rows], schema=dict.fromkeys(names, pl.String), orient="row")
    )


def at_once(model: Model, rows: Sequence[Row]) -> tuple[set[frozenset[int]], set[tuple[int, int]]]:
    """Clusters, and pairs a person is asked about because of a number."""
    found = resolve(model, features_of(model.plan, rows), [f"register-{n}" for n in range(len(rows))])
    clusters = {frozenset(n for n, each in enumerate(found.cluster.tolist()) if each == home) for home in set(found.cluster.tolist())}
    return clusters, {(near.left, near.right) for near in found.near if near.why == "identifier"}


def one_by_one(model: Model, rows: Sequence[Row]) -> tuple[set[frozenset[int]], set[tuple[int, int]]]:
    """The same by what matching of single records asks: pairs that share a key, components, each linked."""
    matcher, features = Matcher(model), features_of(model.plan, rows).rows()
    keys = [model.blocking.keys(each, matcher.places) for each in features]
    records = {n: StoredRecord(n, f"register-{n}", "1", each, keys[n], n, 0) for n, each in enumerate(features)}
    sharing = [(a, b) for b in records for a in range(b) if {*keys[a]} & {*keys[b]}]
    edges = [(a, b) for a, b in sharing if belong(matcher, records[a], records[b], {})]
    clashes = [(a, b) for a, b in sharing if (a, b) not in edges and clash(matcher, records[a], records[b])]
    groups = groups_of(matcher, Touched(records, frozenset(records), edges, frozenset(), Judged()), {})
    linked = [link_group(matcher, group, records, Judged(), {}) for group in groups]
    clusters = {frozenset(cluster) for each in linked for cluster in each.clusters}
    home = {n: cluster for cluster in clusters for n in cluster}
    told = [*clashes, *(pair for each in linked for pair in each.conflicts)]
    return clusters, {(a, b) for a, b in told if home[a] != home[b]}


def test_who_goes_by_another_name_is_found_and_told_so(beside: Model) -> None:
    left, right = someone(other_name="Trần Thị Bé"), someone(full_name="Tran Thi Be", commune_code=None)
    a, b = features_of(beside.plan, [left, right]).rows()
    matcher = Matcher(beside)
    assert {*beside.blocking.keys(a, matcher.places)} & {*beside.blocking.keys(b, matcher.places)}
    assert not Rules(beside.plan).doubt(a, b)
    assert "full_name: giống" not in " ".join(line.english for line in waterfall(matcher.scorer, a, b))
    assert any("goes by" in line.english for line in waterfall(matcher.scorer, a, b))
    assert at_once(beside, [left, right])[0] == one_by_one(beside, [left, right])[0] == {frozenset({0, 1})}


def test_keys_of_other_names_are_the_same_in_bulk(beside: Model) -> None:
    features = features_of(beside.plan, [someone(other_name="Trần Thị Bé"), someone(other_name="Nguyễn Văn Minh"), someone()])
    frame = beside.blocking.key_frame(features).with_columns(pl.col("key").reinterpret(signed=True))
    places = Matcher(beside).places
    for n, row in enumerate(features.rows()):
        assert tuple(sorted(frame.filter(pl.col("record") == n)["key"].to_list())) == beside.blocking.keys(row, places)


def test_another_name_beside_no_name_says_nothing(beside: Model) -> None:
    """As in a list that has a column of other names alone."""
    plan = replace(beside.plan, attributes=tuple(a for a in beside.plan.attributes if a.name != "full_name"))
    assert plan.otherwise == {}
    assert not [level for comparison in plan.comparisons for level in comparison.levels if level.label == "goes by another name"]


def test_an_earlier_number_joins_whom_the_new_one_is_known_of(beside: Model) -> None:
    both, earlier = (
        someone(citizen_id=CCCD, old_id=CMND),
        someone(full_name="Nguyen Van Minh", born_on="1980", old_id=CMND, commune_code="24222"),
    )
    assert at_once(beside, [both, earlier]) == one_by_one(beside, [both, earlier]) == ({frozenset({0, 1})}, set())
    assert Rules(beside.plan).replaced(*features_of(beside.plan, [both, earlier]).rows())


@pytest.mark.parametrize(
    ("what", "row"),
    {
        "another name": someone(full_name="Lê Thị Hoa", old_id=CMND),
        "another year of birth": someone(born_on="1995-01-01", old_id=CMND),
        "no birth": someone(born_on=None, old_id=CMND),
        "another new number": someone(citizen_id=OTHER_CCCD, old_id=CMND),
    }.items(),
)
def test_an_earlier_number_alone_is_no_rule(beside: Model, what: str, row: Row) -> None:
    assert not Rules(beside.plan).replaced(*features_of(beside.plan, [someone(citizen_id=CCCD, old_id=CMND), row]).rows()), what


def test_where_two_new_numbers_replaced_one_a_person_is_asked(beside: Model) -> None:
    rows = [someone(citizen_id=CCCD, old_id=CMND), someone(citizen_id=OTHER_CCCD, old_id=CMND), someone(old_id=CMND)]
    clusters, asked = at_once(beside, rows)
    assert (clusters, asked) == one_by_one(beside, rows)
    assert not any({0, 1} <= cluster for cluster in clusters)
    assert asked & {(0, 2), (1, 2)}


def test_at_once_and_one_by_one_see_the_same_in_what_stands_beside(beside: Model) -> None:
    draw = random.Random(4)
    for _ in range(12):
        rows = [
            someone(
                full_name=draw.choice(("Nguyễn Văn Minh", "Nguyen Van Minh", "Lê Thị Hoa", "Trần Thị Bé")),
                born_on=draw.choice(("1980-04-12", "1980", "1995-01-01", None)),
                citizen_id=draw.choice((CCCD, OTHER_CCCD, None, None)),
                old_id=draw.choice((CMND, CMND, "245000222", None)),
                other_name=draw.choice(("Trần Thị Bé", "Lê Thị Hoa", None, None)),
            )
            for _ in range(draw.randint(3, 7))
        ]
        assert at_once(beside, rows) == one_by_one(beside, rows)


def test_twins_whose_names_are_a_letter_apart_are_asked_about_and_a_slip_is_not(beside: Model) -> None:
    """Each is a name that many bear; what nobody is called is a slip of the hand."""
    often = Frequencies(9_000, {xxhash.xxh3_64_intdigest(name.encode()): 40 for name in ("tai", "tri")})
    model = replace(beside, frequencies={**beside.frequencies, "full_name__given": often})
    home = {"address": "Số 37, ấp 3", "phone": "0612345678"}
    twins = [someone(full_name=name, **home) for name in ("Nguyễn Minh Tài", "Nguyễn Minh Trí")]
    slip = [twins[0], someone(full_name="Nguyễn Minh Tàu", **home)]
    assert at_once(beside, twins)[0] == {frozenset({0, 1})}
    assert at_once(model, twins)[0] == one_by_one(model, twins)[0] == {frozenset({0}), frozenset({1})}
    assert at_once(model, slip)[0] == one_by_one(model, slip)[0] == {frozenset({0, 1})}
