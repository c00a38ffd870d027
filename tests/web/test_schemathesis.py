"""The API keeps to its own description, whatever is sent: no 5xx, no undescribed status, no answer of another shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.python.asgi import get_client

from lienthong.web.openapi import describe
from tests.conftest import fresh_database
from tests.web.counters import EVERYTHING, URL, Province, asking, make_app, make_province

# Cursors are sealed, purposes agreed, expressions in a language of their own: nobody can make one up.
LEFT_OUT = ("cursor", "after", "Lienthong-Purpose", "$skiptoken", "pageToken", "$filter", "$orderby")
ENDLESS = ("/v1/events",)  # a right answer never ends; tests/web/test_events.py asks wrongly
EXAMPLES, EXAMPLES_DEEP = 4, 16  # of each operation, half of them wrong on purpose; there are hundreds of operations


@pytest.fixture(scope="module")
def province(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with fresh_database(postgres_server) as url:
        yield make_province(url, Path(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[Any]:
    with get_client(make_app(province)) as opened:  # type: ignore[arg-type] # the same three things under other names
        yield opened


def described(province: Province) -> Any:
    """The description without what only an earlier answer or an agreement can give."""
    raw = describe([province.people, province.codes], URL)
    for operations in raw["paths"].values():
        for operation in operations.values():
            operation["parameters"] = [p for p in operation.get("parameters", ()) if p["name"] not in LEFT_OUT]
    schema = schemathesis.openapi.from_dict(raw)
    checks = schema.config.checks
    checks.positive_data_acceptance.expected_statuses = [
        *checks.positive_data_acceptance.expected_statuses,
        "422",
    ]  # a rule of the contract
    checks.missing_required_header.expected_statuses = [*checks.missing_required_header.expected_statuses, "428"]  # RFC 6585: If-Match
    return schema


@pytest.mark.timeout(900)
def test_the_api_keeps_to_its_description(province: Province, client: Any, pytestconfig: pytest.Config) -> None:
    examples = EXAMPLES if pytestconfig.getoption("--hypothesis-profile") is None else EXAMPLES_DEEP
    schema = described(province)
    schema.app = client.app
    headers = {name: value for name, value in asking(EVERYTHING).items() if name != "Lienthong-Official"}
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ENDLESS:
            continue

        @given(case=st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE)))
        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
        def keeps(case: Any) -> None:
            case.call_and_validate(session=client, headers=headers)

        keeps()
        tried += 1
    assert tried > 10
