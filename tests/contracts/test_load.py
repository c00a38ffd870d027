"""A contract is read whole or refused with every fault, each with its place and the nearest right word."""

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

from lienthong.connectors import connector_names
from lienthong.contracts import Delivery, Sensitivity, Sharing, build, load, load_all
from lienthong.contracts.fault_words import in_vietnamese
from lienthong.contracts.vocabulary import MASKS, OPERATORS, RULE_PARAMETERS
from lienthong.errors import ContractError
from tests.contracts.factories import DOCUMENT, PROPERTIES, make_document, put, rule, with_word, word

RULES = ("schema", 0, "quality", 1)
BORN_ON = (*PROPERTIES, 1)


def faults_of(document: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    with pytest.raises(ContractError) as raised:
        build(document, "bent.yaml", connector_names())
    return raised.value.faults


def test_a_right_contract_is_read() -> None:
    contract = build(make_document(), "people.yaml", connector_names())
    assert contract.id == "test.people"
    assert [p.name for p in contract.key] == ["record_no"]
    assert contract.sharing is Sharing.ON_REQUEST
    assert contract.property_named("born_on").source_names == ("Ngày sinh", "NGAY_SINH")
    assert contract.property_named("born_on").sensitivity is Sensitivity.PERSONAL
    assert contract.sources[0].delivery is Delivery.SNAPSHOT
    assert [r.id for r in contract.all_rules] == ["born_on.range", "commune_is_known", "born_before_now"]
    assert contract.expect.quarantined_max_percent == 10


BENT: Mapping[str, tuple[dict[str, Any], str, str]] = {  # what is bent → (document, place of the fault, what its words hold)
    "id": (put(make_document(), ("id",), "Người"), "id", "population.persons"),
    "version": (put(make_document(), ("version",), "1.0"), "version", "1.0.0"),
    "agency": (with_word(make_document(), "agency", "h10"), "customProperties.agency", "H10.12"),
    "no English title": (with_word(make_document(), "titleEn", ""), "customProperties.titleEn", "missing"),
    "two tables": (put(make_document(), ("schema", 1), {"name": "more"}), "schema", "exactly one"),
    "no properties": (put(make_document(), PROPERTIES, []), "schema[0].properties", "at least one"),
    "same name": (put(make_document(), (*BORN_ON, "name"), "record_no"), "schema[0].properties", "more than once"),
    "no name for SQL": (put(make_document(), (*BORN_ON, "name"), "_ngày"), "schema[0].properties[1].name", "small letters"),
    "long name": (put(make_document(), (*BORN_ON, "name"), "a" * 51), "schema[0].properties[1].name", "at most 50"),
    "logical type": (put(make_document(), (*BORN_ON, "logicalType"), "dates"), "schema[0].properties[1].logicalType", "`date`"),
    "no key": (put(make_document(), (*PROPERTIES, 0, "primaryKey"), False), "schema[0].properties", "primary key"),
    "key not required": (put(make_document(), (*PROPERTIES, 0, "required"), False), "schema[0].properties[0].required", "required: true"),
    "key position": (put(make_document(), (*PROPERTIES, 0, "primaryKeyPosition"), 2), "schema[0].properties", "positions 1, 2"),
    "sensitivity": (put(make_document(), (*BORN_ON, "classification"), "persnal"), "schema[0].properties[1].classification", "`personal`"),
    "state secret": (
        put(make_document(), (*BORN_ON, "classification"), "Tối mật"),
        "schema[0].properties[1].classification",
        "stay out of the platform",
    ),
    "open and personal": (with_word(make_document(), "sharing", "open"), "schema[0].properties[1].classification", "open to all"),
    "sharing": (with_word(make_document(), "sharing", "opened"), "customProperties.sharing", "`open`"),
    "layer": (with_word(make_document(), "layer", "codelist"), "customProperties.layer", "`code_list`"),
    "unknown word": (with_word(make_document(), "sorces", []), "customProperties[6]", "`sources`"),
    "word twice": (put(make_document(), ("customProperties", 6), word("agency", "H10.02")), "customProperties[6]", "twice"),
    "unknown word of a property": (
        put(make_document(), (*BORN_ON, "customProperties", 0, "property"), "standart"),
        "schema[0].properties[1].customProperties[0]",
        "`standard`",
    ),
    "standard": (
        put(make_document(), (*PROPERTIES, 2, "customProperties", 0, "value"), "admin_units"),
        "schema[0].properties[2].standard",
        "`admin_unit`",
    ),
    "standard options": (
        put(make_document(), (*PROPERTIES, 2, "customProperties", 2), word("standardOptions", {"levels": "commune"})),
        "schema[0].properties[2].standardOptions",
        "level",
    ),
    "as of nothing": (
        put(make_document(), (*PROPERTIES, 2, "customProperties", 1, "value"), "born"),
        "schema[0].properties[2].asOf",
        "`born_on`",
    ),
    "as of no date": (
        put(make_document(), (*PROPERTIES, 2, "customProperties", 1, "value"), "record_no"),
        "schema[0].properties[2].asOf",
        "no date",
    ),
    "valid from no date": (with_word(make_document(), "validFrom", "record_no"), "customProperties.validFrom", "is a date"),
    "mask": (put(make_document(), (*BORN_ON, "customProperties", 1, "value"), "years"), "schema[0].properties[1].mask", "`year`"),
    "bounds of a range": (
        put(make_document(), (*BORN_ON, "logicalTypeOptions"), {"minimum": "2000-01-01", "maximum": "1900-01-01"}),
        "schema[0].properties[1].logicalTypeOptions",
        "is more than",
    ),
    "unknown option of a type": (
        put(make_document(), (*BORN_ON, "logicalTypeOptions"), {"minimun": "2000-01-01"}),
        "schema[0].properties[1].logicalTypeOptions.minimun",
        "`minimum`",
    ),
    "rule of another engine": (
        put(make_document(), RULES, {"type": "library", "metric": "rowCount", "mustBeGreaterThan": 5}),
        "schema[0].quality[1]",
        "not understood",
    ),
    "kind of rule": (put(make_document(), RULES, rule(rule="comparee")), "schema[0].quality[1].implementation.rule", "`compare`"),
    "parameter": (
        put(make_document(), RULES, rule(rule="compare", left="born_on", operator="<", rigth="today")),
        "schema[0].quality[1].implementation.rigth",
        "`right`",
    ),
    "parameter missing": (
        put(make_document(), RULES, rule(rule="reference", columns=["born_on"], dataset="test.people")),
        "schema[0].quality[1].implementation.column",
        "needs it",
    ),
    "column of a rule": (
        put(make_document(), RULES, rule(rule="required", columns=["born"])),
        "schema[0].quality[1].implementation",
        "`born_on`",
    ),
    "rule of no column": (put(make_document(), RULES, rule(rule="required")), "schema[0].quality[1].implementation", "reads no property"),
    "operator": (
        put(make_document(), RULES, rule(rule="compare", left="born_on", operator="≤", right="today")),
        "schema[0].quality[1].implementation.operator",
        "<=",
    ),
    "right side": (
        put(make_document(), RULES, rule(rule="compare", left="born_on", operator="<", right="died_on")),
        "schema[0].quality[1].implementation.right",
        "no property",
    ),
    "agreement of fields": (
        put(make_document(), RULES, rule(rule="agree", kind="citizen_sex", id="record_no", **{"with": "born_on"})),
        "schema[0].quality[1].implementation.kind",
        "`citizen_id_sex`",
    ),
    "when": (
        put(make_document(), RULES, rule(rule="required_when", column="born_on", when={"column": "record_no"})),
        "schema[0].quality[1].implementation.when",
        "`equals`",
    ),
    "pattern": (
        put(make_document(), RULES, rule(rule="pattern", columns=["record_no"], pattern="(?=x")),
        "schema[0].quality[1].implementation.pattern",
        "regular expression",
    ),
    "allowed": (
        put(make_document(), RULES, rule(rule="allowed", columns=["record_no"], values=[])),
        "schema[0].quality[1].implementation.values",
        "list",
    ),
    "severity": (put(make_document(), (*RULES[:-1], 0, "severity"), "warn"), "schema[0].quality[0].severity", "`warning`"),
    "two rules of one id": (
        put(make_document(), (*RULES[:-1], 0, "id"), "commune_is_known"),
        "schema[0].quality",
        "two rules are called",
    ),
    "bound": (with_word(make_document(), "expect", {"rowMin": 1}), "customProperties.expect.rowMin", "`rowsMin`"),
    "percent": (with_word(make_document(), "expect", {"endedMaxPercent": 120}), "customProperties.expect.endedMaxPercent", "to 100"),
    "rows": (with_word(make_document(), "expect", {"rowsMin": 9, "rowsMax": 3}), "customProperties.expect", "more than rowsMax"),
    "law": (with_word(make_document(), "legalBasis", [{"validFrom": "2025-07-01"}]), "customProperties.legalBasis[0].text", "missing"),
    "date of a law": (
        with_word(make_document(), "legalBasis", [{"text": "Luật", "validFrom": "01/07/2025"}]),
        "customProperties.legalBasis[0].validFrom",
        "2025-07-01",
    ),
    "law ends first": (
        with_word(make_document(), "legalBasis", [{"text": "Luật", "validFrom": "2025-07-01", "validTo": "2024-07-01"}]),
        "customProperties.legalBasis[0]",
        "not after",
    ),
    "connector": (
        with_word(make_document(), "sources", [{"name": "file", "connector": "csv", "location": "x"}]),
        "customProperties.sources[0].connector",
        "`csv_file`",
    ),
    "word of a source": (
        with_word(make_document(), "sources", [{"name": "file", "connector": "csv_file", "location": "x", "option": {}}]),
        "customProperties.sources[0].option",
        "`options`",
    ),
    "reserved source": (
        with_word(make_document(), "sources", [{"name": "api", "connector": "csv_file", "location": "x"}]),
        "customProperties.sources[0].name",
        "taken",
    ),
    "delivery": (
        with_word(make_document(), "sources", [{"name": "f", "connector": "csv_file", "location": "x", "delivery": "increment"}]),
        "customProperties.sources[0].delivery",
        "`incremental`",
    ),
    "schema of the standard": (put(make_document(), ("kind",), "Contract"), "kind", "DataContract"),
}


@pytest.mark.parametrize("what", BENT)
def test_every_fault_is_told_with_its_place(what: str) -> None:
    document, place, words = BENT[what]
    told = [(fault[0], f"{fault[1]} {fault[2]}") for fault in faults_of(copy.deepcopy(document))]
    assert any(found == place and words in said for found, said in told), told


OF_THE_STANDARD = ("Additional properties are not allowed", "'Contract' is not one of")  # its JSON schema's own words


@pytest.mark.parametrize("what", BENT)
def test_every_fault_is_told_in_vietnamese(what: str) -> None:
    told = [said for _, *both in faults_of(BENT[what][0]) for said in both if said]
    is_english = [said for said in told if in_vietnamese(said) == said and not re.fullmatch(r"`[^`]*`", said)]
    assert [said for said in is_english if not said.startswith(OF_THE_STANDARD)] == []


def test_all_faults_are_told_at_once() -> None:
    document = with_word(put(put(make_document(), ("id",), "?"), (*BORN_ON, "logicalType"), "dates"), "sharing", "opened")
    assert {fault[0] for fault in faults_of(document)} >= {"id", "schema[0].properties[1].logicalType", "customProperties.sharing"}


def test_what_the_standard_s_schema_says_too_is_told_once() -> None:
    bent = put(put(make_document(), (*BORN_ON, "logicalType"), "dates"), (*BORN_ON, "unique"), "yes")
    places = [place for place, _, _ in faults_of(bent)]
    assert {"schema[0].properties[1].logicalType", "schema[0].properties[1].unique"} <= set(places)
    assert len(places) == len(set(places))


def test_every_fault_stands_in_the_message() -> None:
    with pytest.raises(ContractError, match=r"(?s)has 2 faults.*id: expected.*version: expected"):
        build(put(put(make_document(), ("id",), "?"), ("version",), "x"), "bent.yaml")


HOSTILE: Mapping[str, tuple[bytes, str]] = {
    "aliases that grow": (b"a: &a [x, x]\nb: [*a, *a]\n", "anchors and aliases"),
    "a tag": (b"id: !!python/object/apply:os.system ['true']\n", "not readable as YAML"),
    "a key twice": (b"id: a.b\nid: a.c\n", "line 2.*stands twice"),
    "another encoding": ("name: Dân cư".encode("utf-16"), "expected UTF-8"),
    "too large": (b"# " + b"x" * 1_000_000, "at most 1,000,000 bytes"),
    "a list": (b"- a\n", "expected a contract"),
    "bad YAML": (b"id: [a\n", "not readable as YAML"),
    "a key that is a list": (b"? [a]\n: b\n", "a key must be text"),
    "deep": (b"a: " + b"[" * 900_000, "nested more than 40 deep"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused(tmp_path: Path, what: str) -> None:
    data, words = HOSTILE[what]
    path = tmp_path / "contract.yaml"
    path.write_bytes(data)
    with pytest.raises(ContractError, match=words):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"contract\.yaml.*cannot be read"):
        load(tmp_path / "contract.yaml")


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "contract.yaml").write_text(yaml.safe_dump(put(make_document(), ("version",), name)), "utf-8")
    with pytest.raises(ContractError) as raised:
        load_all(tmp_path)
    assert [fault[0].rsplit("/", 2)[1] for fault in raised.value.faults] == ["a", "b"]


def test_two_files_of_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "contract.yaml").write_text(yaml.safe_dump(make_document()), "utf-8")
    with pytest.raises(ContractError, match="is the id of another contract too"):
        load_all(tmp_path)


@pytest.mark.parametrize(
    ("dataset", "column", "words"), [("test.peple", "record_no", "`test.people`"), ("test.people", "record", "`record_no`")]
)
def test_a_reference_to_nothing_is_refused(tmp_path: Path, dataset: str, column: str, words: str) -> None:
    document = put(make_document(), RULES, rule(rule="reference", columns=["record_no"], dataset=dataset, column=column))
    (tmp_path / "contract.yaml").write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(ContractError, match=words):
        load_all(tmp_path)


def test_written_and_read_again_a_contract_is_the_same(tmp_path: Path) -> None:
    contract = build(make_document(), "people.yaml")
    path = tmp_path / "contract.yaml"
    path.write_text(yaml.safe_dump(dict(contract.document), allow_unicode=True), "utf-8")
    assert load(path) == contract


def turned(value: Any) -> Any:
    """The same document with the keys of every mapping in the other order."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert build(turned(DOCUMENT), "turned.yaml").digest == build(make_document(), "people.yaml").digest


@pytest.mark.parametrize(
    ("path", "value", "is_other"),
    [
        (("name",), "Con người", False),
        ((*BORN_ON, "businessName"), "Ngày sinh", False),
        ((*BORN_ON, "customProperties", 1, "value"), "last2", False),
        ((*BORN_ON, "customProperties", 0, "value"), "Sinh ngày", True),
        ((*BORN_ON, "logicalTypeOptions", "minimum"), "1890-01-01", True),
        ((*BORN_ON, "required"), True, True),
        ((*RULES[:-1], 0, "severity"), "warning", True),
        (("customProperties", 5, "value", 0, "options"), {"encoding": "tcvn3"}, True),
    ],
)
def test_the_digest_changes_with_what_can_change_a_row(path: tuple[str | int, ...], value: Any, is_other: bool) -> None:
    before = build(make_document(), "people.yaml").digest
    assert (build(put(make_document(), path, value), "people.yaml").digest != before) is is_other


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, inner in steps for place in places(inner, (*path, step)))]


def found_in(document: dict[str, Any]) -> object:
    """The digest of a right contract, the faults of a wrong one."""
    try:
        return build(document, "bent.yaml", connector_names()).digest
    except ContractError as error:
        return error.faults


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just({"a": [1]}),
)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([place for place in places(DOCUMENT) if place]), ANYTHING)
def test_whatever_stands_anywhere_is_read_or_told_as_a_fault(path: tuple[str | int, ...], value: Any) -> None:
    assert found_in(put(make_document(), path, value))


def test_contracts_and_quality_know_the_same_rules() -> None:
    from lienthong.quality import RULES as KINDS

    assert {kind: set(must) | set(may) for kind, (must, may) in RULE_PARAMETERS.items()} == {
        kind: set(known.parameters) for kind, known in KINDS.items()
    }


def test_quality_knows_every_operator() -> None:
    from lienthong.quality.comparing import OPERATORS as KNOWN

    assert set(OPERATORS) <= set(KNOWN)


def test_contracts_and_access_know_the_same_masks() -> None:
    from lienthong.access import MASKS as KNOWN

    assert set(MASKS) == set(KNOWN)
