"""The words of master data are read whole or refused with their place; contracts of one folder agree on who is who."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Contract, MatchRole, SurvivorshipRule, Verdict, build, compare, load_all, source_name
from lienthong.contracts.vocabulary import KINDS
from lienthong.errors import ContractError
from tests.contracts.factories import PROPERTIES, make_document, put, with_word, word
from tests.contracts.test_load import ANYTHING, faults_of, found_in, places

ROLE: dict[str, Any] = {
    "entity": "person",
    "role": "member",
    "unique": True,
    "datedBy": "born_on",
    "by": ["record_no"],
    "unless": {"commune_code": "^00"},
    "attributes": {"full_name": "record_no", "born_on": ["born_on", "record_no"]},
}
MASTER: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "master.person",
    "name": "Con người",
    "version": "1.0.0",
    "status": "active",
    "schema": [
        {
            "name": "person",
            "properties": [
                {"name": "golden_id", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
                {
                    "name": "full_name",
                    "logicalType": "string",
                    "customProperties": [
                        word("match", {"kind": "person_name"}),
                        word("survivorship", [{"rule": "authority", "of": ["test.people#member"]}, "complete"]),
                    ],
                },
                {
                    "name": "born_on",
                    "logicalType": "string",
                    "customProperties": [
                        word("match", {"kind": "date", "apart": True, "group": "life", "pattern": "[0-9-]+"}),
                        word("survivorship", [{"rule": "prefer", "pattern": ".{10}"}]),
                    ],
                },
                {"name": "sex", "logicalType": "string", "customProperties": [word("match", {"kind": "category", "apart": True})]},
                {"name": "phone", "logicalType": "string", "customProperties": [word("match", {"kind": "phone"})]},
                {"name": "provenance", "logicalType": "string"},
            ],
        }
    ],
    "customProperties": [
        word("titleEn", "Person"),
        word("agency", "H10.11"),
        word("entity", "person"),
        word("layer", "master"),
        word("sharing", "restricted"),
    ],
}
FULL_NAME, BORN_ON, PROVENANCE = (*PROPERTIES, 1), (*PROPERTIES, 2), (*PROPERTIES, 5)


def make_master() -> Contract:
    return build(copy.deepcopy(MASTER), "master.yaml")


def master() -> dict[str, Any]:
    return copy.deepcopy(MASTER)


def matched(**changes: Any) -> dict[str, Any]:
    """The contract of people with a role, some of its words changed; a word changed to None is left out."""
    role = {name: value for name, value in {**copy.deepcopy(ROLE), **changes}.items() if value is not None}
    return with_word(make_document(), "match", [role])


def of_name(match: Any) -> dict[str, Any]:
    return put(master(), (*FULL_NAME, "customProperties", 0, "value"), match)


def chosen_by(rules: Any) -> dict[str, Any]:
    return put(master(), (*FULL_NAME, "customProperties", 1, "value"), rules)


def test_a_role_is_read() -> None:
    contract = build(matched(), "people.yaml")
    attributes = {"full_name": ("record_no",), "born_on": ("born_on", "record_no")}
    assert contract.match == (MatchRole("person", "member", True, "born_on", ("record_no",), attributes, {"commune_code": "^00"}),)


def test_records_are_called_by_their_dataset_and_role() -> None:
    contract = build(matched(), "people.yaml")
    assert source_name(contract, contract.match[0]) == "test.people#member"
    assert source_name(contract, MatchRole("person")) == "test.people"


def test_an_attribute_is_read_with_its_kind_its_options_and_its_rules() -> None:
    contract = make_master()
    born_on, full_name = contract.property_named("born_on"), contract.property_named("full_name")
    assert born_on.match is not None
    assert (born_on.match.kind, born_on.match.options) == ("date", {"apart": True, "group": "life", "pattern": "[0-9-]+"})
    assert full_name.survivorship == (SurvivorshipRule("authority", {"of": ("test.people#member",)}), SurvivorshipRule("complete"))
    assert contract.property_named("provenance").match is None


M = "customProperties.match[0]"
P = "schema[0].properties[1]"
BENT: Mapping[str, tuple[dict[str, Any], str, str]] = {  # what is bent → (document, place of the fault, what its words hold)
    "word of a role": (matched(atributes={}), f"{M}.atributes", "`attributes`"),
    "no entity": (matched(entity=None), f"{M}.entity", "missing"),
    "no attributes": (matched(attributes=None), f"{M}.attributes", "missing"),
    "role": (matched(role="Member 1"), f"{M}.role", "small letters"),
    "property of an attribute": (matched(attributes={"born_on": "born_no"}), f"{M}.attributes.born_on", "`born_on`"),
    "property of a household": (matched(by=["record_n"]), f"{M}.by", "`record_no`"),
    "property of unless": (matched(unless={"commune": "x"}), f"{M}.unless", "`commune_code`"),
    "pattern of unless": (matched(unless={"record_no": "(?<=x)y"}), f"{M}.unless.record_no", "no look-around"),
    "dated by nothing": (matched(datedBy="born"), f"{M}.datedBy", "`born_on`"),
    "dated by text": (matched(datedBy="record_no"), f"{M}.datedBy", "is no date"),
    "unique": (matched(unique="yes"), f"{M}.unique", "true or false"),
    "two roles of one name": (with_word(make_document(), "match", [ROLE, ROLE]), "customProperties.match", "a `role` of its own"),
    "kind": (of_name({"kind": "personname"}), f"{P}.match.kind", "`person_name`"),
    "option": (of_name({"kind": "text", "uniqe": True}), f"{P}.match.uniqe", "`unique`"),
    "flag": (of_name({"kind": "text", "weak": 1}), f"{P}.match.weak", "true or false"),
    "group": (of_name({"kind": "text", "group": 1}), f"{P}.match.group", "expected text"),
    "pattern": (of_name({"kind": "code", "pattern": "["}), f"{P}.match.pattern", "no regular expression"),
    "unique text": (of_name({"kind": "text", "unique": True}), f"{P}.match.unique", "only an identifier"),
    "a text of today": (of_name({"kind": "text", "today": True}), f"{P}.match.today", "only a place"),
    "parts of a text": (of_name({"kind": "text", "parted": True}), f"{P}.match.parted", "has parts that count"),
    "unique and weak": (of_name({"kind": "identifier", "unique": True, "weak": True}), f"{P}.match.unique", "only an identifier"),
    "another name beside nothing": (of_name({"kind": "other_name"}), f"{P}.match.of", "usual name"),
    "another name beside no name": (of_name({"kind": "other_name", "of": "phone"}), f"{P}.match.of", "`person_name`"),
    "a name beside another": (of_name({"kind": "person_name", "of": "phone"}), f"{P}.match.of", "stands beside"),
    "an earlier number of nothing": (of_name({"kind": "identifier", "weak": True, "of": "phone"}), f"{P}.match.of", "`unique`"),
    "an earlier number that is no evidence only": (of_name({"kind": "identifier", "of": "phone"}), f"{P}.match.of", "stands beside"),
    "rule": (chosen_by(["authorities"]), f"{P}.survivorship[0]", "`authority`"),
    "rule without what it needs": (chosen_by(["recent", "authority"]), f"{P}.survivorship[1].of", "needs it"),
    "rule with more than it knows": (chosen_by([{"rule": "recent", "of": ["x.y"]}]), f"{P}.survivorship[0].of", "no such parameter"),
    "preferred form": (chosen_by([{"rule": "prefer", "pattern": "(x"}]), f"{P}.survivorship[0].pattern", "no regular expression"),
    "score that cannot be read": (chosen_by([{"rule": "expression", "score": "1 +"}]), f"{P}.survivorship[0].score", "ends too early"),
    "score of what no statement has": (
        chosen_by([{"rule": "expression", "score": "empty([valu])"}]),
        f"{P}.survivorship[0].score",
        "`value`",
    ),
    "score that is a text": (chosen_by([{"rule": "expression", "score": "upper([value])"}]), f"{P}.survivorship[0].score", "a number"),
    "score that looks something up": (
        chosen_by([{"rule": "expression", "score": 'number(lookup([value], "a.b", "c", "d"))'}]),
        f"{P}.survivorship[0].score",
        "looks nothing up",
    ),
    "compared outside a master contract": (
        put(make_document(), (*PROPERTIES, 1, "customProperties", 2), word("match", {"kind": "date"})),
        f"{P}.customProperties",
        "belong in a master contract",
    ),
    "a master contract with a source": (
        with_word(master(), "sources", [{"name": "file", "connector": "csv_file", "location": "x"}]),
        "customProperties.sources",
        "made, not delivered",
    ),
    "a master contract with a role": (
        with_word(master(), "match", [{"entity": "person", "attributes": {"a": "sex"}}]),
        "customProperties.match",
        "speaks of no other",
    ),
    "a master contract keyed by a number": (
        put(master(), (*PROPERTIES, 0, "logicalType"), "integer"),
        "schema[0].properties",
        "`golden_id`",
    ),
    "provenance compared": (
        put(master(), (*PROVENANCE, "customProperties"), [word("match", {"kind": "text"})]),
        "schema[0].properties[5].customProperties",
        "is made by us",
    ),
    "apart in one attribute": (
        put(master(), (*BORN_ON, "customProperties", 0, "value"), {"kind": "date"}),
        "schema[0].properties",
        "two or more",
    ),
}


@pytest.mark.parametrize("what", BENT)
def test_every_fault_of_master_data_is_told_with_its_place(what: str) -> None:
    document, place, words = BENT[what]
    told = [(fault[0], f"{fault[1]} {fault[2]}") for fault in faults_of(copy.deepcopy(document))]
    assert any(found == place and words in said for found, said in told), told


def faults_between(folder: Path, *documents: dict[str, Any]) -> str:
    for n, document in enumerate(documents):
        (folder / str(n)).mkdir()
        (folder / str(n) / "contract.yaml").write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(ContractError) as raised:
        load_all(folder)
    return str(raised.value)


def test_a_folder_whose_contracts_agree_is_read(tmp_path: Path) -> None:
    for document in (matched(), master()):
        (tmp_path / document["id"]).mkdir()
        (tmp_path / document["id"] / "contract.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert list(load_all(tmp_path)) == ["master.person", "test.people"]


def test_an_entity_nobody_describes_is_refused(tmp_path: Path) -> None:
    told = faults_between(tmp_path, matched(entity="persn"), put(master(), (*FULL_NAME, "customProperties", 1, "value"), []))
    assert "test.people: match[0]: no master contract is of `persn` (did you mean `person`?)" in told


def test_an_attribute_the_entity_has_not_is_refused(tmp_path: Path) -> None:
    told = faults_between(tmp_path, matched(attributes={"full_name": "record_no", "born": "born_on"}), master())
    assert "`master.person` has no attribute `born` (did you mean `born_on`?)" in told


@pytest.mark.parametrize("made", ["golden_id", "provenance"])
def test_what_we_make_is_no_attribute(tmp_path: Path, made: str) -> None:
    told = faults_between(tmp_path, matched(attributes={"full_name": "record_no", made: "record_no"}), master())
    assert f"`master.person` has no attribute `{made}`" in told


def test_an_authority_that_says_nothing_is_refused(tmp_path: Path) -> None:
    told = faults_between(tmp_path, matched(role=None), master())
    assert "master.person: full_name: `test.people#member` says nothing of `full_name` (did you mean `test.people`?)" in told


def test_two_master_contracts_of_one_entity_are_refused(tmp_path: Path) -> None:
    told = faults_between(tmp_path, matched(), master(), put(master(), ("id",), "master.people"))
    assert "`master.person` is the master contract of `person` already" in told or "`master.people` is the master" in told


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([place for place in places(MASTER) if place]), ANYTHING)
def test_whatever_stands_in_a_master_contract_is_read_or_told_as_a_fault(path: tuple[str | int, ...], value: Any) -> None:
    assert found_in(put(master(), path, value))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([place for place in places(ROLE) if place]), ANYTHING)
def test_whatever_stands_in_a_role_is_read_or_told_as_a_fault(path: tuple[str | int, ...], value: Any) -> None:
    assert found_in(with_word(make_document(), "match", [put(copy.deepcopy(ROLE), path, value)]))


def test_readers_are_told_when_whose_value_survives_changes() -> None:
    changes = compare(make_master(), build(chosen_by(["longest"]), "new.yaml"))
    assert [(change.place, change.what, change.verdict) for change in changes] == [("full_name", "survivorship.changed", Verdict.NOTICE)]


def test_readers_are_told_when_a_register_speaks_of_an_entity_anew() -> None:
    changes = compare(build(make_document(), "old.yaml"), build(matched(), "new.yaml"))
    assert [(change.place, change.what, change.verdict) for change in changes] == [("match", "match.changed", Verdict.NOTICE)]


def test_every_kind_can_be_compared() -> None:
    from lienthong.masterdata.kinds import KINDS as KNOWN

    assert set(KINDS) == set(KNOWN)


def test_the_entity_of_the_how_to_is_one(tmp_path: Path) -> None:
    """Its first two examples are a master contract and the lines of a register; together they make a folder that is read."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "describe-an-entity.md").read_text("utf-8")
    school, lines = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[:2])
    register = put(make_document(), ("id",), "education.schools")
    for n, name in enumerate(["code", "name", "address", "old_address"], start=3):
        put(register, (*PROPERTIES, n), {"name": name, "logicalType": "string"})
    put(register, (*PROPERTIES, 7), {"name": "updated_on", "logicalType": "date"})
    register["customProperties"] += lines
    for document in (school, register):
        (tmp_path / document["id"]).mkdir()
        (tmp_path / document["id"] / "contract.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert [role.entity for role in load_all(tmp_path)["education.schools"].match] == ["school"]
