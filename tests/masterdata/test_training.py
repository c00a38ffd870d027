"""What training must learn of a village, whatever the village."""

from __future__ import annotations

import logging
import random
import warnings
from contextlib import ExitStack

import polars as pl
import pytest

from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.model import Model
from lienthong.masterdata.plan import Plan, plan_of_columns
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.splinking import Trainer, quiet
from lienthong.masterdata.training import sessions, shared_comparisons, train
from tests.masterdata import people


def test_training_again_learns_the_same(model: Model, village: people.Village) -> None:
    again = train(village.plan, village.features, "test", village.sources)
    assert again.blocking.recipes == model.blocking.recipes
    for ours, theirs in zip(model.rungs, again.rungs, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.m == pytest.approx(other.m, rel=1e-6)
            assert one.u == pytest.approx(other.u, rel=1e-6)


def test_every_comparison_has_probabilities_that_sum_to_one(model: Model) -> None:
    for rungs in model.rungs:
        assert sum(rung.m for rung in rungs) == pytest.approx(1)
        assert sum(rung.u for rung in rungs) == pytest.approx(1)


def test_what_is_one_s_own_is_worth_more_when_it_agrees(model: Model) -> None:
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        if comparison.name in ("citizen_id", "old_id", "full_name", "born_on", "phone"):
            assert rungs[0].bits > 5
            assert rungs[-1].bits < -2


def test_a_rung_that_sinks_to_nothing_does_not_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun = Trainer._begun, []

    def watched(trainer: Trainer) -> object:
        begun.append(trainer)
        return begin(trainer)

    monkeypatch.setattr(Trainer, "_begun", watched)
    small = people.village(80, 3)  # in which one does
    train(small.plan, small.features, "test", small.sources)
    assert len(begun) > 1  # anew, and that session with fewer rounds


def test_names_beside_nothing_but_a_birth_are_learnt() -> None:
    chance = random.Random(5)
    rows = []
    for _ in range(900):
        given, family = chance.choice(people.GIVENS["nam"] + people.GIVENS["nữ"]), chance.choice(people.FAMILIES)
        born_on = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        rows.append((given, family, born_on))
        if chance.random() < 0.3:
            rows.append((given + "h" if chance.random() < 0.2 else given, family, born_on))
    plan = plan_of_columns({"given": "given_name", "family": "surname", "born_on": "date"})
    values = pl.DataFrame(rows, schema=["given", "family", "born_on"], orient="row")
    model = train(plan, plan.feature_frame(values), "test")
    of = {comparison.name: {rung.label: rung for rung in rungs} for comparison, rungs in zip(plan.comparisons, model.rungs, strict=True)}
    assert 0.6 < of["given"]["same"].m < 0.95  # a fifth is mistyped
    assert of["family"]["same"].m > 0.9
    assert of["family"]["different"].bits < -4


def test_goods_of_one_maker_and_line_are_not_one_because_they_share_both() -> None:
    """No kind says that a song's artist goes with its album; the records themselves do."""
    chance = random.Random(11)
    words = [f"{a}{b}{c}" for a in "bdglmnrst" for b in "aeiou" for c in "nrlt"]

    def title() -> str:
        return " ".join(chance.choice(words) for _ in range(3))

    rows, truth = [], []
    lengths = iter(chance.sample(range(90, 9000, 3), 900))  # no two songs by chance as long as each other
    for album in range(150):
        artist, name = title(), title()
        for song in range(6):
            called, length = title(), next(lengths)
            for _ in range(chance.choice([1, 1, 2])):
                slipped = called[:-1] if chance.random() < 0.3 else called
                rows.append((slipped, artist, name, str(length + chance.choice([0, 0, 1]))))
                truth.append(album * 6 + song)
    plan = plan_of_columns({"title": "text", "artist": "text", "album": "text", "length": "number"})
    features = plan.feature_frame(pl.DataFrame(rows, schema=["title", "artist", "album", "length"], orient="row"))
    model = train(plan, features, "test")
    assert model.shared >= {"artist", "album"}
    assert "title" not in model.shared
    found = resolve(model, features, ["one"] * len(rows)).cluster.tolist()
    wrong = sum(a < b and found[a] == found[b] and truth[a] != truth[b] for a in range(len(rows)) for b in range(len(rows)))
    assert wrong == 0
    assert len(set(found)) < len(rows)


def test_books_written_by_another_hand_are_found_by_title_or_by_authors_alone() -> None:
    """Two columns of words: who agrees in one of them need not agree in the other, whose words stand in another order or are missing."""
    chance = random.Random(5)
    words = [f"{a}{b}{c}" for a in "bdglmnrst" for b in "aeiou" for c in "nrlt"]
    rows, truth = [], []
    for book in range(400):
        title, authors = ([chance.choice(words) for _ in range(count)] for count in (6, 4))
        for copy in range(2):
            if copy:
                chance.shuffle(authors)
                authors = authors[: chance.choice([3, 4])]
                title = title if chance.random() < 0.8 else [*title[:-1], chance.choice(words)]
            rows.append((" ".join(title), ", ".join(authors), str(1990 + book % 10)))
            truth.append(book)
    plan = plan_of_columns({"title": "text", "authors": "text", "year": "category"})
    features = plan.feature_frame(pl.DataFrame(rows, schema=["title", "authors", "year"], orient="row"))
    found = resolve(train(plan, features, "test"), features, ["one"] * len(rows)).cluster.tolist()
    together = sum(found[n] == found[n + 1] for n in range(0, len(rows), 2))
    assert together > 390
    assert len(set(found)) == len(rows) - together  # and nobody else


def test_a_list_without_families_has_no_limit_of_households_and_one_with_families_has(model: Model) -> None:
    """Some share a name and a number of house by chance: that is no household."""
    chance = random.Random(1)  # with which chance alone makes some
    rows: list[tuple[str | None, ...]] = []
    for _ in range(800):
        given, family = chance.choice(people.GIVENS["nam"] + people.GIVENS["nữ"]), chance.choice(people.FAMILIES)
        born_on = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        rows.append((given, family, born_on, str(chance.randint(1, 150)), chance.choice(people.STREETS)))
        if chance.random() < 0.5:
            rows.append((given, family, born_on if chance.random() < 0.9 else None, *rows[-1][3:]))
    plan = plan_of_columns({"given": "given_name", "family": "surname", "born_on": "date", "house": "number", "street": "text"})
    values = pl.DataFrame(rows, schema=["given", "family", "born_on", "house", "street"], orient="row")
    assert train(plan, plan.feature_frame(values), "test").kin_bits == -1000
    assert model.kin_bits > -20


def test_few_pairs_rule_out_less_than_many() -> None:
    few, many = (_least_m(people.village(size, 7)) for size in (60, 600))
    assert few > many >= 1e-4


def _least_m(village: people.Village) -> float:
    model = train(village.plan, village.features, "test", village.sources)
    born_on = dict(zip((c.name for c in village.plan.comparisons), model.rungs, strict=True))["born_on"]
    return min(rung.m for rung in born_on)


def test_a_group_is_learnt_from_sessions_that_touch_none_of_it(village: people.Village) -> None:
    home = {"commune_code", "address"}
    assert any(not home & set(session.attributes) for session in sessions(village.plan, village.features))


def test_the_finest_agreement_of_a_group_counts(model: Model) -> None:
    one = {"commune_code": "24111", "address": "12 Lê Lợi"}
    home = next(p for p in model.scorer().explain(model.plan.features(one), model.plan.features(one)) if p.comparison == "home")
    assert home.label == "address same"


def rungs_of_home(model: Model) -> dict[str, float]:
    place = next(n for n, comparison in enumerate(model.plan.comparisons) if comparison.name == "home")
    return {rung.label: rung.bits for rung in model.rungs[place]}


def test_a_hamlet_alone_is_worth_what_the_registers_teach(model: Model, village: people.Village) -> None:
    some = people.hamlets_alone(village, "insurance")
    taught = rungs_of_home(train(some.plan, some.features, "test", some.sources))
    assert 1 < taught["address hamlet alone"] < taught["address same"]
    untaught = rungs_of_home(model)
    assert untaught["address hamlet alone"] == pytest.approx(untaught["address alike"])


def test_splink_stays_silent_until_the_last_who_uses_it_has_ended() -> None:
    logger = logging.getLogger("splink")
    before, first, second = logger.level, ExitStack(), ExitStack()
    first.enter_context(quiet())
    second.enter_context(quiet())
    first.close()
    assert logger.level == logging.CRITICAL
    second.close()
    assert logger.level == before


def test_a_contract_names_what_is_shared_where_nothing_is_ones_own_by_its_kind() -> None:
    attributes = (
        Attribute("title", "text", {}),
        Attribute("artist", "text", {"shared": True}),
        Attribute("home", "address", {"shared": True, "group": "place"}),
    )
    assert shared_comparisons(Plan("record", attributes)) == {"artist", "place"}


def test_to_differ_is_never_worth_anything_for_being_one() -> None:
    plan = plan_of_columns({"trade": "category", "phone": "phone"})
    features = plan.feature_frame(pl.DataFrame({"trade": ["a", "b"] * 50, "phone": [f"09{n // 2:08}" for n in range(100)]}))
    assert all(rungs[-1].bits <= 1e-9 for rungs in train(plan, features, "test").rungs)


def test_those_who_meet_in_large_groups_alone_set_no_limit_of_households() -> None:
    plan = plan_of_columns({"name": "person_name", "phone": "phone", "address": "address"})
    rows = [(f"nguyen van {chr(97 + n % 26)}{chr(97 + n % 7)}", f"091234567{n // 40}", f"so {n // 40}, ap 1") for n in range(160)]
    features = plan.feature_frame(pl.DataFrame(rows, schema=["name", "phone", "address"], orient="row"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a share of nothing
        assert train(plan, features, "test").kin_bits == -1000.0
