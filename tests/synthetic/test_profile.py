"""A profile says what is usual and nothing of anyone; what is invented with it is alike and holds no real value."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Sensitivity
from lienthong.errors import Unprocessable
from lienthong.synthetic import SMALLEST_COUNT, TYPES, Profile, invent, profile_of
from tests.factories import contracts_of_the_province
from tests.quality.factories import make_contract, make_property
from tests.synthetic.factories import TODAY

ROOT = Path(__file__).parents[2]
PERSONS = contracts_of_the_province()["population.persons"]
COUNT = 400


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    """Rows of which every personal text is unlike anything else in the world."""
    draw = random.Random(5)
    rows = [
        {
            "record_no": f"{n:010d}", "citizen_id": f"0750{70 + n % 20}{n:06d}", "full_name": f"Zqx Người Thật {n}", "born_on": date(1950, 1, 1) + timedelta(draw.randrange(20_000)),
            "birth_year": 1980, "sex": "F" if n % 10 < 7 else "M", "ethnic_group": "Zqx dân tộc hiếm" if n < 4 else "Kinh", "commune_code": "25195",
            "household_code": f"ZQX{n}", "address": f"Zqx nhà {n}", "phone": f"09{n:08d}", "residence_state": "permanent" if n % 20 else "dead",
            "updated_on": date(2025, 1, 1) + timedelta(draw.randrange(100)),
        }
        for n in range(COUNT)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={p.name: TYPES[p.logical_type] for p in PERSONS.properties})


def test_no_personal_text_is_in_a_profile_or_in_what_is_made_with_it(real: pl.DataFrame) -> None:
    profile = profile_of(real, PERSONS)
    told = json.dumps(profile.document(), ensure_ascii=False)
    assert "Zqx" not in told
    assert "ZQX" not in told
    invented = invent(PERSONS, COUNT, 9, TODAY, profile=profile)
    for name in ("record_no", "citizen_id", "full_name", "household_code", "address", "phone"):
        assert not set(invented[name].drop_nulls()) & set(real[name].drop_nulls()), name


def test_what_is_invented_is_alike(real: pl.DataFrame) -> None:
    invented = invent(PERSONS, 2_000, 9, TODAY, profile=profile_of(real, PERSONS))
    dead = invented.filter(pl.col("residence_state") == "dead").height / invented.height
    assert dead == pytest.approx(0.05, abs=0.02)
    days = [invented["updated_on"].dt.epoch("d").quantile(q) for q in (0.1, 0.5, 0.9)]
    wanted = [real["updated_on"].dt.epoch("d").quantile(q) for q in (0.1, 0.5, 0.9)]
    assert days == pytest.approx(wanted, abs=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdef") | st.none(), max_size=80), st.booleans())
def test_nothing_is_told_of_fewer_than_ten(values: list[str | None], is_personal: bool) -> None:
    kind = Sensitivity.PERSONAL if is_personal else Sensitivity.PUBLIC
    contract = make_contract(make_property("key", key_position=1), make_property("value", sensitivity=kind))
    frame = pl.DataFrame({"key": [str(n) for n in range(len(values))], "value": values}, schema={"key": pl.String, "value": pl.String})
    profile = profile_of(frame, contract)
    found = profile.of("value")
    if len(values) < SMALLEST_COUNT:
        assert found is None
        return
    assert found is not None
    missing = values.count(None)
    assert found.nulls in (0.0, 1.0) or min(missing, len(values) - missing) >= SMALLEST_COUNT
    assert not (is_personal and found.shares)
    assert all(values.count(value) >= SMALLEST_COUNT for value in found.shares)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=10, max_size=200, unique=True))
def test_numbers_are_told_as_means_of_ten_or_more(values: list[int]) -> None:
    contract = make_contract(make_property("key", key_position=1), make_property("value", "integer", sensitivity=Sensitivity.SENSITIVE))
    frame = pl.DataFrame({"key": [str(n) for n in range(len(values))], "value": values})
    found = profile_of(frame, contract).of("value")
    assert found is not None
    assert len(found.knots) <= len(values) // SMALLEST_COUNT
    assert list(found.knots) == sorted(found.knots)
    assert min(values) < found.knots[0]
    assert found.knots[-1] < max(values)


def test_a_profile_is_read_as_it_was_written(real: pl.DataFrame) -> None:
    profile = profile_of(real, PERSONS)
    assert Profile.read(json.loads(json.dumps(profile.document()))) == profile


@pytest.mark.parametrize(
    "document", [[], {"a": 1}, {"a": {"nulls": "x", "shares": {}, "knots": []}}, {"a": {"nulls": 0, "shares": [], "knots": []}}]
)
def test_what_is_no_profile_is_refused(document: object) -> None:
    with pytest.raises(Unprocessable):
        Profile.read(document)
