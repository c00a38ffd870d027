"""The API's description is valid, and comes from the contracts."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

from lienthong.contracts import Contract, Sensitivity, Sharing
from lienthong.web.openapi import describe
from tests.factories import make_contract, make_property

PEOPLE = make_contract(
    id="test.people",
    properties=(
        make_property("no", key_position=1, required=True, sensitivity=Sensitivity.PERSONAL),
        make_property("born_on", "date", sensitivity=Sensitivity.PERSONAL, examples=("1980-03-07",)),
        make_property("size", "number"),
        make_property("alive", "boolean"),
        make_property("seen_at", "timestamp"),
    ),
)
OPEN = make_contract(id="test-open.code-list", sharing=Sharing.OPEN)


@pytest.mark.parametrize("contracts", [[], [PEOPLE], [PEOPLE, OPEN]])
def test_the_description_is_valid_openapi(contracts: list[Contract]) -> None:
    validate(describe(contracts, "http://127.0.0.1:8000"))


def test_every_field_of_a_contract_is_described_and_no_other() -> None:
    schemas = describe([PEOPLE], "http://x")["components"]["schemas"]
    values = schemas["test_people_record"]["properties"]["values"]["properties"]
    assert list(values) == [p.name for p in PEOPLE.properties]
    assert values["size"]["type"] == ["number", "null"]


def test_only_open_data_needs_no_token() -> None:
    paths = describe([PEOPLE, OPEN], "http://x")["paths"]
    assert {} not in paths["/v1/datasets/test.people/records"]["get"]["security"]
    assert {} in paths["/v1/datasets/test-open.code-list/records"]["get"]["security"]
    assert {} not in paths["/v1/datasets/test-open.code-list/records"]["post"]["security"]
