"""An index that joins by itself is reviewed again and again: who lets it be for long is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lienthong.errors import Conflict
from lienthong.pipeline import Workshop, match_all, reviewing, stewarding
from lienthong.pipeline.alert_rules import Rule, read_rules
from lienthong.pipeline.alerting import watch
from lienthong.pipeline.matching import EntityIndex
from lienthong.pipeline.readings import Readings
from lienthong.store import reviewing as store
from lienthong.store.alerts import list_alerts
from tests.registers import INSURANCE, POPULATION, model_of, person_entity
from tests.templates import Template

RULES = [rule for rule in read_rules() if rule.kind == "review_late"]
BEGUN = "select min(from_at) from match_judgements where entity = 'person'"


@pytest.fixture
def place(matched_template: Template) -> Iterator[Workshop]:
    with matched_template.copy() as workshop:
        yield workshop


@pytest.fixture
def index(place: Workshop) -> EntityIndex:
    return EntityIndex(person_entity(place), model_of(place))


def begun(place: Workshop) -> datetime:
    """When the index first joined records by itself."""
    with place.database.connect() as connection:
        row = connection.execute(BEGUN).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def at(place: Workshop, now: datetime) -> Workshop:
    return replace(place, clock=lambda: now)


def watched(place: Workshop, now: datetime, home: Path, rules: list[Rule] = RULES, readings: Readings | None = None) -> list[Any]:
    """What stands after the rules were judged at an instant."""
    watch(at(place, now), rules, home, readings=readings)
    with place.database.connect() as connection:
        return [alert for alert in list_alerts(connection, None, None, 100) if alert.kind == "review_late" and alert.state != "closed"]


def review(place: Workshop, index: EntityIndex, now: datetime, *by: str) -> int:
    """Draw pairs at an instant, and have these persons look at all of theirs; gives the review."""
    then = at(place, now)
    drawn = reviewing.draw(then, index, 20, 1, by[0] if by else "can-bo-a")
    for who in by:
        for item in reviewing.next_items(then, index, who, 1_000):
            reviewing.say(then, index, item.item, "same", who)
    return drawn


def test_the_built_in_term_is_ninety_days() -> None:
    assert [(rule.id, rule.severity, rule.limits) for rule in RULES] == [("review-late", "warning", {"days": 90})]


def test_an_index_that_has_joined_for_long_and_was_never_reviewed_is_told_of(place: Workshop, tmp_path: Path) -> None:
    since, readings = begun(place), Readings()
    assert watched(place, since + timedelta(days=90), tmp_path, readings=readings) == []
    (alert,) = watched(place, since + timedelta(days=91), tmp_path, readings=readings)
    assert (alert.subject, alert.agency) == ("master.person", place.contracts["master.person"].agency)
    assert alert.figures == {"days": 91, "limit_days": 90}
    (alert,) = watched(place, since + timedelta(days=100), tmp_path, readings=readings)
    assert alert.figures["days"] == 100, "one alert, which tells how far it has gone"


def test_matching_everything_anew_is_no_review(place: Workshop, index: EntityIndex, tmp_path: Path) -> None:
    since = begun(place)
    match_all.match_all(at(place, since + timedelta(days=80)), index.entity, index.model)
    (alert,) = watched(place, since + timedelta(days=91), tmp_path)
    assert alert.figures["days"] == 91


def test_another_term_is_a_line_of_the_rules(place: Workshop, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {id: soon, kind: review_late, severity: note, days: 7}", encoding="utf-8")
    assert watched(place, begun(place) + timedelta(days=7), tmp_path, list(read_rules(rules))) == []
    (alert,) = watched(place, begun(place) + timedelta(days=8), tmp_path, list(read_rules(rules)))
    assert (alert.rule, alert.severity, alert.figures) == ("soon", "note", {"days": 8, "limit_days": 7})


def test_a_review_gone_through_lets_the_alert_pass_until_it_is_old(place: Workshop, index: EntityIndex, tmp_path: Path) -> None:
    late = begun(place) + timedelta(days=120)
    assert len(watched(place, late, tmp_path)) == 1
    review(place, index, late)
    assert len(watched(place, late + timedelta(hours=1), tmp_path)) == 1, "a review that was only drawn tells nothing"
    review(place, index, late + timedelta(days=1), "can-bo-a")
    assert len(watched(place, late + timedelta(days=2), tmp_path)) == 1, "some pairs go to a second person"
    review(place, index, late + timedelta(days=2), "can-bo-a", "can-bo-b")
    assert watched(place, late + timedelta(days=3), tmp_path) == []
    assert watched(place, late + timedelta(days=92), tmp_path) == []
    (alert,) = watched(place, late + timedelta(days=93), tmp_path)
    assert alert.figures["days"] == 91, "from when its pairs were drawn"
    review(place, index, late + timedelta(days=93))
    assert len(watched(place, late + timedelta(days=94), tmp_path)) == 1, "a new one that nobody looked at does not make the old one young"


def test_who_watches_again_looks_for_the_first_join_once(place: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, readings = [], Readings()
    joined_since = store.joined_since
    monkeypatch.setattr(store, "joined_since", lambda *said: looked.append(said[1]) or joined_since(*said))  # type: ignore[func-returns-value]
    for days in (10, 91, 92):
        watched(place, begun(place) + timedelta(days=days), tmp_path, readings=readings)
    assert looked == ["person"]


def test_an_index_that_joins_nothing_by_itself_has_nothing_to_review(place: Workshop, index: EntityIndex, tmp_path: Path) -> None:
    since = begun(place)
    assert len(watched(place, since + timedelta(days=91), tmp_path)) == 1
    one = (POPULATION, "7000000001"), (POPULATION, "7000000003")
    with pytest.raises(Conflict, match="second person"):
        stewarding.decide(place, index, *one, "same", "can-bo-a", "một người")
    stewarding.decide(place, index, *one, "same", "can-bo-b", "một người")
    with place.database.connect() as connection:
        connection.execute(
            "update match_judgements set to_at = %s where to_at is null and kind <> 'steward'", (since + timedelta(days=91),)
        )
        assert not store.joins_stand(connection, [POPULATION, INSURANCE]), "a person's word is no automatic join"
    assert watched(place, since + timedelta(days=92), tmp_path) == []


def test_an_empty_index_is_not_told_of(empty_province: Workshop, tmp_path: Path) -> None:
    assert watched(empty_province, empty_province.clock() + timedelta(days=1_000), tmp_path) == []
