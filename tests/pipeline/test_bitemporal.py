"""Whatever is delivered in whatever order, the store answers both questions as a plain replay would: what was true, what was known."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.contracts import Contract
from lienthong.pipeline import Workshop, run_dataset
from tests.factories import PEOPLE, make_contract, make_property, make_workshop
from tests.pipeline.test_run import rows_of

DAY_ONE = date(2026, 1, 1)
KEYS = ("A", "B")
State = tuple[int, date]  # children, since

deliveries = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=2), min_size=1, max_size=6
)

AS_OF = """
select _key, children from (
    select _key, children, _valid_from, null::date as _valid_to, _version, null::integer as _version_to from data.test_people
    union all
    select _key, children, _valid_from, _valid_to, _version, _version_to from data.test_people_history
) as states
where _version <= {known} and (_version_to is null or _version_to > {known})
    and _valid_from <= '{on}' and (_valid_to is null or _valid_to > '{on}')
order by 1
"""


class Replay:
    """The same promise kept the slow way: for each key, what is believed for each day."""

    def __init__(self) -> None:
        self.days: dict[str, dict[date, int | None]] = {key: {} for key in KEYS}
        self.now: dict[str, State] = {}

    def deliver(self, rows: dict[str, State], on: date) -> bool:
        """Apply one snapshot; tells whether anything changed."""
        changed = False
        for key in KEYS:
            state, held = rows.get(key), self.now.get(key)
            if state == held:
                continue
            changed = True
            begins = on if state is None else state[1]
            for day in self._days_from(begins):
                self.days[key][day] = None if state is None else state[0]
            if state is None:
                del self.now[key]
            else:
                self.now[key] = state
        return changed

    def at(self, day: date) -> list[tuple[str, int]]:
        return [(key, value) for key in KEYS if (value := self.days[key].get(day)) is not None]

    @staticmethod
    def _days_from(begins: date) -> list[date]:
        return [DAY_ONE + timedelta(n) for n in range(30) if DAY_ONE + timedelta(n) >= begins]


@pytest.fixture
def workshop(database_url: str) -> Workshop:
    return make_workshop(database_url)


def fresh(workshop: Workshop, folder: str) -> tuple[Contract, Path]:
    with workshop.database.connect() as connection:
        connection.execute("drop schema data cascade; drop schema lienthong cascade")
    workshop.database.apply_schema()
    file = Path(folder) / "people.csv"
    contract = make_contract(str(file), properties=(*PEOPLE, make_property("since", "date", required=True)), valid_from="since")
    with_contract = make_workshop(workshop.database.url, contract)
    assert with_contract.contracts
    return contract, file


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=deliveries)
def test_every_day_as_known_at_every_version_reads_as_a_replay_says(workshop: Workshop, plan: list[dict[str, tuple[int, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        contract, file = fresh(workshop, folder)
        replay, version, expected = Replay(), 0, {}
        for number, delivery in enumerate(plan):
            on = DAY_ONE + timedelta(10 + number)
            rows = {key: (children, DAY_ONE + timedelta(since)) for key, (children, since) in delivery.items()}
            lines = [f"{key},Tên,1980-01-01,{children},{since}" for key, (children, since) in rows.items()]
            file.write_text("\n".join(["record_no,full_name,born_on,children,since", *lines]) + "\n", encoding="utf-8")
            outcome = run_dataset(workshop, contract, delivered_on=on)
            if replay.deliver(rows, on):
                version += 1
                assert outcome.version == version
                expected[version] = {day: replay.at(DAY_ONE + timedelta(day)) for day in range(0, 18, 2)}
        for known, days in expected.items():
            for day, states in days.items():
                asked = AS_OF.format(known=known, on=DAY_ONE + timedelta(day))
                assert rows_of(workshop.database, asked) == states, (known, day)
