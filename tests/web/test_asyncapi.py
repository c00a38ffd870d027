"""Every dataset's events are described by a valid AsyncAPI 3.0 document that says what is really sent."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from starlette.testclient import TestClient

from lienthong.contracts import Contract
from lienthong.web.asyncapi import describe
from tests.factories import contracts_of_the_province
from tests.web.counters import make_app, make_province

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(gzip.decompress((ROOT / "tests/vectors/asyncapi-3.0.0.schema.json.gz").read_bytes()))
CONTRACTS = contracts_of_the_province()
BASE = "https://lienthong.example.gov.vn"


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.id)
def test_every_dataset_has_a_valid_document(contract: Contract) -> None:
    document = json.loads(json.dumps(describe(contract, BASE)))
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    for ref in refs(document):
        found: Any = document
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]


def refs(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [part["$ref"]] if "$ref" in part else [ref for each in part.values() for ref in refs(each)]
    return [ref for each in part for ref in refs(each)] if isinstance(part, list) else []


def test_a_document_that_is_wrong_does_not_validate() -> None:
    document = json.loads(json.dumps(describe(next(iter(CONTRACTS.values())), BASE)))
    document["operations"]["tellByStream"]["action"] = "shout"
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(document)


def test_it_is_served_as_json_and_yaml(database_url: str, tmp_path: Path) -> None:
    province = make_province(database_url, tmp_path)
    with TestClient(make_app(province)) as client:
        first = client.get("/v1/datasets/test.people/asyncapi.json")
        second = client.get("/v1/datasets/test.people/asyncapi.yaml")
        assert first.json() == yaml.safe_load(second.text)
        assert client.get("/v1/datasets/test.none/asyncapi.json").status_code == 404
        assert "record_inserted" in first.json()["components"]["schemas"]
