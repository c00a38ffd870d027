"""Bulk resolution: a function of the set of records, that joins whom it should and never whom it must not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import polars as pl
import pytest

from lienthong.errors import Unprocessable
from lienthong.masterdata import grouping
from lienthong.masterdata import resolve as resolving
from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.cutting import choose_cuts
from lienthong.masterdata.grouping import Judged
from lienthong.masterdata.model import Cuts, Model
from lienthong.masterdata.narrow import narrow, plain
from lienthong.masterdata.plan import plan_of_columns
from lienthong.masterdata.resolve import Resolution, resolve
from lienthong.masterdata.rules import Rules
from lienthong.masterdata.training import train, with_weight
from tests.masterdata.people import Record, Village, village_of

Partition = frozenset[frozenset[str]]


def partition(of: Village, found: Resolution) -> Partition:
    clusters: dict[int, set[str]] = {}
    for row, cluster in enumerate(found.cluster.tolist()):
        clusters.setdefault(cluster, set()).add(of.name_of(row))
    return frozenset(frozenset(cluster) for cluster in clusters.values())


def resolved(model: Model, records: Iterable[Record]) -> Partition:
    these = village_of(records)
    return partition(these, resolve(model, these.features, these.sources))


@pytest.fixture(scope="module")
def found(model: Model, village: Village) -> Resolution:
    return resolve(model, village.features, village.sources)


def test_the_village_is_put_together_without_joining_two_people(village: Village, found: Resolution) -> None:
    truth, clusters = village.truth, found.cluster.tolist()
    together = {(a, b) for a in range(len(truth)) for b in range(a + 1, len(truth)) if clusters[a] == clusters[b]}
    true = {(a, b) for a in range(len(truth)) for b in range(a + 1, len(truth)) if truth[a] == truth[b]}
    assert len(together - true) <= len(together) * 0.0005
    assert len(together & true) >= len(true) * 0.97


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_arrival_changes_nothing(model: Model, village: Village, found: Resolution, seed: int) -> None:
    records = list(village.records)
    random.Random(seed).shuffle(records)
    assert resolved(model, records) == partition(village, found)


@pytest.mark.parametrize("holders_at_once", [250_000, 7])
def test_resolving_again_narrow_or_in_small_parts_changes_nothing(
    model: Model, village: Village, found: Resolution, monkeypatch: pytest.MonkeyPatch, holders_at_once: int
) -> None:
    monkeypatch.setattr(resolving, "_HOLDERS_AT_ONCE", holders_at_once)
    features = narrow(village.features)
    assert pl.Categorical in features.dtypes
    assert plain(features).equals(village.features)
    again = resolve(model, features, village.sources)
    assert again.cluster.tolist() == found.cluster.tolist()
    assert again.near == found.near
    assert again.joins.equals(found.joins)


def test_records_deleted_and_put_back_end_where_they_were(model: Model, village: Village, found: Resolution) -> None:
    gone = set(random.Random(3).sample(range(len(village.records)), 60))
    rest = [record for row, record in enumerate(village.records) if row not in gone]
    without = resolved(model, rest)
    assert without != partition(village, found)
    assert resolved(model, [*rest, *(village.records[row] for row in gone)]) == partition(village, found)


def test_whoever_is_in_another_component_changes_nothing(model: Model, village: Village, found: Resolution) -> None:
    components = sorted(set(found.component.tolist()))
    half = set(components[::2])
    kept = [record for row, record in enumerate(village.records) if int(found.component[row]) in half]
    names = {f"{record.source}|{record.key}" for record in kept}
    assert resolved(model, kept) == {cluster for cluster in partition(village, found) if cluster <= names}


@pytest.mark.parametrize("join_bits", [0.0, -8.0, -30.0])
def test_no_cluster_holds_two_valid_numbers_or_two_rows_of_a_register_declared_unique(
    model: Model, village: Village, join_bits: float
) -> None:
    """Even where the cut is so low that almost anybody would join."""
    loose = resolve(model.with_cuts(Cuts(join_bits, join_bits - 5)), village.features, village.sources)
    numbers, rows = village.features["citizen_id__code"].to_list(), list(village.records)
    held: dict[int, set[str]] = {}
    unique: dict[int, int] = {}
    for row, cluster in enumerate(loose.cluster.tolist()):
        if numbers[row] is not None:
            held.setdefault(cluster, set()).add(numbers[row])
        unique[cluster] = unique.get(cluster, 0) + (rows[row].source == "population")
    assert max(len(each) for each in held.values()) == 1
    assert max(unique.values()) == 1


def test_a_steward_may_join_what_rules_forbid_and_keep_apart_what_they_join(model: Model, village: Village, found: Resolution) -> None:
    clusters = found.cluster.tolist()
    one = next((int(clusters[row]), row) for row in range(len(clusters)) if clusters[row] != row)
    population = [row for row, record in enumerate(village.records) if record.source == "population"]
    two = (population[0], population[1])
    judged = Judged(same=frozenset({two}), apart=frozenset({one}))
    after = resolve(model, village.features, village.sources, judged).cluster.tolist()
    assert after[two[0]] == after[two[1]]
    assert after[one[0]] != after[one[1]]


LIMIT = 4  # in place of 300, so that a village has components too large to link whole


def loosely(model: Model) -> Model:
    """One whose pairs hang together from so far below the cut that half a village does."""
    return model.with_cuts(Cuts(0.0, -12.0))


def test_components_too_large_to_link_whole_are_cut_the_same_in_any_order(
    model: Model, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = loosely(model)
    whole = resolve(loose, village.features, village.sources)
    assert whole.counts["largest_component"] > 2 * LIMIT
    monkeypatch.setattr(grouping, "LARGEST_COMPONENT", LIMIT)
    cut = partition(village, resolve(loose, village.features, village.sources))
    assert cut != partition(village, whole)
    for seed in range(2):
        records = list(village.records)
        random.Random(seed).shuffle(records)
        assert resolved(loose, records) == cut
        numbers = list(range(len(records)))  # other keys: every record has another place, and ties fall elsewhere
        renamed = [replace(record, key=f"{n:05d}") for n, record in zip(numbers, records, strict=True)]
        names = {f"{new.source}|{new.key}": f"{old.source}|{old.key}" for new, old in zip(renamed, records, strict=True)}
        assert {frozenset(names[name] for name in cluster) for cluster in resolved(loose, renamed)} == cut


def test_columns_never_call_undoubted_what_is_doubted_pair_by_pair(model: Model, village: Village) -> None:
    rules, draw = Rules(model.plan), random.Random(5)
    of_one = [row for row, truth in enumerate(village.truth) if village.truth.count(truth) > 1]
    left = of_one + [draw.randrange(len(village.truth)) for _ in range(3000)]
    right = [draw.choice([other for other in of_one if village.truth[other] == village.truth[row]]) for row in of_one]
    right += [draw.randrange(len(village.truth)) for _ in range(3000)]
    features = village.features.select(model.plan.columns)
    doubted = [rules.doubt(a, b) for a, b in zip(features[left].rows(), features[right].rows(), strict=True)]
    columns = features.select(rules.doubt_columns)
    both = pl.concat([columns[left], columns[right].rename(lambda name: f"{name}_r")], how="horizontal")
    undoubted = rules.undoubted_frame(both).to_list()
    assert not any(a and b for a, b in zip(doubted, undoubted, strict=True))
    assert all(undoubted[n] or doubted[n] for n in range(len(of_one)) if left[n] == right[n])
    assert sum(undoubted[: len(of_one)]) > len(of_one) * 0.8  # few are left to be asked one by one


# Whom not to join -------------------------------------------------------------------------------------------

HOME = {"commune_code": "24111", "address": "số 7 đường Lê Lợi, tổ 2", "phone": "0905000111"}


def someone(source: str, key: str, name: str | None, born_on: str | None, **values: str | None) -> Record:
    return Record(source, key, 0, {"full_name": name, "born_on": born_on, "sex": "nam", **HOME, **values})


def joined(model: Model, *records: Record) -> bool:
    return len(resolved(model, records)) == 1


def test_one_person_in_two_registers_is_joined(model: Model) -> None:
    assert joined(model, someone("clinic", "1", "nguyen van minh", "1980-04-12"), someone("poor", "2", "Nguyễn Văn Minh", "1980-04-12"))


@pytest.mark.parametrize("others", [(), (("land", "3"), ("land", "4"))])
def test_a_cut_of_two_registers_counts_for_their_pairs_alone(model: Model, others: tuple[tuple[str, str], ...]) -> None:
    """Whether two records stand alone or in a component of several."""
    name, born_on = "Nguyễn Văn Minh", "1980-04-12"
    these = village_of([someone(source, key, name, born_on) for source, key in (("clinic", "1"), ("poor", "2"), *others)])
    bits = model.scorer().score(*these.features.select(model.plan.columns).rows()[:2])

    def clusters(**by_registers: float) -> set[int]:
        cuts = Cuts(bits + 1, bits - 2, {pair.replace("_", "|"): at for pair, at in by_registers.items()})
        return set(resolve(model.with_cuts(cuts), these.features, these.sources).cluster.tolist())

    assert len(clusters()) == len(these.records)
    assert len(clusters(clinic_insurance=bits - 1)) == len(these.records)
    assert len(clusters(clinic_poor=bits - 1)) == len(these.records) - 1
    assert len(clusters(clinic_poor=bits + 0.1)) == len(these.records)


def test_twins_with_numbers_are_not_joined(model: Model) -> None:
    one = someone("insurance", "1", "Nguyễn Văn Minh", "2010-04-12", citizen_id="066000777881")
    other = someone("population", "2", "Nguyễn Văn Hải", "2010-04-12", citizen_id="066000777882")
    assert not joined(model, one, other)


@pytest.mark.parametrize("apart", [frozenset[tuple[int, int]](), frozenset({(0, 1)})])
def test_a_number_with_one_wrong_digit_joins_nobody_and_a_person_is_asked(model: Model, apart: frozenset[tuple[int, int]]) -> None:
    one = someone("clinic", "1", "Nguyễn Văn Minh", "1980-04-12", citizen_id="066080777881")
    these = village_of([one, replace(one, source="population", values={**one.values, "citizen_id": "066080777831"})])
    asking = model.with_cuts(Cuts(1.0, -1.0))
    result = resolve(asking, these.features, these.sources, Judged(apart=apart))
    assert len(set(result.cluster.tolist())) == 2
    assert [near.why for near in result.near] == ([] if apart else ["identifier"])  # a steward who said they are two is not asked again
    said = resolve(asking, these.features, these.sources, Judged(same=frozenset({(0, 1)})))
    assert len(set(said.cluster.tolist())) == 1


@pytest.mark.parametrize(
    "other", [{"citizen_id": "066080777832"}, {"born_on": "1980-04-13"}, {"full_name": "Nguyễn Văn Mình Anh"}, {"born_on": None}]
)
def test_nobody_is_asked_about_numbers_of_two_people(model: Model, other: dict[str, str | None]) -> None:
    one = someone("clinic", "1", "Nguyễn Văn Minh", "1980-04-12", citizen_id="066080777881")
    these = village_of([one, replace(one, source="population", values={**one.values, "citizen_id": "066080777831", **other})])
    result = resolve(model.with_cuts(Cuts(1.0, -1.0)), these.features, these.sources)
    assert len(set(result.cluster.tolist())) == 2
    assert not result.near


def test_twins_without_numbers_are_not_joined(model: Model) -> None:
    assert not joined(model, someone("clinic", "1", "Nguyễn Văn Minh", "2010-04-12"), someone("poor", "2", "Nguyễn Văn Hải", "2010-04-12"))


def test_father_and_son_of_one_name_are_not_joined(model: Model) -> None:
    assert not joined(model, someone("clinic", "1", "Nguyễn Văn Minh", "1958-04-12"), someone("poor", "2", "Nguyễn Văn Minh", "1985-11-02"))


def test_a_family_is_not_joined_by_one_number_typed_for_all(model: Model) -> None:
    number = "066000777888"
    family = [
        someone("insurance", "1", "Nguyễn Văn Minh", "1958-04-12", citizen_id=number),
        someone("insurance", "2", "Trần Thị Hoa", "1961-09-30", citizen_id=number, sex="nữ"),
        someone("insurance", "3", "Nguyễn Đức Hải", "1985-11-02", citizen_id=number),
        someone("clinic", "4", "Nguyễn Ngọc Lan", "1990-01-25", citizen_id=number, sex="nữ"),
    ]
    assert len(resolved(model, family)) == 4


def test_a_mothers_number_on_her_child_does_not_join_them_and_is_shown(model: Model) -> None:
    mother = someone("population", "1", "Trần Thị Hoa", "1981-09-30", citizen_id="066000777889", sex="nữ")
    child = someone("clinic", "2", "Nguyễn Đức Hải", "2012-11-02", citizen_id="066000777889")
    these = village_of([mother, child])
    result = resolve(model, these.features, these.sources)
    assert len(set(result.cluster.tolist())) == 2
    assert [near.why for near in result.near] == ["identifier"]
    said = resolve(model, these.features, these.sources, Judged(apart=frozenset({(0, 1)})))
    assert not said.near  # a steward who said they are two is not asked again


def test_kin_are_not_joined_by_all_they_share(model: Model) -> None:
    assert not joined(model, someone("clinic", "1", None, None), someone("poor", "2", None, None))


def test_sex_and_year_both_different_are_never_joined(model: Model) -> None:
    loose = model.with_cuts(Cuts(-40.0, -40.0))
    one, other = someone("clinic", "1", "Nguyễn Minh Hòa", "1980-04-12"), someone("poor", "2", "Nguyễn Minh Hòa", "1985-04-12", sex="nữ")
    assert not joined(loose, one, other)
    assert joined(loose, one, replace(other, values={**other.values, "sex": "nam"}))


OF_EACH_KIND = {
    "person_name": "Nguyễn Văn {}",
    "given_name": "{}",
    "surname": "{}",
    "text": "Chợ {}",
    "organisation_name": "Công ty TNHH {}",
    "date": "19{}-03-12",
    "year": "19{}",
    "identifier": "0400800000{}",
    "phone": "09123456{}",
    "code": "A{}",
    "number": "{}",
    "place": "241{}",
    "address": "{} Lê Lợi",
}


@pytest.mark.parametrize(
    "kinds", [(kind,) for kind in OF_EACH_KIND] + [("text", "number"), ("organisation_name", "address"), ("year", "phone")]
)
def test_records_of_any_one_kind_of_value_can_be_matched(kinds: tuple[str, ...]) -> None:
    """A list of goods has neither names nor births; nothing may take one or the other for granted."""
    spelt = ["an", "binh", "cuong", "dung", "giang", "hanh", "khanh", "lan", "minh", "nga"]
    values = {
        kind: [OF_EACH_KIND[kind].format(spelt[n] if "name" in kind or kind == "text" else f"{n}{n}") for n in range(10)] * 3
        for kind in kinds
    }
    plan = plan_of_columns({kind: kind for kind in kinds})
    features = plan.feature_frame(pl.DataFrame(values))
    learnt = replace(train(plan, features, "test"), prior_bits=5.0)  # so that what is the same is joined, however little it says
    found = resolve(learnt, features, ["goods"] * 30)
    assert all(found.cluster[n] == found.cluster[n + 10] for n in range(10))


def test_classes_alone_find_nobody_and_that_is_said() -> None:
    plan = plan_of_columns({"sex": "category", "trade": "category"})
    with pytest.raises(Unprocessable, match="By sex, trade alone nobody is found"):
        train(plan, plan.feature_frame(pl.DataFrame({"sex": ["1", "2"], "trade": ["a", "b"]})), "test")


RUBBISH = (None, "", "-", "\x00", "'; drop table x", "đ", "漢字", "١٢", "=1+1", "%", "1" * 400, "31/12/1999", "01>02")


@pytest.mark.parametrize("seed", range(5))
def test_any_list_is_learnt_from_and_bulk_and_single_say_the_same_of_it(seed: int) -> None:
    """Few rows, repeated kinds, empty columns, rubbish in cells: a list is matched, and a pair weighs the same either way."""
    chance = random.Random(seed)
    kinds = {f"c{n}": chance.choice(sorted(OF_EACH_KIND)) for n in range(chance.randint(1, 5))}
    size = (2, 3, 12, 40, 120)[seed]

    def cell(kind: str) -> str | None:
        return chance.choice(RUBBISH) if chance.random() < 0.2 else OF_EACH_KIND[kind].format(chance.randint(10, 19))

    rows = [[cell(kind) for kind in kinds.values()] for _ in range(size)]
    rows += [list(chance.choice(rows)) for _ in range(size)] if size > 2 else []
    plan = plan_of_columns(kinds, identifiers=[name for name, kind in kinds.items() if kind == "identifier"])
    features = plan.feature_frame(pl.DataFrame(rows, schema=dict.fromkeys(kinds, pl.String), orient="row"))
    sources = pl.Series("source", sorted(chance.choice("ab") for _ in rows))
    learnt = train(plan, features, "test", sources)
    learnt = learnt.with_cuts(choose_cuts(learnt, features, sources))
    assert resolve(learnt, features, sources).counts["records"] == len(rows)
    weighed = with_weight(
        resolving.duckdb_engine(learnt, features).weights(candidate_pairs(plan, learnt.blocking, features, sources)), learnt
    )
    scorer, each = learnt.scorer(), features.rows()
    for left, right, weight in weighed.select("left", "right", "weight").rows():
        assert scorer.score(each[left], each[right]) == pytest.approx(weight, abs=1e-9)
