"""The contracts of the province hold together, for us and for others' tools; their pages are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lienthong.connectors import connector_names
from lienthong.contracts import Contract, Layer, Sensitivity, Sharing, load_all
from lienthong.contracts.document import pages

ROOT = Path(__file__).parents[2]
DATASETS = ROOT / "datasets"
REFERENCE = ROOT / "docs" / "reference"
EXPECTED = {
    "admin-dossiers.register", "admin-units.changes", "admin-units.units", "agencies.register", "civil-status.births", "civil-status.deaths",
    "civil-status.marriages", "education.pupils", "education.schools", "education.teachers", "enterprises.register", "environment.readings",
    "health-insurance.cards", "health.facilities", "household-businesses.register", "land.holders", "land.parcels", "licences.register",
    "officials.register", "poor-households.members", "population.persons", "public-investment.disbursements", "public-investment.projects",
    "social-insurance.participants", "social-protection.beneficiaries", "statistics.indicators",
}  # fmt: skip
CODE_LISTS = {
    "code-lists.ethnic-groups", "code-lists.religions", "code-lists.countries", "code-lists.industries", "code-lists.occupations",
    "code-lists.relationships", "code-lists.education-levels",
}  # fmt: skip
MASTER = {"master.enterprise", "master.facility", "master.household", "master.parcel", "master.person"}


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_all(DATASETS, connector_names())


def test_the_datasets_the_code_lists_and_the_five_entities_are_there(contracts: dict[str, Contract]) -> None:
    assert set(contracts) == EXPECTED | CODE_LISTS | MASTER


def test_every_dataset_but_those_of_golden_records_has_a_source(contracts: dict[str, Contract]) -> None:
    assert {contract.id for contract in contracts.values() if not contract.sources} == MASTER
    assert {contract.id for contract in contracts.values() if contract.layer is Layer.MASTER} == MASTER


def test_what_is_personal_in_a_register_is_personal_in_its_golden_record(contracts: dict[str, Contract]) -> None:
    """A golden record must not open by its contract what the registers it comes from keep closed."""
    care = list(Sensitivity)
    masters = {contract.entity: contract for contract in contracts.values() if contract.layer is Layer.MASTER}
    for contract in contracts.values():
        for role in contract.match:
            for attribute, properties in role.attributes.items():
                kept = max(care.index(contract.property_named(name).sensitivity) for name in properties)
                said = care.index(masters[role.entity].property_named(attribute).sensitivity)
                assert said >= kept, f"{role.entity}.{attribute} from {contract.id}"


def test_a_dataset_lies_in_the_folder_of_its_id(contracts: dict[str, Contract]) -> None:
    folders = {".".join(path.parent.relative_to(DATASETS).parts) for path in DATASETS.rglob("contract.yaml")}
    assert folders == set(contracts)


def test_every_contract_is_described_in_both_languages_and_stands_on_law(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        assert contract.title_vi != contract.id
        assert contract.title_en
        assert contract.description_vi, contract.id
        assert contract.description_en, contract.id
        assert all(p.title_vi != p.name for p in contract.properties), contract.id
        assert contract.legal_basis, contract.id
        assert all(law.valid_from is not None for law in contract.legal_basis), contract.id


def test_names_and_numbers_of_people_are_personal(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for p in contract.properties:
            if p.standard in ("person_name", "citizen_id", "insurance_no"):
                assert p.sensitivity is Sensitivity.PERSONAL, f"{contract.id}.{p.name}"


def test_units_are_always_dated(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        assert all(p.as_of for p in contract.properties if p.standard == "admin_unit"), contract.id


def test_what_everybody_may_see_is_open(contracts: dict[str, Contract]) -> None:
    is_open = {contract.id for contract in contracts.values() if contract.sharing is Sharing.OPEN}
    assert is_open == {
        "admin-units.units", "admin-units.changes", "agencies.register", "statistics.indicators", "environment.readings", "education.schools",
        "health.facilities", "public-investment.projects", "public-investment.disbursements",
    }  # fmt: skip


def test_datacontract_lint_accepts_every_contract() -> None:
    """The command itself, all files in one process: it takes a second to begin."""
    paths = sorted(str(path) for folder in (DATASETS, ROOT / "bench" / "datasets") for path in folder.rglob("contract.yaml"))
    program = (
        "import runpy, sys\n"
        "command, *paths = sys.argv[1:]\n"
        "sys.argv = [command, 'lint', paths[0]]\n"
        "try:\n"
        "    runpy.run_path(command, run_name='__main__')\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "from datacontract.data_contract import DataContract\n"
        "results = {path: DataContract(data_contract_file=path).lint().result.value for path in paths}\n"
        "print({path: found for path, found in results.items() if found != 'passed'})\n"
    )
    command = str(Path(sys.executable).with_name("datacontract"))
    told = subprocess.run([sys.executable, "-c", program, command, *paths], capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.strip().splitlines()[-1] == "{}"


def test_the_reference_pages_are_current() -> None:
    made = pages(DATASETS)
    there = {path.relative_to(REFERENCE).as_posix(): path.read_text("utf-8") for path in (REFERENCE / "datasets").glob("*.md")}
    there |= {name: (REFERENCE / name).read_text("utf-8") for name in ("contract.md", "mapping.md")}
    assert sorted(there) == sorted(made)
    assert [name for name, page in made.items() if there[name] != page] == []
